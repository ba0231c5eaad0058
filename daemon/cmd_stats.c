/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard stats`: packets by verdict and reason, once or again and again. */
#include <errno.h>
#include <time.h>

#include "command.h"
#include "options.h"
#include "output.h"
#include "snapshot.h"

#define INTERVAL_MAX_S 86400

struct stats_options {
	uint32_t interval_s; /* 0: once */
	bool since_attach;
};

static int parse_interval(const char *name, const char *argument, void *out)
{
	return options_u32(name, argument, 1, INTERVAL_MAX_S, out);
}

static const struct option_row rows[] = {
	{ 'i', "interval", "SEC", "repeat every SEC seconds, with packets per second", parse_interval,
	  offsetof(struct stats_options, interval_s) },
	{ 0, "since-attach", NULL, "show averages per second since attach", options_set_true,
	  offsetof(struct stats_options, since_attach) },
	{ 0 },
};

static int show(const struct pins *pins, const struct stats_options *options, struct output *out,
		int argc, char **argv, struct snapshot **before)
{
	struct output_stats stats = { .before = *before, .since_attach = options->since_attach };
	struct snapshot *now;
	int err;

	err = snapshot_take(pins, &now);
	if (err)
		return err;
	err = snapshot_select(pins, now, argc, argv);
	if (!err) {
		stats.now = now;
		if (*before)
			stats.seconds = snapshot_elapsed_s(*before, now);
		out->functions->stats(out, &stats);
		err = output_close(out);
	}
	snapshot_free(*before);
	*before = now;
	return err;
}

static int show_all(const struct pins *pins, const struct stats_options *options,
		    struct output *out, int argc, char **argv)
{
	const struct timespec pause = { .tv_sec = options->interval_s };
	struct snapshot *before = NULL;
	int err;

	err = show(pins, options, out, argc, argv, &before);
	/* Ends by a signal, by a closed pipe, or with the interface. */
	while (!err && options->interval_s) {
		if (clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL))
			err = -EINTR;
		else
			err = show(pins, options, out, argc, argv, &before);
	}
	snapshot_free(before);
	return err;
}

static int run_stats(const struct global_options *global, const void *options, int argc,
		     char **argv)
{
	struct output out;
	struct pins pins;
	int err;

	if (output_open(&out, global, false))
		return EXIT_USAGE;
	err = pins_open(&pins, false);
	if (err)
		return command_exit_code(err);
	err = show_all(&pins, options, &out, argc, argv);
	pins_close(&pins);
	return command_exit_code(err);
}

const struct command command_stats = {
	.name = "stats",
	.arguments = "[IFACE...]",
	.summary = "Shows packets by verdict and reason, and how full the flow table is.",
	.details = "Reasons that never counted are left out of the text; JSON has them all.",
	.options = rows,
	.options_size = sizeof(struct stats_options),
	.run = run_stats,
};
