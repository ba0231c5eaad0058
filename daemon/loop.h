/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's event loop: two timers, descriptors, and the signals that end it.  The only includer of
 * libuv.
 */
#ifndef TCPGUARD_LOOP_H
#define TCPGUARD_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOOP_SOURCES_MAX 8
#define LOOP_NEVER UINT32_MAX

/* A descriptor and who serves it. */
struct loop_source {
	int fd;
	/*
	 * At the beginning, whenever fd is readable and when the time it returned has passed: the
	 * milliseconds until then, or LOOP_NEVER.  Everything else waits for it: it must not block.
	 */
	uint32_t (*serve)(void *context);
	void *context;
};

struct loop_jobs {
	/* Does a piece of work; returns the milliseconds to wait before the next. */
	uint32_t (*work)(void *context);
	/* Looks around, every watch_ms; false ends the loop. */
	bool (*watch)(void *context);
	uint32_t watch_ms;
	void *context;
	struct loop_source sources[LOOP_SOURCES_MAX];
	size_t source_count;
};

/* Until SIGTERM, SIGINT or watch() says so.  0 or -errno (said). */
int loop_run(const struct loop_jobs *jobs);

#endif
