/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guard at work: reads the counters of every interface, writes what it decides, says so. */
#ifndef TCPGUARD_GUARD_WATCH_H
#define TCPGUARD_GUARD_WATCH_H

#include "guard.h"
#include "pins.h"

/* What is to be told beside the log, as an event. */
typedef void (*guard_reporter)(void *context, const char *iface, const struct guard_change *change);

struct guard_watch;

struct guard_watch *guard_watch_new(guard_reporter report, void *context); /* report may be NULL */
void guard_watch_free(struct guard_watch *watch); /* accepts NULL */

/* About once a second; 0 or -errno (said). */
int guard_watch_step(struct guard_watch *watch, const struct pins *pins, const struct config_guard *limits,
		     uint64_t now_ms);

#endif
