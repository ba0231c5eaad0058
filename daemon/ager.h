/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ageing: gives the slots of ended and expired flows back, a slice of the table at a time.  Expiry is
 * also tested in the data path, so a late sweep, or none, changes no verdict.  Time is a parameter;
 * when to call is the loop's business (ager_delay_ms).
 */
#ifndef TCPGUARD_AGER_H
#define TCPGUARD_AGER_H

#include <stdbool.h>
#include <stdint.h>

#include "tcpguard/config.h"
#include "bpf/flow_memory.h"

#define AGER_MARGIN_MS 2000 /* an entry is freed when it has been expired for longer than this */
#define AGER_STUCK_MS 10000 /* a slot owned this long without becoming live has lost its owner */

/* What pressure may take, cheapest first. */
enum ager_class {
	AGER_HANDSHAKE, /* newcomers displace these themselves */
	AGER_CLOSED,
	AGER_TIME_WAIT,
	AGER_LAST,
	AGER_HALF_CLOSED,
	AGER_UNCONFIRMED, /* adopted, and one side never spoke */
	AGER_ESTABLISHED,
	AGER_CLASS_MAX
};

/* What one pass over the table found and did. */
struct ager_pass {
	uint64_t seen[AGER_CLASS_MAX]; /* live entries that stayed */
	uint64_t expired; /* freed */
	uint64_t evicted; /* freed early, for lack of room */
	uint64_t recovered; /* slots taken back from a dead owner */
	uint64_t refused; /* buckets with the mark REFUSED */
	uint64_t unrefused; /* whose mark was cleared */
	bool adopt; /* marks will go: unknown connections have to be adopted from now on, for TG_LEARN_DEFAULT_MS */
	uint64_t disowned; /* of those freed, connections that may go on: their buckets are marked REFUSED */
};

/* A flow as it was when it was freed. */
struct ager_freed {
	struct tg_slot slot;
	struct tg_detail detail;
	uint32_t number; /* of the slot */
	bool evicted; /* for lack of room, before its time */
	uint64_t now_ms;
};

typedef void (*ager_listener)(void *context, const struct ager_freed *freed);

struct ager;

/* From now on listener is told of each flow that is freed; NULL: nobody is. */
void ager_listen(struct ager *ager, ager_listener listener, void *context);

/* max_flows is what fill is measured against.  NULL without memory. */
struct ager *ager_new(const struct tg_table *table, uint32_t max_flows);
void ager_free(struct ager *ager);

/*
 * One slice.  settings gives timeouts and the moment a flow last found no room, or lost it: that is set
 * here, too.  True when it was the last slice of a pass: ager_last_pass() is then about that pass.
 */
bool ager_step(struct ager *ager, struct tg_settings *settings, uint64_t now_ms);

/* The rest of the pass at once. */
void ager_sweep(struct ager *ager, struct tg_settings *settings, uint64_t now_ms);

/* How long to wait before the next slice: a pass is spread over the present interval. */
uint32_t ager_delay_ms(const struct ager *ager);

/* Seconds a pass takes at present: 1..60, by how much the last ones freed. */
uint32_t ager_interval_ms(const struct ager *ager);

const struct ager_pass *ager_last_pass(const struct ager *ager);

/* The timeouts a table with these entries is swept with: shorter above 60 % fill. */
void ager_scale(const struct tg_timeouts *timeouts, const uint64_t seen[AGER_CLASS_MAX],
		uint32_t max_flows, struct tg_timeouts *scaled);

#endif
