/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The window check written again in numbers that do not wrap, and check(), which compares the two
 * for one segment of one flow.
 */
#ifndef TESTS_WINDOW_MODEL_H
#define TESTS_WINDOW_MODEL_H

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

static inline int64_t max64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static inline bool model_finack(const struct model *m)
{
	return m->s.fin && m->r.hasack && m->r.ack >= m->s.end;
}

/* The edge the sender may write up to. */
static inline int64_t model_limit(const struct model *m)
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
static inline int64_t model_r_end(const struct model *m)
{
	return m->r.pickup && !m->r.hasack && m->s.hasack ? max64(m->r.end, m->s.ack) : m->r.end;
}

/* Of a sender of fragments it is not known where its FIN is. */
static inline bool model_beyond_fin(const struct model *m)
{
	return m->s.fin && !m->s.frag && m->p.end > m->s.end;
}

/* The bounds, one after the other. */
static inline enum tg_verdict model_check(const struct model *m)
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
static inline void model_update(struct model *m)
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

static inline void pack_half(const struct big_half *x, struct tg_half *half)
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

static inline void pack(const struct model *m, enum tg_side side, struct packed *to)
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

static inline void check(const struct model *m, const char *what, int64_t by)
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
static inline struct model in_flow(int64_t s_end, int64_t r_end, int64_t window)
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

#endif
