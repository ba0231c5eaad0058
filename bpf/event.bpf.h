/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events: what happened to a flow, what was dropped, every segment of a traced flow.  Reached only
 * while tg_settings.watch says that somebody listens, and then for rare segments only (unless a flow
 * is traced).  A flood of equal events is thinned out before it costs anything, and all that does not
 * go out is counted.
 */
#ifndef TG_BPF_EVENT_H
#define TG_BPF_EVENT_H

#include "tcpguard/event.h"
#include "flow_judge.bpf.h"

/* Exact, so atomic: the two hooks may run on one CPU. */
TG_INLINE void tg_event_bump(__u64 *counter)
{
	__sync_fetch_and_add(counter, 1);
}

TG_INLINE struct tg_event_counts *tg_event_counts_get(void)
{
	__u32 entry = TG_COUNTED_DATAPATH;

	return bpf_map_lookup_elem(&tg_event_counts, &entry);
}

/* Enough has been told of this kind in the present second; see tcpguard/event.h. */
TG_INLINE bool tg_event_is_too_much(const struct tg_config *config, __u64 now_ms, __u32 type,
				    __u32 verdict)
{
	bool by_verdict = type == TG_EVENT_DROP || type == TG_EVENT_CHALLENGE;
	__u32 second = now_ms / 1000, zero = 0;
	__u32 kind = by_verdict ? verdict : TG_VERDICT_MAX + type;
	struct tg_event_limits *limits = bpf_map_lookup_elem(&tg_event_limit, &zero);
	struct tg_event_limit *limit;
	__u32 seen;

	if (!limits || kind >= TG_VERDICT_MAX + TG_EVENT_MAX)
		return true;
	limit = &limits->limit[kind];
	if (limit->second != second) {
		limit->second = second;
		limit->seen = 0;
		limit->sent = 0;
	}
	seen = limit->seen++;
	if (by_verdict && seen >= TG_EVENTS_FIRST && config->events_sample > 1 &&
	    seen % config->events_sample)
		return true;
	if (config->events_per_second && limit->sent >= config->events_per_second)
		return true;
	limit->sent++;
	return false;
}

TG_INLINE enum tg_end_cause tg_end_cause_of(enum tg_verdict verdict, __u32 facts)
{
	if (verdict == TG_PASS_REFUSED)
		return TG_END_REFUSED;
	if (verdict == TG_PASS_ABORT)
		return TG_END_ABORT;
	return facts & TG_FACT_RST ? TG_END_RST : TG_END_FIN;
}

/* The flow as it is now. */
TG_INLINE void tg_event_add_flow(struct tg_event *event, const struct tg_lookup *lookup)
{
	struct tg_table table = TG_TABLE_OF(lookup);
	const struct tg_half *lo, *hi;
	struct tg_view view = {};
	__u32 side;

	if (!lookup->found || lookup->expired || !tg_view_set(&table, lookup, &view))
		return;
	lo = &view.ref.slot->half[TG_SIDE_LO];
	hi = &view.ref.slot->half[TG_SIDE_HI];
	event->has_flow = true;
	event->number = lookup->number;
	event->claim = TG_READ_ONCE(view.ref.slot->claim);
	event->half[TG_SIDE_LO] = *lo;
	event->half[TG_SIDE_HI] = *hi;
	event->phase = tg_flow_phase(lo, hi);
	event->state[TG_SIDE_LO] = tg_endpoint_state(lo, hi);
	event->state[TG_SIDE_HI] = tg_endpoint_state(hi, lo);
	event->phase_before = lookup->judged ? lookup->phase_before : event->phase;
#pragma unroll
	for (side = 0; side < TG_SIDE_MAX; side++) {
		event->state_before[side] = lookup->judged ? lookup->state_before[side] :
							     event->state[side];
		event->isn[side] = view.detail->isn[side];
		event->bytes[side] = view.detail->count[side].bytes;
		event->packets[side] = view.detail->count[side].packets;
	}
	event->age_ms = (__u32)lookup->now_ms - view.detail->created_ms;
	event->handshake_ms = lookup->established ? lookup->handshake_ms : 0;
	if (event->type == TG_EVENT_END)
		event->cause = tg_end_cause_of(event->verdict, lo->facts | hi->facts);
}

TG_INLINE void tg_event_add_packet(struct tg_event *event, const struct tg_lookup *lookup,
				   const struct tg_packet *pkt)
{
	event->tag = lookup->tag;
	event->side = lookup->side & 1;
	tg_key_from_packet(pkt, event->side, tg_program.zone, &event->key);
	event->own = pkt->own;
	event->flags = pkt->flags;
	event->service = pkt->service;
	event->protocol = pkt->protocol;
	event->wscale = pkt->options & TG_OPT_WSCALE ? pkt->wscale : TG_WSCALE_NONE;
	event->window = pkt->window;
	event->seq = pkt->seq;
	event->end = pkt->end;
	event->ack = pkt->ack;
	event->payload = pkt->payload;
}

/* Global: verified once, however many kinds of events one packet may cause. */
TG_GLOBAL int tg_event_emit(const struct tg_lookup *lookup, const struct tg_packet *pkt,
			    __u32 verdict, __u32 outcome, __u32 type)
{
	struct tg_event_counts *counts = tg_event_counts_get();
	struct tg_settings *settings = tg_settings_get();
	struct tg_event *event;

	if (!lookup || !pkt || !counts || !settings || type >= TG_EVENT_MAX)
		return 0;
	if (type != TG_EVENT_TRACE &&
	    tg_event_is_too_much(&settings->config[lookup->config & 1], lookup->now_ms, type,
				 verdict)) {
		tg_event_bump(&counts->suppressed[type]);
		return 0;
	}
	event = bpf_ringbuf_reserve(&tg_events, sizeof(*event), 0);
	if (!event) {
		tg_event_bump(&counts->lost[type]);
		return 0;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->time_ns = bpf_ktime_get_ns();
	event->type = type;
	event->verdict = verdict;
	event->outcome = outcome;
	event->iface_slot = tg_program.iface_slot;
	tg_event_add_packet(event, lookup, pkt);
	tg_event_add_flow(event, lookup);
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	tg_event_bump(&counts->emitted[type]);
	return 0;
}

TG_INLINE bool tg_phase_has_ended(enum tg_phase phase)
{
	return phase == TG_PHASE_TIME_WAIT || phase == TG_PHASE_CLOSED;
}

/* What this packet did to its flow. */
TG_INLINE enum tg_event_type tg_event_of_flow(const struct tg_lookup *lookup, __u32 verdict)
{
	struct tg_table table = TG_TABLE_OF(lookup);
	const struct tg_half *lo, *hi;
	struct tg_view view = {};
	enum tg_phase phase;

	if (tg_lookup_opened(lookup) || verdict == TG_PASS_TW_REUSE || verdict == TG_PASS_REOPEN)
		return TG_EVENT_NEW;
	if (!lookup->judged || lookup->expired || !tg_view_set(&table, lookup, &view))
		return TG_EVENT_NONE;
	lo = &view.ref.slot->half[TG_SIDE_LO];
	hi = &view.ref.slot->half[TG_SIDE_HI];
	phase = tg_flow_phase(lo, hi);
	if (phase != lookup->phase_before)
		return tg_phase_has_ended(phase) && !tg_phase_has_ended(lookup->phase_before) ?
			       TG_EVENT_END :
			       TG_EVENT_STATE;
	return tg_endpoint_state(lo, hi) != lookup->state_before[TG_SIDE_LO] ||
			       tg_endpoint_state(hi, lo) != lookup->state_before[TG_SIDE_HI] ?
		       TG_EVENT_STATE :
		       TG_EVENT_NONE;
}

TG_INLINE bool tg_is_traced(const struct tg_settings *settings, __u64 tag)
{
	bool traced = false;
	__u32 i;

#pragma unroll
	for (i = 0; i < TG_TRACES_MAX; i++)
		traced |= settings->watched.traced[i] == tag;
	return tag && traced;
}

/*
 * The events this packet causes, enum tg_event_type in a byte each, in order.  The caller emits them:
 * emitting from here would be one frame more on a stack of 512 bytes.
 */
TG_GLOBAL int tg_event_choose(const struct tg_lookup *lookup, __u32 verdict, __u32 outcome)
{
	struct tg_settings *settings = tg_settings_get();
	enum tg_action action = tg_verdict_action(verdict);
	__u32 types = 0;

	if (!lookup || !settings)
		return 0;
	if ((settings->watch & TG_WATCH_TRACE) && tg_is_traced(settings, lookup->tag))
		types = TG_EVENT_TRACE;
	if (!(settings->watch & TG_WATCH_EVENTS))
		return types;
	if (action == TG_ACTION_DROP && outcome != TG_OUTCOME_OWN)
		types |= TG_EVENT_DROP << 8;
	else if (action == TG_ACTION_CHALLENGE)
		types |= TG_EVENT_CHALLENGE << 8;
	if (lookup->found)
		types |= tg_event_of_flow(lookup, verdict) << 16;
	return types;
}

TG_INLINE void tg_event_report(const struct tg_lookup *lookup, const struct tg_packet *pkt,
			       __u32 verdict, __u32 outcome)
{
	__u32 types = tg_event_choose(lookup, verdict, outcome);

	if (types & 0xff)
		tg_event_emit(lookup, pkt, verdict, outcome, types & 0xff);
	if (types >> 8 & 0xff)
		tg_event_emit(lookup, pkt, verdict, outcome, types >> 8 & 0xff);
	if (types >> 16 & 0xff)
		tg_event_emit(lookup, pkt, verdict, outcome, types >> 16 & 0xff);
}

/* Anything at all to tell?  Not of the common segment, unless a flow is traced. */
TG_INLINE bool tg_event_is_possible(const struct tg_lookup *lookup, enum tg_verdict verdict,
				    __u32 watch)
{
	return (watch & TG_WATCH_TRACE) ||
	       ((watch & TG_WATCH_EVENTS) &&
		(lookup->judged || tg_lookup_opened(lookup) || verdict >= TG_CHALLENGE_SYN_COOKIE));
}

#endif
