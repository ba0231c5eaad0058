/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One packet of a capture, judged after all that came before it, and the story of its connection. */
#ifndef TCPGUARD_EXPLAIN_CAPTURE_H
#define TCPGUARD_EXPLAIN_CAPTURE_H

#include "explain.h"
#include "replay.h"

/* One segment of the connection. */
struct explain_event {
	uint64_t number;
	struct timespec time;
	struct replay_judgement judgement;
};

#define EXPLAIN_FIRST 4 /* how it began */
#define EXPLAIN_LAST 16 /* what came last, the packet itself included */

struct explain_story {
	struct explain_event first[EXPLAIN_FIRST];
	struct explain_event last[EXPLAIN_LAST]; /* a ring */
	uint64_t count; /* of all segments so far */
};

/* The i-th of explain_story_length() events, in order; the first ones, then the last ones. */
uint32_t explain_story_length(const struct explain_story *story);
const struct explain_event *explain_story_event(const struct explain_story *story, uint32_t i);

struct explain_capture {
	const char *path;
	int fd; /* of the capture, for both readings */
	uint64_t number;
	const struct replay_options *options;
	struct explain_event packet;
	struct replay_flow flow; /* before it */
	struct tg_timeouts timeouts;
	struct explanation explanation;
	struct explain_story story;
};

/* "FILE#N"; the name is cut at the '#'.  -EINVAL, said. */
int explain_parse_packet(char *argument, struct explain_capture *out);

/* Reads the capture twice.  -ENOENT (said) if it has fewer packets; other errors as replay has. */
int explain_capture(struct explain_capture *out, const struct replay_options *options);

#endif
