/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segments that are legitimate although the moment or the order they come in speaks against them: a
 * CPU that was stopped, a clock that wraps, an answer that another one was lost before.
 */
#include <string.h>

#include "tests/bpf/exchange.h"

#define C 10000000u /* the client's first byte */
#define S 20000000u /* the server's */
#define WRAP (1ULL << 32)

static int setup_gateway(void **state)
{
	const struct guard_options options = { .all_ingress = true, .profile = TG_PROFILE_GATEWAY };

	*state = guard_open(&options);
	return 0;
}

static int setup_strict(void **state)
{
	const struct guard_options options = { .strict = true };

	*state = guard_open(&options);
	return 0;
}

/* A virtual CPU was stopped between reading its clock and looking at the flow that others renewed. */
static void a_cpu_that_was_stopped_for_seconds_finds_its_flow(void **state)
{
	static const uint32_t stopped_ms[] = { 1, 999, 1000, 5000, 30000 };
	struct step data = { CLIENT, PSH | ACK, .seq = 1001, .ack = 5001, .payload = 10, .want = TG_PASS_OK };
	size_t i;

	guard_handshake(*state);
	for (i = 0; i < sizeof(stopped_ms) / sizeof(stopped_ms[0]); i++) {
		guard_slot(*state)->stamp_ms = (uint32_t)guard_now_ms(*state) + stopped_ms[i];
		guard_say(*state, &data, i);
		data.seq += data.payload;
	}
}

/* Five minutes after each boot the clock's lower half is 0: a new flow's limits must not seem used up. */
static void a_flow_opened_as_the_clock_wraps_has_its_limits(void **state)
{
	static const struct step syn = { CLIENT, SYN, .seq = C - 1, .want = TG_PASS_NEW };
	static const struct step again = { CLIENT, SYN, .seq = C - 1, .want = TG_NOUPD_SYN_RETRANS };
	uint64_t before_ms;
	uint32_t i;

	for (before_ms = 2500; before_ms; before_ms -= 50) {
		/* In between, so that the entry of the last time is not one of half a second ago. */
		guard_advance_ms(*state, FORGET_MS);
		guard_say(*state, &syn, before_ms);
		guard_advance_ms(*state, WRAP - guard_now_ms(*state) % WRAP - before_ms);
		guard_say(*state, &syn, before_ms);
		for (i = 0; i < 20; i++)
			guard_say(*state, &again, before_ms);
	}
}

/*
 * The SYN-ACK is lost behind us and its listener goes away: the client, still waiting, is refused by
 * an answer to its SYN, whose number is 0.
 */
static void a_refusal_after_a_lost_synack_passes(void **state)
{
	static const struct step opening[] = {
		{ CLIENT, SYN, .seq = C - 1, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = S - 1, .ack = C, .want = TG_PASS_SYNACK },
		{ CLIENT, SYN, .seq = C - 1, .after_ms = 1000, .want = TG_PASS_SYN_RETRANS },
		/* Any other acknowledgement the client would ignore. */
		{ SERVER, RST | ACK, .seq = 0, .ack = C + 1, .want = TG_DROP_RST_OLD },
		{ SERVER, RST | ACK, .seq = 0, .ack = C - 1, .want = TG_DROP_RST_OLD },
		{ SERVER, RST, .seq = 0, .ack = C, .want = TG_DROP_RST_OLD },
		{ SERVER, RST | ACK, .seq = 0, .ack = C, .want = TG_NOUPD_RST_INEXACT },
	};
	static const struct step had_not_lost_it[] = {
		{ CLIENT, ACK, .seq = C, .ack = S, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, RST | ACK, .seq = 0, .ack = C, .want = TG_DROP_RST_OLD, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, opening);
	TALK(*state, had_not_lost_it);
}

/*
 * A clock of microseconds wraps in 71 minutes: after a long silence its sign says nothing (RFC 7323
 * 5.5; Linux gives up after 2147 s, too).
 */
static void strict_doubts_no_timestamp_after_a_long_silence(void **state)
{
	static const struct step opening[] = {
		{ CLIENT, SYN, .seq = C - 1, .tsval = 4000000000u, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = S - 1, .ack = C, .tsval = 1000, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = C, .ack = S, .tsval = 4000000100u, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C, .ack = S, .tsval = 4000000200u, .payload = 10, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = S, .ack = C + 10, .tsval = 2000, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 10, .ack = S, .tsval = 3000000000u, .payload = 10, .want = TG_DROP_PAWS },
	};
	/* 2500 s, 2.5 * 10^9 microseconds later. */
	static const struct step later[] = {
		{ CLIENT, ACK, .seq = C + 10, .ack = S, .tsval = (uint32_t)(4000000200u + 2500000000u),
		  .payload = 10, .after_ms = 2500000, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = S, .ack = C + 20, .tsval = 3000, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 20, .ack = S, .tsval = (uint32_t)(4000000200u + 2500001000u),
		  .payload = 10, .after_ms = 1, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = S, .ack = C + 30, .tsval = 3001, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 30, .ack = S, .tsval = 1000000000u, .payload = 10, .want = TG_DROP_PAWS },
	};

	TALK(*state, opening);
	TALK(*state, later);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, guard_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_cpu_that_was_stopped_for_seconds_finds_its_flow, guard_setup),
		TEST(a_flow_opened_as_the_clock_wraps_has_its_limits, guard_setup),
		TEST(a_refusal_after_a_lost_synack_passes, setup_gateway),
		TEST(strict_doubts_no_timestamp_after_a_long_silence, setup_strict),
	};

	return cmocka_run_group_tests_name("second thoughts", tests, NULL, NULL);
}
