/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `tcpguard daemon`: ages the table, serves events, tidies up after interfaces that vanish.  No verdict
 * depends on it.  One for each bpffs, by a lock that dies with the process.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "ager.h"
#include "command.h"
#include "config_apply.h"
#include "daemon_metrics.h"
#include "datapath.h"
#include "event_server.h"
#include "event_socket.h"
#include "guard_watch.h"
#include "listener.h"
#include "log.h"
#include "loop.h"
#include "mode_watch.h"
#include "options.h"
#include "pins.h"
#include "source_count.h"
#include "privilege.h"
#include "service.h"

#define WATCH_MS 1000
#define IDLE_MS 3000 /* with nothing attached before the daemon ends */

struct daemon_options {
	bool log_syslog;
	uint32_t ready_fd; /* 0: none; standard input is never it */
	const char *socket; /* NULL: the default, and not having it is no reason not to run */
	const char *metrics;
	const char *config; /* path; NULL: no file */
};

static const struct daemon_options defaults = { .metrics = DAEMON_METRICS_DEFAULT };

struct daemon_state {
	struct pins pins;
	struct ager *ager;
	struct daemon_metrics *metrics;
	struct guard_watch *guard;
	int lock;
	uint32_t ready_fd; /* to be written to when at work */
	bool ready; /* said so */
	uint32_t watch_ms;
	uint32_t idle_watches;
	uint64_t next_count_ms; /* of the connections of each source */
	uint32_t attached; /* as last told the service manager */
	bool no_repair; /* could not take an exchange back: said once */
	bool idle; /* ended because nothing is attached */
	const char *config_path;
	struct config *config; /* of the file, as last read without a fault; never NULL */
	uint64_t tried_hash; /* in force when the file was read last */
	bool gave_up[TG_IFACES_MAX]; /* could not tidy up: said once */
	const struct daemon_options *options;
	struct events *events;
	struct event_server *server; /* NULL: nobody can read events */
	struct mode_watch modes;
	bool freed_wanted; /* a reader wants to know of flows the sweep frees */
};

static int parse_log(const char *name, const char *argument, void *out)
{
	static const char *const words[] = { "stderr", "syslog", NULL };
	int choice = options_choose(name, argument, words);

	if (choice < 0)
		return choice;
	*(bool *)out = choice == 1;
	return 0;
}

static int parse_fd(const char *name, const char *argument, void *out)
{
	return options_u32(name, argument, 1, 1023, out);
}

static int parse_metrics(const char *name, const char *argument, void *out)
{
	struct listener_address address;

	if (strcmp(argument, DAEMON_METRICS_OFF) && listener_parse(argument, &address)) {
		log_err_hint(0,
			     "give a numeric address and a port, 'unix:' and an absolute path, or 'off'",
			     "--%s: cannot listen on '%s'", name, argument);
		return -EINVAL;
	}
	*(const char **)out = argument;
	return 0;
}

static int parse_config(const char *name, const char *argument, void *out)
{
	(void)name;
	*(const char **)out = argument;
	return 0;
}

static const struct option_row rows[] = {
	{ 0, "config", "FILE", "read again, and put in force, on SIGHUP", parse_config,
	  offsetof(struct daemon_options, config) },
	{ 0, "log", "stderr|syslog", "where remarks go (default: stderr)", parse_log,
	  offsetof(struct daemon_options, log_syslog) },
	{ 0, "metrics", "ADDR:PORT|unix:PATH|off",
	  "where /metrics is served (default: " DAEMON_METRICS_DEFAULT ")", parse_metrics,
	  offsetof(struct daemon_options, metrics) },
	{ 0, "ready-fd", "N", "write one byte to this descriptor when at work", parse_fd,
	  offsetof(struct daemon_options, ready_fd) },
	{ 0, "socket", "PATH", "where 'tcpguard events' reads (default: " EVENT_SOCKET_DIR "/" EVENT_SOCKET_NAME ")",
	  options_word, offsetof(struct daemon_options, socket) },
	{ 0 },
};

static void report_pass(struct daemon_metrics *metrics, const struct ager_pass *pass)
{
	daemon_metrics_add_pass(metrics, pass);
	if (pass->evicted)
		log_info("the flow table is short of room: %llu flows given up early",
			 (unsigned long long)pass->evicted);
	if (pass->recovered)
		log_info("%llu slots taken back from a process that died",
			 (unsigned long long)pass->recovered);
}

static uint32_t count_attached(const struct daemon_state *state)
{
	uint32_t slot, count = 0;

	for (slot = 0; slot < TG_IFACES_MAX; slot++)
		count += TG_READ_ONCE(state->pins.ifaces[slot].ifindex) != 0;
	return count;
}

/* From within the loop: a signal that comes now is heard. */
static void report_ready(struct daemon_state *state)
{
	uint32_t fd = state->ready_fd;

	state->ready = true;
	state->attached = count_attached(state);
	service_notify("READY=1\nSTATUS=%u interface%s attached", state->attached,
		       state->attached == 1 ? "" : "s");
	if (!fd)
		return;
	/* Nobody listening any more is no reason not to run. */
	if (write((int)fd, "\n", 1) != 1)
		log_info("daemon: nobody waits at descriptor %u", fd);
	close((int)fd);
}

static uint32_t age_a_slice(void *context)
{
	struct daemon_state *state = context;
	uint64_t now_ms;

	if (!state->ready)
		report_ready(state);
	/* pins_now_ms() has said why. */
	if (!pins_now_ms(&state->pins, &now_ms) &&
	    ager_step(state->ager, state->pins.settings, now_ms))
		report_pass(state->metrics, ager_last_pass(state->ager));
	if (state->freed_wanted)
		event_server_publish(state->server);
	return ager_delay_ms(state->ager);
}

static bool has_vanished(const struct daemon_state *state, uint32_t slot)
{
	const struct tg_iface *iface = &state->pins.ifaces[slot];
	enum pins_link xdp, tc;

	if (!TG_READ_ONCE(iface->ifindex))
		return false;
	xdp = pins_link_state(slot, "xdp");
	tc = pins_link_state(slot, "tc");
	/* Shared XDP with clsact has no link to ask; then only our own namespace can be looked at. */
	if (xdp == PINS_LINK_ABSENT && tc == PINS_LINK_ABSENT)
		return iface->netns == netdev_netns() && !netdev_exists(iface);
	return xdp == PINS_LINK_GONE || tc == PINS_LINK_GONE;
}

/* The kernel has taken the programs off with the device; what is left are pins and the register. */
static void tidy_vanished(struct daemon_state *state, uint32_t slot)
{
	char name[TG_IFNAME_LEN + 1] = { 0 };
	int lock = pins_try_lock();

	if (lock < 0)
		return; /* somebody attaches or detaches: next time */
	if (has_vanished(state, slot)) {
		memcpy(name, state->pins.ifaces[slot].name, TG_IFNAME_LEN);
		state->gave_up[slot] = datapath_detach(&state->pins, slot) != 0;
		if (!state->gave_up[slot])
			log_info("'%s' has vanished: detached", name);
	}
	close(lock);
}

/* Whoever exchanged the programs was killed at it: some hooks may have the new ones, others not. */
static void repair_exchange(struct daemon_state *state)
{
	int lock;

	if (state->no_repair || !datapath_interrupted())
		return;
	lock = pins_try_lock();
	if (lock < 0)
		return; /* it is under way */
	state->no_repair = datapath_recover(&state->pins) != 0;
	close(lock);
}

/* The same loop ages the table: while this is told, that is done. */
static void report_alive(struct daemon_state *state)
{
	uint32_t attached = count_attached(state);

	if (service_watchdog_ms())
		service_notify("WATCHDOG=1");
	if (attached != state->attached)
		service_notify("STATUS=%u interface%s attached", attached, attached == 1 ? "" : "s");
	state->attached = attached;
}

/* The note first: the next daemon writes its own.  Left behind it would be believed by nobody. */
static void give_up_lock(struct daemon_state *state)
{
	if (state->lock < 0)
		return;
	(void)pins_note_metrics(NULL);
	close(state->lock);
	state->lock = -1;
}

/*
 * Nothing to do any more.  The daemon's lock goes while the attach lock is held: an attach that comes
 * now either is seen here or finds no daemon and starts one.
 */
static bool may_end(struct daemon_state *state)
{
	int lock = pins_try_lock();
	bool end;

	if (lock < 0)
		return false;
	end = !count_attached(state);
	if (end)
		give_up_lock(state);
	close(lock);
	return end;
}

/* The daemon's own part of a configuration, which it keeps. */
static void take_config(struct daemon_state *state, struct config *config)
{
	config_free(state->config);
	state->config = config;
	state->tried_hash = config->hash;
}

/*
 * Somebody, 'config reload' or attach, put another file in force: if it is ours, its part for the daemon
 * holds from now on.  Tried once for each.
 */
static void follow_config(struct daemon_state *state)
{
	uint64_t hash = tg_active_config(state->pins.settings)->source_hash;
	struct config *config;

	if (!state->config_path || !hash || hash == state->tried_hash)
		return;
	state->tried_hash = hash;
	if (config_read(state->config_path, &config))
		return; /* said */
	if (config->hash == hash) {
		take_config(state, config);
		return;
	}
	log_info("the configuration in force is not that of '%s'", state->config_path);
	config_free(config);
}

static void reload(void *context)
{
	struct daemon_state *state = context;
	struct config *config;

	if (!state->config_path) {
		log_info("daemon: nothing to reload: it was started without --config");
		return;
	}
	if (config_reload(&state->pins, state->config_path, &config)) {
		log_err_hint(0, "mend the file and send SIGHUP again",
			     "the configuration in force stays as it was");
	} else {
		take_config(state, config);
		log_info("daemon: '%s' is in force, generation %llu", state->config_path,
			 (unsigned long long)tg_active_config(state->pins.settings)->generation);
	}
}

/* With a bad file, or none, there are the defaults: ageing must not wait for a correction. */
static int first_config(struct daemon_state *state, const char *path)
{
	state->config_path = path;
	if (path && config_read(path, &state->config))
		log_info("daemon: goes on with the defaults for its own part; 'tcpguard config check' helps");
	if (!state->config)
		state->config = config_new();
	if (!state->config)
		return log_err(-ENOMEM, "cannot start the daemon");
	state->tried_hash = state->config->hash;
	return 0;
}

/* The sign of life the data path may ask for, the configuration in force, the sources' connections. */
static void look_after_settings(struct daemon_state *state)
{
	uint64_t now_ms;

	if (pins_now_ms(&state->pins, &now_ms))
		return; /* said */
	TG_WRITE_ONCE(state->pins.settings->daemon_alive_ms, now_ms);
	pins_refresh(&state->pins);
	follow_config(state);
	guard_watch_step(state->guard, &state->pins, &state->config->guard, now_ms); /* said; again in a second */
	if (source_count_step(&state->pins, now_ms, &state->next_count_ms))
		log_err(-ENOMEM, "cannot count the connections of each source");
	if (mode_watch_look(&state->modes, &state->pins, now_ms, state->events))
		event_server_publish(state->server);
	events_write_counts(state->events);
	event_server_look_after(state->server);
	/* Who captured and was killed left the data path copying packets. */
	if ((TG_READ_ONCE(state->pins.settings->watch) & TG_WATCH_CAPTURE) && !pins_capture_runs())
		__sync_fetch_and_and(&state->pins.settings->watch, ~(__u32)TG_WATCH_CAPTURE);
}

static bool watch(void *context)
{
	struct daemon_state *state = context;
	uint32_t slot;

	report_alive(state);
	if (!pins_still_pinned(&state->pins)) {
		log_info("daemon: the pinned maps are gone, ending");
		state->idle = true;
		return false;
	}
	look_after_settings(state);
	repair_exchange(state);
	for (slot = 0; slot < TG_IFACES_MAX; slot++)
		if (!state->gave_up[slot] && has_vanished(state, slot))
			tidy_vanished(state, slot);
	state->idle_watches = count_attached(state) ? 0 : state->idle_watches + 1;
	if (state->idle_watches * state->watch_ms < IDLE_MS || !may_end(state))
		return true;
	log_info("daemon: no interface is attached, ending");
	state->idle = true;
	return false;
}

static void set_freed_wanted(void *context, bool yes)
{
	struct daemon_state *state = context;

	state->freed_wanted = yes;
	ager_listen(state->ager, yes ? events_say_freed : NULL, state->events);
}

/* What needs the loop.  Only a socket that was asked for is a condition. */
static int serve_events(struct loop *loop, void *context)
{
	struct daemon_state *state = context;
	const char *given = state->options->socket;
	char path[EVENT_SOCKET_BYTES];
	int err;

	err = event_socket_path(given ? given : EVENT_SOCKET_DIR "/" EVENT_SOCKET_NAME, path);
	if (!err)
		err = event_server_new(&state->server, loop, state->events, path, set_freed_wanted,
				       state);
	if (err && given)
		return err;
	if (err)
		log_info("daemon: going on without 'tcpguard events'");
	events_say(state->events, TG_EVENT_DAEMON, "started, pid %d", (int)getpid());
	return 0;
}

static void stop_events(void *context)
{
	struct daemon_state *state = context;

	events_say(state->events, TG_EVENT_DAEMON, "ended, pid %d", (int)getpid());
	event_server_publish(state->server);
	event_server_free(state->server);
	state->server = NULL;
	ager_listen(state->ager, NULL, NULL);
}

static int take_over(struct daemon_state *state, const struct daemon_options *options)
{
	uint64_t now_ms;
	char buffer[96];
	int err;

	state->lock = pins_lock_daemon();
	if (state->lock == -EBUSY) {
		log_err_hint(0, "one is enough for this bpffs", "a daemon runs already, pid %u",
			     TG_READ_ONCE(state->pins.settings->daemon_pid));
		return -EBUSY;
	}
	if (state->lock < 0) {
		err = state->lock;
		return log_err_hint(err, privilege_remedy(err, buffer, sizeof(buffer)),
				    "cannot lock " PINS_DIR "/daemon");
	}
	state->ager = ager_new(&state->pins.table, state->pins.info.max_flows);
	state->guard = guard_watch_new(NULL, NULL);
	if (!state->ager || !state->guard)
		return log_err(-ENOMEM, "cannot start ageing");
	state->events = events_new(&state->pins);
	if (!state->events)
		return log_err(-errno, "cannot read events");
	err = pins_now_ms(&state->pins, &now_ms);
	if (err)
		return err;
	mode_watch_begin(&state->modes, &state->pins, now_ms);
	TG_WRITE_ONCE(state->pins.settings->daemon_pid, (__u32)getpid());
	if (options->log_syslog)
		log_to_syslog();
	state->ready_fd = options->ready_fd;
	state->metrics = daemon_metrics_new(&state->pins, options->metrics);
	return state->metrics ? 0 : -ENOMEM;
}

static void release(struct daemon_state *state)
{
	if (state->events && state->pins.settings &&
	    TG_READ_ONCE(state->pins.settings->daemon_pid) == (__u32)getpid())
		TG_WRITE_ONCE(state->pins.settings->daemon_pid, 0);
	events_free(state->events);
	daemon_metrics_free(state->metrics);
	ager_free(state->ager);
	guard_watch_free(state->guard);
	config_free(state->config);
	give_up_lock(state);
	pins_close(&state->pins);
}

/* Twice as often as the service manager asks, and often enough to see interfaces vanish. */
static uint32_t watch_interval_ms(void)
{
	uint32_t watchdog_ms = service_watchdog_ms();

	if (!watchdog_ms || watchdog_ms / 2 > WATCH_MS)
		return WATCH_MS;
	return watchdog_ms < 2 ? 1 : watchdog_ms / 2;
}

static int run_daemon(const struct global_options *global, const void *given, int argc, char **argv)
{
	const struct daemon_options *options = given;
	struct daemon_state state = {
		.lock = -1,
		.watch_ms = watch_interval_ms(),
		.options = options,
	};
	struct loop_jobs jobs = {
		.begin = serve_events,
		.end = stop_events,
		.work = age_a_slice,
		.watch = watch,
		.reload = reload,
		.watch_ms = state.watch_ms,
		.context = &state,
	};
	int err;

	(void)global;
	if (options_no_words(argc, argv))
		return EXIT_USAGE;
	err = pins_open(&state.pins, true);
	if (err)
		return command_exit_code(err);
	err = take_over(&state, options);
	if (!err)
		err = first_config(&state, options->config);
	if (!err) {
		jobs.source_count = daemon_metrics_source(state.metrics, &jobs.sources[0]);
		look_after_settings(&state); /* before ready: what comes later is seen */
		err = loop_run(&jobs);
		service_notify("STOPPING=1");
	}
	release(&state);
	return !err && state.idle ? EXIT_NOT_ATTACHED : command_exit_code(err);
}

const struct command command_daemon = {
	.name = "daemon",
	.arguments = "",
	.summary =
		"Ages the flow table, serves events, tidies up after interfaces; in the foreground.",
	.details =
		"attach starts one when none runs.  Its death changes no verdict.  It ends by\n"
		"itself, with exit code 3, when nothing is attached any more.  It answers HTTP at\n"
		"/metrics, /-/healthy and /-/ready; where it cannot, it says so and goes on.",
	.options = rows,
	.options_size = sizeof(struct daemon_options),
	.defaults = &defaults,
	.run = run_daemon,
};
