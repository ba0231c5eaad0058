/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers on stdout.  A command fills a struct once and hands it to the functions chosen by the
 * output format; it never asks which.  Errors are the log's business.
 */
#ifndef TCPGUARD_OUTPUT_H
#define TCPGUARD_OUTPUT_H

#include <stdio.h>

#include "command.h"
#include "filter.h"
#include "snapshot.h"

struct output;

/* What `stats` shows of a snapshot. */
struct output_stats {
	const struct snapshot *now;
	const struct snapshot *before; /* rates are differences to it; may be NULL */
	double seconds; /* between the two */
	bool since_attach; /* rates are averages since attach */
};

/* One named value of a short answer. */
struct output_field {
	const char *name; /* NULL ends the list */
	enum {
		OUTPUT_STRING,
		OUTPUT_NUMBER,
		OUTPUT_BOOLEAN,
		OUTPUT_STRINGS,
	} kind;
	const char *string;
	uint64_t number; /* also the boolean, and the count of strings */
	const char *const *strings;
};

/* A short answer: one sentence for people, named values for programs. */
struct output_answer {
	const char *schema; /* "tcpguard.bypass/1" */
	const char *text; /* without newline */
	const char *advice; /* a line below it, or NULL */
	const struct output_field *fields;
};

/* A rule of the block or allow list. */
struct output_rule {
	const char *list; /* "block" */
	const char *prefix;
	const char *reason; /* "" if none was given */
	uint32_t left_s; /* UINT32_MAX: for ever */
	uint32_t added_s; /* Unix time */
	const char *origin; /* "cli" or "file" */
};

struct output_functions {
	void (*status)(struct output *out, const struct snapshot *s);
	void (*stats)(struct output *out, const struct output_stats *stats);
	void (*flows_begin)(struct output *out);
	void (*flow)(struct output *out, const struct flow_record *flow);
	void (*flows_end)(struct output *out);
	void (*flows_count)(struct output *out, const struct flow_counts *counts);
	void (*rules_begin)(struct output *out);
	void (*rule)(struct output *out, const struct output_rule *rule);
	void (*rules_end)(struct output *out);
	void (*answer)(struct output *out, const struct output_answer *answer);
	/* One line each, also in JSON: a stream is no document. */
	void (*event)(struct output *out, const struct tg_event *event);
	void (*events_lost)(struct output *out, uint64_t lost);
};

struct output {
	const struct output_functions *functions;
	FILE *stream;
	bool pretty;
	bool colour;
	bool lines; /* JSON: one object a line instead of one document */
	bool detailed; /* flows: sequence numbers too */
	uint64_t flows; /* or rules: printed so far */
};

extern const struct output_functions output_text;
extern const struct output_functions output_json;
extern const struct output_functions output_conntrack;

/* Prepares out for stdout.  -EINVAL (said) when conntrack lines are asked of what is no list of flows. */
int output_open(struct output *out, const struct global_options *global, bool flows);

/* Flushes; -errno (said) if stdout did not take everything. */
int output_close(struct output *out);

#endif
