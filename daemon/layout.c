/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked of the rows, and how a slot that others write to is read. */
#include "layout.h"

#include <string.h>

#include "bpf/flow_table.h"
#include "layout_rows.h"

/* A half may be torn: each of its numbers only grows, and what is older is raised by a later reading. */
bool layout_read_own(const void *slot, const void *detail, struct layout_flow *flow)
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
	return layout_is_same_flow(flow->slot.claim, claim);
}

bool layout_is_same_flow(__u32 claim, __u32 before)
{
	return tg_claim_live(claim) && tg_same_generation(claim, before);
}

const struct layout *layout_own(void)
{
	return &layout_rows[0];
}

const struct layout *layout_find(__u32 version)
{
	size_t i;

	for (i = 0; i < layout_rows_count; i++)
		if (layout_rows[i].version == version)
			return &layout_rows[i];
	return NULL;
}
