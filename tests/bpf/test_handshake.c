/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the first SYN to ESTABLISHED: every segment in SYN_SENT and SYN_RECEIVED, simultaneous open,
 * and what a handshake meets that is not in the textbook.
 */
#include "tests/bpf/exchange.h"

/* clang-format off */
#define OPENING { CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW, STATES(SYN_SENT, LISTEN) }
#define ANSWERED OPENING, { SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK, \
			    STATES(SYN_SENT, SYN_RECEIVED) }
/* clang-format on */

static void every_segment_in_syn_sent(void **state)
{
	static const struct step opening[] = { OPENING };
	static const struct step cells[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_NOUPD_SYN_RETRANS, STATES(SYN_SENT, LISTEN) },
		{ CLIENT, SYN, .seq = 3000, .want = TG_PASS_SYN_REINIT, STATES(SYN_SENT, LISTEN) },
		{ SERVER, SYN, .seq = 5000, .want = TG_PASS_SIMOPEN, STATES(SYN_RECEIVED, SYN_RECEIVED) },
		{ CLIENT, SYN | ACK, .seq = 1000, .ack = 5001, .want = TG_DROP_SYNACK_WRONG_DIR, STATES(SYN_SENT, LISTEN) },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK, STATES(SYN_SENT, SYN_RECEIVED) },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1000, .want = TG_NOUPD_SYNACK_BAD_ACK, STATES(SYN_SENT, LISTEN) },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1002, .want = TG_NOUPD_SYNACK_BAD_ACK, STATES(SYN_SENT, LISTEN) },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_DROP_ACK_BEFORE_SYNACK, STATES(SYN_SENT, LISTEN) },
		{ CLIENT, PSH | ACK, .seq = 1001, .ack = 5001, .payload = 9, .want = TG_DROP_ACK_BEFORE_SYNACK, STATES(SYN_SENT, LISTEN) },
		{ CLIENT, FIN | ACK, .seq = 1001, .ack = 5001, .want = TG_DROP_ACK_BEFORE_SYNACK, STATES(SYN_SENT, LISTEN) },
		{ SERVER, ACK, .seq = 5001, .ack = 1001, .want = TG_NOUPD_EARLY_SEG, STATES(SYN_SENT, LISTEN) },
		{ SERVER, PSH | ACK, .seq = 5001, .ack = 1001, .payload = 9, .want = TG_NOUPD_EARLY_SEG, STATES(SYN_SENT, LISTEN) },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1001, .want = TG_NOUPD_EARLY_SEG, STATES(SYN_SENT, LISTEN) },
		{ SERVER, ACK, .seq = 5001, .ack = 1000, .want = TG_NOUPD_CHALLENGE_ACK, STATES(SYN_SENT, LISTEN) },
		{ SERVER, ACK, .seq = 5001, .ack = 1002, .want = TG_NOUPD_CHALLENGE_ACK, STATES(SYN_SENT, LISTEN) },
		{ SERVER, PSH | ACK, .seq = 5001, .ack = 1000, .payload = 9, .want = TG_DROP_DATA_BEFORE_SYNACK, STATES(SYN_SENT, LISTEN) },
		{ SERVER, PSH | ACK, .seq = 5001, .ack = 1002, .payload = 9, .want = TG_DROP_DATA_BEFORE_SYNACK, STATES(SYN_SENT, LISTEN) },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1002, .want = TG_DROP_DATA_BEFORE_SYNACK, STATES(SYN_SENT, LISTEN) },
	};

	EACH_AFTER(*state, opening, cells);
}

static void every_segment_in_syn_recv(void **state)
{
	static const struct step opening[] = { ANSWERED };
	static const struct step cells[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_SYN_RETRANS, STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, SYN, .seq = 3000, .want = TG_NOUPD_SYN_NEW_ISN, STATES(SYN_SENT, SYN_RECEIVED) },
		{ SERVER, SYN, .seq = 5000, .want = TG_PASS_SYN_RETRANS, STATES(SYN_SENT, SYN_RECEIVED) },
		{ SERVER, SYN, .seq = 9000, .want = TG_NOUPD_SYN_NEW_ISN, STATES(SYN_SENT, SYN_RECEIVED) },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK, STATES(SYN_SENT, SYN_RECEIVED) },
		{ SERVER, SYN | ACK, .seq = 9000, .ack = 1001, .want = TG_PASS_SYNACK, STATES(SYN_SENT, SYN_RECEIVED) },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1000, .want = TG_NOUPD_SYNACK_UNEXPECTED, STATES(SYN_SENT, SYN_RECEIVED) },
		{ SERVER, SYN | ACK, .seq = 9000, .ack = 1002, .want = TG_NOUPD_SYNACK_UNEXPECTED, STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, SYN | ACK, .seq = 1000, .ack = 5002, .want = TG_NOUPD_SYNACK_UNEXPECTED, STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, SYN | ACK, .seq = 3000, .ack = 5001, .want = TG_NOUPD_SYNACK_UNEXPECTED, STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 1001, .ack = 5000, .want = TG_DROP_HS_BAD_ACK, STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, ACK, .seq = 1001, .ack = 5002, .want = TG_DROP_HS_BAD_ACK, STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, ACK, .seq = 66536, .ack = 5001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 66537, .ack = 5001, .want = TG_DROP_SEQ_ABOVE, STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, PSH | ACK, .seq = 1001, .ack = 5001, .payload = 9, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, PSH | ACK, .seq = 1001, .ack = 5002, .payload = 9, .want = TG_DROP_HS_BAD_ACK, STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, FIN | ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ CLIENT, FIN | ACK, .seq = 1001, .ack = 5000, .want = TG_DROP_HS_BAD_ACK, STATES(SYN_SENT, SYN_RECEIVED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1001, .want = TG_PASS_OK, STATES(SYN_SENT, SYN_RECEIVED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1002, .want = TG_DROP_ACK_ABOVE, STATES(SYN_SENT, SYN_RECEIVED) },
		{ SERVER, PSH | ACK, .seq = 5001, .ack = 1001, .payload = 1460, .want = TG_PASS_OK, STATES(SYN_SENT, SYN_RECEIVED) },
		{ SERVER, PSH | ACK, .seq = 70537, .ack = 1001, .payload = 9, .want = TG_DROP_SEQ_ABOVE, STATES(SYN_SENT, SYN_RECEIVED) },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1001, .want = TG_PASS_OK, STATES(SYN_SENT, SYN_RECEIVED) },
	};

	EACH_AFTER(*state, opening, cells);
}

static void a_fin_before_the_third_step_takes_effect_with_it(void **state)
{
	static const struct step opening[] = {
		ANSWERED,
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1001, .want = TG_PASS_OK },
	};
	static const struct step cells[] = {
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK, STATES(ESTABLISHED, FIN_WAIT_1) },
		{ CLIENT, ACK, .seq = 1001, .ack = 5002, .want = TG_PASS_OK, STATES(CLOSE_WAIT, FIN_WAIT_2) },
	};

	EACH_AFTER(*state, opening, cells);
}

static void simopen_synack_opens_both(void **state)
{
	static const struct step steps[] = {
		OPENING,
		{ SERVER, SYN, .seq = 5000, .want = TG_PASS_SIMOPEN, STATES(SYN_RECEIVED, SYN_RECEIVED) },
		{ CLIENT, SYN | ACK, .seq = 1000, .ack = 5001, .want = TG_PASS_SYNACK },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, SYN | ACK, .seq = 1000, .ack = 5001, .want = TG_NOUPD_SYNACK_RETRANS, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .payload = 9, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = 5001, .ack = 1010, .payload = 9, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, steps);
}

static void simopen_ack_opens_both(void **state)
{
	static const struct step steps[] = {
		OPENING,
		{ SERVER, SYN, .seq = 5000, .want = TG_PASS_SIMOPEN, STATES(SYN_RECEIVED, SYN_RECEIVED) },
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_SYN_RETRANS, STATES(SYN_RECEIVED, SYN_RECEIVED) },
		{ SERVER, SYN, .seq = 5000, .want = TG_PASS_SYN_RETRANS, STATES(SYN_RECEIVED, SYN_RECEIVED) },
		{ CLIENT, ACK, .seq = 1001, .ack = 5002, .want = TG_DROP_HS_BAD_ACK },
		{ SERVER, ACK, .seq = 5001, .ack = 1002, .want = TG_DROP_HS_BAD_ACK },
		{ CLIENT, SYN | ACK, .seq = 1000, .ack = 5002, .want = TG_NOUPD_SYNACK_UNEXPECTED },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = 5001, .ack = 1001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, steps);
}

static void early_seg_that_overtook_its_synack_is_acknowledged(void **state)
{
	static const struct step steps[] = {
		OPENING,
		{ SERVER, ACK, .seq = 5501, .ack = 1001, .payload = 500, .want = TG_NOUPD_EARLY_SEG },
		{ SERVER, ACK, .seq = 5001, .ack = 1001, .payload = 500, .want = TG_NOUPD_EARLY_SEG },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 6002, .want = TG_DROP_HS_BAD_ACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 6001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};
	static const struct step far[] = {
		OPENING,
		{ SERVER, ACK, .seq = 5001 + (1 << 20), .ack = 1001, .want = TG_NOUPD_EARLY_SEG },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
	};

	TALK(*state, steps);
	guard_advance_ms(*state, FORGET_MS);
	TALK(*state, far); /* further than a segment can be ahead: not believed */
	assert_int_equal(guard_half(*state, SERVER)->end, 5001);
}

static void syn_challenge_and_the_rst_it_provokes_pass(void **state)
{
	static const struct step steps[] = {
		OPENING,
		/* The server still has the connection that the client lost in a crash. */
		{ SERVER, ACK, .seq = 9000, .ack = 7777, .want = TG_NOUPD_CHALLENGE_ACK },
		{ CLIENT, RST, .seq = 7778, .want = TG_DROP_RST_SYN_SENT },
		{ CLIENT, RST, .seq = 7777, .want = TG_NOUPD_RST_TO_CHALLENGE, STATES(SYN_SENT, LISTEN) },
		{ CLIENT, SYN, .seq = 1000, .after_ms = 1000, .want = TG_NOUPD_SYN_RETRANS },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, steps);
}

static void synack_stale_and_the_rst_it_provokes_pass(void **state)
{
	static const struct step steps[] = {
		OPENING,
		{ SERVER, SYN | ACK, .seq = 9000, .ack = 7777, .want = TG_NOUPD_SYNACK_BAD_ACK, STATES(SYN_SENT, LISTEN) },
		{ CLIENT, RST, .seq = 7777, .want = TG_NOUPD_RST_TO_CHALLENGE, STATES(SYN_SENT, LISTEN) },
		{ CLIENT, SYN, .seq = 1000, .after_ms = 1000, .want = TG_NOUPD_SYN_RETRANS },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
		/* A late copy of the stale one, and the answer to it. */
		{ SERVER, SYN | ACK, .seq = 9000, .ack = 7777, .want = TG_NOUPD_SYNACK_UNEXPECTED },
		{ CLIENT, RST, .seq = 7777, .want = TG_NOUPD_RST_TO_CHALLENGE, STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, steps);
}

static void syn_new_isn_before_any_answer_begins_anew(void **state)
{
	static const struct step steps[] = {
		OPENING,
		{ CLIENT, SYN, .seq = 800000, .want = TG_PASS_SYN_REINIT, STATES(SYN_SENT, LISTEN) },
		/* The answer to the SYN before: the client resets the server's half-open connection. */
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_NOUPD_SYNACK_BAD_ACK },
		{ CLIENT, RST, .seq = 1001, .want = TG_NOUPD_RST_TO_CHALLENGE },
		{ SERVER, SYN | ACK, .seq = 6000, .ack = 800001, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 800001, .ack = 6001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, steps);
}

/* Forged, or an older one that came late: the opener takes the SYN-ACK that answers its own SYN. */
static void another_syn_before_the_answer_ends_no_handshake(void **state)
{
	static const struct step steps[] = {
		OPENING,
		{ CLIENT, SYN, .seq = 800000, .want = TG_PASS_SYN_REINIT },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_DROP_ACK_BEFORE_SYNACK },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_NOUPD_SYNACK_BAD_ACK },
		/* The server's challenge to the other SYN, RFC 9293 3.10.7.4. */
		{ SERVER, ACK, .seq = 5001, .ack = 1001, .want = TG_NOUPD_CHALLENGE_ACK },
		{ CLIENT, ACK, .seq = 1002, .ack = 5001, .want = TG_DROP_ACK_BEFORE_SYNACK, STATES(SYN_SENT, LISTEN) },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_PICKUP },
		{ CLIENT, PSH | ACK, .seq = 1001, .ack = 5001, .payload = 100, .want = TG_PASS_OK },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_NOUPD_SYNACK_RETRANS },
		{ SERVER, ACK, .seq = 5001, .ack = 1101, .payload = 100, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, steps);
}

static void syn_new_isn_after_the_synack_gets_through(void **state)
{
	static const struct step challenged[] = {
		ANSWERED,
		{ CLIENT, SYN, .seq = 800000, .want = TG_NOUPD_SYN_NEW_ISN },
		{ SERVER, ACK, .seq = 5001, .ack = 1001, .want = TG_PASS_OK },
		{ CLIENT, RST, .seq = 1001, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ CLIENT, SYN, .seq = 800000, .after_ms = 1000, .want = TG_PASS_TW_REUSE, STATES(SYN_SENT, LISTEN) },
		{ SERVER, SYN | ACK, .seq = 6000, .ack = 800001, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 800001, .ack = 6001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};
	static const struct step forgotten[] = {
		ANSWERED,
		{ CLIENT, SYN, .seq = 800000, .want = TG_NOUPD_SYN_NEW_ISN },
		{ SERVER, SYN | ACK, .seq = 6000, .ack = 800001, .want = TG_PASS_REOPEN, STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, ACK, .seq = 800001, .ack = 6001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, challenged);
	guard_advance_ms(*state, FORGET_MS);
	TALK(*state, forgotten);
}

static uint32_t next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

static void hs_guess_near_and_far_completes_nothing(void **state)
{
	static const struct step opening[] = { ANSWERED };
	static const struct step guesses[] = {
		{ CLIENT, ACK, .seq = 1001, .ack = 0, .want = TG_DROP_HS_BAD_ACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001 + 66000, .want = TG_DROP_HS_BAD_ACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001U - 66000, .want = TG_DROP_HS_BAD_ACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001 + 0x7fffffffU, .want = TG_DROP_HS_BAD_ACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001 + 0x80000000U, .want = TG_DROP_HS_BAD_ACK, STATES(SYN_SENT, SYN_RECEIVED) },
	};
	static const struct step right = { CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK,
					   STATES(ESTABLISHED, ESTABLISHED) };
	struct segment guess = { .from = &guard_client, .to = &guard_server, .flags = ACK, .seq = 1001 };
	uint64_t before = guard_count(*state, TG_DROP_HS_BAD_ACK);
	uint8_t frame[FRAME_MAX];
	uint32_t x = 1, i;

	TALK(*state, opening);
	TALK(*state, guesses);
	for (i = 0; i < 20000; i++) {
		guess.ack = next_random(&x) == 5001 ? 1 : x;
		guard_run(*state, frame, frame_build(frame, &guess), false);
	}
	assert_int_equal(guard_count(*state, TG_DROP_HS_BAD_ACK) - before, 20000 + COUNT(guesses));
	guard_say(*state, &right, 1);
}

static void ack_lost_data_completes_the_handshake(void **state)
{
	static const struct step steps[] = {
		ANSWERED,
		{ CLIENT, PSH | ACK, .seq = 1001, .ack = 5001, .payload = 300, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_NOUPD_SYNACK_RETRANS },
		{ CLIENT, ACK, .seq = 1301, .ack = 5001, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = 5001, .ack = 1301, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, steps);
}

static void fin_third_completes_the_handshake(void **state)
{
	static const struct step steps[] = {
		ANSWERED,
		{ CLIENT, FIN | ACK, .seq = 1001, .ack = 5001, .payload = 20, .want = TG_PASS_OK, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1022, .want = TG_PASS_OK, STATES(FIN_WAIT_2, CLOSE_WAIT) },
	};

	TALK(*state, steps);
}

static void the_client_may_answer_either_of_two_synacks(void **state)
{
	static const struct step opening[] = {
		ANSWERED,
		{ SERVER, SYN | ACK, .seq = 900000, .ack = 1001, .want = TG_PASS_SYNACK, STATES(SYN_SENT, SYN_RECEIVED) },
	};
	static const struct step cells[] = {
		{ CLIENT, ACK, .seq = 1001, .ack = 900001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_PICKUP, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 1001, .ack = 5002, .want = TG_DROP_HS_BAD_ACK, STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, ACK, .seq = 1001, .ack = 5000, .want = TG_DROP_HS_BAD_ACK, STATES(SYN_SENT, SYN_RECEIVED) },
	};
	static const struct step first[] = {
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_PICKUP },
		{ CLIENT, PSH | ACK, .seq = 1001, .ack = 5001, .payload = 100, .want = TG_PASS_OK },
		{ SERVER, PSH | ACK, .seq = 5001, .ack = 1101, .payload = 1460, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1101, .ack = 6461, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	EACH_AFTER(*state, opening, cells);
	guard_advance_ms(*state, FORGET_MS);
	TALK(*state, opening);
	TALK(*state, first);
}

static void a_synack_sent_again_raises_what_it_says(void **state)
{
	static const struct step steps[] = {
		ANSWERED,
		/* The answer to the Fast Open request is in it this time. */
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .payload = 100, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5101, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, steps);
}

static void handshake_segments_sent_again_count_as_retransmissions(void **state)
{
	static const struct step steps[] = {
		ANSWERED,
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_SYN_RETRANS },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
	};

	TALK(*state, steps);
	assert_int_equal(guard_half_count(*state, CLIENT)->retrans, 1);
	assert_int_equal(guard_half_count(*state, SERVER)->retrans, 1);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, guard_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_segment_in_syn_sent, setup_between),
		TEST(every_segment_in_syn_recv, setup_between),
		TEST(a_fin_before_the_third_step_takes_effect_with_it, setup_between),
		TEST(simopen_synack_opens_both, guard_setup),
		TEST(simopen_ack_opens_both, guard_setup),
		TEST(early_seg_that_overtook_its_synack_is_acknowledged, guard_setup),
		TEST(syn_challenge_and_the_rst_it_provokes_pass, guard_setup),
		TEST(synack_stale_and_the_rst_it_provokes_pass, guard_setup),
		TEST(syn_new_isn_before_any_answer_begins_anew, guard_setup),
		TEST(another_syn_before_the_answer_ends_no_handshake, guard_setup),
		TEST(syn_new_isn_after_the_synack_gets_through, guard_setup),
		TEST(hs_guess_near_and_far_completes_nothing, guard_setup),
		TEST(ack_lost_data_completes_the_handshake, guard_setup),
		TEST(fin_third_completes_the_handshake, guard_setup),
		TEST(the_client_may_answer_either_of_two_synacks, setup_between),
		TEST(a_synack_sent_again_raises_what_it_says, guard_setup),
		TEST(handshake_segments_sent_again_count_as_retransmissions, guard_setup),
	};

	return cmocka_run_group_tests_name("handshake", tests, NULL, NULL);
}
