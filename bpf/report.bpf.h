/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who wants to know of each packet: events and captures while somebody looks on (one predicted branch
 * when nobody does), and whoever runs the program by hand, replay and tests.  A program that is
 * attached to an interface has tg_program.report off, and the verifier removes that part.
 */
#ifndef TG_BPF_REPORT_H
#define TG_BPF_REPORT_H

#include "capture.bpf.h"

TG_INLINE void tg_report_flow(const struct tg_lookup *lookup, struct tg_result *result)
{
	struct tg_table table = TG_TABLE_OF(lookup);
	struct tg_view view = {};

	if (!lookup->found || lookup->expired || !tg_view_set(&table, lookup, &view))
		return;
	result->has_flow = true;
	result->tag = lookup->tag;
	result->number = lookup->number;
	result->claim = view.ref.slot->claim;
	result->side = lookup->side;
	result->phase = tg_flow_phase(view.sender, view.receiver);
	result->sender_state = tg_endpoint_state(view.sender, view.receiver);
	result->receiver_state = tg_endpoint_state(view.receiver, view.sender);
}

/* Global: verified once, whatever the packet was. */
TG_GLOBAL int tg_report_result(const struct tg_lookup *lookup, __u32 verdict, __u32 outcome)
{
	struct tg_result *result;
	__u32 zero = 0;

	result = bpf_map_lookup_elem(&tg_result, &zero);
	if (!result || !lookup)
		return 0;
	result->verdict = verdict;
	result->outcome = outcome;
	result->has_flow = false;
	tg_report_flow(lookup, result);
	return 0;
}

TG_INLINE void tg_report(const struct tg_settings *settings, enum tg_verdict verdict,
			 enum tg_outcome outcome, const struct tg_lookup *lookup,
			 const struct tg_packet *pkt)
{
	__u32 watch = settings->watch;

	if (TG_UNLIKELY(watch) && tg_event_is_possible(lookup, verdict, watch))
		tg_event_report(lookup, pkt, verdict, outcome);
	if (tg_program.report)
		tg_report_result(lookup, verdict, outcome);
}

/*
 * The same for the short way, in two steps, so that the look-up need not stay in registers: what was
 * found, which the long way overwrites if it is taken after all, and that it was right.
 */
TG_INLINE struct tg_result *tg_report_slot(void)
{
	__u32 zero = 0;

	return tg_program.report ? bpf_map_lookup_elem(&tg_result, &zero) : NULL;
}

TG_INLINE void tg_report_found(__u64 tag, enum tg_side side, const struct tg_ref *ref)
{
	struct tg_result *result = tg_report_slot();

	if (!result)
		return;
	result->tag = tag;
	result->number = ref->number;
	result->claim = ref->claim;
	result->side = side;
}

TG_INLINE void tg_report_fast(void)
{
	struct tg_result *result = tg_report_slot();

	if (!result)
		return;
	result->verdict = TG_PASS_OK;
	result->outcome = TG_OUTCOME_VERDICT;
	result->has_flow = true;
	result->phase = TG_PHASE_ESTABLISHED;
	result->sender_state = TG_TCP_ESTABLISHED;
	result->receiver_state = TG_TCP_ESTABLISHED;
}

/* Is the packet itself wanted? */
TG_INLINE bool tg_report_packet(const struct tg_settings *settings, enum tg_verdict verdict,
				enum tg_outcome outcome, const struct tg_lookup *lookup)
{
	return TG_UNLIKELY(settings->watch & TG_WATCH_CAPTURE) &&
	       tg_capture_wants(settings, lookup, verdict, outcome);
}

#endif
