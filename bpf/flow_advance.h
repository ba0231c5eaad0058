/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One segment meets its flow: which rule judges it, what the flow's books say afterwards.  The only
 * place, but one, that renews a flow's timeout.
 */
#ifndef TG_BPF_FLOW_ADVANCE_H
#define TG_BPF_FLOW_ADVANCE_H

#include "tcp_reset.h"
#include "tcp_segment.h"

#define TG_ONE_WAY_PACKETS 20
#define TG_ONE_WAY_SILENCE_MS 30000

/* Only this direction is ever seen: the other path goes elsewhere: asymmetric routes. */
TG_INLINE bool tg_flow_one_way(const struct tg_view *view)
{
	const struct tg_half_count *other = tg_receiver_count(view);
	const struct tg_half_count *own = tg_sender_count(view);
	__u32 heard_ms = other->packets ? other->last_ms : view->detail->created_ms;

	return own->packets + own->drops >= TG_ONE_WAY_PACKETS &&
	       view->now_ms - heard_ms > TG_ONE_WAY_SILENCE_MS;
}

/* Verdicts that a missing direction explains. */
TG_INLINE bool tg_one_way_explains(enum tg_verdict verdict)
{
	return verdict == TG_DROP_SEQ_ABOVE || verdict == TG_DROP_ACK_ABOVE ||
	       verdict == TG_DROP_SEQ_BELOW || verdict == TG_DROP_ACK_BELOW ||
	       verdict == TG_DROP_HS_BAD_ACK || verdict == TG_DROP_ACK_BEFORE_SYNACK ||
	       verdict == TG_DROP_DATA_BEFORE_SYNACK || verdict == TG_DROP_DATA_AFTER_FIN;
}

/*
 * The timeout counts from the last accepted segment while the flow is open, else from the last
 * change of phase: retransmitted SYNs do not prolong a handshake, stray segments no TIME_WAIT.
 * After a RST, segments inside the window prolong the grace: the endpoints seem to go on
 * (tg_segment_after_reset() renews it).
 * Any direction may write it: both write the present moment.
 */
TG_INLINE void tg_renew_timeout(struct tg_view *view, const struct tg_packet *pkt,
				enum tg_verdict verdict)
{
	struct tg_slot *slot = view->ref.slot;

	if ((tg_verdict_drops(verdict) && tg_carried_out(pkt, verdict)) || slot->stamp_ms == view->now_ms)
		return;
	if (tg_verdict_action(verdict) == TG_ACTION_PASS &&
	    (view->phase == TG_PHASE_ESTABLISHED || view->phase == TG_PHASE_HALF_CLOSED ||
	     view->phase == TG_PHASE_LAST || verdict == TG_PASS_TW_FIN_RETR)) {
		TG_WRITE_ONCE(slot->stamp_ms, view->now_ms);
		return;
	}
	if (tg_flow_phase(&slot->half[TG_SIDE_LO], &slot->half[TG_SIDE_HI]) != view->phase)
		TG_WRITE_ONCE(slot->stamp_ms, view->now_ms);
}

/* A segment that was passed and applied. */
TG_INLINE void tg_count_passed(struct tg_half_count *count, const struct tg_packet *pkt, __u32 now_ms)
{
	count->packets += pkt->segments;
	count->bytes += pkt->payload;
	count->last_ms = now_ms;
	count->window = pkt->window;
	if ((pkt->options & TG_OPT_TIMESTAMPS) &&
	    (!count->tsmax || tg_seq_after(pkt->tsval, count->tsmax)))
		count->tsmax = pkt->tsval;
}

/* The sender's counters.  Plain writes: see struct tg_half_count. */
TG_INLINE void tg_count_on_flow(const struct tg_view *view, const struct tg_packet *pkt,
				enum tg_verdict verdict)
{
	struct tg_half_count *count = tg_sender_count(view);

	if (TG_UNLIKELY(verdict != TG_PASS_OK))
		count->last_verdict = verdict;
	if (TG_UNLIKELY(tg_verdict_drops(verdict))) {
		if (count->drops != 0xff)
			count->drops++;
		return;
	}
	if (tg_verdict_action(verdict) == TG_ACTION_PASS) {
		tg_count_passed(count, pkt, view->now_ms);
		return;
	}
	count->packets += pkt->segments;
	count->bytes += pkt->payload;
	count->last_ms = view->now_ms;
}

TG_INLINE enum tg_verdict tg_judge(struct tg_view *view, const struct tg_packet *pkt)
{
	if (TG_UNLIKELY(pkt->flags & TG_RST))
		return tg_flow_reset(view, pkt);
	if (TG_UNLIKELY(pkt->flags & TG_SYN))
		return pkt->flags & TG_ACK ? tg_flow_synack(view, pkt) : tg_flow_syn(view, pkt);
	return tg_flow_segment(view, pkt);
}

/*
 * Does the segment go on where its sender was, in both numbers?  Any idle connection looks one-way: who
 * forges a segment of it blindly must not move what is known of it.
 */
TG_INLINE bool tg_follows_itself(const struct tg_half *sender, const struct tg_packet *pkt)
{
	__u32 acked = tg_larger(sender->maxwin, TG_OLD_BAND);

	if (!(sender->facts & TG_FACT_HASACK))
		return true;
	return tg_seq_between(pkt->seq, sender->end - TG_OLD_BAND, sender->end + TG_OLD_BAND) &&
	       tg_seq_between(pkt->ack, sender->ack - acked, sender->ack + acked);
}

/* During the handshake there is nothing to follow: the flow is taken as it is from here on. */
TG_INLINE enum tg_verdict tg_pass_one_way(struct tg_view *view, const struct tg_packet *pkt)
{
	if (view->phase == TG_PHASE_SYN_SENT || view->phase == TG_PHASE_SYN_RECV)
		return tg_adopt_in_place(view, pkt);
	if (!tg_follows_itself(view->sender, pkt))
		return TG_PASS_ONE_WAY;
	/* Acknowledged or not: the FIN ended at the last number sent, and now it is not. */
	if (tg_seq_after(pkt->end, view->sender->end))
		tg_remove_facts(view->sender, TG_FACT_FIN | TG_FACT_PASSIVE);
	tg_window_update(view, pkt);
	return TG_PASS_ONE_WAY;
}

/* What the rules say, with their effect on the flow.  may_be_one_way: the profile expects asymmetric paths. */
TG_INLINE enum tg_verdict tg_flow_rule(struct tg_view *view, const struct tg_packet *pkt,
				       bool may_be_one_way)
{
	enum tg_verdict verdict = tg_judge(view, pkt);

	if (TG_UNLIKELY(tg_verdict_drops(verdict)) && may_be_one_way &&
	    tg_one_way_explains(verdict) && tg_flow_one_way(view))
		return tg_pass_one_way(view, pkt);
	return verdict;
}

/* What follows from their verdict. */
TG_INLINE void tg_flow_settle(struct tg_view *view, const struct tg_packet *pkt,
			      enum tg_verdict verdict)
{
	tg_renew_timeout(view, pkt, verdict);
	tg_count_on_flow(view, pkt, verdict);
	tg_flow_check_owner(&view->ref);
}

TG_INLINE enum tg_verdict tg_flow_advance(struct tg_view *view, const struct tg_packet *pkt,
					  bool may_be_one_way)
{
	enum tg_verdict verdict = tg_flow_rule(view, pkt, may_be_one_way);

	tg_flow_settle(view, pkt, verdict);
	return verdict;
}

/*
 * An ICMP error is believed only if it quotes a segment that its addressee has in flight (RFC 5927):
 * here the view's sender is the addressee.
 */
TG_INLINE enum tg_verdict tg_judge_icmp(const struct tg_view *view, const struct tg_packet *pkt)
{
	const struct tg_half *sender = view->sender, *receiver = view->receiver;
	__u32 low;

	if ((sender->facts & (TG_FACT_PICKUP | TG_FACT_HASACK)) == TG_FACT_PICKUP)
		return TG_PASS_ICMP_RELATED; /* never heard it: cannot tell */
	if (receiver->facts & TG_FACT_HASACK)
		low = receiver->ack - tg_larger(receiver->maxwin, TG_ACK_WINDOW_MIN);
	else if (sender->facts & TG_FACT_PICKUP) /* what it sent before we came */
		low = sender->end - TG_PICKUP_SPAN;
	else
		low = tg_sender_isn(view);
	return tg_seq_between(pkt->seq, low, sender->end) ? TG_PASS_ICMP_RELATED :
							    TG_DROP_ICMP_BAD_SEQ;
}

#endif
