/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is the segment inside what both ends have allowed each other?  The four bounds of van Rooij's
 * "Real Stateful TCP Packet Filtering in IP Filter", as tightened by RFC 5961 5, and what a segment
 * inside them teaches about its sender.
 *
 *   I    seq  <= edge granted by the receiver      (seq, not end: probes and GSO straddle the edge)
 *   II   end  >= S.end - largest window granted    else already acknowledged, and the sender knows
 *   III  ack  <= R.end                             an on-path observer sees data before its ACK
 *   IV   ack  >= R.end - M                         RFC 5961 5.2, as far as an observer can know it
 *
 * II and IV have a second band of one window or 1 MiB below them that is passed without effect:
 * reordering over 50 ms puts legitimate segments there, and the answer they provoke can be needed.
 */
#ifndef TG_BPF_TCP_WINDOW_H
#define TG_BPF_TCP_WINDOW_H

#include "flow_view.h"

#define TG_ACK_WINDOW_MIN 66000U /* below this, IV's M would refuse ACKs of unscaled windows */
#define TG_OLD_BAND (1U << 20)

TG_INLINE __u32 tg_larger(__u32 a, __u32 b)
{
	return a > b ? a : b;
}

TG_INLINE __u32 tg_smaller(__u32 a, __u32 b)
{
	return a < b ? a : b;
}

/*
 * The highest sequence number a segment says its sender holds.  A SACK edge beyond what the receiver
 * sent is ignored, not a reason to drop: boxes that rewrite sequence numbers leave SACK alone, and
 * the endpoint ignores such blocks too.
 */
TG_INLINE __u32 tg_held_edge(const struct tg_packet *pkt, const struct tg_half *receiver)
{
	if (!(pkt->options & TG_OPT_SACK) || tg_seq_after(pkt->sack_right, receiver->end) ||
	    !tg_seq_after(pkt->sack_right, pkt->ack))
		return pkt->ack;
	return pkt->sack_right;
}

/* The sender's FIN precedes this segment's end and is not acknowledged: it was forged or lost. */
TG_INLINE bool tg_retracts_fin(const struct tg_view *view, const struct tg_packet *pkt)
{
	return (view->sender->facts & (TG_FACT_FIN | TG_FACT_FRAG)) == TG_FACT_FIN &&
	       tg_seq_after(pkt->end, view->sender->end) && !tg_fin_acked(view->sender, view->receiver);
}

/* The segment goes beyond its sender's acknowledged FIN.  Where that is, is known only of a sender whose segments came whole. */
TG_INLINE bool tg_beyond_acked_fin(const struct tg_view *view, const struct tg_packet *pkt)
{
	return (view->sender->facts & (TG_FACT_FIN | TG_FACT_FRAG)) == TG_FACT_FIN &&
	       tg_seq_after(pkt->end, view->sender->end) && tg_fin_acked(view->sender, view->receiver);
}

/*
 * What the receiver has sent.  Of an adopted one that was never heard (one way, or nothing came yet),
 * the sender's own acknowledgements are the best guess.
 */
TG_INLINE __u32 tg_receiver_end(const struct tg_half *sender, const struct tg_half *receiver)
{
	if (TG_LIKELY((receiver->facts & (TG_FACT_PICKUP | TG_FACT_HASACK)) != TG_FACT_PICKUP) ||
	    !(sender->facts & TG_FACT_HASACK))
		return receiver->end;
	return tg_seq_max(receiver->end, sender->ack);
}

/* III; loose where the receiver's data is known only in part. */
TG_INLINE bool tg_ack_too_high(const struct tg_half *receiver, __u32 receiver_end, __u32 ack)
{
	if (TG_LIKELY(!tg_seq_after(ack, receiver_end)))
		return false;
	return !(receiver->facts & (TG_FACT_PICKUP | TG_FACT_FRAG)) ||
	       ack - receiver_end >= TG_PICKUP_SPAN;
}

/* Bounds III, II and IV, in this order. */
TG_INLINE enum tg_verdict tg_window_check_rest(const struct tg_view *view,
					       const struct tg_packet *pkt)
{
	const struct tg_half *sender = view->sender, *receiver = view->receiver;
	__u32 sender_end = sender->end, receiver_end = tg_receiver_end(sender, receiver);
	enum tg_verdict passed = TG_UNDECIDED;
	__u32 low, margin;

	if (TG_UNLIKELY(tg_beyond_acked_fin(view, pkt))) {
		if (pkt->payload || pkt->end - sender_end > 1)
			return TG_DROP_DATA_AFTER_FIN;
		passed = TG_NOUPD_SECOND_FIN; /* some stacks count their FIN twice */
	}

	if (tg_ack_too_high(receiver, receiver_end, pkt->ack))
		return TG_DROP_ACK_ABOVE;

	/* An adopted half that has not spoken yet: what it was assumed to have sent is a guess. */
	if ((sender->facts & (TG_FACT_PICKUP | TG_FACT_HASACK)) == TG_FACT_PICKUP)
		sender_end = tg_seq_max(sender_end, pkt->end);
	low = sender_end - receiver->maxwin;
	if (tg_seq_before(pkt->end, low)) {
		low -= tg_larger(receiver->maxwin, TG_OLD_BAND);
		if (tg_seq_before(pkt->end, low))
			return TG_DROP_SEQ_BELOW;
		return view->strict ? TG_DROP_SEQ_OLD : TG_NOUPD_SEQ_OLD;
	}

	margin = tg_larger(sender->maxwin, TG_ACK_WINDOW_MIN);
	low = receiver_end - margin;
	if (tg_seq_before(pkt->ack, low)) {
		low -= tg_larger(margin, TG_OLD_BAND);
		if (tg_seq_before(pkt->ack, low))
			return TG_DROP_ACK_BELOW;
		return view->strict ? TG_DROP_ACK_OLD : TG_NOUPD_ACK_OLD;
	}
	return passed;
}

TG_INLINE enum tg_verdict tg_window_check(const struct tg_view *view, const struct tg_packet *pkt,
					  __u32 limit)
{
	if (tg_seq_after(pkt->seq, limit))
		return TG_DROP_SEQ_ABOVE;
	return tg_window_check_rest(view, pkt);
}

/* What a segment inside the window says about its sender. */
TG_INLINE void tg_window_update(struct tg_view *view, const struct tg_packet *pkt)
{
	struct tg_half *sender = view->sender;
	__u32 window = tg_scaled_window(sender, view->receiver, pkt->window);
	bool first = !(sender->facts & TG_FACT_HASACK);
	__u32 facts = TG_FACT_HASACK | tg_packet_facts(pkt);
	__u32 held = window + (tg_held_edge(pkt, view->receiver) - pkt->ack);

	tg_raise_window(&sender->maxwin, tg_smaller(tg_larger(held, 1), TG_PICKUP_SPAN));
	tg_raise(&sender->end, pkt->end, false);
	tg_raise(&sender->ack, pkt->ack, first);
	tg_raise(&sender->right, pkt->ack + tg_larger(window, 1), first);
	if (TG_UNLIKELY(!(sender->facts & TG_FACT_ACKSYN)) &&
	    (view->receiver->facts & TG_FACT_SYN) &&
	    !tg_seq_before(pkt->ack, tg_receiver_isn(view) + 1))
		facts |= TG_FACT_ACKSYN;
	tg_add_facts(sender, facts);
}

#endif
