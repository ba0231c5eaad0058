/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the stored facts mean: the RFC 9293 state of each endpoint and the phase of the flow.
 * Pure functions of the two halves: nothing here is stored, so nothing can be inconsistent.
 */
#ifndef TCPGUARD_STATE_H
#define TCPGUARD_STATE_H

#include "flow.h"
#include "seq.h"

/* RFC 9293 3.3.2, in the order of its figure 5. */
#define TG_TCP_STATES(X) \
	X(CLOSED) \
	X(LISTEN) \
	X(SYN_SENT) \
	X(SYN_RECEIVED) \
	X(ESTABLISHED) \
	X(FIN_WAIT_1) \
	X(FIN_WAIT_2) \
	X(CLOSE_WAIT) \
	X(CLOSING) \
	X(LAST_ACK) \
	X(TIME_WAIT)

enum tg_tcp_state {
#define X(name) TG_TCP_##name,
	TG_TCP_STATES(X)
#undef X
	TG_TCP_STATE_MAX
};

/* Phase of the whole flow: chooses timeout and eviction class. */
#define TG_PHASES(X) \
	X(SYN_SENT, "syn_sent") \
	X(SYN_RECV, "syn_recv") \
	X(ESTABLISHED, "established") \
	X(HALF_CLOSED, "half_closed") \
	X(LAST, "last") \
	X(TIME_WAIT, "time_wait") \
	X(CLOSED, "closed")

enum tg_phase {
#define X(id, name) TG_PHASE_##id,
	TG_PHASES(X)
#undef X
	TG_PHASE_MAX
};

/* The SYN of x is acknowledged.  Adopted halves carry PICKUP and SYN: their handshake is taken as done. */
TG_INLINE bool tg_syn_acked(const struct tg_half *x, const struct tg_half *peer)
{
	return (x->facts & TG_FACT_PICKUP) || ((x->facts & TG_FACT_SYN) && (peer->facts & TG_FACT_ACKSYN));
}

/* The FIN of x is acknowledged: ack >= end of the FIN, never "an ACK was seen after it". */
TG_INLINE bool tg_fin_acked(const struct tg_half *x, const struct tg_half *peer)
{
	return (x->facts & TG_FACT_FIN) && (peer->facts & TG_FACT_HASACK) &&
	       !tg_seq_before(peer->ack, x->end);
}

/* x sent a RST and the peer has not acknowledged beyond it: an endpoint that goes on did not honour it. */
TG_INLINE bool tg_rst_holds(const struct tg_half *x, const struct tg_half *peer)
{
	if (!(x->facts & TG_FACT_RST))
		return false;
	return !(tg_half_aux_kind(x) == TG_AUX_RST && (peer->facts & TG_FACT_HASACK) &&
		 tg_seq_after(peer->ack, x->aux));
}

TG_INLINE bool tg_established(const struct tg_half *x, const struct tg_half *peer)
{
	return tg_syn_acked(x, peer) && tg_syn_acked(peer, x);
}

TG_INLINE enum tg_phase tg_flow_phase(const struct tg_half *a, const struct tg_half *b)
{
	__u32 any = a->facts | b->facts, both = a->facts & b->facts;

	if ((any & TG_FACT_RST) && (tg_rst_holds(a, b) || tg_rst_holds(b, a)))
		return TG_PHASE_CLOSED;
	if (!tg_established(a, b))
		return (both & TG_FACT_SYN) ? TG_PHASE_SYN_RECV : TG_PHASE_SYN_SENT;
	if (!(any & TG_FACT_FIN))
		return TG_PHASE_ESTABLISHED;
	if (!(both & TG_FACT_FIN))
		return TG_PHASE_HALF_CLOSED;
	return tg_fin_acked(a, b) && tg_fin_acked(b, a) ? TG_PHASE_TIME_WAIT : TG_PHASE_LAST;
}

/*
 * State of endpoint x, the first row that matches.  It is the state x has proved by
 * what it sent: an endpoint that has not yet acknowledged its peer's FIN still shows FIN_WAIT_2.
 */
TG_INLINE enum tg_tcp_state tg_endpoint_state(const struct tg_half *x, const struct tg_half *y)
{
	if (tg_rst_holds(x, y) || tg_rst_holds(y, x))
		return TG_TCP_CLOSED;
	if (!(x->facts & TG_FACT_SYN))
		return (y->facts & TG_FACT_SYN) ? TG_TCP_LISTEN : TG_TCP_CLOSED;
	if (!tg_established(x, y)) {
		if (tg_syn_acked(x, y))
			return TG_TCP_SYN_SENT;
		return (y->facts & TG_FACT_SYN) ? TG_TCP_SYN_RECEIVED : TG_TCP_SYN_SENT;
	}
	if (!(x->facts & TG_FACT_FIN))
		return tg_fin_acked(y, x) ? TG_TCP_CLOSE_WAIT : TG_TCP_ESTABLISHED;
	if (!tg_fin_acked(x, y)) {
		if (x->facts & TG_FACT_PASSIVE)
			return TG_TCP_LAST_ACK;
		return tg_fin_acked(y, x) ? TG_TCP_CLOSING : TG_TCP_FIN_WAIT_1;
	}
	if (x->facts & TG_FACT_PASSIVE)
		return TG_TCP_CLOSED;
	return tg_fin_acked(y, x) ? TG_TCP_TIME_WAIT : TG_TCP_FIN_WAIT_2;
}

#endif
