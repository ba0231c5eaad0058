/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mapped flow table: iterate, count, find, free.  No policy.  Works on memory the data path is
 * changing: what is handed out is a copy, checked to be of one generation.
 */
#ifndef TCPGUARD_FLOW_TABLE_H
#define TCPGUARD_FLOW_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "tcpguard/config.h"
#include "bpf/flow_table.h"

/* One flow, copied at one moment, and what its facts mean. */
struct flow_record {
	uint32_t number; /* of the slot */
	uint32_t claim;
	struct tg_slot slot;
	struct tg_detail detail;
	enum tg_side first; /* who opened; if that is not known, who was seen first */
	bool opener_known;
	bool suspect; /* a late writer may have damaged it: its packets are passed unjudged */
	enum tg_origin origin;
	enum tg_phase phase;
	enum tg_tcp_state state[TG_SIDE_MAX]; /* by tg_side */
	uint32_t age_ms; /* modulo 49.7 days: the table's clock has 32 bits */
	uint32_t idle_ms;
	uint32_t left_ms; /* until it expires, if nothing comes */
};

struct flow_counts {
	uint64_t entries;
	uint64_t by_phase[TG_PHASE_MAX];
	uint64_t refused_buckets; /* where a newcomer found no room */
};

/* False ends the visit. */
typedef bool (*flow_visitor)(const struct flow_record *flow, void *context);

/* Every live flow that has not expired, in the order of the memory. */
void flow_table_visit(const struct tg_table *table, uint64_t now_ms, flow_visitor visit,
		      void *context);

/* The same for the slots from..from + count - 1 that there are. */
void flow_table_visit_part(const struct tg_table *table, uint32_t from, uint32_t count, uint64_t now_ms,
			   flow_visitor visit, void *context);

void flow_table_count(const struct tg_table *table, uint64_t now_ms, struct flow_counts *counts);

/* The flow in a slot; false if there is none, or it has expired. */
bool flow_table_read(const struct tg_table *table, uint32_t number, uint64_t now_ms,
		     struct flow_record *flow);

/* The flow of a key; false if there is none.  info holds the coefficients of the hash. */
bool flow_table_find(const struct tg_table *table, const struct tg_table_info *info,
		     const struct tg_flow_key *key, uint64_t now_ms, struct flow_record *flow);

/* Frees what was copied, unless the slot has changed hands meanwhile (false). */
bool flow_table_free(const struct tg_table *table, const struct flow_record *flow);

/* Address and port of one side. */
const __be32 *flow_address(const struct flow_record *flow, enum tg_side side);
__be16 flow_port(const struct flow_record *flow, enum tg_side side);

#endif
