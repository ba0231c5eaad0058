/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads of shared memory here are racy by design: a half may be newer than its peer.  Every field
 * is monotone within a generation, and a copy across a change of generation is thrown away, so what
 * is shown is a state the flow was in, or is about to be in.
 */
#include "flow_table.h"

#include <string.h>

#define CLOCK_AHEAD_MS 60000 /* how far a moment may lie ahead of the now we were given */

const __be32 *flow_address(const struct flow_record *flow, enum tg_side side)
{
	return side == TG_SIDE_LO ? flow->detail.key.lo_addr : flow->detail.key.hi_addr;
}

__be16 flow_port(const struct flow_record *flow, enum tg_side side)
{
	return side == TG_SIDE_LO ? flow->detail.key.lo_port : flow->detail.key.hi_port;
}

/* Time since a moment; a moment ahead of us (set by another CPU since we read the clock) is now. */
static uint32_t elapsed_ms(uint32_t since_ms, uint32_t now_ms)
{
	return tg_seq_after(since_ms, now_ms) ? 0 : now_ms - since_ms;
}

/* Not elapsed_ms(): a flow may well be older than half the clock's range, 24.8 days. */
static uint32_t age_ms(const struct tg_detail *detail, uint32_t now_ms)
{
	return detail->created_ms - now_ms < CLOCK_AHEAD_MS ? 0 : now_ms - detail->created_ms;
}

static uint32_t idle_ms(const struct tg_detail *detail, uint32_t now_ms)
{
	uint32_t idle = age_ms(detail, now_ms), side;

	for (side = 0; side < TG_SIDE_MAX; side++) {
		const struct tg_half_count *count = &detail->count[side];

		if ((count->packets || count->last_ms) && elapsed_ms(count->last_ms, now_ms) < idle)
			idle = elapsed_ms(count->last_ms, now_ms);
	}
	return idle;
}

/* Fills in what the copies mean. */
static void interpret(struct flow_record *flow, const struct tg_timeouts *timeouts, uint32_t now_ms)
{
	const struct tg_half *half = flow->slot.half;
	uint32_t timeout_ms = tg_slot_timeout_ms(&flow->slot, timeouts);
	uint32_t waited_ms = elapsed_ms(flow->slot.stamp_ms, now_ms);

	flow->first = flow->claim & TG_CLAIM_OPENER_HI ? TG_SIDE_HI : TG_SIDE_LO;
	flow->origin = tg_claim_origin(flow->claim);
	flow->opener_known = flow->origin != TG_ORIGIN_PICKUP;
	flow->suspect = flow->claim & TG_CLAIM_SUSPECT;
	flow->phase = tg_flow_phase(&half[TG_SIDE_LO], &half[TG_SIDE_HI]);
	flow->state[TG_SIDE_LO] = tg_endpoint_state(&half[TG_SIDE_LO], &half[TG_SIDE_HI]);
	flow->state[TG_SIDE_HI] = tg_endpoint_state(&half[TG_SIDE_HI], &half[TG_SIDE_LO]);
	flow->age_ms = age_ms(&flow->detail, now_ms);
	flow->idle_ms = idle_ms(&flow->detail, now_ms);
	flow->left_ms = waited_ms < timeout_ms ? timeout_ms - waited_ms : 0;
}

/* The hot line alone: live, in date, and of one generation while it was copied. */
static bool copy_slot(const struct tg_slot *from, const struct tg_timeouts *timeouts,
		      uint32_t now_ms, struct tg_slot *to)
{
	uint32_t claim = TG_READ_ONCE(from->claim);

	if (!tg_claim_live(claim))
		return false;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	memcpy(to, from, sizeof(*to));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (TG_READ_ONCE(from->claim) != claim)
		return false;
	to->claim = claim;
	return !tg_slot_expired(to, timeouts, now_ms);
}

bool flow_table_read(const struct tg_table *table, uint32_t number, uint64_t now_ms,
		     struct flow_record *flow)
{
	const struct tg_bucket *bucket = tg_bucket_at(table, number / TG_BUCKET_WAYS);
	const struct tg_detail *detail = tg_detail_at(table, number);
	const struct tg_slot *slot;

	if (!bucket || !detail)
		return false;
	slot = &bucket->slot[number % TG_BUCKET_WAYS];
	if (!copy_slot(slot, table->timeouts, (uint32_t)now_ms, &flow->slot))
		return false;
	memcpy(&flow->detail, detail, sizeof(flow->detail));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (!tg_same_generation(TG_READ_ONCE(slot->claim), flow->slot.claim))
		return false;
	flow->number = number;
	flow->claim = flow->slot.claim;
	interpret(flow, table->timeouts, (uint32_t)now_ms);
	return true;
}

void flow_table_visit_part(const struct tg_table *table, uint32_t from, uint32_t count, uint64_t now_ms,
			   flow_visitor visit, void *context)
{
	uint32_t number, slots = table->buckets * TG_BUCKET_WAYS;
	struct flow_record flow;

	for (number = from; number < slots && number - from < count; number++)
		if (flow_table_read(table, number, now_ms, &flow) && !visit(&flow, context))
			return;
}

void flow_table_visit(const struct tg_table *table, uint64_t now_ms, flow_visitor visit,
		      void *context)
{
	flow_table_visit_part(table, 0, table->buckets * TG_BUCKET_WAYS, now_ms, visit, context);
}

void flow_table_count(const struct tg_table *table, uint64_t now_ms, struct flow_counts *counts)
{
	uint32_t index, way;
	struct tg_slot slot;

	memset(counts, 0, sizeof(*counts));
	for (index = 0; index < table->buckets; index++) {
		if (TG_READ_ONCE(table->word[index]) & TG_BUCKET_REFUSED)
			counts->refused_buckets++;
		for (way = 0; way < TG_BUCKET_WAYS; way++) {
			if (!copy_slot(&table->bucket[index].slot[way], table->timeouts,
				       (uint32_t)now_ms, &slot))
				continue;
			counts->entries++;
			counts->by_phase[tg_flow_phase(&slot.half[TG_SIDE_LO],
						       &slot.half[TG_SIDE_HI])]++;
		}
	}
}

static bool same_key(const struct tg_flow_key *a, const struct tg_flow_key *b)
{
	return !memcmp(a, b, sizeof(*a));
}

bool flow_table_find(const struct tg_table *table, const struct tg_table_info *info,
		     const struct tg_flow_key *key, uint64_t now_ms, struct flow_record *flow)
{
	struct tg_hash_key hash;
	struct tg_ref ref;
	__u64 *word;

	tg_hash_key_for_zone(info->coefficient, key->zone, &hash);
	if (tg_flow_find(table, tg_tag_of_key(&hash, key), &ref, &word) != TG_FOUND_LIVE)
		return false;
	return flow_table_read(table, ref.number, now_ms, flow) && same_key(&flow->detail.key, key);
}

bool flow_table_free(const struct tg_table *table, const struct flow_record *flow)
{
	struct tg_bucket *bucket = tg_bucket_at(table, flow->number / TG_BUCKET_WAYS);
	struct tg_slot *slot;

	if (!bucket)
		return false;
	slot = &bucket->slot[flow->number % TG_BUCKET_WAYS];
	/* The data path may have set SUSPECT since: that is still the same flow. */
	return tg_slot_free(table, slot, flow->number, flow->claim) ||
	       tg_slot_free(table, slot, flow->number, flow->claim | TG_CLAIM_SUSPECT);
}
