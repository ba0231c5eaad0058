/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets taken in the data path, one capture at a time: its lock dies with the process, and what a
 * killed one left switched on is switched off by the next, or by the daemon.  Needs no daemon.
 */
#ifndef TCPGUARD_CAPTURE_LIVE_H
#define TCPGUARD_CAPTURE_LIVE_H

#include <stddef.h>
#include <stdint.h>

#include "pins.h"

struct capture_live;

/* -EBUSY, said, when another capture runs; other errors likewise.  serial is filled in here. */
int capture_live_open(struct capture_live **out, struct pins *pins,
		      const struct tg_capture_request *request);
void capture_live_close(struct capture_live *live); /* accepts NULL */

/* Not 0 ends the reading. */
typedef int (*capture_visitor)(void *context, const struct tg_capture *packet, const uint8_t *bytes);

/* What is there now: how many packets, or what the visitor said.  Their time is CLOCK_REALTIME. */
int capture_live_read(struct capture_live *live, capture_visitor visit, void *context);

/* Packets that found no room in the ring since it was opened. */
uint64_t capture_live_lost(const struct capture_live *live);

#endif
