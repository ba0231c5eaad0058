/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of `capture` share: its options, and which packets they choose. */
#ifndef TCPGUARD_CMD_CAPTURE_H
#define TCPGUARD_CMD_CAPTURE_H

#include <pcap/pcap.h>

#include "event_filter.h"
#include "pins.h"
#include "tcpguard/watch.h"

/* Words of --verdict. */
enum done {
	DONE_PASS,
	DONE_CHALLENGE,
	DONE_DROP,
	DONE_WOULD_DROP,
	DONE_BYPASS,
	DONE_OWN,
};

struct capture_options {
	struct event_reasons reasons;
	uint32_t done; /* bit enum done; 0: whatever was done */
	const char *flow;
	uint32_t zone;
	const char *file; /* NULL: lines */
	uint32_t count;
	uint32_t snap;
	uint32_t max_mb;
	uint32_t sample;
};

/* pcap-filter(7), for packets with a link header and without. */
struct capture_filter {
	struct bpf_program program[2]; /* by whether there is no link header */
	bool given;
};

/* The words of argv, joined; none: every packet.  -EINVAL (said) if they do not compile. */
int capture_filter_compile(struct capture_filter *filter, int argc, char **argv);
void capture_filter_free(struct capture_filter *filter);

/* Sets the bits of the verdicts that are wanted. */
void capture_choose_verdicts(const struct capture_options *options, struct tg_capture_request *request);
/* The tag of the flow that is wanted, 0 for all; returns an exit code. */
int capture_choose_flow(const struct capture_options *options, const struct pins *pins, uint64_t *tag);

#endif
