/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wraps libuv. */
#include "loop.h"

#include <signal.h>

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
	return err;
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
	return err ? log_err(err, "cannot start the event loop") : 0;
}
