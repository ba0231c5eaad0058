/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kind of good segment is it: new data, a retransmission, an original that was overtaken, a
 * probe?  Counters and reasons only; nothing here can drop, but PAWS in strict mode.
 */
#ifndef TG_BPF_TCP_DATA_H
#define TG_BPF_TCP_DATA_H

#include "flow_view.h"

#define TG_PAWS_MARGIN (1U << 20) /* clocks jump; only a gross step back counts as an old duplicate */

TG_INLINE void tg_add_u16(__u16 *count)
{
	if (*count != 0xffff)
		(*count)++;
}

/* Keepalive (RFC 9293 3.8.4): the last byte again, or none, and everything is acknowledged. */
TG_INLINE bool tg_is_keepalive(const struct tg_view *view, const struct tg_packet *pkt)
{
	const struct tg_half *receiver = view->receiver;

	return pkt->payload <= 1 && !(pkt->flags & TG_FIN) && pkt->seq == view->sender->end - 1 &&
	       (receiver->facts & TG_FACT_HASACK) && receiver->ack == view->sender->end;
}

/* Probe of a zero window (RFC 9293 3.8.6.1). */
TG_INLINE bool tg_is_window_probe(const struct tg_view *view, const struct tg_packet *pkt,
				  __u32 limit)
{
	const struct tg_half *receiver = view->receiver;

	return pkt->payload <= 1 && !(pkt->flags & TG_FIN) && (receiver->facts & TG_FACT_HASACK) &&
	       !tg_receiver_count(view)->window &&
	       (pkt->seq == receiver->ack - 1 ||
		(pkt->payload && (pkt->seq == receiver->ack || pkt->seq == limit)));
}

/* TSval older than the newest this side sent. */
TG_INLINE bool tg_timestamp_old(const struct tg_view *view, const struct tg_packet *pkt, __u32 margin)
{
	__u32 newest = tg_sender_count(view)->tsmax;

	/* 0: none yet, or the first of an old Windows, which says nothing (trap 35). */
	return newest && (pkt->options & TG_OPT_TIMESTAMPS) &&
	       tg_seq_before(pkt->tsval, newest - margin);
}

/*
 * After this silence a clock of microseconds is half around, and what is newer looks older (RFC 7323
 * 5.5, for the fastest clock in use).
 */
#define TG_TIMESTAMP_VALID_MS 2147000U

/* Strict only: an old duplicate by its timestamp (RFC 7323 5). */
TG_INLINE bool tg_paws_refuses(const struct tg_view *view, const struct tg_packet *pkt)
{
	struct tg_half_count *count = tg_sender_count(view);

	if (!view->strict)
		return false;
	if (view->now_ms - count->last_ms > TG_TIMESTAMP_VALID_MS)
		count->tsmax = 0;
	return pkt->payload && (view->receiver->facts & TG_FACT_HASACK) &&
	       !tg_seq_before(pkt->seq, view->receiver->ack) &&
	       tg_timestamp_old(view, pkt, TG_PAWS_MARGIN);
}

/* Judges an accepted segment before the window update moves S.end. */
TG_INLINE enum tg_verdict tg_classify_data(const struct tg_view *view, const struct tg_packet *pkt,
					   __u32 limit)
{
	struct tg_half_count *count = tg_sender_count(view);
	__u32 facts = view->sender->facts, end = view->sender->end;

	if (TG_UNLIKELY((pkt->flags & TG_FIN) && (facts & TG_FACT_FIN)) && pkt->end == end) {
		count->retrans++;
		return TG_PASS_RETRANS;
	}
	if (TG_UNLIKELY(pkt->payload <= 1)) {
		if (tg_is_keepalive(view, pkt))
			return TG_PASS_KEEPALIVE;
		if (tg_is_window_probe(view, pkt, limit))
			return TG_PASS_WINDOW_PROBE;
		if (!pkt->payload)
			return TG_PASS_OK;
	}
	if ((facts & (TG_FACT_PICKUP | TG_FACT_HASACK)) == TG_FACT_PICKUP)
		return TG_PASS_OK; /* adopted, speaks for the first time: what it sent before is a guess */
	if (!tg_seq_after(pkt->end, end)) {
		if (tg_timestamp_old(view, pkt, 0)) {
			tg_add_u16(&count->ooo); /* sent before what overtook it */
			return TG_PASS_OK;
		}
		count->retrans++;
		return TG_PASS_RETRANS;
	}
	if (tg_seq_before(pkt->seq, end))
		count->retrans++; /* old and new data in one segment */
	else if (pkt->seq != end)
		tg_add_u16(&count->ooo); /* a hole: something was overtaken or lost before us */
	if (tg_timestamp_old(view, pkt, 0) && (view->receiver->facts & TG_FACT_HASACK) &&
	    !tg_seq_before(pkt->seq, view->receiver->ack))
		return TG_PASS_PAWS;
	return TG_PASS_OK;
}

#endif
