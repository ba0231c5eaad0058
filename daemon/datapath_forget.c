/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What attach forgets: flows that may have moved while nobody looked.  An entry that still counts as open
 * would refuse its own connection.  Connections that go on are seeded or adopted anew; those of a router
 * that are silent for longer than it learns pass as if they had found no room.
 */
#include "datapath_parts.h"

#include "bpf/flow_view.h"

static bool has_ended(const struct tg_slot *slot)
{
	enum tg_phase phase = tg_flow_phase(&slot->half[TG_SIDE_LO], &slot->half[TG_SIDE_HI]);

	return phase == TG_PHASE_TIME_WAIT || phase == TG_PHASE_CLOSED;
}

static int note_marks(const struct pins *pins, bool marked)
{
	uint64_t now_ms;
	int err;

	if (!marked)
		return 0;
	err = pins_now_ms(pins, &now_ms);
	if (!err)
		TG_WRITE_ONCE(pins->settings->refused_ms, (__u32)now_ms);
	return err;
}

/*
 * In TIME_WAIT and CLOSED nothing moves, unless the ports were used again: on a host that is seeded the
 * socket tells, else nobody.
 */
int forget_flows(const struct pins *pins, bool host)
{
	__u32 bucket, way;
	bool marked = false;

	for (bucket = 0; bucket < pins->table.buckets; bucket++) {
		if (host)
			__sync_fetch_and_and(&pins->words[bucket], ~(__u64)TG_BUCKET_REFUSED);
		for (way = 0; way < TG_BUCKET_WAYS; way++) {
			struct tg_slot *slot = &pins->buckets[bucket].slot[way];
			__u32 number = bucket * TG_BUCKET_WAYS + way;

			if (!tg_claim_live(slot->claim)) {
				/* Its owner died, counted as spilled or not: see the sweeper. */
				__sync_fetch_and_and(&slot->claim, ~(TG_CLAIM_GENERATION_ONE - 1));
				continue;
			}
			if (host && has_ended(slot))
				continue;
			/* It may go on after learning has ended. */
			if (!host && !has_ended(slot))
				marked |= tg_slot_disown(&pins->table, slot);
			tg_slot_free(&pins->table, slot, number, slot->claim);
		}
	}
	return note_marks(pins, marked);
}

int forget_unseen(const struct pins *pins, __u32 since_ms)
{
	__u32 bucket, way;
	uint64_t now_ms;
	int err = pins_now_ms(pins, &now_ms);

	if (err)
		return err;
	/* Before there are marks: a sweep that clears some looks at this. */
	TG_WRITE_ONCE(pins->settings->refused_ms, (__u32)now_ms);
	for (bucket = 0; bucket < pins->table.buckets; bucket++)
		for (way = 0; way < TG_BUCKET_WAYS; way++) {
			struct tg_slot *slot = &pins->buckets[bucket].slot[way];
			__u32 claim = TG_READ_ONCE(slot->claim), stamp_ms = TG_READ_ONCE(slot->stamp_ms);

			/* The data path is at work, and may have stamped it later than now. */
			if (!tg_claim_live(claim) || tg_seq_after(stamp_ms, (__u32)now_ms) ||
			    (__u32)now_ms - stamp_ms < (__u32)now_ms - since_ms)
				continue;
			/* Marked first: whoever finds it gone finds the mark. */
			tg_slot_disown(&pins->table, slot);
			tg_slot_free(&pins->table, slot, bucket * TG_BUCKET_WAYS + way, claim);
		}
	return 0;
}
