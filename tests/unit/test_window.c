/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The window check against a model in numbers that do not wrap: each bound at its edge, one below and
 * one above, with the edge on every side of 2^32; then random segments around the edges.
 */
#include "tests/unit/unit.h"

#include "bpf/tcp_window.h"

#define TURN (1LL << 32) /* where 32 bits begin anew */
#define MIB (1LL << 20)
#define SPAN (1LL << 30)
#define MARGIN 66000LL

/* One direction in numbers that do not wrap. */
struct big_half {
	int64_t end, ack, right, maxwin, isn;
	bool hasack, acksyn, syn, fin, pickup, frag;
	int wscale; /* -1: none */
};

struct big_segment {
	int64_t seq, end, ack, sack; /* sack: highest right edge, -1 none */
	int window;
};

struct model {
	struct big_half s, r; /* sender, receiver */
	struct big_segment p;
	bool strict;
};

static int64_t max64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static bool model_finack(const struct model *m)
{
	return m->s.fin && m->r.hasack && m->r.ack >= m->s.end;
}

/* LIMIT of tcp-tracking 2.3. */
static int64_t model_limit(const struct model *m)
{
	if (m->r.hasack)
		return m->r.right;
	if (m->s.pickup)
		return m->s.end + SPAN;
	if (m->r.syn)
		return max64(m->s.end, m->s.isn + 1 + m->r.maxwin);
	return m->s.end;
}

/* What R sent; of an adopted one that was never heard, what S acknowledged is the best guess. */
static int64_t model_r_end(const struct model *m)
{
	return m->r.pickup && !m->r.hasack && m->s.hasack ? max64(m->r.end, m->s.ack) : m->r.end;
}

/* Of a sender of fragments it is not known where its FIN is. */
static bool model_beyond_fin(const struct model *m)
{
	return m->s.fin && !m->s.frag && m->p.end > m->s.end;
}

/* tcp-tracking 2.6, line by line. */
static enum tg_verdict model_check(const struct model *m)
{
	int64_t s_end = m->s.end, r_end = model_r_end(m), low, old, margin = max64(m->s.maxwin, MARGIN);
	enum tg_verdict passed = TG_UNDECIDED;

	if (m->p.seq > model_limit(m))
		return TG_DROP_SEQ_ABOVE;
	if (model_beyond_fin(m) && model_finack(m)) { /* one number without data: a FIN counted twice */
		if (m->p.end > m->p.seq || m->p.end - m->s.end > 1)
			return TG_DROP_DATA_AFTER_FIN;
		passed = TG_NOUPD_SECOND_FIN;
	}
	if (m->p.ack > r_end && !((m->r.pickup || m->r.frag) && m->p.ack - r_end < SPAN))
		return TG_DROP_ACK_ABOVE;
	if (m->s.pickup && !m->s.hasack) /* what an adopted, silent half sent is a guess */
		s_end = max64(s_end, m->p.end);
	low = s_end - m->r.maxwin;
	old = low - max64(m->r.maxwin, MIB);
	if (m->p.end < low)
		return m->p.end < old ? TG_DROP_SEQ_BELOW : m->strict ? TG_DROP_SEQ_OLD :
									TG_NOUPD_SEQ_OLD;
	low = r_end - margin;
	old = low - max64(margin, MIB);
	if (m->p.ack < low)
		return m->p.ack < old ? TG_DROP_ACK_BELOW : m->strict ? TG_DROP_ACK_OLD :
									TG_NOUPD_ACK_OLD;
	return passed;
}

/* "Updates on PASS" of 2.6. */
static void model_update(struct model *m)
{
	bool scaled = m->s.wscale >= 0 && m->r.wscale >= 0;
	int64_t window = (int64_t)m->p.window << (m->s.pickup ? 14 : scaled ? m->s.wscale :
									      0);
	int64_t held = m->p.sack > m->p.ack && m->p.sack <= m->r.end ? m->p.sack : m->p.ack;
	int64_t right = m->p.ack + max64(window, 1);

	m->s.maxwin = max64(m->s.maxwin, window + held - m->p.ack);
	m->s.maxwin = max64(m->s.maxwin, 1) > SPAN ? SPAN : max64(m->s.maxwin, 1);
	m->s.end = max64(m->s.end, m->p.end);
	m->s.ack = m->s.hasack ? max64(m->s.ack, m->p.ack) : m->p.ack;
	m->s.right = m->s.hasack ? max64(m->s.right, right) : right;
	m->s.acksyn |= m->r.syn && m->p.ack >= m->r.isn + 1;
	m->s.hasack = true;
}

static void pack_half(const struct big_half *x, struct tg_half *half)
{
	half->end = (__u32)x->end;
	half->ack = (__u32)x->ack;
	half->right = (__u32)x->right;
	half->maxwin = (__u32)x->maxwin;
	half->aux = 0;
	half->facts = (x->hasack ? TG_FACT_HASACK : 0) | (x->acksyn ? TG_FACT_ACKSYN : 0) |
		      (x->syn ? TG_FACT_SYN : 0) | (x->fin ? TG_FACT_FIN : 0) |
		      (x->pickup ? TG_FACT_PICKUP : 0) | (x->frag ? TG_FACT_FRAG : 0) |
		      (__u32)(x->wscale < 0 ? TG_WSCALE_NONE : x->wscale) << TG_WSCALE_SHIFT;
}

struct packed {
	struct tg_slot slot;
	struct tg_detail detail;
	struct tg_view view;
	struct tg_packet pkt;
};

static void pack(const struct model *m, enum tg_side side, struct packed *to)
{
	memset(to, 0, sizeof(*to));
	to->view.side = side;
	to->view.sender = &to->slot.half[side];
	to->view.receiver = &to->slot.half[!side];
	to->view.detail = &to->detail;
	to->view.strict = m->strict;
	to->detail.isn[side] = (__u32)m->s.isn;
	to->detail.isn[!side] = (__u32)m->r.isn;
	pack_half(&m->s, to->view.sender);
	pack_half(&m->r, to->view.receiver);
	to->pkt.seq = (__u32)m->p.seq;
	to->pkt.end = (__u32)m->p.end;
	to->pkt.payload = (__u32)(m->p.end - m->p.seq);
	to->pkt.ack = (__u32)m->p.ack;
	to->pkt.window = (__u16)m->p.window;
	to->pkt.flags = TG_ACK;
	if (m->p.sack >= 0) {
		to->pkt.options = TG_OPT_SACK;
		to->pkt.sack_right = (__u32)m->p.sack;
	}
}

static void check(const struct model *m, const char *what, int64_t by)
{
	enum tg_verdict want = model_check(m), got;
	enum tg_side side;

	for (side = TG_SIDE_LO; side <= TG_SIDE_HI; side++) {
		struct packed packed;
		__u32 limit;

		pack(m, side, &packed);
		limit = tg_send_limit(&packed.view);
		assert_int_equal(limit, (__u32)model_limit(m));
		got = tg_window_check(&packed.view, &packed.pkt, limit);
		if (got != want)
			fail_msg("%s %+lld: want %s, got %s", what, (long long)by, verdict_name(want),
				 verdict_name(got));
		assert_int_equal(tg_retracts_fin(&packed.view, &packed.pkt),
				 model_beyond_fin(m) && !model_finack(m));
	}
}

/* Both directions in full flow: 10,000 bytes in flight each way, windows as given. */
static struct model in_flow(int64_t s_end, int64_t r_end, int64_t window)
{
	struct model m = {
		.s = {
			.end = s_end,
			.ack = r_end - 10000,
			.maxwin = window,
			.isn = s_end - 100000,
			.hasack = true,
			.acksyn = true,
			.syn = true,
		},
		.r = {
			.end = r_end,
			.ack = s_end - 10000,
			.maxwin = window,
			.isn = r_end - 100000,
			.hasack = true,
			.acksyn = true,
			.syn = true,
		},
	};

	m.s.right = m.s.ack + window;
	m.r.right = m.r.ack + window;
	m.p = (struct big_segment){ .seq = s_end, .end = s_end + 100, .ack = r_end, .sack = -1, .window = 512 };
	return m;
}

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

static int64_t around(uint64_t *seed, int64_t edge)
{
	static const int64_t scales[] = { 3, 2000, 70000, 3 * MIB, SPAN / 2 };
	int64_t scale = scales[random_below(seed, COUNT(scales))];

	return edge + (int64_t)random_below(seed, (uint32_t)(2 * scale + 1)) - scale;
}

static struct big_half random_half(uint64_t *seed)
{
	struct big_half x = {};
	__u32 bits = random_u32(seed);

	x.end = 3 * TURN + (random_below(seed, 2) ? around(seed, 0) : (int64_t)random_u32(seed));
	x.isn = x.end - 1 - (random_below(seed, 2) ? random_below(seed, 3) : random_below(seed, 1 << 29));
	x.syn = true;
	x.hasack = bits & 3;
	x.acksyn = x.hasack && (bits & 12);
	x.fin = !(bits & 0x70);
	x.pickup = !(bits & 0x700);
	x.frag = !(bits & 0x7000);
	x.wscale = (int)(bits >> 16 & 15) - 1;
	x.maxwin = random_below(seed, 3) ? 1 + random_below(seed, 70000) :
					   1 + random_below(seed, (__u32)SPAN);
	return x;
}

static void random_model(uint64_t *seed, struct model *m)
{
	int64_t edges[6];

	m->s = random_half(seed);
	m->r = random_half(seed);
	m->s.ack = m->r.end + (random_below(seed, 8) ? 0 : 100000) - random_below(seed, 70000);
	m->r.ack = m->s.end - (random_below(seed, 2) ? random_below(seed, 70000) : 0);
	m->s.right = m->s.ack + m->s.maxwin;
	m->r.right = m->r.ack + m->r.maxwin;
	m->strict = random_below(seed, 2);
	edges[0] = model_limit(m);
	edges[1] = m->s.end;
	edges[2] = m->s.end - m->r.maxwin;
	edges[3] = edges[2] - max64(m->r.maxwin, MIB);
	m->p.seq = around(seed, edges[random_below(seed, 4)]);
	m->p.end = m->p.seq + (random_below(seed, 2) ? random_below(seed, 66000) : 0);
	edges[4] = m->r.end - max64(m->s.maxwin, MARGIN);
	edges[5] = edges[4] - max64(max64(m->s.maxwin, MARGIN), MIB);
	m->p.ack = around(seed, random_below(seed, 3) ? m->r.end : edges[4 + random_below(seed, 2)]);
	m->p.sack = random_below(seed, 3) ? -1 : around(seed, m->r.end);
	m->p.window = random_below(seed, 4) ? (int)random_below(seed, 65536) : 0;
}

static bool near(int64_t a, int64_t b)
{
	return a - b < TURN / 2 && b - a < TURN / 2;
}

/* Serial comparison is exact only below half a circle: the model's numbers must stay there. */
static bool within_reach(const struct model *m)
{
	int64_t end = max64(m->s.end, m->s.pickup ? m->p.end : 0);
	int64_t low = end - m->r.maxwin, margin = max64(m->s.maxwin, MARGIN), r_end = model_r_end(m);

	return near(m->p.seq, model_limit(m)) && near(m->p.end, m->s.end) && near(m->p.end, low) &&
	       near(m->p.end, low - max64(m->r.maxwin, MIB)) && near(m->p.ack, r_end - margin) &&
	       near(m->p.ack, r_end - margin - max64(margin, MIB)) && near(m->p.ack, r_end) &&
	       near(m->p.ack, m->r.isn + 1) && (m->p.sack < 0 || near(m->p.sack, m->p.ack));
}

static void check_update(struct model *m)
{
	struct packed packed;

	pack(m, TG_SIDE_HI, &packed);
	model_update(m);
	tg_window_update(&packed.view, &packed.pkt);
	assert_int_equal(packed.view.sender->end, (__u32)m->s.end);
	assert_int_equal(packed.view.sender->ack, (__u32)m->s.ack);
	assert_int_equal(packed.view.sender->right, (__u32)m->s.right);
	assert_int_equal(packed.view.sender->maxwin, (__u32)m->s.maxwin);
	assert_int_equal(!!(packed.view.sender->facts & TG_FACT_ACKSYN), m->s.acksyn);
	assert_true(packed.view.sender->facts & TG_FACT_HASACK);
}

static void random_segments_agree_with_the_model(void **state)
{
	unsigned int outcomes[TG_VERDICT_MAX] = {};
	uint64_t seed = 21;
	struct model m;
	int i;

	(void)state;
	for (i = 0; i < 2000000; i++) {
		random_model(&seed, &m);
		if (!within_reach(&m))
			continue;
		check(&m, "random", i);
		outcomes[model_check(&m)]++;
		if (!model_check(&m))
			check_update(&m);
	}
	assert_true(outcomes[TG_UNDECIDED] && outcomes[TG_DROP_SEQ_ABOVE] && outcomes[TG_DROP_ACK_ABOVE] &&
		    outcomes[TG_DROP_SEQ_BELOW] && outcomes[TG_DROP_ACK_BELOW] &&
		    outcomes[TG_NOUPD_SEQ_OLD] && outcomes[TG_NOUPD_ACK_OLD] && outcomes[TG_DROP_SEQ_OLD] &&
		    outcomes[TG_DROP_ACK_OLD] && outcomes[TG_DROP_DATA_AFTER_FIN]);
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
		cmocka_unit_test(random_segments_agree_with_the_model),
		cmocka_unit_test(a_long_transfer_wraps_unnoticed),
	};

	return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
