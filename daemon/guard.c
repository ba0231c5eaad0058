/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sliding window of samples and two small state machines. */
#include "guard.h"

#include <string.h>

#define PER_CENT_UNITS 100000 /* of config_guard.ratio make one */

enum tg_class guard_tg_class(enum guard_class class)
{
	return class == GUARD_STATE ? TG_CLASS_STATE : TG_CLASS_WINDOW;
}

/* Attached anew: the counters began again. */
static bool went_back(const struct guard_sample *before, const struct guard_sample *now)
{
	enum guard_class class;

	if (now->at_ms < before->at_ms)
		return true;
	for (class = 0; class < GUARD_CLASS_MAX; class ++)
		if (now->judged[class] < before->judged[class] || now->flows[class] < before->flows[class])
			return true;
	return false;
}

static void drop_first(struct guard *guard)
{
	guard->count--;
	memmove(&guard->sample[0], &guard->sample[1], guard->count * sizeof(guard->sample[0]));
}

/* Keeps what lies in the window, and one at or before its beginning, which is subtracted. */
static void remember(struct guard *guard, const struct guard_sample *now)
{
	if (guard->count && went_back(&guard->sample[guard->count - 1], now))
		guard->count = 0;
	while (guard->count > 1 && guard->sample[1].at_ms + GUARD_WINDOW_MS <= now->at_ms)
		drop_first(guard);
	if (guard->count == GUARD_SAMPLES)
		drop_first(guard);
	guard->sample[guard->count++] = *now;
}

static void difference(const struct guard *guard, enum guard_class class, struct guard_change *out,
		       uint64_t *judged)
{
	const struct guard_sample *first = &guard->sample[0], *last = &guard->sample[guard->count - 1];

	out->class = class;
	out->drops = last->dropped[class] - first->dropped[class];
	out->flows = last->flows[class] - first->flows[class];
	/* These begin again when an interface is attached. */
	out->passed = last->passed >= first->passed ? last->passed - first->passed : last->passed;
	*judged = last->judged[class] - first->judged[class];
}

static bool exceeds(const struct config_guard *limits, uint64_t drops, const struct guard_change *seen)
{
	return seen->flows >= limits->flows && drops >= limits->packets &&
	       drops * PER_CENT_UNITS > limits->ratio * seen->passed;
}

static bool relax(struct guard_state *state, const struct config_guard *limits, uint64_t now_ms,
		  uint64_t drops, const struct guard_change *seen)
{
	if (!exceeds(limits, drops, seen))
		return false;
	state->wait_ms = state->wait_ms ? state->wait_ms * 2 : limits->rearm_s * 1000ULL;
	if (state->wait_ms > GUARD_WAIT_MAX_MS)
		state->wait_ms = GUARD_WAIT_MAX_MS;
	state->calm_since_ms = now_ms;
	return true;
}

/* Calm is fewer than the limits allow, whether carried out or not: passed packets are not in doubt. */
static bool arm(struct guard_state *state, const struct config_guard *limits, uint64_t now_ms,
		uint64_t judged)
{
	if (judged >= limits->packets)
		state->calm_since_ms = now_ms;
	return now_ms >= state->calm_since_ms + state->wait_ms;
}

/* By an earlier daemon. */
static void inherit(struct guard_state *state, const struct config_guard *limits, bool relaxed,
		    uint64_t now_ms)
{
	if (relaxed && !state->relaxed) {
		state->wait_ms = limits->rearm_s * 1000ULL;
		state->calm_since_ms = now_ms;
	}
	state->relaxed = relaxed;
}

uint32_t guard_step(struct guard *guard, const struct config_guard *limits, const struct guard_sample *now,
		    uint32_t relaxed, struct guard_change *changes, uint32_t *count)
{
	enum guard_class class;

	*count = 0;
	remember(guard, now);
	for (class = 0; class < GUARD_CLASS_MAX; class ++) {
		struct guard_state *state = &guard->class[class];
		uint32_t bit = 1U << guard_tg_class(class);
		struct guard_change *change = &changes[*count];
		uint64_t judged;
		bool changes_now;

		inherit(state, limits, relaxed & bit, now->at_ms);
		difference(guard, class, change, &judged);
		if (!limits->enabled)
			changes_now = state->relaxed;
		else if (state->relaxed)
			changes_now = arm(state, limits, now->at_ms, judged);
		else
			changes_now = relax(state, limits, now->at_ms, change->drops, change);
		if (!changes_now)
			continue;
		state->relaxed = !state->relaxed;
		change->relaxed = state->relaxed;
		change->wait_ms = state->wait_ms;
		relaxed ^= bit;
		++*count;
	}
	return relaxed;
}
