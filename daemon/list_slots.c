/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cuckoo hashing with lines of two, at most half full: far from where it begins to fail. */
#include "list_slots.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/prefix_memory.h"
#include "bpf/prefix_image.h"

#define KICKS 1000
#define DOUBLINGS 4

int list_slots_add(struct list_slots *slots, const struct tg_list_slot *slot)
{
	if (slots->count == slots->room) {
		size_t room = slots->room ? 2 * slots->room : 64;
		struct tg_list_slot *grown = reallocarray(slots->slot, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		slots->slot = grown;
		slots->room = room;
	}
	slots->slot[slots->count++] = *slot;
	return 0;
}

static uint32_t line_of(const struct list_slots *slots, size_t number, int choice)
{
	return (uint32_t)(slots->hash[number] >> (choice ? 32 : 0)) & (slots->lines - 1);
}

static bool put(struct list_slots *slots, uint32_t line, size_t number)
{
	uint32_t way;

	for (way = 0; way < TG_LIST_PER_LINE; way++) {
		uint32_t *place = &slots->place[(size_t)line * TG_LIST_PER_LINE + way];

		if (*place)
			continue;
		*place = (uint32_t)number + 1;
		return true;
	}
	return false;
}

/* Somebody has to go where both lines are full; which one changes from kick to kick. */
static bool settle(struct list_slots *slots, size_t number)
{
	uint32_t kick, *place;
	size_t evicted;

	for (kick = 0; kick < KICKS; kick++) {
		if (put(slots, line_of(slots, number, 0), number) ||
		    put(slots, line_of(slots, number, 1), number))
			return true;
		place = &slots->place[(size_t)line_of(slots, number, kick & 1) * TG_LIST_PER_LINE +
				      ((kick * 0x9e3779b9U) >> 31)];
		evicted = *place - 1;
		*place = (uint32_t)number + 1;
		number = evicted;
	}
	return false;
}

static int place_all(struct list_slots *slots)
{
	size_t i;

	free(slots->place);
	slots->place = calloc((size_t)slots->lines * TG_LIST_PER_LINE, sizeof(*slots->place));
	if (!slots->place)
		return -ENOMEM;
	for (i = 0; i < slots->count; i++)
		if (!settle(slots, i))
			return -EAGAIN;
	return 0;
}

int list_slots_place(struct list_slots *slots, uint64_t seed)
{
	int err = -EAGAIN, doubled;
	size_t i;

	slots->lines = 1;
	while (slots->lines < slots->count)
		slots->lines *= 2;
	slots->hash = calloc(slots->count + 1, sizeof(*slots->hash));
	if (!slots->hash)
		return -ENOMEM;
	for (i = 0; i < slots->count; i++) {
		const struct tg_list_slot *slot = &slots->slot[i];

		slots->hash[i] = tg_list_hash(seed, slot->high, slot->low, slot->key);
	}
	for (doubled = 0; doubled < DOUBLINGS && err == -EAGAIN; doubled++) {
		if (doubled)
			slots->lines *= 2;
		err = place_all(slots);
	}
	return err;
}

void list_slots_write(const struct list_slots *slots, struct tg_list_line *lines)
{
	uint32_t line, way;

	for (line = 0; line < slots->lines; line++) {
		for (way = 0; way < TG_LIST_PER_LINE; way++) {
			uint32_t number = slots->place[(size_t)line * TG_LIST_PER_LINE + way];
			struct tg_list_slot *slot = &lines[line].slot[way];
			uint32_t spilled = slot->spilled; /* said already by a slot elsewhere */

			if (!number)
				continue;
			*slot = slots->slot[number - 1];
			slot->spilled = spilled;
			if (line_of(slots, number - 1, 0) != line)
				lines[line_of(slots, number - 1, 0)].slot[0].spilled = 1;
		}
	}
}

void list_slots_free(struct list_slots *slots)
{
	free(slots->slot);
	free(slots->place);
	free(slots->hash);
	memset(slots, 0, sizeof(*slots));
}
