/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For each number of levels and each longest one, the cheapest choice of the others. */
#include "list_levels.h"

#include <string.h>

#define FREE_PREFIXES 16384 /* so many are not worth another level */
#define DOUBLINGS_MAX 20 /* of one prefix */
#define TOO_MANY (UINT64_MAX / 4)

struct choice {
	uint64_t cost[TG_LIST_LEVELS + 1][129]; /* by number of levels and the longest of them */
	uint8_t before[TG_LIST_LEVELS + 1][129]; /* the level before that one */
};

/* What prefixes of a length become on a level. */
static uint64_t cost_of(size_t count, unsigned int doublings)
{
	if (!count)
		return 0;
	return doublings > DOUBLINGS_MAX ? TOO_MANY : (uint64_t)count << doublings;
}

static void extend(struct choice *choice, const size_t count[129], unsigned int levels,
		   unsigned int longer)
{
	unsigned int shorter = longer;
	uint64_t between = 0, cost;

	choice->cost[levels][longer] = TOO_MANY;
	while (shorter > 0 && between < TOO_MANY) {
		between += cost_of(count[shorter], longer - shorter);
		shorter--;
		cost = choice->cost[levels - 1][shorter] + between;
		if (cost >= choice->cost[levels][longer])
			continue;
		choice->cost[levels][longer] = cost;
		choice->before[levels][longer] = (uint8_t)shorter;
	}
}

/* From the longest down: first in its place the shortest, then the others as they come. */
static void take(const struct choice *choice, unsigned int levels, unsigned int longest,
		 uint8_t level[TG_LIST_LEVELS])
{
	unsigned int i, at = longest;

	for (i = 1; i < levels; i++) {
		level[i] = (uint8_t)at;
		at = choice->before[levels - i + 1][at];
	}
	level[0] = (uint8_t)at;
}

bool list_levels_choose(const size_t count[129], uint8_t level[TG_LIST_LEVELS])
{
	struct choice choice;
	unsigned int levels, longest = 0, length;
	uint64_t all = 0;

	memset(level, 0, TG_LIST_LEVELS);
	for (length = 1; length <= 128; length++) {
		all += count[length];
		if (count[length])
			longest = length;
	}
	if (!all)
		return false;
	for (length = 0; length <= longest; length++)
		choice.cost[0][length] = length ? TOO_MANY : 0;
	for (levels = 1; levels <= TG_LIST_LEVELS; levels++) {
		for (length = 1; length <= longest; length++)
			extend(&choice, count, levels, length);
		if (choice.cost[levels][longest] > 2 * all + FREE_PREFIXES)
			continue;
		take(&choice, levels, longest, level);
		return true;
	}
	return false;
}

uint8_t list_levels_of(const uint8_t level[TG_LIST_LEVELS], uint8_t length)
{
	unsigned int i;

	if (level[0] >= length)
		return level[0];
	for (i = TG_LIST_LEVELS - 1; i > 0; i--)
		if (level[i] >= length)
			return level[i];
	return 0; /* no level was chosen for so long a one */
}
