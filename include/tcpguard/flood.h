/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Protection against floods of SYNs: thresholds per local destination, limits per source, and the
 * memory behind them.  All of it has a fixed size and nothing in it is ever displaced: a flood of
 * spoofed sources cannot push out what is known about the honest ones.
 */
#ifndef TCPGUARD_FLOOD_H
#define TCPGUARD_FLOOD_H

#include "types.h"

/* What is done with a SYN while its destination is flooded. */
enum tg_flood_action {
	TG_FLOOD_DEFAULT, /* of a service: what the configuration says for all */
	TG_FLOOD_CHALLENGE, /* answered with a SYN cookie; where that cannot be done, as DEFER */
	TG_FLOOD_DEFER, /* the first SYN of a source is dropped, its retransmission passes */
	TG_FLOOD_RATELIMIT, /* as many pass as the upper threshold says */
	TG_FLOOD_OFF,
	TG_FLOOD_ACTION_MAX
};

/*
 * What the operator said.  Thresholds are of the machine: each CPU counts by itself, and adds to the
 * totals what could matter (struct tg_destination).
 */
struct tg_flood {
	__u32 start_pps; /* SYNs a second towards one address and port that begin protection; 0: never */
	__u32 stop_pps; /* below this and below half_open_stop for TG_FLOOD_CALM_MS it ends */
	__u32 half_open_start; /* handshakes begun and not finished in the last 8 s; 0: never */
	__u32 half_open_stop;
	__u32 action; /* enum tg_flood_action */
	__u32 cpus; /* that may count */
	__u32 source_pps; /* SYNs a second one source may send; 0: no limit */
	__u32 source_burst; /* SYNs it may send at once, at least 1 */
	__u32 source_conns; /* established connections one source may have; 0: no limit */
	__u8 source_prefix4; /* bits of an IPv4 address that make a source, 1..32 */
	__u8 source_prefix6; /* 1..128 */
	__u8 reserved[2];
};

#define TG_FLOOD_DEFAULTS \
	{ \
		.start_pps = 20000, .stop_pps = 5000, .half_open_start = 10000, \
		.half_open_stop = 2500, .action = TG_FLOOD_CHALLENGE, .cpus = 1, .source_burst = 50, \
		.source_prefix4 = 32, .source_prefix6 = 64, \
	}

#define TG_FLOOD_WINDOW_MS 100 /* SYNs are counted in windows of this length */
#define TG_FLOOD_CALM_MS 2000 /* how long it must be calm before protection ends */
#define TG_FLOOD_COOKIE_MS 200000 /* how long after the last cookie an ACK may bring one: their life, and more */
#define TG_DESTINATIONS 1024 /* two that share a cell share their protection: harmless */
#define TG_HALF_OPEN_SECONDS 8

/*
 * Value of the per-CPU map tg_destinations: what this CPU counted of one destination and has not yet
 * added to the totals.  All CPUs together keep back less than a quarter of a threshold.
 */
struct tg_destination {
	__u64 protected_until_ms; /* table clock; 0: never */
	__u32 syns;
	__s32 unfinished; /* handshakes begun minus finished */
};

/*
 * Value of the map tg_destination_totals.  Each word holds the time it is of above and its count, plus
 * TG_TOTAL_ZERO, below: nobody needs to clear what is over.  0: nothing was ever counted.
 */
#define TG_TOTAL_ZERO 0x80000000U

struct tg_destination_total {
	__u64 unfinished[TG_HALF_OPEN_SECONDS]; /* begun minus finished, by second modulo 8 */
	__u64 syns; /* in a window: table clock / TG_FLOOD_WINDOW_MS */
	__u64 reserved[7]; /* the count of SYNs has a line to itself */
};

/* Value of the map tg_protected: a destination some CPU protects.  Addresses as in packets. */
struct tg_protected {
	__u64 last_ms; /* table clock, renewed at most once a second while protected */
	__u64 since_ms; /* when this protection began */
	__be32 addr[4]; /* IPv4 as ::ffff:a.b.c.d */
	__be16 port;
	__u8 action; /* enum tg_flood_action as carried out */
	__u8 reserved[5];
};

/*
 * Value of the map tg_sources: rows of cells (count-min sketch).  A source has one cell in each row
 * and its level is the lowest of them, so that it is limited for others' sake only if it shares every
 * one of its cells with somebody over the limit.
 */
#define TG_SOURCE_ROWS 2
#define TG_SOURCE_CELLS 65536
#define TG_SOURCE_UNITS_PER_MS 1024

struct tg_source {
	__u32 arrival; /* theoretical arrival time (GCRA), 1/1024 ms of the table clock */
	__u32 counted; /* established connections, as the daemon counted them last */
	__u32 since[2]; /* connections established since, by tg_settings.source_epoch */
};

#define TG_SOURCE_COUNT_VALID_MS 60000 /* an older count limits nothing: no daemon, or it cannot keep up */

/*
 * For TG_FLOOD_DEFER, the SYNs that were refused and the sources that finished a handshake: a Bloom
 * filter for each of the last seconds, all words that one hash chooses in one line.  A word holds the
 * second it is of, so that nobody needs to clear it.
 */
#define TG_SEEN_SECONDS 8
#define TG_SEEN_LINES 262144

struct tg_seen {
	struct {
		__u32 second;
		__u32 bits;
	} of[TG_SEEN_SECONDS];
};

#endif
