/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `top`, the flow table's half: the busiest flows and sources.  Bounded in time and memory whatever
 * the table holds: a frame reads the table for so long only, the next goes on there; of each flow
 * that moves the last counts are kept in a cache that forgets the lighter one where two collide;
 * the best rows are kept in a heap.  Knows no terminal.
 */
#ifndef TCPGUARD_TOP_FLOWS_H
#define TCPGUARD_TOP_FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow_table.h"

#define TOP_ROWS_MAX 128
#define TOP_FRAME_MS 100 /* for reading the table */

enum top_sort {
	TOP_BY_PACKETS, /* a second */
	TOP_BY_BYTES, /* a second */
	TOP_BY_TOTAL, /* bytes; of sources: flows */
	TOP_BY_AGE, /* of sources: half-open flows */
	TOP_SORT_MAX
};

struct top_row {
	double score; /* by the sort of its round */
	double packets_s, bytes_s;
	bool measured; /* seen twice, or younger than the round: the rates are known */
	uint64_t bytes, packets;
	/* Of a flow. */
	__be32 address[2][4]; /* source, destination */
	__be16 port[2];
	enum tg_phase phase;
	uint64_t born_ms; /* on the table's clock */
	/* Of a source: address[0] too. */
	uint32_t flows, half_open;
};

struct top_list {
	size_t count;
	struct top_row row[TOP_ROWS_MAX]; /* best first */
};

struct top_flows;

/* NULL without memory. */
struct top_flows *top_flows_new(void);
/* Accepts NULL. */
void top_flows_free(struct top_flows *top);

/* Takes effect with the next round; what is listed is put in the new order at once. */
void top_flows_sort(struct top_flows *top, enum top_sort sort);

/* Goes on reading the table; true if a round is complete, and the lists are new. */
bool top_flows_scan(struct top_flows *top, const struct tg_table *table, uint64_t now_ms);

/* One flow, as the scan finds it, and the end of a round; for the tests. */
void top_flows_see(struct top_flows *top, const struct flow_record *flow, uint64_t now_ms);
void top_flows_end_round(struct top_flows *top);

const struct top_list *top_flows_list(const struct top_flows *top);
const struct top_list *top_flows_sources(const struct top_flows *top);
/* Frames the last round took. */
unsigned int top_flows_frames(const struct top_flows *top);

#endif
