/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The textbook life of a connection, as both endpoints see it at every step, over IPv4 and IPv6:
 * the three-way handshake, data, four-way close, TIME_WAIT for 240 s with its delayed segments.
 */
#include "tests/bpf/harness.h"

static int open_ipv6(void **state)
{
	const struct guard_options options = { .ipv6 = true };

	*state = guard_open(&options);
	return 0;
}

static void shows_the_textbook_states(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = 1000, .wscale = WS(7), .want = TG_PASS_NEW, STATES(SYN_SENT, LISTEN) },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .wscale = WS(7), .want = TG_PASS_SYNACK,
		  STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .window = 512, .want = TG_PASS_OK,
		  STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, PSH | ACK, .seq = 1001, .ack = 5001, .payload = 100, .want = TG_PASS_OK,
		  STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1101, .want = TG_PASS_OK },
		{ CLIENT, FIN | ACK, .seq = 1101, .ack = 5001, .want = TG_PASS_OK,
		  STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1102, .want = TG_PASS_OK,
		  STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ SERVER, PSH | ACK, .seq = 5001, .ack = 1102, .payload = 1000, .want = TG_PASS_OK,
		  STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ CLIENT, ACK, .seq = 1102, .ack = 6001, .want = TG_PASS_OK,
		  STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ SERVER, FIN | ACK, .seq = 6001, .ack = 1102, .want = TG_PASS_OK,
		  STATES(FIN_WAIT_2, LAST_ACK) },
		{ CLIENT, ACK, .seq = 1102, .ack = 6002, .want = TG_PASS_OK, STATES(TIME_WAIT, CLOSED) },
	};

	TALK(*state, steps);
}

static void time_wait_lasts_240_s_and_delivers_delayed_segments(void **state)
{
	static const struct step close[] = {
		{ CLIENT, FIN | ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK },
		{ SERVER, PSH | ACK, .seq = 5001, .ack = 1002, .payload = 500, .want = TG_PASS_OK },
		{ SERVER, FIN | ACK, .seq = 5501, .ack = 1002, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1002, .ack = 5502, .want = TG_PASS_OK, STATES(TIME_WAIT, CLOSED) },
		/* Delayed beyond the FIN, delivered to the end. */
		{ SERVER, PSH | ACK, .seq = 5001, .ack = 1002, .payload = 500, .after_ms = 120000,
		  .want = TG_PASS_TW_STRAY },
		{ CLIENT, ACK, .seq = 1002, .ack = 5502, .after_ms = 119999, .want = TG_PASS_TW_ACK,
		  STATES(TIME_WAIT, CLOSED) },
		/* A stray segment does not prolong it. */
		{ CLIENT, ACK, .seq = 1002, .ack = 5502, .after_ms = 2, .want = TG_DROP_NO_FLOW,
		  STATES(CLOSED, CLOSED) },
	};

	guard_handshake(*state);
	TALK(*state, close);
	assert_null(guard_slot(*state));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, guard_setup, guard_teardown)
#define TEST6(function) \
	{ \
		.name = #function "_over_ipv6", .test_func = (function), .setup_func = open_ipv6, \
		.teardown_func = guard_teardown \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(shows_the_textbook_states),
		TEST6(shows_the_textbook_states),
		TEST(time_wait_lasts_240_s_and_delivers_delayed_segments),
		TEST6(time_wait_lasts_240_s_and_delivers_delayed_segments),
	};

	return cmocka_run_group_tests_name("life cycle", tests, NULL, NULL);
}
