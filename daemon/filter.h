/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which flows `flows list|show|count|delete` mean.  "Source" is the endpoint printed first: who
 * opened, or, where that is not known, who was seen first.
 */
#ifndef TCPGUARD_FILTER_H
#define TCPGUARD_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow_table.h"

struct filter_prefix {
	__be32 address[4]; /* IPv4 as ::ffff:a.b.c.d */
	uint8_t bits; /* 0..128 */
	bool given;
};

struct filter_id {
	uint32_t number;
	uint32_t generation;
	bool given;
};

struct filter_state {
	enum tg_phase phase;
	enum tg_tcp_state state;
	enum {
		FILTER_STATE_ANY,
		FILTER_STATE_PHASE,
		FILTER_STATE_ENDPOINT,
	} kind;
};

struct filter {
	struct filter_prefix source;
	struct filter_prefix destination;
	uint32_t source_port; /* 0: any */
	uint32_t destination_port;
	struct filter_state state;
	uint32_t older_s;
	struct filter_id id;
};

/* Parse functions for option rows; out points to the member.  0, or -EINVAL after having said why. */
int filter_parse_prefix(const char *name, const char *argument, void *out);
int filter_parse_port(const char *name, const char *argument, void *out);
/* The name of a phase; or of an RFC 9293 state, which either endpoint may be in. */
int filter_parse_state(const char *name, const char *argument, void *out);
int filter_parse_id(const char *name, const char *argument, void *out);

/* Option rows for both ends, of a type with a member filter; source_text explains --src. */
/* clang-format off */
#define FILTER_OPTION_ROWS(type, source_text) \
	{ 0, "src", "PREFIX", source_text, filter_parse_prefix, offsetof(type, filter.source) }, \
	{ 0, "dst", "PREFIX", "destination address or prefix", filter_parse_prefix, \
	  offsetof(type, filter.destination) }, \
	{ 0, "sport", "N", "source port", filter_parse_port, offsetof(type, filter.source_port) }, \
	{ 0, "dport", "N", "destination port", filter_parse_port, offsetof(type, filter.destination_port) }
/* clang-format on */

/* True if it lets every flow through. */
bool filter_is_empty(const struct filter *filter);

/* Also true if no prefix was given. */
bool filter_in_prefix(const struct filter_prefix *prefix, const __be32 address[4]);

bool filter_matches(const struct filter *filter, const struct flow_record *flow);

/* "slot-generation" in hex: stable while the flow lives, never another flow's. */
const char *filter_id_text(char *buffer, size_t size, const struct flow_record *flow);

#endif
