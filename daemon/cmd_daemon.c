/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `tcpguard daemon`: ages the table, serves events, tidies up after interfaces that vanish.  No verdict
 * depends on it.  One for each bpffs, by a lock that dies with the process.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "clock_ns.h"
#include "command.h"
#include "daemon.h"
#include "daemon_start.h"
#include "event_socket.h"
#include "listener.h"
#include "log.h"
#include "options.h"
#include "privilege.h"
#include "service.h"
#include "settings.h"

#define WATCH_MS 1000
#define IDLE_MS 3000 /* with nothing attached before the daemon ends */

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

	if (strcmp(argument, DAEMON_METRICS_OFF) != 0 && listener_parse(argument, &address)) {
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
	  "where /metrics is served (default: as the file says, or " DAEMON_METRICS_DEFAULT ")",
	  parse_metrics, offsetof(struct daemon_options, metrics) },
	{ 0, "ready-fd", "N", "write one byte to this descriptor when at work", parse_fd,
	  offsetof(struct daemon_options, ready_fd) },
	{ 0, "socket", "PATH",
	  "where 'tcpguard events' reads (default: " EVENT_SOCKET_DIR "/" EVENT_SOCKET_NAME ")",
	  options_word, offsetof(struct daemon_options, socket) },
	{ 0 },
};

static uint32_t age_a_slice(void *context)
{
	struct daemon_state *state = context;
	int64_t began_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	uint64_t now_ms;
	bool ended;

	if (!state->ready)
		daemon_report_ready(state);
	/* pins_now_ms() has said why. */
	if (!pins_now_ms(&state->pins, &now_ms)) {
		ended = ager_step(state->ager, state->pins.settings, now_ms);
		state->pass_cpu_ns += (uint64_t)(clock_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns);
		if (ended && ager_last_pass(state->ager)->adopt)
			settings_learn_anew(&state->pins, now_ms);
		if (ended)
			daemon_report_pass(state, ager_last_pass(state->ager));
	}
	if (state->freed_wanted)
		event_server_publish(state->server);
	return ager_delay_ms(state->ager);
}

/* The notes first: the next daemon writes its own. */
static void give_up_lock(struct daemon_state *state)
{
	if (state->lock < 0)
		return;
	(void)pins_note(PINS_NOTE_METRICS, NULL);
	(void)pins_note(PINS_NOTE_WORDS, NULL);
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
	end = !daemon_count_attached(state);
	if (end)
		give_up_lock(state);
	close(lock);
	return end;
}

static int renew_ager(struct daemon_state *state)
{
	struct ager *ager = ager_new(&state->pins.table, state->pins.info.max_flows);

	if (!ager)
		return log_err(-ENOMEM, "cannot start ageing");
	ager_free(state->ager);
	state->ager = ager;
	ager_listen(ager, daemon_report_freed, state);
	return 0;
}

/* False: what is pinned now is nothing for this daemon; state->err and idle say what that means. */
static bool follow_table(struct daemon_state *state)
{
	int err;

	if (pins_still_pinned(&state->pins))
		return true;
	err = pins_follow_table(&state->pins);
	if (err == -EAGAIN)
		return true;
	if (!err)
		err = renew_ager(state);
	if (!err)
		log_info("daemon: the flows were carried to another table, going on with that");
	else if (err == -ENOENT)
		log_info("daemon: the pinned maps are gone, ending");
	else if (err == -EPROTO)
		log_info("daemon: the flows were carried to a table of another layout, which is for another "
			 "version's daemon: ending");
	state->idle = err == -ENOENT;
	state->err = state->idle ? 0 : err;
	return !err;
}

static bool watch(void *context)
{
	struct daemon_state *state = context;

	daemon_report_alive(state);
	if (!follow_table(state))
		return false;
	daemon_follow_settings(state);
	daemon_tidy(state);
	state->idle_watches = daemon_count_attached(state) ? 0 : state->idle_watches + 1;
	if (state->idle_watches * state->watch_ms < IDLE_MS || !may_end(state))
		return true;
	log_info("daemon: no interface is attached, ending");
	state->idle = true;
	return false;
}

static void add_word(char *text, const char *option, const char *value)
{
	size_t length = strlen(text);

	if (value && length + strlen(option) + strlen(value) + 3 < PINS_NOTE_BYTES)
		sprintf(text + length, "%s%s\n%s", length ? "\n" : "", option, value);
}

/* For an upgrade, which starts the next daemon, maybe after this one was killed. */
static void note_words(const struct daemon_options *options)
{
	char text[PINS_NOTE_BYTES] = "", path[PATH_MAX];
	int err;

	add_word(text, "--config", options->config ? realpath(options->config, path) : NULL);
	add_word(text, "--metrics", options->metrics);
	add_word(text, "--socket", options->socket);
	err = pins_note(PINS_NOTE_WORDS, text);
	if (err)
		log_err(err, "cannot note for 'tcpguard upgrade' what the daemon was started with");
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
	state->guard = guard_watch_new(daemon_report_guard, state);
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
	note_words(options);
	state->ready_fd = options->ready_fd;
	state->metrics = daemon_metrics_new(&state->pins);
	if (!state->metrics)
		return -ENOMEM;
	ager_listen(state->ager, daemon_report_freed, state);
	return 0;
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
	const struct loop_jobs jobs = {
		.begin = daemon_begin_reports,
		.end = daemon_end_reports,
		.work = age_a_slice,
		.watch = watch,
		.reload = daemon_reload,
		.watch_ms = state.watch_ms,
		.context = &state,
	};
	int err;

	(void)global;
	if (options_no_words(argc, argv))
		return EXIT_USAGE;
	prctl(PR_SET_NAME, DAEMON_NAME); /* started through /proc/self/exe it would be "exe" to ps */
	err = pins_open(&state.pins, true);
	if (err)
		return command_exit_code(err);
	err = take_over(&state, options);
	if (!err)
		err = daemon_first_config(&state);
	if (!err) {
		daemon_follow_settings(&state); /* before ready: what comes later is seen */
		err = loop_run(&jobs);
		if (!err)
			err = state.err;
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
	.run = run_daemon,
};
