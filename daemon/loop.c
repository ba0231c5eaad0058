/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wraps libuv. */
#include "loop.h"

#include <signal.h>

#include <uv.h>

#include "log.h"

struct source {
	uv_poll_t poll;
	uv_timer_t timer;
	const struct loop_source *job;
};

struct loop {
	uv_loop_t uv;
	uv_timer_t work;
	uv_timer_t watch;
	uv_signal_t terminate;
	uv_signal_t interrupt;
	struct source source[LOOP_SOURCES_MAX];
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

static void on_time(uv_timer_t *timer);

static void serve(struct source *source)
{
	uint32_t delay_ms = source->job->serve(source->job->context);

	if (delay_ms == LOOP_NEVER)
		uv_timer_stop(&source->timer);
	else
		uv_timer_start(&source->timer, on_time, delay_ms, 0);
}

static void on_time(uv_timer_t *timer)
{
	serve(timer->data);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	serve(poll->data);
}

static int start_source(struct loop *loop, struct source *source, const struct loop_source *job)
{
	int err;

	source->job = job;
	source->timer.data = source->poll.data = source;
	err = uv_timer_init(&loop->uv, &source->timer);
	if (!err)
		err = uv_poll_init(&loop->uv, &source->poll, job->fd);
	if (!err)
		err = uv_poll_start(&source->poll, UV_READABLE, on_readable);
	if (!err)
		err = uv_timer_start(&source->timer, on_time, 0, 0);
	return err;
}

static int start(struct loop *loop)
{
	size_t i;
	int err;

	loop->work.data = loop->watch.data = loop;
	loop->terminate.data = loop->interrupt.data = loop;
	err = uv_timer_init(&loop->uv, &loop->work);
	if (!err)
		err = uv_timer_init(&loop->uv, &loop->watch);
	if (!err)
		err = uv_signal_init(&loop->uv, &loop->terminate);
	if (!err)
		err = uv_signal_init(&loop->uv, &loop->interrupt);
	if (!err)
		err = uv_signal_start(&loop->terminate, on_signal, SIGTERM);
	if (!err)
		err = uv_signal_start(&loop->interrupt, on_signal, SIGINT);
	if (!err)
		err = uv_timer_start(&loop->work, on_work, 0, 0);
	if (!err)
		err = uv_timer_start(&loop->watch, on_watch, loop->jobs->watch_ms,
				     loop->jobs->watch_ms);
	for (i = 0; i < loop->jobs->source_count && !err; i++)
		err = start_source(loop, &loop->source[i], &loop->jobs->sources[i]);
	return err;
}

int loop_run(const struct loop_jobs *jobs)
{
	struct loop loop = { .jobs = jobs };
	int err;

	/* A terminal that goes away, or a reader of our log, is no reason to end. */
	signal(SIGHUP, SIG_IGN);
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
