/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything `status` and `stats` show, read once: text and JSON come from the same numbers.
 */
#ifndef TCPGUARD_SNAPSHOT_H
#define TCPGUARD_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "flow_table.h"
#include "pins.h"

struct snapshot_iface {
	uint32_t slot;
	struct tg_iface iface;
	enum tg_mode mode;
	enum tg_mode fallback; /* what holds when nobody confirms in confirm_left_ms */
	uint64_t confirm_left_ms; /* 0: no deadline is pending */
	uint32_t relaxed; /* bits TG_CLASS_*: classes the guard has stepped back to monitor */
	uint64_t learn_left_ms; /* 0: not learning, or for ever */
	bool adopts; /* unknown flows, for ever */
	enum pins_link xdp_link;
	enum pins_link tc_link;
	bool vanished; /* one of the two is gone, and the device with it; set by `status` alone */
	struct pins_runs runs[2]; /* of its programs: XDP, TC egress */
	struct tg_counters counters; /* summed over the CPUs */
	struct tg_tallies tallies; /* likewise */
};

/* A destination that is protected from a flood at this moment. */
struct snapshot_protected {
	__be32 addr[4];
	__be16 port;
	enum tg_flood_action action;
	uint64_t since_ms; /* how long already */
};
#define SNAPSHOT_PROTECTED_MAX 64

struct snapshot {
	struct timespec time;
	char host[65];
	bool daemon_runs;
	uint32_t daemon_pid; /* 0: unknown */
	char metrics[192]; /* where the daemon serves them, or why it does not; "": unknown */
	bool bypass;
	bool waits; /* settings_wait(): verdicts that need a flow are not carried out */
	struct flow_counts flows;
	uint32_t rules[TG_LIST_MAX]; /* on each list, expired ones too */
	uint64_t lists_bytes; /* of their image */
	struct tg_list_counts list_counts; /* the same rules by family and origin */
	uint64_t max_flows;
	uint64_t slots;
	uint64_t map_bytes[PINS_MAP_MAX];
	uint64_t table_bytes; /* tg_flows, tg_details and tg_buckets */
	uint64_t total_bytes;
	uint64_t config_hash; /* of the file it came from; 0: of none */
	uint64_t config_generation; /* grows with each exchange of the configuration */
	struct tg_flood flood; /* thresholds in force */
	uint32_t protected_count; /* of those listed */
	struct snapshot_protected protected[SNAPSHOT_PROTECTED_MAX];
	uint32_t service_count; /* 1 + the highest number in use; number 0 is always there */
	struct tg_service service[TG_SERVICES_MAX];
	struct tg_service_drops service_drops[TG_SERVICES_MAX]; /* summed over the CPUs */
	uint32_t watch; /* TG_WATCH_*: what the data path tells at present */
	uint32_t event_readers;
	struct tg_event_counts events; /* summed over the CPUs, data path and daemon */
	uint32_t iface_count;
	struct snapshot_iface iface[TG_IFACES_MAX];
};

/* How a counted packet ended, for sums. */
struct snapshot_sums {
	struct tg_count pass;
	struct tg_count challenge;
	struct tg_count drop;
	struct tg_count would_drop;
	struct tg_count bypass;
	struct tg_count own;
	struct tg_count all;
};

/* Allocates *out; 0 or -errno (said).  Free with snapshot_free(), which accepts NULL. */
int snapshot_take(const struct pins *p, struct snapshot **out);
/* The same without counting the flows, which takes a look at every slot of the table. */
int snapshot_take_quick(const struct pins *p, struct snapshot **out);
void snapshot_free(struct snapshot *s);

/* Keeps the interfaces named, all if none is; -ENODEV (said) if one of them is not attached. */
int snapshot_select(const struct pins *p, struct snapshot *s, int argc, char **argv);

/*
 * True if something is attached and the programs of all that is are in place.  Where there is no
 * link to ask (shared XDP, clsact) they are taken to be until the daemon has found that they are not.
 */
bool snapshot_ready(const struct snapshot *s);

/* Seconds from one snapshot to another. */
double snapshot_elapsed_s(const struct snapshot *from, const struct snapshot *to);

void snapshot_sum(const struct tg_counters *counters, struct snapshot_sums *sums);

/* The same interface, attached at the same time, in another snapshot; NULL if it is not there. */
const struct snapshot_iface *snapshot_find(const struct snapshot *s,
					   const struct snapshot_iface *like);

#endif
