/* SPDX-License-Identifier: GPL-2.0-or-later */
/* To which lengths longer prefixes are brought: few, and no great number of them. */
#include "tests/unit/unit.h"

#include "daemon/list_levels.h"

static void nothing_needs_no_level(void **state)
{
	static const size_t count[129];
	uint8_t level[TG_LIST_LEVELS] = { 1 };

	(void)state;
	assert_false(list_levels_choose(count, level));
	assert_int_equal(level[0], 0);
}

static void one_length_is_one_level(void **state)
{
	size_t count[129] = { [128] = 1000000 };
	uint8_t level[TG_LIST_LEVELS];

	(void)state;
	assert_true(list_levels_choose(count, level));
	assert_int_equal(level[0], 128);
	assert_int_equal(level[1], 0);
	assert_int_equal(list_levels_of(level, 128), 128);
}

/* The shortest is the first, the others follow longest first. */
static void usual_lengths_are_the_levels(void **state)
{
	size_t count[129] = { [48] = 200000, [56] = 100000, [64] = 500000, [128] = 200000 };
	const uint8_t want[TG_LIST_LEVELS] = { 48, 128, 64, 56 };
	uint8_t level[TG_LIST_LEVELS];

	(void)state;
	assert_true(list_levels_choose(count, level));
	assert_memory_equal(level, want, sizeof(want));
	assert_int_equal(list_levels_of(level, 48), 48);
	assert_int_equal(list_levels_of(level, 49), 56);
	assert_int_equal(list_levels_of(level, 57), 64);
	assert_int_equal(list_levels_of(level, 65), 128);
}

static void a_few_of_another_length_get_no_level(void **state)
{
	size_t count[129] = { [125] = 100, [126] = 500, [128] = 500000 };
	uint8_t level[TG_LIST_LEVELS];

	(void)state;
	assert_true(list_levels_choose(count, level));
	assert_int_equal(level[0], 128);
	assert_int_equal(level[1], 0);
}

static uint64_t becomes(const size_t count[129], const uint8_t level[TG_LIST_LEVELS])
{
	uint64_t sum = 0;
	uint8_t length;

	for (length = 1; length <= 128; length++) {
		uint8_t of = list_levels_of(level, length);

		if (!count[length])
			continue;
		assert_true(of >= length);
		sum += (uint64_t)count[length] << (of - length);
	}
	return sum;
}

static void all_lengths_of_ipv4_have_levels_and_those_of_ipv6_none(void **state)
{
	size_t count[129] = { 0 };
	uint8_t level[TG_LIST_LEVELS];
	unsigned int length;

	(void)state;
	for (length = 121; length <= 128; length++)
		count[length] = 100000;
	assert_true(list_levels_choose(count, level));
	assert_true(becomes(count, level) <= 2 * 800000 + 16384);
	for (length = 25; length <= 120; length++)
		count[length] = 100000;
	assert_false(list_levels_choose(count, level));
	assert_int_equal(level[0], 0);
}

/* No other choice of as few levels is cheaper. */
static void the_choice_is_the_cheapest(void **state)
{
	size_t count[129] = { 0 };
	uint8_t level[TG_LIST_LEVELS], other[TG_LIST_LEVELS] = { 0 };
	uint64_t random = 7, chosen, least;
	unsigned int round, length;

	(void)state;
	for (round = 0; round < 50; round++) {
		memset(count, 0, sizeof(count));
		for (length = 117; length <= 128; length++)
			count[length] = random_below(&random, 3) ? 0 : random_below(&random, 100000);
		count[128] += 1;
		if (!list_levels_choose(count, level))
			continue;
		chosen = least = becomes(count, level);
		if (!level[1] || level[2])
			continue;
		for (other[0] = 117, other[1] = 128; other[0] < 128; other[0]++)
			if (becomes(count, other) < least)
				least = becomes(count, other);
		assert_true(chosen == least);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_needs_no_level),
		cmocka_unit_test(one_length_is_one_level),
		cmocka_unit_test(usual_lengths_are_the_levels),
		cmocka_unit_test(a_few_of_another_length_get_no_level),
		cmocka_unit_test(all_lengths_of_ipv4_have_levels_and_those_of_ipv6_none),
		cmocka_unit_test(the_choice_is_the_cheapest),
	};

	return cmocka_run_group_tests_name("list levels", tests, NULL, NULL);
}
