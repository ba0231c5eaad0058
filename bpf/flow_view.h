/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One packet's view of its flow, and the only ways to write a half: raise a number, add or replace
 * facts, remember one sequence number.  All of them write the sender's half.
 */
#ifndef TG_BPF_FLOW_VIEW_H
#define TG_BPF_FLOW_VIEW_H

#include "flow_table.h"

#define TG_RAISE_RETRIES 4
#define TG_PICKUP_SPAN (1U << 30) /* how far an adopted flow may be from what was seen of it */

struct tg_view {
	struct tg_ref ref;
	struct tg_half *sender;
	struct tg_half *receiver;
	struct tg_detail *detail;
	enum tg_side side; /* the sender's */
	enum tg_phase phase; /* before this packet */
	__u32 now_ms;
	bool strict;
	bool adopts; /* unknown flows are adopted: learning, or profile oneway */
};

TG_INLINE struct tg_half_count *tg_sender_count(const struct tg_view *view)
{
	return &view->detail->count[view->side & 1];
}

TG_INLINE struct tg_half_count *tg_receiver_count(const struct tg_view *view)
{
	return &view->detail->count[(view->side & 1) ^ 1];
}

TG_INLINE __u32 *tg_sender_isn_at(const struct tg_view *view)
{
	return &view->detail->isn[view->side & 1];
}

TG_INLINE __u32 *tg_receiver_isn_at(const struct tg_view *view)
{
	return &view->detail->isn[(view->side & 1) ^ 1];
}

TG_INLINE __u32 tg_sender_isn(const struct tg_view *view)
{
	return *tg_sender_isn_at(view);
}

TG_INLINE __u32 tg_receiver_isn(const struct tg_view *view)
{
	return *tg_receiver_isn_at(view);
}

/* Payload length of the sender's or receiver's pending SYN. */
TG_INLINE __u16 *tg_sender_pending_len(const struct tg_view *view)
{
	return &view->detail->pending_len[view->side & 1];
}

TG_INLINE __u16 *tg_receiver_pending_len(const struct tg_view *view)
{
	return &view->detail->pending_len[(view->side & 1) ^ 1];
}

/*
 * Sets *field to value if that is serially greater; first: whatever it holds (not valid yet).  The
 * swap keeps two CPUs that carry the same direction from setting it back; a fourth failure would mean
 * that the others raised it three times meanwhile, and the next packet raises it again.
 */
TG_INLINE void tg_raise(__u32 *field, __u32 value, bool first)
{
	__u32 seen = TG_READ_ONCE(*field), i;

	for (i = 0; i < TG_RAISE_RETRIES && (first || tg_seq_after(value, seen)); i++) {
		__u32 old = __sync_val_compare_and_swap(field, seen, value);

		if (old == seen)
			return;
		seen = old;
		first = false;
	}
}

/* Windows are compared as plain numbers: at most 2^30. */
TG_INLINE void tg_raise_window(__u32 *field, __u32 value)
{
	__u32 seen = TG_READ_ONCE(*field), i;

	for (i = 0; i < TG_RAISE_RETRIES && value > seen; i++) {
		__u32 old = __sync_val_compare_and_swap(field, seen, value);

		if (old == seen)
			return;
		seen = old;
	}
}

TG_INLINE void tg_add_facts(struct tg_half *half, __u32 facts)
{
	if ((half->facts & facts) != facts)
		__sync_fetch_and_or(&half->facts, facts);
}

TG_INLINE void tg_remove_facts(struct tg_half *half, __u32 facts)
{
	if (half->facts & facts)
		__sync_fetch_and_and(&half->facts, ~facts);
}

/*
 * Remembers one sequence number in the sender's half.  A RST that the receiver has disproved by
 * acknowledging beyond it is forgotten first: without its number it would count again.
 */
TG_INLINE void tg_remember(struct tg_view *view, enum tg_aux kind, __u32 value)
{
	struct tg_half *sender = view->sender;

	if ((sender->facts & TG_FACT_RST) && kind != TG_AUX_RST &&
	    !tg_rst_holds(sender, view->receiver))
		tg_remove_facts(sender, TG_FACT_RST);
	if (tg_half_aux_kind(sender) != kind)
		tg_remove_facts(sender, TG_AUX_MASK);
	TG_WRITE_ONCE(sender->aux, value);
	tg_add_facts(sender, (__u32)kind << TG_AUX_SHIFT);
}

/* What any segment says about its sender. */
TG_INLINE __u32 tg_packet_facts(const struct tg_packet *pkt)
{
	return (pkt->options & TG_OPT_TIMESTAMPS ? TG_FACT_HASTS : 0) |
	       (pkt->first_fragment ? TG_FACT_FRAG : 0) | (pkt->own ? TG_FACT_OWN : 0) |
	       (pkt->ingress == TG_INGRESS_HOST ? TG_FACT_OUTSIDE : 0);
}

/*
 * A packet from outside that claims to be this machine's own.  The kernel refuses it as martian;
 * believing it would let an attacker end connections by a forged pair of segments.  What it forwards with
 * an address of its own is NAT's, which may give a connection the ports of one that was the machine's.
 */
TG_INLINE bool tg_is_spoofed(const struct tg_view *view, const struct tg_packet *pkt)
{
	return (view->sender->facts & TG_FACT_OWN) && pkt->ingress;
}

/* The window a segment announces, in bytes.  Never scaled on SYN and SYN-ACK (RFC 7323 2.2). */
TG_INLINE __u32 tg_scaled_window(const struct tg_half *sender, const struct tg_half *receiver,
				 __u16 window)
{
	__u8 mine = tg_half_wscale(sender), theirs = tg_half_wscale(receiver);

	if (sender->facts & TG_FACT_PICKUP)
		return (__u32)window << TG_WSCALE_MAX;
	if (mine == TG_WSCALE_NONE || theirs == TG_WSCALE_NONE)
		return window;
	return (__u32)window << (mine & 0x0f);
}

/* The highest sequence number the sender may use. */
TG_INLINE __u32 tg_send_limit(const struct tg_view *view)
{
	const struct tg_half *sender = view->sender, *receiver = view->receiver;

	if (TG_LIKELY(receiver->facts & TG_FACT_HASACK))
		return receiver->right;
	if (sender->facts & TG_FACT_PICKUP)
		return sender->end + TG_PICKUP_SPAN;
	if (receiver->facts & TG_FACT_SYN) /* before the first ACK: the SYN's own window */
		return tg_seq_max(sender->end, tg_sender_isn(view) + 1 + receiver->maxwin);
	return sender->end;
}

/*
 * A token bucket per flow and kind for what is passed without effect: 10 a second, burst of 20
 * (generic cell rate algorithm; *arrival_ms is the theoretical arrival time).  Per flow, never
 * global: a global limit tells a third party what happens elsewhere (CVE-2016-5696).
 * Racy and harmless: a lost update lets one more packet pass.
 */
#define TG_LIMIT_COST_MS 100
#define TG_LIMIT_BURST_MS 2000

TG_INLINE bool tg_limit_allows(__u32 *arrival_ms, __u32 now_ms)
{
	__u32 arrival = TG_READ_ONCE(*arrival_ms);

	if (!tg_seq_after(arrival, now_ms) || arrival - now_ms > TG_LIMIT_BURST_MS)
		arrival = now_ms;
	if (arrival - now_ms > TG_LIMIT_BURST_MS - TG_LIMIT_COST_MS)
		return false;
	TG_WRITE_ONCE(*arrival_ms, arrival + TG_LIMIT_COST_MS);
	return true;
}

#endif
