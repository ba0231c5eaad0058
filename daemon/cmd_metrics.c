/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard metrics`: what the daemon serves at /metrics, without the daemon. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "log.h"
#include "options.h"
#include "output_metrics.h"

struct metrics_options {
	bool openmetrics;
	const char *textfile;
};

static int parse_file(const char *name, const char *argument, void *out)
{
	(void)name;
	*(const char **)out = argument;
	return 0;
}

static const struct option_row rows[] = {
	{ 0, "openmetrics", NULL, "OpenMetrics 1.0 instead of the Prometheus text format 0.0.4",
	  options_set_true, offsetof(struct metrics_options, openmetrics) },
	{ 0, "textfile", "FILE", "write FILE, whole or not at all, for node_exporter", parse_file,
	  offsetof(struct metrics_options, textfile) },
	{ 0 },
};

static int write_all(int fd, const char *text, size_t bytes)
{
	ssize_t wrote;

	for (; bytes; text += wrote, bytes -= (size_t)wrote) {
		wrote = write(fd, text, bytes);
		if (wrote < 0 && errno == EINTR)
			wrote = 0;
		else if (wrote < 0)
			return -errno;
	}
	return 0;
}

/*
 * Beside it, then renamed over it: a reader sees the old text or the new one.  The name does not
 * end in .prom, so that node_exporter never reads the half-written one, and a link at either name
 * is replaced, not followed.
 */
static int write_file(const char *path, const char *text, size_t bytes)
{
	char *temporary;
	int fd, err;

	if (asprintf(&temporary, "%s.%d.tmp", path, (int)getpid()) < 0)
		return log_err(-ENOMEM, "cannot write '%s'", path);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0) {
		err = log_err(-errno, "cannot write '%s'", temporary);
		free(temporary);
		return err;
	}
	err = write_all(fd, text, bytes);
	/* Whatever the umask: node_exporter is another user. */
	if (!err && fchmod(fd, 0644))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(temporary, path))
		err = -errno;
	if (err) {
		unlink(temporary);
		log_err(err, "cannot write '%s'", path);
	}
	free(temporary);
	return err;
}

static int show(const char *text, size_t bytes)
{
	if (fwrite(text, 1, bytes, stdout) != bytes || fflush(stdout))
		return log_err(errno ? -errno : -EIO, "cannot write the answer");
	return 0;
}

static int write_metrics(const struct metrics_options *options, const struct snapshot *s)
{
	enum metrics_format format = options->openmetrics ? METRICS_OPENMETRICS : METRICS_TEXT;
	size_t bytes;
	char *text;
	int err;

	err = output_metrics(s, NULL, format, &text, &bytes);
	if (err)
		return log_err(err, "cannot write the metrics");
	err = options->textfile ? write_file(options->textfile, text, bytes) : show(text, bytes);
	free(text);
	return err;
}

static int run_metrics(const struct global_options *global, const void *options, int argc,
		       char **argv)
{
	struct snapshot *s;
	struct pins pins;
	int err;

	if (options_no_words(argc, argv))
		return EXIT_USAGE;
	if (global->output != OUTPUT_TEXT) {
		log_err_hint(0, "'tcpguard -j stats' has the same numbers",
			     "metrics are text, in no other format");
		return EXIT_USAGE;
	}
	err = pins_open(&pins, false);
	if (err)
		return command_exit_code(err);
	err = snapshot_take(&pins, &s);
	if (!err)
		err = write_metrics(options, s);
	snapshot_free(s);
	pins_close(&pins);
	/* Of a file: -ENOENT is a wrong path, not that nothing is attached. */
	return err == -ENOENT || err == -ENOTDIR || err == -EISDIR ? EXIT_USAGE :
								     command_exit_code(err);
}

const struct command command_metrics = {
	.name = "metrics",
	.arguments = "",
	.summary = "Shows all counters and states for Prometheus, without a daemon.",
	.details =
		"The daemon serves the same and its own costs at /metrics; see tcpguard-metrics(7).\n"
		"FILE is left as it is when nothing is attached.",
	.options = rows,
	.options_size = sizeof(struct metrics_options),
	.run = run_metrics,
};
