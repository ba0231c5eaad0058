/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scaled timeouts and early eviction.  Fill is measured against --max-flows, not against slots: the
 * table has two slots a flow so that buckets do not overflow.
 */
#include "ager_pressure.h"

#include <string.h>

/* Per cent of max_flows. */
#define SCALE_FROM 60 /* above: timeouts shrink in proportion ... */
#define SCALE_ESTABLISHED_FROM 90 /* ... those of established flows only above this ... */
#define SCALE_TO 120 /* ... and would be nothing here */
#define EVICT_FROM 90

#define SCALED_MIN_MS 5000
#define SCALED_ESTABLISHED_MIN_MS (300 * 1000)
#define HALF_CLOSED_BIN 10 /* idle for 65 s: younger ones are spared */

/* Entries at least as hard to displace as kind, in per cent of max_flows. */
static uint64_t fill_from(const uint64_t seen[AGER_CLASS_MAX], enum ager_class kind,
			  uint32_t max_flows)
{
	uint64_t sum = 0;
	int i;

	for (i = kind; i < AGER_CLASS_MAX; i++)
		sum += seen[i];
	return sum * 100 / max_flows;
}

static uint32_t scale(uint32_t timeout_ms, uint64_t fill, uint64_t from, uint32_t min_ms)
{
	uint64_t scaled;

	if (fill <= from || timeout_ms <= min_ms)
		return timeout_ms;
	scaled = fill >= SCALE_TO ?
			 0 :
			 (uint64_t)timeout_ms * (SCALE_TO - fill) / (SCALE_TO - SCALE_FROM);
	return scaled > min_ms ? (uint32_t)scaled : min_ms;
}

void ager_scale(const struct tg_timeouts *timeouts, const uint64_t seen[AGER_CLASS_MAX],
		uint32_t max_flows, struct tg_timeouts *scaled)
{
	static const enum ager_class classes[TG_PHASE_MAX] = {
		[TG_PHASE_SYN_SENT] = AGER_HANDSHAKE,
		[TG_PHASE_SYN_RECV] = AGER_HANDSHAKE,
		[TG_PHASE_ESTABLISHED] = AGER_ESTABLISHED,
		[TG_PHASE_HALF_CLOSED] = AGER_HALF_CLOSED,
		[TG_PHASE_LAST] = AGER_LAST,
		[TG_PHASE_TIME_WAIT] = AGER_TIME_WAIT,
		[TG_PHASE_CLOSED] = AGER_CLOSED,
	};
	int phase;

	*scaled = *timeouts;
	for (phase = 0; phase < TG_PHASE_MAX; phase++) {
		bool established = phase == TG_PHASE_ESTABLISHED;

		scaled->phase_ms[phase] =
			scale(timeouts->phase_ms[phase], fill_from(seen, classes[phase], max_flows),
			      established ? SCALE_ESTABLISHED_FROM : SCALE_FROM,
			      established ? SCALED_ESTABLISHED_MIN_MS : SCALED_MIN_MS);
	}
	scaled->unconfirmed_ms = scale(timeouts->unconfirmed_ms,
				       fill_from(seen, AGER_UNCONFIRMED, max_flows), SCALE_FROM,
				       SCALED_MIN_MS);
	scaled->shortest_ms = scaled->unconfirmed_ms;
	for (phase = 0; phase < TG_PHASE_MAX; phase++)
		if (scaled->phase_ms[phase] < scaled->shortest_ms)
			scaled->shortest_ms = scaled->phase_ms[phase];
}

/* Takes up to excess entries of one class, the longest idle first; returns how many. */
static uint64_t plan_class(struct ager_pressure *pressure, enum ager_class kind, uint64_t excess)
{
	uint32_t bin = PRESSURE_BINS, first = kind == AGER_HALF_CLOSED ? HALF_CLOSED_BIN : 0;
	uint64_t found = 0;

	while (bin > first && found < excess)
		found += pressure->idle[kind][--bin];
	pressure->min_bin[kind] = bin;
	pressure->budget[kind] = found < excess ? found : excess;
	return pressure->budget[kind];
}

void pressure_plan(struct ager_pressure *pressure, const uint64_t seen[AGER_CLASS_MAX],
		   uint32_t max_flows)
{
	uint64_t kept = 0, limit = (uint64_t)max_flows * EVICT_FROM / 100, excess;
	int kind;

	memset(pressure->budget, 0, sizeof(pressure->budget));
	/* Handshakes neither press nor are taken: newcomers displace them. */
	for (kind = AGER_HANDSHAKE + 1; kind < AGER_CLASS_MAX; kind++)
		kept += seen[kind];
	excess = kept > limit ? kept - limit : 0;
	for (kind = AGER_HANDSHAKE + 1; kind < AGER_CLASS_MAX && excess; kind++)
		excess -= plan_class(pressure, (enum ager_class)kind, excess);
	memset(pressure->idle, 0, sizeof(pressure->idle));
}
