/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one who sees nothing of a connection but knows its addresses and ports can do by segments with
 * forged sources: nothing that costs the connection a segment, or anybody else a place in the table.
 */
#include <string.h>

#include "tests/bpf/exchange.h"

#define C 10000000u /* the client's first byte */
#define S 20000000u /* the server's */
#define IPV4_MORE_FRAGMENTS 0x2000

static int setup_gateway(void **state)
{
	const struct guard_options options = { .all_ingress = true, .profile = TG_PROFILE_GATEWAY };

	*state = guard_open(&options);
	return 0;
}

/* Thirty segments each way, so that both have said enough to be taken for one half of a path. */
static void open_used(struct guard *guard)
{
	static const struct step opening[] = {
		{ CLIENT, SYN, .seq = C - 1, .wscale = WS(7), .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = S - 1, .ack = C, .wscale = WS(7), .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = C, .ack = S, .want = TG_PASS_OK },
	};
	struct step question = { CLIENT, PSH | ACK, .seq = C, .ack = S, .payload = 10, .want = TG_PASS_OK };
	struct step answer = { SERVER, PSH | ACK, .seq = S, .payload = 20, .want = TG_PASS_OK };
	uint32_t i;

	guard_advance_ms(guard, FORGET_MS);
	TALK(guard, opening);
	for (i = 0; i < 30; i++) {
		guard_say(guard, &question, i);
		question.seq += question.payload;
		answer.ack = question.seq;
		guard_say(guard, &answer, i);
		answer.seq += answer.payload;
		question.ack = answer.seq;
	}
}

/* The idle connection of open_used() speaks again. */
static const struct step goes_on[] = {
	{ CLIENT, PSH | ACK, .seq = C + 300, .ack = S + 600, .payload = 10, .want = TG_PASS_OK },
	{ SERVER, PSH | ACK, .seq = S + 600, .ack = C + 310, .payload = 20, .want = TG_PASS_OK },
	{ CLIENT, ACK, .seq = C + 310, .ack = S + 620, .want = TG_PASS_OK },
	{ SERVER, PSH | ACK, .seq = S + 620, .ack = C + 310, .payload = 20, .want = TG_PASS_OK,
	  STATES(ESTABLISHED, ESTABLISHED) },
};

/* An idle connection looks like one half of a path: silent for 30 s, and both have sent 20 packets. */
static void an_idle_connection_outlives_forged_segments(void **state)
{
	static const uint32_t far[] = { 1u << 24, 1u << 28, 1u << 30, 0x7fff0000u, 0x80010000u, 0xc0000000u };
	struct segment forged = { .flags = ACK, .payload = 1000 };
	size_t i, k;

	for (i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		for (k = 0; k < sizeof(far) / sizeof(far[0]); k++) {
			open_used(*state);
			guard_advance_ms(*state, 31000);
			forged.from = &guard_client;
			forged.to = &guard_server;
			forged.seq = C + 300 + far[i];
			forged.ack = S + 600 + far[k];
			guard_judge_segment(*state, &forged, false);
			forged.from = &guard_server;
			forged.to = &guard_client;
			forged.seq = S + 600 + far[i];
			forged.ack = C + 300 + far[k];
			guard_judge_segment(*state, &forged, false);
			TALK(*state, goes_on);
		}
	}
}

/* One forged fragment must not buy loose bounds for all that follows. */
static void a_forged_fragment_loosens_no_bounds(void **state)
{
	static const struct step still_exact[] = {
		{ CLIENT, ACK, .seq = C + 300, .ack = S + 601, .want = TG_DROP_ACK_ABOVE },
		{ SERVER, ACK, .seq = S + 600, .ack = C + 301, .want = TG_DROP_ACK_ABOVE },
	};
	struct segment forged = { .flags = ACK, .payload = 1000, .fragment = IPV4_MORE_FRAGMENTS };
	static const uint32_t far[] = { 1u << 28, 0x7fff0000u, 0x80010000u, 0xc0000000u };
	size_t i;

	for (i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		open_used(*state);
		forged.from = &guard_client;
		forged.to = &guard_server;
		forged.seq = C + 300 + far[i];
		forged.ack = S + 600;
		guard_judge_segment(*state, &forged, false);
		forged.seq = C + 300;
		forged.ack = S + 600 + far[i];
		guard_judge_segment(*state, &forged, false);
		forged.from = &guard_server;
		forged.to = &guard_client;
		forged.seq = S + 600 + far[i];
		forged.ack = C + 300;
		guard_judge_segment(*state, &forged, false);
		TALK(*state, still_exact);
		TALK(*state, goes_on);
	}
}

/* SYN, SYN-ACK and ACK, all from outside, of a connection that the host knows nothing of. */
static void forge_handshake(struct guard *guard, uint32_t number)
{
	struct endpoint stranger = { { 198, 51, (uint8_t)(number >> 8), (uint8_t)number }, 1024 };
	struct segment syn = { BETWEEN(&stranger, &guard_server), .flags = SYN, .seq = C - 1 };
	struct segment answer = { BETWEEN(&guard_server, &stranger), .flags = SYN | ACK, .seq = S - 1, .ack = C };
	struct segment ack = { BETWEEN(&stranger, &guard_server), .flags = ACK, .seq = C, .ack = S };
	uint8_t frame[FRAME_MAX];

	guard_run(guard, frame, frame_build(frame, &syn), false);
	guard_run(guard, frame, frame_build(frame, &answer), false);
	guard_run(guard, frame, frame_build(frame, &ack), false);
}

static int setup_small_host(void **state)
{
	const struct guard_options options = { .max_flows = 64 };

	*state = guard_open(&options);
	return 0;
}

/* The host never sent those SYN-ACKs: what they made is worth no more than a handshake. */
static void forged_handshakes_fill_no_table(void **state)
{
	uint32_t i;

	for (i = 0; i < 4096; i++)
		forge_handshake(*state, i);
	guard_advance_ms(*state, 2000);
	guard_handshake(*state);
	assert_int_equal(guard_phase(*state), TG_PHASE_ESTABLISHED);
	for (i = 4096; i < 8192; i++)
		forge_handshake(*state, i);
	assert_non_null(guard_slot(*state));
	assert_int_equal(guard_phase(*state), TG_PHASE_ESTABLISHED);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, guard_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_idle_connection_outlives_forged_segments, setup_gateway),
		TEST(a_forged_fragment_loosens_no_bounds, setup_gateway),
		TEST(forged_handshakes_fill_no_table, setup_small_host),
	};

	return cmocka_run_group_tests_name("forgeries", tests, NULL, NULL);
}
