/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wraps libuv. */
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include <uv.h>

#include "log.h"

struct loop {
	uv_loop_t uv;
	uv_timer_t work;
	uv_timer_t watch;
	uv_signal_t terminate;
	uv_signal_t interrupt;
	uv_signal_t hangup;
	const struct loop_jobs *jobs;
	bool begun;
};

struct loop_fd {
	uv_poll_t poll;
	void (*ready)(void *context, bool readable, bool writable);
	void *context;
};

struct loop_timer {
	uv_timer_t uv;
	uint32_t (*fire)(void *context);
	void *context;
};

static void close_handle(uv_handle_t *handle, void *unused)
{
	(void)unused;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* The loop ends when the last handle is closed. */
static void finish(struct loop *loop)
{
	if (loop->begun && loop->jobs->end)
		loop->jobs->end(loop->jobs->context);
	loop->begun = false;
	uv_walk(&loop->uv, close_handle, NULL);
}

static void on_work(uv_timer_t *timer)
{
	struct loop *loop = timer->data;

	uv_timer_start(timer, on_work, loop->jobs->work(loop->jobs->context), 0);
}

static void on_watch(uv_timer_t *timer)
{
	struct loop *loop = timer->data;

	if (!loop->jobs->watch(loop->jobs->context))
		finish(loop);
}

static void on_signal(uv_signal_t *handle, int number)
{
	log_info("daemon: signal %d, ending", number);
	finish(handle->data);
}

static void on_hangup(uv_signal_t *handle, int number)
{
	struct loop *loop = handle->data;

	(void)number;
	loop->jobs->reload(loop->jobs->context);
}

static int start(struct loop *loop)
{
	int err;

	loop->work.data = loop->watch.data = loop;
	loop->terminate.data = loop->interrupt.data = loop->hangup.data = loop;
	err = uv_timer_init(&loop->uv, &loop->work);
	if (!err)
		err = uv_timer_init(&loop->uv, &loop->watch);
	if (!err)
		err = uv_signal_init(&loop->uv, &loop->terminate);
	if (!err)
		err = uv_signal_init(&loop->uv, &loop->interrupt);
	if (!err)
		err = uv_signal_init(&loop->uv, &loop->hangup);
	if (!err)
		err = uv_signal_start(&loop->hangup, on_hangup, SIGHUP);
	if (!err)
		err = uv_signal_start(&loop->terminate, on_signal, SIGTERM);
	if (!err)
		err = uv_signal_start(&loop->interrupt, on_signal, SIGINT);
	if (!err)
		err = uv_timer_start(&loop->work, on_work, 0, 0);
	if (!err)
		err = uv_timer_start(&loop->watch, on_watch, loop->jobs->watch_ms,
				     loop->jobs->watch_ms);
	if (err)
		return log_err(err, "cannot start the event loop");
	loop->begun = true;
	return loop->jobs->begin ? loop->jobs->begin(loop, loop->jobs->context) : 0;
}

/* --- descriptors and timers of others --------------------------------------------------------------- */

static void free_handle(uv_handle_t *handle)
{
	free(handle->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct loop_fd *watched = poll->data;

	/* What is wrong with it shows when it is read. */
	watched->ready(watched->context, status < 0 || (events & (UV_READABLE | UV_DISCONNECT)),
		       events & UV_WRITABLE);
}

struct loop_fd *loop_fd_new(struct loop *loop, int fd,
			    void (*ready)(void *context, bool readable, bool writable),
			    void *context)
{
	struct loop_fd *watched = calloc(1, sizeof(*watched));
	int err;

	if (!watched)
		return NULL;
	err = uv_poll_init(&loop->uv, &watched->poll, fd);
	if (err) {
		free(watched);
		errno = -err;
		return NULL;
	}
	watched->poll.data = watched;
	watched->ready = ready;
	watched->context = context;
	return watched;
}

void loop_fd_wait(struct loop_fd *watched, bool readable, bool writable)
{
	int events = (readable ? UV_READABLE | UV_DISCONNECT : 0) | (writable ? UV_WRITABLE : 0);

	if (events)
		uv_poll_start(&watched->poll, events, on_poll);
	else
		uv_poll_stop(&watched->poll);
}

void loop_fd_free(struct loop_fd *watched)
{
	if (watched)
		uv_close((uv_handle_t *)&watched->poll, free_handle);
}

static void on_timer(uv_timer_t *uv)
{
	struct loop_timer *timer = uv->data;
	uint32_t next_ms = timer->fire(timer->context);

	if (next_ms)
		loop_timer_start(timer, next_ms);
}

struct loop_timer *loop_timer_new(struct loop *loop, uint32_t (*fire)(void *context), void *context)
{
	struct loop_timer *timer = calloc(1, sizeof(*timer));

	if (!timer)
		return NULL;
	uv_timer_init(&loop->uv, &timer->uv);
	timer->uv.data = timer;
	timer->fire = fire;
	timer->context = context;
	return timer;
}

void loop_timer_start(struct loop_timer *timer, uint32_t ms)
{
	uv_timer_start(&timer->uv, on_timer, ms, 0);
}

void loop_timer_stop(struct loop_timer *timer)
{
	uv_timer_stop(&timer->uv);
}

void loop_timer_free(struct loop_timer *timer)
{
	if (timer)
		uv_close((uv_handle_t *)&timer->uv, free_handle);
}

int loop_run(const struct loop_jobs *jobs)
{
	struct loop loop = { .jobs = jobs };
	int err;

	/* A reader of our log that goes away is no reason to end. */
	signal(SIGPIPE, SIG_IGN);
	err = uv_loop_init(&loop.uv);
	if (err)
		return log_err(err, "cannot make an event loop");
	err = start(&loop);
	if (err)
		finish(&loop);
	uv_run(&loop.uv, UV_RUN_DEFAULT);
	uv_loop_close(&loop.uv);
	return err;
}
