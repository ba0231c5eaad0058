/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The image of the lists against a search through all rules: random prefixes of both families and
 * both lists that nest, overlap and expire, one and a million.
 */
#include "tests/unit/list_world.h"

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
		assert_int_equal(tg_list_bits(list_plan_head(world.plan), 1), sizes[i].bits);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_rules_are_found_as_by_brute_force),
		cmocka_unit_test(the_larger_tables_agree_too),
		cmocka_unit_test(a_million_prefixes_are_found),
	};

	return cmocka_run_group_tests_name("list image random", tests, NULL, NULL);
}
