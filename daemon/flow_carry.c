/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known twice is merged.  Before the exchange the target's halves are the source's of a moment
 * ago.  After it a half of the target that has seen no packet since is that still, and becomes the
 * source's; one that has is raised to it, for what each side sent lies partly in either table.
 *
 * Counters are carried in the last step only, added to what has been counted meanwhile: until then zero
 * packets say that a half has not been touched.
 */
#include "flow_carry.h"

#include <string.h>

#include "bpf/flow_view.h"

#define APART_MS 1000 /* hooks are exchanged within less */

/* Serially; the data path writes such words without a lock, too. */
static void raise_word(__u32 *word, __u32 value)
{
	if (tg_seq_after(value, TG_READ_ONCE(*word)))
		TG_WRITE_ONCE(*word, value);
}

static __u32 claim_flags(__u32 claim)
{
	return claim & (TG_CLAIM_SUSPECT | TG_CLAIM_OPENER_HI | TG_CLAIM_ORIGIN_MASK);
}

static void forget_counts(struct tg_detail *detail)
{
	int side;

	for (side = 0; side < TG_SIDE_MAX; side++) {
		detail->count[side].bytes = 0;
		detail->count[side].packets = 0;
		detail->count[side].retrans = 0;
		detail->count[side].ooo = 0;
		detail->count[side].drops = 0;
	}
}

static void insert(const struct layout_flow *flow, const struct tg_table *to, const struct tg_ref *ref,
		   enum flow_carry_step step)
{
	struct tg_detail *detail = tg_detail_at(to, ref->number);
	int side;

	if (!detail)
		return;
	*detail = flow->detail;
	if (step == FLOW_CARRY_BEFORE)
		forget_counts(detail);
	for (side = 0; side < TG_SIDE_MAX; side++)
		ref->slot->half[side] = flow->slot.half[side];
	ref->slot->stamp_ms = flow->slot.stamp_ms;
	tg_flow_publish(ref);
}

static bool is_touched(const struct tg_half_count *count)
{
	return TG_READ_ONCE(count->packets) || TG_READ_ONCE(count->drops);
}

/* False: a packet changed the facts meanwhile. */
static bool replace_facts(struct tg_half *have, __u32 seen, const struct tg_half *want)
{
	TG_WRITE_ONCE(have->aux, want->aux);
	return __sync_val_compare_and_swap(&have->facts, seen, want->facts) == seen;
}

/* Adopted in the target, because the flow was not there yet: what the source knows is exact. */
static void unadopt(struct tg_half *have, const struct tg_half *want)
{
	__u32 seen = TG_READ_ONCE(have->facts);

	if ((seen & TG_FACT_PICKUP) && !(want->facts & TG_FACT_PICKUP))
		__sync_val_compare_and_swap(&have->facts, seen,
					    (seen & ~(__u32)(TG_FACT_PICKUP | TG_WSCALE_MASK)) |
						    (want->facts & TG_WSCALE_MASK));
}

static void merge_half(struct tg_half *have, const struct tg_half *want, bool touched)
{
	__u32 seen = TG_READ_ONCE(have->facts);
	bool first = !(seen & TG_FACT_HASACK);

	tg_raise(&have->end, want->end, !(seen & (TG_FACT_SYN | TG_FACT_PICKUP)));
	tg_raise_window(&have->maxwin, want->maxwin);
	if (want->facts & TG_FACT_HASACK) {
		tg_raise(&have->ack, want->ack, first);
		tg_raise(&have->right, want->right, first);
	}
	if (!touched && replace_facts(have, seen, want))
		return;
	unadopt(have, want);
	tg_add_facts(have, want->facts & TG_FACT_MASK & ~(__u32)TG_FACT_PICKUP);
}

static void renew_half(struct tg_half *have, const struct tg_half *want)
{
	TG_WRITE_ONCE(have->end, want->end);
	TG_WRITE_ONCE(have->ack, want->ack);
	TG_WRITE_ONCE(have->right, want->right);
	TG_WRITE_ONCE(have->maxwin, want->maxwin);
	TG_WRITE_ONCE(have->aux, want->aux);
	__sync_synchronize();
	TG_WRITE_ONCE(have->facts, want->facts);
}

static void merge_side(struct layout_flow *flow, struct tg_slot *slot, struct tg_detail *detail, int side,
		       enum flow_carry_step step)
{
	struct tg_half_count *have = &detail->count[side], *want = &flow->detail.count[side];
	bool touched = step == FLOW_CARRY_BACK || is_touched(have);
	bool first = !(slot->half[side].facts & TG_FACT_HASTS);
	__s32 later_ms = (__s32)(want->last_ms - have->last_ms);

	/* An exchange may be taken back long after.  Serial numbers more than 2 GiB apart cannot be compared. */
	if (step == FLOW_CARRY_BACK && later_ms < -APART_MS)
		return;
	if (step == FLOW_CARRY_BACK && later_ms > APART_MS)
		renew_half(&slot->half[side], &flow->slot.half[side]);
	else
		merge_half(&slot->half[side], &flow->slot.half[side], touched);
	if (flow->slot.half[side].facts & TG_FACT_HASTS)
		tg_raise(&have->tsmax, want->tsmax, first);
	raise_word(&have->last_ms, want->last_ms);
	if (!touched) {
		detail->isn[side] = flow->detail.isn[side];
		detail->pending_len[side] = flow->detail.pending_len[side];
		have->window = want->window;
		have->pending_window = want->pending_window;
		have->last_verdict = want->last_verdict;
	}
	if (step != FLOW_CARRY_AFTER)
		return;
	__sync_fetch_and_add(&have->bytes, want->bytes);
	__sync_fetch_and_add(&have->packets, want->packets);
	__sync_fetch_and_add(&have->retrans, want->retrans);
	have->ooo = have->ooo + want->ooo < 0xffff ? have->ooo + want->ooo : 0xffff;
	have->drops = have->drops + want->drops < 0xff ? have->drops + want->drops : 0xff;
}

/* The same key, another connection: its SYN came after the target had the former one. */
static void replace(const struct layout_flow *flow, const struct tg_ref *ref, struct tg_detail *detail)
{
	__u32 claim = ref->claim & ~claim_flags(~0U);
	int side;

	detail->created_ms = flow->detail.created_ms;
	for (side = 0; side < TG_SIDE_MAX; side++) {
		detail->isn[side] = flow->detail.isn[side];
		renew_half(&ref->slot->half[side], &flow->slot.half[side]);
	}
	__sync_val_compare_and_swap(&ref->slot->claim, ref->claim, claim | claim_flags(flow->slot.claim));
}

static bool is_adopted(const struct tg_half *halves)
{
	return (halves[TG_SIDE_LO].facts | halves[TG_SIDE_HI].facts) & TG_FACT_PICKUP;
}

static void name_origin(const struct layout_flow *flow, const struct tg_ref *ref)
{
	__u32 claim = ref->claim & ~(__u32)(TG_CLAIM_ORIGIN_MASK | TG_CLAIM_OPENER_HI);

	__sync_val_compare_and_swap(&ref->slot->claim, ref->claim, claim | claim_flags(flow->slot.claim));
}

/*
 * Two halves that were adopted, but for what they have acknowledged and how long they may be silent.
 * Once more changes nothing.
 */
static void loosen(const struct layout *layout, char *slot, const struct tg_slot *seen)
{
	__u32 *claim = (__u32 *)(slot + layout->words.claim);
	int side;

	for (side = 0; side < TG_SIDE_MAX; side++) {
		const struct tg_half *half = &seen->half[side];

		if (half->facts & TG_FACT_HASACK)
			tg_raise((__u32 *)(slot + layout->words.right[side]), half->ack + TG_PICKUP_SPAN,
				 false);
		__sync_fetch_and_or((__u32 *)(slot + layout->words.facts[side]), TG_FACT_PICKUP);
	}
	/* As tg_flow_check_owner(): if the slot has become another flow's meanwhile. */
	if (!tg_same_generation(TG_READ_ONCE(*claim), seen->claim))
		__sync_fetch_and_or(claim, TG_CLAIM_SUSPECT);
}

static bool is_open(const struct tg_slot *slot)
{
	enum tg_phase phase = tg_flow_phase(&slot->half[TG_SIDE_LO], &slot->half[TG_SIDE_HI]);

	return phase == TG_PHASE_ESTABLISHED || phase == TG_PHASE_HALF_CLOSED;
}

static bool is_out_of_window(const struct tg_detail *detail)
{
	int side;

	for (side = 0; side < TG_SIDE_MAX; side++)
		if (detail->count[side].drops &&
		    tg_verdict_class(detail->count[side].last_verdict) == TG_CLASS_WINDOW)
			return true;
	return false;
}

/*
 * The flow moved by more than a window while it was in the other table, so that this one could not follow,
 * and what has been merged is of the past already.
 */
static void loosen_left_behind(const struct tg_ref *ref)
{
	struct tg_slot seen = *ref->slot;

	seen.claim = ref->claim;
	if (is_open(&seen))
		loosen(layout_own(), (char *)ref->slot, &seen);
}

static void merge(struct layout_flow *flow, const struct tg_table *to, const struct tg_ref *ref,
		  enum flow_carry_step step)
{
	struct tg_detail *detail = tg_detail_at(to, ref->number);
	bool adopted = is_adopted(ref->slot->half) && !is_adopted(flow->slot.half), left_behind;
	__s32 later_ms;
	int side;

	if (!detail || memcmp(&detail->key, &flow->detail.key, sizeof(detail->key)) != 0)
		return; /* another flow has this tag */
	later_ms = flow->detail.created_ms - detail->created_ms;
	if (later_ms < 0 && !adopted)
		return; /* opened anew in the target */
	if (later_ms > 0 && !adopted)
		replace(flow, ref, detail);
	/* After the exchange the target's drops are still those since it. */
	left_behind = (step != FLOW_CARRY_BEFORE && is_out_of_window(detail)) ||
		      (step == FLOW_CARRY_BACK && is_out_of_window(&flow->detail));
	for (side = 0; side < TG_SIDE_MAX; side++)
		merge_side(flow, ref->slot, detail, side, step);
	if (left_behind)
		loosen_left_behind(ref);
	raise_word(&ref->slot->stamp_ms, flow->slot.stamp_ms);
	if (adopted) {
		detail->created_ms = flow->detail.created_ms;
		name_origin(flow, ref);
	}
}

static void carry_one(struct layout_flow *flow, const struct tg_table *to, __u32 now_ms,
		      enum flow_carry_step step, struct flow_carry_counts *counts)
{
	struct tg_ref ref = { 0 };
	int found;

	if (tg_flow_expired(&flow->slot, flow->slot.claim, to->timeouts, now_ms))
		return;
	found = tg_flow_claim(to, flow->slot.tag, claim_flags(flow->slot.claim), now_ms, &ref);
	if (!ref.slot && found == TG_FOUND_NONE) {
		counts->no_room++;
		return;
	}
	counts->flows++;
	if (!ref.slot || found == TG_FOUND_BUSY)
		return; /* the data path is opening it this moment, and knows better */
	if (found == TG_FOUND_LIVE)
		merge(flow, to, &ref, step);
	else
		insert(flow, to, &ref, step);
}

static bool read_one(const struct flow_carry_source *from, uint64_t number, struct layout_flow *flow)
{
	return from->layout->read((const char *)from->slots + number * from->layout->slot_bytes,
				  (const char *)from->details + number * from->layout->detail_bytes, flow);
}

/*
 * Marks of buckets without room: who found none has no flow to carry, but may go on.  A bucket holds the
 * tags of one range (tg_bucket_of()): in the other table that is part of a bucket, or several.
 */
static void carry_marks(const struct flow_carry_source *from, const struct tg_table *to)
{
	uint64_t buckets = from->count / from->layout->ways, bucket, at;

	for (bucket = 0; bucket < buckets; bucket++) {
		uint64_t first = ((bucket << 32) + buckets - 1) / buckets;
		uint64_t last = (((bucket + 1) << 32) - 1) / buckets;

		if (!(TG_READ_ONCE(from->words[bucket]) & TG_BUCKET_REFUSED))
			continue;
		for (at = first * to->buckets >> 32; at <= last * to->buckets >> 32; at++)
			__sync_fetch_and_or(&to->word[at], TG_BUCKET_REFUSED);
	}
}

void flow_carry(const struct flow_carry_source *from, const struct tg_table *to, __u32 now_ms,
		enum flow_carry_step step, struct flow_carry_counts *counts)
{
	struct layout_flow flow;
	uint64_t i;

	*counts = (struct flow_carry_counts){ 0 };
	carry_marks(from, to);
	for (i = 0; i < from->count; i++)
		if (read_one(from, i, &flow))
			carry_one(&flow, to, now_ms, step, counts);
}

/* Of a flow that spilled over, the home bucket's count stays: a look-up more, for strays. */
static void forget(__u32 *claim, __u32 seen)
{
	__sync_val_compare_and_swap(claim, seen, seen & ~(TG_CLAIM_GENERATION_ONE - 1));
}

void flow_loosen(const struct layout *layout, void *slots, const void *details, uint64_t count)
{
	struct flow_carry_source table = {
		.layout = layout, .slots = slots, .details = details, .count = count
	};
	struct layout_flow flow;
	uint64_t i;

	for (i = 0; i < count; i++) {
		char *slot = (char *)slots + i * layout->slot_bytes;

		if (!read_one(&table, i, &flow))
			continue;
		if (is_open(&flow.slot))
			loosen(layout, slot, &flow.slot);
		else
			forget((__u32 *)(slot + layout->words.claim), flow.slot.claim);
	}
}

uint64_t flow_carry_live(const struct flow_carry_source *from)
{
	struct layout_flow flow;
	uint64_t i, live = 0;

	for (i = 0; i < from->count; i++)
		live += read_one(from, i, &flow);
	return live;
}
