/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The image of the lists: which rule counts, edges of prefixes, what takes no room or is refused. */
#include "tests/unit/list_world.h"

#include <errno.h>

static void expect(const struct world *world, const char *text, uint32_t block, uint32_t allow)
{
	char why[PREFIX_WHY_BYTES];
	struct tg_list_moments moments;
	struct prefix address;

	assert_int_equal(prefix_parse(text, &address, why), 0);
	moments = found(world, &address);
	if (moments.until_s[TG_LIST_BLOCK] != block || moments.until_s[TG_LIST_ALLOW] != allow)
		fail_msg("%s: want %u and %u, found %u and %u", text, block, allow,
			 moments.until_s[TG_LIST_BLOCK], moments.until_s[TG_LIST_ALLOW]);
}

static void put(struct world *world, const char *text, enum tg_list list, uint32_t until_s)
{
	char why[PREFIX_WHY_BYTES];
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix, why), 0);
	add(world, &prefix, list, until_s);
}

#define EVER TG_LIST_FOREVER

static void the_latest_of_the_covering_rules_counts(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 1);
	put(&world, "10.0.0.0/8", TG_LIST_BLOCK, 90);
	put(&world, "10.1.0.0/16", TG_LIST_BLOCK, 40);
	put(&world, "10.1.2.0/24", TG_LIST_BLOCK, 95);
	put(&world, "10.1.2.3", TG_LIST_BLOCK, 20);
	put(&world, "10.1.2.3", TG_LIST_ALLOW, 30);
	put(&world, "10.2.0.0/15", TG_LIST_ALLOW, EVER);
	put(&world, "10.3.0.1", TG_LIST_BLOCK, EVER);
	put(&world, "2001:db8::/32", TG_LIST_BLOCK, EVER);
	put(&world, "2001:db8:1::/48", TG_LIST_ALLOW, 60);
	put(&world, "2001:db8:1::1", TG_LIST_BLOCK, 70);
	build(&world);
	expect(&world, "10.9.9.9", 90, 0);
	expect(&world, "10.1.9.9", 90, 0);
	expect(&world, "10.1.2.9", 95, 0);
	expect(&world, "10.1.2.3", 95, 30);
	expect(&world, "10.2.0.1", 90, EVER);
	expect(&world, "10.3.0.1", EVER, EVER);
	expect(&world, "11.0.0.0", 0, 0);
	expect(&world, "9.255.255.255", 0, 0);
	expect(&world, "2001:db8::1", EVER, 0);
	expect(&world, "2001:db8:1::2", EVER, 60);
	expect(&world, "2001:db8:1::1", EVER, 60);
	expect(&world, "2001:db9::", 0, 0);
	expect(&world, "::", 0, 0);
	end(&world);
}

static void everything_and_single_addresses_at_the_edges(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 2);
	put(&world, "0.0.0.0/0", TG_LIST_BLOCK, EVER);
	put(&world, "0.0.0.0", TG_LIST_ALLOW, EVER);
	put(&world, "255.255.255.255", TG_LIST_ALLOW, 10);
	put(&world, "::/0", TG_LIST_ALLOW, 77);
	put(&world, "::", TG_LIST_BLOCK, EVER);
	put(&world, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", TG_LIST_BLOCK, 5);
	build(&world);
	expect(&world, "0.0.0.0", EVER, EVER);
	expect(&world, "0.0.0.1", EVER, 0);
	expect(&world, "255.255.255.255", EVER, 10);
	expect(&world, "255.255.255.254", EVER, 0);
	expect(&world, "::", EVER, 77);
	expect(&world, "::1", 0, 77);
	expect(&world, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 5, 77);
	end(&world);
}

/* An IPv6 source may look like a mapped address: the rule for the IPv4 one is not its. */
static void a_mapped_source_is_not_the_ipv4_address(void **state)
{
	struct prefix mapped = { .low = 0xffff0a000001ULL, .length = 128 };
	struct world world;

	(void)state;
	begin(&world, 2);
	put(&world, "10.0.0.1", TG_LIST_BLOCK, EVER);
	put(&world, "::1", TG_LIST_BLOCK, EVER);
	build(&world);
	expect(&world, "10.0.0.1", EVER, 0);
	assert_int_equal(found(&world, &mapped).until_s[TG_LIST_BLOCK], 0);
	end(&world);
}

/* Every length below one entry of the smallest table: the bound of the look-up's loop. */
static void every_length_at_once(void **state)
{
	struct prefix prefix = { .high = 0x2001000000000000ULL }, address;
	struct world world;
	unsigned int length;

	(void)state;
	begin(&world, 4);
	for (length = 17; length <= 128; length++) {
		struct prefix inner = prefix;

		if (length <= 64)
			inner.high |= 1ULL << (64 - length);
		else
			inner.low |= 1ULL << (128 - length);
		inner.length = (uint8_t)length;
		add(&world, &inner, TG_LIST_BLOCK, length);
	}
	build(&world);
	for (length = 17; length <= 128; length++) {
		address = prefix;
		address.length = 128;
		if (length <= 64)
			address.high |= 1ULL << (64 - length);
		else
			address.low |= 1ULL << (128 - length);
		assert_int_equal(found(&world, &address).until_s[TG_LIST_BLOCK], length);
	}
	address = prefix;
	assert_int_equal(found(&world, &address).until_s[TG_LIST_BLOCK], 0);
	end(&world);
}

/* Levels 48, 64 and 128, and more hosts in one /48 than a line has room for. */
static void a_crowd_in_one_network_is_found(void **state)
{
	const struct prefix network = { .high = 0x20010db800010000ULL, .length = 48 };
	struct world world;
	struct prefix host;
	uint32_t i;

	(void)state;
	begin(&world, 8);
	for (i = 0; i < 70000; i++) {
		host = (struct prefix){ .high = network.high + i % 4, .low = i * 0x10001ULL, .length = 128 };
		add(&world, &host, TG_LIST_BLOCK, i % 3 ? EVER : 20 + i % 100);
		host = (struct prefix){ .high = 0x2400000000000000ULL + ((uint64_t)i << 20), .length = 48 };
		mask(&host, 48);
		add(&world, &host, TG_LIST_BLOCK, EVER);
	}
	put(&world, "2001:db8:1:2::/64", TG_LIST_ALLOW, EVER);
	put(&world, "2400::/20", TG_LIST_ALLOW, 33);
	build(&world);
	assert_int_equal(list_plan_head(world.plan)->level[0][0], 48);
	for (i = 0; i < 70000; i += 7) {
		struct tg_list_moments moments;

		host = (struct prefix){ .high = network.high + i % 4, .low = i * 0x10001ULL, .length = 128 };
		moments = found(&world, &host);
		assert_int_equal(moments.until_s[TG_LIST_BLOCK], i % 3 ? EVER : 20 + i % 100);
		assert_int_equal(moments.until_s[TG_LIST_ALLOW], i % 4 == 2 ? EVER : 0);
		host.low++;
		if (i < 70)
			check(&world, &host, 21);
	}
	expect(&world, "2001:db8:1:9::1", 0, 0);
	expect(&world, "2400::1", EVER, 33);
	end(&world);
}

/* What is said already by what is around it takes no room. */
static void redundant_rules_take_no_slots(void **state)
{
	struct world world;
	uint32_t i;

	(void)state;
	begin(&world, 5);
	put(&world, "10.0.0.0/8", TG_LIST_BLOCK, EVER);
	for (i = 0; i < 500; i++) {
		struct prefix prefix = { .low = 0xffff0a000000ULL + i * 977, .length = 128, .ipv4 = true };

		add(&world, &prefix, TG_LIST_BLOCK, EVER);
	}
	build(&world);
	assert_int_equal(list_plan_head(world.plan)->prefixes, 501);
	assert_int_equal(list_plan_head(world.plan)->slots_lines, 1);
	expect(&world, "10.0.0.1", EVER, 0);
	end(&world);
}

static void rules_are_counted_by_list_family_and_origin(void **state)
{
	const struct tg_list_counts *counts;
	struct world world;

	(void)state;
	begin(&world, 6);
	put(&world, "10.0.0.0/8", TG_LIST_BLOCK, 100);
	put(&world, "2001:db8::/32", TG_LIST_BLOCK, EVER);
	world.rules.origin = TG_LIST_BY_FILE;
	put(&world, "10.0.0.0/8", TG_LIST_BLOCK, 70);
	put(&world, "10.1.0.0/16", TG_LIST_BLOCK, EVER);
	put(&world, "10.0.0.0/8", TG_LIST_ALLOW, 60);
	build(&world);
	counts = &world.line[list_plan_head(world.plan)->first_rule - 1].counts;
	assert_int_equal(counts->rules[TG_LIST_BLOCK][1][TG_LIST_BY_COMMAND], 1);
	assert_int_equal(counts->rules[TG_LIST_BLOCK][0][TG_LIST_BY_COMMAND], 1);
	assert_int_equal(counts->rules[TG_LIST_BLOCK][1][TG_LIST_BY_FILE], 2);
	assert_int_equal(counts->rules[TG_LIST_ALLOW][1][TG_LIST_BY_FILE], 1);
	assert_int_equal(counts->rules[TG_LIST_ALLOW][0][TG_LIST_BY_FILE], 0);
	assert_int_equal(list_plan_head(world.plan)->rules[TG_LIST_BLOCK], 4);
	/* Whosever reaches further. */
	expect(&world, "10.2.0.1", 100, 60);
	expect(&world, "10.1.0.1", EVER, 60);
	end(&world);
}

static bool has_entries(const struct world *world)
{
	return list_plan_head(world->plan)->direct[1] & TG_LIST_HAS_ENTRIES;
}

/* With entries both bits of a value are looked at, without them the lower one alone nearly always. */
static void a_table_says_whether_it_has_entries(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 9);
	put(&world, "10.0.0.0/12", TG_LIST_BLOCK, EVER);
	put(&world, "10.32.0.7", TG_LIST_BLOCK, 40);
	build(&world);
	assert_false(has_entries(&world));
	expect(&world, "10.15.255.255", EVER, 0);
	expect(&world, "10.16.0.0", 0, 0);
	expect(&world, "10.32.0.7", 40, 0);
	expect(&world, "10.32.0.8", 0, 0);
	end(&world);
	begin(&world, 10);
	put(&world, "10.0.0.0/12", TG_LIST_BLOCK, EVER);
	put(&world, "10.16.0.0/12", TG_LIST_BLOCK, 40); /* only the upper bit of its values */
	put(&world, "10.0.0.1", TG_LIST_ALLOW, EVER);
	build(&world);
	assert_true(has_entries(&world));
	expect(&world, "10.15.255.255", EVER, 0);
	expect(&world, "10.16.0.0", 40, 0);
	expect(&world, "10.0.0.1", EVER, EVER);
	expect(&world, "10.32.0.0", 0, 0);
	end(&world);
}

/* Images of former formats have nothing where the number of bits is now. */
static void without_a_number_of_bits_an_image_says_nothing(void **state)
{
	const struct tg_list_address address = { 0, 0xffff0a000001ULL };
	struct tg_list_moments moments;
	struct tg_list_image head;
	struct world world;

	(void)state;
	begin(&world, 11);
	put(&world, "10.0.0.1", TG_LIST_BLOCK, EVER);
	build(&world);
	head = *list_plan_head(world.plan);
	tg_list_find(&world.image, &head, &address, true, &moments);
	assert_int_equal(moments.until_s[TG_LIST_BLOCK], EVER);
	head.direct[1] &= TG_LIST_FIRST;
	tg_list_find(&world.image, &head, &address, true, &moments);
	assert_int_equal(moments.until_s[TG_LIST_BLOCK], 0);
	end(&world);
}

static void too_many_are_refused(void **state)
{
	struct tg_list_rule rule = { .length = 128 };
	struct list_plan *plan;

	(void)state;
	assert_int_equal(list_plan_make(&rule, TG_LIST_RULES_MAX + 1UL, NULL, 0, 1, &plan), -E2BIG);
	assert_null(plan);
}

/* A prefix and one inside it in turns, until later each time: no bound of the walk but its own. */
static void rules_in_no_order_are_refused(void **state)
{
	struct tg_list_rule rules[600];
	struct list_plan *plan;
	uint32_t i;

	(void)state;
	for (i = 0; i < 600; i++)
		rules[i] = (struct tg_list_rule){ .until_s = 1 + i, .length = i & 1 ? 128 : 64 };
	assert_int_equal(list_plan_make(rules, 600, NULL, 0, 1, &plan), -EINVAL);
	assert_null(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_latest_of_the_covering_rules_counts),
		cmocka_unit_test(everything_and_single_addresses_at_the_edges),
		cmocka_unit_test(a_mapped_source_is_not_the_ipv4_address),
		cmocka_unit_test(every_length_at_once),
		cmocka_unit_test(a_crowd_in_one_network_is_found),
		cmocka_unit_test(rules_are_counted_by_list_family_and_origin),
		cmocka_unit_test(redundant_rules_take_no_slots),
		cmocka_unit_test(a_table_says_whether_it_has_entries),
		cmocka_unit_test(without_a_number_of_bits_an_image_says_nothing),
		cmocka_unit_test(too_many_are_refused),
		cmocka_unit_test(rules_in_no_order_are_refused),
	};

	return cmocka_run_group_tests_name("list image", tests, NULL, NULL);
}
