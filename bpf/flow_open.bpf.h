/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * No flow was found: a SYN opens one, a segment of an older connection may be adopted, everything
 * else belongs to nothing.
 */
#ifndef TG_BPF_FLOW_OPEN_H
#define TG_BPF_FLOW_OPEN_H

#include "cookie.h"
#include "flow_judge.bpf.h"
#include "socket.bpf.h"

/* The first packet's share of the counters. */
TG_INLINE void tg_count_first(struct tg_view *view, const struct tg_packet *pkt)
{
	struct tg_half_count *count = tg_sender_count(view);

	count->packets = pkt->segments;
	count->bytes = pkt->payload;
	count->last_ms = view->now_ms;
	count->window = pkt->window;
	count->tsmax = pkt->tsval;
}

#define TG_COOKIE_WINDOW 0xffff /* what the SYN-ACK granted at most: it was not kept */

/*
 * Both halves after a handshake of which only the last segment is left: SYN and SYN-ACK are known from
 * the numbers it carries, their scales from the cookie.
 */
TG_INLINE void tg_begin_by_cookie(struct tg_view *view, const struct tg_packet *pkt, __u32 terms)
{
	__u32 facts = TG_FACT_SYN | TG_FACT_HASACK | TG_FACT_ACKSYN;
	struct tg_half *client = view->sender, *server = view->receiver;
	__u32 window = pkt->window;

	if (tg_terms_scale(terms, false) != TG_WSCALE_NONE)
		window <<= tg_terms_scale(terms, false);
	window = tg_larger(window, 1);
	*tg_sender_isn_at(view) = pkt->seq - 1;
	*tg_receiver_isn_at(view) = pkt->ack - 1;
	client->end = pkt->end;
	client->ack = pkt->ack;
	client->right = pkt->ack + window;
	client->maxwin = window;
	client->facts = facts | tg_packet_facts(pkt) | (pkt->flags & TG_FIN ? TG_FACT_FIN : 0) |
			(__u32)tg_terms_scale(terms, false) << TG_WSCALE_SHIFT;
	server->end = pkt->ack;
	server->ack = pkt->seq;
	server->right = pkt->seq + TG_COOKIE_WINDOW;
	server->maxwin = TG_COOKIE_WINDOW;
	server->facts = facts | (pkt->options & TG_OPT_TIMESTAMPS ? TG_FACT_HASTS : 0) | TG_FACT_OWN |
			(__u32)tg_terms_scale(terms, true) << TG_WSCALE_SHIFT;
	tg_receiver_count(view)->tsmax = pkt->options & TG_OPT_TIMESTAMPS ? pkt->tsecr : 0;
	tg_receiver_count(view)->last_ms = view->now_ms;
}

/*
 * Fills an owned slot from the first segment seen, and lets everybody see it.  Not inline: its caller
 * goes on to the deepest calls, and the stack is 512 bytes for all.
 */
static __noinline enum tg_verdict tg_fill_and_publish(struct tg_view *view,
						      const struct tg_packet *pkt, __u32 cookie)
{
	bool adopt = !(pkt->flags & TG_SYN);

	tg_key_from_packet(pkt, view->side, tg_program.zone, &view->detail->key);
	tg_fill_slot(&view->ref, view->detail, view->now_ms);
	if (cookie)
		tg_begin_by_cookie(view, pkt, cookie);
	else if (adopt)
		tg_adopt_halves(view->sender, view->receiver, tg_sender_isn_at(view),
				tg_receiver_isn_at(view), pkt);
	else
		tg_begin_half(view->sender, tg_sender_count(view), tg_sender_isn_at(view), pkt);
	tg_count_first(view, pkt);
	if (!tg_flow_publish(&view->ref))
		return TG_PASS_BUSY;
	if (cookie)
		return TG_PASS_COOKIE;
	return adopt ? TG_PASS_PICKUP : TG_PASS_NEW;
}

TG_INLINE enum tg_origin tg_open_origin(const struct tg_packet *pkt, __u32 cookie)
{
	if (cookie)
		return TG_ORIGIN_COOKIE;
	return pkt->flags & TG_SYN ? TG_ORIGIN_SYN : TG_ORIGIN_PICKUP;
}

/*
 * Every slot of the newcomer's bucket is weighed soon, and its details are written, which lie in the page of
 * these.  All of it is fetched at once: else each part would be waited for by itself, and the details behind
 * the swaps, which nothing overtakes.  Not inline: the stack, as above.
 */
static __noinline void tg_touch_home(const struct tg_table *table, __u64 tag)
{
	__u32 index = tg_bucket_of(tag, 0, table->buckets), way;
	const struct tg_bucket *bucket = tg_bucket_at(table, index);
	const struct tg_detail *detail =
		tg_detail_at(table, index * TG_BUCKET_WAYS + (tag & (TG_BUCKET_WAYS - 1)));

	if (!bucket || !detail)
		return;
#pragma unroll
	for (way = 0; way < TG_BUCKET_WAYS; way++)
		(void)TG_READ_ONCE(bucket->slot[way].claim);
	(void)TG_READ_ONCE(detail->created_ms);
}

/*
 * Opens a flow for pkt, in the expired slot of the same key or in a slot claimed now.  PASS_NEW,
 * PASS_PICKUP or PASS_COOKIE; PASS_BUSY when another CPU is opening the same flow, TG_UNDECIDED when
 * it has done so and lookup says where; PASS_TABLE_FULL.  cookie: 0, or the terms of the one that pkt
 * brought back.  Global: verified once, rare beside the packets that follow.
 */
TG_GLOBAL int tg_flow_open(struct tg_lookup *lookup, const struct tg_packet *pkt, __u32 cookie)
{
	struct tg_table table = TG_TABLE_OF(lookup);
	struct tg_view view = {};
	enum tg_verdict verdict;
	__u32 flags;

	if (!lookup || !pkt)
		return TG_PASS_INTERNAL;
	flags = tg_claim_flags(lookup->side, tg_open_origin(pkt, cookie));
	if (lookup->expired && !tg_view_set(&table, lookup, &view))
		return TG_PASS_INTERNAL;
	/* The swap fails if the slot was freed meanwhile, or another CPU was quicker. */
	if (!lookup->expired || !tg_flow_reclaim(&view.ref, flags)) {
		enum tg_found found;

		lookup->expired = false;

		tg_touch_home(&table, lookup->tag);
		found = tg_flow_claim(&table, lookup->tag, flags, (__u32)lookup->now_ms, &view.ref);
		if (found == TG_FOUND_BUSY)
			return TG_PASS_BUSY;
		if (!view.ref.slot)
			return tg_program.strict ? TG_DROP_TABLE_FULL : TG_PASS_TABLE_FULL;
		lookup->number = view.ref.number;
		lookup->claim = view.ref.claim;
		lookup->found = true;
		if (found == TG_FOUND_LIVE)
			return TG_UNDECIDED;
		if (!tg_view_set(&table, lookup, &view))
			return TG_PASS_INTERNAL;
	}
	lookup->claim = view.ref.claim;
	lookup->expired = false;
	verdict = tg_fill_and_publish(&view, pkt, cookie);
	if (verdict != TG_PASS_BUSY) {
		lookup->judged = false;
		lookup->phase_before = TG_PHASE_OPENED;
	}
	return verdict;
}

/*
 * What is a segment of an unknown connection?  TG_UNDECIDED: open a flow for it.  While unknown flows
 * are adopted, or when a local socket vouches for it, it is older than we are; where a newcomer once
 * found no room it may be that one's.  Never opens a flow from FIN, RST or SYN-ACK: a late one would
 * leave a phantom that swallows the next SYN (cilium#47425).
 */
TG_INLINE enum tg_verdict tg_flow_miss(void *ctx, const struct tg_settings *settings,
				       const struct tg_lookup *lookup, const struct tg_packet *pkt)
{
	bool known;

	if ((pkt->flags & (TG_SYN | TG_ACK)) == TG_SYN)
		return TG_UNDECIDED;
	known = lookup->adopts ||
		(tg_budget_allows(settings, lookup->now_ms) && tg_socket_vouches(ctx, pkt));
	if (known && !(pkt->flags & (TG_SYN | TG_FIN | TG_RST)))
		return TG_UNDECIDED;
	if (known)
		return TG_NOUPD_UNTRACKED;
	if (lookup->refused && !tg_program.strict)
		return TG_PASS_TABLE_FULL;
	return pkt->flags & TG_RST ? TG_DROP_RST_NO_FLOW : TG_DROP_NO_FLOW;
}

#endif
