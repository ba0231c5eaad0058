/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries flows from one table to another, of another size or layout, while both are written to.
 * Pure: works on memory.  Who writes to which table when is datapath_migrate.c's business.
 */
#ifndef TCPGUARD_FLOW_CARRY_H
#define TCPGUARD_FLOW_CARRY_H

#include <stdint.h>

#include "layout.h"
#include "bpf/flow_table.h"

struct flow_carry_source {
	const struct layout *layout;
	const void *slots;
	const void *details;
	uint64_t count; /* of slots */
	const __u64 *words; /* of count / layout->ways buckets */
};

enum flow_carry_step {
	/* The old programs are at work on the source.  May be repeated. */
	FLOW_CARRY_BEFORE,
	/* The new ones are at work on the target, nobody on the source: what the source learnt last. */
	FLOW_CARRY_AFTER,
	/* The same the other way round, when the exchange of the programs was taken back. */
	FLOW_CARRY_BACK,
};

struct flow_carry_counts {
	uint64_t flows; /* that are in the target afterwards */
	uint64_t no_room; /* their buckets are marked, see settings->refused_ms */
};

/*
 * to->timeouts decides what has expired and stays behind.  Where a newcomer found no room in the source, the
 * target passes who is unknown, too.
 */
void flow_carry(const struct flow_carry_source *from, const struct tg_table *to, __u32 now_ms,
		enum flow_carry_step step, struct flow_carry_counts *counts);

/*
 * The flows of this table went on in another one that cannot be read: numbers may have moved as far as an
 * adopted flow's, and further handshakes, ends and new connections on their ports are unknown.  An
 * open flow keeps its facts and is judged as loosely as an adopted one from now on; every other
 * is forgotten, to be adopted.  The data path may be at work on the table.
 */
void flow_loosen(const struct layout *layout, void *slots, const void *details, uint64_t count);

/* Live flows, expired ones included. */
uint64_t flow_carry_live(const struct flow_carry_source *from);

#endif
