/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Differences between snapshots, by verdict, by interface, by reason. */
#include "top_rates.h"

#include <stdlib.h>
#include <string.h>

#include "names.h"

const char *top_verdict_word(enum top_verdict verdict)
{
	static const char *const words[] = {
		[TOP_PASS] = "pass",
		[TOP_DROP] = "drop",
		[TOP_WOULD_DROP] = "would drop",
		[TOP_OWN] = "own, passed",
		[TOP_BYPASS] = "bypassed",
	};

	return verdict < TOP_VERDICT_MAX ? words[verdict] : "?";
}

static enum top_verdict verdict_of(enum tg_outcome outcome, enum tg_verdict verdict)
{
	switch (outcome) {
	case TG_OUTCOME_WOULD_DROP:
		return TOP_WOULD_DROP;
	case TG_OUTCOME_BYPASS:
		return TOP_BYPASS;
	case TG_OUTCOME_OWN:
		return TOP_OWN;
	default:
		return tg_verdict_drops(verdict) ? TOP_DROP : TOP_PASS;
	}
}

/* Counters that went back were counted anew: all of them are new. */
static void add(struct top_rate *rate, uint64_t now, const uint64_t *before, double seconds)
{
	rate->total += now;
	if (before && seconds > 0)
		rate->per_second += (double)(now >= *before ? now - *before : now) / seconds;
}

/* The row of one reason under one verdict, made if absent: several verdicts share a reason's name. */
static struct top_reason *find_reason(struct top_rates *rates, enum top_verdict verdict,
				      const struct verdict_row *row)
{
	struct top_reason *reason;
	size_t i;

	for (i = 0; i < rates->reason_count; i++)
		if (rates->reason[i].verdict == verdict && !strcmp(rates->reason[i].reason,
								   row->reason))
			return &rates->reason[i];
	reason = &rates->reason[rates->reason_count++];
	reason->reason = row->reason;
	reason->text = row->text;
	reason->verdict = verdict;
	return reason;
}

static void add_cell(struct top_rates *rates, uint32_t iface, enum tg_outcome outcome, int verdict,
		     uint64_t now, const uint64_t *before, double seconds)
{
	const struct verdict_row *row = names_verdict((unsigned int)verdict);
	enum top_verdict kind = verdict_of(outcome, (enum tg_verdict)verdict);

	add(&rates->verdict[kind], now, before, seconds);
	add(&rates->iface[iface][kind], now, before, seconds);
	rates->packets += now;
	if (now && row)
		add(&find_reason(rates, kind, row)->rate, now, before, seconds);
}

static void add_iface(struct top_rates *rates, uint32_t index, const struct snapshot_iface *now,
		      const struct snapshot_iface *before, double seconds)
{
	int outcome, verdict;

	for (outcome = 0; outcome < TG_OUTCOME_MAX; outcome++)
		for (verdict = 0; verdict < TG_VERDICT_MAX; verdict++) {
			uint64_t counted = now->counters.count[outcome][verdict].packets, former = 0;

			if (before)
				former = before->counters.count[outcome][verdict].packets;
			add_cell(rates, index, (enum tg_outcome)outcome, verdict, counted,
				 before ? &former : NULL, seconds);
		}
}

/* What is dropped before what passes; among them the faster first, then the larger. */
static int compare(const void *left, const void *right)
{
	const struct top_reason *a = left, *b = right;
	bool a_passes = a->verdict == TOP_PASS, b_passes = b->verdict == TOP_PASS;

	if (a_passes != b_passes)
		return a_passes ? 1 : -1;
	if (a->rate.per_second != b->rate.per_second)
		return a->rate.per_second < b->rate.per_second ? 1 : -1;
	if (a->rate.total != b->rate.total)
		return a->rate.total < b->rate.total ? 1 : -1;
	return strcmp(a->reason, b->reason);
}

void top_rates_compute(const struct snapshot *now, const struct snapshot *before, double seconds,
		       struct top_rates *rates)
{
	uint32_t i;

	memset(rates, 0, sizeof(*rates));
	for (i = 0; i < now->iface_count; i++)
		add_iface(rates, i, &now->iface[i], before ? snapshot_find(before, &now->iface[i]) : NULL,
			  seconds);
	qsort(rates->reason, rates->reason_count, sizeof(rates->reason[0]), compare);
}
