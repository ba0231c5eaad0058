/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcapng, read by ourselves: libpcap refuses files whose interfaces differ in link type or snap
 * length, which is what capturing on several interfaces and merging captures makes.
 */
#ifndef TCPGUARD_CAPTURE_NG_H
#define TCPGUARD_CAPTURE_NG_H

#include <stdbool.h>
#include <stdio.h>

#include "capture.h"

/* The first byte of a pcapng file, and of no pcap file. */
#define CAPTURE_NG_FIRST 0x0a

struct capture_ng;

/* Reads up to the first interface.  NULL and why (a constant text) if there is none. */
struct capture_ng *capture_ng_open(FILE *file, const char **why);
void capture_ng_close(struct capture_ng *ng);

/* 1 and a packet (number is the caller's), 0 at the end, -1 and why. */
int capture_ng_next(struct capture_ng *ng, struct capture_packet *packet, const char **why);

/* Of the first interface. */
int capture_ng_link(const struct capture_ng *ng);

#endif
