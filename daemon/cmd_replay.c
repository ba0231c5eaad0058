/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard replay`: what would tcpguard have done with these packets? */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd_replay.h"
#include "command.h"
#include "config.h"
#include "log.h"
#include "options.h"

static const struct replay_choices defaults = {
	.replay = { .profile = DATAPATH_UNSET, .mode = DATAPATH_UNSET },
};

static const struct option_row rows[] = {
	REPLAY_OPTION_ROWS(struct replay_choices),
	{ 0, "join", NULL, "the files are parts of one capture, in this order", options_set_true,
	  offsetof(struct replay_choices, join) },
	{ 0, "config", "FILE", "judge by this configuration file; options go before it", options_word,
	  offsetof(struct replay_choices, config) },
	{ 0, "compare", "FILE", "print the packets that this configuration file would judge otherwise",
	  options_word, offsetof(struct replay_choices, compare) },
	{ 'w', "write", "FILE", "write the packets that are dropped to a pcap file, '-': stdout", options_word,
	  offsetof(struct replay_choices, write) },
	{ 0, "fail-on-drop", NULL, "exit code 1 if any packet is dropped", options_set_true,
	  offsetof(struct replay_choices, fail_on_drop) },
	{ 0 },
};

/* Bytes of packets in the largest capture, or in all; 0 where one of them cannot tell. */
static uint64_t bytes_of_captures(int count, char **paths, bool join)
{
	uint64_t all = 0, largest = 0;
	struct stat status;
	int i;

	for (i = 0; i < count; i++) {
		uint64_t size;

		if (!strcmp(paths[i], "-"))
			return 0;
		if (stat(paths[i], &status))
			continue; /* said when it is opened */
		if (!S_ISREG(status.st_mode))
			return 0;
		size = replay_bytes_of(paths[i], (uint64_t)status.st_size);
		all += size;
		largest = size > largest ? size : largest;
	}
	return (join ? all : largest) + 1; /* 0 would mean unknown */
}

static int answer(struct replay_job *job, const struct global_options *global)
{
	struct output out;

	if (job->lines) {
		output_replay_flush(job->lines);
		return fflush(stdout) || ferror(stdout) ? log_err(-EIO, "cannot write the answer") : 0;
	}
	if (output_open(&out, global, false))
		return -EINVAL;
	if (job->options->write && !strcmp(job->options->write, "-"))
		out.stream = stderr;
	if (global->output == OUTPUT_JSON)
		output_replay_json(&out, &job->summary);
	else
		output_replay_text(&out, &job->summary);
	return output_close(&out);
}

/* Not one capture was what was asked for. */
static bool all_refused(const struct replay_summary *summary)
{
	uint32_t i;

	for (i = 0; i < summary->file_count; i++)
		if (summary->files[i].err != -EINVAL && summary->files[i].err != -EACCES)
			return false;
	return true;
}

static int exit_code(const struct replay_job *job)
{
	const struct replay_summary *summary = &job->summary;
	uint32_t i;

	if (all_refused(summary))
		return command_exit_code(summary->files[0].err);
	for (i = 0; i < summary->file_count; i++)
		if (summary->files[i].err)
			return EXIT_PARTLY;
	return job->options->fail_on_drop && replay_summary_drops(summary) ? EXIT_NO : EXIT_OK;
}

static int open_job(struct replay_job *job, const struct global_options *global, int argc, char **argv)
{
	const struct replay_options *replay = &job->options->replay;
	uint32_t max_flows = replay->max_flows;
	int i, err;

	job->summary.options = replay;
	job->summary.file_count = (uint32_t)argc;
	job->summary.files = calloc((size_t)argc, sizeof(*job->summary.files));
	if (global->output == OUTPUT_NDJSON)
		job->lines = calloc(1, sizeof(*job->lines));
	if (!job->summary.files || (global->output == OUTPUT_NDJSON && !job->lines))
		return log_err(-ENOMEM, "cannot replay");
	if (job->lines)
		job->lines->stream = stdout;
	for (i = 0; i < argc; i++)
		job->summary.files[i].path = argv[i];
	if (!max_flows)
		max_flows = replay_flows_for(bytes_of_captures(argc, argv, job->options->join));
	err = replay_open(&job->replay, replay, max_flows);
	if (err)
		return err;
	if (job->options->compare) {
		err = replay_open(&job->other, &job->other_options, max_flows);
		if (err)
			return err;
	}
	job->flows = replay_flows_new(replay_slots(job->replay));
	return job->flows ? 0 : log_err(-ENOMEM, "cannot replay");
}

static void close_job(struct replay_job *job)
{
	replay_close_captures(job);
	replay_flows_free(job->flows);
	replay_close(job->replay);
	replay_close(job->other);
	config_free(job->config);
	config_free(job->other_config);
	free(job->lines);
	free(job->summary.files);
}

static int run_job(struct replay_job *job, const struct global_options *global, int argc, char **argv)
{
	int err = open_job(job, global, argc, argv), finished;

	if (!err)
		err = replay_open_captures(job);
	if (!err)
		err = replay_captures(job);
	finished = capture_finish(job->writer);
	err = err ? err : finished;
	if (!err && !all_refused(&job->summary))
		err = answer(job, global);
	return err ? command_exit_code(err) : exit_code(job);
}

static int check(const struct replay_choices *options, const struct global_options *global, int argc,
		 char **argv)
{
	int i, pipes = 0;

	if (!argc) {
		log_err_hint(0, "'-' is standard input", "replay: which capture?");
		return -EINVAL;
	}
	for (i = 0; i < argc; i++)
		pipes += !strcmp(argv[i], "-");
	if (pipes > 1)
		log_err(0, "replay: standard input can be read once only");
	else if (global->output == OUTPUT_CONNTRACK)
		log_err_hint(0, "it is for 'flows list'", "no '-o conntrack' output for this command");
	else if (options->write && !strcmp(options->write, "-") && global->output != OUTPUT_TEXT)
		log_err(0, "replay: standard output cannot take both packets and JSON");
	else if (options->write && !strcmp(options->write, "-") && isatty(STDOUT_FILENO))
		log_err(0, "replay: packets are not for a terminal: -w FILE");
	else
		return 0;
	return -EINVAL;
}

/* An option goes before the file, and the file before the default. */
static int judge_by(const char *path, const struct replay_options *given, struct config **config,
		    struct replay_options *options)
{
	int err = path ? config_read(path, config) : 0;

	if (err)
		return err;
	*options = *given;
	options->config = *config;
	if (options->mode == DATAPATH_UNSET)
		options->mode = *config && (*config)->mode != CONFIG_NOT_GIVEN ? (int)(*config)->mode :
										 TG_MODE_ENFORCE;
	return 0;
}

static int run_replay(const struct global_options *global, const void *given, int argc, char **argv)
{
	struct replay_choices options = *(const struct replay_choices *)given;
	struct replay_job job = { .options = &options };
	int code;

	if (check(&options, global, argc, argv))
		return EXIT_USAGE;
	code = judge_by(options.compare, &options.replay, &job.other_config, &job.other_options);
	if (!code)
		code = judge_by(options.config, &options.replay, &job.config, &options.replay);
	if (code) {
		close_job(&job);
		return command_exit_code(code);
	}
	code = run_job(&job, global, argc, argv);
	close_job(&job);
	return code;
}

const struct command command_replay = {
	.name = "replay",
	.arguments = "FILE...",
	.summary = "Shows what tcpguard would do with the packets of captures.",
	.details =
		"Runs the data path over pcap and pcapng files ('-': standard input), with the time of\n"
		"the capture and tables of its own: nothing is attached, a running tcpguard is not\n"
		"touched.  '-o ndjson' prints one object a packet.  Each file begins with an empty table\n"
		"but for --join.",
	.options = rows,
	.options_size = sizeof(struct replay_choices),
	.defaults = &defaults,
	.run = run_replay,
};
