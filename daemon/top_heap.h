/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The best of many: a heap of bounded size whose rows the caller keeps. */
#ifndef TCPGUARD_TOP_HEAP_H
#define TCPGUARD_TOP_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct top_heap_entry {
	double score;
	uint32_t row;
};

/* The worst entry is on top: it gives way to a better one. */
struct top_heap {
	struct top_heap_entry *entry;
	size_t count;
	size_t room;
};

/* True if score is among the best so far; *row then says which row to overwrite. */
bool top_heap_offer(struct top_heap *heap, double score, uint32_t *row);

#endif
