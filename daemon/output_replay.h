/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `replay` says: a summary for people or programs, or one JSON object a packet. */
#ifndef TCPGUARD_OUTPUT_REPLAY_H
#define TCPGUARD_OUTPUT_REPLAY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "output.h"
#include "replay.h"
#include "replay_flows.h"

/* One capture of several. */
struct replay_file {
	const char *path;
	uint64_t packets;
	uint64_t drops;
	int err; /* it could not be read, or not to its end */
};

struct replay_summary {
	const struct replay_options *options;
	struct replay_file *files;
	uint32_t file_count;
	uint64_t packets;
	uint64_t segments; /* TCP, readable */
	uint64_t flows;
	uint64_t unreadable; /* headers cut off by the snap length */
	uint64_t options_filled;
	uint64_t length_filled;
	uint64_t disordered; /* older than the packet before */
	uint64_t count[TG_OUTCOME_MAX][TG_VERDICT_MAX];
	struct timespec first; /* of the packets */
	struct timespec last;
	double seconds; /* it took */
	const struct replay_loser *losers;
	uint32_t loser_count;
	uint64_t losers_more;
};

/* Packets whose verdict the mode or the direction did not turn into a pass. */
uint64_t replay_summary_drops(const struct replay_summary *summary);
uint64_t replay_summary_action(const struct replay_summary *summary, enum tg_action action);

void output_replay_text(struct output *out, const struct replay_summary *summary);
void output_replay_json(struct output *out, const struct replay_summary *summary);

/* Lines: a buffer, so that a packet costs no call of the C library. */
#define REPLAY_LINES_BYTES (256U * 1024)
struct replay_lines {
	FILE *stream;
	const char *file; /* named in each object; NULL: there is but one */
	size_t used;
	int64_t second; /* whose date is in text */
	char date[24];
	char buffer[REPLAY_LINES_BYTES];
};

void output_replay_line(struct replay_lines *lines, const struct capture_packet *packet,
			const struct replay_judgement *judgement);
void output_replay_flush(struct replay_lines *lines);

/* "pass", "drop", "would_drop", "bypass" or "own": what became of the packet. */
const char *output_replay_outcome(const struct replay_judgement *judgement);

/* RFC 3339 with microseconds. */
const char *output_replay_time(char *buffer, size_t size, const struct timespec *time);

#endif
