/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A snapshot as metrics: Prometheus text 0.0.4 or OpenMetrics 1.0. */
#ifndef TCPGUARD_OUTPUT_METRICS_H
#define TCPGUARD_OUTPUT_METRICS_H

#include "flow_ends.h"
#include "metrics_writer.h"
#include "process_stat.h"
#include "snapshot.h"

/* Upper bounds of the CPU time of a pass over the table, in seconds; one more bucket has none. */
#define METRICS_SWEEPS \
	{ \
		0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1 \
	}
#define METRICS_SWEEPS_BOUNDS 8

/* What only the daemon can tell. */
struct metrics_daemon {
	struct process_stat process;
	uint64_t expired; /* since it started */
	uint64_t evicted;
	uint64_t recovered;
	uint64_t sweeps[METRICS_SWEEPS_BOUNDS + 1]; /* passes over the table, by their CPU time */
	uint64_t sweeps_ns; /* its sum */
	struct flow_ends ends;
	uint64_t trips[TG_CLASS_MAX]; /* of the guard */
	uint64_t reverts; /* modes that went back because nobody confirmed */
	bool config_read; /* the last time it was tried */
	uint64_t config_read_at_s; /* that time */
};

/*
 * The whole text at *text, *bytes long, to be freed by the caller; daemon may be NULL.  0 or -ENOMEM in
 * silence.
 */
int output_metrics(const struct snapshot *s, const struct metrics_daemon *daemon,
		   enum metrics_format format, char **text, size_t *bytes);

#endif
