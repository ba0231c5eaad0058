/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's event loop: two timers and the signals that end it.  The only includer of libuv. */
#ifndef TCPGUARD_LOOP_H
#define TCPGUARD_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop_jobs {
	/* Does a piece of work; returns the milliseconds to wait before the next. */
	uint32_t (*work)(void *context);
	/* Looks around, every watch_ms; false ends the loop. */
	bool (*watch)(void *context);
	uint32_t watch_ms;
	/* On SIGHUP. */
	void (*reload)(void *context);
	void *context;
};

/* Until SIGTERM, SIGINT or watch() says so.  0 or -errno (said). */
int loop_run(const struct loop_jobs *jobs);

#endif
