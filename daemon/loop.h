/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's event loop: two timers of its own, those and the descriptors others add, and the
 * signals that end it.  The only includer of libuv.
 */
#ifndef TCPGUARD_LOOP_H
#define TCPGUARD_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

#define LOOP_NEVER UINT32_MAX

struct loop_jobs {
	/*
	 * Before the first turn: adds descriptors and timers; may be NULL.  -errno, said, ends the
	 * loop.
	 */
	int (*begin)(struct loop *loop, void *context);
	/* After the last one, whatever ended it: takes them away; may be NULL. */
	void (*end)(void *context);
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

/* A descriptor, which stays the caller's; ready(), which must not block, is told what can be done without waiting. */
struct loop_fd;
struct loop_fd *loop_fd_new(struct loop *loop, int fd,
			    void (*ready)(void *context, bool readable, bool writable),
			    void *context); /* NULL and errno; waits for nothing yet */
void loop_fd_wait(struct loop_fd *watched, bool readable, bool writable);
void loop_fd_free(struct loop_fd *watched); /* accepts NULL; the descriptor may be closed next */

/* Fires once for each start; fire() returns the milliseconds until the next time, 0: not by itself. */
struct loop_timer;
struct loop_timer *loop_timer_new(struct loop *loop, uint32_t (*fire)(void *context), void *context);
void loop_timer_start(struct loop_timer *timer, uint32_t ms);
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer); /* accepts NULL */

#endif
