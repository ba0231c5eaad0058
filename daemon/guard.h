/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When drops hit connections that live: a class of reasons that does so beyond doubt is not carried
 * out for a while.  Policy only: counters and time come in, a decision goes out.  What reads and
 * writes the maps is guard_watch.h.
 */
#ifndef TCPGUARD_GUARD_H
#define TCPGUARD_GUARD_H

#include <stdint.h>

#include "tcpguard/verdict.h"

#include "config.h"

#define GUARD_WINDOW_MS 10000
#define GUARD_SAMPLES 16 /* at least one a second of the window, and the one before */
#define GUARD_WAIT_MAX_MS (86400U * 1000)

/* The classes watched: those whose verdicts depend on what tcpguard believes of a connection. */
enum guard_class {
	GUARD_STATE,
	GUARD_WINDOW,
	GUARD_CLASS_MAX
};

/* Counters of one interface, which only grow. */
struct guard_sample {
	uint64_t at_ms;
	uint64_t passed; /* packets */
	uint64_t dropped[GUARD_CLASS_MAX]; /* of connections with data both ways, carried out */
	uint64_t judged[GUARD_CLASS_MAX]; /* the same, carried out or not */
	uint64_t flows[GUARD_CLASS_MAX]; /* such connections hit for the first time */
};

/* One interface.  All zero: nothing seen yet. */
struct guard {
	struct guard_sample sample[GUARD_SAMPLES]; /* oldest first */
	uint32_t count;
	struct guard_state {
		bool relaxed;
		uint64_t calm_since_ms;
		uint64_t wait_ms; /* of calm before it enforces again; 0: never relaxed yet */
	} class[GUARD_CLASS_MAX];
};

/* What changed, for people. */
struct guard_change {
	enum guard_class class;
	bool relaxed; /* else armed again */
	uint64_t drops; /* of the last GUARD_WINDOW_MS */
	uint64_t flows;
	uint64_t passed;
	uint64_t wait_ms;
};

enum tg_class guard_tg_class(enum guard_class class);

/*
 * Looks at a new sample.  relaxed: the bits TG_CLASS_* in force, which may be those of an earlier
 * daemon.  Returns the bits that shall be; changes[] holds *count entries, at most GUARD_CLASS_MAX.
 */
uint32_t guard_step(struct guard *guard, const struct config_guard *limits, const struct guard_sample *now,
		    uint32_t relaxed, struct guard_change *changes, uint32_t *count);

#endif
