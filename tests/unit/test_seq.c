/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Serial arithmetic against numbers that do not wrap. */
#include "tests/unit/unit.h"

#include "tcpguard/seq.h"

#define HALF_CIRCLE (1LL << 31)

/* Around every point at which 32 bits turn over or a sign changes. */
static const int64_t bases[] = {
	0,
	1,
	1000,
	HALF_CIRCLE - 1,
	HALF_CIRCLE,
	HALF_CIRCLE + 1,
	2 * HALF_CIRCLE - 1,
	2 * HALF_CIRCLE,
	3 * HALF_CIRCLE,
};

static const int64_t distances[] = {
	0,
	1,
	2,
	1460,
	65535,
	65536,
	1 << 30,
	HALF_CIRCLE - 2,
	HALF_CIRCLE - 1,
};

static void check_pair(int64_t a, int64_t b)
{
	assert_int_equal(tg_seq_before((__u32)a, (__u32)b), a < b);
	assert_int_equal(tg_seq_after((__u32)a, (__u32)b), a > b);
	assert_int_equal(tg_seq_max((__u32)a, (__u32)b), (__u32)(a > b ? a : b));
}

static void compares_like_numbers_that_do_not_wrap(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(bases); i++) {
		for (j = 0; j < COUNT(distances); j++) {
			check_pair(bases[i], bases[i] + distances[j]);
			check_pair(bases[i] + distances[j], bases[i]);
		}
	}
}

static void random_pairs_compare_like_numbers(void **state)
{
	uint64_t seed = 1;
	int i;

	(void)state;
	for (i = 0; i < 1000000; i++) {
		int64_t a = (int64_t)random_u32(&seed) + random_u32(&seed);

		check_pair(a, a + random_below(&seed, (uint32_t)HALF_CIRCLE));
	}
}

static void between_includes_both_ends(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(bases); i++) {
		/* Beyond the interval must still be less than half a circle from its other end. */
		for (j = 0; j + 1 < COUNT(distances); j++) {
			int64_t low = bases[i], high = low + distances[j];

			assert_true(tg_seq_between((__u32)low, (__u32)low, (__u32)high));
			assert_true(tg_seq_between((__u32)high, (__u32)low, (__u32)high));
			assert_true(tg_seq_between((__u32)((low + high) / 2), (__u32)low, (__u32)high));
			assert_false(tg_seq_between((__u32)(low - 1), (__u32)low, (__u32)high));
			assert_false(tg_seq_between((__u32)(high + 1), (__u32)low, (__u32)high));
		}
	}
}

/* Exactly half a circle apart, neither is first: both questions are answered yes, whoever asks. */
static void half_a_circle_apart_is_before_and_after(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bases); i++) {
		__u32 a = (__u32)bases[i], b = (__u32)(bases[i] + HALF_CIRCLE);

		assert_true(tg_seq_before(a, b) && tg_seq_before(b, a));
		assert_true(tg_seq_after(a, b) && tg_seq_after(b, a));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares_like_numbers_that_do_not_wrap),
		cmocka_unit_test(random_pairs_compare_like_numbers),
		cmocka_unit_test(between_includes_both_ends),
		cmocka_unit_test(half_a_circle_apart_is_before_and_after),
	};

	return cmocka_run_group_tests_name("seq", tests, NULL, NULL);
}
