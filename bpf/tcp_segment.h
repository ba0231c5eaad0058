/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Segments that are neither SYN nor RST: the third step of the handshake, data, acknowledgements,
 * FIN, and what still arrives after the end.
 */
#ifndef TG_BPF_TCP_SEGMENT_H
#define TG_BPF_TCP_SEGMENT_H

#include "tcp_data.h"
#include "tcp_handshake.h"
#include "tcp_window.h"

/* Neither side is known by its SYN: facts are wide, the bounds 1 GiB. */
TG_INLINE void tg_adopt_halves(struct tg_half *sender, struct tg_half *receiver, __u32 *sender_isn,
			       __u32 *receiver_isn, const struct tg_packet *pkt)
{
	__u32 window = tg_larger((__u32)pkt->window << TG_WSCALE_MAX, 1);

	*sender_isn = pkt->seq - 1;
	*receiver_isn = pkt->ack - 1;
	sender->end = pkt->end;
	sender->ack = pkt->ack;
	sender->right = pkt->ack + window;
	sender->maxwin = window;
	sender->aux = 0;
	sender->facts = TG_FACT_SYN | TG_FACT_PICKUP | TG_FACT_HASACK | TG_FACT_ACKSYN |
			tg_packet_facts(pkt) | TG_WSCALE_MAX << TG_WSCALE_SHIFT;
	receiver->end = pkt->ack;
	receiver->maxwin = TG_PICKUP_SPAN;
	receiver->facts = TG_FACT_SYN | TG_FACT_PICKUP | TG_WSCALE_MAX << TG_WSCALE_SHIFT;
}

/* A handshake that cannot be what it seemed, while unknown flows are adopted: start over from here. */
TG_INLINE enum tg_verdict tg_adopt_in_place(struct tg_view *view, const struct tg_packet *pkt)
{
	if (pkt->flags & TG_FIN)
		return TG_NOUPD_UNTRACKED;
	if (!tg_replace_flow(view, view->side, TG_ORIGIN_PICKUP))
		return TG_PASS_BUSY;
	tg_adopt_halves(view->sender, view->receiver, tg_sender_isn_at(view),
			tg_receiver_isn_at(view), pkt);
	return tg_flow_publish(&view->ref) ? TG_PASS_PICKUP : TG_PASS_BUSY;
}

/*
 * The opener takes a SYN-ACK that does not answer the SYN we know: another's SYN, forged or come late,
 * displaced the one that was answered, and both ends agree that there is a connection.
 */
TG_INLINE bool tg_takes_other_synack(const struct tg_view *view, const struct tg_packet *pkt)
{
	return tg_half_aux_kind(view->receiver) == TG_AUX_SYNACK && view->receiver->aux == pkt->seq;
}

/* Only the opener has spoken: what may come before the SYN-ACK? */
TG_INLINE enum tg_verdict tg_segment_before_synack(struct tg_view *view, const struct tg_packet *pkt)
{
	struct tg_half *sender = view->sender;

	if (sender->facts & TG_FACT_SYN)
		return view->adopts || tg_takes_other_synack(view, pkt) ? tg_adopt_in_place(view, pkt) :
									  TG_DROP_ACK_BEFORE_SYNACK;
	if (tg_acks_syn(view, pkt->ack)) {
		__u32 end = pkt->end;

		if (tg_half_aux_kind(sender) == TG_AUX_EARLY)
			end = tg_seq_max(sender->aux, end);
		tg_remember(view, TG_AUX_EARLY, end);
		return TG_NOUPD_EARLY_SEG;
	}
	if (pkt->payload || (pkt->flags & TG_FIN))
		return view->adopts ? tg_adopt_in_place(view, pkt) : TG_DROP_DATA_BEFORE_SYNACK;
	if (tg_half_aux_kind(sender) != TG_AUX_SYNACK || sender->aux != pkt->ack)
		tg_remember(view, TG_AUX_CHALLENGE, pkt->ack);
	return TG_NOUPD_CHALLENGE_ACK;
}

TG_INLINE enum tg_verdict tg_segment_in_time_wait(const struct tg_view *view,
						  const struct tg_packet *pkt)
{
	if ((pkt->flags & TG_FIN) && pkt->end == view->sender->end)
		return TG_PASS_TW_FIN_RETR;
	return pkt->payload ? TG_PASS_TW_STRAY : TG_PASS_TW_ACK;
}

/* The FIN is a fact once S.end includes it; passive if the peer's FIN was acknowledged before or with it. */
TG_INLINE void tg_note_fin(struct tg_view *view, const struct tg_packet *pkt)
{
	const struct tg_half *receiver = view->receiver;
	__u32 facts = TG_FACT_FIN;

	if ((view->sender->facts & TG_FACT_FIN) || pkt->end != view->sender->end)
		return;
	if ((receiver->facts & TG_FACT_FIN) && !tg_seq_before(pkt->ack, receiver->end))
		facts |= TG_FACT_PASSIVE;
	tg_add_facts(view->sender, facts);
}

/* What an accepted segment changes: the numbers, the FIN, and a RST that its sender has outlived. */
TG_INLINE void tg_apply_segment(struct tg_view *view, const struct tg_packet *pkt)
{
	if (TG_UNLIKELY(tg_retracts_fin(view, pkt)))
		tg_remove_facts(view->sender, TG_FACT_FIN | TG_FACT_PASSIVE);
	tg_window_update(view, pkt);
	if (TG_UNLIKELY((pkt->flags & TG_FIN) && !pkt->first_fragment))
		tg_note_fin(view, pkt);
}

/*
 * While tables are exchanged: III fails alone, and by no more than the sender itself has allowed.  The
 * other direction meets another table, and what it sends is known from here only.  This one meets this
 * table, so that II is exact; IV holds with an ACK that is too high.
 */
TG_INLINE bool tg_acks_what_passed_elsewhere(const struct tg_view *view, const struct tg_packet *pkt,
					     enum tg_verdict verdict)
{
	const struct tg_half *sender = view->sender, *receiver = view->receiver;

	return verdict == TG_DROP_ACK_ABOVE && (pkt->relaxed & TG_RELAXED_EXCHANGE) &&
	       (sender->facts & TG_FACT_HASACK) && !(receiver->facts & TG_FACT_FIN) &&
	       !tg_seq_after(pkt->ack, sender->right) &&
	       !tg_seq_before(pkt->end, sender->end - receiver->maxwin);
}

/*
 * A segment out of bounds that is passed all the same: the flow must follow what passed, or one
 * would-be drop cascades.  In monitor mode only if nothing but I fails, and by no more than a window.
 * Our own kernel is believed: it knows more than we do (another interface, data before we came), but
 * what lies beyond its acknowledged FIN belongs to another connection.
 */
TG_INLINE void tg_follow_passed(struct tg_view *view, const struct tg_packet *pkt, __u32 limit,
				enum tg_verdict verdict)
{
	bool elsewhere = tg_acks_what_passed_elsewhere(view, pkt, verdict);

	if (elsewhere)
		tg_raise(&view->receiver->end, pkt->ack, false);
	if (pkt->own || elsewhere) {
		if (!tg_beyond_acked_fin(view, pkt))
			tg_apply_segment(view, pkt);
	} else if (verdict == TG_DROP_SEQ_ABOVE && pkt->end - limit <= view->receiver->maxwin &&
		   !tg_window_check_rest(view, pkt)) {
		tg_remove_facts(view->sender,
				tg_retracts_fin(view, pkt) ? TG_FACT_FIN | TG_FACT_PASSIVE : 0);
		tg_raise(&view->sender->end, pkt->end, false);
	}
}

TG_INLINE enum tg_verdict tg_accept_segment(struct tg_view *view, const struct tg_packet *pkt,
					    __u32 limit)
{
	enum tg_verdict verdict;

	if (tg_paws_refuses(view, pkt))
		return TG_DROP_PAWS;
	verdict = tg_retracts_fin(view, pkt) ? TG_PASS_FIN_RETRACT :
					       tg_classify_data(view, pkt, limit);
	/* The flow is not CLOSED, so a RST of this side was disproved: it must not count again. */
	if (TG_UNLIKELY(view->sender->facts & TG_FACT_RST))
		tg_remove_facts(view->sender, TG_FACT_RST | TG_AUX_MASK);
	tg_apply_segment(view, pkt);
	return verdict;
}

/*
 * After an accepted RST nothing is dropped.  The numbers go on being followed, so that an endpoint
 * that did not honour the RST can disprove it by acknowledging beyond it.
 */
TG_INLINE enum tg_verdict tg_segment_after_reset(struct tg_view *view, const struct tg_packet *pkt,
						 enum tg_verdict window)
{
	if (window || !(view->sender->facts & view->receiver->facts & TG_FACT_SYN))
		return TG_NOUPD_CLOSED_LATE;
	tg_apply_segment(view, pkt);
	TG_WRITE_ONCE(view->ref.slot->stamp_ms, view->now_ms);
	return tg_flow_phase(view->sender, view->receiver) == TG_PHASE_CLOSED ?
		       TG_NOUPD_CLOSED_LATE :
		       TG_NOUPD_RST_UNDONE;
}

/*
 * A first fragment: its length is not the segment's, so it is never dropped and its sender's data is
 * no longer compared exactly; what the header says about both directions is still worth having.
 */
TG_INLINE enum tg_verdict tg_segment_fragmented(struct tg_view *view, const struct tg_packet *pkt,
						enum tg_verdict window)
{
	bool refused = view->phase == TG_PHASE_CLOSED &&
		       !(view->sender->facts & view->receiver->facts & TG_FACT_SYN);

	/* One that nobody will take says nothing: or a forged one would loosen the bounds for good. */
	if (!tg_verdict_drops(window) || window == TG_DROP_DATA_AFTER_FIN)
		tg_add_facts(view->sender, TG_FACT_FRAG);
	if (!window && !refused)
		tg_apply_segment(view, pkt);
	return TG_NOUPD_FRAG_FIRST;
}

/* The third step: exactly the number after the SYN-ACK's, or of data sent since (no slack). */
TG_INLINE bool tg_handshake_ack_bad(const struct tg_view *view, const struct tg_packet *pkt)
{
	return view->phase == TG_PHASE_SYN_RECV && !tg_syn_acked(view->receiver, view->sender) &&
	       !tg_acks_syn(view, pkt->ack);
}

TG_INLINE enum tg_verdict tg_flow_segment(struct tg_view *view, const struct tg_packet *pkt)
{
	enum tg_verdict verdict;
	__u32 limit;

	if (view->phase == TG_PHASE_SYN_SENT)
		return tg_segment_before_synack(view, pkt);
	if (TG_UNLIKELY(tg_handshake_ack_bad(view, pkt))) {
		/* It answers the SYN-ACK before the last: which window it took is not known. */
		if (tg_half_aux_kind(view->receiver) == TG_AUX_ISN &&
		    pkt->ack == view->receiver->aux + 1)
			return tg_adopt_in_place(view, pkt);
		return TG_DROP_HS_BAD_ACK;
	}

	limit = tg_send_limit(view);
	verdict = tg_window_check(view, pkt, limit);
	if (TG_UNLIKELY(pkt->first_fragment && view->phase != TG_PHASE_TIME_WAIT))
		return tg_segment_fragmented(view, pkt, verdict);
	if (TG_UNLIKELY(view->phase == TG_PHASE_CLOSED))
		return tg_segment_after_reset(view, pkt, verdict);
	if (TG_UNLIKELY(verdict)) {
		if (tg_verdict_drops(verdict) && !tg_carried_out(pkt, verdict))
			tg_follow_passed(view, pkt, limit, verdict);
		return verdict;
	}
	if (TG_UNLIKELY(view->phase == TG_PHASE_TIME_WAIT))
		return tg_segment_in_time_wait(view, pkt);
	return tg_accept_segment(view, pkt, limit);
}

#endif
