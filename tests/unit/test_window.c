/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The window check against a model in numbers that do not wrap: each bound at its edge, one below
 * and one above, with the edge on every side of 2^32.
 */
#include "tests/unit/window_model.h"

static const int64_t windows[] = { 20000, 65535, 66000, 66001, MIB - 1, MIB, MIB + 1, SPAN / 2, SPAN };

/*
 * The edge is where 32 bits turn over.  The window is filled up to 5,000 bytes before it: 1 GiB of
 * data never seen, and a GSO segment behind it, would be half a circle from bound II.
 */
static void check_seq_above(int64_t turn, int64_t window)
{
	int64_t by;

	for (by = -2; by <= 2; by++) {
		struct model m = in_flow(turn - 5000, 5000000000, window);

		m.r.ack = turn - window;
		m.r.right = turn;
		m.p.seq = turn + by;
		m.p.end = m.p.seq + (by & 1 ? 0 : 64000);
		check(&m, "SEQ_ABOVE", by);
		assert_int_equal(model_check(&m), by > 0 ? TG_DROP_SEQ_ABOVE : TG_UNDECIDED);
	}
}

static void check_ack_above(int64_t turn, int64_t window)
{
	int loose;
	int64_t by;

	for (loose = 0; loose < 3; loose++) {
		for (by = -2; by <= 2; by++) {
			int64_t beyond = loose ? SPAN - 1 : 0;
			struct model m = in_flow(5000000000, turn - beyond, window);

			m.r.pickup = loose == 1;
			m.r.frag = loose == 2;
			m.p.ack = turn + by;
			check(&m, "ACK_ABOVE", by);
			assert_int_equal(model_check(&m), by > 0 ? TG_DROP_ACK_ABOVE : TG_UNDECIDED);
		}
	}
}

static void check_seq_below(int64_t turn, int64_t window, bool strict)
{
	int64_t by, band = max64(window, MIB);

	for (by = -2; by <= 2; by++) {
		struct model m = in_flow(turn + window, 9000000000, window);

		m.strict = strict;
		m.p.end = turn + by;
		m.p.seq = m.p.end - 1;
		check(&m, "SEQ_OLD", by);
		assert_int_equal(model_check(&m), by >= 0 ? TG_UNDECIDED :
						  strict  ? TG_DROP_SEQ_OLD :
							    TG_NOUPD_SEQ_OLD);
		m = in_flow(turn + window + band, 9000000000, window);
		m.strict = strict;
		m.p.end = turn + by;
		m.p.seq = m.p.end - 1;
		check(&m, "SEQ_BELOW", by);
		assert_int_equal(model_check(&m), by < 0 ? TG_DROP_SEQ_BELOW :
						  strict ? TG_DROP_SEQ_OLD :
							   TG_NOUPD_SEQ_OLD);
	}
}

static void check_ack_below(int64_t turn, int64_t window, bool strict)
{
	int64_t by, margin = max64(window, MARGIN), band = max64(margin, MIB);

	for (by = -2; by <= 2; by++) {
		struct model m = in_flow(9000000000, turn + margin, window);

		m.strict = strict;
		m.p.ack = turn + by;
		check(&m, "ACK_OLD", by);
		assert_int_equal(model_check(&m), by >= 0 ? TG_UNDECIDED :
						  strict  ? TG_DROP_ACK_OLD :
							    TG_NOUPD_ACK_OLD);
		m = in_flow(9000000000, turn + margin + band, window);
		m.strict = strict;
		m.p.ack = turn + by;
		check(&m, "ACK_BELOW", by);
		assert_int_equal(model_check(&m), by < 0 ? TG_DROP_ACK_BELOW :
						  strict ? TG_DROP_ACK_OLD :
							   TG_NOUPD_ACK_OLD);
	}
}

static void each_edge_is_exact_on_every_side_of_2_to_32(void **state)
{
	int64_t shift;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(windows); i++) {
		for (shift = -3; shift <= 3; shift++) {
			check_seq_above(TURN + shift, windows[i]);
			check_ack_above(2 * TURN + shift, windows[i]);
			if (windows[i] == SPAN)
				continue; /* two windows below S.end is half a circle: no edge there */
			check_seq_below(TURN + shift, windows[i], false);
			check_seq_below(TURN + shift, windows[i], true);
			check_ack_below(2 * TURN + shift, windows[i], false);
			check_ack_below(2 * TURN + shift, windows[i], true);
		}
	}
}

/* Data beyond a FIN: the FIN was not real unless it is acknowledged. */
static void data_beyond_a_fin(void **state)
{
	int64_t shift, by;

	(void)state;
	for (shift = -2; shift <= 2; shift++) {
		for (by = -1; by <= 1; by++) {
			struct model m = in_flow(TURN + shift, 9000000000, 65535);

			m.s.fin = true;
			m.p.seq = m.s.end - 1;
			m.p.end = m.s.end + by;
			m.r.ack = m.s.end - 1; /* all but the FIN */
			check(&m, "data beyond an open FIN", by);
			assert_int_equal(model_check(&m), TG_UNDECIDED);
			m.r.ack = m.s.end;
			check(&m, "data beyond an acknowledged FIN", by);
			assert_int_equal(model_check(&m), by > 0 ? TG_DROP_DATA_AFTER_FIN : TG_UNDECIDED);
			m.p.seq = m.p.end; /* a pure ACK there: no data, one number beyond */
			check(&m, "pure ACK", by);
		}
	}
}

/* Before the first acknowledgement the SYN's own window bounds the answer: a TFO server's burst. */
static void the_first_flight_is_bounded_by_the_window_of_the_syn(void **state)
{
	int64_t shift, by;

	(void)state;
	for (shift = -3; shift <= 3; shift++) {
		for (by = -2; by <= 2; by++) {
			struct model m = in_flow(TURN - 65535 + shift + 1, 9000000000, 65535);

			m.r.hasack = false;
			m.s.isn = m.s.end - 1;
			m.p.seq = m.s.isn + 1 + 65535 + by;
			m.p.end = m.p.seq + 1460;
			check(&m, "first flight", by);
			assert_int_equal(model_check(&m), by > 0 ? TG_DROP_SEQ_ABOVE : TG_UNDECIDED);
			/* The other side has not spoken: nothing beyond what was sent. */
			m.r.syn = false;
			m.p.seq = m.s.end + by;
			m.p.end = m.p.seq;
			check(&m, "peer unknown", by);
			assert_int_equal(model_check(&m), by > 0 ? TG_DROP_SEQ_ABOVE : TG_UNDECIDED);
			/* Adopted: 1 GiB. */
			m.s.pickup = true;
			m.p.seq = m.s.end + SPAN + by;
			m.p.end = m.p.seq;
			check(&m, "adopted", by);
			assert_int_equal(model_check(&m), by > 0 ? TG_DROP_SEQ_ABOVE : TG_UNDECIDED);
		}
	}
}

/* A whole transfer of 3 * 2^32 bytes: nothing is ever out of window, every number wraps. */
static void a_long_transfer_wraps_unnoticed(void **state)
{
	struct model m = in_flow(TURN - 500000, 2 * TURN - 7, MIB);
	struct packed packed;

	(void)state;
	m.s.wscale = m.r.wscale = 7;
	m.p.window = 8192;
	while (m.s.end < 4 * TURN) {
		struct model back;

		m.p.seq = m.s.end;
		m.p.end = m.p.seq + 50000;
		m.p.ack = m.r.end;
		pack(&m, TG_SIDE_LO, &packed);
		assert_int_equal(tg_window_check(&packed.view, &packed.pkt, tg_send_limit(&packed.view)),
				 TG_UNDECIDED);
		model_update(&m);
		/* The acknowledgement, with one byte of its own. */
		back = m;
		back.s = m.r;
		back.r = m.s;
		back.p.seq = back.s.end;
		back.p.end = back.p.seq + 1;
		back.p.ack = back.r.end;
		pack(&back, TG_SIDE_HI, &packed);
		assert_int_equal(tg_window_check(&packed.view, &packed.pkt, tg_send_limit(&packed.view)),
				 TG_UNDECIDED);
		model_update(&back);
		m.r = back.s;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_edge_is_exact_on_every_side_of_2_to_32),
		cmocka_unit_test(data_beyond_a_fin),
		cmocka_unit_test(the_first_flight_is_bounded_by_the_window_of_the_syn),
		cmocka_unit_test(a_long_transfer_wraps_unnoticed),
	};

	return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
