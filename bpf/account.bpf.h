/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One counter per verdict and outcome, bumped once a packet, in the entry functions; and tallies of
 * what is rare: drops on flows that carried data both ways, segments of each kind.
 */
#ifndef TG_BPF_ACCOUNT_H
#define TG_BPF_ACCOUNT_H

#include "flow_judge.bpf.h"
#include "tally.bpf.h"

/* What became of a packet with this verdict. */
TG_INLINE enum tg_outcome tg_outcome_of(enum tg_verdict verdict, const struct tg_packet *pkt,
					const struct tg_settings *settings)
{
	if (TG_LIKELY(!tg_verdict_drops(verdict)) || tg_carried_out(pkt, verdict))
		return TG_OUTCOME_VERDICT;
	if (pkt->own)
		return TG_OUTCOME_OWN;
	return settings->bypass ? TG_OUTCOME_BYPASS : TG_OUTCOME_WOULD_DROP;
}

/* The flow carried data in both directions: a drop on it may be a legitimate connection's. */
TG_INLINE bool tg_flow_is_used(const struct tg_detail *detail)
{
	return detail->count[TG_SIDE_LO].bytes && detail->count[TG_SIDE_HI].bytes;
}

/* Global: verified once, and drops are no part of the fast path. */
TG_GLOBAL int tg_account_drop(const struct tg_lookup *lookup, __u32 verdict, __u32 outcome,
			      __u32 service)
{
	struct tg_table table = TG_TABLE_OF(lookup);
	enum tg_class class = tg_verdict_class(verdict);
	__u32 missed = outcome != TG_OUTCOME_VERDICT;
	struct tg_service_drops *drops;
	struct tg_tallies *tallies;
	struct tg_view view = {};

	service &= TG_SERVICES_MAX - 1;
	if (!lookup || class >= TG_CLASS_MAX)
		return 0;
	drops = bpf_map_lookup_elem(&tg_service_drops, &service);
	if (drops)
		drops->drops[class][missed]++;
	tallies = tg_tallies_get();
	if (!tallies || !lookup->found || lookup->expired || !tg_view_set(&table, lookup, &view) ||
	    !tg_flow_is_used(view.detail))
		return 0;
	tallies->established_drops[class][missed]++;
	if (tg_sender_count(&view)->drops == 1)
		tallies->flows_hit[class]++;
	return 0;
}

TG_INLINE struct tg_counters *tg_counters_get(void)
{
	__u32 slot = tg_program.iface_slot;

	return bpf_map_lookup_elem(&tg_counters, &slot);
}

/* Per CPU: see tg_counters. */
TG_INLINE void tg_count_on(struct tg_counters *counters, enum tg_verdict verdict,
			   enum tg_outcome outcome, const struct tg_packet *pkt)
{
	struct tg_count *count = &counters->count[outcome][verdict];

	count->packets += pkt->segments;
	count->bytes += pkt->bytes;
}

TG_INLINE void tg_count_packet(enum tg_verdict verdict, enum tg_outcome outcome,
			       const struct tg_packet *pkt)
{
	struct tg_counters *counters = tg_counters_get();

	if (counters && verdict < TG_VERDICT_MAX && outcome < TG_OUTCOME_MAX)
		tg_count_on(counters, verdict, outcome, pkt);
}

TG_INLINE void tg_account(enum tg_verdict verdict, enum tg_outcome outcome,
			  const struct tg_lookup *lookup, const struct tg_packet *pkt)
{
	tg_count_packet(verdict, outcome, pkt);
	if (TG_UNLIKELY(tg_verdict_drops(verdict)) && outcome != TG_OUTCOME_OWN)
		tg_account_drop(lookup, verdict, outcome, pkt->service);
}

#endif
