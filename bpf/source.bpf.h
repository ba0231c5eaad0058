/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Limits per source: SYNs a second by a token bucket, established connections.  A source is limited
 * only if each of its cells is over the limit (count-min sketch): spoofed sources raise all cells a
 * little and push nobody out.
 */
#ifndef TG_BPF_SOURCE_BPF_H
#define TG_BPF_SOURCE_BPF_H

#include "maps.bpf.h"
#include "packet.h"
#include "source.h"

TG_INLINE __u64 tg_address_hash(const __be32 *addr, __u32 row)
{
	return tg_hash_address(&tg_program.hash, addr, row);
}

TG_INLINE struct tg_source *tg_source_at(const struct tg_flood *flood, const __be32 *addr, bool ipv4,
					 __u32 row)
{
	__u32 cell = tg_source_cell_of(&tg_program.hash, flood, addr, ipv4, row);

	return bpf_map_lookup_elem(&tg_sources, &cell);
}

#define TG_SOURCE_BURST_MAX (1U << 31) /* beyond half of the clock, ahead is behind */

/*
 * How far ahead of now a cell's theoretical arrival is; nonsense and the past count as 0, and so does
 * 0, which is never: it lies just ahead of now once in 70 minutes.
 */
TG_INLINE __u32 tg_source_ahead(const struct tg_source *source, __u32 now, __u32 burst)
{
	__u32 arrival = TG_READ_ONCE(source->arrival), ahead = arrival - now;

	return !arrival || ahead > burst ? 0 : ahead;
}

/* Generic cell rate algorithm over both rows.  Racy and harmless: a lost update lets one more pass. */
TG_INLINE bool tg_source_may_send(const struct tg_flood *flood, struct tg_source *first,
				  struct tg_source *second, __u64 now_ms)
{
	__u32 cost = 1000 * TG_SOURCE_UNITS_PER_MS / flood->source_pps;
	__u64 wanted = (__u64)flood->source_burst * cost;
	__u32 now = now_ms * TG_SOURCE_UNITS_PER_MS;
	__u32 burst = wanted < TG_SOURCE_BURST_MAX ? wanted : TG_SOURCE_BURST_MAX;
	__u32 ahead_first = tg_source_ahead(first, now, burst);
	__u32 ahead_second = tg_source_ahead(second, now, burst);

	if (ahead_first > burst - cost && ahead_second > burst - cost)
		return false;
	if (ahead_first <= burst - cost)
		TG_WRITE_ONCE(first->arrival, now + ahead_first + cost);
	if (ahead_second <= burst - cost)
		TG_WRITE_ONCE(second->arrival, now + ahead_second + cost);
	return true;
}

TG_INLINE __u32 tg_source_count(const struct tg_source *source)
{
	return source->counted + source->since[0] + source->since[1];
}

TG_INLINE bool tg_source_may_connect(const struct tg_settings *settings,
				     const struct tg_flood *flood, const struct tg_source *first,
				     const struct tg_source *second, __u64 now_ms)
{
	if (now_ms - TG_READ_ONCE(settings->sources_counted_ms) > TG_SOURCE_COUNT_VALID_MS)
		return true;
	return tg_source_count(first) < flood->source_conns ||
	       tg_source_count(second) < flood->source_conns;
}

TG_INLINE enum tg_verdict tg_source_check(const struct tg_settings *settings,
					  const struct tg_flood *flood,
					  const struct tg_packet *pkt, __u64 now_ms)
{
	struct tg_source *first, *second;

	if (TG_LIKELY(!flood->source_pps && !flood->source_conns))
		return TG_UNDECIDED;
	first = tg_source_at(flood, pkt->saddr, pkt->ipv4, 0);
	second = tg_source_at(flood, pkt->saddr, pkt->ipv4, 1);
	if (!first || !second)
		return TG_UNDECIDED;
	if (flood->source_pps && !tg_source_may_send(flood, first, second, now_ms))
		return TG_DROP_SOURCE_SYN_RATE;
	if (flood->source_conns &&
	    !tg_source_may_connect(settings, flood, first, second, now_ms))
		return TG_DROP_SOURCE_CONNS;
	return TG_UNDECIDED;
}

/* One more until the daemon counts again. */
TG_INLINE void tg_source_established(const struct tg_settings *settings,
				     const struct tg_flood *flood, const __be32 *addr, bool ipv4)
{
	__u32 epoch = TG_READ_ONCE(settings->source_epoch) & 1, row;

	for (row = 0; row < TG_SOURCE_ROWS; row++) {
		struct tg_source *source = tg_source_at(flood, addr, ipv4, row);

		if (source)
			__sync_fetch_and_add(&source->since[epoch], 1);
	}
}

/*
 * Was this hash noted in one of the last seconds before this one?  Notes it now if wanted.  Plain
 * writes: what a race forgets is a SYN that must be sent once more.
 */
TG_INLINE bool tg_seen_before(__u64 hash, __u64 now_ms, bool note)
{
	__u32 bits = 1U << (hash >> 50 & 31) | 1U << (hash >> 55 & 31);
	__u32 index = (__u32)(hash >> 32) & (TG_SEEN_LINES - 1);
	__u32 second = now_ms / 1000, now = second & (TG_SEEN_SECONDS - 1), age;
	struct tg_seen *line = bpf_map_lookup_elem(&tg_seen, &index);
	bool seen = false;

	if (!line)
		return false;
	for (age = 1; age < TG_SEEN_SECONDS; age++) {
		__u32 i = (second - age) & (TG_SEEN_SECONDS - 1);

		seen |= line->of[i].second == second - age && (line->of[i].bits & bits) == bits;
	}
	if (!note)
		return seen;
	if (line->of[now].second != second) {
		line->of[now].second = second;
		line->of[now].bits = 0;
	}
	line->of[now].bits |= bits;
	return seen;
}

/* What a SYN and its retransmission have in common; a forged one is no other's. */
TG_INLINE __u64 tg_syn_hash(const struct tg_packet *pkt)
{
	return tg_address_hash(pkt->saddr, 1) +
	       tg_program.hash.word[1][4] * ((__u64)pkt->sport << 16 | pkt->dport) +
	       tg_program.hash.word[1][5] * pkt->seq;
}

/*
 * A client sends its SYN again after one second, or three (RFC 6298 2.1, RFC 1122 4.2.3.1); a spoofed
 * source does not come back.  Who finished a handshake lately need not.
 */
TG_INLINE bool tg_syn_comes_back(const struct tg_packet *pkt, __u64 now_ms)
{
	return tg_seen_before(tg_syn_hash(pkt), now_ms, true) ||
	       tg_seen_before(tg_address_hash(pkt->saddr, 1), now_ms, false);
}

#endif
