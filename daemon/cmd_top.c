/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard top [IFACE...]`: rates, reasons, flows and sources on a terminal, again and again. */
#include "command.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "options.h"
#include "snapshot.h"
#include "top_flows.h"
#include "top_rates.h"
#include "top_view.h"

#define INTERVAL_MAX_S 3600

struct top_options {
	uint32_t interval_s;
	bool sources;
};

static const struct top_options defaults = { .interval_s = 1 };

/* Everything between two frames. */
struct top {
	struct pins pins;
	int argc; /* interfaces named */
	char **argv;
	struct snapshot *now, *before;
	struct top_rates rates;
	struct top_flows *flows;
	struct top_scene scene;
	uint64_t next_ms; /* when to look again */
};

static volatile sig_atomic_t interrupted;

static int parse_interval(const char *name, const char *argument, void *out)
{
	return options_u32(name, argument, 1, INTERVAL_MAX_S, out);
}

static const struct option_row rows[] = {
	{ 'i', "interval", "SEC", "look every SEC seconds (default: 1)", parse_interval,
	  offsetof(struct top_options, interval_s) },
	{ 0, "sources", NULL, "begin with sources instead of flows", options_set_true,
	  offsetof(struct top_options, sources) },
	{ 0 },
};

static uint64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void adopt(struct top *top, struct snapshot *fresh)
{
	snapshot_free(top->before);
	top->before = top->now;
	top->now = fresh;
	top_rates_compute(fresh, top->before, top->before ? snapshot_elapsed_s(top->before, fresh) : 0,
			  &top->rates);
	top->scene.now = fresh;
}

/* -ENODEV when what is looked at is attached no more. */
static int look(struct top *top)
{
	struct snapshot *fresh;
	uint64_t now_ms;
	int err;

	if (!pins_still_pinned(&top->pins))
		return -ENODEV;
	err = snapshot_take(&top->pins, &fresh);
	if (err)
		return err;
	err = snapshot_select(&top->pins, fresh, top->argc, top->argv);
	if (!err)
		err = pins_now_ms(&top->pins, &now_ms);
	if (err) {
		snapshot_free(fresh);
		return err;
	}
	adopt(top, fresh);
	if (top_flows_scan(top->flows, &top->pins.table, now_ms))
		top->scene.frames = top_flows_frames(top->flows);
	return 0;
}

static void sort_by(struct top *top, unsigned int sort)
{
	top->scene.sort = (enum top_sort)(sort % TOP_SORT_MAX);
	top_flows_sort(top->flows, top->scene.sort);
}

static void press(struct top *top, enum top_key key)
{
	if (top->scene.help && key != TOP_KEY_NONE && key != TOP_KEY_RESIZED) {
		top->scene.help = false;
		return;
	}
	switch (key) {
	case TOP_KEY_PAUSE:
		top->scene.paused = !top->scene.paused;
		break;
	case TOP_KEY_SOURCES:
		top->scene.show_sources = !top->scene.show_sources;
		break;
	case TOP_KEY_SORT:
		sort_by(top, top->scene.sort + 1U);
		break;
	case TOP_KEY_SORT_PACKETS:
	case TOP_KEY_SORT_BYTES:
	case TOP_KEY_SORT_TOTAL:
	case TOP_KEY_SORT_AGE:
		sort_by(top, key - TOP_KEY_SORT_PACKETS);
		break;
	case TOP_KEY_HELP:
		top->scene.help = true;
		break;
	default:
		break;
	}
}

/* Until the next look is due; a paused screen has nothing to wait for but keys. */
static unsigned int patience_ms(const struct top *top, uint64_t now_ms)
{
	if (top->scene.paused)
		return 1000;
	return now_ms < top->next_ms ? (unsigned int)(top->next_ms - now_ms) : 0;
}

/* Until a key or a signal ends it; 0 or -errno, not said. */
static int run_loop(struct top *top)
{
	uint64_t now_ms = monotonic_ms();
	int err = 0;

	while (!err) {
		enum top_key key;

		if (!top->scene.paused && now_ms >= top->next_ms) {
			err = look(top);
			top->next_ms = monotonic_ms() + top->scene.interval_s * 1000ULL;
		}
		if (err)
			break;
		top_view_draw(&top->scene);
		now_ms = monotonic_ms();
		key = top_view_wait(patience_ms(top, now_ms));
		if (interrupted || key == TOP_KEY_LOST)
			err = -EINTR;
		if (key == TOP_KEY_QUIT)
			return 0;
		press(top, key);
		now_ms = monotonic_ms();
	}
	return err;
}

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static void catch_signals(void)
{
	const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	const struct sigaction action = { .sa_handler = on_signal }; /* no SA_RESTART: waiting ends */
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
}

/* The screen is the view's: what went wrong is said when it has been given back. */
static int say_end(int err)
{
	if (err == -ENODEV)
		return log_err_hint(err, "'tcpguard status' shows what is attached",
				    "top has ended");
	return err && err != -EINTR ? log_err(err, "top has ended") : err;
}

static int show(struct top *top, const struct global_options *global)
{
	struct top_view *view;
	int err;

	err = look(top); /* before the screen: its errors are said */
	if (err)
		return err;
	top->next_ms = monotonic_ms() + top->scene.interval_s * 1000ULL;
	catch_signals();
	view = top_view_open(global->colour);
	if (!view)
		return -EINVAL;
	err = run_loop(top);
	top_view_close(view);
	return say_end(err);
}

static int check_terminal(const struct global_options *global)
{
	if (global->output == OUTPUT_TEXT && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return 0;
	log_err_hint(0, "'tcpguard stats -i 1' and 'tcpguard -j stats' do without",
		     "top needs a terminal");
	return -EINVAL;
}

static int run_top(const struct global_options *global, const void *parsed, int argc, char **argv)
{
	const struct top_options *options = parsed;
	struct top *top;
	int err;

	if (check_terminal(global))
		return EXIT_USAGE;
	top = calloc(1, sizeof(*top));
	if (!top || !(top->flows = top_flows_new())) {
		free(top);
		return command_exit_code(log_err(-ENOMEM, "cannot show the state"));
	}
	top->argc = argc;
	top->argv = argv;
	err = pins_open(&top->pins, false);
	if (!err) {
		top->scene = (struct top_scene){
			.rates = &top->rates,
			.flows = top_flows_list(top->flows),
			.sources = top_flows_sources(top->flows),
			.interval_s = options->interval_s,
			.show_sources = options->sources,
		};
		err = show(top, global);
		pins_close(&top->pins);
	}
	snapshot_free(top->now);
	snapshot_free(top->before);
	top_flows_free(top->flows);
	free(top);
	return command_exit_code(err);
}

const struct command command_top = {
	.name = "top",
	.arguments = "[IFACE...]",
	.summary = "Shows rates by verdict and reason, the busiest flows and sources, on a "
		   "terminal.",
	.details = "Keys: q quits, p or space pauses, f or Tab changes between flows and sources, "
		   "s or 1 to 4\nchoose the order, ? explains.  Exit code 2 without a terminal.",
	.options = rows,
	.options_size = sizeof(struct top_options),
	.defaults = &defaults,
	.run = run_top,
};
