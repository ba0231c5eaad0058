/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What daemon and readers of events say to each other over the socket (SOCK_SEQPACKET): the reader
 * sends one request, the daemon answers with messages.  Both ends are of one build; another magic
 * means another tcpguard.
 */
#ifndef TCPGUARD_EVENT_WIRE_H
#define TCPGUARD_EVENT_WIRE_H

#include <stdint.h>

#include "tcpguard/event.h"

#define EVENT_WIRE_MAGIC 0x31457467U /* "gtE1" */
#define EVENT_WIRE_BATCH 64

#define EVENT_WIRE_HISTORY 0x01 /* begin with what is remembered */
#define EVENT_WIRE_FOLLOW 0x02 /* and go on; else the daemon hangs up */

struct event_request {
	uint32_t magic;
	uint32_t flags;
	uint32_t types; /* bit enum tg_event_type */
	uint32_t reserved;
	struct tg_flow_key traced; /* with bit TG_EVENT_TRACE: the flow whose segments are wanted */
};

struct event_message {
	uint32_t magic;
	int32_t refused; /* -errno: nothing will come */
	uint64_t lost; /* events this reader was too slow for, since the last message */
	uint32_t count;
	uint32_t reserved;
	struct tg_event event[EVENT_WIRE_BATCH]; /* count of them are sent */
};

#endif
