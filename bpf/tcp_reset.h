/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RST: accepted only where the receiver will honour it (RFC 9293 3.5.2, RFC 5961 3), passed without
 * effect where the receiver will challenge it, dropped elsewhere.  An accepted RST is a fact that the
 * receiver can disprove by acknowledging beyond it; nothing is deleted.
 */
#ifndef TG_BPF_TCP_RESET_H
#define TG_BPF_TCP_RESET_H

#include "flow_view.h"
#include "tcp_handshake.h"
#include "tcp_window.h"

/* next: what the receiver expects next if it honours the RST; acknowledging more disproves it. */
TG_INLINE enum tg_verdict tg_accept_reset(struct tg_view *view, __u32 next, enum tg_verdict verdict)
{
	tg_remember(view, TG_AUX_RST, next);
	tg_add_facts(view->sender, TG_FACT_RST);
	return verdict;
}

/* The receiver sent a challenge, and this is the answer it asked for: it must get through. */
TG_INLINE bool tg_answers_challenge(const struct tg_view *view, const struct tg_packet *pkt)
{
	enum tg_aux kind = tg_half_aux_kind(view->receiver);

	return (kind == TG_AUX_CHALLENGE || kind == TG_AUX_SYNACK) && view->receiver->aux == pkt->seq;
}

/* RFC 9293 3.10.7.3: in SYN-SENT a RST is judged by its acknowledgement. */
TG_INLINE enum tg_verdict tg_reset_syn_sent(struct tg_view *view, const struct tg_packet *pkt)
{
	const struct tg_half *sender = view->sender, *receiver = view->receiver;

	if ((receiver->facts & TG_FACT_SYN) && !(sender->facts & TG_FACT_SYN)) {
		if ((pkt->flags & TG_ACK) && tg_acks_syn(view, pkt->ack))
			return tg_accept_reset(view, pkt->seq, TG_PASS_REFUSED);
		return TG_DROP_RST_SYN_SENT;
	}
	if (pkt->seq == sender->end || pkt->seq == tg_sender_isn(view) + 1)
		return tg_accept_reset(view, pkt->seq, TG_PASS_ABORT);
	if (tg_answers_challenge(view, pkt))
		return TG_NOUPD_RST_TO_CHALLENGE;
	return TG_DROP_RST_SYN_SENT;
}

TG_INLINE enum tg_verdict tg_reset_unanswered(struct tg_view *view, const struct tg_packet *pkt)
{
	__u32 isn = tg_sender_isn(view);

	if (pkt->seq == view->sender->end || pkt->seq == isn + 1)
		return tg_accept_reset(view, pkt->seq, TG_PASS_RST_EXACT);
	/* If the SYN-ACK was lost, the receiver is in SYN-SENT still: an ACK of its SYN refuses it. */
	if (tg_seq_between(pkt->seq, isn + 1, tg_send_limit(view) + TG_ACK_WINDOW_MIN) ||
	    ((pkt->flags & TG_ACK) && tg_acks_syn(view, pkt->ack)))
		return view->strict ? TG_DROP_RST_INEXACT : TG_NOUPD_RST_INEXACT;
	return TG_DROP_RST_OLD;
}

TG_INLINE enum tg_verdict tg_judge_reset(struct tg_view *view, const struct tg_packet *pkt)
{
	const struct tg_half *sender = view->sender, *receiver = view->receiver;
	__u32 limit;

	if (view->phase == TG_PHASE_SYN_SENT)
		return tg_reset_syn_sent(view, pkt);
	if (view->phase == TG_PHASE_TIME_WAIT || view->phase == TG_PHASE_CLOSED)
		return TG_NOUPD_RST_LATE; /* RFC 1337: TIME_WAIT is not shortened */
	if (tg_answers_challenge(view, pkt))
		return TG_NOUPD_RST_TO_CHALLENGE;
	if (!(receiver->facts & TG_FACT_HASACK))
		return tg_reset_unanswered(view, pkt);
	if (pkt->seq == receiver->ack)
		return tg_accept_reset(view, pkt->seq, TG_PASS_RST_EXACT);
	if ((sender->facts & TG_FACT_FIN) && pkt->seq == receiver->ack - 1)
		return tg_accept_reset(view, receiver->ack, TG_PASS_RST_AFTER_FIN); /* macOS */
	if (pkt->seq == sender->end)
		return tg_accept_reset(view, pkt->seq, TG_PASS_RST_TRAIN);
	limit = tg_send_limit(view);
	if ((view->phase == TG_PHASE_HALF_CLOSED || view->phase == TG_PHASE_LAST) &&
	    tg_seq_between(pkt->seq,
			   receiver->ack - tg_larger(receiver->maxwin, TG_ACK_WINDOW_MIN), limit))
		return TG_NOUPD_RST_CLOSING;
	if (tg_seq_after(pkt->seq, limit))
		return TG_DROP_RST_ABOVE;
	if (tg_seq_before(pkt->seq, receiver->ack))
		/* One below, of an adopted sender: its FIN may have come before us, see RST_AFTER_FIN. */
		return (sender->facts & TG_FACT_PICKUP) && pkt->seq == receiver->ack - 1 ?
			       TG_NOUPD_RST_CLOSING :
			       TG_DROP_RST_OLD;
	return view->strict ? TG_DROP_RST_INEXACT : TG_NOUPD_RST_INEXACT;
}

/*
 * Does it answer a segment that the receiver sent?  Then it is no guess: an endpoint that closed with
 * data in flight answers each segment of it, thousands at once.  Its number is what that segment
 * acknowledged: the last one, or, of segments that were delayed past the end, an earlier one.
 */
TG_INLINE bool tg_answers_segment(const struct tg_view *view, const struct tg_packet *pkt)
{
	const struct tg_half *receiver = view->receiver;
	bool ended = view->phase == TG_PHASE_TIME_WAIT || view->phase == TG_PHASE_CLOSED;

	if (!(receiver->facts & TG_FACT_HASACK))
		return false;
	if (!ended)
		return pkt->seq == receiver->ack;
	return tg_seq_between(pkt->seq,
			      receiver->ack - tg_larger(receiver->maxwin, TG_ACK_WINDOW_MIN),
			      receiver->ack);
}

TG_INLINE enum tg_verdict tg_flow_reset(struct tg_view *view, const struct tg_packet *pkt)
{
	enum tg_verdict verdict = tg_judge_reset(view, pkt);

	if (tg_verdict_action(verdict) == TG_ACTION_NOUPD && !tg_answers_segment(view, pkt) &&
	    !tg_limit_allows(&view->detail->rst_limit_ms, view->now_ms))
		return TG_DROP_RST_RATE;
	return verdict;
}

#endif
