/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The image of the lists against a search through all rules, bit by bit: nested, overlapping and
 * expiring prefixes of both families and both lists, few and a million.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "daemon/list_image.h"
#include "daemon/list_rules.h"

#include "bpf/prefix_memory.h"
#include "bpf/prefix_image.h"

#define NOW_S 50

/* Rules, their image, and a way to ask both. */
struct world {
	struct list_rules rules;
	struct list_plan *plan;
	struct tg_list_line *line;
	struct tg_image image;
	uint64_t random;
};

static void begin(struct world *world, uint64_t seed)
{
	memset(world, 0, sizeof(*world));
	world->random = seed * 0x9e3779b97f4a7c15ULL + 1;
}

static void end(struct world *world)
{
	list_rules_free(&world->rules);
	list_plan_free(world->plan);
	free(world->line);
}

static void build(struct world *world)
{
	uint32_t lines;

	assert_int_equal(list_rules_settle(&world->rules, 0, NULL), 0);
	assert_int_equal(list_plan_make(world->rules.rule, world->rules.count, world->rules.text,
					world->rules.text_bytes, random_u64(&world->random),
					&world->plan),
			 0);
	lines = list_plan_head(world->plan)->lines;
	world->line = aligned_alloc(TG_LIST_LINE_BYTES, (size_t)lines * TG_LIST_LINE_BYTES);
	assert_non_null(world->line);
	memset(world->line, 0, (size_t)lines * TG_LIST_LINE_BYTES);
	list_plan_write(world->plan, 0, world->line);
	world->image = (struct tg_image){ .line = world->line, .lines = lines };
}

static uint32_t bit_of(uint64_t high, uint64_t low, unsigned int number)
{
	return (number < 64 ? high >> (63 - number) : low >> (127 - number)) & 1;
}

/* Bit by bit: nothing of prefix.c or prefix_image.h. */
static bool inside(const struct tg_list_rule *rule, const struct prefix *address)
{
	unsigned int i;

	if (rule->ipv4 != address->ipv4)
		return false;
	for (i = 0; i < rule->length; i++)
		if (bit_of(rule->high, rule->low, i) != bit_of(address->high, address->low, i))
			return false;
	return true;
}

static bool live_in_list(const struct world *world, const struct prefix *address, enum tg_list list,
			 uint32_t now_s)
{
	size_t i;

	for (i = 0; i < world->rules.count; i++) {
		const struct tg_list_rule *rule = &world->rules.rule[i];

		if (rule->list == list && now_s < rule->until_s && inside(rule, address))
			return true;
	}
	return false;
}

static struct tg_list_moments found(const struct world *world, const struct prefix *address)
{
	const struct tg_list_address wanted = { address->high, address->low };
	struct tg_list_moments moments;

	tg_list_find(&world->image, list_plan_head(world->plan), &wanted, address->ipv4, &moments);
	return moments;
}

static void check(const struct world *world, const struct prefix *address, uint32_t now_s)
{
	struct tg_list_moments moments = found(world, address);
	char text[PREFIX_TEXT_BYTES];
	int list;

	for (list = 0; list < TG_LIST_MAX; list++) {
		bool want = live_in_list(world, address, (enum tg_list)list, now_s);

		if ((now_s < moments.until_s[list]) != want)
			fail_msg("%s at %u s, list %d: want %d, found until %u",
				 prefix_text(text, address), now_s, list, want,
				 moments.until_s[list]);
	}
}

/* Bits of few values, so that prefixes nest and meet. */
static struct prefix random_address(struct world *world)
{
	uint64_t *random = &world->random;
	struct prefix address = { .length = 128, .ipv4 = random_below(random, 2) };

	if (address.ipv4) {
		address.low = 0xffff00000000ULL | (random_u32(random) & 0x07030f83U);
		return address;
	}
	address.high = random_u64(random) & 0x0101010003000f07ULL;
	address.low = random_u64(random) & 0x0100000000000107ULL;
	return address;
}

static void mask(struct prefix *prefix, unsigned int length)
{
	prefix->length = (uint8_t)length;
	prefix->high &= length >= 64 ? ~0ULL : length ? ~0ULL << (64 - length) :
							0;
	prefix->low &= length <= 64 ? 0 : ~0ULL << (128 - length);
}

static struct prefix random_prefix(struct world *world)
{
	struct prefix prefix = random_address(world);
	unsigned int most = prefix.ipv4 ? 32 : 128;
	unsigned int length = random_below(&world->random, most + 1);

	/* Mostly long ones, or everything would be covered. */
	if (random_below(&world->random, 8))
		length = most - random_below(&world->random, most / 2);
	mask(&prefix, prefix.ipv4 ? length + 96 : length);
	return prefix;
}

static void add(struct world *world, const struct prefix *prefix, enum tg_list list, uint32_t until_s)
{
	assert_int_equal(list_rules_add(&world->rules, prefix, list, until_s, 0, ""), 0);
}

static void add_random(struct world *world, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct prefix prefix = random_prefix(world);
		bool forever = random_below(&world->random, 2);

		add(world, &prefix, random_below(&world->random, 4) ? TG_LIST_BLOCK : TG_LIST_ALLOW,
		    forever ? TG_LIST_FOREVER : 1 + random_below(&world->random, 100));
	}
}

/* Near a rule, where it matters, and anywhere. */
static void check_random(struct world *world, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct prefix address = random_address(world);
		uint32_t now_s = random_below(&world->random, 102);

		if (i % 2) {
			const struct tg_list_rule *rule =
				&world->rules.rule[random_below(&world->random,
								(uint32_t)world->rules.count)];
			address = prefix_of_rule(rule);
			address.length = 128;
			if (rule->length < 128 && i % 4 == 1)
				address.low |= random_u64(&world->random) &
					       ((rule->length > 64 ? 1ULL << (128 - rule->length) :
								     0) -
						1);
			if (i % 8 == 3)
				address.low ^= 1ULL << random_below(&world->random, 32);
		}
		check(world, &address, now_s);
	}
}

static void random_rules_are_found_as_by_brute_force(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 5, 10, 30, 100, 300, 1000 };
	struct world world;
	size_t i;
	uint64_t seed;

	(void)state;
	for (seed = 0; seed < 15; seed++) {
		for (i = 0; i < COUNT(sizes); i++) {
			begin(&world, seed * 100 + i);
			add_random(&world, sizes[i]);
			build(&world);
			check_random(&world, sizes[i] < 300 ? 300 : 100);
			end(&world);
		}
	}
}

/* More prefixes, larger direct tables: 20 and 24 bits. */
static void the_larger_tables_agree_too(void **state)
{
	static const struct {
		size_t rules;
		uint8_t bits;
	} sizes[] = { { 8000, 20 }, { 400000, 24 } };
	struct world world;
	size_t i, n;

	(void)state;
	for (i = 0; i < COUNT(sizes); i++) {
		begin(&world, 7 + i);
		add_random(&world, sizes[i].rules / 2);
		for (n = 0; n < sizes[i].rules / 2; n++) {
			struct prefix prefix = { .low = 0xffff00000000ULL | random_u32(&world.random),
						 .ipv4 = true };

			mask(&prefix, 104 + random_below(&world.random, 25));
			add(&world, &prefix, TG_LIST_BLOCK,
			    n % 3 ? TG_LIST_FOREVER : 1 + random_below(&world.random, 100));
		}
		build(&world);
		assert_int_equal(list_plan_head(world.plan)->bits[1], sizes[i].bits);
		check_random(&world, i ? 60 : 500);
		end(&world);
	}
}

static void a_million_prefixes_are_found(void **state)
{
	struct world world;
	size_t i;

	(void)state;
	begin(&world, 3);
	for (i = 0; i < 1000000; i++) {
		struct prefix prefix = { .low = 0xffff00000000ULL | random_u32(&world.random),
					 .ipv4 = true };

		mask(&prefix, 104 + random_below(&world.random, 25));
		add(&world, &prefix, i % 10 ? TG_LIST_BLOCK : TG_LIST_ALLOW, TG_LIST_FOREVER);
	}
	build(&world);
	check_random(&world, 40);
	for (i = 0; i < 40; i++) {
		const struct prefix anywhere = { .low = 0xffff00000000ULL | random_u32(&world.random),
						 .length = 128,
						 .ipv4 = true };

		check(&world, &anywhere, NOW_S);
	}
	end(&world);
}

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
	assert_int_equal(list_plan_head(world.plan)->slots_mask, 0);
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

static void too_many_are_refused(void **state)
{
	struct tg_list_rule rule = { .length = 128 };
	struct list_plan *plan;

	(void)state;
	assert_int_equal(list_plan_make(&rule, TG_LIST_RULES_MAX + 1UL, NULL, 0, 1, &plan), -E2BIG);
	assert_null(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_latest_of_the_covering_rules_counts),
		cmocka_unit_test(everything_and_single_addresses_at_the_edges),
		cmocka_unit_test(a_mapped_source_is_not_the_ipv4_address),
		cmocka_unit_test(every_length_at_once),
		cmocka_unit_test(rules_are_counted_by_list_family_and_origin),
		cmocka_unit_test(redundant_rules_take_no_slots),
		cmocka_unit_test(random_rules_are_found_as_by_brute_force),
		cmocka_unit_test(the_larger_tables_agree_too),
		cmocka_unit_test(a_million_prefixes_are_found),
		cmocka_unit_test(too_many_are_refused),
	};

	return cmocka_run_group_tests_name("list_image", tests, NULL, NULL);
}
