/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard replay`: what would tcpguard have done with these packets? */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture.h"
#include "command.h"
#include "config.h"
#include "log.h"
#include "names.h"
#include "output_replay.h"
#include "progress.h"
#include "replay.h"
#include "replay_flows.h"
#include "replay_frame.h"
#include "replay_options.h"

#define FATE_BYTES 96
#define LOOK_EVERY 4096 /* packets between two looks at the clock; a power of 2 */

struct options {
	struct replay_options replay;
	const char *write;
	const char *config; /* paths of configuration files, or NULL */
	const char *compare;
	bool fail_on_drop;
	bool join;
};

static int read_path(const char *name, const char *argument, void *out)
{
	(void)name;
	*(const char **)out = argument;
	return 0;
}

static const struct options defaults = {
	.replay = { .profile = DATAPATH_UNSET, .mode = DATAPATH_UNSET },
};

static const struct option_row rows[] = {
	REPLAY_OPTION_ROWS(struct options),
	{ 0, "join", NULL, "the files are parts of one capture, in this order", options_set_true,
	  offsetof(struct options, join) },
	{ 0, "config", "FILE", "judge by this configuration file; options go before it", read_path,
	  offsetof(struct options, config) },
	{ 0, "compare", "FILE", "print the packets that this configuration file would judge otherwise",
	  read_path, offsetof(struct options, compare) },
	{ 'w', "write", "FILE", "write the packets that are dropped to a pcap file, '-': stdout", read_path,
	  offsetof(struct options, write) },
	{ 0, "fail-on-drop", NULL, "exit code 1 if any packet is dropped", options_set_true,
	  offsetof(struct options, fail_on_drop) },
	{ 0 },
};

struct job {
	const struct options *options;
	struct replay *replay;
	struct replay *other; /* by --compare's file; NULL without */
	struct replay_options other_options;
	struct config *config, *other_config;
	struct replay_flows *flows;
	struct replay_summary summary;
	struct replay_lines *lines; /* NULL: a summary */
	struct capture_writer *writer;
	struct progress progress;
};

/* --- packets -------------------------------------------------------------------------------------- */

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

static void count(struct job *job, struct replay_file *file, const struct capture_packet *packet,
		  const struct replay_judgement *judgement)
{
	struct replay_summary *summary = &job->summary;

	if (!summary->packets++)
		summary->first = packet->time;
	summary->disordered += file->packets && is_before(&packet->time, &summary->last);
	summary->last = packet->time;
	summary->segments += judgement->segment && !judgement->packet.icmp_error;
	summary->unreadable += judgement->verdict == TG_PASS_UNREADABLE;
	summary->options_filled += judgement->options_filled;
	summary->length_filled += judgement->length_filled;
	summary->count[judgement->outcome][judgement->verdict]++;
	file->packets++;
	file->drops += replay_drops(judgement);
}

static int keep_dropped(struct job *job, const struct capture *capture,
			const struct capture_packet *packet)
{
	if (capture_writer_link(job->writer) != packet->link) {
		log_err_hint(0, "replay them one at a time",
			     "'%s' has another link type than '%s' was begun with",
			     capture_path(capture), job->options->write);
		return -EINVAL;
	}
	capture_write(job->writer, packet);
	return 0;
}

/* "drop no_flow", or in monitor mode "drop no_flow (would_drop)". */
static const char *fate(char *text, size_t size, const struct replay_judgement *judgement)
{
	const struct verdict_row *row = names_verdict(judgement->verdict);
	bool carried_out = judgement->outcome == TG_OUTCOME_VERDICT;

	snprintf(text, size, "%s %s%s%s%s", row ? names_action(row->action) : "?",
		 row ? row->reason : "?", carried_out ? "" : " (",
		 carried_out ? "" : output_replay_outcome(judgement), carried_out ? "" : ")");
	return text;
}

/* The same packet by the other file: printed if it would fare otherwise. */
static int compare(struct job *job, const struct capture_packet *packet,
		   const struct replay_judgement *judgement)
{
	struct replay_judgement other;
	char now[FATE_BYTES], then[FATE_BYTES];
	int err;

	replay_read(job->other, packet, &other);
	err = replay_judge(job->other, &other);
	if (err || (other.verdict == judgement->verdict && other.outcome == judgement->outcome))
		return err;
	if (job->lines)
		output_replay_line(job->lines, packet, &other);
	else
		printf("packet %llu: %s, would be %s\n", (unsigned long long)packet->number,
		       fate(now, sizeof(now), judgement), fate(then, sizeof(then), &other));
	return 0;
}

static int one_packet(struct job *job, const struct capture *capture, struct replay_file *file,
		      const struct capture_packet *packet)
{
	struct replay_judgement judgement;
	int err;

	replay_read(job->replay, packet, &judgement);
	err = replay_judge(job->replay, &judgement);
	if (err)
		return err;
	if (job->other)
		err = compare(job, packet, &judgement);
	if (err)
		return err;
	count(job, file, packet, &judgement);
	replay_flows_count(job->flows, (uint32_t)(file - job->summary.files), packet->number,
			   &judgement);
	if (job->lines && !job->other)
		output_replay_line(job->lines, packet, &judgement);
	if (job->options->write && replay_drops(&judgement))
		return keep_dropped(job, capture, packet);
	return 0;
}

static void look(struct job *job, const struct capture *capture)
{
	if (!(job->summary.packets & (LOOK_EVERY - 1)))
		progress_show(&job->progress, job->summary.packets, capture_position(capture),
			      capture_size(capture));
}

/* To the end of the capture, or to where it is damaged: what is before counts. */
static int all_packets(struct job *job, struct capture *capture, struct replay_file *file)
{
	struct capture_packet packet;
	int err;

	for (;;) {
		int got = capture_next(capture, &packet);

		if (got <= 0) {
			file->err = got;
			return 0;
		}
		err = one_packet(job, capture, file, &packet);
		if (err)
			return err;
		look(job, capture);
		if (job->lines && ferror(job->lines->stream))
			return log_err(-EIO, "cannot write the answer");
	}
}

/* --- captures ------------------------------------------------------------------------------------- */

static int refuse_link(const struct capture *capture)
{
	const char *hint = replay_frame_refusal(capture_link(capture));

	if (!hint)
		return 0;
	log_err_hint(0, hint, "'%s' cannot be replayed: its link type is %s", capture_path(capture),
		     capture_link_name(capture_link(capture)));
	return -EINVAL;
}

static int begin_capture(struct job *job, const struct capture *capture,
			 const struct replay_file *file)
{
	const char *write = job->options->write;

	if (job->summary.packets && !job->options->join) {
		replay_flows_settle(job->flows);
		replay_reset(job->replay);
		if (job->other)
			replay_reset(job->other);
	}
	if (job->lines)
		job->lines->file = job->summary.file_count > 1 ? file->path : NULL;
	return write && !job->writer ?
		       capture_create(&job->writer, write, capture_link(capture)) :
		       0;
}

/* What is wrong with the capture is noted and said; what is returned ends the whole run. */
static int one_capture(struct job *job, struct replay_file *file)
{
	struct capture *capture;
	int err = 0;

	file->err = capture_open(&capture, file->path);
	if (file->err)
		return 0;
	file->err = refuse_link(capture);
	if (!file->err) {
		err = begin_capture(job, capture, file);
		if (!err)
			err = all_packets(job, capture, file);
		if (!err && !file->err && !file->packets)
			log_info("'%s' holds no packets", file->path);
	}
	capture_close(capture);
	return err;
}

static int all_captures(struct job *job)
{
	struct replay_summary *summary = &job->summary;
	uint32_t i;
	int err = 0;

	progress_begin(&job->progress, "replay", "packets");
	for (i = 0; i < summary->file_count && !err; i++)
		err = one_capture(job, &summary->files[i]);
	replay_flows_settle(job->flows);
	summary->seconds = progress_end(&job->progress);
	summary->flows = replay_flows_seen(job->flows);
	summary->losers = replay_flows_losers(job->flows, &summary->loser_count,
					      &summary->losers_more);
	return err;
}

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

/* --- answer --------------------------------------------------------------------------------------- */

static int answer(struct job *job, const struct global_options *global)
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

static int exit_code(const struct job *job)
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

static int open_job(struct job *job, const struct global_options *global, int argc, char **argv)
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

static void close_job(struct job *job)
{
	replay_flows_free(job->flows);
	replay_close(job->replay);
	replay_close(job->other);
	config_free(job->config);
	config_free(job->other_config);
	free(job->lines);
	free(job->summary.files);
}

static int run_job(struct job *job, const struct global_options *global, int argc, char **argv)
{
	int err = open_job(job, global, argc, argv), finished;

	if (!err)
		err = all_captures(job);
	finished = capture_finish(job->writer);
	err = err ? err : finished;
	if (!err && !all_refused(&job->summary))
		err = answer(job, global);
	return err ? command_exit_code(err) : exit_code(job);
}

static int check(const struct options *options, const struct global_options *global, int argc,
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
	struct options options = *(const struct options *)given;
	struct job job = { .options = &options };
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
	.options_size = sizeof(struct options),
	.defaults = &defaults,
	.run = run_replay,
};
