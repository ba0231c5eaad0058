/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Protection against floods of SYNs: thresholds per local destination, limits per source.
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
 * Thresholds of one destination (address and port) on one CPU: user space divides what the operator
 * said by the number of CPUs, so that no line is shared between them.
 */
struct tg_flood {
	__u32 start_pps; /* SYNs a second that switch protection on; 0: never */
	__u32 stop_pps; /* below this and below half_open_stop it is switched off */
	__u32 half_open_start; /* handshakes begun and not finished in the last 8 s; 0: never */
	__u32 half_open_stop;
	__u32 action; /* enum tg_flood_action */
	__u32 source_pps; /* SYNs a second one source may send; 0: no limit */
	__u32 source_burst; /* SYNs */
	__u32 source_conns; /* established connections one source may have; 0: no limit */
	__u8 source_prefix4; /* bits of an IPv4 address that make a source */
	__u8 source_prefix6;
	__u8 reserved[6];
};

#endif
