/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `explain` says about a packet of a capture, or a connection in the table. */
#ifndef TCPGUARD_OUTPUT_EXPLAIN_H
#define TCPGUARD_OUTPUT_EXPLAIN_H

#include "explain_capture.h"
#include "flow_table.h"
#include "output.h"

void output_explain_packet_text(struct output *out, const struct explain_capture *explained);
void output_explain_packet_json(struct output *out, const struct explain_capture *explained);

void output_explain_flow_text(struct output *out, const struct flow_record *flow,
			      const struct tg_timeouts *timeouts);
void output_explain_flow_json(struct output *out, const struct flow_record *flow,
			      const struct tg_timeouts *timeouts);

/* "SYN ACK", at most size bytes. */
const char *output_explain_flags(char *buffer, size_t size, uint8_t flags);

/* The highest number a side may use now: what its peer granted. */
uint32_t output_explain_limit(const struct flow_record *flow, enum tg_side side);

#endif
