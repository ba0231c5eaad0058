/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a destination counts as flooded, and when no longer: by all CPUs together, however many of them
 * its SYNs arrive on.
 */
#include <sched.h>
#include <unistd.h>

#include "tests/bpf/flooding.h"

static void a_destination_below_its_threshold_is_left_alone(void **state)
{
	flood(state)->start_pps = 100; /* ten in a window of 100 ms */
	flood(state)->action = TG_FLOOD_DEFER;
	assert_int_equal(flood_with(state, 0, 9, &web, TG_PASS_NEW), 9);
	guard_advance_ms(*state, 100);
	assert_int_equal(flood_with(state, 9, 9, &web, TG_PASS_NEW), 9);
}

static void protection_lasts_until_it_is_calm(void **state)
{
	flood(state)->start_pps = 100;
	flood(state)->stop_pps = 50;
	flood(state)->action = TG_FLOOD_DEFER;
	flood_with(state, 0, 20, &web, TG_DROP_SYN_DEFERRED);
	guard_advance_ms(*state, TG_FLOOD_CALM_MS - 1);
	/* Between the thresholds: goes on, from here. */
	assert_int_equal(flood_with(state, 100, 5, &web, TG_DROP_SYN_DEFERRED), 5);
	guard_advance_ms(*state, TG_FLOOD_CALM_MS - 1);
	assert_int_equal(flood_with(state, 200, 1, &web, TG_DROP_SYN_DEFERRED), 1);
	guard_advance_ms(*state, 1);
	assert_int_equal(flood_with(state, 300, 1, &web, TG_PASS_NEW), 1);
}

static void handshakes_that_are_not_finished_begin_protection(void **state)
{
	uint32_t i;

	flood(state)->half_open_start = 40;
	flood(state)->half_open_stop = 10;
	flood(state)->action = TG_FLOOD_DEFER;
	for (i = 0; i < 39; i++, guard_advance_ms(*state, 100))
		assert_int_equal(flood_with(state, i, 1, &web, TG_PASS_NEW), 1);
	assert_int_equal(flood_with(state, 39, 1, &web, TG_DROP_SYN_DEFERRED), 1);
	guard_advance_ms(*state, 9000); /* what is older than 8 s does not count */
	assert_int_equal(flood_with(state, 50, 1, &web, TG_PASS_NEW), 1);
}

static void finished_handshakes_do_not(void **state)
{
	struct endpoint client = { { 192, 0, 2, 1 }, 1000 };
	int i;

	flood(state)->half_open_start = 4;
	flood(state)->action = TG_FLOOD_DEFER;
	for (i = 0; i < 20; i++, client.port++)
		connect_from(state, &client);
}

static void a_rate_limit_lets_the_threshold_through(void **state)
{
	flood(state)->start_pps = 100;
	flood(state)->stop_pps = 25;
	flood(state)->action = TG_FLOOD_RATELIMIT;
	assert_int_equal(flood_with(state, 0, 50, &web, TG_PASS_NEW), 10);
	assert_int_equal(guard_count(*state, TG_DROP_SYN_FLOOD), 40);
	guard_advance_ms(*state, 100);
	assert_int_equal(flood_with(state, 50, 50, &web, TG_PASS_NEW), 10);
}

/* --- thresholds are of the machine ---------------------------------------------------------------- */

#define CPUS 2

static cpu_set_t everywhere;

static int begin(void **state)
{
	assert_int_equal(sched_getaffinity(0, sizeof(everywhere), &everywhere), 0);
	return guard_setup(state);
}

static int end(void **state)
{
	assert_int_equal(sched_setaffinity(0, sizeof(everywhere), &everywhere), 0);
	return guard_teardown(state);
}

/* From now on packets come by this one of those the process may use. */
static void move_to_cpu(uint32_t which)
{
	cpu_set_t one;
	int cpu;

	if (CPU_COUNT(&everywhere) < CPUS) {
		print_message("one CPU: nothing to share between two\n");
		skip();
	}
	for (cpu = 0; !CPU_ISSET(cpu, &everywhere) || which--; cpu++)
		;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
}

static void one_queue_does_not_meet_a_threshold_early(void **state)
{
	flood(state)->start_pps = 1000;
	flood(state)->stop_pps = 250;
	flood(state)->half_open_start = 1000;
	flood(state)->half_open_stop = 250;
	flood(state)->action = TG_FLOOD_DEFER;
	flood(state)->cpus = 8;
	assert_int_equal(flood_with(state, 0, 99, &web, TG_PASS_NEW), 99);
	assert_int_equal(flood_with(state, 99, 1, &web, TG_DROP_SYN_DEFERRED), 1);
}

/* What the other CPU has not told yet is less than a quarter of the lower threshold. */
static void several_queues_meet_it_together(void **state)
{
	uint32_t i, passed = 0;

	flood(state)->start_pps = 1000;
	flood(state)->stop_pps = 250;
	flood(state)->action = TG_FLOOD_DEFER;
	flood(state)->cpus = CPUS;
	for (i = 0; i < 120; i++) {
		move_to_cpu(i % CPUS);
		passed += flood_with(state, i, 1, &web, TG_PASS_NEW);
	}
	assert_in_range(passed, 99, 99 + 25 / 4);
}

static void handshakes_of_several_queues_count_together(void **state)
{
	uint32_t i, passed = 0;

	flood(state)->half_open_start = 100;
	flood(state)->half_open_stop = 25;
	flood(state)->action = TG_FLOOD_DEFER;
	flood(state)->cpus = CPUS;
	for (i = 0; i < 120; i++, guard_advance_ms(*state, 50)) {
		move_to_cpu(i % CPUS);
		passed += flood_with(state, i, 1, &web, TG_PASS_NEW);
	}
	assert_in_range(passed, 99, 99 + 25 / 4);
}

/* Steering may change between a SYN and the third segment. */
static void a_handshake_finished_on_another_cpu_is_finished(void **state)
{
	struct endpoint client = { { 192, 0, 2, 1 }, 1000 };
	struct segment ack = { .from = &client, .to = &web, .flags = ACK, .seq = 1001, .ack = 5001 };
	struct segment syn_ack = { .from = &web, .to = &client, .flags = SYN | ACK, .seq = 5000, .ack = 1001 };
	int i;

	flood(state)->half_open_start = 8;
	flood(state)->half_open_stop = 4;
	flood(state)->action = TG_FLOOD_DEFER;
	flood(state)->cpus = CPUS;
	for (i = 0; i < 40; i++, client.port++) {
		struct segment first = { .from = &client, .to = &web, .flags = SYN, .seq = 1000 };

		move_to_cpu(0);
		EXPECT(*state, &first, false, TG_PASS_NEW);
		EXPECT(*state, &syn_ack, true, TG_PASS_SYNACK);
		move_to_cpu(1);
		EXPECT(*state, &ack, false, TG_PASS_OK);
	}
}

/* A threshold of 0 is never met, and what was counted before it was set is not held against anybody. */
static void what_is_not_watched_is_not_counted(void **state)
{
	flood(state)->half_open_start = 0;
	flood(state)->start_pps = 0;
	flood(state)->action = TG_FLOOD_DEFER;
	assert_int_equal(flood_with(state, 0, 500, &web, TG_PASS_NEW), 500);
	flood(state)->half_open_start = 10;
	flood(state)->half_open_stop = 2;
	assert_int_equal(flood_with(state, 500, 9, &web, TG_PASS_NEW), 9);
	assert_int_equal(flood_with(state, 509, 1, &web, TG_DROP_SYN_DEFERRED), 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(a_destination_below_its_threshold_is_left_alone),
		TEST(protection_lasts_until_it_is_calm),
		TEST(handshakes_that_are_not_finished_begin_protection),
		TEST(finished_handshakes_do_not),
		TEST(a_rate_limit_lets_the_threshold_through),
		TEST(one_queue_does_not_meet_a_threshold_early),
		TEST(several_queues_meet_it_together),
		TEST(handshakes_of_several_queues_count_together),
		TEST(a_handshake_finished_on_another_cpu_is_finished),
		TEST(what_is_not_watched_is_not_counted),
	};

	return cmocka_run_group_tests_name("syn_thresholds", tests, NULL, NULL);
}
