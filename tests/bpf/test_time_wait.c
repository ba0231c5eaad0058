/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TIME_WAIT: 240 s for what is delayed, and every way in which the same addresses and ports are
 * used again before that.
 */
#include "tests/bpf/harness.h"

#define FORGET_MS (25ULL * 3600 * 1000) /* longer than any timeout */
#define TIME_WAIT_MS 240000
#define HIGHER 2000000U
#define LOWER 900U

/* clang-format off */
/* The client closes first.  It ends at 1002, the server at 5002. */
#define ENDED \
	{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW }, \
	{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK }, \
	{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK }, \
	{ CLIENT, FIN | ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK }, \
	{ SERVER, FIN | ACK, .seq = 5001, .ack = 1002, .want = TG_PASS_OK }, \
	{ CLIENT, ACK, .seq = 1002, .ack = 5002, .want = TG_PASS_OK, STATES(TIME_WAIT, CLOSED) }
/* clang-format on */

static const struct step ended[] = { ENDED };

static void each_after_the_end(struct guard *guard, const struct step *steps, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		guard_advance_ms(guard, FORGET_MS);
		TALK(guard, ended);
		guard_say(guard, &steps[i], i + 1);
	}
}

/* Between the two endpoints: drops of either direction are carried out. */
static int setup_between(void **state)
{
	const struct guard_options options = { .all_ingress = true };

	*state = guard_open(&options);
	return 0;
}

static void tw_every_segment(void **state)
{
	static const struct step cells[] = {
		{ CLIENT, ACK, .seq = 1002, .ack = 5002, .want = TG_PASS_TW_ACK, STATES(TIME_WAIT, CLOSED) },
		{ SERVER, ACK, .seq = 5002, .ack = 1002, .want = TG_PASS_TW_ACK, STATES(TIME_WAIT, CLOSED) },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_TW_ACK, STATES(TIME_WAIT, CLOSED) },
		{ CLIENT, ACK, .seq = 992, .ack = 5001, .payload = 9, .want = TG_PASS_TW_STRAY, STATES(TIME_WAIT, CLOSED) },
		{ SERVER, ACK, .seq = 4992, .ack = 1001, .payload = 9, .want = TG_PASS_TW_STRAY, STATES(TIME_WAIT, CLOSED) },
		{ CLIENT, FIN | ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_TW_FIN_RETR, STATES(TIME_WAIT, CLOSED) },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1002, .want = TG_PASS_TW_FIN_RETR, STATES(TIME_WAIT, CLOSED) },
		{ SERVER, FIN | ACK, .seq = 4992, .ack = 1002, .payload = 9, .want = TG_PASS_TW_FIN_RETR, STATES(TIME_WAIT, CLOSED) },
		{ CLIENT, ACK, .seq = 1002, .ack = 5002, .payload = 1, .want = TG_DROP_DATA_AFTER_FIN, STATES(TIME_WAIT, CLOSED) },
		{ SERVER, ACK, .seq = 5002, .ack = 1002, .payload = 1, .want = TG_DROP_DATA_AFTER_FIN, STATES(TIME_WAIT, CLOSED) },
		{ SERVER, FIN | ACK, .seq = 5002, .ack = 1002, .want = TG_NOUPD_SECOND_FIN, STATES(TIME_WAIT, CLOSED) },
		{ CLIENT, ACK, .seq = 1002, .ack = 5003, .want = TG_DROP_ACK_ABOVE, STATES(TIME_WAIT, CLOSED) },
		{ CLIENT, ACK, .seq = 800000, .ack = 5002, .want = TG_DROP_SEQ_ABOVE, STATES(TIME_WAIT, CLOSED) },
		{ CLIENT, SYN | ACK, .seq = 1000, .ack = 5001, .want = TG_NOUPD_SYNACK_RETRANS, STATES(TIME_WAIT, CLOSED) },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_NOUPD_SYNACK_RETRANS, STATES(TIME_WAIT, CLOSED) },
		{ SERVER, SYN | ACK, .seq = 7000, .ack = 1001, .want = TG_NOUPD_SYNACK_UNEXPECTED, STATES(TIME_WAIT, CLOSED) },
		{ CLIENT, RST, .seq = 1002, .want = TG_NOUPD_RST_LATE, STATES(TIME_WAIT, CLOSED) },
		{ SERVER, RST, .seq = 5002, .want = TG_NOUPD_RST_LATE, STATES(TIME_WAIT, CLOSED) },
	};

	each_after_the_end(*state, cells, COUNT(cells));
}

static void tw_lasts_240_s_and_not_a_millisecond_longer(void **state)
{
	static const struct step at_the_end[] = {
		{ SERVER, ACK, .seq = 5002, .ack = 1002, .after_ms = TIME_WAIT_MS, .want = TG_PASS_TW_ACK, STATES(TIME_WAIT, CLOSED) },
		{ SERVER, ACK, .seq = 5002, .ack = 1002, .after_ms = TIME_WAIT_MS + 1, .want = TG_DROP_NO_FLOW },
		{ SERVER, ACK, .seq = 4992, .ack = 1002, .payload = 9, .after_ms = TIME_WAIT_MS + 1, .want = TG_DROP_NO_FLOW },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1002, .after_ms = TIME_WAIT_MS + 1, .want = TG_DROP_NO_FLOW },
		{ CLIENT, RST, .seq = 1002, .after_ms = TIME_WAIT_MS + 1, .want = TG_DROP_RST_NO_FLOW },
		{ CLIENT, SYN, .seq = LOWER, .after_ms = TIME_WAIT_MS + 1, .want = TG_PASS_NEW },
	};

	each_after_the_end(*state, at_the_end, COUNT(at_the_end));
}

static void tw_is_prolonged_by_a_fin_sent_again_only(void **state)
{
	static const struct step strays[] = {
		ENDED,
		{ CLIENT, ACK, .seq = 1002, .ack = 5002, .after_ms = 100000, .want = TG_PASS_TW_ACK },
		{ SERVER, ACK, .seq = 4992, .ack = 1001, .payload = 9, .after_ms = 50000, .want = TG_PASS_TW_STRAY },
		{ SERVER, RST, .seq = 5002, .after_ms = 50000, .want = TG_NOUPD_RST_LATE },
		{ CLIENT, SYN, .seq = LOWER, .after_ms = 39000, .want = TG_NOUPD_TW_SYN_OLD },
		{ CLIENT, ACK, .seq = 1002, .ack = 5002, .after_ms = 1000, .want = TG_PASS_TW_ACK, STATES(TIME_WAIT, CLOSED) },
		{ CLIENT, ACK, .seq = 1002, .ack = 5002, .after_ms = 1, .want = TG_DROP_NO_FLOW },
	};
	static const struct step fins[] = {
		ENDED,
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1002, .after_ms = 200000, .want = TG_PASS_TW_FIN_RETR },
		{ CLIENT, ACK, .seq = 1002, .ack = 5002, .want = TG_PASS_TW_ACK },
		{ CLIENT, FIN | ACK, .seq = 1001, .ack = 5001, .after_ms = 200000, .want = TG_PASS_TW_FIN_RETR },
		{ CLIENT, ACK, .seq = 1002, .ack = 5002, .after_ms = TIME_WAIT_MS, .want = TG_PASS_TW_ACK, STATES(TIME_WAIT, CLOSED) },
		{ CLIENT, ACK, .seq = 1002, .ack = 5002, .after_ms = 1, .want = TG_DROP_NO_FLOW },
	};

	TALK(*state, strays);
	guard_advance_ms(*state, FORGET_MS);
	TALK(*state, fins);
}

/* What this machine sends beyond its acknowledged FIN is another connection's: this one has ended. */
static void own_data_far_beyond_the_end_does_not_reopen_it(void **state)
{
	static const struct step steps[] = {
		ENDED,
		{ SERVER, ACK, .seq = 5002, .ack = 1002, .payload = 10, .want = TG_DROP_DATA_AFTER_FIN, STATES(TIME_WAIT, CLOSED) },
		{ SERVER, ACK, .seq = 800000, .ack = 1002, .payload = 10, .want = TG_DROP_SEQ_ABOVE, STATES(TIME_WAIT, CLOSED) },
		{ SERVER, ACK, .seq = 800000, .ack = 900000, .payload = 10, .want = TG_DROP_SEQ_ABOVE, STATES(TIME_WAIT, CLOSED) },
	};

	TALK(*state, steps);
}

static void rfc1337_a_rst_does_not_shorten_it(void **state)
{
	static const struct step steps[] = {
		ENDED,
		{ SERVER, RST, .seq = 5002, .want = TG_NOUPD_RST_LATE, STATES(TIME_WAIT, CLOSED) },
		{ CLIENT, RST, .seq = 1002, .want = TG_NOUPD_RST_LATE, STATES(TIME_WAIT, CLOSED) },
		{ SERVER, ACK, .seq = 4992, .ack = 1001, .payload = 9, .after_ms = TIME_WAIT_MS, .want = TG_PASS_TW_STRAY, STATES(TIME_WAIT, CLOSED) },
	};

	TALK(*state, steps);
}

static void tw_reuse_isn_higher_opens_anew(void **state)
{
	static const struct step cells[] = {
		{ CLIENT, SYN, .seq = 1003, .want = TG_PASS_TW_REUSE, STATES(SYN_SENT, LISTEN) },
		{ CLIENT, SYN, .seq = 1002, .want = TG_NOUPD_TW_SYN_OLD, STATES(TIME_WAIT, CLOSED) },
		{ CLIENT, SYN, .seq = 1001, .want = TG_NOUPD_TW_SYN_OLD, STATES(TIME_WAIT, CLOSED) },
		{ CLIENT, SYN, .seq = 1000, .want = TG_NOUPD_TW_SYN_OLD, STATES(TIME_WAIT, CLOSED) },
		{ CLIENT, SYN, .seq = 1002 + 0x7fffffffU, .want = TG_PASS_TW_REUSE, STATES(SYN_SENT, LISTEN) },
		{ SERVER, SYN, .seq = 5003, .want = TG_PASS_TW_REUSE, STATES(LISTEN, SYN_SENT) },
		{ SERVER, SYN, .seq = 5002, .want = TG_NOUPD_TW_SYN_OLD, STATES(TIME_WAIT, CLOSED) },
	};
	static const struct step story[] = {
		ENDED,
		{ CLIENT, SYN, .seq = HIGHER, .after_ms = 1000, .want = TG_PASS_TW_REUSE, STATES(SYN_SENT, LISTEN) },
		{ SERVER, SYN | ACK, .seq = 7000, .ack = HIGHER + 1, .want = TG_PASS_SYNACK, STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, ACK, .seq = HIGHER + 1, .ack = 7001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	each_after_the_end(*state, cells, COUNT(cells));
	guard_advance_ms(*state, FORGET_MS);
	TALK(*state, story);
	assert_int_equal(guard_detail(*state)->created_ms, (uint32_t)guard_now_ms(*state));
}

static void tw_reuse_swap_of_roles_opens_anew(void **state)
{
	static const struct step steps[] = {
		ENDED,
		{ SERVER, SYN, .seq = HIGHER, .want = TG_PASS_TW_REUSE, STATES(LISTEN, SYN_SENT) },
		{ CLIENT, SYN | ACK, .seq = 7000, .ack = HIGHER + 1, .want = TG_PASS_SYNACK, STATES(SYN_RECEIVED, SYN_SENT) },
		{ SERVER, ACK, .seq = HIGHER + 1, .ack = 7001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};
	static const struct step lower[] = {
		ENDED,
		{ SERVER, SYN, .seq = LOWER, .want = TG_NOUPD_TW_SYN_OLD, STATES(TIME_WAIT, CLOSED) },
		{ CLIENT, SYN | ACK, .seq = 7000, .ack = LOWER + 1, .want = TG_PASS_REOPEN, STATES(SYN_RECEIVED, SYN_SENT) },
	};

	TALK(*state, steps);
	guard_advance_ms(*state, FORGET_MS);
	TALK(*state, lower);
}

static void tw_reuse_ts_newer_opens_anew(void **state)
{
	static const struct step stamped[] = {
		{ CLIENT, SYN, .seq = 1000, .tsval = 500, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .tsval = 40, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .tsval = 501, .want = TG_PASS_OK },
		{ CLIENT, FIN | ACK, .seq = 1001, .ack = 5001, .tsval = 502, .want = TG_PASS_OK },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1002, .tsval = 42, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1002, .ack = 5002, .tsval = 503, .want = TG_PASS_OK, STATES(TIME_WAIT, CLOSED) },
	};
	static const struct step cells[] = {
		{ CLIENT, SYN, .seq = LOWER, .tsval = 504, .want = TG_PASS_TW_REUSE },
		{ CLIENT, SYN, .seq = LOWER, .tsval = 503, .want = TG_NOUPD_TW_SYN_OLD },
		{ CLIENT, SYN, .seq = LOWER, .tsval = 502, .want = TG_NOUPD_TW_SYN_OLD },
		{ CLIENT, SYN, .seq = LOWER, .want = TG_NOUPD_TW_SYN_OLD },
		{ CLIENT, SYN, .seq = HIGHER, .tsval = 1, .want = TG_PASS_TW_REUSE },
		{ SERVER, SYN, .seq = LOWER, .tsval = 43, .want = TG_PASS_TW_REUSE },
		{ SERVER, SYN, .seq = LOWER, .tsval = 42, .want = TG_NOUPD_TW_SYN_OLD },
	};
	static const struct step unstamped[] = {
		ENDED,
		{ CLIENT, SYN, .seq = LOWER, .tsval = 9, .want = TG_NOUPD_TW_SYN_OLD },
	};
	size_t i;

	for (i = 0; i < COUNT(cells); i++) {
		guard_advance_ms(*state, FORGET_MS);
		TALK(*state, stamped);
		guard_say(*state, &cells[i], i + 1);
	}
	guard_advance_ms(*state, FORGET_MS);
	TALK(*state, unstamped); /* both must have them */
}

/* After 61 s a Linux host's own TIME_WAIT is over: it answers any SYN. */
static void tw_reuse_low_synack_opens_anew(void **state)
{
	static const struct step steps[] = {
		ENDED,
		{ CLIENT, SYN, .seq = LOWER, .after_ms = 61000, .want = TG_NOUPD_TW_SYN_OLD, STATES(TIME_WAIT, CLOSED) },
		{ SERVER, SYN | ACK, .seq = 7000, .ack = LOWER, .want = TG_NOUPD_SYNACK_UNEXPECTED },
		{ SERVER, SYN | ACK, .seq = 7000, .ack = LOWER + 1, .want = TG_PASS_REOPEN, STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, ACK, .seq = LOWER + 1, .ack = 7001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, ACK, .seq = 7001, .ack = LOWER + 1, .payload = 100, .want = TG_PASS_OK },
		/* An open connection's timeout. */
		{ CLIENT, ACK, .seq = LOWER + 1, .ack = 7101, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = LOWER + 1, .ack = 7101, .payload = 1, .after_ms = 3600000, .want = TG_PASS_OK },
	};

	TALK(*state, steps);
}

/* Between 60 s and 240 s a Linux host answers any SYN of a tuple that we still have in TIME_WAIT. */
static void tw_reuse_linux60_any_syn_opens_anew(void **state)
{
	static const uint32_t isns[] = { 1000, 1001, 1002, LOWER, 0x80001002, 0xffffffff };
	static const uint32_t moments_ms[] = { 60001, 150000, TIME_WAIT_MS };
	size_t i, k;

	for (i = 0; i < COUNT(isns); i++) {
		for (k = 0; k < COUNT(moments_ms); k++) {
			const struct step steps[] = {
				{ CLIENT, SYN, .seq = isns[i], .after_ms = moments_ms[k], .want = TG_NOUPD_TW_SYN_OLD },
				{ SERVER, SYN | ACK, .seq = 7000, .ack = isns[i] + 1, .want = TG_PASS_REOPEN },
				{ CLIENT, ACK, .seq = isns[i] + 1, .ack = 7001, .want = TG_PASS_OK,
				  STATES(ESTABLISHED, ESTABLISHED) },
				{ SERVER, PSH | ACK, .seq = 7001, .ack = isns[i] + 1, .payload = 9, .want = TG_PASS_OK },
			};

			guard_advance_ms(*state, FORGET_MS);
			TALK(*state, ended);
			TALK(*state, steps);
		}
	}
}

/* The host is still in TIME_WAIT: its ACK makes the client reset it and try again. */
static void tw_reuse_low_ack_gets_through_by_a_rst(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1001, .want = TG_PASS_OK },
		{ CLIENT, FIN | ACK, .seq = 1001, .ack = 5002, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = 5002, .ack = 1002, .want = TG_PASS_OK, STATES(CLOSED, TIME_WAIT) },
		{ CLIENT, SYN, .seq = LOWER, .after_ms = 5000, .want = TG_NOUPD_TW_SYN_OLD },
		{ SERVER, ACK, .seq = 5002, .ack = 1002, .want = TG_PASS_TW_ACK },
		{ CLIENT, RST, .seq = 1002, .want = TG_NOUPD_RST_LATE, STATES(CLOSED, TIME_WAIT) },
		{ CLIENT, SYN, .seq = LOWER, .after_ms = 1000, .want = TG_NOUPD_TW_SYN_OLD },
		{ SERVER, SYN | ACK, .seq = 7000, .ack = LOWER + 1, .want = TG_PASS_REOPEN },
		{ CLIENT, ACK, .seq = LOWER + 1, .ack = 7001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, steps);
}

static void duplicates_of_the_old_handshake_do_not_open_anew(void **state)
{
	static const struct step steps[] = {
		ENDED,
		{ CLIENT, SYN, .seq = 1000, .want = TG_NOUPD_TW_SYN_OLD, STATES(TIME_WAIT, CLOSED) },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_NOUPD_SYNACK_RETRANS, STATES(TIME_WAIT, CLOSED) },
	};

	TALK(*state, steps);
}

/* Held back until the server had closed, or the first SYN of a stack that begins each connection alike. */
static void answer_to_the_old_syn_is_answered_from_time_wait_or_anew(void **state)
{
	static const struct step from_time_wait[] = {
		ENDED,
		{ CLIENT, SYN, .seq = 1000, .want = TG_NOUPD_TW_SYN_OLD },
		{ SERVER, SYN | ACK, .seq = 7000, .ack = 1001, .want = TG_PASS_REOPEN },
		{ CLIENT, ACK, .seq = 1002, .ack = 5003, .want = TG_DROP_HS_BAD_ACK },
		{ CLIENT, ACK, .seq = 1002, .ack = 5002, .want = TG_PASS_PICKUP },
		{ SERVER, RST, .seq = 5002, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
		{ SERVER, SYN | ACK, .seq = 7000, .ack = 1001, .after_ms = 1000, .want = TG_NOUPD_SYNACK_UNEXPECTED },
		{ CLIENT, ACK, .seq = 1002, .ack = 5002, .want = TG_NOUPD_CLOSED_LATE },
		{ SERVER, RST, .seq = 5002, .want = TG_NOUPD_RST_LATE, STATES(CLOSED, CLOSED) },
	};
	static const struct step anew[] = {
		ENDED,
		{ CLIENT, SYN, .seq = 1000, .want = TG_NOUPD_TW_SYN_OLD },
		{ SERVER, SYN | ACK, .seq = 7000, .ack = 1001, .want = TG_PASS_REOPEN },
		{ CLIENT, ACK, .seq = 1001, .ack = 7001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, from_time_wait);
	guard_advance_ms(*state, FORGET_MS);
	TALK(*state, anew);
}

static void old_incarnation_does_not_disturb_the_new(void **state)
{
	static const struct step steps[] = {
		ENDED,
		{ CLIENT, SYN, .seq = HIGHER, .want = TG_PASS_TW_REUSE },
		{ SERVER, ACK, .seq = 5002, .ack = 1002, .want = TG_NOUPD_CHALLENGE_ACK },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1002, .want = TG_DROP_DATA_BEFORE_SYNACK },
		{ CLIENT, RST, .seq = 1001, .want = TG_DROP_RST_SYN_SENT },
		{ SERVER, RST | ACK, .seq = 5002, .ack = 1002, .want = TG_DROP_RST_SYN_SENT },
		{ CLIENT, ACK, .seq = 1002, .ack = 5002, .want = TG_DROP_ACK_BEFORE_SYNACK, STATES(SYN_SENT, LISTEN) },
		{ SERVER, SYN | ACK, .seq = 900000, .ack = HIGHER + 1, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1002, .ack = 5002, .want = TG_DROP_HS_BAD_ACK },
		{ CLIENT, ACK, .seq = HIGHER + 1, .ack = 900001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, RST, .seq = 1001, .want = TG_DROP_RST_OLD, STATES(ESTABLISHED, ESTABLISHED) },
		/* Late, but the answer that the challenge asked for. */
		{ CLIENT, RST, .seq = 1002, .want = TG_NOUPD_RST_TO_CHALLENGE, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, steps);
}

static void old_syns_are_limited_and_new_ones_are_not(void **state)
{
	struct step old = { CLIENT, SYN, .seq = LOWER, .want = TG_NOUPD_TW_SYN_OLD };
	static const struct step more[] = {
		{ CLIENT, SYN, .seq = LOWER, .want = TG_DROP_SYN_RATE },
		{ CLIENT, SYN, .seq = HIGHER, .want = TG_PASS_TW_REUSE },
	};
	size_t i;

	TALK(*state, ended);
	for (i = 0; i < 20; i++)
		guard_say(*state, &old, i);
	TALK(*state, more);
}

/* An endpoint that has forgotten the connection answers each delayed segment, by its acknowledgement. */
static void tw_strays_may_each_be_answered_by_a_rst(void **state)
{
	struct step answer = { SERVER, RST, .want = TG_NOUPD_RST_LATE, STATES(TIME_WAIT, CLOSED) };
	struct step guess = { SERVER, RST, .seq = 5003, .want = TG_NOUPD_RST_LATE };
	size_t i;

	TALK(*state, ended);
	for (i = 0; i < 100; i++) {
		answer.seq = 5002 - 660 * (uint32_t)i;
		guard_say(*state, &answer, i);
	}
	for (i = 0; i < 20; i++)
		guard_say(*state, &guess, i);
	guess.want = TG_DROP_RST_RATE;
	guard_say(*state, &guess, 20);
	guess.seq = 5001U - 66000;
	guard_say(*state, &guess, 21);
	guard_say(*state, &answer, 22);
}

static void strict_drops_an_old_syn(void **state)
{
	static const struct step steps[] = {
		ENDED,
		{ CLIENT, SYN, .seq = 1002, .want = TG_DROP_TW_SYN_OLD, STATES(TIME_WAIT, CLOSED) },
		{ SERVER, SYN | ACK, .seq = 7000, .ack = 1003, .want = TG_NOUPD_SYNACK_UNEXPECTED },
		{ CLIENT, SYN, .seq = 1003, .want = TG_PASS_TW_REUSE, STATES(SYN_SENT, LISTEN) },
	};
	const struct guard_options options = { .strict = true };

	*state = guard_open(&options);
	TALK(*state, steps);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, guard_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tw_every_segment, setup_between),
		TEST(tw_lasts_240_s_and_not_a_millisecond_longer, guard_setup),
		TEST(tw_is_prolonged_by_a_fin_sent_again_only, guard_setup),
		TEST(own_data_far_beyond_the_end_does_not_reopen_it, guard_setup),
		TEST(rfc1337_a_rst_does_not_shorten_it, guard_setup),
		TEST(tw_reuse_isn_higher_opens_anew, guard_setup),
		TEST(tw_reuse_swap_of_roles_opens_anew, guard_setup),
		TEST(tw_reuse_ts_newer_opens_anew, guard_setup),
		TEST(tw_reuse_low_synack_opens_anew, guard_setup),
		TEST(tw_reuse_linux60_any_syn_opens_anew, guard_setup),
		TEST(tw_reuse_low_ack_gets_through_by_a_rst, guard_setup),
		TEST(duplicates_of_the_old_handshake_do_not_open_anew, guard_setup),
		TEST(answer_to_the_old_syn_is_answered_from_time_wait_or_anew, guard_setup),
		TEST(old_incarnation_does_not_disturb_the_new, setup_between),
		TEST(old_syns_are_limited_and_new_ones_are_not, guard_setup),
		TEST(tw_strays_may_each_be_answered_by_a_rst, guard_setup),
		TEST(strict_drops_an_old_syn, NULL),
	};

	return cmocka_run_group_tests_name("TIME_WAIT", tests, NULL, NULL);
}
