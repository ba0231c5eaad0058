/* SPDX-License-Identifier: GPL-2.0-only */
/* Who looks on, and at what: the part of the settings that switches events, traces and captures. */
#ifndef TCPGUARD_WATCH_H
#define TCPGUARD_WATCH_H

#include "verdict.h"

/* tg_settings.watch: somebody looks on. */
#define TG_WATCH_EVENTS 0x01 /* flow transitions and drops */
#define TG_WATCH_TRACE 0x02 /* every segment of chosen flows */
#define TG_WATCH_CAPTURE 0x04 /* packets of chosen verdicts */

#define TG_TRACES_MAX 4

/*
 * Which packets are captured.  Written by the one who captures (pins_lock_capture()) while
 * TG_WATCH_CAPTURE is off, so no packet sees half of it but one that was under way already.
 */
struct tg_capture_request {
	__u64 verdicts[4][2]; /* bit enum tg_verdict, for each enum tg_outcome */
	__u64 tag; /* of one flow; 0: any */
	__u32 sample; /* one in so many, for each CPU; 0 and 1: all */
	__u32 snap; /* bytes of each packet, at most TG_CAPTURE_BYTES */
	__u32 serial; /* grows with each request */
	__u32 reserved;
};

/* Written by user space, word by word. */
struct tg_watched {
	__u64 traced[TG_TRACES_MAX]; /* tags, by the daemon; 0: unused */
	struct tg_capture_request capture;
	__u32 readers; /* of events, at the daemon; informational */
	__u32 reserved;
};

_Static_assert(TG_VERDICT_MAX <= 128, "a bit for each verdict");

#endif
