/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hash of an image: places each slot in one of its two lines (cuckoo hashing), so that a look-up
 * reads two lines at most, and one nearly always.
 */
#ifndef TCPGUARD_LIST_SLOTS_H
#define TCPGUARD_LIST_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include "tcpguard/lists.h"

/* Begins as zeroes. */
struct list_slots {
	struct tg_list_slot *slot; /* in the order they were added */
	size_t count;
	size_t room;
	uint32_t lines; /* a power of two, once placed */
	uint32_t *place; /* by line and way: number of the slot + 1; 0: free */
	uint64_t *hash; /* by slot */
};

int list_slots_add(struct list_slots *slots, const struct tg_list_slot *slot);

/* When all are added: decides the number of lines and where each lies. */
int list_slots_place(struct list_slots *slots, uint64_t seed);

/* Into so many lines of zeroes. */
void list_slots_write(const struct list_slots *slots, struct tg_list_line *lines);

void list_slots_free(struct list_slots *slots);

#endif
