/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SYN and SYN-ACK: opening, opening again, simultaneous open, and every SYN that the endpoint, not
 * we, must answer.  A SYN is never dropped because of an old entry (but in strict mode).
 */
#ifndef TG_BPF_TCP_HANDSHAKE_H
#define TG_BPF_TCP_HANDSHAKE_H

#include "flow_view.h"
#include "tcp_window.h"

#define TG_EARLY_SPAN (1U << 20) /* how far data may have overtaken its SYN-ACK */

TG_INLINE __u8 tg_offered_wscale(const struct tg_packet *pkt)
{
	return pkt->options & TG_OPT_WSCALE ? pkt->wscale : TG_WSCALE_NONE;
}

/* Does ack acknowledge the receiver's SYN, with the data it carried?  A fragmented one's end is not known. */
TG_INLINE bool tg_acks_syn(const struct tg_view *view, __u32 ack)
{
	const struct tg_half *receiver = view->receiver;

	return tg_seq_between(ack, tg_receiver_isn(view) + 1,
			      receiver->end + (receiver->facts & TG_FACT_FRAG ? 0xffff : 0));
}

/*
 * The sender's half as its SYN or SYN-ACK states it.  Before the slot is live, or as the owner of
 * this half: the peer has acknowledged nothing of it yet, so nobody relies on what was there.
 * What .aux remembers survives; data that overtook the SYN-ACK is accounted for.
 */
TG_INLINE void tg_begin_half(struct tg_half *half, struct tg_half_count *count, __u32 *isn,
			     const struct tg_packet *pkt)
{
	__u32 aux = half->facts & (TG_AUX_MASK | TG_PENDING_WSCALE_MASK);
	__u32 end = pkt->end;

	if (tg_half_aux_kind(half) == TG_AUX_EARLY && tg_seq_after(half->aux, end) &&
	    half->aux - end < TG_EARLY_SPAN)
		end = half->aux;
	half->end = end;
	half->ack = 0;
	half->right = 0;
	half->maxwin = tg_larger(pkt->window, 1);
	*isn = pkt->seq;
	count->window = pkt->window;
	count->tsmax = pkt->tsval;
	TG_WRITE_ONCE(half->facts,
		      aux | TG_FACT_SYN | tg_packet_facts(pkt) |
			      (__u32)tg_offered_wscale(pkt) << TG_WSCALE_SHIFT);
}

/*
 * Field by field, not by copying a constant: clang 14's BPF back end loses the stores before a copy
 * from a constant aggregate (it drops the load's chain when it folds the load).
 */
TG_INLINE void tg_silence_half(struct tg_half *half)
{
	half->end = 0;
	half->ack = 0;
	half->right = 0;
	half->maxwin = 0;
	half->aux = 0;
	half->facts = (__u32)TG_WSCALE_NONE << TG_WSCALE_SHIFT;
}

/* Fills an owned slot for a new connection of the key in detail: empty halves, the moment.  Not yet live. */
TG_INLINE void tg_fill_slot(const struct tg_ref *ref, struct tg_detail *detail, __u32 now_ms)
{
	__builtin_memset(detail->count, 0, sizeof(detail->count));
	detail->created_ms = now_ms;
	__builtin_memset(detail->isn, 0, sizeof(detail->isn));
	detail->syn_limit_ms = detail->rst_limit_ms = now_ms; /* 0 may lie just ahead of now */
	__builtin_memset(detail->pending_len, 0, sizeof(detail->pending_len));
	ref->slot->stamp_ms = now_ms;
	tg_silence_half(&ref->slot->half[TG_SIDE_LO]);
	tg_silence_half(&ref->slot->half[TG_SIDE_HI]);
}

/* Takes the view's slot over for a new connection of the same endpoints, opened by opener. */
TG_INLINE bool tg_replace_flow(struct tg_view *view, enum tg_side opener, enum tg_origin origin)
{
	if (!tg_flow_reclaim(&view->ref, tg_claim_flags(opener, origin)))
		return false;
	tg_fill_slot(&view->ref, view->detail, view->now_ms);
	return true;
}

/* SYN on an ended flow, or on an expired entry: a new connection, never dropped. */
TG_INLINE enum tg_verdict tg_open_anew(struct tg_view *view, const struct tg_packet *pkt,
				       enum tg_verdict verdict)
{
	if (!tg_replace_flow(view, view->side, TG_ORIGIN_SYN))
		return TG_PASS_BUSY;
	tg_begin_half(view->sender, tg_sender_count(view), tg_sender_isn_at(view), pkt);
	return tg_flow_publish(&view->ref) ? verdict : TG_PASS_BUSY;
}

/*
 * A SYN passed without effect is remembered: a SYN-ACK for it proves that the endpoint took it.  But not
 * the connection's own while it lives, which is a duplicate: it may reach a server that has closed since,
 * and the answer to that concerns no opener.
 */
TG_INLINE enum tg_verdict tg_pass_pending_syn(struct tg_view *view, const struct tg_packet *pkt,
					      enum tg_verdict verdict)
{
	__u32 wscale = pkt->options & TG_OPT_WSCALE ? pkt->wscale : TG_PENDING_WSCALE_NONE;

	if (!tg_limit_allows(&view->detail->syn_limit_ms, view->now_ms))
		return TG_DROP_SYN_RATE;
	if ((view->sender->facts & TG_FACT_SYN) && view->phase != TG_PHASE_TIME_WAIT &&
	    pkt->seq == tg_sender_isn(view))
		return verdict;
	tg_sender_count(view)->pending_window = pkt->window;
	*tg_sender_pending_len(view) = pkt->payload;
	tg_remove_facts(view->sender, TG_PENDING_WSCALE_MASK);
	tg_add_facts(view->sender, wscale << TG_PENDING_WSCALE_SHIFT);
	tg_remember(view, TG_AUX_PENDING, pkt->seq);
	return verdict;
}

/* RFC 9293 3.10.7.4 first step, RFC 6191 and Linux tcp_timewait_state_process for the reuse. */
TG_INLINE enum tg_verdict tg_syn_after_end(struct tg_view *view, const struct tg_packet *pkt)
{
	const struct tg_half *sender = view->sender;
	bool newer = (pkt->options & TG_OPT_TIMESTAMPS) && (sender->facts & TG_FACT_HASTS) &&
		     tg_seq_after(pkt->tsval, tg_sender_count(view)->tsmax);

	if (view->phase == TG_PHASE_CLOSED || tg_seq_after(pkt->seq, sender->end) || newer)
		return tg_open_anew(view, pkt, TG_PASS_TW_REUSE);
	if (view->strict)
		return TG_DROP_TW_SYN_OLD;
	return tg_pass_pending_syn(view, pkt, TG_NOUPD_TW_SYN_OLD);
}

/* The same SYN: with TFO the one with data may be overtaken by the one without. */
TG_INLINE enum tg_verdict tg_syn_again(struct tg_view *view, const struct tg_packet *pkt)
{
	if (!tg_limit_allows(&view->detail->syn_limit_ms, view->now_ms))
		return TG_DROP_SYN_RATE;
	tg_raise(&view->sender->end, pkt->end, false);
	tg_raise_window(&view->sender->maxwin, pkt->window);
	tg_sender_count(view)->retrans++;
	return view->phase == TG_PHASE_SYN_RECV ? TG_PASS_SYN_RETRANS : TG_NOUPD_SYN_RETRANS;
}

/* A new ISN before any answer.  The limit outlives the slot's contents: else each would begin it anew. */
TG_INLINE enum tg_verdict tg_syn_reinit(struct tg_view *view, const struct tg_packet *pkt)
{
	enum tg_verdict verdict;
	__u32 limit_ms;

	if (!tg_limit_allows(&view->detail->syn_limit_ms, view->now_ms))
		return TG_DROP_SYN_RATE;
	limit_ms = TG_READ_ONCE(view->detail->syn_limit_ms);
	verdict = tg_open_anew(view, pkt, TG_PASS_SYN_REINIT);
	TG_WRITE_ONCE(view->detail->syn_limit_ms, limit_ms);
	return verdict;
}

TG_INLINE enum tg_verdict tg_syn_during_handshake(struct tg_view *view, const struct tg_packet *pkt)
{
	bool known = view->sender->facts & TG_FACT_SYN;

	if (known && pkt->seq == tg_sender_isn(view))
		return tg_syn_again(view, pkt);
	if (known && (view->receiver->facts & TG_FACT_SYN))
		return tg_pass_pending_syn(view, pkt, TG_NOUPD_SYN_NEW_ISN);
	if (known)
		return tg_syn_reinit(view, pkt);
	tg_begin_half(view->sender, tg_sender_count(view), tg_sender_isn_at(view), pkt);
	return TG_PASS_SIMOPEN;
}

TG_INLINE enum tg_verdict tg_flow_syn(struct tg_view *view, const struct tg_packet *pkt)
{
	switch (view->phase) {
	case TG_PHASE_TIME_WAIT:
	case TG_PHASE_CLOSED:
		return tg_syn_after_end(view, pkt);
	case TG_PHASE_SYN_SENT:
	case TG_PHASE_SYN_RECV:
		return tg_syn_during_handshake(view, pkt);
	default:
		return tg_pass_pending_syn(view, pkt, TG_NOUPD_SYN_CHALLENGE);
	}
}

/* The acknowledgement on a SYN-ACK; its window is not scaled. */
TG_INLINE void tg_note_synack(struct tg_view *view, const struct tg_packet *pkt)
{
	struct tg_half *sender = view->sender;
	bool first = !(sender->facts & TG_FACT_HASACK);

	tg_raise(&sender->ack, pkt->ack, first);
	tg_raise(&sender->right, pkt->ack + tg_larger(pkt->window, 1), first);
	tg_add_facts(sender, TG_FACT_HASACK | TG_FACT_ACKSYN);
}

/* Is the receiver's pending SYN like the one that opened its half? */
TG_INLINE bool tg_pends_own_syn(const struct tg_view *view)
{
	return (view->receiver->facts & TG_FACT_SYN) && view->receiver->aux == tg_receiver_isn(view);
}

/*
 * Are the pending SYN, and what seems to answer it, duplicates of the present connection's handshake?
 * In TIME_WAIT a stack that begins each connection with the same ISN may have begun another; then only
 * the same SYN-ACK is a duplicate.
 */
TG_INLINE bool tg_repeats_handshake(const struct tg_view *view, const struct tg_packet *pkt)
{
	return tg_pends_own_syn(view) && pkt->seq == tg_sender_isn(view);
}

/* Does this SYN-ACK acknowledge the receiver's pending SYN? */
TG_INLINE bool tg_answers_pending_syn(const struct tg_view *view, const struct tg_packet *pkt)
{
	const struct tg_half *receiver = view->receiver;

	if (tg_half_aux_kind(receiver) != TG_AUX_PENDING ||
	    !tg_seq_between(pkt->ack, receiver->aux + 1,
			    receiver->aux + 1 + *tg_receiver_pending_len(view)))
		return false;
	return !tg_repeats_handshake(view, pkt);
}

/*
 * The endpoint took a SYN that we had passed without effect (client rebooted, port reused, server
 * forgot): a new connection from the pending SYN and this SYN-ACK.  A SYN like that of the connection in
 * TIME_WAIT may have been a late duplicate of it: then the opener answers from TIME_WAIT, with the number
 * that is remembered, and the endpoint resets.
 */
TG_INLINE enum tg_verdict tg_reopen(struct tg_view *view, const struct tg_packet *pkt)
{
	const struct tg_half *receiver = view->receiver;
	bool repeated = tg_pends_own_syn(view);
	__u32 acked = receiver->ack;
	__u32 wscale = receiver->facts >> TG_PENDING_WSCALE_SHIFT;
	__u16 length = *tg_receiver_pending_len(view);
	struct tg_packet syn = {
		.seq = receiver->aux,
		.end = receiver->aux + 1 + length,
		.window = tg_receiver_count(view)->pending_window,
		.wscale = wscale,
		.options = wscale == TG_PENDING_WSCALE_NONE ? 0 : TG_OPT_WSCALE,
		.own = receiver->facts & TG_FACT_OWN, /* the address is, whatever the connection */
	};

	if (!tg_replace_flow(view, !view->side, TG_ORIGIN_SYN))
		return TG_PASS_BUSY;
	tg_begin_half(view->receiver, tg_receiver_count(view),
		      tg_receiver_isn_at(view), &syn);
	tg_begin_half(view->sender, tg_sender_count(view), tg_sender_isn_at(view), pkt);
	tg_note_synack(view, pkt);
	if (repeated)
		tg_remember(view, TG_AUX_ISN, acked - 1);
	return tg_flow_publish(&view->ref) ? TG_PASS_REOPEN : TG_PASS_BUSY;
}

/*
 * The first SYN-ACK, or another one with a new ISN (cookies switched on, anycast): the opener answers
 * whichever reached it first, so the earlier ISN is remembered.
 */
TG_INLINE void tg_begin_from_synack(struct tg_view *view, const struct tg_packet *pkt)
{
	bool again = view->sender->facts & TG_FACT_SYN;
	__u32 isn = tg_sender_isn(view);

	tg_begin_half(view->sender, tg_sender_count(view), tg_sender_isn_at(view), pkt);
	if (again)
		tg_remember(view, TG_AUX_ISN, isn);
}

TG_INLINE enum tg_verdict tg_flow_synack(struct tg_view *view, const struct tg_packet *pkt)
{
	const struct tg_half *sender = view->sender, *receiver = view->receiver;

	if (tg_answers_pending_syn(view, pkt))
		return tg_reopen(view, pkt);
	if (view->phase != TG_PHASE_SYN_SENT && view->phase != TG_PHASE_SYN_RECV) {
		if (pkt->seq != tg_sender_isn(view))
			return TG_NOUPD_SYNACK_UNEXPECTED;
		tg_sender_count(view)->retrans++;
		return TG_NOUPD_SYNACK_RETRANS;
	}
	if (!(receiver->facts & TG_FACT_SYN))
		return TG_DROP_SYNACK_WRONG_DIR;
	if (!tg_acks_syn(view, pkt->ack)) {
		/*
		 * The opener answers with a RST, one limit for both, so that SYNs sent again have theirs; or
		 * with an ACK, if the SYN we know is not the opener's, see tg_segment_before_synack().
		 */
		if (!tg_limit_allows(&view->detail->rst_limit_ms, view->now_ms))
			return TG_DROP_SYN_RATE;
		tg_remember(view, TG_AUX_SYNACK, pkt->ack);
		return view->phase == TG_PHASE_SYN_SENT ? TG_NOUPD_SYNACK_BAD_ACK :
							  TG_NOUPD_SYNACK_UNEXPECTED;
	}
	if (!(sender->facts & TG_FACT_SYN) || pkt->seq != tg_sender_isn(view)) {
		if (tg_syn_acked(sender, receiver))
			return TG_NOUPD_SYNACK_UNEXPECTED;
		tg_begin_from_synack(view, pkt);
	} else {
		tg_raise(&view->sender->end, pkt->end, false);
		tg_raise_window(&view->sender->maxwin, pkt->window);
		tg_sender_count(view)->retrans++;
	}
	tg_note_synack(view, pkt);
	return TG_PASS_SYNACK;
}

#endif
