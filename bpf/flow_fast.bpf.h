/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The short way: an in-order data segment or ACK of an established IPv4 flow in which nothing is
 * unusual, which is what nearly all packets are.  It decides nothing of its own: its conditions are
 * those under which the long way (tg_parse(), tg_inspect_common()) is known to end in PASS_OK, and
 * what it writes, the same functions write.  Whatever meets a condition not takes the long way, from
 * the beginning, so a condition may be too narrow but never too wide.
 *
 * What makes it short: nothing leaves the registers, and nothing is called.
 */
#ifndef TG_BPF_FLOW_FAST_H
#define TG_BPF_FLOW_FAST_H

#include "account.bpf.h"
#include "clock.bpf.h"
#include "flow_judge.bpf.h"
#include "headers.h"
#include "lists.bpf.h"
#include "report.bpf.h"
#include "tcp_options.h"

/* Facts of both halves: ends known, both SYNs acknowledged, no FIN, no RST, nothing guessed. */
#define TG_FAST_FACTS (TG_FACT_SYN | TG_FACT_HASACK | TG_FACT_ACKSYN)
#define TG_FAST_FACTS_MASK \
	(TG_FAST_FACTS | TG_FACT_FIN | TG_FACT_RST | TG_FACT_PICKUP | TG_FACT_FRAG)

#define TG_FAST_TIMESTAMPS \
	bpf_htonl(TG_OPTION_NOP << 24 | TG_OPTION_NOP << 16 | TG_OPTION_TIMESTAMPS << 8 | 10)

/* Ethernet, IPv4 without options, TCP with ACK alone (or PSH) and no option but timestamps. */
TG_INLINE bool tg_fast_headers(const void *data, const void *data_end)
{
	const struct tg_ethernet *eth = data;
	const struct tg_ipv4 *ip = (const void *)(eth + 1);
	const struct tg_tcp *tcp = (const void *)(ip + 1);
	const __be32 *option = (const void *)(tcp + 1);

	if ((const void *)(tcp + 1) > data_end || tg_program.no_link_header)
		return false;
	if (eth->type != bpf_htons(TG_ETHERTYPE_IPV4) || ip->version_ihl != 0x45 ||
	    ip->protocol != TG_PROTO_TCP ||
	    (ip->fragment & bpf_htons(TG_IPV4_MORE_FRAGMENTS | TG_IPV4_FRAGMENT_OFFSET)) ||
	    (tcp->flags & (TG_FIN | TG_SYN | TG_RST | TG_ACK | TG_URG)) != TG_ACK)
		return false;
	if ((tcp->offset_reserved & 0xf0) == 0x50)
		return true;
	return (tcp->offset_reserved & 0xf0) == 0x80 && (const void *)(option + 3) <= data_end &&
	       option[0] == TG_FAST_TIMESTAMPS;
}

TG_INLINE struct tg_flow_id tg_fast_identify(const void *data)
{
	const struct tg_ipv4 *ip = data + sizeof(struct tg_ethernet);
	const struct tg_tcp *tcp = (const void *)(ip + 1);
	struct tg_packet pkt = { .ipv4 = true, .sport = tcp->sport, .dport = tcp->dport };
	struct tg_flow_id id;

	pkt.saddr[3] = ip->saddr;
	pkt.daddr[3] = ip->daddr;
	id = tg_flow_identify(&tg_program.hash, &pkt);
	/* A number from here on: the compiler would rather keep what it was compared from. */
	asm volatile(""
		     : "+r"(id.side));
	return id;
}

/* Read only when the flow is found: registers are few, and the bytes are still in the cache. */
TG_INLINE bool tg_fast_numbers(const void *data, const void *data_end, struct tg_packet *pkt)
{
	const struct tg_ipv4 *ip = data + sizeof(struct tg_ethernet);
	const struct tg_tcp *tcp = (const void *)(ip + 1);
	const __be32 *option = (const void *)(tcp + 1);
	__u32 headers = sizeof(*ip) + sizeof(*tcp);

	pkt->seq = bpf_ntohl(tcp->seq);
	pkt->ack = bpf_ntohl(tcp->ack);
	pkt->window = bpf_ntohs(tcp->window);
	pkt->flags = TG_ACK;
	pkt->bytes = bpf_ntohs(ip->total_length);
	if ((tcp->offset_reserved & 0xf0) == 0x80) {
		if ((const void *)(option + 3) > data_end)
			return false;
		pkt->options = TG_OPT_TIMESTAMPS;
		pkt->tsval = bpf_ntohl(option[1]);
		headers += 12;
	}
	if (pkt->bytes < headers) /* also BIG TCP's 0 */
		return false;
	tg_set_payload(pkt, pkt->bytes - headers);
	return true;
}

/* The flow, as pointers that are computed once: a struct tg_view would be computed over and over. */
struct tg_fast_view {
	struct tg_ref ref;
	struct tg_half *sender;
	struct tg_half *receiver;
	struct tg_half_count *count; /* the sender's */
};

/* Keeps the compiler from computing a value anew wherever it is used; no instruction. */
#define TG_KEEP(value) asm volatile("" \
				    : "+r"(value))

TG_INLINE bool tg_fast_find(const void *data, struct tg_fast_view *view)
{
	struct tg_table table = { .buckets = tg_program.buckets };
	struct tg_flow_id id = tg_fast_identify(data);
	__u32 index = tg_bucket_of(id.tag, 0, table.buckets), side = id.side & 1;
	struct tg_bucket *bucket = tg_bucket_at(&table, index);
	struct tg_detail *detail;
	enum tg_found found;
	const __u64 *word;

	if (!bucket)
		return false;
	found = tg_way_search(bucket, index, id.tag & (TG_BUCKET_WAYS - 1), id.tag, &view->ref);
	if (!found) {
		word = tg_bucket_word_at(&table, index);
		if (!word)
			return false;
		found = tg_prints_search(bucket, TG_READ_ONCE(*word), index, id.tag, &view->ref);
	}
	if (found != TG_FOUND_LIVE)
		return false;
	detail = tg_detail_at(&table, view->ref.number);
	if (!detail)
		return false;
	TG_KEEP(view->ref.slot);
	view->sender = &view->ref.slot->half[side];
	TG_KEEP(view->sender);
	view->receiver = &view->ref.slot->half[side ^ 1];
	TG_KEEP(view->receiver);
	view->count = &detail->count[side];
	TG_KEEP(view->count);
	tg_report_found(id.tag, side, &view->ref);
	return true;
}

/*
 * An established flow with nothing pending.  The addresses need no check: a flow whose two SYNs were
 * seen, or whose socket exists, has passed it.
 */
TG_INLINE bool tg_fast_flow(const struct tg_fast_view *view, const struct tg_packet *pkt,
			    const struct tg_timeouts *timeouts, __u32 now_ms)
{
	__u32 sender = view->sender->facts, receiver = view->receiver->facts;
	__u32 wanted = TG_FAST_FACTS | (pkt->own ? TG_FACT_OWN : 0) |
		       (pkt->options & TG_OPT_TIMESTAMPS ? TG_FACT_HASTS : 0);
	__u32 ignored = pkt->options & TG_OPT_TIMESTAMPS ? 0 : TG_FACT_HASTS;

	return (sender & (TG_FAST_FACTS_MASK | TG_FACT_OWN | TG_FACT_HASTS) & ~ignored) == wanted &&
	       (receiver & TG_FAST_FACTS_MASK) == TG_FAST_FACTS &&
	       !(view->ref.claim & TG_CLAIM_SUSPECT) &&
	       now_ms - TG_READ_ONCE(view->ref.slot->stamp_ms) <= timeouts->shortest_ms;
}

/* In order, inside the window, and neither a probe nor an old duplicate: PASS_OK. */
TG_INLINE bool tg_fast_segment(const struct tg_fast_view *view, const struct tg_packet *pkt)
{
	const struct tg_half *sender = view->sender, *receiver = view->receiver;
	__u32 receiver_end = receiver->end;

	return pkt->seq == sender->end && pkt->payload != 1 && pkt->seq != receiver->ack - 1 &&
	       !tg_seq_after(pkt->seq, receiver->right) && !tg_seq_after(pkt->ack, receiver_end) &&
	       !tg_seq_before(pkt->ack,
			      receiver_end - tg_larger(sender->maxwin, TG_ACK_WINDOW_MIN)) &&
	       !(pkt->payload && (pkt->options & TG_OPT_TIMESTAMPS) && view->count->tsmax &&
		 tg_seq_before(pkt->tsval, view->count->tsmax));
}

/* tg_window_update() of such a segment: no fact is new. */
TG_INLINE void tg_fast_update(const struct tg_fast_view *view, const struct tg_packet *pkt)
{
	struct tg_half *sender = view->sender;
	__u32 window = tg_larger(tg_scaled_window(sender, view->receiver, pkt->window), 1);

	tg_raise_window(&sender->maxwin, tg_smaller(window, TG_PICKUP_SPAN));
	if (pkt->payload)
		tg_raise(&sender->end, pkt->end, false);
	tg_raise(&sender->ack, pkt->ack, false);
	tg_raise(&sender->right, pkt->ack + window, false);
}

/* Nobody asks about packets that pass: no trace, no capture. */
TG_INLINE bool tg_fast_may(const struct tg_settings *settings)
{
	return !(settings->watch & (TG_WATCH_TRACE | TG_WATCH_CAPTURE));
}

/* Not so if the source is on the block list; what this machine sends itself is not looked up. */
TG_INLINE bool tg_fast_source(const struct tg_config *config, const void *data, bool own)
{
	const struct tg_ipv4 *ip = data + sizeof(struct tg_ethernet);

	return TG_LIKELY(!config->lists.prefixes) || own || !tg_lists_know(config, ip->saddr);
}

/* The whole journey and its end; false: nothing was done, take the long way. */
TG_INLINE bool tg_fast(const void *data, const void *data_end, __u16 segments, bool own)
{
	struct tg_packet pkt = { .segments = segments, .own = own };
	struct tg_settings *settings = tg_settings_get();
	struct tg_fast_view view = {};
	const struct tg_config *config;
	__u32 now_ms;

	if (!settings)
		return false;
	config = tg_active_config(settings);
	if (!tg_fast_may(settings) || !tg_fast_headers(data, data_end) ||
	    !tg_fast_find(data, &view) || !tg_fast_numbers(data, data_end, &pkt))
		return false;
	now_ms = tg_now_ms(settings);
	if (!tg_fast_flow(&view, &pkt, &config->timeouts, now_ms) ||
	    !tg_fast_segment(&view, &pkt) || !tg_fast_source(config, data, own))
		return false;

	tg_fast_update(&view, &pkt);
	if (view.ref.slot->stamp_ms != now_ms)
		TG_WRITE_ONCE(view.ref.slot->stamp_ms, now_ms);
	tg_count_passed(view.count, &pkt, now_ms);
	tg_flow_check_owner(&view.ref);
	tg_count_packet(TG_PASS_OK, TG_OUTCOME_VERDICT, &pkt);
	tg_report_fast();
	return true;
}

#endif
