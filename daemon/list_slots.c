/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cuckoo hashing with lines of three, two thirds full: far from where it begins to fail. */
#include "list_slots.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/prefix_memory.h"
#include "bpf/prefix_image.h"

#define KICKS 1000
#define DOUBLINGS 4
#define NEIGHBOURS 2 /* that share a home */

int list_slots_add(struct list_slots *slots, const struct list_slot *slot)
{
	if (slots->count == slots->room) {
		size_t room = slots->room ? 2 * slots->room : 64;
		struct list_slot *grown = reallocarray(slots->slot, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		slots->slot = grown;
		slots->room = room;
	}
	slots->slot[slots->count++] = *slot;
	return 0;
}

static uint32_t line_of(const struct list_slots *slots, size_t number, uint32_t choice)
{
	return tg_list_share(choice ? (uint32_t)(slots->hash[number] >> 32) : slots->home[number],
			     slots->lines);
}

static uint32_t *place_at(const struct list_slots *slots, uint32_t line, uint32_t way)
{
	return &slots->place[(size_t)line * TG_LIST_SLOTS + way];
}

static bool is_same(const struct list_slot *a, const struct list_slot *b)
{
	return a->high == b->high && a->low == b->low &&
	       a->value >> TG_LIST_KEY_SHIFT == b->value >> TG_LIST_KEY_SHIFT;
}

/* In the place of an equal one, or in a free one. */
static bool put(const struct list_slots *slots, uint32_t line, size_t number, bool only_equal)
{
	uint32_t way;

	for (way = 0; way < TG_LIST_SLOTS; way++) {
		uint32_t *place = place_at(slots, line, way);

		if (only_equal ? !*place || !is_same(&slots->slot[*place - 1], &slots->slot[number]) :
				 *place != 0)
			continue;
		*place = (uint32_t)number + 1;
		return true;
	}
	return false;
}

/* Somebody has to go where both lines are full; which one changes from kick to kick. */
static bool settle(const struct list_slots *slots, size_t number)
{
	uint32_t kick, *place;
	size_t evicted;

	if (put(slots, line_of(slots, number, 0), number, true) ||
	    put(slots, line_of(slots, number, 1), number, true))
		return true;
	for (kick = 0; kick < KICKS; kick++) {
		if (put(slots, line_of(slots, number, 0), number, false) ||
		    put(slots, line_of(slots, number, 1), number, false))
			return true;
		place = place_at(slots, line_of(slots, number, kick & 1),
				 tg_list_share(kick * 0x9e3779b9U, TG_LIST_SLOTS));
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
	slots->place = calloc((size_t)slots->lines * TG_LIST_SLOTS, sizeof(*slots->place));
	if (!slots->place)
		return -ENOMEM;
	for (i = 0; i < slots->count; i++)
		if (!settle(slots, i))
			return -EAGAIN;
	return 0;
}

/* What it hashes to on the shortest level of its family; false: the family has no levels. */
static bool shortest_of(const struct list_slot *slot, const struct tg_list_image *head, uint64_t *hash)
{
	const struct tg_list_address address = { slot->high, slot->low };
	uint32_t ipv4 = !!(slot->value >> TG_LIST_KEY_SHIFT & TG_LIST_KEY_IPV4);
	uint8_t length = head->level[ipv4][0];
	struct tg_list_address prefix;

	if (!length)
		return false;
	prefix = tg_list_masked(&address, length);
	*hash = tg_list_hash(head->seed, prefix.high, prefix.low, tg_list_key(length, ipv4));
	return true;
}

/* Slots first..end have the shortest level in common.  Those who are many go each by its own hash. */
static void find_home(struct list_slots *slots, size_t first, size_t end, uint64_t shortest)
{
	size_t i;

	for (i = first; i < end; i++)
		slots->home[i] = (uint32_t)(end - first <= NEIGHBOURS ? shortest : slots->hash[i]);
}

static void find_homes(struct list_slots *slots, const struct tg_list_image *head)
{
	uint64_t shortest = 0, next = 0;
	size_t first, i;

	for (first = 0; first < slots->count; first = i) {
		i = first + 1;
		if (!shortest_of(&slots->slot[first], head, &shortest)) {
			slots->home[first] = (uint32_t)slots->hash[first];
			continue;
		}
		while (i < slots->count && shortest_of(&slots->slot[i], head, &next) && next == shortest)
			i++;
		find_home(slots, first, i, shortest);
	}
}

int list_slots_place(struct list_slots *slots, const struct tg_list_image *head)
{
	int err = -EAGAIN, doubled;
	size_t i;

	slots->lines = (uint32_t)(slots->count / 2) + 1;
	slots->hash = calloc(slots->count + 1, sizeof(*slots->hash));
	slots->home = calloc(slots->count + 1, sizeof(*slots->home));
	if (!slots->hash || !slots->home)
		return -ENOMEM;
	for (i = 0; i < slots->count; i++) {
		const struct list_slot *slot = &slots->slot[i];

		slots->hash[i] = tg_list_hash(head->seed, slot->high, slot->low,
					      slot->value >> TG_LIST_KEY_SHIFT);
	}
	find_homes(slots, head);
	for (doubled = 0; doubled < DOUBLINGS && err == -EAGAIN; doubled++) {
		if (doubled)
			slots->lines *= 2;
		err = place_all(slots);
	}
	return err;
}

static void write_slot(const struct list_slot *slot, uint32_t way, struct tg_list_slots *line)
{
	line->high[way] = slot->high;
	line->low[way] = slot->low;
	line->value[way] = slot->value;
}

/* Whoever asks a line where it could have been must go on. */
static void say_spilled(const struct list_slots *slots, uint32_t hash, uint32_t line,
			struct tg_list_line *lines)
{
	uint32_t first = tg_list_share(hash, slots->lines);

	if (first != line)
		lines[first].slots.spilled = 1;
}

/* Of a family with levels: the filter, and the way from the home to who is not there. */
static void write_level(const struct list_slots *slots, size_t number, uint32_t line,
			const struct tg_list_image *head, struct tg_list_line *lines)
{
	uint64_t shortest, *word;
	uint32_t at;

	if (!shortest_of(&slots->slot[number], head, &shortest))
		return;
	at = tg_list_filter_word(head, shortest);
	word = (uint64_t *)&lines[slots->lines + at / 8].filter[at % 8];
	*word |= tg_list_filter_any(shortest);
	if (tg_list_line_of(shortest, slots->lines, 0) == line)
		return;
	*word |= tg_list_filter_this(slots->hash[number]);
	say_spilled(slots, (uint32_t)shortest, line, lines);
}

void list_slots_write(const struct list_slots *slots, const struct tg_list_image *head,
		      struct tg_list_line *lines)
{
	uint32_t line, way;

	for (line = 0; line < slots->lines; line++) {
		for (way = 0; way < TG_LIST_SLOTS; way++) {
			uint32_t number = *place_at(slots, line, way);

			if (!number)
				continue;
			number--;
			write_slot(&slots->slot[number], way, &lines[line].slots);
			write_level(slots, number, line, head, lines);
			if (line == line_of(slots, number, 1))
				say_spilled(slots, (uint32_t)slots->hash[number], line, lines);
		}
	}
}

void list_slots_free(struct list_slots *slots)
{
	free(slots->slot);
	free(slots->place);
	free(slots->hash);
	free(slots->home);
	memset(slots, 0, sizeof(*slots));
}
