/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the functions that fill families of metrics share: one put_ID() for each row of metrics_families.h,
 * in output_metrics_packets.c, output_metrics_flows.c or output_metrics_self.c.
 */
#ifndef TCPGUARD_OUTPUT_METRICS_PUT_H
#define TCPGUARD_OUTPUT_METRICS_PUT_H

#include "metrics_families.h"
#include "output_metrics.h"

#define METRICS_LABEL_BYTES 64

struct input {
	const struct snapshot *s;
	const struct metrics_daemon *daemon;
	char iface[TG_IFACES_MAX][METRICS_LABEL_BYTES];
	char service[TG_SERVICES_MAX][METRICS_LABEL_BYTES];
};

#define X(id, type, unit, name, labels, help) \
	void put_##id(struct metrics_writer *out, const struct input *in);
METRICS_FAMILIES(X)
METRICS_DAEMON_FAMILIES(X)
#undef X

/* A value of the second label, and the tally or the verdicts it counts. */
struct choice {
	const char *value;
	int tally; /* -1: verdicts */
	enum tg_verdict verdict[2]; /* TG_UNDECIDED: no second one */
};

#define TALLY(id) .tally = TG_TALLY_##id
#define JUDGED(...) .tally = -1, .verdict = { __VA_ARGS__ }

/* Of every interface. */
void put_choices(struct metrics_writer *out, const struct input *in, const struct choice *choices,
		 size_t count);

/* A family that is nothing but such choices, and one that is a single number. */
#define PUT_CHOICES(id, ...) \
	void put_##id(struct metrics_writer *out, const struct input *in) \
	{ \
		static const struct choice choices[] = { __VA_ARGS__ }; \
\
		put_choices(out, in, choices, sizeof(choices) / sizeof(choices[0])); \
	}

#define PUT_NUMBER(id, expression) \
	void put_##id(struct metrics_writer *out, const struct input *in) \
	{ \
		metrics_put(out, METRICS_NO_VALUES, expression); \
	}

/* Classes a verdict that drops may have. */
static inline bool class_drops(enum tg_class class)
{
	return class != TG_CLASS_INFO && class != TG_CLASS_INTERNAL;
}

#endif
