/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The short way: an in-order data segment or ACK of an established IPv4 flow in which nothing is
 * unusual, which is what nearly all packets are.  It decides nothing of its own: its conditions are
 * those under which the long way (tg_parse(), tg_inspect_common()) is known to end in PASS_OK, and
 * what it writes, the same functions write.  Whatever meets a condition not takes the long way, from
 * the beginning, so a condition may be too narrow but never too wide.
 *
 * What makes it short: hardly anything leaves the registers, and nothing is called.  It is part of the
 * entry functions, whose stack is added to that of the long way they call: hence 64 bytes of it, and
 * fields of the packet that are read again instead of being kept (tests/kernels/stack.py adds up).
 * Lists are asked by a copy of it that is called before the long way and has a stack of its own.
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

/* Data offset and flags, as one word: 20 or 32 bytes of header, of the flags tested ACK alone. */
#define TG_FAST_KIND_MASK (0xf000 | TG_FIN | TG_SYN | TG_RST | TG_ACK | TG_URG)
#define TG_FAST_PLAIN (0x5000 | TG_ACK)
#define TG_FAST_STAMPED (0x8000 | TG_ACK)

/* Ethernet, IPv4 without options, TCP with ACK alone (or PSH) and no option but timestamps. */
TG_INLINE bool tg_fast_headers(const void *data, const void *data_end)
{
	const struct tg_ethernet *eth = data;
	const struct tg_ipv4 *ip = (const void *)(eth + 1);
	const struct tg_tcp *tcp = (const void *)(ip + 1);
	const __be32 *option = (const void *)(tcp + 1);
	__be16 kind;

	if ((const void *)(tcp + 1) > data_end || tg_program.no_link_header)
		return false;
	/* Neighbours as one word: type and version, offset of the fragment and protocol. */
	if ((*(const __be32 *)&eth->type & bpf_htonl(0xffffff00)) !=
		    bpf_htonl(TG_ETHERTYPE_IPV4 << 16 | 0x45 << 8) ||
	    (*(const __be32 *)&ip->fragment &
	     bpf_htonl((TG_IPV4_MORE_FRAGMENTS | TG_IPV4_FRAGMENT_OFFSET) << 16 | 0xff)) !=
		    bpf_htonl(TG_PROTO_TCP) ||
	    ip->saddr == ip->daddr) /* then the ports say which side sent it */
		return false;
	/* Both bytes at once: where the header ends, and the flags that are tested. */
	kind = *(const __be16 *)&tcp->offset_reserved & bpf_htons(TG_FAST_KIND_MASK);
	if (kind == bpf_htons(TG_FAST_PLAIN))
		return true;
	return kind == bpf_htons(TG_FAST_STAMPED) && (const void *)(option + 3) <= data_end &&
	       option[0] == TG_FAST_TIMESTAMPS;
}

/* tg_flow_identify() of two addresses that differ. */
TG_INLINE struct tg_flow_id tg_fast_identify(const void *data)
{
	const struct tg_ipv4 *ip = data + sizeof(struct tg_ethernet);
	const struct tg_tcp *tcp = (const void *)(ip + 1);
	__u64 lo = ip->saddr, hi = ip->daddr, ports = tg_ports_word(tcp->sport, tcp->dport);
	struct tg_flow_id id = { .side = TG_SIDE_LO };

	if (bpf_ntohl(lo) > bpf_ntohl(hi)) {
		lo = ip->daddr;
		hi = ip->saddr;
		ports = tg_ports_word(tcp->dport, tcp->sport);
		id.side = TG_SIDE_HI;
	}
	/* Numbers from here on: the compiler would rather hash in both branches. */
	TG_KEEP(lo);
	TG_KEEP(hi);
	TG_KEEP(ports);
	id.tag = tg_tag_ipv4(&tg_program.hash, lo, hi, ports);
	return id;
}

/* What stands behind this is read from memory behind it, and not kept in a register until then. */
TG_INLINE void tg_fast_stage(void)
{
	asm volatile("" ::
			     : "memory");
}

/* TG_FACT_HASTS if the segment has timestamps: of the two offsets that came so far, the upper bit tells. */
TG_INLINE __u32 tg_fast_stamp(const struct tg_tcp *tcp)
{
	_Static_assert(TG_FACT_HASTS == 0x80 >> 1, "the offset's upper bit");
	return (tcp->offset_reserved & 0x80) >> 1;
}

/* Read only when the flow is found: the bytes are still in the cache. */
TG_INLINE bool tg_fast_numbers(const void *data, struct tg_packet *pkt)
{
	const struct tg_ipv4 *ip = data + sizeof(struct tg_ethernet);
	const struct tg_tcp *tcp = (const void *)(ip + 1);
	__u32 headers = sizeof(*ip) + ((tcp->offset_reserved & 0xf0) >> 2);

	pkt->bytes = bpf_ntohs(ip->total_length);
	if (pkt->bytes < headers) /* also BIG TCP's 0 */
		return false;
	pkt->seq = bpf_ntohl(tcp->seq);
	pkt->ack = bpf_ntohl(tcp->ack);
	pkt->window = bpf_ntohs(tcp->window);
	pkt->flags = TG_ACK;
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

/* Live, and no late writer has touched it. */
TG_INLINE bool tg_fast_live(__u32 claim)
{
	return (claim & (TG_CLAIM_OWNED | TG_CLAIM_LIVE | TG_CLAIM_SUSPECT)) ==
	       (TG_CLAIM_OWNED | TG_CLAIM_LIVE);
}

/*
 * tg_way_search() for the way the tag prefers.  The tag is read once, behind the claim: it is that
 * generation's or, if the slot changed hands between the two, a later one's, for which there is
 * tg_flow_check_owner() in the end.  The short way drops nothing.
 */
TG_INLINE bool tg_fast_way(struct tg_bucket *bucket, __u64 seen, __u32 way, __u64 tag,
			   struct tg_ref *ref)
{
	struct tg_slot *slot = &bucket->slot[way];

	/* tg_print_of() but for the tag whose print is another's: the search of all ways finds that one. */
	seen >>= TG_BUCKET_PRINTS_SHIFT + TG_PRINT_BITS * way;
	if (TG_UNLIKELY((seen ^ tag >> 3) & TG_PRINT_MASK))
		return false;
	ref->claim = TG_READ_ONCE(slot->claim);
	ref->slot = slot;
	return tg_fast_live(ref->claim) && TG_READ_ONCE(slot->tag) == tag;
}

TG_INLINE bool tg_fast_find(const void *data, struct tg_fast_view *view)
{
	struct tg_table table = { .buckets = tg_program.buckets };
	struct tg_flow_id id = tg_fast_identify(data);
	__u32 index = tg_bucket_of(id.tag, 0, table.buckets), side = id.side;
	struct tg_bucket *bucket = tg_bucket_at(&table, index);
	const __u64 *word = tg_bucket_word_at(&table, index);
	__u32 way = id.tag & (TG_BUCKET_WAYS - 1);
	struct tg_detail *detail;
	__u64 seen;

	if (!bucket || !word)
		return false;
	seen = TG_READ_ONCE(*word);
	view->ref.number = index * TG_BUCKET_WAYS + way;
	if (TG_UNLIKELY(!tg_fast_way(bucket, seen, way, id.tag, &view->ref)) &&
	    (!tg_prints_search(bucket, seen, index, id.tag, &view->ref) ||
	     !tg_fast_live(view->ref.claim)))
		return false;
	tg_report_found(id.tag, side, &view->ref);
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
	return true;
}

/*
 * An established flow with nothing pending.  The addresses need no check: a flow whose two SYNs were
 * seen, or whose socket exists, has passed it.
 */
TG_INLINE bool tg_fast_flow(const struct tg_fast_view *view, __u32 stamp, bool own,
			    __u32 shortest_ms, __u32 now_ms)
{
	__u32 wanted = TG_FAST_FACTS | (own ? TG_FACT_OWN : 0) | stamp;

	return (view->sender->facts & (TG_FAST_FACTS_MASK | TG_FACT_OWN | stamp)) == wanted &&
	       (view->receiver->facts & TG_FAST_FACTS_MASK) == TG_FAST_FACTS &&
	       now_ms - TG_READ_ONCE(view->ref.slot->stamp_ms) <= shortest_ms;
}

/* In order, inside the window, and no probe. */
TG_INLINE bool tg_fast_segment(const struct tg_fast_view *view, const struct tg_packet *pkt)
{
	const struct tg_half *sender = view->sender, *receiver = view->receiver;
	__u32 receiver_end = receiver->end;

	return pkt->seq == sender->end && pkt->payload != 1 && pkt->seq != receiver->ack - 1 &&
	       !tg_seq_after(pkt->seq, receiver->right) && !tg_seq_after(pkt->ack, receiver_end) &&
	       !tg_seq_before(pkt->ack,
			      receiver_end - tg_larger(sender->maxwin, TG_ACK_WINDOW_MIN));
}

/* No old duplicate, and the newest timestamp so far is kept: the last condition, so that it may be. */
TG_INLINE bool tg_fast_timestamp(const void *data, const void *data_end, __u32 payload,
				 struct tg_half_count *count)
{
	const struct tg_ipv4 *ip = data + sizeof(struct tg_ethernet);
	const struct tg_tcp *tcp = (const void *)(ip + 1);
	const __be32 *option = (const void *)(tcp + 1);
	__u32 tsval, newest = count->tsmax;

	if (!tg_fast_stamp(tcp))
		return true;
	if ((const void *)(option + 3) > data_end)
		return false;
	tsval = bpf_ntohl(option[1]);
	/* Half around the circle is both before and after: then it is old, as tg_timestamp_old() has it. */
	if (payload && newest && tg_seq_before(tsval, newest))
		return false;
	if (!newest || tg_seq_after(tsval, newest))
		count->tsmax = tsval;
	return true;
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

/* Somebody wants to know of packets that pass: a trace, a capture. */
TG_INLINE __u32 tg_fast_watched(const struct tg_settings *settings)
{
	return settings->watch & (TG_WATCH_TRACE | TG_WATCH_CAPTURE);
}

/* The lists say nothing against the source; whom they block, or spare, the long way judges. */
TG_INLINE bool tg_fast_source(const struct tg_settings *settings, const void *data, __u32 config)
{
	const struct tg_ipv4 *ip = data + sizeof(struct tg_ethernet);
	struct tg_lookup lookup = {};
	struct tg_packet pkt = {};

	lookup.now_ms = tg_now_ms(settings);
	lookup.config = config;
	pkt.ipv4 = true;
	pkt.saddr[2] = bpf_htonl(0xffff);
	pkt.saddr[3] = ip->saddr;
	return tg_lists_ask(&lookup, &pkt) == TG_LISTED_NOT;
}

TG_INLINE const void *tg_fast_data(const void *ctx, bool ingress)
{
	return (const void *)(long)(ingress ? ((const struct xdp_md *)ctx)->data :
					      ((const struct __sk_buff *)ctx)->data);
}

/* Read anew wherever it is compared, which costs less than keeping it. */
TG_INLINE const void *tg_fast_end(const void *ctx, bool ingress)
{
	return (const void *)(long)(ingress ? TG_READ_ONCE(((const struct xdp_md *)ctx)->data_end) :
					      TG_READ_ONCE(((const struct __sk_buff *)ctx)->data_end));
}

TG_INLINE bool tg_fast_own(const void *ctx, bool ingress)
{
	return !ingress && !((const struct __sk_buff *)ctx)->ingress_ifindex;
}

TG_INLINE __u16 tg_fast_segments(const void *ctx, bool ingress)
{
	if (ingress)
		return 1;
	return ((const struct __sk_buff *)ctx)->gso_segs ?: 1;
}

/* tg_now_ms(), with the settings looked up anew where they matter: they need no register until then. */
TG_INLINE __u32 tg_fast_now_ms(void)
{
	struct tg_settings *settings;

	if (tg_program.clock != TG_CLOCK_SETTINGS)
		return bpf_jiffies64() * tg_program.jiffies_mult >> TG_JIFFIES_SHIFT;
	settings = tg_settings_get();
	return settings ? settings->clock_ms : 0;
}

/*
 * A flow was found, but its segment takes the long way, which wants the details late: they are fetched
 * together with the slot, and not behind it.
 */
TG_INLINE bool tg_fast_give_up(const struct tg_fast_view *view)
{
	(void)TG_READ_ONCE(view->count->packets);
	return false;
}

/* Is it the lists that the short way of the entry functions is closed for? */
TG_INLINE bool tg_fast_closed(void)
{
	const struct tg_settings *settings = tg_settings_get();

	return settings && tg_active_config(settings)->lists.prefixes;
}

/*
 * The whole journey and its end; false: nothing was done, take the long way.  Twice: in the entry
 * functions, and for those who have lists in a function of its own, where there is stack for a call.
 */
TG_INLINE bool tg_fast(const void *ctx, bool ingress, bool lists)
{
	const void *data = tg_fast_data(ctx, ingress);
	const struct tg_ipv4 *ip = data + sizeof(struct tg_ethernet);
	const struct tg_tcp *tcp = (const void *)(ip + 1);
	struct tg_packet pkt = {};
	struct tg_settings *settings = tg_settings_get();
	struct tg_fast_view view = {};
	const struct tg_config *config;
	__u32 now_ms, shortest_ms, active;

	if (!settings)
		return false;
	active = TG_READ_ONCE(settings->active) & 1;
	config = &settings->config[active];
	shortest_ms = config->timeouts.shortest_ms;
	TG_KEEP(shortest_ms);
	if (((lists ? 0 : config->lists.prefixes) | tg_fast_watched(settings)) ||
	    !tg_fast_headers(data, tg_fast_end(ctx, ingress)) || !tg_fast_find(data, &view))
		return false;
	now_ms = tg_fast_now_ms();
	tg_fast_stage();
	if (!tg_fast_flow(&view, tg_fast_stamp(tcp), tg_fast_own(ctx, ingress), shortest_ms, now_ms))
		return tg_fast_give_up(&view);
	tg_fast_stage();
	if (!tg_fast_numbers(data, &pkt) || !tg_fast_segment(&view, &pkt) ||
	    (lists && !tg_fast_own(ctx, ingress) && !tg_fast_source(settings, data, active)) ||
	    !tg_fast_timestamp(data, tg_fast_end(ctx, ingress), pkt.payload, view.count))
		return tg_fast_give_up(&view);

	tg_fast_update(&view, &pkt);
	tg_fast_stage();
	pkt.window = bpf_ntohs(tcp->window);
	pkt.segments = tg_fast_segments(ctx, ingress);
	if (view.ref.slot->stamp_ms != now_ms)
		TG_WRITE_ONCE(view.ref.slot->stamp_ms, now_ms);
	tg_count_passed(view.count, &pkt, now_ms);
	tg_flow_check_owner(&view.ref);
	tg_fast_stage();
	pkt.segments = tg_fast_segments(ctx, ingress);
	pkt.bytes = bpf_ntohs(ip->total_length);
	tg_count_packet(TG_PASS_OK, TG_OUTCOME_VERDICT, &pkt);
	tg_report_fast();
	return true;
}

#endif
