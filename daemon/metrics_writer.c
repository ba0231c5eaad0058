/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "metrics_writer.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "plain.h"

/* The kernel takes nearly any byte in a name; both formats are UTF-8. */
static void write_value(FILE *stream, const char *value)
{
	const char *c = value;
	size_t length;

	for (; *c; c += length ? length : 1) {
		length = plain_character(c);
		if (!length)
			fprintf(stream, "\\\\x%02x", (unsigned char)*c);
		else if (*c == '\n')
			fputs("\\n", stream);
		else if (*c == '"' || *c == '\\')
			fprintf(stream, "\\%c", *c);
		else
			fwrite(c, 1, length, stream);
	}
}

static const char *suffix_of(enum metrics_type type)
{
	switch (type) {
	case METRICS_COUNTER:
		return "_total";
	case METRICS_INFO:
		return "_info";
	default:
		return "";
	}
}

/* The older format has no type for what is always 1. */
static const char *type_name(enum metrics_type type, enum metrics_format format)
{
	switch (type) {
	case METRICS_COUNTER:
		return "counter";
	case METRICS_INFO:
		return format == METRICS_OPENMETRICS ? "info" : "gauge";
	case METRICS_HISTOGRAM:
		return "histogram";
	default:
		return "gauge";
	}
}

void metrics_begin(struct metrics_writer *writer, const struct metrics_family *family)
{
	/* In OpenMetrics a family has the name without the suffix of its samples. */
	const char *suffix = writer->format == METRICS_OPENMETRICS ? "" : suffix_of(family->type);

	writer->family = family;
	fprintf(writer->stream, "# HELP %s%s %s.\n", family->name, suffix, family->help);
	fprintf(writer->stream, "# TYPE %s%s %s\n", family->name, suffix,
		type_name(family->type, writer->format));
	if (writer->format == METRICS_OPENMETRICS && family->unit[0])
		fprintf(writer->stream, "# UNIT %s %s\n", family->name, family->unit);
}

/* {iface="eth0",le="0.001"}, nothing at all without labels. */
static void write_labels(struct metrics_writer *writer, const char *const *values, const char *le)
{
	const char *name = writer->family->labels;
	const char *before = "{";

	for (; *values && *name; values++) {
		size_t length = strcspn(name, ",");

		fprintf(writer->stream, "%s%.*s=\"", before, (int)length, name);
		write_value(writer->stream, *values);
		fputc('"', writer->stream);
		before = ",";
		name += length + (name[length] == ',');
	}
	if (le) {
		fprintf(writer->stream, "%sle=\"%s\"", before, le);
		before = ",";
	}
	if (*before == ',')
		fputc('}', writer->stream);
}

static void write_name(struct metrics_writer *writer, const char *suffix,
		       const char *const *values, const char *le)
{
	fprintf(writer->stream, "%s%s", writer->family->name, suffix);
	write_labels(writer, values, le);
	fputc(' ', writer->stream);
}

void metrics_put(struct metrics_writer *writer, const char *const *values, uint64_t number)
{
	write_name(writer, suffix_of(writer->family->type), values, NULL);
	fprintf(writer->stream, "%" PRIu64 "\n", number);
}

void metrics_put_real(struct metrics_writer *writer, const char *const *values, double number)
{
	write_name(writer, suffix_of(writer->family->type), values, NULL);
	fprintf(writer->stream, "%.15g\n", number);
}

void metrics_put_histogram(struct metrics_writer *writer, const char *const *values,
			   const double *bounds, const uint64_t *counts, size_t count, double sum)
{
	uint64_t below = 0;
	char le[32];
	size_t i;

	for (i = 0; i < count; i++) {
		below += counts[i];
		if (i + 1 < count)
			snprintf(le, sizeof(le), "%.15g", bounds[i]);
		else
			snprintf(le, sizeof(le), "+Inf");
		/* A bound is a floating-point number, and looks like one. */
		if (i + 1 < count && !strpbrk(le, ".e"))
			strncat(le, ".0", sizeof(le) - strlen(le) - 1);
		write_name(writer, "_bucket", values, le);
		fprintf(writer->stream, "%" PRIu64 "\n", below);
	}
	write_name(writer, "_sum", values, NULL);
	fprintf(writer->stream, "%.15g\n", sum);
	write_name(writer, "_count", values, NULL);
	fprintf(writer->stream, "%" PRIu64 "\n", below);
}

void metrics_end(struct metrics_writer *writer)
{
	if (writer->format == METRICS_OPENMETRICS)
		fputs("# EOF\n", writer->stream);
}
