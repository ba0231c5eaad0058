/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts of rare things, per CPU and interface: see enum tg_tally.
 */
#ifndef TG_BPF_TALLY_H
#define TG_BPF_TALLY_H

#include "maps.bpf.h"

TG_INLINE struct tg_tallies *tg_tallies_get(void)
{
	__u32 slot = tg_program.iface_slot;

	return bpf_map_lookup_elem(&tg_tallies, &slot);
}

TG_INLINE void tg_tally(enum tg_tally tally)
{
	struct tg_tallies *tallies = tg_tallies_get();

	if (tallies)
		tallies->tally[tally]++;
}

/* A handshake took so long from the first SYN to the third segment. */
TG_INLINE void tg_tally_handshake(__u32 took_ms)
{
	struct tg_tallies *tallies = tg_tallies_get();
	__u32 bucket = 0;

	if (!tallies)
		return;
#pragma unroll
	for (__u32 bits = 8; bits; bits /= 2)
		if (took_ms >> (bucket + bits - 1))
			bucket += bits;
	tallies->tally[TG_TALLY_HANDSHAKE_DONE]++;
	tallies->handshake[bucket & (TG_HANDSHAKE_BUCKETS - 1)]++;
	tallies->handshake_sum_ms += took_ms;
}

#endif
