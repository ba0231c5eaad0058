/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon_metrics.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "metrics_server.h"
#include "output_metrics.h"

/*
 * A snapshot looks at every slot of the table: many clients share one, for so long that of a large table
 * taking them needs a twentieth of the daemon's time at most.
 */
#define FRESH_MS 500
#define FRESH_COSTS 20
#define REMARK_BYTES 192
#define WHERE_BYTES 128

struct daemon_metrics {
	const struct pins *pins;
	struct metrics_server *server; /* NULL: nothing is served */
	struct loop_fd *watched; /* its descriptor, and when it wants to be served next */
	struct loop_timer *timer;
	char where[WHERE_BYTES];
	struct metrics_daemon own;
	struct snapshot *snapshot; /* NULL: none yet */
	uint64_t fresh_until_ms;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int refresh(struct daemon_metrics *metrics)
{
	uint64_t began_ms = now_ms(), cost_ms;
	struct snapshot *fresh;
	int err;

	if (metrics->snapshot && began_ms < metrics->fresh_until_ms)
		return 0;
	err = snapshot_take(metrics->pins, &fresh);
	if (err)
		return err;
	snapshot_free(metrics->snapshot);
	metrics->snapshot = fresh;
	cost_ms = now_ms() - began_ms;
	metrics->fresh_until_ms = began_ms + FRESH_MS + FRESH_COSTS * cost_ms;
	return 0;
}

static int render(void *context, enum metrics_format format, char **text, size_t *bytes)
{
	struct daemon_metrics *metrics = context;
	int err = refresh(metrics);

	if (err)
		return err;
	err = process_stat_read(&metrics->own.process);
	if (err)
		return log_err(err, "cannot read what the daemon costs from /proc/self");
	err = output_metrics(metrics->snapshot, &metrics->own, format, text, bytes);
	return err ? log_err(err, "cannot write the metrics") : 0;
}

static bool ready(void *context)
{
	struct daemon_metrics *metrics = context;
	struct snapshot *now;
	bool is_ready;

	if (snapshot_take_quick(metrics->pins, &now))
		return false;
	is_ready = snapshot_ready(now);
	snapshot_free(now);
	return is_ready;
}

static void note(const char *remark)
{
	int err = pins_note(PINS_NOTE_METRICS, remark);

	if (err)
		log_err(err, "cannot note for 'tcpguard status' where metrics are served");
}

static void say_why_not(const char *where, int err)
{
	const char *remedy = "choose another place with --metrics, or --metrics off";
	char remark[REMARK_BYTES];

	if (err == -EEXIST)
		remedy = "what lies there is no socket: remove it, or choose another place";
	log_err_hint(err, remedy, "no metrics are served: cannot listen on %s", where);
	snprintf(remark, sizeof(remark), "unavailable, %s: %s", where, strerror(-err));
	note(remark);
}

static void stop(struct daemon_metrics *metrics)
{
	loop_timer_free(metrics->timer);
	loop_fd_free(metrics->watched);
	metrics_server_free(metrics->server);
	metrics->timer = NULL;
	metrics->watched = NULL;
	metrics->server = NULL;
	metrics->where[0] = '\0';
}

/* What it returns is for loop_timer, which is started here. */
static uint32_t run_server(void *context)
{
	struct daemon_metrics *metrics = context;
	uint32_t delay_ms = metrics_server_serve(metrics->server);

	if (delay_ms == LOOP_NEVER)
		loop_timer_stop(metrics->timer);
	else
		loop_timer_start(metrics->timer, delay_ms);
	return 0;
}

static void on_ready(void *context, bool readable, bool writable)
{
	(void)readable;
	(void)writable;
	run_server(context);
}

static bool watch_server(struct daemon_metrics *metrics, struct loop *loop)
{
	metrics->watched = loop_fd_new(loop, metrics_server_fd(metrics->server), on_ready, metrics);
	metrics->timer = loop_timer_new(loop, run_server, metrics);
	if (!metrics->watched || !metrics->timer)
		return false;
	loop_fd_wait(metrics->watched, true, false);
	loop_timer_start(metrics->timer, 0);
	return true;
}

static void serve(struct daemon_metrics *metrics, struct loop *loop, const char *where)
{
	const struct metrics_answers answers = {
		.render = render,
		.ready = ready,
		.context = metrics,
	};
	struct listener_address address;
	struct listener listener;
	int err;

	err = listener_parse(where, &address);
	if (!err)
		err = listener_open(&listener, &address);
	if (err) {
		say_why_not(where, err);
		return;
	}
	metrics->server = metrics_server_new(&listener, &answers);
	if (metrics->server && watch_server(metrics, loop)) {
		snprintf(metrics->where, sizeof(metrics->where), "%s", where);
		note(where);
	} else {
		stop(metrics);
		say_why_not(where, -ENOMEM);
	}
}

void daemon_metrics_listen(struct daemon_metrics *metrics, struct loop *loop, const char *where)
{
	if (where && metrics->server && !strcmp(metrics->where, where))
		return;
	stop(metrics);
	if (!where)
		return;
	if (strcmp(where, DAEMON_METRICS_OFF) != 0)
		serve(metrics, loop, where);
	else
		note(DAEMON_METRICS_OFF);
}

struct daemon_metrics *daemon_metrics_new(const struct pins *pins)
{
	struct daemon_metrics *metrics = calloc(1, sizeof(*metrics));

	if (!metrics) {
		log_err(-ENOMEM, "cannot serve metrics");
		return NULL;
	}
	metrics->pins = pins;
	return metrics;
}

void daemon_metrics_free(struct daemon_metrics *metrics)
{
	if (!metrics)
		return;
	stop(metrics);
	snapshot_free(metrics->snapshot);
	free(metrics);
}

void daemon_metrics_add_pass(struct daemon_metrics *metrics, const struct ager_pass *pass, uint64_t cpu_ns)
{
	static const double bounds_s[METRICS_SWEEPS_BOUNDS] = METRICS_SWEEPS;
	uint32_t bucket;

	for (bucket = 0; bucket < METRICS_SWEEPS_BOUNDS; bucket++)
		if ((double)cpu_ns <= bounds_s[bucket] * 1e9)
			break;
	metrics->own.sweeps[bucket]++;
	metrics->own.sweeps_ns += cpu_ns;
	metrics->own.expired += pass->expired;
	metrics->own.evicted += pass->evicted;
	metrics->own.recovered += pass->recovered;
}

void daemon_metrics_add_freed(struct daemon_metrics *metrics, const struct ager_freed *freed)
{
	flow_ends_add(&metrics->own.ends, freed);
}

void daemon_metrics_add_trip(struct daemon_metrics *metrics, enum tg_class class)
{
	metrics->own.trips[class]++;
}

void daemon_metrics_set_config(struct daemon_metrics *metrics, bool read)
{
	metrics->own.config_read = read;
	metrics->own.config_read_at_s = (uint64_t)time(NULL);
}

void daemon_metrics_set_reverts(struct daemon_metrics *metrics, uint64_t reverts)
{
	metrics->own.reverts = reverts;
}
