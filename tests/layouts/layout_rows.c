/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon/layout_rows.c of a version whose flow table differs from the one before: its own layout, and
 * that one, member by member.  former.h is made by headers.py.
 */
#include "daemon/layout_rows.h"

#include <string.h>

#include "former.h"

#include "bpf/flow_table.h"

static void convert_half(struct tg_half *to, const struct former_half *from)
{
	*to = (struct tg_half){
		.end = from->end,
		.ack = from->ack,
		.right = from->right,
		.maxwin = from->maxwin,
		.aux = from->aux,
		.facts = from->facts,
	};
}

static void convert_count(struct tg_half_count *to, const struct former_half_count *from)
{
	_Static_assert(sizeof(*to) == sizeof(*from), "the same in both");
	memcpy(to, from, sizeof(*to));
}

static void convert_detail(struct tg_detail *to, const struct former_detail *from)
{
	int side;

	*to = (struct tg_detail){
		.key = from->key,
		.created_ms = from->created_ms,
		.syn_limit_ms = from->syn_limit_ms,
		.rst_limit_ms = from->rst_limit_ms,
	};
	for (side = 0; side < TG_SIDE_MAX; side++) {
		convert_count(&to->count[side], &from->count[side]);
		to->isn[side] = from->isn[side];
		to->pending_len[side] = from->pending_len[side];
	}
}

static bool read_former(const void *slot, const void *detail, struct layout_flow *flow)
{
	const struct former_slot *from = slot;
	__u32 claim = TG_READ_ONCE(from->claim);
	int side;

	if (!tg_claim_live(claim))
		return false;
	__sync_synchronize();
	flow->slot = (struct tg_slot){ .tag = from->tag, .stamp_ms = from->stamp_ms };
	for (side = 0; side < TG_SIDE_MAX; side++)
		convert_half(&flow->slot.half[side], &from->half[side]);
	convert_detail(&flow->detail, detail);
	__sync_synchronize();
	flow->slot.claim = TG_READ_ONCE(from->claim);
	return layout_is_same_flow(flow->slot.claim, claim);
}

const struct layout layout_rows[] = {
	{ TG_LAYOUT_VERSION, TG_BUCKET_WAYS, sizeof(struct tg_slot), sizeof(struct tg_detail),
	  LAYOUT_WORDS(struct tg_slot), layout_read_own },
	{ TG_LAYOUT_VERSION - 1, TG_BUCKET_WAYS, sizeof(struct former_slot), sizeof(struct former_detail),
	  LAYOUT_WORDS(struct former_slot), read_former },
};
const size_t layout_rows_count = sizeof(layout_rows) / sizeof(layout_rows[0]);
