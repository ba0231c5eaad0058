/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Room for a new flow.  What a newcomer may displace, cheapest first; an established or half-closed
 * flow is never displaced, so a flood of handshakes displaces handshakes.
 * Part of flow_table.h.
 */
#ifndef TG_BPF_FLOW_CLAIM_H
#define TG_BPF_FLOW_CLAIM_H

#include "flow_table.h"

enum tg_rank {
	TG_RANK_FREE,
	TG_RANK_EXPIRED,
	TG_RANK_HANDSHAKE, /* oldest first */
	TG_RANK_CLOSED,
	TG_RANK_TIME_WAIT,
	TG_RANK_LAST,
	TG_RANK_UNCONFIRMED, /* adopted, and one side never spoke; or both came in from outside */
	TG_RANK_NEVER,
};

TG_INLINE enum tg_rank tg_slot_rank(const struct tg_slot *slot, __u32 claim,
				    const struct tg_timeouts *timeouts, __u32 now_ms)
{
	const struct tg_half *lo = &slot->half[TG_SIDE_LO], *hi = &slot->half[TG_SIDE_HI];

	if (!(claim & TG_CLAIM_OWNED))
		return TG_RANK_FREE;
	if (!(claim & TG_CLAIM_LIVE))
		return TG_RANK_NEVER;
	if (tg_slot_expired(slot, timeouts, now_ms))
		return TG_RANK_EXPIRED;
	switch (tg_flow_phase(lo, hi)) {
	case TG_PHASE_SYN_SENT:
	case TG_PHASE_SYN_RECV:
		return TG_RANK_HANDSHAKE;
	case TG_PHASE_CLOSED:
		return TG_RANK_CLOSED;
	case TG_PHASE_TIME_WAIT:
		return TG_RANK_TIME_WAIT;
	case TG_PHASE_LAST:
		return TG_RANK_LAST;
	default:
		return (lo->facts & hi->facts & (TG_FACT_HASACK | TG_FACT_OUTSIDE)) == TG_FACT_HASACK ?
			       TG_RANK_NEVER :
			       TG_RANK_UNCONFIRMED;
	}
}

/*
 * How readily a newcomer takes this slot: rank, then age; the lowest score goes first.  A function
 * of its own, and global, so that the verifier checks it once and not once a slot.
 */
#define TG_SCORE(rank, age_ms) ((__u64)(rank) << 32 | (0xffffffffU - (__u32)(age_ms)))
#define TG_SCORE_NEVER TG_SCORE(TG_RANK_NEVER, ~0U)

TG_GLOBAL __u64 tg_slot_score(const struct tg_slot *slot, const struct tg_timeouts *timeouts,
			      __u32 now_ms)
{
	enum tg_rank rank;
	__s32 age_ms;

	if (!slot || !timeouts)
		return TG_SCORE_NEVER;
	rank = tg_slot_rank(slot, TG_READ_ONCE(slot->claim), timeouts, now_ms);
	if (rank == TG_RANK_NEVER)
		return TG_SCORE_NEVER;
	/* A stamp ahead of now was set by another CPU this very moment: as young as can be. */
	age_ms = now_ms - TG_READ_ONCE(slot->stamp_ms);
	return TG_SCORE(rank, age_ms < 0 ? 0 : age_ms);
}

/* The slot a newcomer would take, by number: a pointer here would multiply the verifier's states. */
struct tg_victim {
	__u64 score;
	__u32 number;
	__u32 claim; /* read before the score: the swap fails if the slot changed hands since */
	__u32 way;
	bool spilled; /* not in the home bucket */
};

/* Facts of both sides of a flow that is established, and of one whose adoption nobody confirmed. */
#define TG_HALF_HEARD_FACTS (TG_FACT_SYN | TG_FACT_ACKSYN)
#define TG_OPENED_FACTS (TG_HALF_HEARD_FACTS | TG_FACT_HASACK)
/* Of either side: what tg_slot_score() must look into. */
#define TG_ENDED_FACTS (TG_FACT_FIN | TG_FACT_RST | TG_FACT_PICKUP)

/*
 * tg_slot_score(), without the call for what nearly all slots are: handshakes and established flows too
 * young to have expired.
 */
TG_INLINE __u64 tg_slot_score_plain(const struct tg_slot *slot, __u32 claim,
				    const struct tg_timeouts *timeouts, __u32 now_ms)
{
	__u32 lo = slot->half[TG_SIDE_LO].facts, hi = slot->half[TG_SIDE_HI].facts;
	__u32 age_ms = now_ms - TG_READ_ONCE(slot->stamp_ms), opened = lo & hi & TG_OPENED_FACTS;

	if (TG_UNLIKELY(!tg_claim_live(claim) || ((lo | hi) & TG_ENDED_FACTS) ||
			(lo & hi & TG_FACT_OUTSIDE) || age_ms > timeouts->shortest_ms ||
			opened == TG_HALF_HEARD_FACTS))
		return tg_slot_score(slot, timeouts, now_ms);
	return opened == TG_OPENED_FACTS ? TG_SCORE_NEVER : TG_SCORE(TG_RANK_HANDSHAKE, age_ms);
}

/* Is there a better victim in this bucket?  Sets score, claim and way.  Global: verified once. */
TG_GLOBAL int tg_bucket_choose(const struct tg_bucket *bucket, const struct tg_timeouts *timeouts,
			       __u64 tag, __u32 now_ms, struct tg_victim *victim)
{
	__u32 i;

	if (!bucket || !timeouts || !victim)
		return 0;
	for (i = 0; i < TG_BUCKET_WAYS; i++) {
		__u32 way = (tag ^ i) & (TG_BUCKET_WAYS - 1);
		__u32 claim = TG_READ_ONCE(bucket->slot[way].claim);
		__u64 score = tg_slot_score_plain(&bucket->slot[way], claim, timeouts, now_ms);

		if (score < victim->score) {
			victim->score = score;
			victim->claim = claim;
			victim->way = way;
		}
		if (score < TG_SCORE(TG_RANK_EXPIRED, ~0U))
			return 0; /* free */
	}
	return 0;
}

/*
 * A handshake that was silent for so long (the first retransmission, RFC 6298 2) has lost a segment or
 * was never meant to end.  A younger one is somebody's: it goes only when three buckets hold nothing
 * cheaper.
 */
#define TG_HANDSHAKE_SILENT_MS 1000

/* Looks for a victim from the home bucket on, until there is one that nobody misses. */
TG_INLINE void tg_choose_victim(const struct tg_table *table, __u64 tag, __u32 now_ms,
				struct tg_victim *victim)
{
	const struct tg_timeouts *timeouts = tg_timeouts_of(table);
	__u32 home = tg_bucket_of(tag, 0, table->buckets), choice;

	victim->score = TG_SCORE_NEVER;
	for (choice = 0; choice < TG_BUCKET_CHOICES; choice++) {
		__u32 index = tg_bucket_of(tag, choice, table->buckets);
		struct tg_bucket *bucket = tg_bucket_at(table, index);
		__u64 before = victim->score;

		if (!bucket || !timeouts || before <= TG_SCORE(TG_RANK_HANDSHAKE, TG_HANDSHAKE_SILENT_MS))
			return;
		tg_bucket_choose(bucket, timeouts, tag, now_ms, victim);
		if (victim->score == before)
			continue;
		victim->number = index * TG_BUCKET_WAYS + (victim->way & (TG_BUCKET_WAYS - 1));
		victim->spilled = index != home;
	}
}

/* Swaps the victim's claim for ours and puts the tag in place; ref->slot stays NULL if that fails. */
TG_INLINE void tg_take_victim(const struct tg_table *table, const struct tg_victim *victim,
			      __u64 tag, __u32 flags, struct tg_ref *ref)
{
	struct tg_bucket *bucket = tg_bucket_at(table, victim->number / TG_BUCKET_WAYS);
	struct tg_slot *slot;
	__u64 old_tag;

	if (!bucket)
		return;
	slot = &bucket->slot[victim->number & (TG_BUCKET_WAYS - 1)];
	old_tag = TG_READ_ONCE(slot->tag);
	if (old_tag == tag && (victim->claim & TG_CLAIM_OWNED))
		return; /* another CPU has opened this very flow since we looked: look again */
	ref->claim = tg_next_claim(victim->claim, flags);
	if (__sync_val_compare_and_swap(&slot->claim, victim->claim, ref->claim) != victim->claim)
		return;
	if (victim->claim & TG_CLAIM_OWNED)
		tg_forget_spill(table, old_tag, victim->number / TG_BUCKET_WAYS);
	if (victim->score >= TG_SCORE(TG_RANK_HANDSHAKE, ~0U))
		tg_note_eviction(table); /* it had not expired */
	TG_WRITE_ONCE(slot->tag, tag);
	ref->number = victim->number;
	ref->slot = slot;
}

/* The print of a slot we own, of a flow that spilled over, in the word of the bucket it lies in. */
TG_INLINE bool tg_print_guest(const struct tg_table *table, __u64 tag, __u32 number)
{
	__u64 *word = tg_bucket_word_at(table, number / TG_BUCKET_WAYS), seen;

	if (!word)
		return false;
	seen = TG_READ_ONCE(*word);
	return __sync_val_compare_and_swap(
		       word, seen, tg_word_inserted(seen, tag, number & (TG_BUCKET_WAYS - 1))) == seen;
}

/*
 * Into the home bucket's word, as it was before the look-up: the new serial, and the print or one more
 * spilled flow.  The swap is a full barrier: the tag is visible before they are.
 */
TG_INLINE bool tg_enter(const struct tg_table *table, __u64 *word, __u64 seen, __u64 tag,
			const struct tg_victim *victim)
{
	__u32 way = victim->number & (TG_BUCKET_WAYS - 1);
	__u64 next = victim->spilled ? tg_word_spilled(seen) : tg_word_inserted(seen, tag, way);

	if (victim->spilled && !tg_print_guest(table, tag, victim->number))
		return false;
	return __sync_val_compare_and_swap(word, seen, next) == seen;
}

/* What tg_claim_place() found or made. */
struct tg_place {
	__u32 number;
	__u32 claim;
	bool found; /* the slot of another CPU: live or busy */
	bool claimed; /* ours: owned, not yet live */
	bool lost; /* neither, because of a race: try again */
};

/*
 * One attempt.  Global: the verifier checks it once, by its prototype; so it hands out a number, not
 * a pointer.
 */
TG_GLOBAL int tg_claim_place(const struct tg_table *table, __u64 tag, __u32 flags, __u32 now_ms,
			     struct tg_place *place)
{
	struct tg_victim victim = {};
	struct tg_ref ref = {};
	enum tg_found found;
	__u64 *word, *unused, seen;

	if (!table || !place)
		return TG_FOUND_NONE;
	word = tg_bucket_word_at(table, tg_bucket_of(tag, 0, table->buckets));
	if (!word)
		return TG_FOUND_NONE;
	seen = TG_READ_ONCE(*word);
	found = tg_flow_find(table, tag, &ref, &unused);
	place->found = found;
	place->number = ref.number;
	place->claim = ref.claim;
	if (found)
		return found;

	tg_choose_victim(table, tag, now_ms, &victim);
	if (victim.score == TG_SCORE_NEVER ||
	    (victim.spilled && (seen & TG_BUCKET_SPILLED_MASK) == TG_BUCKET_SPILLED_MASK)) {
		if (!(seen & TG_BUCKET_REFUSED))
			__sync_fetch_and_or(word, TG_BUCKET_REFUSED);
		return TG_FOUND_NONE;
	}
	tg_take_victim(table, &victim, tag, flags, &ref);
	place->lost = !ref.slot;
	if (!ref.slot)
		return TG_FOUND_NONE;
	place->number = ref.number;
	place->claim = ref.claim;
	if (tg_enter(table, word, seen, tag, &victim)) {
		place->claimed = true;
		return TG_FOUND_NONE;
	}
	place->lost = true;
	__sync_fetch_and_and(&ref.slot->claim, ~(TG_CLAIM_GENERATION_ONE - 1));
	return TG_FOUND_NONE;
}

/*
 * Claims a slot for a flow that was not found.  NONE and ref->slot: fill it, then publish it.
 * NONE and no slot: no room.  LIVE: another CPU opened it, ref is that flow.  BUSY: it is doing so.
 */
TG_INLINE enum tg_found tg_flow_claim(const struct tg_table *table, __u64 tag, __u32 flags,
				      __u32 now_ms, struct tg_ref *ref)
{
	enum tg_found found = TG_FOUND_BUSY;
	struct tg_place place = {};
	struct tg_bucket *bucket;
	__u32 i;

	ref->slot = NULL;
	for (i = 0; i < TG_CLAIM_RETRIES; i++) {
		place.lost = false;
		found = tg_claim_place(table, tag, flags, now_ms, &place);
		if (!place.lost)
			break;
	}
	if (place.lost)
		return TG_FOUND_BUSY;
	bucket = tg_bucket_at(table, place.number / TG_BUCKET_WAYS);
	if (!bucket || !(place.found || place.claimed))
		return found;
	ref->slot = &bucket->slot[place.number & (TG_BUCKET_WAYS - 1)];
	ref->number = place.number;
	ref->claim = place.claim;
	return found;
}

/* Takes a found slot over for a new connection of the same key: new generation, same place. */
TG_INLINE bool tg_flow_reclaim(struct tg_ref *ref, __u32 flags)
{
	__u32 claim = tg_next_claim(ref->claim, flags);

	if (__sync_val_compare_and_swap(&ref->slot->claim, ref->claim, claim) != ref->claim)
		return false;
	ref->claim = claim;
	return true;
}

#endif
