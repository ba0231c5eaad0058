/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows, and how a slot that others write to is read. */
#include "layout.h"

#include <string.h>

#include "bpf/flow_table.h"

/* A half may be torn: each of its numbers only grows, and what is older is raised by a later reading. */
static bool read_own(const void *slot, const void *detail, struct layout_flow *flow)
{
	const struct tg_slot *from = slot;
	__u32 claim = TG_READ_ONCE(from->claim);

	if (!tg_claim_live(claim))
		return false;
	__sync_synchronize();
	memcpy(&flow->slot, from, sizeof(flow->slot));
	memcpy(&flow->detail, detail, sizeof(flow->detail));
	__sync_synchronize();
	flow->slot.claim = TG_READ_ONCE(from->claim);
	return tg_claim_live(flow->slot.claim) && tg_same_generation(flow->slot.claim, claim);
}

/* 1: the words of the buckets were others; what is read here was the same. */
static const struct layout layouts[] = {
	{ TG_LAYOUT_VERSION, TG_BUCKET_WAYS, sizeof(struct tg_slot), sizeof(struct tg_detail), read_own },
	{ 1, TG_BUCKET_WAYS, sizeof(struct tg_slot), sizeof(struct tg_detail), read_own },
};

const struct layout *layout_own(void)
{
	return &layouts[0];
}

const struct layout *layout_find(__u32 version)
{
	size_t i;

	for (i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].version == version)
			return &layouts[i];
	return NULL;
}
