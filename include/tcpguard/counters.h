/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the data path counts: one counter for each verdict and outcome, bumped once a packet, and
 * tallies of what rarely happens.  All are per CPU; readers add them up.
 */
#ifndef TCPGUARD_COUNTERS_H
#define TCPGUARD_COUNTERS_H

#include "config.h"
#include "verdict.h"

struct tg_count {
	__u64 packets;
	__u64 bytes; /* of the IP packet, without link header */
};

/* Why a packet whose verdict is DROP was passed after all. */
enum tg_outcome {
	TG_OUTCOME_VERDICT, /* what the verdict says was done */
	TG_OUTCOME_WOULD_DROP, /* mode monitor */
	TG_OUTCOME_BYPASS, /* bypass is on */
	TG_OUTCOME_OWN, /* our own segment at egress: dropping it would hide a bug */
	TG_OUTCOME_MAX
};

/* Value of the per-CPU map tg_counters, one per interface slot. */
struct tg_counters {
	struct tg_count count[TG_OUTCOME_MAX][TG_VERDICT_MAX];
};

/* Rare things no verdict counts, each counted where it happens.  Names are those of the JSON output. */
#define TG_TALLIES(X) \
	X(SEGMENT_SYN, "segments_syn") \
	X(SEGMENT_SYNACK, "segments_synack") \
	X(SEGMENT_FIN, "segments_fin") \
	X(SEGMENT_RST, "segments_rst") \
	X(NOT_TCP_UDP, "not_tcp_udp") \
	X(NOT_TCP_ICMP, "not_tcp_icmp") \
	X(FLOW_INBOUND, "flows_inbound") /* opened by a SYN from outside */ \
	X(FLOW_OUTBOUND, "flows_outbound") /* opened by our own SYN */ \
	X(FLOW_EVICTED, "flows_evicted") /* a newcomer took the slot of a live one */ \
	X(HANDSHAKE_DONE, "handshakes_done") \
	X(COOKIE_INVALID, "cookies_invalid") \
	X(COOKIE_EXPIRED, "cookies_expired") \
	X(COOKIE_NO_LISTENER, "cookies_no_listener") /* SYN under flood for a port nobody listens on */ \
	X(LIST_ALLOWED, "list_allowed")

enum tg_tally {
#define X(id, name) TG_TALLY_##id,
	TG_TALLIES(X)
#undef X
	TG_TALLY_MAX
};

#define TG_HANDSHAKE_BUCKETS 16 /* duration in milliseconds: below 1, 2, 4 ... 2^14, and more */

/* Value of the per-CPU map tg_tallies, one per interface slot. */
struct tg_tallies {
	__u64 tally[TG_TALLY_MAX];
	/* Drops on flows that carried data both ways: carried out, and not. */
	__u64 established_drops[TG_CLASS_MAX][2];
	__u64 flows_hit[TG_CLASS_MAX]; /* of those, flows hit for the first time */
	__u64 handshake[TG_HANDSHAKE_BUCKETS];
	__u64 handshake_sum_ms;
};

/* Value of the per-CPU map tg_service_drops, one per service: carried out, and not. */
struct tg_service_drops {
	__u64 drops[TG_CLASS_MAX][2];
};

_Static_assert(sizeof(struct tg_counters) <= 32768, "per-CPU values are at most 32 KiB");

#endif
