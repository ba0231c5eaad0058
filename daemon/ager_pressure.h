/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which entries a nearly full table gives up before they expire: the order of ager_class, the
 * longest idle first within a class.  Planned from what the last pass saw.  Part of the ager.
 */
#ifndef TCPGUARD_AGER_PRESSURE_H
#define TCPGUARD_AGER_PRESSURE_H

#include "ager.h"

#define PRESSURE_BINS 24 /* idle time in powers of two of 128 ms: the last begins at 12 days */

struct ager_pressure {
	uint64_t idle[AGER_CLASS_MAX][PRESSURE_BINS]; /* entries of this pass by idle time */
	uint64_t budget[AGER_CLASS_MAX]; /* how many may still be taken in this pass */
	uint32_t min_bin[AGER_CLASS_MAX]; /* of those idle at least so long */
};

/* Turns the histogram of the last pass into budgets for the next, and empties it. */
void pressure_plan(struct ager_pressure *pressure, const uint64_t seen[AGER_CLASS_MAX],
		   uint32_t max_flows);

/* Inline from here on: asked for every entry of the table. */
static inline uint32_t pressure_bin(uint32_t idle_ms)
{
	uint32_t units = idle_ms >> 7, bin = units ? 32 - (uint32_t)__builtin_clz(units) : 0;

	return bin < PRESSURE_BINS ? bin : PRESSURE_BINS - 1;
}

static inline bool pressure_evicts(const struct ager_pressure *pressure, enum ager_class kind,
				   uint32_t idle_ms)
{
	return pressure->budget[kind] && pressure_bin(idle_ms) >= pressure->min_bin[kind];
}

static inline void pressure_took(struct ager_pressure *pressure, enum ager_class kind)
{
	pressure->budget[kind]--;
}

/* An entry that stays. */
static inline void pressure_note(struct ager_pressure *pressure, enum ager_class kind,
				 uint32_t idle_ms)
{
	pressure->idle[kind][pressure_bin(idle_ms)]++;
}

#endif
