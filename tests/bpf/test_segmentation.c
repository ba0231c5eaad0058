/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same bytes cut differently: super-packets as generic XDP and TC see them, and what was sent
 * in one piece sent again in several, or the other way round.
 */
#include "tests/bpf/harness.h"

#define C 10000000u /* the client's first byte */
#define S 20000000u /* the server's */

/* wscale as in struct segment; windows of 65535 unless told otherwise. */
static void open_scaled(struct guard *guard, int wscale, uint16_t window)
{
	const struct step steps[] = {
		{ CLIENT, SYN, .seq = C - 1, .wscale = wscale, .window = window, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = S - 1, .ack = C, .wscale = wscale, .window = window,
		  .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = C, .ack = S, .window = window, .want = TG_PASS_OK },
	};

	TALK(guard, steps);
}

/* Trap 3: 64000 bytes at +0, then at +30000: old and new in one buffer, counted as wire segments. */
static void gso_overlap_counts_as_wire_segments(void **state)
{
	struct segment big = { FROM_SERVER, .flags = ACK, .seq = S, .ack = C, .payload = 64000,
			       .headers_only = true };
	uint8_t frame[FRAME_MAX];
	uint32_t before;

	open_scaled(*state, WS(7), 65535);
	before = guard_half_count(*state, SERVER)->packets;
	SAME(guard_judge_skb(*state, frame, frame_build(frame, &big), 0, 45).verdict, TG_PASS_OK);
	assert_int_equal(guard_half(*state, SERVER)->end, S + 64000);
	big.seq = S + 30000;
	SAME(guard_judge_skb(*state, frame, frame_build(frame, &big), 0, 45).verdict, TG_PASS_OK);
	assert_int_equal(guard_half(*state, SERVER)->end, S + 94000);
	assert_int_equal(guard_half_count(*state, SERVER)->packets - before, 90);
	assert_int_equal(guard_half_count(*state, SERVER)->retrans, 1);
	assert_int_equal(guard_half_count(*state, SERVER)->bytes, 128000);
	big.seq = S;
	SAME(guard_judge_skb(*state, frame, frame_build(frame, &big), 0, 1).verdict, TG_PASS_RETRANS);
}

/* The same at ingress, in the other direction: generic XDP sees what the sender's stack made. */
static void gso_overlap_at_ingress_passes(void **state)
{
	static const struct step steps[] = {
		{ SERVER, ACK, .seq = S, .ack = C, .want = TG_PASS_OK }, /* the first scaled window: 8 MiB */
		{ CLIENT, ACK, .seq = C, .ack = S, .payload = 64000, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 30000, .ack = S, .payload = 64000, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = S, .ack = C + 94000, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 30000, .ack = S, .payload = 64000, .want = TG_PASS_RETRANS },
	};

	open_scaled(*state, WS(7), 65535);
	TALK(*state, steps);
	assert_int_equal(guard_half(*state, CLIENT)->end, C + 94000);
}

/* A super-packet may straddle the granted edge: its segments inside it are good. */
static void a_super_packet_may_straddle_the_edge(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = C + 400, .ack = S, .payload = 65160, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = S, .ack = C, .sack_from = C + 400, .sack_to = C + 500, .window = 500,
		  .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = S, .ack = C + 65560, .window = 500, .want = TG_PASS_OK },
	};

	open_scaled(*state, 0, 500);
	TALK(*state, steps);
}

/* The path's MTU became smaller: the same bytes again in pieces of 536, and then in one again. */
static void resegment_smaller_and_larger_loses_nothing(void **state)
{
	static const struct step sent[] = {
		{ CLIENT, ACK, .seq = C, .ack = S, .payload = 1460, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 1460, .ack = S, .payload = 1460, .want = TG_PASS_OK },
	};
	static const struct step joined[] = {
		{ CLIENT, ACK, .seq = C, .ack = S, .payload = 2920, .want = TG_PASS_RETRANS },
		/* The last piece again, and the first new bytes behind it. */
		{ CLIENT, ACK, .seq = C + 2680, .ack = S, .payload = 536, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = S, .ack = C + 3216, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};
	struct step piece = { CLIENT, ACK, .ack = S, .payload = 536, .want = TG_PASS_RETRANS };
	struct step ack = { SERVER, ACK, .seq = S, .want = TG_PASS_OK };
	uint32_t at;

	open_scaled(*state, 0, 65535);
	TALK(*state, sent);
	for (at = 0; at < 2680; at += 536) {
		piece.seq = C + at;
		ack.ack = C + at + 536;
		guard_say(*state, &piece, at);
		if (at < 1072)
			guard_say(*state, &ack, at);
	}
	TALK(*state, joined);
	assert_int_equal(guard_half(*state, CLIENT)->end, C + 3216);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, guard_setup, guard_teardown)
		TEST(gso_overlap_counts_as_wire_segments),
		TEST(gso_overlap_at_ingress_passes),
		TEST(a_super_packet_may_straddle_the_edge),
		TEST(resegment_smaller_and_larger_loses_nothing),
	};

	return cmocka_run_group_tests_name("segmentation", tests, NULL, NULL);
}
