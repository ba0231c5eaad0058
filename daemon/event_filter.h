/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which events a reader wants, and how an event is read: who is its source. */
#ifndef TCPGUARD_EVENT_FILTER_H
#define TCPGUARD_EVENT_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "filter.h"
#include "tcpguard/event.h"

/* Verdicts by reason; nothing given: all. */
struct event_reasons {
	uint64_t verdicts[2]; /* bit enum tg_verdict */
	bool given;
};

struct event_types {
	uint32_t types; /* bit enum tg_event_type; 0: all but trace */
	uint32_t outcomes; /* bit enum tg_outcome, of drops */
};

struct event_filter {
	struct event_types types;
	struct event_reasons reasons;
	struct filter_prefix source;
	struct filter_prefix destination;
	uint32_t source_port; /* 0: any */
	uint32_t destination_port;
	const char *iface; /* NULL: any */
};

/* Parse functions for option rows, comma-separated words; -EINVAL, said. */
int event_filter_parse_types(const char *name, const char *argument, void *out);
int event_filter_parse_reasons(const char *name, const char *argument, void *out);

bool event_filter_matches(const struct event_filter *filter, const struct tg_event *event);

/* What to ask the daemon for. */
uint32_t event_filter_types(const struct event_filter *filter);

/* Of what happened to a flow, who opened it or was seen first; of a packet, its sender. */
enum tg_side event_source(const struct tg_event *event);
const __be32 *event_address(const struct tg_event *event, enum tg_side side);
__be16 event_port(const struct tg_event *event, enum tg_side side);
/* False: the packet was not understood so far. */
bool event_has_addresses(const struct tg_event *event);

/* "drop", "would_drop", "bypass", "new"...: the words --type takes. */
const char *event_word(const struct tg_event *event);
const char *event_cause_word(unsigned int cause);

#endif
