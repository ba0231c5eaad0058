/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Captured packets as lines, for people and as JSON, and as the comments of a pcapng file. */
#ifndef TCPGUARD_OUTPUT_CAPTURE_H
#define TCPGUARD_OUTPUT_CAPTURE_H

#include "output.h"
#include "tcpguard/event.h"

#define OUTPUT_COMMENT_BYTES 256

struct output_capture {
	const struct tg_capture *packet;
	const uint8_t *bytes;
	const char *iface;
	bool no_link_header;
};

void output_capture_text(struct output *out, const struct output_capture *capture);
void output_capture_json(struct output *out, const struct output_capture *capture);

/* "drop seq_above: beyond the window the receiver granted; flow 1f3a-2" */
const char *output_capture_comment(char *buffer, size_t size, const struct tg_capture *packet);

#endif
