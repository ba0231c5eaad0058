/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a source is: the prefix of an address, hashed with the table's secret so that nobody can tell
 * which sources share a cell.  Plain C: the daemon counts connections by the same cells.
 */
#ifndef TG_BPF_SOURCE_H
#define TG_BPF_SOURCE_H

#include "tcpguard/flood.h"
#include "tcpguard/flow.h"

/* Multilinear, like the flow's tag (key.h); row chooses the set of coefficients. */
TG_INLINE __u64 tg_hash_address(const volatile struct tg_hash_key *key, const __be32 *addr, __u32 row)
{
	row &= 1;
	return key->word[row][0] * addr[0] + key->word[row][1] * addr[1] +
	       key->word[row][2] * addr[2] + key->word[row][3] * addr[3];
}

/* Keeps the first bits of an address; bits counts from the start of an IPv6 address, 0..128. */
TG_INLINE void tg_mask_address(__be32 *masked, const __be32 *addr, __u32 bits)
{
	__u32 word;

#pragma unroll
	for (word = 0; word < 4; word++) {
		__u32 kept = bits > word * 32 ? bits - word * 32 : 0;

		masked[word] = kept >= 32 ? addr[word] :
			       kept       ? addr[word] & bpf_htonl(~0U << (32 - kept)) :
					    0;
	}
}

/* The index of a source's cell in one row of tg_sources. */
TG_INLINE __u32 tg_source_cell_of(const volatile struct tg_hash_key *key, const struct tg_flood *flood,
				  const __be32 *addr, bool ipv4, __u32 row)
{
	__be32 masked[4];

	tg_mask_address(masked, addr, ipv4 ? 96U + flood->source_prefix4 : flood->source_prefix6);
	return row * TG_SOURCE_CELLS + (__u32)(tg_hash_address(key, masked, row) >> 48);
}

_Static_assert(TG_SOURCE_CELLS == 1 << 16, "a cell is chosen by the top 16 bits of a hash");

#endif
