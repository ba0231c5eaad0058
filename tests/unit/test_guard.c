/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the guard steps a class back, and when it enforces it again: each limit at its edge. */
#include <string.h>

#include "daemon/guard.h"
#include "tests/unit/unit.h"

#define WINDOW_BIT (1U << TG_CLASS_WINDOW)
#define STATE_BIT (1U << TG_CLASS_STATE)
#define REARM_MS 600000u

static const struct config_guard limits = {
	.enabled = 1,
	.ratio = 1000 /* 1 % */,
	.flows = 3,
	.packets = 20,
	.rearm_s = 600,
};

struct run {
	struct guard guard;
	struct guard_sample sample;
	struct guard_change change[GUARD_CLASS_MAX];
	uint32_t relaxed;
	uint32_t count;
};

static struct run begin(void)
{
	struct run run = { .sample = { .at_ms = 1000000, .passed = 5000 } };

	return run;
}

/* A second later, with so much more. */
static uint32_t second(struct run *run, enum guard_class class, uint64_t passed, uint64_t drops, uint64_t flows)
{
	run->sample.at_ms += 1000;
	run->sample.passed += passed;
	run->sample.judged[class] += drops;
	if (!(run->relaxed & (1U << guard_tg_class(class))))
		run->sample.dropped[class] += drops;
	run->sample.flows[class] += flows;
	run->relaxed = guard_step(&run->guard, &limits, &run->sample, run->relaxed, run->change, &run->count);
	return run->relaxed;
}

static void each_limit_is_one_of_three(void **state)
{
	static const struct {
		uint64_t passed, drops, flows;
		uint32_t relaxed;
	} rows[] = {
		{ 1999, 20, 3, WINDOW_BIT },
		{ 2000, 20, 3, 0 }, /* not more than 1 % */
		{ 1000, 19, 3, 0 },
		{ 1000, 20, 2, 0 },
		{ 0, 20, 3, WINDOW_BIT },
		{ 0, 0, 0, 0 },
		{ 1000000, 10001, 3, WINDOW_BIT },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct run run = begin();

		assert_int_equal(second(&run, GUARD_WINDOW, 0, 0, 0), 0);
		assert_int_equal(second(&run, GUARD_WINDOW, rows[i].passed, rows[i].drops, rows[i].flows),
				 rows[i].relaxed);
		assert_int_equal(run.count, rows[i].relaxed != 0);
	}
}

static void what_was_before_the_first_look_does_not_count(void **state)
{
	struct run run = begin();

	(void)state;
	assert_int_equal(second(&run, GUARD_WINDOW, 0, 1000, 1000), 0);
}

static void only_the_class_that_hit_is_stepped_back(void **state)
{
	struct run run = begin();

	(void)state;
	second(&run, GUARD_STATE, 0, 0, 0);
	assert_int_equal(second(&run, GUARD_STATE, 100, 20, 3), STATE_BIT);
	assert_int_equal(run.change[0].class, GUARD_STATE);
	assert_true(run.change[0].relaxed);
	assert_int_equal(run.change[0].drops, 20);
	assert_int_equal(run.change[0].flows, 3);
	assert_int_equal(run.change[0].passed, 100);
	assert_int_equal(second(&run, GUARD_WINDOW, 100, 20, 3), STATE_BIT | WINDOW_BIT);
}

/* 2 drops a second of as many connections are 20 in ten seconds, 1 are not. */
static void the_window_slides(void **state)
{
	struct run slow = begin(), fast = begin();
	int i;

	(void)state;
	second(&slow, GUARD_WINDOW, 0, 0, 0);
	second(&fast, GUARD_WINDOW, 0, 0, 0);
	for (i = 0; i < 100; i++)
		assert_int_equal(second(&slow, GUARD_WINDOW, 10, 1, 1), 0);
	for (i = 0; i < 9; i++)
		assert_int_equal(second(&fast, GUARD_WINDOW, 10, 2, 1), 0);
	assert_int_equal(second(&fast, GUARD_WINDOW, 10, 2, 1), WINDOW_BIT);
}

static uint64_t seconds_until_armed(struct run *run, uint32_t drops)
{
	uint64_t seconds = 0;

	while (run->relaxed && seconds < 200000) {
		second(run, GUARD_WINDOW, 100, seconds < 5 ? drops : 0, 0);
		seconds++;
	}
	return seconds;
}

static void calm_arms_it_again_after_twice_as_long_each_time(void **state)
{
	struct run run = begin();
	uint64_t want = REARM_MS / 1000;
	int i;

	(void)state;
	second(&run, GUARD_WINDOW, 0, 0, 0);
	for (i = 0; i < 10; i++) {
		/* Not from what was seen before it was armed. */
		assert_int_equal(second(&run, GUARD_WINDOW, 100, 0, 0), 0);
		assert_int_equal(second(&run, GUARD_WINDOW, 100, 20, 3), WINDOW_BIT);
		assert_int_equal(run.change[0].wait_ms, want * 1000);
		/* The drops of the moment it tripped stay in the window for ten seconds. */
		assert_in_range(seconds_until_armed(&run, 0), want, want + 11);
		assert_false(run.change[0].relaxed);
		want = want * 2 > 86400 ? 86400 : want * 2;
	}
}

static void it_is_not_calm_while_verdicts_would_hit(void **state)
{
	struct run run = begin();

	(void)state;
	second(&run, GUARD_WINDOW, 0, 0, 0);
	second(&run, GUARD_WINDOW, 100, 20, 3);
	assert_int_equal(run.relaxed, WINDOW_BIT);
	assert_in_range(seconds_until_armed(&run, 20), REARM_MS / 1000 + 5, REARM_MS / 1000 + 20);
}

static void what_an_earlier_daemon_stepped_back_is_armed_after_calm(void **state)
{
	struct run run = begin();

	(void)state;
	run.relaxed = WINDOW_BIT;
	assert_int_equal(second(&run, GUARD_WINDOW, 100, 0, 0), WINDOW_BIT);
	assert_in_range(seconds_until_armed(&run, 0), REARM_MS / 1000, REARM_MS / 1000 + 1);
}

static void counters_that_begin_again_are_no_drops(void **state)
{
	struct run run = begin();

	(void)state;
	second(&run, GUARD_WINDOW, 0, 100, 0);
	run.sample.passed = 0;
	memset(run.sample.judged, 0, sizeof(run.sample.judged));
	memset(run.sample.dropped, 0, sizeof(run.sample.dropped));
	assert_int_equal(second(&run, GUARD_WINDOW, 0, 30, 30), 0);
	assert_int_equal(second(&run, GUARD_WINDOW, 0, 20, 3), WINDOW_BIT);
}

static void switched_off_it_steps_nothing_back_and_arms_at_once(void **state)
{
	struct config_guard off = limits;
	struct run run = begin();

	(void)state;
	off.enabled = 0;
	second(&run, GUARD_WINDOW, 0, 0, 0);
	run.sample.dropped[GUARD_WINDOW] = run.sample.judged[GUARD_WINDOW] = 1000;
	run.sample.flows[GUARD_WINDOW] = 1000;
	assert_int_equal(guard_step(&run.guard, &off, &run.sample, 0, run.change, &run.count), 0);
	assert_int_equal(guard_step(&run.guard, &off, &run.sample, WINDOW_BIT, run.change, &run.count), 0);
	assert_int_equal(run.count, 1);
}

/* Bits of other classes are not the guard's. */
static void other_bits_stay(void **state)
{
	struct run run = begin();

	(void)state;
	run.relaxed = 1U << TG_CLASS_SYN;
	second(&run, GUARD_WINDOW, 0, 0, 0);
	assert_int_equal(second(&run, GUARD_WINDOW, 0, 20, 3), 1U << TG_CLASS_SYN | WINDOW_BIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_limit_is_one_of_three),
		cmocka_unit_test(what_was_before_the_first_look_does_not_count),
		cmocka_unit_test(only_the_class_that_hit_is_stepped_back),
		cmocka_unit_test(the_window_slides),
		cmocka_unit_test(calm_arms_it_again_after_twice_as_long_each_time),
		cmocka_unit_test(it_is_not_calm_while_verdicts_would_hit),
		cmocka_unit_test(what_an_earlier_daemon_stepped_back_is_armed_after_calm),
		cmocka_unit_test(counters_that_begin_again_are_no_drops),
		cmocka_unit_test(switched_off_it_steps_nothing_back_and_arms_at_once),
		cmocka_unit_test(other_bits_stay),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
