/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the first FIN to TIME_WAIT: every segment in each phase of the teardown, FINs that cross,
 * half-closed connections that go on, FINs that were forged.
 */
#include "tests/bpf/exchange.h"

/* clang-format off */
/* The client has sent 100 bytes, not yet acknowledged, and its FIN: it ends at 1102. */
#define FINISHED \
	{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW, STATES(SYN_SENT, LISTEN) }, \
	{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK, STATES(SYN_SENT, SYN_RECEIVED) }, \
	{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) }, \
	{ CLIENT, ACK, .seq = 1001, .ack = 5001, .payload = 100, .want = TG_PASS_OK }, \
	{ CLIENT, FIN | ACK, .seq = 1101, .ack = 5001, .want = TG_PASS_OK, STATES(FIN_WAIT_1, ESTABLISHED) }
#define FIN_ACKED FINISHED, \
	{ SERVER, ACK, .seq = 5001, .ack = 1102, .want = TG_PASS_OK, STATES(FIN_WAIT_2, CLOSE_WAIT) }
#define BOTH_FINISHED FIN_ACKED, \
	{ SERVER, FIN | ACK, .seq = 5001, .ack = 1102, .want = TG_PASS_OK, STATES(FIN_WAIT_2, LAST_ACK) }
#define CROSSED FINISHED, \
	{ SERVER, FIN | ACK, .seq = 5001, .ack = 1101, .want = TG_PASS_OK, STATES(FIN_WAIT_1, FIN_WAIT_1) }
/* clang-format on */

static const struct step finished[] = { FINISHED };
static const struct step fin_acked[] = { FIN_ACKED };
static const struct step last[] = { BOTH_FINISHED };
static const struct step crossed[] = { CROSSED };
static const struct step crossed_acked[] = {
	CROSSED,
	{ CLIENT, ACK, .seq = 1102, .ack = 5002, .want = TG_PASS_OK, STATES(CLOSING, FIN_WAIT_2) },
};

static void every_segment_after_one_fin(void **state)
{
	static const struct step cells[] = {
		{ CLIENT, ACK, .seq = 1102, .ack = 5001, .want = TG_PASS_OK, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .payload = 100, .want = TG_PASS_RETRANS, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 1102, .ack = 5001, .payload = 10, .want = TG_PASS_FIN_RETRACT, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 1101, .ack = 5001, .payload = 10, .want = TG_PASS_FIN_RETRACT, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1101, .want = TG_PASS_OK, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1102, .want = TG_PASS_OK, STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ SERVER, ACK, .seq = 5001, .ack = 1103, .want = TG_DROP_ACK_ABOVE, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1101, .payload = 500, .want = TG_PASS_OK, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1102, .payload = 500, .want = TG_PASS_OK, STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1101, .want = TG_PASS_OK, STATES(FIN_WAIT_1, FIN_WAIT_1) },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1102, .want = TG_PASS_OK, STATES(FIN_WAIT_2, LAST_ACK) },
		{ CLIENT, SYN, .seq = 9000, .want = TG_NOUPD_SYN_CHALLENGE, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, SYN, .seq = 9000, .want = TG_NOUPD_SYN_CHALLENGE, STATES(FIN_WAIT_1, ESTABLISHED) },
	};

	EACH_AFTER(*state, finished, cells);
}

static void every_segment_after_one_acknowledged_fin(void **state)
{
	static const struct step cells[] = {
		{ CLIENT, ACK, .seq = 1102, .ack = 5001, .want = TG_PASS_OK, STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .payload = 100, .want = TG_PASS_RETRANS, STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ CLIENT, ACK, .seq = 1102, .ack = 5001, .payload = 1, .want = TG_DROP_DATA_AFTER_FIN, STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ CLIENT, FIN | ACK, .seq = 1102, .ack = 5001, .want = TG_NOUPD_SECOND_FIN, STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ CLIENT, FIN | ACK, .seq = 1102, .ack = 5002, .want = TG_DROP_ACK_ABOVE, STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ CLIENT, FIN | ACK, .seq = 1102, .ack = 5001 - (2 << 20), .want = TG_DROP_ACK_BELOW, STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ SERVER, ACK, .seq = 5001, .ack = 1102, .payload = 500, .want = TG_PASS_OK, STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ SERVER, ACK, .seq = 5001, .ack = 1101, .payload = 500, .want = TG_PASS_OK, STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1102, .want = TG_PASS_OK, STATES(FIN_WAIT_2, LAST_ACK) },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1102, .payload = 500, .want = TG_PASS_OK, STATES(FIN_WAIT_2, LAST_ACK) },
		/* It was sent first, and overtaken by the ACK: the FINs crossed. */
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1101, .want = TG_PASS_OK, STATES(FIN_WAIT_2, CLOSING) },
		{ CLIENT, SYN, .seq = 9000, .want = TG_NOUPD_SYN_CHALLENGE, STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ SERVER, SYN, .seq = 9000, .want = TG_NOUPD_SYN_CHALLENGE, STATES(FIN_WAIT_2, CLOSE_WAIT) },
	};

	EACH_AFTER(*state, fin_acked, cells);
}

static void every_segment_after_both_fins(void **state)
{
	static const struct step cells[] = {
		{ CLIENT, ACK, .seq = 1102, .ack = 5002, .want = TG_PASS_OK, STATES(TIME_WAIT, CLOSED) },
		{ CLIENT, ACK, .seq = 1102, .ack = 5001, .want = TG_PASS_OK, STATES(FIN_WAIT_2, LAST_ACK) },
		{ CLIENT, ACK, .seq = 1102, .ack = 5003, .want = TG_DROP_ACK_ABOVE, STATES(FIN_WAIT_2, LAST_ACK) },
		{ CLIENT, ACK, .seq = 1102, .ack = 5002, .payload = 1, .want = TG_DROP_DATA_AFTER_FIN, STATES(FIN_WAIT_2, LAST_ACK) },
		{ SERVER, ACK, .seq = 5002, .ack = 1102, .want = TG_PASS_OK, STATES(FIN_WAIT_2, LAST_ACK) },
		{ SERVER, ACK, .seq = 5002, .ack = 1102, .payload = 10, .want = TG_PASS_FIN_RETRACT, STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ CLIENT, SYN, .seq = 9000, .want = TG_NOUPD_SYN_CHALLENGE, STATES(FIN_WAIT_2, LAST_ACK) },
		{ SERVER, SYN, .seq = 9000, .want = TG_NOUPD_SYN_CHALLENGE, STATES(FIN_WAIT_2, LAST_ACK) },
	};

	EACH_AFTER(*state, last, cells);
}

static void every_segment_after_crossing_fins(void **state)
{
	static const struct step cells[] = {
		{ CLIENT, ACK, .seq = 1102, .ack = 5002, .want = TG_PASS_OK, STATES(CLOSING, FIN_WAIT_2) },
		{ SERVER, ACK, .seq = 5002, .ack = 1102, .want = TG_PASS_OK, STATES(FIN_WAIT_2, CLOSING) },
		{ CLIENT, ACK, .seq = 1102, .ack = 5001, .want = TG_PASS_OK, STATES(FIN_WAIT_1, FIN_WAIT_1) },
		{ SERVER, ACK, .seq = 5002, .ack = 1101, .want = TG_PASS_OK, STATES(FIN_WAIT_1, FIN_WAIT_1) },
		{ CLIENT, ACK, .seq = 1102, .ack = 5001, .payload = 9, .want = TG_PASS_FIN_RETRACT, STATES(ESTABLISHED, FIN_WAIT_1) },
		{ CLIENT, SYN, .seq = 9000, .want = TG_NOUPD_SYN_CHALLENGE, STATES(FIN_WAIT_1, FIN_WAIT_1) },
		{ SERVER, SYN, .seq = 9000, .want = TG_NOUPD_SYN_CHALLENGE, STATES(FIN_WAIT_1, FIN_WAIT_1) },
	};
	static const struct step later[] = {
		{ SERVER, ACK, .seq = 5002, .ack = 1102, .want = TG_PASS_OK, STATES(TIME_WAIT, TIME_WAIT) },
		{ SERVER, ACK, .seq = 5002, .ack = 1101, .want = TG_PASS_OK, STATES(CLOSING, FIN_WAIT_2) },
		{ CLIENT, ACK, .seq = 1102, .ack = 5002, .want = TG_PASS_OK, STATES(CLOSING, FIN_WAIT_2) },
	};

	EACH_AFTER(*state, crossed, cells);
	EACH_AFTER(*state, crossed_acked, later);
}

static void fin_retr_is_a_retransmission_in_every_state(void **state)
{
	static const struct step after_one[] = {
		{ CLIENT, FIN | ACK, .seq = 1101, .ack = 5001, .want = TG_PASS_RETRANS, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ CLIENT, FIN | ACK, .seq = 1001, .ack = 5001, .payload = 100, .want = TG_PASS_RETRANS, STATES(FIN_WAIT_1, ESTABLISHED) },
	};
	static const struct step after_ack[] = {
		{ CLIENT, FIN | ACK, .seq = 1101, .ack = 5001, .want = TG_PASS_RETRANS, STATES(FIN_WAIT_2, CLOSE_WAIT) },
	};
	static const struct step after_both[] = {
		{ CLIENT, FIN | ACK, .seq = 1101, .ack = 5001, .want = TG_PASS_RETRANS, STATES(FIN_WAIT_2, LAST_ACK) },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1102, .want = TG_PASS_RETRANS, STATES(FIN_WAIT_2, LAST_ACK) },
	};
	static const struct step after_crossing[] = {
		{ CLIENT, FIN | ACK, .seq = 1101, .ack = 5001, .want = TG_PASS_RETRANS, STATES(FIN_WAIT_1, FIN_WAIT_1) },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1101, .want = TG_PASS_RETRANS, STATES(FIN_WAIT_1, FIN_WAIT_1) },
		/* It acknowledges the other FIN this time, but was not sent because of it. */
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1102, .want = TG_PASS_RETRANS, STATES(FIN_WAIT_2, CLOSING) },
	};

	EACH_AFTER(*state, finished, after_one);
	EACH_AFTER(*state, fin_acked, after_ack);
	EACH_AFTER(*state, last, after_both);
	EACH_AFTER(*state, crossed, after_crossing);
}

static void simclose_ends_in_time_wait_on_both_sides(void **state)
{
	static const struct step steps[] = {
		CROSSED,
		{ SERVER, ACK, .seq = 5002, .ack = 1102, .want = TG_PASS_OK, STATES(FIN_WAIT_2, CLOSING) },
		{ CLIENT, ACK, .seq = 1102, .ack = 5002, .want = TG_PASS_OK, STATES(TIME_WAIT, TIME_WAIT) },
	};

	TALK(*state, steps);
}

static void three_segments_close_a_connection(void **state)
{
	static const struct step steps[] = {
		FINISHED,
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1102, .payload = 100, .want = TG_PASS_OK, STATES(FIN_WAIT_2, LAST_ACK) },
		{ CLIENT, ACK, .seq = 1102, .ack = 5102, .want = TG_PASS_OK, STATES(TIME_WAIT, CLOSED) },
	};

	TALK(*state, steps);
}

static void half_close_data_of_200_kb_is_delivered(void **state)
{
	static const struct step beginning[] = { FIN_ACKED };
	struct step data = { SERVER, ACK, .seq = 5001, .ack = 1102, .payload = 1460, .want = TG_PASS_OK,
			     STATES(FIN_WAIT_2, CLOSE_WAIT) };
	struct step ack = { CLIENT, ACK, .seq = 1102, .want = TG_PASS_OK, STATES(FIN_WAIT_2, CLOSE_WAIT) };
	struct step ending[] = {
		{ SERVER, FIN | ACK, .ack = 1102, .want = TG_PASS_OK, STATES(FIN_WAIT_2, LAST_ACK) },
		{ CLIENT, ACK, .seq = 1102, .want = TG_PASS_OK, STATES(TIME_WAIT, CLOSED) },
	};
	size_t i;

	TALK(*state, beginning);
	for (i = 0; data.seq < 5001 + 200 * 1024; i++) {
		guard_say(*state, &data, i);
		data.seq += data.payload;
		ack.ack = data.seq;
		if (i % 2)
			guard_say(*state, &ack, i);
	}
	ending[0].seq = data.seq;
	ending[1].ack = data.seq + 1;
	TALK(*state, ending);
}

static void half_close_long_silence_of_50_minutes(void **state)
{
	static const struct step steps[] = {
		FIN_ACKED,
		{ SERVER, ACK, .seq = 5001, .ack = 1102, .payload = 1460, .after_ms = 50 * 60000, .want = TG_PASS_OK,
		  STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ CLIENT, ACK, .seq = 1102, .ack = 6461, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = 6461, .ack = 1102, .payload = 1460, .after_ms = 50 * 60000, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1102, .ack = 7921, .want = TG_PASS_OK, STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ SERVER, FIN | ACK, .seq = 7921, .ack = 1102, .after_ms = 50 * 60000, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1102, .ack = 7922, .want = TG_PASS_OK, STATES(TIME_WAIT, CLOSED) },
	};

	TALK(*state, steps);
}

static void old_ack_after_fin_does_not_acknowledge_it(void **state)
{
	static const struct step steps[] = {
		FINISHED,
		{ SERVER, ACK, .seq = 5001, .ack = 1001, .want = TG_PASS_OK, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1101, .want = TG_PASS_OK, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1101, .payload = 500, .want = TG_PASS_OK, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5501, .ack = 1102, .want = TG_PASS_OK, STATES(FIN_WAIT_2, CLOSE_WAIT) },
		/* Nor does a late copy take the acknowledgement back. */
		{ SERVER, ACK, .seq = 5501, .ack = 1101, .want = TG_PASS_OK, STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ SERVER, FIN | ACK, .seq = 5501, .ack = 1102, .want = TG_PASS_OK, STATES(FIN_WAIT_2, LAST_ACK) },
		{ CLIENT, ACK, .seq = 1102, .ack = 5501, .want = TG_PASS_OK, STATES(FIN_WAIT_2, LAST_ACK) },
		{ CLIENT, ACK, .seq = 1102, .ack = 5502, .want = TG_PASS_OK, STATES(TIME_WAIT, CLOSED) },
	};

	TALK(*state, steps);
}

static void a_forged_fin_is_taken_back_by_the_data_that_follows(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK },
		/* Ahead of what the client has sent; the server's checksum or window refuses it. */
		{ CLIENT, FIN | ACK, .seq = 1501, .ack = 5001, .want = TG_PASS_OK, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .payload = 400, .want = TG_PASS_RETRANS },
		{ SERVER, ACK, .seq = 5001, .ack = 1401, .want = TG_PASS_OK, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 1401, .ack = 5001, .payload = 400, .want = TG_PASS_FIN_RETRACT, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1801, .payload = 100, .want = TG_PASS_OK },
		{ CLIENT, FIN | ACK, .seq = 1801, .ack = 5101, .want = TG_PASS_OK, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, FIN | ACK, .seq = 5101, .ack = 1802, .want = TG_PASS_OK, STATES(FIN_WAIT_2, LAST_ACK) },
		{ CLIENT, ACK, .seq = 1802, .ack = 5102, .want = TG_PASS_OK, STATES(TIME_WAIT, CLOSED) },
	};

	TALK(*state, steps);
}

static void a_fin_below_what_was_sent_closes_nothing(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .payload = 500, .want = TG_PASS_OK },
		{ CLIENT, FIN | ACK, .seq = 1100, .ack = 5001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1501, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, steps);
}

static void fin_data_that_overtook_data_counts(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK },
		{ CLIENT, FIN | ACK, .seq = 1101, .ack = 5001, .payload = 50, .want = TG_PASS_OK, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .payload = 100, .want = TG_PASS_RETRANS, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1152, .want = TG_PASS_OK, STATES(FIN_WAIT_2, CLOSE_WAIT) },
	};

	TALK(*state, steps);
}

static void fins_that_end_at_the_wrap(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = 0xfffffffe, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 0xfffffffd, .ack = 0xffffffff, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 0xffffffff, .ack = 0xfffffffe, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, FIN | ACK, .seq = 0xffffffff, .ack = 0xfffffffe, .want = TG_PASS_OK, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, ACK, .seq = 0xfffffffe, .ack = 0xffffffff, .want = TG_PASS_OK, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, ACK, .seq = 0xfffffffe, .ack = 0, .payload = 1, .want = TG_PASS_OK, STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ CLIENT, ACK, .seq = 0, .ack = 0xffffffff, .payload = 1, .want = TG_DROP_DATA_AFTER_FIN },
		{ SERVER, FIN | ACK, .seq = 0xffffffff, .ack = 0, .want = TG_PASS_OK, STATES(FIN_WAIT_2, LAST_ACK) },
		{ CLIENT, ACK, .seq = 0, .ack = 0xffffffff, .want = TG_PASS_OK, STATES(FIN_WAIT_2, LAST_ACK) },
		{ CLIENT, ACK, .seq = 0, .ack = 0, .want = TG_PASS_OK, STATES(TIME_WAIT, CLOSED) },
	};

	TALK(*state, steps);
}

/* Says the steps and notes which states the endpoints of a live flow go through. */
static void note_states(struct guard *guard, const struct step *steps, size_t count, bool exchanged,
			uint32_t seen[2])
{
	size_t i;

	guard_advance_ms(guard, FORGET_MS);
	for (i = 0; i < count; i++) {
		say_as(guard, steps[i], exchanged, i + 1);
		assert_non_null(guard_slot(guard));
		seen[CLIENT] |= 1U << guard_state(guard, CLIENT);
		seen[SERVER] |= 1U << guard_state(guard, SERVER);
	}
}

static void each_endpoint_goes_through_all_eleven_states(void **state)
{
	static const struct step ordinary[] = {
		BOTH_FINISHED,
		{ CLIENT, ACK, .seq = 1102, .ack = 5002, .want = TG_PASS_OK, STATES(TIME_WAIT, CLOSED) },
	};
	static const struct step both_at_once[] = {
		CROSSED,
		{ CLIENT, ACK, .seq = 1102, .ack = 5002, .want = TG_PASS_OK, STATES(CLOSING, FIN_WAIT_2) },
		{ SERVER, ACK, .seq = 5002, .ack = 1102, .want = TG_PASS_OK, STATES(TIME_WAIT, TIME_WAIT) },
	};
	uint32_t seen[2] = { 0, 0 };
	int exchanged;

	for (exchanged = 0; exchanged < 2; exchanged++) {
		note_states(*state, ordinary, COUNT(ordinary), exchanged, seen);
		note_states(*state, both_at_once, COUNT(both_at_once), exchanged, seen);
	}
	assert_int_equal(seen[CLIENT], (1U << TG_TCP_STATE_MAX) - 1);
	assert_int_equal(seen[SERVER], (1U << TG_TCP_STATE_MAX) - 1);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, guard_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_segment_after_one_fin, setup_between),
		TEST(every_segment_after_one_acknowledged_fin, setup_between),
		TEST(every_segment_after_both_fins, setup_between),
		TEST(every_segment_after_crossing_fins, setup_between),
		TEST(fin_retr_is_a_retransmission_in_every_state, setup_between),
		TEST(simclose_ends_in_time_wait_on_both_sides, guard_setup),
		TEST(three_segments_close_a_connection, guard_setup),
		TEST(half_close_data_of_200_kb_is_delivered, guard_setup),
		TEST(half_close_long_silence_of_50_minutes, guard_setup),
		TEST(old_ack_after_fin_does_not_acknowledge_it, guard_setup),
		TEST(a_forged_fin_is_taken_back_by_the_data_that_follows, guard_setup),
		TEST(a_fin_below_what_was_sent_closes_nothing, guard_setup),
		TEST(fin_data_that_overtook_data_counts, guard_setup),
		TEST(fins_that_end_at_the_wrap, guard_setup),
		TEST(each_endpoint_goes_through_all_eleven_states, guard_setup),
	};

	return cmocka_run_group_tests_name("close", tests, NULL, NULL);
}
