/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `top`, the counters' half: what moved between two snapshots.  Knows no terminal. */
#ifndef TCPGUARD_TOP_RATES_H
#define TCPGUARD_TOP_RATES_H

#include "snapshot.h"

struct top_rate {
	uint64_t total; /* packets, as `stats` shows them */
	double per_second; /* 0 until there are two snapshots */
};

/* In the order shown: as sections of `stats`. */
enum top_verdict {
	TOP_PASS,
	TOP_DROP,
	TOP_WOULD_DROP,
	TOP_OWN,
	TOP_BYPASS,
	TOP_VERDICT_MAX
};

struct top_reason {
	const char *reason;
	const char *text;
	enum top_verdict verdict;
	struct top_rate rate;
};

#define TOP_REASONS_MAX (TG_VERDICT_MAX * TG_OUTCOME_MAX)

struct top_rates {
	struct top_rate verdict[TOP_VERDICT_MAX]; /* of all interfaces shown */
	uint64_t packets; /* all of them, for shares */
	struct top_rate iface[TG_IFACES_MAX][TOP_VERDICT_MAX]; /* in the order of the snapshot */
	size_t reason_count;
	struct top_reason reason[TOP_REASONS_MAX]; /* the gravest first */
};

/* before may be NULL; seconds lie between the two. */
void top_rates_compute(const struct snapshot *now, const struct snapshot *before, double seconds,
		       struct top_rates *rates);

/* "pass", "drop", "would drop"... */
const char *top_verdict_word(enum top_verdict verdict);

#endif
