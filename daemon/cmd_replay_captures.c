/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard replay` at work: captures, and their packets one by one. */
#include "cmd_replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "log.h"
#include "names.h"
#include "private_file.h"
#include "privilege.h"
#include "replay_frame.h"

#define FATE_BYTES 96
#define LOOK_EVERY 4096 /* packets between two looks at the clock; a power of 2 */

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

static void count(struct replay_job *job, struct replay_file *file, const struct capture_packet *packet,
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

static int keep_dropped(struct replay_job *job, const struct capture *capture,
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
static int compare(struct replay_job *job, const struct capture_packet *packet,
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

static int one_packet(struct replay_job *job, const struct capture *capture, struct replay_file *file,
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

static void look(struct replay_job *job, const struct capture *capture)
{
	if (!(job->summary.packets & (LOOK_EVERY - 1)))
		progress_show(&job->progress, job->summary.packets, capture_position(capture),
			      capture_size(capture));
}

/* To the end of the capture, or to where it is damaged: what is before counts. */
static int all_packets(struct replay_job *job, struct capture *capture, struct replay_file *file)
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

static int refuse_link(const struct capture *capture)
{
	const char *hint = replay_frame_refusal(capture_link(capture));

	if (!hint)
		return 0;
	log_err_hint(0, hint, "'%s' cannot be replayed: its link type is %s", capture_path(capture),
		     capture_link_name(capture_link(capture)));
	return -EINVAL;
}

static int begin_capture(struct replay_job *job, const struct capture *capture,
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
	if (write && !job->writer) {
		FILE *file = job->write_to;

		job->write_to = NULL;
		return capture_create_file(&job->writer, write, file, capture_link(capture));
	}
	return 0;
}

static int take_over(struct replay_job *job, const struct replay_file *file)
{
	int *opened = &job->opened[file - job->summary.files], fd = *opened;

	*opened = -1;
	return fd;
}

/* What is wrong with the capture is noted and said; what is returned ends the whole run. */
static int one_capture(struct replay_job *job, struct replay_file *file)
{
	struct capture *capture;
	int err = 0;

	if (file->err)
		return 0; /* said when it was opened */
	file->err = capture_open_file(&capture, file->path, take_over(job, file));
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

/* All of them are open at once. */
static void allow_open_files(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int replay_open_captures(struct replay_job *job)
{
	struct replay_summary *summary = &job->summary;
	const char *write = job->options->write;
	uint32_t i;

	job->opened = calloc(summary->file_count, sizeof(*job->opened));
	if (!job->opened)
		return log_err(-ENOMEM, "cannot replay");
	allow_open_files();
	for (i = 0; i < summary->file_count; i++) {
		job->opened[i] = capture_file(summary->files[i].path);
		summary->files[i].err = job->opened[i] < 0 ? job->opened[i] : 0;
	}
	job->write_to = write ? private_file_open(write) : NULL;
	if (write && !job->write_to)
		return -EINVAL;
	/* Programs that are loaded are run by who may use bpf(2). */
	return privilege_keep_as_nobody(PRIVILEGE_BIT(CAP_BPF));
}

void replay_close_captures(struct replay_job *job)
{
	uint32_t i;

	for (i = 0; job->opened && i < job->summary.file_count; i++)
		if (job->opened[i] >= 0)
			close(job->opened[i]);
	free(job->opened);
	job->opened = NULL;
	if (job->write_to)
		fclose(job->write_to);
	job->write_to = NULL;
}

int replay_captures(struct replay_job *job)
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
