/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One counter per verdict and outcome, bumped once a packet, in the entry functions.
 */
#ifndef TG_BPF_ACCOUNT_H
#define TG_BPF_ACCOUNT_H

#include "maps.bpf.h"
#include "packet.h"

/* What became of a packet with this verdict. */
TG_INLINE enum tg_outcome tg_outcome_of(enum tg_verdict verdict, const struct tg_packet *pkt,
					const struct tg_settings *settings)
{
	if (TG_LIKELY(!tg_verdict_drops(verdict)) || pkt->enforced)
		return TG_OUTCOME_VERDICT;
	if (pkt->own)
		return TG_OUTCOME_OWN;
	return settings->bypass ? TG_OUTCOME_BYPASS : TG_OUTCOME_WOULD_DROP;
}

TG_INLINE void tg_account(enum tg_verdict verdict, enum tg_outcome outcome,
			  const struct tg_packet *pkt)
{
	__u32 slot = tg_program.iface_slot;
	struct tg_counters *counters = bpf_map_lookup_elem(&tg_counters, &slot);
	struct tg_count *count;

	if (!counters || verdict >= TG_VERDICT_MAX || outcome >= TG_OUTCOME_MAX)
		return;
	count = &counters->count[outcome][verdict];
	count->packets += pkt->segments;
	count->bytes += pkt->bytes;
}

#endif
