// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data path, in order: both hooks, and tg_inspect(), one segment's journey between them.
 * A step decides or passes on (TG_UNDECIDED); the entry functions alone count and enforce, and they
 * alone know which hook they are on.
 */
#include "tcpguard/types.h"

#include "maps.bpf.h"
#include "clock.bpf.h"
#include "packet.h"
#include "parse_packet.h" /* bytes -> facts about one segment */
#include "tcp_flags.h"
#include "key.h" /* facts -> tag, side */
#include "flow_table.h" /* tag -> flow */
#include "flow_advance.h" /* flow: what do its facts allow? */
#include "flow_judge.bpf.h" /* the same for rare segments, behind one call */
#include "flood.bpf.h" /* a SYN: may its source, is its destination flooded? */
#include "flow_open.bpf.h" /* no flow: open, adopt, refuse */
#include "syn_cookie.bpf.h" /* under flood: answer the SYN, open by its ACK */
#include "tally.bpf.h" /* counting: rare things, verdicts */
#include "account.bpf.h"
#include "event.bpf.h" /* telling: transitions, drops */
#include "capture.bpf.h" /* the packets themselves */
#include "report.bpf.h"
#include "lists.bpf.h" /* source addresses blocked and allowed */
#include "flow_fast.bpf.h" /* the short way of almost every segment */
#include "enforce.bpf.h"

/* The segment that almost every packet is: data or ACK of an established flow. */
static __always_inline bool tg_is_common(const struct tg_view *view, const struct tg_packet *pkt)
{
	return !(pkt->flags & (TG_SYN | TG_FIN | TG_RST)) && !pkt->icmp_error &&
	       !pkt->first_fragment && view->phase == TG_PHASE_ESTABLISHED &&
	       !(view->ref.claim & TG_CLAIM_SUSPECT) && !tg_is_spoofed(view, pkt);
}

/*
 * Every segment's look-up.  TG_UNDECIDED: lookup->found says whether there is a flow to judge it by.
 * Global, as the next step, so that the verifier does not multiply its paths with the parser's.
 */
TG_GLOBAL int tg_look_up(struct tg_lookup *lookup, const struct tg_packet *pkt)
{
	struct tg_table table = TG_TABLE_OF(lookup);
	struct tg_ref ref = {};
	struct tg_flow_id id;
	enum tg_verdict verdict;
	enum tg_found found;
	__u64 *word;

	if (!lookup || !pkt)
		return TG_PASS_INTERNAL;
	if (!pkt->icmp_error) {
		verdict = tg_check_flags(pkt);
		if (verdict)
			return verdict;
		verdict = tg_check_addresses(pkt);
		if (verdict)
			return verdict;
	}
	id = tg_flow_identify(&tg_program.hash, pkt);
	lookup->tag = id.tag;
	lookup->side = id.side;
	found = tg_flow_find(&table, id.tag, &ref, &word);
	lookup->refused = word && (TG_READ_ONCE(*word) & TG_BUCKET_REFUSED);
	if (found != TG_FOUND_LIVE)
		return found == TG_FOUND_BUSY ? TG_PASS_BUSY : TG_UNDECIDED;
	lookup->found = true;
	lookup->number = ref.number;
	lookup->claim = ref.claim;
	return TG_UNDECIDED;
}

/* The common segment of the flow found; TG_UNDECIDED: it is a rare one. */
TG_GLOBAL int tg_inspect_common(const struct tg_lookup *lookup, const struct tg_packet *pkt)
{
	struct tg_table table = TG_TABLE_OF(lookup);
	const struct tg_timeouts *timeouts = tg_timeouts_of(&table);
	struct tg_view view = {};

	if (!lookup || !pkt || !timeouts || !tg_view_set(&table, lookup, &view))
		return TG_PASS_INTERNAL;
	view.phase = tg_flow_phase(view.sender, view.receiver);
	if (TG_LIKELY(tg_is_common(&view, pkt) &&
		      !tg_slot_expired(view.ref.slot, timeouts, view.now_ms)))
		return tg_flow_advance(&view, pkt, tg_program.profile != TG_PROFILE_HOST);
	return TG_UNDECIDED;
}

static __always_inline void tg_tally_open(enum tg_verdict verdict, const struct tg_packet *pkt)
{
	if (verdict == TG_PASS_NEW || verdict == TG_PASS_COOKIE)
		tg_tally(pkt->own ? TG_TALLY_FLOW_OUTBOUND : TG_TALLY_FLOW_INBOUND);
}

/* Opens a flow, or finds that another CPU just did. */
static __always_inline enum tg_verdict tg_inspect_open(struct tg_settings *settings,
						       struct tg_lookup *lookup,
						       const struct tg_packet *pkt, __u32 cookie)
{
	enum tg_verdict verdict = tg_flow_open(lookup, pkt, cookie);

	tg_tally_open(verdict, pkt);
	if (verdict == TG_PASS_TABLE_FULL || verdict == TG_DROP_TABLE_FULL)
		settings->refused_ms = lookup->now_ms; /* racy and harmless: any recent moment will do */
	return verdict ?: (enum tg_verdict)tg_flow_judge(lookup, pkt);
}

/* May this SYN open a connection?  CHALLENGE_SYN_COOKIE: the entry function answers it. */
static __always_inline enum tg_verdict tg_inspect_new(struct tg_settings *settings,
						      struct tg_lookup *lookup,
						      const struct tg_packet *pkt)
{
	enum tg_verdict refusal = TG_UNDECIDED, verdict;

	if ((pkt->flags & TG_SYN) && !pkt->own && !pkt->allowed) {
		refusal = tg_flood_check(lookup, pkt);
		if (refusal == TG_CHALLENGE_SYN_COOKIE || (refusal && tg_carried_out(pkt, refusal)))
			return refusal;
	}
	verdict = tg_inspect_open(settings, lookup, pkt, 0);
	return refusal ?: verdict; /* passed all the same: the flow follows */
}

/* An ACK of no flow, towards a destination that sent cookies lately: does it bring one back? */
static __always_inline enum tg_verdict tg_inspect_cookie(struct xdp_md *ctx,
							 struct tg_settings *settings,
							 struct tg_lookup *lookup,
							 const struct tg_packet *pkt)
{
	enum tg_verdict verdict;
	__u32 cookie;

	if ((pkt->flags & (TG_SYN | TG_RST | TG_ACK)) != TG_ACK ||
	    !tg_challenged_lately(pkt, lookup->now_ms))
		return TG_UNDECIDED;
	cookie = tg_cookie_check(ctx, pkt, lookup->now_ms);
	if (!cookie)
		return TG_UNDECIDED;
	verdict = tg_inspect_open(settings, lookup, pkt, cookie);
	if (verdict == TG_PASS_COOKIE)
		tg_flood_established(lookup, pkt);
	return verdict;
}

/* No flow: what does the segment belong to?  A flow may be opened for it. */
static __always_inline enum tg_verdict tg_inspect_unknown(void *ctx, bool ingress,
							  struct tg_settings *settings,
							  struct tg_lookup *lookup,
							  const struct tg_packet *pkt)
{
	enum tg_verdict verdict;

	if (pkt->icmp_error)
		return TG_PASS_NOT_TCP;
	if (ingress && tg_cookie_program.kind) {
		verdict = tg_inspect_cookie(ctx, settings, lookup, pkt);
		if (verdict)
			return verdict;
	}
	verdict = tg_flow_miss(ctx, settings, lookup, pkt);
	if (verdict == TG_DROP_NO_FLOW && ingress && tg_cookie_program.kind &&
	    tg_challenged_now(pkt, lookup->now_ms))
		return TG_DROP_COOKIE_INVALID;
	return verdict ?: tg_inspect_new(settings, lookup, pkt);
}

/* A handshake that the other side began is complete. */
static __always_inline void tg_note_established(const struct tg_lookup *lookup,
						const struct tg_packet *pkt)
{
	bool opener_hi = lookup->claim & TG_CLAIM_OPENER_HI;

	tg_tally_handshake(lookup->handshake_ms);
	if (!pkt->own && opener_hi == (lookup->side == TG_SIDE_HI))
		tg_flood_established(lookup, pkt);
}

/* One segment's journey, from its facts to a verdict.  ctx is struct xdp_md at ingress. */
static __always_inline enum tg_verdict tg_inspect(void *ctx, bool ingress,
						  struct tg_settings *settings,
						  struct tg_lookup *lookup,
						  const struct tg_packet *pkt)
{
	enum tg_verdict verdict = tg_look_up(lookup, pkt);

	if (verdict)
		return verdict;
	if (lookup->found)
		verdict = tg_inspect_common(lookup, pkt) ?: tg_flow_judge(lookup, pkt);
	if (TG_UNLIKELY(lookup->established))
		tg_note_established(lookup, pkt);
	return verdict ?: tg_inspect_unknown(ctx, ingress, settings, lookup, pkt);
}

/* The moment, the configuration and the mode, read once a packet. */
static __always_inline const struct tg_config *
tg_begin(const struct tg_settings *settings, struct tg_lookup *lookup, struct tg_packet *pkt)
{
	const struct tg_iface_settings *iface =
		&settings->iface[tg_program.iface_slot & (TG_IFACES_MAX - 1)];
	const struct tg_config *config;

	lookup->now_ms = tg_now_ms(settings);
	lookup->config = TG_READ_ONCE(settings->active) & 1;
	config = &settings->config[lookup->config & 1];
	lookup->adopts = tg_program.profile == TG_PROFILE_ONEWAY ||
			 lookup->now_ms < iface->learn_until_ms;
	tg_set_enforced(settings, config, lookup->now_ms, pkt);
	return config;
}

/*
 * From what the parser found to the final verdict.  A packet on the block list that passes all the
 * same (mode monitor) is inspected like any other: its flow must follow what passes.
 */
static __always_inline enum tg_verdict
tg_decide(void *ctx, bool ingress, struct tg_settings *settings, const struct tg_config *config,
	  struct tg_lookup *lookup, struct tg_packet *pkt, enum tg_verdict verdict)
{
	bool blocked = false;

	if (TG_UNLIKELY(config->lists.prefixes) && !pkt->own && !tg_verdict_drops(verdict)) {
		blocked = tg_lists_block(lookup, pkt);
		if (blocked && tg_carried_out(pkt, TG_DROP_BLOCKLIST))
			return TG_DROP_BLOCKLIST;
	}
	if (!verdict)
		verdict = tg_inspect(ctx, ingress, settings, lookup, pkt);
	return blocked ? TG_DROP_BLOCKLIST : verdict;
}

/* What is rare enough to be counted by kind. */
static __always_inline void tg_tally_segment(enum tg_verdict verdict, const struct tg_packet *pkt)
{
	if (TG_LIKELY(!(pkt->flags & (TG_SYN | TG_FIN | TG_RST)))) {
		if (TG_UNLIKELY(verdict == TG_PASS_NOT_TCP) && pkt->protocol == TG_PROTO_UDP)
			tg_tally(TG_TALLY_NOT_TCP_UDP);
		else if (TG_UNLIKELY(verdict == TG_PASS_NOT_TCP) &&
			 (pkt->protocol == TG_PROTO_ICMP || pkt->protocol == TG_PROTO_ICMPV6))
			tg_tally(TG_TALLY_NOT_TCP_ICMP);
		return;
	}
	if (pkt->flags & TG_RST)
		tg_tally(TG_TALLY_SEGMENT_RST);
	else if (pkt->flags & TG_FIN)
		tg_tally(TG_TALLY_SEGMENT_FIN);
	else
		tg_tally(pkt->flags & TG_ACK ? TG_TALLY_SEGMENT_SYNACK : TG_TALLY_SEGMENT_SYN);
}

/* Verdicts that headers outside the readable buffer would get, too. */
static __always_inline bool tg_headers_missing(enum tg_verdict verdict)
{
	return verdict == TG_DROP_BAD_HDR || verdict == TG_DROP_TINY_FRAG;
}

/* Global, so that the verifier does not multiply the parser's paths with what follows. */
TG_GLOBAL int tg_parse_xdp(struct xdp_md *ctx, struct tg_packet *pkt)
{
	if (!pkt)
		return TG_PASS_INTERNAL;
	return tg_parse((void *)(long)ctx->data, (void *)(long)ctx->data_end, &tg_program,
			tg_program.verify_csum, pkt);
}

/* The long way.  Global like the other steps, and with a stack of its own. */
TG_GLOBAL int tg_xdp_judge(struct xdp_md *ctx)
{
	struct tg_settings *settings = tg_settings_get();
	struct tg_packet pkt = { .segments = 1 };
	struct tg_lookup lookup = {};
	const struct tg_config *config;
	enum tg_outcome outcome;
	enum tg_verdict verdict;

	if (!settings)
		return XDP_PASS;
	config = tg_begin(settings, &lookup, &pkt);
	lookup.answers = tg_cookie_program.kind;
	verdict = tg_parse_xdp(ctx, &pkt);
	if (TG_UNLIKELY(pkt.jumbo))
		tg_jumbo_payload(&pkt, tg_xdp_length(ctx));
	if (TG_UNLIKELY(tg_headers_missing(verdict)) &&
	    tg_xdp_length(ctx) > (__u32)(ctx->data_end - ctx->data))
		verdict = TG_PASS_UNREADABLE;
	if (TG_UNLIKELY(config->services))
		tg_apply_service(settings, lookup.config, lookup.now_ms, &pkt);
	pkt.ingress = tg_program.profile == TG_PROFILE_HOST ? TG_INGRESS_HOST : TG_INGRESS_GATEWAY;
	verdict = tg_decide(ctx, true, settings, config, &lookup, &pkt, verdict);
	if (TG_UNLIKELY(verdict == TG_CHALLENGE_SYN_COOKIE)) {
		verdict = tg_cookie_answer(ctx, &pkt, lookup.now_ms);
		if (!verdict)
			verdict = tg_inspect_open(settings, &lookup, &pkt, 0);
	}

	outcome = tg_outcome_of(verdict, &pkt, settings);
	tg_account(verdict, outcome, &lookup, &pkt);
	tg_tally_segment(verdict, &pkt);
	tg_report(settings, verdict, outcome, &lookup, &pkt);
	if (tg_report_packet(settings, verdict, outcome, &lookup))
		tg_capture_xdp(ctx, &lookup, verdict, outcome);
	if (TG_UNLIKELY(verdict == TG_CHALLENGE_SYN_COOKIE))
		return tg_answer_action(ctx);
	return tg_enforce(verdict, &pkt) ? XDP_DROP : XDP_PASS;
}

/* The short way of those who have lists. */
TG_GLOBAL int tg_xdp_fast(struct xdp_md *ctx)
{
	return tg_fast(ctx, true, true);
}

SEC("xdp.frags")
int tg_xdp_ingress(struct xdp_md *ctx)
{
	if (TG_LIKELY(tg_fast(ctx, true, false)) || (TG_UNLIKELY(tg_fast_closed()) && tg_xdp_fast(ctx)))
		return XDP_PASS;
	return tg_xdp_judge(ctx);
}

/* Global, also because it is done twice when headers are missing. */
TG_GLOBAL int tg_parse_skb(struct __sk_buff *skb, struct tg_packet *pkt)
{
	if (!pkt)
		return TG_PASS_INTERNAL;
	return tg_parse((void *)(long)skb->data, (void *)(long)skb->data_end, &tg_program, false,
			pkt);
}

/* Headers of a packet that lie outside the linear area are pulled in, once. */
#define TG_PULL_BYTES 256

static __always_inline bool tg_pull_headers(struct __sk_buff *skb)
{
	__u32 linear = skb->data_end - skb->data;
	__u32 wanted = skb->len < TG_PULL_BYTES ? skb->len : TG_PULL_BYTES;

	return linear < wanted && !bpf_skb_pull_data(skb, wanted);
}

/* A forwarded packet was judged at the ingress of the interface it came by, if that one is ours. */
static __always_inline bool tg_judged_at_ingress(const struct __sk_buff *skb)
{
	__u32 ifindex = skb->ingress_ifindex;

	return ifindex && bpf_map_lookup_elem(&tg_attached, &ifindex);
}

TG_GLOBAL int tg_tc_judge(struct __sk_buff *skb)
{
	struct tg_packet pkt = { .segments = skb->gso_segs ?: 1, .own = !skb->ingress_ifindex };
	struct tg_settings *settings = tg_settings_get();
	struct tg_lookup lookup = {};
	const struct tg_config *config;
	enum tg_outcome outcome;
	enum tg_verdict verdict;

	if (!settings)
		return TC_ACT_UNSPEC;
	config = tg_begin(settings, &lookup, &pkt);
	verdict = tg_parse_skb(skb, &pkt);
	if (TG_UNLIKELY(tg_headers_missing(verdict)) && tg_pull_headers(skb))
		verdict = tg_parse_skb(skb, &pkt);
	if (TG_UNLIKELY(tg_headers_missing(verdict)) && skb->data_end - skb->data < skb->len)
		verdict = TG_PASS_UNREADABLE;
	if (TG_UNLIKELY(pkt.jumbo))
		tg_jumbo_payload(&pkt, skb->len);
	if (TG_UNLIKELY(config->services))
		tg_apply_service(settings, lookup.config, lookup.now_ms, &pkt);
	verdict = tg_decide(skb, false, settings, config, &lookup, &pkt, verdict);

	outcome = tg_outcome_of(verdict, &pkt, settings);
	tg_account(verdict, outcome, &lookup, &pkt);
	tg_tally_segment(verdict, &pkt);
	tg_report(settings, verdict, outcome, &lookup, &pkt);
	if (tg_report_packet(settings, verdict, outcome, &lookup))
		tg_capture_skb(skb, &lookup, verdict, outcome);
	return tg_enforce(verdict, &pkt) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

TG_GLOBAL int tg_tc_fast(struct __sk_buff *skb)
{
	return tg_fast(skb, false, true);
}

SEC("tc")
int tg_tc_egress(struct __sk_buff *skb)
{
	if (tg_judged_at_ingress(skb) || TG_LIKELY(tg_fast(skb, false, false)) ||
	    (TG_UNLIKELY(tg_fast_closed()) && tg_tc_fast(skb)))
		return TC_ACT_UNSPEC;
	return tg_tc_judge(skb);
}

/* Answers user space's question what time it is on the table's clock (a test run; never attached). */
SEC("xdp")
int tg_clock(struct xdp_md *ctx)
{
	__u64 *answer = (void *)(long)ctx->data;
	struct tg_settings *settings = tg_settings_get();
	__u64 now_ms;

	if (!settings || (void *)(answer + 1) > (void *)(long)ctx->data_end)
		return 0;
	now_ms = tg_now_ms(settings);
	*answer = now_ms;
	return (__u32)now_ms;
}

char LICENSE[] SEC("license") = "GPL";
