/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The four bounds at their edges, window scaling, closed and shrinking windows, SACK, and how a
 * good segment is named: new, again, overtaken, keepalive, probe, old by its clock.
 */
#include <string.h>

#include "tests/bpf/harness.h"

#define C 10000000u /* the client's first byte */
#define S 20000000u /* the server's */
#define BAND (1u << 20)

/* wscale as in struct segment; windows of 65535 unless told otherwise. */
static void open_scaled(struct guard *guard, int client, int server, uint16_t window)
{
	const struct step steps[] = {
		{ CLIENT, SYN, .seq = C - 1, .wscale = client, .window = window, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = S - 1, .ack = C, .wscale = server, .window = window,
		  .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = C, .ack = S, .window = window, .want = TG_PASS_OK },
	};

	TALK(guard, steps);
}

static void open_plain(struct guard *guard)
{
	open_scaled(guard, 0, 0, 0);
}

/* I: the server has granted 65535 bytes from C on. */
static void data_may_begin_at_the_granted_edge_and_not_beyond(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = C + 65536, .ack = S, .payload = 1, .want = TG_DROP_SEQ_ABOVE },
		{ CLIENT, ACK, .seq = C + 65536, .ack = S, .want = TG_DROP_SEQ_ABOVE },
		{ CLIENT, ACK, .seq = C + (1u << 30), .ack = S, .payload = 1, .want = TG_DROP_SEQ_ABOVE },
		{ CLIENT, ACK, .seq = C, .ack = S, .payload = 10, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 65534, .ack = S, .payload = 1, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 65535, .ack = S, .payload = 1000, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 65536, .ack = S, .payload = 1, .want = TG_DROP_SEQ_ABOVE },
	};

	open_plain(*state);
	TALK(*state, steps);
}

/* II: the largest window the server granted is 65535. */
static void segments_may_end_one_window_and_a_band_below(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = C - 65535, .ack = S, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C - 65536, .ack = S, .want = TG_NOUPD_SEQ_OLD },
		{ CLIENT, ACK, .seq = C - 65546, .ack = S, .payload = 10, .want = TG_NOUPD_SEQ_OLD },
		{ CLIENT, ACK, .seq = C - 65545, .ack = S, .payload = 10, .want = TG_PASS_RETRANS },
		{ CLIENT, ACK, .seq = C - 65535 - BAND, .ack = S, .want = TG_NOUPD_SEQ_OLD },
		{ CLIENT, ACK, .seq = C - 65536 - BAND, .ack = S, .want = TG_DROP_SEQ_BELOW },
		{ CLIENT, ACK, .seq = C - (1u << 30), .ack = S, .want = TG_DROP_SEQ_BELOW },
	};

	open_plain(*state);
	TALK(*state, steps);
	assert_int_equal(guard_half(*state, CLIENT)->end, C);
}

/* III: exact, an observer sees data before its acknowledgement. */
static void nothing_unsent_can_be_acknowledged(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = C, .ack = S + 1, .want = TG_DROP_ACK_ABOVE },
		{ CLIENT, ACK, .seq = C, .ack = S, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = S, .ack = C, .payload = 100, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C, .ack = S + 101, .want = TG_DROP_ACK_ABOVE },
		{ CLIENT, ACK, .seq = C, .ack = S + 101, .payload = 5, .want = TG_DROP_ACK_ABOVE },
		{ CLIENT, ACK, .seq = C, .ack = S + 100 + (1u << 30), .want = TG_DROP_ACK_ABOVE },
		{ CLIENT, ACK, .seq = C, .ack = S + 100, .want = TG_PASS_OK },
	};

	open_plain(*state);
	TALK(*state, steps);
}

/* IV: M is 66000, because the client's largest window is less. */
static void acknowledgements_may_be_66000_and_a_band_old(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = C, .ack = S - 66000, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C, .ack = S - 66001, .want = TG_NOUPD_ACK_OLD },
		{ CLIENT, ACK, .seq = C, .ack = S - 66000 - BAND, .want = TG_NOUPD_ACK_OLD },
		{ CLIENT, ACK, .seq = C, .ack = S - 66001 - BAND, .want = TG_DROP_ACK_BELOW },
		{ CLIENT, ACK, .seq = C, .ack = S - 66001 - BAND, .payload = 9, .want = TG_DROP_ACK_BELOW },
		{ CLIENT, ACK, .seq = C, .ack = S - (1u << 30), .want = TG_DROP_ACK_BELOW },
	};

	open_plain(*state);
	TALK(*state, steps);
	assert_int_equal(guard_half(*state, CLIENT)->ack, S);
	assert_int_equal(guard_half(*state, CLIENT)->end, C);
}

/* Windows larger than 1 MiB widen all bands: here 8 MiB (65535 << 7), each way. */
static void bounds_grow_with_scaled_windows(void **state)
{
	const uint32_t w = 65535u << 7;
	const struct step steps[] = {
		{ SERVER, ACK, .seq = S, .ack = C, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + w + 1, .ack = S, .payload = 1, .want = TG_DROP_SEQ_ABOVE },
		{ CLIENT, ACK, .seq = C - w, .ack = S, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C - w - 1, .ack = S, .want = TG_NOUPD_SEQ_OLD },
		{ CLIENT, ACK, .seq = C - 2 * w, .ack = S, .want = TG_NOUPD_SEQ_OLD },
		{ CLIENT, ACK, .seq = C - 2 * w - 1, .ack = S, .want = TG_DROP_SEQ_BELOW },
		{ CLIENT, ACK, .seq = C, .ack = S - w, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C, .ack = S - w - 1, .want = TG_NOUPD_ACK_OLD },
		{ CLIENT, ACK, .seq = C, .ack = S - 2 * w, .want = TG_NOUPD_ACK_OLD },
		{ CLIENT, ACK, .seq = C, .ack = S - 2 * w - 1, .want = TG_DROP_ACK_BELOW },
		{ CLIENT, ACK, .seq = C + w, .ack = S, .payload = 1, .want = TG_PASS_OK },
	};

	open_scaled(*state, WS(7), WS(7), 65535);
	TALK(*state, steps);
}

/* How far a window of 1000 reaches after each handshake. */
static void ws_one_side_means_no_scaling(void **state)
{
	static const struct {
		int client, server, shift; /* shift of the server's windows */
	} rows[] = {
		{ 0, 0, 0 },
		{ WS(7), 0, 0 },
		{ 0, WS(7), 0 },
		{ WS(0), WS(7), 7 },
		{ WS(7), WS(0), 0 },
		{ WS(2), WS(9), 9 },
		{ WS(14), WS(14), 14 },
	};
	const struct step window = { SERVER, ACK, .seq = S, .ack = C, .window = 1000, .want = TG_PASS_OK };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t edge = C + (1000u << rows[i].shift);
		const struct step data[] = {
			{ CLIENT, ACK, .seq = edge + 1, .ack = S, .payload = 1, .want = TG_DROP_SEQ_ABOVE },
			{ CLIENT, ACK, .seq = edge, .ack = S, .payload = 1, .want = TG_PASS_OK },
		};

		guard_advance_ms(*state, 90000u * 1000);
		open_scaled(*state, rows[i].client, rows[i].server, 500);
		guard_say(*state, &window, i);
		TALK(*state, data);
	}
}

/* RFC 7323 2.2: the window of a SYN is never scaled, of a SYN-ACK sent again neither (trap 23). */
static void synack_retr_win_is_never_scaled(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = C - 1, .wscale = WS(14), .window = 1000, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = S - 1, .ack = C, .wscale = WS(14), .window = 1000,
		  .want = TG_PASS_SYNACK },
		{ SERVER, SYN | ACK, .seq = S - 1, .ack = C, .wscale = WS(14), .window = 1000,
		  .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = C + 1001, .ack = S, .window = 1, .payload = 1, .want = TG_DROP_SEQ_ABOVE },
		{ CLIENT, ACK, .seq = C, .ack = S, .window = 1, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 1001, .ack = S, .window = 1, .payload = 1, .want = TG_DROP_SEQ_ABOVE },
		{ SERVER, SYN | ACK, .seq = S - 1, .ack = C, .wscale = WS(14), .window = 1000,
		  .want = TG_NOUPD_SYNACK_RETRANS },
		{ CLIENT, ACK, .seq = C + 1001, .ack = S, .window = 1, .payload = 1, .want = TG_DROP_SEQ_ABOVE },
		{ CLIENT, ACK, .seq = C + 1000, .ack = S, .window = 1, .payload = 1, .want = TG_PASS_OK },
	};

	TALK(*state, steps);
}

static void bigwin_of_half_a_gigabyte_in_flight(void **state)
{
	const struct step steps[] = {
		{ SERVER, ACK, .seq = S, .ack = C, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C, .ack = S, .payload = 65000, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + (512u << 20), .ack = S, .payload = 1000, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C, .ack = S, .payload = 65000, .want = TG_PASS_RETRANS },
		{ SERVER, ACK, .seq = S, .ack = C + 65000, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = S, .ack = C + (512u << 20) + 1000, .want = TG_PASS_OK },
	};

	open_scaled(*state, WS(14), WS(14), 65535);
	TALK(*state, steps);
}

static void zero_window_may_be_probed(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = C, .ack = S, .payload = 500, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = S, .ack = C + 500, .zero_window = true, .want = TG_PASS_OK },
		/* BSD's probe, the byte at the edge, again and again. */
		{ CLIENT, ACK, .seq = C + 500, .ack = S, .payload = 1, .want = TG_PASS_WINDOW_PROBE },
		{ SERVER, ACK, .seq = S, .ack = C + 500, .zero_window = true, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 500, .ack = S, .payload = 1, .after_ms = 60000,
		  .want = TG_PASS_WINDOW_PROBE },
		/* Linux's, one byte below and empty. */
		{ CLIENT, ACK, .seq = C + 499, .ack = S, .after_ms = 60000, .want = TG_PASS_WINDOW_PROBE },
		{ SERVER, ACK, .seq = S, .ack = C + 500, .zero_window = true, .want = TG_PASS_OK },
		/* Open again. */
		{ SERVER, ACK, .seq = S, .ack = C + 501, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 501, .ack = S, .payload = 100, .want = TG_PASS_OK },
	};

	open_scaled(*state, 0, 0, 500);
	TALK(*state, steps);
	assert_int_equal(guard_half_count(*state, CLIENT)->retrans, 0);
}

static void a_window_of_nought_grants_no_data(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = C, .ack = S, .payload = 500, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = S, .ack = C + 500, .zero_window = true, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 502, .ack = S, .payload = 1, .want = TG_DROP_SEQ_ABOVE },
		{ CLIENT, ACK, .seq = C + 501, .ack = S, .payload = 1, .want = TG_PASS_WINDOW_PROBE },
	};

	open_scaled(*state, 0, 0, 500);
	TALK(*state, steps);
}

/* RFC 9293 3.8.6: a receiver should not take a window back; what was sent before is still good. */
static void win_shrink_takes_back_nothing_granted(void **state)
{
	static const struct step steps[] = {
		{ SERVER, ACK, .seq = S, .ack = C, .window = 10000, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = S, .ack = C, .window = 100, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 9000, .ack = S, .payload = 1000, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = S, .ack = C, .zero_window = true, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 9000, .ack = S, .payload = 1000, .want = TG_PASS_RETRANS },
		{ CLIENT, ACK, .seq = C + 10001, .ack = S, .payload = 1, .want = TG_DROP_SEQ_ABOVE },
	};

	open_scaled(*state, 0, 0, 500);
	TALK(*state, steps);
}

static void dsack_and_sack_edge_never_cost_a_packet(void **state)
{
	static const struct step steps[] = {
		{ SERVER, ACK, .seq = S, .ack = C, .payload = 3000, .want = TG_PASS_OK },
		/* D-SACK (RFC 2883), below the acknowledgement. */
		{ CLIENT, ACK, .seq = C, .ack = S + 1500, .sack_from = S + 100, .sack_to = S + 900,
		  .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C, .ack = S + 1500, .sack_from = S + 2500, .sack_to = S + 3000,
		  .want = TG_PASS_OK },
		/* A box that rewrites numbers and forgets SACK: the endpoint ignores it, so do we. */
		{ CLIENT, ACK, .seq = C, .ack = S + 1500, .sack_from = S + 2500, .sack_to = S + 3001,
		  .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C, .ack = S + 1500, .sack_from = 1, .sack_to = 2000, .want = TG_PASS_OK },
	};

	open_plain(*state);
	TALK(*state, steps);
	assert_int_equal(guard_half(*state, CLIENT)->maxwin, 65535 + 1500);
}

static void recognises_retransmissions_without_timestamps(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = C, .ack = S, .payload = 1000, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C, .ack = S, .payload = 1000, .want = TG_PASS_RETRANS },
		{ CLIENT, ACK, .seq = C + 200, .ack = S, .payload = 300, .want = TG_PASS_RETRANS },
		/* Old and new: one retransmission, and the new part counts. */
		{ CLIENT, ACK, .seq = C + 500, .ack = S, .payload = 1000, .want = TG_PASS_OK },
		/* A hole, then what fills it: not told apart from a retransmission. */
		{ CLIENT, ACK, .seq = C + 2500, .ack = S, .payload = 1000, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 1500, .ack = S, .payload = 1000, .want = TG_PASS_RETRANS },
	};

	open_plain(*state);
	TALK(*state, steps);
	assert_int_equal(guard_half(*state, CLIENT)->end, C + 3500);
	assert_int_equal(guard_half_count(*state, CLIENT)->retrans, 4);
	assert_int_equal(guard_half_count(*state, CLIENT)->ooo, 1);
}

static void timestamps_tell_overtaken_from_retransmitted(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = C, .ack = S, .payload = 1000, .tsval = 100, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 2000, .ack = S, .payload = 1000, .tsval = 102, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 1000, .ack = S, .payload = 1000, .tsval = 101, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 1000, .ack = S, .payload = 1000, .tsval = 103, .want = TG_PASS_RETRANS },
		{ CLIENT, ACK, .seq = C + 1000, .ack = S, .payload = 1000, .tsval = 103, .want = TG_PASS_RETRANS },
	};

	open_plain(*state);
	TALK(*state, steps);
	assert_int_equal(guard_half_count(*state, CLIENT)->retrans, 2);
	assert_int_equal(guard_half_count(*state, CLIENT)->ooo, 2); /* the hole and what filled it */
}

static void keepalive0_and_keepalive1_pass_after_hours(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = C, .ack = S, .payload = 100, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = S, .ack = C + 100, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 99, .ack = S, .after_ms = 7260u * 1000, .want = TG_PASS_KEEPALIVE },
		{ SERVER, ACK, .seq = S, .ack = C + 100, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 99, .ack = S, .payload = 1, .after_ms = 7260u * 1000,
		  .want = TG_PASS_KEEPALIVE },
		{ SERVER, ACK, .seq = S - 1, .ack = C + 100, .after_ms = 7260u * 1000,
		  .want = TG_PASS_KEEPALIVE, STATES(ESTABLISHED, ESTABLISHED) },
	};

	open_plain(*state);
	TALK(*state, steps);
	assert_int_equal(guard_half_count(*state, CLIENT)->retrans, 0);
}

/* Trap 35: clocks jump and start at nought.  Counted, never dropped. */
static void ts_weird_is_only_counted(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = C, .ack = S, .payload = 100, .tsval = 5000000, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = S, .ack = C + 100, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 100, .ack = S, .payload = 100, .tsval = 4999999, .want = TG_PASS_PAWS },
		{ CLIENT, ACK, .seq = C + 200, .ack = S, .payload = 100, .tsval = 1, .want = TG_PASS_PAWS },
		{ CLIENT, ACK, .seq = C + 300, .ack = S, .payload = 100, .tsval = 5000000, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 400, .ack = S, .payload = 100, .want = TG_PASS_OK }, /* none at all */
	};

	open_plain(*state);
	TALK(*state, steps);
	assert_int_equal(guard_half_count(*state, CLIENT)->tsmax, 5000000);
	assert_int_equal(guard_half(*state, CLIENT)->end, C + 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, guard_setup, guard_teardown)
		TEST(data_may_begin_at_the_granted_edge_and_not_beyond),
		TEST(segments_may_end_one_window_and_a_band_below),
		TEST(nothing_unsent_can_be_acknowledged),
		TEST(acknowledgements_may_be_66000_and_a_band_old),
		TEST(bounds_grow_with_scaled_windows),
		TEST(ws_one_side_means_no_scaling),
		TEST(synack_retr_win_is_never_scaled),
		TEST(bigwin_of_half_a_gigabyte_in_flight),
		TEST(zero_window_may_be_probed),
		TEST(a_window_of_nought_grants_no_data),
		TEST(win_shrink_takes_back_nothing_granted),
		TEST(dsack_and_sack_edge_never_cost_a_packet),
		TEST(recognises_retransmissions_without_timestamps),
		TEST(timestamps_tell_overtaken_from_retransmitted),
		TEST(keepalive0_and_keepalive1_pass_after_hours),
		TEST(ts_weird_is_only_counted),
	};

	return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
