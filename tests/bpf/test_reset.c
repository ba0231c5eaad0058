/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RST: every rule for it at its edges, the RST that its receiver outlives, and attackers who guess.
 */
#include "tests/bpf/exchange.h"

/* clang-format off */
/* Windows of 65535, unscaled: the client may send up to 66536, the server up to 70536. */
#define HALF_OPEN \
	{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW }, \
	{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK }
#define OPENED HALF_OPEN, { CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK }
#define FINISHED OPENED, { CLIENT, FIN | ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK }
#define FIN_ACKED FINISHED, { SERVER, ACK, .seq = 5001, .ack = 1002, .want = TG_PASS_OK }
#define BOTH_FINISHED FIN_ACKED, { SERVER, FIN | ACK, .seq = 5001, .ack = 1002, .want = TG_PASS_OK }
#define ENDED BOTH_FINISHED, { CLIENT, ACK, .seq = 1002, .ack = 5002, .want = TG_PASS_OK }
/* clang-format on */

static void a_rst_of_no_flow_opens_none(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, RST, .seq = 1001, .want = TG_DROP_RST_NO_FLOW },
		{ SERVER, RST | ACK, .seq = 5001, .ack = 1001, .want = TG_DROP_RST_NO_FLOW },
	};

	TALK(*state, steps);
	assert_int_equal(guard_flows(*state), 0);
}

static void refused_by_the_acknowledgement_alone(void **state)
{
	static const struct step opening[] = { { CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW } };
	static const struct step cells[] = {
		{ SERVER, RST | ACK, .seq = 0, .ack = 1001, .want = TG_PASS_REFUSED, STATES(CLOSED, CLOSED) },
		{ SERVER, RST | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_REFUSED, STATES(CLOSED, CLOSED) },
		{ SERVER, RST | ACK, .seq = 0xdeadbeef, .ack = 1001, .want = TG_PASS_REFUSED, STATES(CLOSED, CLOSED) },
		{ SERVER, RST | ACK, .seq = 0, .ack = 1000, .want = TG_DROP_RST_SYN_SENT, STATES(SYN_SENT, LISTEN) },
		{ SERVER, RST | ACK, .seq = 0, .ack = 1002, .want = TG_DROP_RST_SYN_SENT, STATES(SYN_SENT, LISTEN) },
		{ SERVER, RST, .seq = 0, .ack = 1001, .want = TG_DROP_RST_SYN_SENT, STATES(SYN_SENT, LISTEN) },
		{ CLIENT, RST, .seq = 1001, .want = TG_PASS_ABORT, STATES(CLOSED, CLOSED) },
		{ CLIENT, RST | ACK, .seq = 1001, .ack = 77, .want = TG_PASS_ABORT, STATES(CLOSED, CLOSED) },
		{ CLIENT, RST, .seq = 1000, .want = TG_DROP_RST_SYN_SENT, STATES(SYN_SENT, LISTEN) },
		{ CLIENT, RST, .seq = 1002, .want = TG_DROP_RST_SYN_SENT, STATES(SYN_SENT, LISTEN) },
	};
	static const struct step opening_fast[] = {
		{ CLIENT, SYN, .seq = 1000, .payload = 100, .want = TG_PASS_NEW },
	};
	static const struct step cells_fast[] = {
		{ SERVER, RST | ACK, .seq = 0, .ack = 1001, .want = TG_PASS_REFUSED, STATES(CLOSED, CLOSED) },
		{ SERVER, RST | ACK, .seq = 0, .ack = 1101, .want = TG_PASS_REFUSED, STATES(CLOSED, CLOSED) },
		{ SERVER, RST | ACK, .seq = 0, .ack = 1102, .want = TG_DROP_RST_SYN_SENT, STATES(SYN_SENT, LISTEN) },
		{ CLIENT, RST, .seq = 1001, .want = TG_PASS_ABORT, STATES(CLOSED, CLOSED) },
		{ CLIENT, RST, .seq = 1101, .want = TG_PASS_ABORT, STATES(CLOSED, CLOSED) },
		{ CLIENT, RST, .seq = 1050, .want = TG_DROP_RST_SYN_SENT, STATES(SYN_SENT, LISTEN) },
	};

	EACH_AFTER(*state, opening, cells);
	EACH_AFTER(*state, opening_fast, cells_fast);
}

static void the_answer_to_a_challenge_passes_without_effect(void **state)
{
	static const struct step opening[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW },
		{ SERVER, ACK, .seq = 9000, .ack = 7777, .want = TG_NOUPD_CHALLENGE_ACK },
	};
	static const struct step cells[] = {
		{ CLIENT, RST, .seq = 7777, .want = TG_NOUPD_RST_TO_CHALLENGE, STATES(SYN_SENT, LISTEN) },
		{ CLIENT, RST, .seq = 7776, .want = TG_DROP_RST_SYN_SENT, STATES(SYN_SENT, LISTEN) },
		{ CLIENT, RST, .seq = 7778, .want = TG_DROP_RST_SYN_SENT, STATES(SYN_SENT, LISTEN) },
		{ SERVER, RST, .seq = 7777, .want = TG_DROP_RST_SYN_SENT, STATES(SYN_SENT, LISTEN) },
	};
	static const struct step answered[] = {
		HALF_OPEN,
		{ SERVER, SYN | ACK, .seq = 9000, .ack = 900000, .want = TG_NOUPD_SYNACK_UNEXPECTED },
	};
	static const struct step later[] = {
		{ CLIENT, RST, .seq = 900000, .want = TG_NOUPD_RST_TO_CHALLENGE, STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, RST, .seq = 900001, .want = TG_DROP_RST_ABOVE, STATES(SYN_SENT, SYN_RECEIVED) },
	};

	EACH_AFTER(*state, opening, cells);
	EACH_AFTER(*state, answered, later);
}

static void before_the_third_step_both_may_reset(void **state)
{
	static const struct step opening[] = { HALF_OPEN };
	static const struct step cells[] = {
		{ SERVER, RST, .seq = 5001, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ SERVER, RST | ACK, .seq = 5001, .ack = 1001, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ SERVER, RST, .seq = 5000, .want = TG_DROP_RST_OLD, STATES(SYN_SENT, SYN_RECEIVED) },
		{ SERVER, RST, .seq = 5002, .want = TG_NOUPD_RST_INEXACT, STATES(SYN_SENT, SYN_RECEIVED) },
		{ SERVER, RST, .seq = 70536 + 66000, .want = TG_NOUPD_RST_INEXACT, STATES(SYN_SENT, SYN_RECEIVED) },
		{ SERVER, RST, .seq = 70537 + 66000, .want = TG_DROP_RST_OLD, STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, RST, .seq = 1001, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ CLIENT, RST, .seq = 1000, .want = TG_DROP_RST_OLD, STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, RST, .seq = 1002, .want = TG_NOUPD_RST_INEXACT, STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, RST, .seq = 66536, .want = TG_NOUPD_RST_INEXACT, STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, RST, .seq = 66537, .want = TG_DROP_RST_ABOVE, STATES(SYN_SENT, SYN_RECEIVED) },
	};
	static const struct step opening_fast[] = {
		{ CLIENT, SYN, .seq = 1000, .payload = 100, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
		{ SERVER, ACK, .seq = 5001, .ack = 1001, .payload = 1460, .want = TG_PASS_OK },
	};
	static const struct step cells_fast[] = {
		{ SERVER, RST, .seq = 5001, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ SERVER, RST, .seq = 6461, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ SERVER, RST, .seq = 6460, .want = TG_NOUPD_RST_INEXACT, STATES(SYN_SENT, SYN_RECEIVED) },
		/* The application closed with unread data, before us. */
		{ SERVER, RST | ACK, .seq = 7921, .ack = 1101, .want = TG_NOUPD_RST_INEXACT, STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, RST, .seq = 1001, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ CLIENT, RST, .seq = 1101, .want = TG_PASS_RST_TRAIN, STATES(CLOSED, CLOSED) },
	};

	EACH_AFTER(*state, opening, cells);
	EACH_AFTER(*state, opening_fast, cells_fast);
}

static void only_the_next_number_resets_an_open_connection(void **state)
{
	static const struct step opening[] = { OPENED };
	static const struct step cells[] = {
		{ CLIENT, RST, .seq = 1001, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ CLIENT, RST | ACK, .seq = 1001, .ack = 0x77777777, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ CLIENT, RST, .seq = 1000, .want = TG_DROP_RST_OLD, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, RST, .seq = 1002, .want = TG_NOUPD_RST_INEXACT, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, RST, .seq = 66536, .want = TG_NOUPD_RST_INEXACT, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, RST, .seq = 66537, .want = TG_DROP_RST_ABOVE, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, RST, .seq = 5001, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ SERVER, RST | ACK, .seq = 5001, .ack = 0, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ SERVER, RST, .seq = 5000, .want = TG_DROP_RST_OLD, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, RST, .seq = 5002, .want = TG_NOUPD_RST_INEXACT, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, RST, .seq = 70536, .want = TG_NOUPD_RST_INEXACT, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, RST, .seq = 70537, .want = TG_DROP_RST_ABOVE, STATES(ESTABLISHED, ESTABLISHED) },
	};

	EACH_AFTER(*state, opening, cells);
}

static void rst_train_behind_data_in_flight_resets(void **state)
{
	static const struct step opening[] = {
		OPENED,
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .payload = 1000, .want = TG_PASS_OK },
	};
	static const struct step cells[] = {
		{ CLIENT, RST, .seq = 2001, .want = TG_PASS_RST_TRAIN, STATES(CLOSED, CLOSED) },
		{ CLIENT, RST, .seq = 2000, .want = TG_NOUPD_RST_INEXACT, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, RST, .seq = 2002, .want = TG_NOUPD_RST_INEXACT, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, RST, .seq = 1001, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ CLIENT, RST, .seq = 1000, .want = TG_DROP_RST_OLD, STATES(ESTABLISHED, ESTABLISHED) },
	};

	EACH_AFTER(*state, opening, cells);
}

static void rst_after_fin_near_the_window_passes(void **state)
{
	static const struct step one_fin[] = { FINISHED };
	static const struct step after_one[] = {
		{ CLIENT, RST, .seq = 1001, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ CLIENT, RST, .seq = 1002, .want = TG_PASS_RST_TRAIN, STATES(CLOSED, CLOSED) },
		{ CLIENT, RST, .seq = 1000, .want = TG_PASS_RST_AFTER_FIN, STATES(CLOSED, CLOSED) },
		{ CLIENT, RST, .seq = 999, .want = TG_NOUPD_RST_CLOSING, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ CLIENT, RST, .seq = 1003, .want = TG_NOUPD_RST_CLOSING, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ CLIENT, RST, .seq = 1001U - 66000, .want = TG_NOUPD_RST_CLOSING, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ CLIENT, RST, .seq = 1000U - 66000, .want = TG_DROP_RST_OLD, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ CLIENT, RST, .seq = 66536, .want = TG_NOUPD_RST_CLOSING, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ CLIENT, RST, .seq = 66537, .want = TG_DROP_RST_ABOVE, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, RST, .seq = 5001, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ SERVER, RST, .seq = 5000, .want = TG_NOUPD_RST_CLOSING, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, RST, .seq = 5001U - 66000, .want = TG_NOUPD_RST_CLOSING, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, RST, .seq = 5000U - 66000, .want = TG_DROP_RST_OLD, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, RST, .seq = 70536, .want = TG_NOUPD_RST_CLOSING, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, RST, .seq = 70537, .want = TG_DROP_RST_ABOVE, STATES(FIN_WAIT_1, ESTABLISHED) },
	};
	static const struct step acked[] = { FIN_ACKED };
	static const struct step after_ack[] = {
		{ CLIENT, RST, .seq = 1002, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ CLIENT, RST, .seq = 1001, .want = TG_PASS_RST_AFTER_FIN, STATES(CLOSED, CLOSED) },
		{ CLIENT, RST, .seq = 1000, .want = TG_NOUPD_RST_CLOSING, STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ CLIENT, RST, .seq = 1003, .want = TG_NOUPD_RST_CLOSING, STATES(FIN_WAIT_2, CLOSE_WAIT) },
		/* The server's application closed with unread data. */
		{ SERVER, RST | ACK, .seq = 5001, .ack = 1002, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ SERVER, RST | ACK, .seq = 5002, .ack = 1002, .want = TG_NOUPD_RST_CLOSING, STATES(FIN_WAIT_2, CLOSE_WAIT) },
	};
	static const struct step both_fins[] = { BOTH_FINISHED };
	static const struct step after_both[] = {
		{ CLIENT, RST, .seq = 1002, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ CLIENT, RST, .seq = 1001, .want = TG_PASS_RST_AFTER_FIN, STATES(CLOSED, CLOSED) },
		{ CLIENT, RST, .seq = 1003, .want = TG_NOUPD_RST_CLOSING, STATES(FIN_WAIT_2, LAST_ACK) },
		{ SERVER, RST, .seq = 5001, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ SERVER, RST, .seq = 5000, .want = TG_PASS_RST_AFTER_FIN, STATES(CLOSED, CLOSED) },
		{ SERVER, RST, .seq = 5002, .want = TG_PASS_RST_TRAIN, STATES(CLOSED, CLOSED) },
		{ SERVER, RST, .seq = 5003, .want = TG_NOUPD_RST_CLOSING, STATES(FIN_WAIT_2, LAST_ACK) },
	};

	EACH_AFTER(*state, one_fin, after_one);
	EACH_AFTER(*state, acked, after_ack);
	EACH_AFTER(*state, both_fins, after_both);
}

static void after_the_end_any_rst_passes_without_effect(void **state)
{
	static const struct step ended[] = { ENDED };
	static const struct step in_time_wait[] = {
		{ CLIENT, RST, .seq = 1002, .want = TG_NOUPD_RST_LATE, STATES(TIME_WAIT, CLOSED) },
		{ SERVER, RST, .seq = 5002, .want = TG_NOUPD_RST_LATE, STATES(TIME_WAIT, CLOSED) },
		{ SERVER, RST, .seq = 0xdeadbeef, .want = TG_NOUPD_RST_LATE, STATES(TIME_WAIT, CLOSED) },
	};
	static const struct step reset[] = {
		OPENED,
		{ CLIENT, RST, .seq = 1001, .want = TG_PASS_RST_EXACT },
	};
	static const struct step when_closed[] = {
		{ CLIENT, RST, .seq = 1001, .want = TG_NOUPD_RST_LATE, STATES(CLOSED, CLOSED) },
		{ SERVER, RST, .seq = 5001, .want = TG_NOUPD_RST_LATE, STATES(CLOSED, CLOSED) },
		{ SERVER, RST, .seq = 0xdeadbeef, .want = TG_NOUPD_RST_LATE, STATES(CLOSED, CLOSED) },
		/* The end of a connection that was reset refuses nothing but opens anew. */
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_NOUPD_CLOSED_LATE, STATES(CLOSED, CLOSED) },
		{ CLIENT, ACK, .seq = 0xdeadbeef, .ack = 0xdeadbeef, .payload = 9, .want = TG_NOUPD_CLOSED_LATE, STATES(CLOSED, CLOSED) },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1001, .want = TG_NOUPD_CLOSED_LATE, STATES(CLOSED, CLOSED) },
		{ CLIENT, SYN, .seq = 1, .want = TG_PASS_TW_REUSE, STATES(SYN_SENT, LISTEN) },
		{ SERVER, SYN, .seq = 1, .want = TG_PASS_TW_REUSE, STATES(LISTEN, SYN_SENT) },
	};

	EACH_AFTER(*state, ended, in_time_wait);
	EACH_AFTER(*state, reset, when_closed);
}

static void a_connection_that_goes_on_outlives_a_forged_rst(void **state)
{
	static const struct step story[] = {
		OPENED,
		{ CLIENT, RST, .seq = 1001, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .payload = 100, .want = TG_NOUPD_CLOSED_LATE, STATES(CLOSED, CLOSED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1001, .want = TG_NOUPD_CLOSED_LATE, STATES(CLOSED, CLOSED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1101, .want = TG_NOUPD_RST_UNDONE, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 1101, .ack = 5001, .payload = 1460, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5001, .ack = 2561, .payload = 1460, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 2561, .ack = 6461, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		/* An open connection's timeout, not that of one that was reset. */
		{ SERVER, ACK, .seq = 6461, .ack = 2561, .payload = 9, .after_ms = 7200000, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 2561, .ack = 6470, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		/* A real one still counts. */
		{ CLIENT, RST, .seq = 2561, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
	};
	size_t i;
	int exchanged;

	for (exchanged = 0; exchanged < 2; exchanged++) {
		guard_advance_ms(*state, FORGET_MS);
		for (i = 0; i < COUNT(story); i++)
			say_as(*state, story[i], exchanged, i + 1);
	}
}

static void an_acknowledgement_up_to_a_rst_does_not_undo_it(void **state)
{
	static const struct step steps[] = {
		OPENED,
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .payload = 1000, .want = TG_PASS_OK },
		{ CLIENT, RST, .seq = 2001, .want = TG_PASS_RST_TRAIN, STATES(CLOSED, CLOSED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1501, .want = TG_NOUPD_CLOSED_LATE, STATES(CLOSED, CLOSED) },
		{ SERVER, ACK, .seq = 5001, .ack = 2001, .want = TG_NOUPD_CLOSED_LATE, STATES(CLOSED, CLOSED) },
		/* Nothing beyond was ever sent: no proof either. */
		{ SERVER, ACK, .seq = 5001, .ack = 2002, .want = TG_NOUPD_CLOSED_LATE, STATES(CLOSED, CLOSED) },
		{ CLIENT, ACK, .seq = 2001, .ack = 5001, .payload = 1, .want = TG_NOUPD_CLOSED_LATE, STATES(CLOSED, CLOSED) },
		{ SERVER, ACK, .seq = 5001, .ack = 2002, .want = TG_NOUPD_RST_UNDONE, STATES(ESTABLISHED, ESTABLISHED) },
	};
	static const struct step after_fin[] = {
		FIN_ACKED,
		{ CLIENT, RST, .seq = 1001, .want = TG_PASS_RST_AFTER_FIN, STATES(CLOSED, CLOSED) },
		/* The acknowledgement of the FIN, again, proves nothing. */
		{ SERVER, ACK, .seq = 5001, .ack = 1002, .want = TG_NOUPD_CLOSED_LATE, STATES(CLOSED, CLOSED) },
	};

	TALK(*state, steps);
	guard_advance_ms(*state, FORGET_MS);
	TALK(*state, after_fin);
}

static void rst_lost_the_survivor_closes_41_s_later(void **state)
{
	static const struct step steps[] = {
		OPENED,
		{ CLIENT, RST, .seq = 1001, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1001, .after_ms = 41000, .want = TG_NOUPD_CLOSED_LATE },
		{ CLIENT, RST, .seq = 1001, .want = TG_NOUPD_RST_LATE, STATES(CLOSED, CLOSED) },
	};

	TALK(*state, steps);
}

static void twenty_rsts_without_effect_pass_then_ten_a_second(void **state)
{
	static const struct step opened[] = { OPENED };
	static const struct step exact = { CLIENT, RST, .seq = 1001, .want = TG_PASS_RST_EXACT };
	struct step inexact = { CLIENT, RST, .seq = 1002, .want = TG_NOUPD_RST_INEXACT };
	struct step refused = { SERVER, RST, .seq = 5002, .want = TG_DROP_RST_RATE };
	struct step syn = { CLIENT, SYN, .seq = 9000, .want = TG_NOUPD_SYN_CHALLENGE };
	size_t i;

	TALK(*state, opened);
	for (i = 0; i < 20; i++)
		guard_say(*state, &inexact, i);
	guard_say(*state, &refused, 20);
	guard_say(*state, &syn, 21); /* SYNs have a limit of their own */
	refused.after_ms = 99;
	guard_say(*state, &refused, 22);
	inexact.after_ms = 1;
	guard_say(*state, &inexact, 23);
	refused.after_ms = 0;
	guard_say(*state, &refused, 24);
	guard_say(*state, &exact, 25); /* a RST that counts is never refused */
}

/* Runs 100,000 or so RSTs of one kind past an open connection; nobody guesses the one number. */
static void sweep(struct guard *guard, enum speaker who, uint8_t flags, uint32_t step, uint32_t count)
{
	static const struct step after[] = {
		{ CLIENT, PSH | ACK, .seq = 1001, .ack = 5001, .payload = 9, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, PSH | ACK, .seq = 5001, .ack = 1010, .payload = 9, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1010, .ack = 5010, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};
	struct segment rst = { .from = who == CLIENT ? &guard_client : &guard_server,
			       .to = who == CLIENT ? &guard_server : &guard_client,
			       .flags = flags,
			       .seq = 7 };
	uint64_t passed = guard_count(guard, TG_NOUPD_RST_INEXACT);
	uint64_t refused = guard_count(guard, TG_DROP_RST_RATE);
	uint8_t frame[FRAME_MAX];
	uint32_t i;

	guard_advance_ms(guard, FORGET_MS);
	guard_handshake(guard);
	for (i = 0; i < count; i++) {
		guard_run(guard, frame, frame_build(frame, &rst), false);
		rst.seq += step;
		rst.ack = rst.seq * 3;
	}
	assert_int_equal(guard_count(guard, TG_PASS_RST_EXACT), 0);
	assert_int_equal(guard_count(guard, TG_PASS_RST_TRAIN), 0);
	passed = guard_count(guard, TG_NOUPD_RST_INEXACT) - passed;
	refused = guard_count(guard, TG_DROP_RST_RATE) - refused;
	assert_true(passed <= 20 && (passed == 20 || !refused));
	TALK(guard, after);
}

static void blind_rst_by_the_100000_resets_nothing(void **state)
{
	/* Odd steps scatter the numbers and visit none twice. */
	sweep(*state, CLIENT, RST, 2654435761U, 100000);
	sweep(*state, CLIENT, RST | ACK, 2246822519U, 100000);
	sweep(*state, SERVER, RST, 3266489917U, 100000);
}

static void sweep_rst_by_the_window_resets_nothing(void **state)
{
	/* The server may send 8 MiB: 128 of these lie in its window. */
	sweep(*state, SERVER, RST, 65535, 65536);
	assert_int_equal(guard_count(*state, TG_NOUPD_RST_INEXACT), 20);
	assert_int_equal(guard_count(*state, TG_DROP_RST_RATE), 128 - 20);
	sweep(*state, CLIENT, RST, 65535, 65536);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, guard_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_rst_of_no_flow_opens_none, guard_setup),
		TEST(refused_by_the_acknowledgement_alone, setup_between),
		TEST(the_answer_to_a_challenge_passes_without_effect, setup_between),
		TEST(before_the_third_step_both_may_reset, setup_between),
		TEST(only_the_next_number_resets_an_open_connection, setup_between),
		TEST(rst_train_behind_data_in_flight_resets, setup_between),
		TEST(rst_after_fin_near_the_window_passes, setup_between),
		TEST(after_the_end_any_rst_passes_without_effect, setup_between),
		TEST(a_connection_that_goes_on_outlives_a_forged_rst, guard_setup),
		TEST(an_acknowledgement_up_to_a_rst_does_not_undo_it, guard_setup),
		TEST(rst_lost_the_survivor_closes_41_s_later, guard_setup),
		TEST(twenty_rsts_without_effect_pass_then_ten_a_second, guard_setup),
		TEST(blind_rst_by_the_100000_resets_nothing, setup_between),
		TEST(sweep_rst_by_the_window_resets_nothing, setup_between),
	};

	return cmocka_run_group_tests_name("reset", tests, NULL, NULL);
}
