/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layouts of the flow table that this tcpguard can read: its own, and those of earlier versions,
 * whose flows `tcpguard upgrade` carries over.  Whoever changes struct tg_slot, tg_detail or the meaning
 * of what they hold raises TG_LAYOUT_VERSION, keeps the former structures in a file of their own and
 * adds a row in layout_rows.c; the other maps' values have to keep their size, and a bucket's word its
 * mark TG_BUCKET_REFUSED.  tests/layouts makes such
 * versions.
 */
#ifndef TCPGUARD_LAYOUT_H
#define TCPGUARD_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "tcpguard/config.h"

/* One flow, as this version stores it. */
struct layout_flow {
	struct tg_slot slot;
	struct tg_detail detail;
};

/* Where a slot has its words of 32 bits, in bytes; what they mean is the same in every layout. */
struct layout_words {
	size_t claim;
	size_t facts[TG_SIDE_MAX];
	size_t right[TG_SIDE_MAX];
};

struct layout {
	__u32 version;
	__u32 ways; /* slots a bucket */
	size_t slot_bytes;
	size_t detail_bytes;
	struct layout_words words;
	/* False if nothing lives there, or if it changed while it was read. */
	bool (*read)(const void *slot, const void *detail, struct layout_flow *flow);
};

/* NULL: made by a version that this one knows nothing of. */
const struct layout *layout_find(__u32 version);

/* This version's own. */
const struct layout *layout_own(void);

#endif
