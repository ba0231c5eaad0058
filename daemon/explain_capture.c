/* SPDX-License-Identifier: GPL-2.0-or-later */
/* First which connection the packet belongs to, then everything up to it through the data path. */
#include "explain_capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "privilege.h"
#include "replay_frame.h"

/* --- the story ------------------------------------------------------------------------------------ */

static void tell(struct explain_story *story, const struct capture_packet *packet,
		 const struct replay_judgement *judgement)
{
	uint64_t at = story->count++;
	struct explain_event *event = at < EXPLAIN_FIRST ?
					      &story->first[at] :
					      &story->last[(at - EXPLAIN_FIRST) % EXPLAIN_LAST];

	event->number = packet->number;
	event->time = packet->time;
	event->judgement = *judgement;
}

uint32_t explain_story_length(const struct explain_story *story)
{
	uint32_t most = EXPLAIN_FIRST + EXPLAIN_LAST;

	return story->count < most ? (uint32_t)story->count : most;
}

const struct explain_event *explain_story_event(const struct explain_story *story, uint32_t i)
{
	uint64_t skipped = story->count - explain_story_length(story);

	if (i < EXPLAIN_FIRST)
		return &story->first[i];
	return &story->last[(i - EXPLAIN_FIRST + skipped) % EXPLAIN_LAST];
}

/* --- the capture ---------------------------------------------------------------------------------- */

int explain_parse_packet(char *argument, struct explain_capture *out)
{
	char *hash = strrchr(argument, '#'), *end;
	unsigned long long number = 0;

	if (hash && hash[1] >= '0' && hash[1] <= '9') {
		errno = 0;
		number = strtoull(hash + 1, &end, 10);
		if (*end || errno)
			number = 0;
	}
	if (!hash || hash == argument || !number) {
		log_err_hint(0, "say FILE#N, packets count from 1",
			     "explain: '%s' names no packet of a capture", argument);
		return -EINVAL;
	}
	*hash = '\0';
	out->path = argument;
	out->number = number;
	if (!strcmp(argument, "-")) {
		log_err(0, "explain: standard input cannot be read twice: give a file");
		return -EINVAL;
	}
	return 0;
}

static int open_capture(const struct explain_capture *out, struct capture **capture)
{
	int fd = fcntl(out->fd, F_DUPFD_CLOEXEC, 3), err;
	const char *hint;

	if (fd < 0 || lseek(fd, 0, SEEK_SET)) {
		log_err_hint(-errno, "give a file", "cannot read '%s' twice", out->path);
		if (fd >= 0)
			close(fd);
		return -EINVAL;
	}
	err = capture_open_file(capture, out->path, fd);
	if (err)
		return err;
	hint = replay_frame_refusal(capture_link(*capture));
	if (!hint)
		return 0;
	log_err_hint(0, hint, "'%s' cannot be replayed: its link type is %s", out->path,
		     capture_link_name(capture_link(*capture)));
	capture_close(*capture);
	return -EINVAL;
}

/* The next packet; 1, or -ENOENT (said) when there are no more. */
static int next(const struct explain_capture *out, struct capture *capture,
		struct capture_packet *packet, uint64_t before)
{
	int got = capture_next(capture, packet);

	if (got == 1)
		return 1;
	if (got < 0)
		return -ENOENT; /* said: damaged or cut off before it */
	log_err(0, "'%s' has no packet %llu: it ends after %llu", out->path,
		(unsigned long long)out->number, (unsigned long long)before);
	return -ENOENT;
}

/* Whose connection is it?  False: nobody's, it is no segment. */
static int read_key(const struct explain_capture *out, struct replay *replay,
		    struct tg_flow_key *key, bool *segment)
{
	struct replay_judgement judgement;
	struct capture_packet packet = { .number = 0 };
	struct capture *capture;
	int err = open_capture(out, &capture);

	if (err)
		return err;
	do
		err = next(out, capture, &packet, packet.number);
	while (err == 1 && packet.number < out->number);
	if (err == 1) {
		replay_read(replay, &packet, &judgement);
		*segment = judgement.segment;
		tg_key_from_packet(&judgement.packet, tg_packet_side(&judgement.packet), 0, key);
		err = 0;
	}
	capture_close(capture);
	return err;
}

static bool same_connection(const struct tg_flow_key *key, const struct replay_judgement *judgement)
{
	return judgement->segment && tg_key_is_of_packet(key, &judgement->packet,
							 tg_packet_side(&judgement->packet), 0);
}

static int run_to_packet(struct explain_capture *out, struct replay *replay,
			 const struct tg_flow_key *key, bool segment, struct capture *capture)
{
	struct capture_packet packet = { .number = 0 };
	struct replay_judgement judgement;
	int err;

	do {
		err = next(out, capture, &packet, packet.number);
		if (err != 1)
			return err;
		replay_read(replay, &packet, &judgement);
		if (packet.number == out->number)
			replay_peek(replay, &judgement, &out->flow);
		err = replay_judge(replay, &judgement);
		if (err)
			return err;
		if (segment && same_connection(key, &judgement))
			tell(&out->story, &packet, &judgement);
	} while (packet.number < out->number);
	out->packet.number = packet.number;
	out->packet.time = packet.time;
	out->packet.judgement = judgement;
	return 0;
}

static void explain(struct explain_capture *out)
{
	bool known = out->flow.found && !out->flow.expired;
	const struct explain_input input = {
		.verdict = out->packet.judgement.verdict,
		.packet = &out->packet.judgement.packet,
		.slot = known ? &out->flow.slot : NULL,
		.detail = known ? &out->flow.detail : NULL,
		.side = out->flow.side,
		.now_ms = out->flow.now_ms,
		.strict = out->options->strict,
	};

	explain_segment(&input, &out->explanation);
}

/* A table as replay makes it for this capture, so that even its evictions are the same. */
static uint32_t table_size(const struct explain_capture *out)
{
	struct stat status;

	if (out->options->max_flows)
		return out->options->max_flows;
	if (stat(out->path, &status))
		return replay_flows_for(1);
	return replay_flows_for(replay_bytes_of(out->path, (uint64_t)status.st_size) + 1);
}

/* Then what is parsed is parsed without the rights of who asked. */
static int open_file(struct explain_capture *out)
{
	out->fd = capture_file(out->path);
	return out->fd < 0 ? out->fd : privilege_keep_as_nobody(PRIVILEGE_BIT(CAP_BPF));
}

int explain_capture(struct explain_capture *out, const struct replay_options *options)
{
	struct replay *replay = NULL;
	struct capture *capture;
	struct tg_flow_key key = { .zone = 0 };
	bool segment = false;
	int err;

	out->options = options;
	out->fd = -1;
	err = replay_open(&replay, options, table_size(out));
	if (!err)
		err = open_file(out);
	if (!err)
		err = read_key(out, replay, &key, &segment);
	if (!err) {
		replay_reset(replay);
		err = open_capture(out, &capture);
	}
	if (!err) {
		err = run_to_packet(out, replay, &key, segment, capture);
		capture_close(capture);
	}
	if (!err) {
		out->timeouts = *replay_timeouts(replay);
		explain(out);
	}
	if (out->fd >= 0)
		close(out->fd);
	replay_close(replay);
	return err;
}
