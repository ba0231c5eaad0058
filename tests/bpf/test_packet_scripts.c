/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conversations that connection trackers once got wrong, segment by segment as the packet scripts
 * of netfilter's own tests have them (each test says which).  Between two endpoints, so that a drop
 * of either direction would be one.
 */
#include "tests/bpf/exchange.h"

#define STALE 145824453u /* the server's number in its old connection */
#define STALE_ACK 643160523u

/* conntrack_ack_loss_stall.pkt: all ACKs were lost, the first segment comes again 67160 bytes later. */
static void ack_loss_stall_of_a_whole_window_passes(void **state)
{
	static const struct step opening[] = {
		{ CLIENT, SYN, .seq = 1000, .window = 32792, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK },
	};
	struct step data = { CLIENT, PSH | ACK, .seq = 1001, .ack = 5001, .payload = 1460, .window = 257,
			     .want = TG_PASS_OK };
	struct step ack = { SERVER, ACK, .seq = 5001, .want = TG_PASS_OK };
	const struct step stalled[] = {
		{ CLIENT, PSH | ACK, .seq = 1001, .ack = 5001, .payload = 1460, .window = 257,
		  .want = TG_NOUPD_SEQ_OLD },
		{ SERVER, ACK, .seq = 5001, .ack = 1001 + 67160, .want = TG_PASS_OK },
		{ CLIENT, PSH | ACK, .seq = 1001 + 67160, .ack = 5001, .payload = 1460, .window = 257,
		  .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};
	size_t i;

	TALK(*state, opening);
	for (i = 0; i < 46; i++) {
		guard_say(*state, &data, i);
		data.seq += data.payload;
		ack.ack = data.seq;
		guard_say(*state, &ack, i);
	}
	TALK(*state, stalled);
}

/* conntrack_inexact_rst.pkt: closed with unread data after the peer's FIN; the peer knows it no more. */
static void inexact_rst_after_close_wait_passes(void **state)
{
	static const struct step story[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = 5001, .ack = 1001, .payload = 1000, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = 6001, .ack = 1001, .payload = 1000, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = 7001, .ack = 1001, .payload = 1000, .want = TG_PASS_OK },
		{ CLIENT, PSH | ACK, .seq = 1001, .ack = 8001, .payload = 1000, .want = TG_PASS_OK },
		{ SERVER, FIN | ACK, .seq = 8001, .ack = 2001, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 2001, .ack = 8002, .want = TG_PASS_OK, STATES(CLOSE_WAIT, FIN_WAIT_2) },
	};
	static const struct step reset_first[] = {
		{ CLIENT, RST | ACK, .seq = 2001, .ack = 8002, .after_ms = 1000, .want = TG_PASS_RST_EXACT,
		  STATES(CLOSED, CLOSED) },
		{ SERVER, RST, .seq = 7001, .zero_window = true, .after_ms = 100, .want = TG_NOUPD_RST_LATE,
		  STATES(CLOSED, CLOSED) },
	};
	static const struct step spurious_first[] = {
		{ SERVER, RST, .seq = 7001, .zero_window = true, .want = TG_NOUPD_RST_CLOSING,
		  STATES(CLOSE_WAIT, FIN_WAIT_2) },
		{ CLIENT, RST | ACK, .seq = 2001, .ack = 8002, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
	};

	TALK(*state, story);
	TALK(*state, reset_first);
	guard_advance_ms(*state, FORGET_MS);
	TALK(*state, story);
	TALK(*state, spurious_first);
}

/* conntrack_synack_reuse.pkt: challenge ACK, its RST, the SYN again, and its SYN-ACK. */
static void syn_reuse_est_passes_from_challenge_to_synack(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = 1000, .window = 32792, .tsval = 1, .wscale = WS(7), .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .tsval = 100, .wscale = WS(8), .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .window = 257, .tsval = 1, .want = TG_PASS_OK },
		{ CLIENT, PSH | ACK, .seq = 1001, .ack = 5001, .payload = 100, .window = 257, .tsval = 2,
		  .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = 5001, .ack = 1101, .window = 256, .tsval = 110, .want = TG_PASS_OK },
		{ CLIENT, SYN, .seq = 3000, .window = 32792, .tsval = 233, .wscale = WS(7), .after_ms = 1000,
		  .want = TG_NOUPD_SYN_CHALLENGE, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1101, .window = 256, .tsval = 112, .want = TG_PASS_OK },
		{ CLIENT, RST, .seq = 1101, .window = 257, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ CLIENT, SYN, .seq = 3000, .window = 32792, .tsval = 233, .wscale = WS(0), .after_ms = 500,
		  .want = TG_PASS_TW_REUSE, STATES(SYN_SENT, LISTEN) },
		{ SERVER, SYN | ACK, .seq = 9000, .ack = 3001, .tsval = 900, .want = TG_PASS_SYNACK,
		  STATES(SYN_SENT, SYN_RECEIVED) },
	};

	TALK(*state, steps);
}

/* conntrack_synack_old.pkt: a SYN-ACK for an earlier SYN, then the SYN again and the right one. */
static void synack_stale_before_the_right_one_passes(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = 1000, .tsval = 1, .wscale = WS(8), .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = STALE, .ack = STALE_ACK, .window = 240, .tsval = 1, .wscale = WS(0),
		  .want = TG_NOUPD_SYNACK_BAD_ACK, STATES(SYN_SENT, LISTEN) },
		/* In the capture it was the server that sent this; it never arrived. */
		{ SERVER, RST | ACK, .seq = 1, .ack = 1, .want = TG_DROP_RST_SYN_SENT, STATES(SYN_SENT, LISTEN) },
		{ CLIENT, RST, .seq = STALE_ACK, .want = TG_NOUPD_RST_TO_CHALLENGE, STATES(SYN_SENT, LISTEN) },
		{ CLIENT, SYN, .seq = 1000, .tsval = 1015, .wscale = WS(8), .after_ms = 1000,
		  .want = TG_NOUPD_SYN_RETRANS },
		{ SERVER, SYN | ACK, .seq = STALE - 65535, .ack = 1001, .window = 250, .tsval = 1, .wscale = WS(0),
		  .want = TG_PASS_SYNACK },
		{ CLIENT, PSH | ACK, .seq = 1001, .ack = STALE - 65534, .payload = 1, .window = 256, .tsval = 1067,
		  .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, steps);
}

/* conntrack_syn_challenge_ack.pkt: the peer still has the connection that the client forgot. */
static void syn_challenge_from_an_older_connection_passes(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = 1000, .tsval = 1, .wscale = WS(8), .want = TG_PASS_NEW },
		{ SERVER, ACK, .seq = STALE, .ack = STALE_ACK, .window = 240, .tsval = 1,
		  .want = TG_NOUPD_CHALLENGE_ACK, STATES(SYN_SENT, LISTEN) },
		{ CLIENT, RST, .seq = STALE_ACK, .zero_window = true, .after_ms = 10,
		  .want = TG_NOUPD_RST_TO_CHALLENGE, STATES(SYN_SENT, LISTEN) },
		{ CLIENT, SYN, .seq = 1000, .tsval = 1, .wscale = WS(8), .after_ms = 20, .want = TG_NOUPD_SYN_RETRANS },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .window = 250, .tsval = 1, .wscale = WS(0),
		  .after_ms = 100, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .window = 256, .tsval = 1, .want = TG_PASS_OK,
		  STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, steps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_between, guard_teardown)
		TEST(ack_loss_stall_of_a_whole_window_passes),
		TEST(inexact_rst_after_close_wait_passes),
		TEST(syn_reuse_est_passes_from_challenge_to_synack),
		TEST(synack_stale_before_the_right_one_passes),
		TEST(syn_challenge_from_an_older_connection_passes),
	};

	return cmocka_run_group_tests_name("packet scripts", tests, NULL, NULL);
}
