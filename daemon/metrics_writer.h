/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes families of metrics as Prometheus text 0.0.4 or OpenMetrics 1.0: heads, suffixes,
 * escaping.  Knows nothing of what is measured.
 */
#ifndef TCPGUARD_METRICS_WRITER_H
#define TCPGUARD_METRICS_WRITER_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum metrics_format {
	METRICS_TEXT, /* Prometheus text 0.0.4 */
	METRICS_OPENMETRICS,
};

enum metrics_type {
	METRICS_COUNTER,
	METRICS_GAUGE,
	METRICS_INFO,
	METRICS_HISTOGRAM,
};

struct metrics_family {
	const char *name; /* without _total and _info */
	enum metrics_type type;
	const char *unit; /* "" for none; the name ends with it */
	const char *labels; /* names, separated by commas */
	const char *help;
};

struct metrics_writer {
	FILE *stream;
	enum metrics_format format;
	const struct metrics_family *family; /* the one being written */
};

/* HELP, TYPE and UNIT; what is put next belongs to it. */
void metrics_begin(struct metrics_writer *writer, const struct metrics_family *family);

/* One sample.  values: of the family's labels, in their order, NULL at the end. */
void metrics_put(struct metrics_writer *writer, const char *const *values, uint64_t number);
void metrics_put_real(struct metrics_writer *writer, const char *const *values, double number);

/* bounds[i] is the upper bound of counts[i]; the last of the count counts has none. */
void metrics_put_histogram(struct metrics_writer *writer, const char *const *values,
			   const double *bounds, const uint64_t *counts, size_t count, double sum);

/* What must stand at the end. */
void metrics_end(struct metrics_writer *writer);

#define METRICS_VALUES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define METRICS_NO_VALUES ((const char *const[]){ NULL })

#endif
