/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SYNs of unknown connections: what one source may send, when a destination counts as flooded, what
 * happens to its SYNs then, and that nobody else notices.
 */
#include <string.h>

#include "tests/bpf/flooding.h"

/* --- limits per source -------------------------------------------------------------------------- */

static void a_source_may_send_its_burst_and_then_its_rate(void **state)
{
	struct endpoint source = { { 192, 0, 2, 1 }, 1000 };
	int i;

	flood(state)->source_pps = 10;
	flood(state)->source_burst = 5;
	for (i = 0; i < 5; i++, source.port++)
		SAME(syn(state, &source, &web), TG_PASS_NEW);
	SAME(syn(state, &source, &web), TG_DROP_SOURCE_SYN_RATE);
	guard_advance_ms(*state, 99);
	SAME(syn(state, &source, &web), TG_DROP_SOURCE_SYN_RATE);
	guard_advance_ms(*state, 1);
	SAME(syn(state, &source, &web), TG_PASS_NEW);
	SAME(syn(state, &(struct endpoint){ { 192, 0, 2, 1 }, 9 }, &mail), TG_DROP_SOURCE_SYN_RATE);
}

static void another_source_is_not_concerned(void **state)
{
	struct endpoint loud = { { 192, 0, 2, 1 }, 1000 }, quiet = { { 192, 0, 2, 2 }, 1000 };
	int i;

	flood(state)->source_pps = 1;
	flood(state)->source_burst = 1;
	SAME(syn(state, &loud, &web), TG_PASS_NEW);
	for (i = 0; i < 50; i++, loud.port++)
		SAME(syn(state, &(struct endpoint){ { 192, 0, 2, 1 }, (uint16_t)(2000 + i) }, &web),
		     TG_DROP_SOURCE_SYN_RATE);
	SAME(syn(state, &quiet, &web), TG_PASS_NEW);
}

static void synflood_prefix_counts_as_one_source(void **state)
{
	flood(state)->source_pps = 1;
	flood(state)->source_burst = 1;
	flood(state)->source_prefix4 = 24;
	SAME(syn(state, &(struct endpoint){ { 192, 0, 2, 1 }, 1 }, &web), TG_PASS_NEW);
	SAME(syn(state, &(struct endpoint){ { 192, 0, 2, 254 }, 1 }, &web), TG_DROP_SOURCE_SYN_RATE);
	SAME(syn(state, &(struct endpoint){ { 192, 0, 3, 1 }, 1 }, &web), TG_PASS_NEW);
}

static enum tg_verdict syn6(void **state, uint8_t subnet, uint8_t host)
{
	struct endpoint from = guard_client6;
	struct segment segment = { .from = &from, .to = &guard_server6, .ipv6 = true, .flags = SYN };

	from.address[7] = subnet;
	from.address[15] = host;
	return guard_judge_segment(*state, &segment, false).verdict;
}

static void an_ipv6_source_is_its_64(void **state)
{
	flood(state)->source_pps = 1;
	flood(state)->source_burst = 1;
	SAME(syn6(state, 1, 10), TG_PASS_NEW);
	SAME(syn6(state, 1, 11), TG_DROP_SOURCE_SYN_RATE);
	SAME(syn6(state, 2, 10), TG_PASS_NEW);
}

/* Two hundred thousand spoofed sources a second push nobody out and do not lend their guilt. */
static void a_spoofed_flood_limits_no_honest_source(void **state)
{
	struct endpoint honest = { { 192, 0, 2, 1 }, 1000 };
	uint8_t frame[FRAME_MAX];
	uint32_t i, second;

	flood(state)->source_pps = 200;
	flood(state)->source_burst = 200;
	for (second = 0; second < 3; second++) {
		for (i = 0; i < 200000; i++) {
			struct endpoint from = stranger(second * 200000 + i);
			struct segment segment = { .from = &from, .to = &web, .flags = SYN };

			guard_run(*state, frame, frame_build(frame, &segment), false);
			if (i % 200 == 0)
				guard_advance_ms(*state, 1);
		}
		for (i = 0; i < 20; i++, honest.port++)
			if (syn(state, &honest, &web) == TG_DROP_SOURCE_SYN_RATE)
				fail_msg("SYN %u of the honest source was refused", i);
	}
	assert_int_equal(guard_count(*state, TG_DROP_SOURCE_SYN_RATE), 0);
}

static void established_flows_do_not_feel_the_limit(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, PSH | ACK, 1001, 5001, .payload = 100, .want = TG_PASS_OK },
		{ SERVER, ACK, 5001, 1101, .want = TG_PASS_OK },
	};

	guard_handshake(*state);
	flood(state)->source_pps = 1;
	flood(state)->source_burst = 1;
	SAME(syn(state, &(struct endpoint){ { 10, 0, 0, 1 }, 1 }, &web), TG_PASS_NEW);
	SAME(syn(state, &(struct endpoint){ { 10, 0, 0, 1 }, 2 }, &web), TG_DROP_SOURCE_SYN_RATE);
	TALK(*state, steps);
}

/* --- connections per source --------------------------------------------------------------------- */

static void conn_flood_of_one_source_ends_at_its_limit(void **state)
{
	struct endpoint source = { { 192, 0, 2, 1 }, 1000 };

	flood(state)->source_conns = 2;
	guard_settings(*state)->sources_counted_ms = guard_now_ms(*state); /* as the daemon says */
	connect_from(state, &source);
	source.port++;
	connect_from(state, &source);
	source.port++;
	SAME(syn(state, &source, &web), TG_DROP_SOURCE_CONNS);
	SAME(syn(state, &(struct endpoint){ { 192, 0, 2, 2 }, 1000 }, &web), TG_PASS_NEW);
}

static void a_count_that_is_old_limits_nothing(void **state)
{
	struct endpoint source = { { 192, 0, 2, 1 }, 1000 };

	flood(state)->source_conns = 1;
	guard_settings(*state)->sources_counted_ms = guard_now_ms(*state);
	connect_from(state, &source);
	source.port++;
	SAME(syn(state, &source, &web), TG_DROP_SOURCE_CONNS);
	guard_advance_ms(*state, TG_SOURCE_COUNT_VALID_MS + 1);
	SAME(syn(state, &source, &web), TG_PASS_NEW);
}

/* --- flooded destinations ------------------------------------------------------------------------- */

static void only_the_flooded_destination_is_protected(void **state)
{
	flood(state)->start_pps = 100;
	flood(state)->action = TG_FLOOD_DEFER;
	assert_int_equal(flood_with(state, 0, 9, &web, TG_PASS_NEW), 9);
	assert_int_equal(flood_with(state, 9, 20, &web, TG_DROP_SYN_DEFERRED), 20);
	assert_int_equal(flood_with(state, 29, 9, &mail, TG_PASS_NEW), 9);
}

static void a_client_that_sends_its_syn_again_gets_through(void **state)
{
	struct endpoint client = { { 192, 0, 2, 1 }, 1000 };

	flood(state)->start_pps = 100;
	flood(state)->action = TG_FLOOD_DEFER;
	flood_with(state, 0, 20, &web, TG_DROP_SYN_DEFERRED);
	SAME(syn(state, &client, &web), TG_DROP_SYN_DEFERRED);
	SAME(syn(state, &client, &web), TG_DROP_SYN_DEFERRED);
	guard_advance_ms(*state, 1000); /* RFC 6298 2.1 */
	SAME(syn(state, &client, &web), TG_PASS_NEW);
}

/* RFC 1122 began with three seconds, and some systems still do; then six. */
static void so_does_one_that_waits_for_three_or_six_seconds(void **state)
{
	struct endpoint client = { { 192, 0, 2, 1 }, 1000 };
	uint32_t wait_ms;

	flood(state)->start_pps = 100;
	flood(state)->action = TG_FLOOD_DEFER;
	for (wait_ms = 3000; wait_ms <= 6000; wait_ms += 3000, client.port++) {
		guard_advance_ms(*state, 1990 - guard_now_ms(*state) % 1000); /* near the end of a second */
		flood_with(state, wait_ms, 20, &web, TG_DROP_SYN_DEFERRED);
		SAME(syn(state, &client, &web), TG_DROP_SYN_DEFERRED);
		guard_advance_ms(*state, wait_ms + 20);
		flood_with(state, wait_ms + 100, 20, &web, TG_DROP_SYN_DEFERRED);
		SAME(syn(state, &client, &web), TG_PASS_NEW);
	}
}

/* A flood from one network meets the same sources again and again. */
static void another_syn_of_a_source_that_never_answered_does_not(void **state)
{
	struct endpoint source = { { 192, 0, 2, 1 }, 1000 };

	flood(state)->start_pps = 100;
	flood(state)->action = TG_FLOOD_DEFER;
	flood_with(state, 0, 20, &web, TG_DROP_SYN_DEFERRED);
	SAME(syn(state, &source, &web), TG_DROP_SYN_DEFERRED);
	guard_advance_ms(*state, 1000);
	source.port++;
	SAME(syn(state, &source, &web), TG_DROP_SYN_DEFERRED);
}

static void who_finished_a_handshake_lately_is_not_deferred(void **state)
{
	struct endpoint client = { { 192, 0, 2, 1 }, 1000 };

	connect_from(state, &client);
	guard_advance_ms(*state, 1000);
	flood(state)->start_pps = 100;
	flood(state)->action = TG_FLOOD_DEFER;
	flood_with(state, 0, 20, &web, TG_DROP_SYN_DEFERRED);
	client.port++;
	SAME(syn(state, &client, &web), TG_PASS_NEW);
}

/* Their clock begins five minutes before it wraps; 0 is a cell that was never used. */
static void a_fresh_source_is_not_limited_when_the_clock_of_the_cells_wraps(void **state)
{
	struct endpoint source = { { 192, 0, 2, 1 }, 1000 };
	uint64_t wrap_ms = (1ULL << 32) / TG_SOURCE_UNITS_PER_MS;

	flood(state)->source_pps = 1;
	flood(state)->source_burst = 50;
	guard_advance_ms(*state, 2 * wrap_ms - guard_now_ms(*state) % wrap_ms - 49500);
	SAME(syn(state, &source, &web), TG_PASS_NEW);
}

/* Without a way to answer (profile gateway, older kernels) challenge means defer. */
static void a_challenge_that_cannot_be_sent_defers(void **state)
{
	flood(state)->start_pps = 100;
	flood(state)->action = TG_FLOOD_CHALLENGE;
	flood_with(state, 0, 9, &web, TG_PASS_NEW);
	assert_int_equal(flood_with(state, 9, 5, &web, TG_DROP_SYN_DEFERRED), 5);
}

static void monitor_mode_lets_the_flood_pass_and_follows_it(void **state)
{
	struct endpoint client = { { 192, 0, 2, 1 }, 1000 };
	struct judgement got;
	struct segment segment = { .from = &client, .to = &web, .flags = SYN, .seq = 1000 };
	struct segment synack = { .from = &web, .to = &client, .flags = SYN | ACK, .seq = 1, .ack = 1001 };

	guard_settings(*state)->config[0].iface[0].mode = TG_MODE_MONITOR;
	flood(state)->start_pps = 100;
	flood(state)->action = TG_FLOOD_DEFER;
	flood_with(state, 0, 20, &web, TG_DROP_SYN_DEFERRED);
	got = guard_judge_segment(*state, &segment, false);
	SAME(got.verdict, TG_DROP_SYN_DEFERRED);
	assert_int_equal(got.outcome, TG_OUTCOME_WOULD_DROP);
	assert_false(got.dropped);
	EXPECT(*state, &synack, true, TG_PASS_SYNACK);
}

/* Every SYN finds room; what is no longer in the table has been displaced, and was counted. */
static void displaced_handshakes_are_counted(void **state)
{
	assert_int_equal(flood_with(state, 0, 4096, &web, TG_PASS_NEW), 4096);
	assert_true(guard_flows(*state) < 4096);
	assert_int_equal(guard_tally(*state, TG_TALLY_FLOW_EVICTED), 4096 - guard_flows(*state));
}

static void our_own_syns_are_not_limited(void **state)
{
	struct endpoint us = { { 10, 0, 0, 2 }, 40000 }, them = { { 192, 0, 2, 1 }, 443 };
	int i;

	flood(state)->start_pps = 10;
	flood(state)->action = TG_FLOOD_RATELIMIT;
	flood(state)->source_pps = 1;
	flood(state)->source_burst = 1;
	for (i = 0; i < 20; i++, us.port++) {
		struct segment segment = { .from = &us, .to = &them, .flags = SYN };

		EXPECT(*state, &segment, true, TG_PASS_NEW);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, guard_setup, guard_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_source_may_send_its_burst_and_then_its_rate),
		TEST(another_source_is_not_concerned),
		TEST(synflood_prefix_counts_as_one_source),
		TEST(an_ipv6_source_is_its_64),
		TEST(a_spoofed_flood_limits_no_honest_source),
		TEST(established_flows_do_not_feel_the_limit),
		TEST(conn_flood_of_one_source_ends_at_its_limit),
		TEST(a_count_that_is_old_limits_nothing),
		TEST(only_the_flooded_destination_is_protected),
		TEST(a_client_that_sends_its_syn_again_gets_through),
		TEST(so_does_one_that_waits_for_three_or_six_seconds),
		TEST(another_syn_of_a_source_that_never_answered_does_not),
		TEST(who_finished_a_handshake_lately_is_not_deferred),
		TEST(a_fresh_source_is_not_limited_when_the_clock_of_the_cells_wraps),
		TEST(a_challenge_that_cannot_be_sent_defers),
		TEST(monitor_mode_lets_the_flood_pass_and_follows_it),
		TEST(displaced_handshakes_are_counted),
		TEST(our_own_syns_are_not_limited),
	};

	return cmocka_run_group_tests_name("syn_protection", tests, NULL, NULL);
}
