/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow table: find, claim, publish, free.  Plain C: the includer supplies the memory
 * (maps.bpf.h in the kernel, flow_memory.h elsewhere), so the daemon and the tests run this very code.
 *
 * No locks.  A slot changes hands by compare-and-swap of its claim word; halves are written by their
 * owner's direction only.  Two races remain and are answered here:
 *
 * - Two CPUs open the same flow.  Each notes the home bucket's word before it looks, and swaps a
 *   new serial into it after its slot carries the tag but before it is live: only one swap succeeds,
 *   the other gives its slot back and looks again.
 * - A packet still writes to a slot that has become another flow's.  Its writer finds another
 *   generation afterwards and marks the slot SUSPECT: that flow is passed unjudged from then on.
 *   The mark cannot be lost: it lies in the very word whose swap began the new generation.
 */
#ifndef TG_BPF_FLOW_TABLE_H
#define TG_BPF_FLOW_TABLE_H

#include "tcpguard/config.h"
#include "key.h"

#ifdef __bpf__
#include "maps.bpf.h"
#else
#include "flow_memory.h"
#endif

#define TG_CLAIM_RETRIES 4

enum tg_found {
	TG_FOUND_NONE,
	TG_FOUND_LIVE,
	TG_FOUND_BUSY, /* another CPU is filling it */
};

/* A slot and the claim it had when found; number indexes the details. */
struct tg_ref {
	struct tg_slot *slot;
	__u32 number;
	__u32 claim;
};

TG_INLINE bool tg_claim_live(__u32 claim)
{
	return (claim & (TG_CLAIM_OWNED | TG_CLAIM_LIVE)) == (TG_CLAIM_OWNED | TG_CLAIM_LIVE);
}

TG_INLINE bool tg_same_generation(__u32 a, __u32 b)
{
	return !((a ^ b) >> TG_CLAIM_GENERATION_SHIFT);
}

TG_INLINE __u32 tg_next_claim(__u32 claim, __u32 flags)
{
	return ((claim & ~(TG_CLAIM_GENERATION_ONE - 1)) + TG_CLAIM_GENERATION_ONE) | flags |
	       TG_CLAIM_OWNED;
}

TG_INLINE enum tg_origin tg_claim_origin(__u32 claim)
{
	return (claim & TG_CLAIM_ORIGIN_MASK) >> TG_CLAIM_ORIGIN_SHIFT;
}

/* Flags of a claim for a flow whose first segment came from opener. */
TG_INLINE __u32 tg_claim_flags(enum tg_side opener, enum tg_origin origin)
{
	return (opener == TG_SIDE_HI ? TG_CLAIM_OPENER_HI : 0) | origin << TG_CLAIM_ORIGIN_SHIFT;
}

/*
 * The bucket a tag may live in, by choice (0 = home).  Multiply-shift instead of a mask: the table
 * has exactly the size asked for.
 */
TG_INLINE __u32 tg_bucket_of(__u64 tag, __u32 choice, __u32 buckets)
{
	__u32 hi = tag >> 32, lo = (__u32)tag;

	if (choice == 1)
		hi = lo * 0x9e3779b1U;
	else if (choice == 2)
		hi = (hi ^ lo) * 0x85ebca6bU;
	return (__u64)hi * buckets >> 32;
}

/* How long a flow in this state may stay silent. */
TG_INLINE __u32 tg_slot_timeout_ms(const struct tg_slot *slot, const struct tg_timeouts *timeouts)
{
	const struct tg_half *lo = &slot->half[TG_SIDE_LO], *hi = &slot->half[TG_SIDE_HI];
	enum tg_phase phase = tg_flow_phase(lo, hi);
	__u32 timeout = timeouts->phase_ms[phase & 7];

	if (phase == TG_PHASE_ESTABLISHED &&
	    (!(lo->facts & hi->facts & TG_FACT_HASACK) || tg_seq_after(lo->end, hi->ack) ||
	     tg_seq_after(hi->end, lo->ack)) &&
	    timeouts->unconfirmed_ms < timeout)
		timeout = timeouts->unconfirmed_ms;
	return timeout;
}

/*
 * Expired entries count as absent, swept or not: a late sweep or a dead daemon changes no verdict.
 * The clock is 32 bits of milliseconds; a stamp ahead of now (set by another CPU, while this one, a
 * virtual one, was stopped after it read the clock) is age 0.
 */
#define TG_STAMP_AHEAD_MS 60000

TG_INLINE bool tg_slot_expired(const struct tg_slot *slot, const struct tg_timeouts *timeouts,
			       __u32 now_ms)
{
	__s32 age = now_ms - TG_READ_ONCE(slot->stamp_ms);

	if (age >= 0 && (__u32)age <= timeouts->shortest_ms)
		return false;
	if (age < 0 && age > -TG_STAMP_AHEAD_MS)
		return false;
	return (__u32)age > tg_slot_timeout_ms(slot, timeouts);
}

/* The same of a suspect flow: its state changes no more, and it may be established. */
TG_INLINE bool tg_suspect_expired(const struct tg_slot *slot, const struct tg_timeouts *timeouts,
				  __u32 now_ms)
{
	__s32 age = now_ms - TG_READ_ONCE(slot->stamp_ms);

	return age >= 0 && (__u32)age > timeouts->phase_ms[TG_PHASE_ESTABLISHED];
}

/* Of a live flow, by the claim it was found with. */
TG_INLINE bool tg_flow_expired(const struct tg_slot *slot, __u32 claim, const struct tg_timeouts *timeouts,
			       __u32 now_ms)
{
	return claim & TG_CLAIM_SUSPECT ? tg_suspect_expired(slot, timeouts, now_ms) :
					  tg_slot_expired(slot, timeouts, now_ms);
}

/* Is this the live or busy slot of tag? */
TG_INLINE enum tg_found tg_way_search(struct tg_bucket *bucket, __u32 index, __u32 way, __u64 tag,
				      struct tg_ref *ref)
{
	struct tg_slot *slot = &bucket->slot[way];
	__u32 claim;

	if (TG_READ_ONCE(slot->tag) != tag)
		return TG_FOUND_NONE;
	claim = TG_READ_ONCE(slot->claim);
	/* The tag again, behind the claim: it must be this generation's. */
	if (!(claim & TG_CLAIM_OWNED) || TG_READ_ONCE(slot->tag) != tag)
		return TG_FOUND_NONE;
	ref->slot = slot;
	ref->number = index * TG_BUCKET_WAYS + way;
	ref->claim = claim;
	return claim & TG_CLAIM_LIVE ? TG_FOUND_LIVE : TG_FOUND_BUSY;
}

/* Five bits of a tag that choose neither its bucket nor its way; never 0, which is an unused way's. */
TG_INLINE __u64 tg_print_of(__u64 tag)
{
	return ((tag >> 3) & TG_PRINT_MASK) ?: TG_PRINT_MASK;
}

#define TG_PRINTS_ONES 0x0842108421ULL /* the lowest bit of each print */
#define TG_PRINTS_HIGHS (TG_PRINTS_ONES << (TG_PRINT_BITS - 1))

/*
 * Ways whose print is the tag's, as the highest bit of each: a difference of zero is the one that
 * borrows.  It may name a way above such a one without need, and never misses one.
 */
TG_INLINE __u64 tg_prints_matching(__u64 word, __u64 tag)
{
	__u64 difference = (word >> TG_BUCKET_PRINTS_SHIFT) ^ tg_print_of(tag) * TG_PRINTS_ONES;

	return (difference - TG_PRINTS_ONES) & ~difference & TG_PRINTS_HIGHS;
}

TG_INLINE __u64 tg_next_serial(__u64 word)
{
	return (word & ~TG_BUCKET_SERIAL_MASK) |
	       ((word + TG_BUCKET_SERIAL_ONE) & TG_BUCKET_SERIAL_MASK);
}

/* A bucket's word after an insertion into that way. */
TG_INLINE __u64 tg_word_inserted(__u64 word, __u64 tag, __u32 way)
{
	__u32 shift = TG_BUCKET_PRINTS_SHIFT + TG_PRINT_BITS * way;

	return (tg_next_serial(word) & ~(TG_PRINT_MASK << shift)) | tg_print_of(tag) << shift;
}

/* The home bucket's word after an insertion into another one. */
TG_INLINE __u64 tg_word_spilled(__u64 word)
{
	return tg_next_serial(word) + TG_BUCKET_SPILLED_ONE;
}

/* The ways of a bucket whose print says that they may hold the tag. */
TG_INLINE enum tg_found tg_prints_search(struct tg_bucket *bucket, __u64 word, __u32 index,
					 __u64 tag, struct tg_ref *ref)
{
	__u64 matching = tg_prints_matching(word, tag);
	__u32 i;

	if (TG_LIKELY(!matching))
		return TG_FOUND_NONE;
#pragma clang loop unroll(disable)
	for (i = 0; i < TG_BUCKET_WAYS; i++) {
		__u32 way = (tag ^ i) & (TG_BUCKET_WAYS - 1);
		enum tg_found found;

		if (!(matching >> (TG_PRINT_BITS * way + TG_PRINT_BITS - 1) & 1))
			continue;
		found = tg_way_search(bucket, index, way, tag, ref);
		if (found)
			return found;
	}
	return TG_FOUND_NONE;
}

/* The second and third bucket, when the home bucket's word says something spilled over. */
static __noinline int tg_flow_find_spilled(const struct tg_table *table, __u64 tag,
					   struct tg_ref *ref)
{
	__u32 choice;

	for (choice = 1; choice < TG_BUCKET_CHOICES; choice++) {
		__u32 index = tg_bucket_of(tag, choice, table->buckets);
		struct tg_bucket *bucket = tg_bucket_at(table, index);
		const __u64 *word = tg_bucket_word_at(table, index);
		enum tg_found found;

		if (!bucket || !word)
			return TG_FOUND_NONE;
		found = tg_prints_search(bucket, TG_READ_ONCE(*word), index, tag, ref);
		if (found)
			return found;
	}
	return TG_FOUND_NONE;
}

/*
 * The word first: it lies among the words of seven other buckets, in a table of its own that is small
 * enough for a cache, and nearly always tells a segment of no flow apart without a look at any slot: a
 * print is written before its flow is live.  *word, when nothing was found, is the home bucket's word
 * (NULL if there is none).
 */
TG_INLINE enum tg_found tg_flow_find(const struct tg_table *table, __u64 tag, struct tg_ref *ref,
				     __u64 **word)
{
	__u32 index = tg_bucket_of(tag, 0, table->buckets);
	struct tg_bucket *bucket = tg_bucket_at(table, index);
	__u64 seen, *home = tg_bucket_word_at(table, index);
	enum tg_found found;

	*word = NULL;
	if (!bucket || !home)
		return TG_FOUND_NONE;
	seen = TG_READ_ONCE(*home);
	found = tg_prints_search(bucket, seen, index, tag, ref);
	if (found)
		return found;
	*word = home;
	return seen & TG_BUCKET_SPILLED_MASK ? tg_flow_find_spilled(table, tag, ref) :
					       TG_FOUND_NONE;
}

/* A flow that lives outside its home bucket ended: its home may stop looking elsewhere. */
TG_INLINE void tg_forget_spill(const struct tg_table *table, __u64 tag, __u32 index)
{
	__u32 home = tg_bucket_of(tag, 0, table->buckets);
	__u64 *word;

	if (home == index)
		return;
	word = tg_bucket_word_at(table, home);
	if (word)
		__sync_fetch_and_sub(word, TG_BUCKET_SPILLED_ONE);
}

/*
 * Frees the slot if it still has the claim it was found with.  The freer has read the tag before the
 * swap; it stays the slot's until the next claim.
 */
TG_INLINE bool tg_slot_free(const struct tg_table *table, struct tg_slot *slot, __u32 number,
			    __u32 claim)
{
	__u64 tag = TG_READ_ONCE(slot->tag);

	if (__sync_val_compare_and_swap(&slot->claim, claim,
					claim & ~(TG_CLAIM_GENERATION_ONE - 1)) != claim)
		return false;
	tg_forget_spill(table, tag, number / TG_BUCKET_WAYS);
	return true;
}

/*
 * Makes a slot we own live; everything stored before is visible to whoever sees it so (the swap is a
 * full barrier).  False: it is no longer ours, because a user-space owner was stopped for so long
 * that the sweeper took the slot back.
 */
TG_INLINE bool tg_flow_publish(const struct tg_ref *ref)
{
	__u32 owned = ref->claim, suspect = owned | TG_CLAIM_SUSPECT;
	__u32 seen = __sync_val_compare_and_swap(&ref->slot->claim, owned, owned | TG_CLAIM_LIVE);

	if (seen == suspect) /* a late writer of the former flow marked it meanwhile */
		return __sync_val_compare_and_swap(&ref->slot->claim, suspect,
						   suspect | TG_CLAIM_LIVE) == suspect;
	return seen == owned;
}

/* After the last write to a half: if the slot changed hands meanwhile, its new flow may be damaged. */
TG_INLINE void tg_flow_check_owner(const struct tg_ref *ref)
{
	if (TG_UNLIKELY(!tg_same_generation(TG_READ_ONCE(ref->slot->claim), ref->claim)))
		__sync_fetch_and_or(&ref->slot->claim, TG_CLAIM_SUSPECT);
}

#include "flow_claim.h"

/*
 * Before a connection is freed that may go on, though on a router nobody else knows of it: its segments must not
 * be dropped as those of none.  Its bucket is marked as where a newcomer finds no room.  False, and no mark,
 * for what was forged from outside, or an attack could lift the protection.
 */
TG_INLINE bool tg_slot_disown(const struct tg_table *table, const struct tg_slot *slot)
{
	__u64 *word = tg_bucket_word_at(table, tg_bucket_of(TG_READ_ONCE(slot->tag), 0, table->buckets));

	if (!word || (slot->half[TG_SIDE_LO].facts & slot->half[TG_SIDE_HI].facts & TG_FACT_OUTSIDE))
		return false;
	__sync_fetch_and_or(word, TG_BUCKET_REFUSED);
	return true;
}

#endif
