/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Thresholds of SYN protection and limits per source, as attach's options say them.  They hold for
 * all interfaces; what an option does not name stays as it is.
 */
#ifndef TCPGUARD_FLOOD_OPTIONS_H
#define TCPGUARD_FLOOD_OPTIONS_H

#include "pins.h"

struct flood_options {
	struct tg_flood value;
	bool action;
	bool rate;
	bool half_open;
	bool source_rate;
	bool source_conns;
	bool source_prefix;
};

/* For option rows; out is a struct flood_options. */
int flood_read_action(const char *name, const char *argument, void *out);
int flood_read_rate(const char *name, const char *argument, void *out); /* START[:STOP] */
int flood_read_half_open(const char *name, const char *argument, void *out); /* START[:STOP] */
int flood_read_source_rate(const char *name, const char *argument, void *out); /* PPS[:BURST] */
int flood_read_source_conns(const char *name, const char *argument, void *out);
int flood_read_source_prefix(const char *name, const char *argument, void *out); /* V4[,V6] */

/* True if no option was given. */
bool flood_options_empty(const struct flood_options *options);

/* Puts what was given into *flood. */
void flood_options_apply(const struct flood_options *options, struct tg_flood *flood);

/* NULL, or what is wrong with the whole: for options and configuration files alike. */
const char *flood_fault(const struct tg_flood *flood);

/* The CPUs that share the work of the data path. */
uint32_t flood_cpus(void);

#endif
