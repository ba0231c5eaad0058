/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SYN and SYN-ACK on a connection that is open: the endpoint, not we, must answer.  They pass
 * without effect, unless a SYN-ACK proves that a SYN which had passed was taken.
 */
#include "tests/bpf/harness.h"

#define FORGET_MS (25ULL * 3600 * 1000) /* longer than any timeout */
#define NEW_ISN 900000000U

/* clang-format off */
#define OPENED \
	{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW }, \
	{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK }, \
	{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK }
#define FINISHED OPENED, { CLIENT, FIN | ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK }
#define FIN_ACKED FINISHED, { SERVER, ACK, .seq = 5001, .ack = 1002, .want = TG_PASS_OK }
#define BOTH_FINISHED FIN_ACKED, { SERVER, FIN | ACK, .seq = 5001, .ack = 1002, .want = TG_PASS_OK }
#define CROSSED FINISHED, { SERVER, FIN | ACK, .seq = 5001, .ack = 1001, .want = TG_PASS_OK }
/* clang-format on */

static const struct step established[] = { OPENED };
static const struct step half_closed[] = { FINISHED };
static const struct step close_wait[] = { FIN_ACKED };
static const struct step last_ack[] = { BOTH_FINISHED };
static const struct step crossing[] = { CROSSED };

static const struct {
	const struct step *steps;
	size_t count;
	enum tg_tcp_state client, server;
} live[] = {
	{ established, COUNT(established), TG_TCP_ESTABLISHED, TG_TCP_ESTABLISHED },
	{ half_closed, COUNT(half_closed), TG_TCP_FIN_WAIT_1, TG_TCP_ESTABLISHED },
	{ close_wait, COUNT(close_wait), TG_TCP_FIN_WAIT_2, TG_TCP_CLOSE_WAIT },
	{ last_ack, COUNT(last_ack), TG_TCP_FIN_WAIT_2, TG_TCP_LAST_ACK },
	{ crossing, COUNT(crossing), TG_TCP_FIN_WAIT_1, TG_TCP_FIN_WAIT_1 },
};

static void a_syn_passes_and_changes_nothing_in_every_open_state(void **state)
{
	size_t i;

	for (i = 0; i < COUNT(live); i++) {
		struct step steps[] = {
			{ CLIENT, SYN, .seq = NEW_ISN, .want = TG_NOUPD_SYN_CHALLENGE, .states = true },
			{ SERVER, SYN, .seq = NEW_ISN, .want = TG_NOUPD_SYN_CHALLENGE, .states = true },
			{ CLIENT, SYN, .seq = 1002, .want = TG_NOUPD_SYN_CHALLENGE, .states = true },
			{ CLIENT, SYN, .seq = 1000, .want = TG_NOUPD_SYN_CHALLENGE, .states = true },
		};
		struct tg_half client, server;
		size_t k;

		guard_advance_ms(*state, FORGET_MS);
		guard_talk(*state, live[i].steps, live[i].count);
		client = *guard_half(*state, CLIENT);
		server = *guard_half(*state, SERVER);
		for (k = 0; k < COUNT(steps); k++) {
			steps[k].client = live[i].client;
			steps[k].server = live[i].server;
		}
		TALK(*state, steps);
		/* end, ack, right, maxwin */
		assert_memory_equal(guard_half(*state, CLIENT), &client, offsetof(struct tg_half, aux));
		assert_memory_equal(guard_half(*state, SERVER), &server, offsetof(struct tg_half, aux));
	}
}

static void reopen_by_a_synack_in_every_open_state(void **state)
{
	static const struct step reopening[] = {
		{ CLIENT, SYN, .seq = NEW_ISN, .want = TG_NOUPD_SYN_CHALLENGE },
		{ SERVER, SYN | ACK, .seq = 7000, .ack = NEW_ISN + 1, .want = TG_PASS_REOPEN, STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, ACK, .seq = NEW_ISN + 1, .ack = 7001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, PSH | ACK, .seq = NEW_ISN + 1, .ack = 7001, .payload = 100, .want = TG_PASS_OK },
		{ SERVER, PSH | ACK, .seq = 7001, .ack = NEW_ISN + 101, .payload = 100, .want = TG_PASS_OK },
		/* The connection before is over. */
		{ CLIENT, PSH | ACK, .seq = 1001, .ack = 5001, .payload = 100, .want = TG_DROP_SEQ_BELOW },
		{ CLIENT, RST, .seq = 1001, .want = TG_DROP_RST_OLD, STATES(ESTABLISHED, ESTABLISHED) },
	};
	size_t i;

	for (i = 0; i < COUNT(live); i++) {
		guard_advance_ms(*state, FORGET_MS);
		guard_talk(*state, live[i].steps, live[i].count);
		TALK(*state, reopening);
	}
}

static void the_server_may_open_anew_too(void **state)
{
	static const struct step steps[] = {
		OPENED,
		{ SERVER, SYN, .seq = NEW_ISN, .want = TG_NOUPD_SYN_CHALLENGE },
		{ CLIENT, SYN | ACK, .seq = 7000, .ack = NEW_ISN + 1, .want = TG_PASS_REOPEN, STATES(SYN_RECEIVED, SYN_SENT) },
		{ SERVER, ACK, .seq = NEW_ISN + 1, .ack = 7001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, steps);
}

/* Whose address it is does not change with the connection: until the opener speaks again, nobody else may for it. */
static void nobody_speaks_for_this_machine_after_it_opened_anew(void **state)
{
	static const struct step steps[] = {
		OPENED,
		{ SERVER, SYN, .seq = NEW_ISN, .want = TG_NOUPD_SYN_CHALLENGE },
		{ CLIENT, SYN | ACK, .seq = 7000, .ack = NEW_ISN + 1, .want = TG_PASS_REOPEN },
	};
	struct segment forged = { FROM_SERVER, .flags = RST, .seq = NEW_ISN + 1 };

	TALK(*state, steps);
	assert_int_equal(guard_judge_segment(*state, &forged, false).verdict, TG_NOUPD_SPOOFED);
}

static void a_new_connection_keeps_what_its_syn_said(void **state)
{
	static const struct step steps[] = {
		OPENED,
		{ CLIENT, SYN, .seq = NEW_ISN, .window = 1000, .wscale = WS(5), .want = TG_NOUPD_SYN_CHALLENGE },
		{ SERVER, SYN | ACK, .seq = 7000, .ack = NEW_ISN + 1, .window = 2000, .wscale = WS(3), .want = TG_PASS_REOPEN },
	};
	static const struct step acks[] = {
		{ CLIENT, ACK, .seq = NEW_ISN + 1, .ack = 7001, .window = 500, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = 7001, .ack = NEW_ISN + 1, .window = 500, .want = TG_PASS_OK },
	};

	TALK(*state, steps);
	assert_int_equal(guard_half(*state, CLIENT)->maxwin, 1000);
	assert_int_equal(guard_half(*state, SERVER)->right, NEW_ISN + 1 + 2000);
	TALK(*state, acks);
	assert_int_equal(guard_half(*state, CLIENT)->right, 7001 + (500 << 5));
	assert_int_equal(guard_half(*state, SERVER)->right, NEW_ISN + 1 + (500 << 3));
}

static void a_synack_must_acknowledge_the_pending_syn_exactly(void **state)
{
	static const struct step steps[] = {
		OPENED,
		{ CLIENT, SYN, .seq = NEW_ISN - 500, .want = TG_NOUPD_SYN_CHALLENGE },
		{ CLIENT, SYN, .seq = NEW_ISN, .payload = 100, .want = TG_NOUPD_SYN_CHALLENGE },
		{ SERVER, SYN | ACK, .seq = 7000, .ack = NEW_ISN, .want = TG_NOUPD_SYNACK_UNEXPECTED },
		{ SERVER, SYN | ACK, .seq = 7000, .ack = NEW_ISN + 102, .want = TG_NOUPD_SYNACK_UNEXPECTED },
		{ SERVER, SYN | ACK, .seq = 7000, .ack = NEW_ISN - 499, .want = TG_NOUPD_SYNACK_UNEXPECTED },
		/* Not from the side that sent it. */
		{ CLIENT, SYN | ACK, .seq = 7000, .ack = NEW_ISN + 1, .want = TG_NOUPD_SYNACK_UNEXPECTED, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, SYN | ACK, .seq = 7000, .ack = NEW_ISN + 101, .want = TG_PASS_REOPEN, STATES(SYN_SENT, SYN_RECEIVED) },
	};

	TALK(*state, steps);
}

static void duplicates_of_the_handshake_do_not_open_anew(void **state)
{
	static const struct step plain[] = {
		OPENED,
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_NOUPD_SYNACK_RETRANS },
		{ CLIENT, SYN, .seq = 1000, .want = TG_NOUPD_SYN_CHALLENGE },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_NOUPD_SYNACK_RETRANS, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, PSH | ACK, .seq = 1001, .ack = 5001, .payload = 100, .want = TG_PASS_OK },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_NOUPD_SYNACK_RETRANS, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1101, .want = TG_PASS_OK },
	};
	static const struct step fast_open[] = {
		{ CLIENT, SYN, .seq = 1000, .payload = 100, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1101, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1101, .ack = 5001, .want = TG_PASS_OK },
		{ CLIENT, SYN, .seq = 1000, .payload = 100, .want = TG_NOUPD_SYN_CHALLENGE },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1101, .want = TG_NOUPD_SYNACK_RETRANS, STATES(ESTABLISHED, ESTABLISHED) },
	};
	static const struct step simultaneous[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW },
		{ SERVER, SYN, .seq = 5000, .want = TG_PASS_SIMOPEN },
		{ CLIENT, SYN | ACK, .seq = 1000, .ack = 5001, .want = TG_PASS_SYNACK },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
		{ SERVER, SYN, .seq = 5000, .want = TG_NOUPD_SYN_CHALLENGE },
		{ CLIENT, SYN, .seq = 1000, .want = TG_NOUPD_SYN_CHALLENGE },
		{ CLIENT, SYN | ACK, .seq = 1000, .ack = 5001, .want = TG_NOUPD_SYNACK_RETRANS },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_NOUPD_SYNACK_RETRANS, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, plain);
	guard_advance_ms(*state, FORGET_MS);
	TALK(*state, fast_open);
	guard_advance_ms(*state, FORGET_MS);
	TALK(*state, simultaneous);
}

/* The duplicate was held back on the way to the server, which had closed meanwhile. */
static void nor_does_the_answer_of_a_server_that_has_closed(void **state)
{
	static const struct step steps[] = {
		OPENED,
		{ CLIENT, SYN, .seq = 1000, .want = TG_NOUPD_SYN_CHALLENGE },
		{ CLIENT, FIN | ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1002, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1002, .ack = 5002, .want = TG_PASS_OK, STATES(TIME_WAIT, CLOSED) },
		{ SERVER, SYN | ACK, .seq = 7000, .ack = 1001, .want = TG_NOUPD_SYNACK_UNEXPECTED },
		{ CLIENT, ACK, .seq = 1002, .ack = 5002, .want = TG_PASS_TW_ACK },
		{ SERVER, RST, .seq = 5002, .want = TG_NOUPD_RST_LATE, STATES(TIME_WAIT, CLOSED) },
	};

	TALK(*state, steps);
}

/* Cookies switched on, or anycast: the client answered the second of two SYN-ACKs. */
static void nor_does_a_duplicate_of_another_synack(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
		{ SERVER, SYN | ACK, .seq = 900000, .ack = 1001, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 900001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, SYN, .seq = 1000, .want = TG_NOUPD_SYN_CHALLENGE },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_NOUPD_SYNACK_UNEXPECTED, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, PSH | ACK, .seq = 1001, .ack = 900001, .payload = 100, .want = TG_PASS_OK },
	};

	TALK(*state, steps);
}

static void ws_lie_of_a_synack_sent_again_is_ignored(void **state)
{
	static const struct step lie[] = {
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .wscale = WS(14), .want = TG_NOUPD_SYNACK_RETRANS },
	};

	guard_handshake(*state);
	TALK(*state, lie);
	assert_int_equal(tg_half_wscale(guard_half(*state, SERVER)), 7);
}

static void syn_reuse_est_gets_its_challenge_and_connects(void **state)
{
	static const struct step established_still[] = {
		OPENED,
		{ CLIENT, SYN, .seq = NEW_ISN, .want = TG_NOUPD_SYN_CHALLENGE },
		{ SERVER, ACK, .seq = 5001, .ack = 1001, .want = TG_PASS_OK },
		{ CLIENT, RST, .seq = 1001, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ CLIENT, SYN, .seq = NEW_ISN, .after_ms = 1000, .want = TG_PASS_TW_REUSE, STATES(SYN_SENT, LISTEN) },
		{ SERVER, SYN | ACK, .seq = 7000, .ack = NEW_ISN + 1, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = NEW_ISN + 1, .ack = 7001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};
	/* The last ACK was lost; the server is in LAST_ACK when the client uses the port again. */
	static const struct step last_ack_still[] = {
		BOTH_FINISHED,
		{ CLIENT, SYN, .seq = NEW_ISN, .want = TG_NOUPD_SYN_CHALLENGE },
		{ SERVER, ACK, .seq = 5002, .ack = 1002, .want = TG_PASS_OK, STATES(FIN_WAIT_2, LAST_ACK) },
		{ CLIENT, RST, .seq = 1002, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ CLIENT, SYN, .seq = NEW_ISN, .after_ms = 1000, .want = TG_PASS_TW_REUSE, STATES(SYN_SENT, LISTEN) },
	};

	TALK(*state, established_still);
	guard_advance_ms(*state, FORGET_MS);
	TALK(*state, last_ack_still);
}

static void twenty_syns_pass_then_ten_a_second(void **state)
{
	struct step syn = { CLIENT, SYN, .seq = NEW_ISN, .want = TG_NOUPD_SYN_CHALLENGE };
	struct step refused = { CLIENT, SYN, .seq = NEW_ISN, .want = TG_DROP_SYN_RATE };
	size_t i;

	guard_handshake(*state);
	for (i = 0; i < 20; i++)
		guard_say(*state, &syn, i);
	guard_say(*state, &refused, 20);
	refused.after_ms = 99;
	guard_say(*state, &refused, 21);
	syn.after_ms = 1;
	guard_say(*state, &syn, 22);
	refused.after_ms = 0;
	guard_say(*state, &refused, 23);
	guard_advance_ms(*state, 2000);
	syn.after_ms = 0;
	for (i = 0; i < 20; i++)
		guard_say(*state, &syn, 24 + i);
	guard_say(*state, &refused, 44);
}

static void the_limit_is_the_flows_own(void **state)
{
	static const struct step opened[] = { OPENED };
	static const struct endpoint neighbour = { { 10, 0, 0, 1 }, 40001 };
	static const struct segment other[] = {
		{ .from = &neighbour, .to = &guard_server, .flags = SYN, .seq = 1 },
		{ .from = &guard_server, .to = &neighbour, .flags = SYN | ACK, .seq = 1, .ack = 2 },
		{ .from = &neighbour, .to = &guard_server, .flags = ACK, .seq = 2, .ack = 2 },
	};
	struct segment syn = { .from = &neighbour, .to = &guard_server, .flags = SYN, .seq = NEW_ISN };
	struct step flood = { CLIENT, SYN, .seq = NEW_ISN, .want = TG_NOUPD_SYN_CHALLENGE };
	struct step reset = { CLIENT, RST, .seq = 1002, .want = TG_NOUPD_RST_INEXACT };
	size_t i;

	TALK(*state, opened);
	for (i = 0; i < COUNT(other); i++)
		guard_judge_segment(*state, &other[i], i == 1);
	for (i = 0; i < 20; i++)
		guard_say(*state, &flood, i);
	flood.want = TG_DROP_SYN_RATE;
	guard_say(*state, &flood, 20);
	for (i = 0; i < 20; i++)
		assert_int_equal(guard_judge_segment(*state, &syn, false).verdict, TG_NOUPD_SYN_CHALLENGE);
	guard_say(*state, &reset, 21); /* nor is it the limit of RSTs */
}

static void blind_syn_flood_disturbs_nothing(void **state)
{
	static const struct step after[] = {
		{ CLIENT, PSH | ACK, .seq = 1001, .ack = 5001, .payload = 100, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, PSH | ACK, .seq = 5001, .ack = 1101, .payload = 100, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1101, .ack = 5101, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};
	struct segment syn = { .from = &guard_client, .to = &guard_server, .flags = SYN };
	uint8_t frame[FRAME_MAX];
	uint32_t i;

	guard_handshake(*state);
	for (i = 0; i < 100000; i++) {
		syn.seq = i * 2654435761U;
		guard_run(*state, frame, frame_build(frame, &syn), false);
	}
	assert_int_equal(guard_count(*state, TG_NOUPD_SYN_CHALLENGE), 20);
	assert_int_equal(guard_count(*state, TG_DROP_SYN_RATE), 100000 - 20);
	TALK(*state, after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, guard_setup, guard_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_syn_passes_and_changes_nothing_in_every_open_state),
		TEST(reopen_by_a_synack_in_every_open_state),
		TEST(the_server_may_open_anew_too),
		TEST(nobody_speaks_for_this_machine_after_it_opened_anew),
		TEST(a_new_connection_keeps_what_its_syn_said),
		TEST(a_synack_must_acknowledge_the_pending_syn_exactly),
		TEST(duplicates_of_the_handshake_do_not_open_anew),
		TEST(nor_does_the_answer_of_a_server_that_has_closed),
		TEST(nor_does_a_duplicate_of_another_synack),
		TEST(ws_lie_of_a_synack_sent_again_is_ignored),
		TEST(syn_reuse_est_gets_its_challenge_and_connects),
		TEST(twenty_syns_pass_then_ten_a_second),
		TEST(the_limit_is_the_flows_own),
		TEST(blind_syn_flood_disturbs_nothing),
	};

	return cmocka_run_group_tests_name("SYN on a live flow", tests, NULL, NULL);
}
