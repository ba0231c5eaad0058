/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hash of an image: places each prefix in one of its two lines (cuckoo hashing), so that a look-up
 * reads two lines at most, and one nearly always.  With it goes the filter in front.
 */
#ifndef TCPGUARD_LIST_SLOTS_H
#define TCPGUARD_LIST_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include "tcpguard/lists.h"

struct list_slot {
	uint64_t high;
	uint64_t low;
	uint32_t value; /* as in struct tg_list_slots */
};

/* Begins as zeroes. */
struct list_slots {
	struct list_slot *slot; /* in the order they were added */
	size_t count;
	size_t room;
	uint32_t lines;
	uint32_t *place; /* by line and way: number of the slot + 1; 0: free */
	uint64_t *hash; /* by slot */
	uint32_t *home; /* by slot: what its first line follows from; half of its hash or of its family's level */
};

/* Of equal prefixes the one added last counts. */
int list_slots_add(struct list_slots *slots, const struct list_slot *slot);

/*
 * When all are added, in the order of their addresses: decides the number of lines and where each lies,
 * by the seed and the levels of an image's head.
 */
int list_slots_place(struct list_slots *slots, const struct tg_list_image *head);

/* Into lines of zeroes, of which the first is that of the first slots. */
void list_slots_write(const struct list_slots *slots, const struct tg_list_image *head,
		      struct tg_list_line *lines);

void list_slots_free(struct list_slots *slots);

#endif
