/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The benchmark's vocabulary: a variant is something that can be run n times and costs nanoseconds; a
 * row is what was measured of one; a goal is a ratio of rows.  All rows of a group are measured in one
 * process, round after round, each variant once a round.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define BENCH_ROUNDS_MAX 64
#define BENCH_ROWS_MAX 256
#define BENCH_GOALS_MAX 64
#define BENCH_NAME 64
#define BENCH_WHY 160

struct bench_options {
	unsigned int rounds;
	uint32_t repeat; /* packets a measured run */
	uint64_t flows_max; /* of the curve */
	bool quick;
	const char *json; /* file, or NULL */
	char *const *parts; /* names of groups to run; NULL: all */
};

struct variant {
	char name[BENCH_NAME];
	/* Runs n times; returns nanoseconds in all, or -errno.  n is at most UINT32_MAX. */
	int64_t (*run)(struct variant *variant, uint32_t n);
	/* How many of the runs so far did what they were to do; NULL: cannot go wrong. */
	uint64_t (*hits)(struct variant *variant);
	void *context;
	uint64_t hits_wanted_per_million; /* 0: a million; less where flows found no slot */
	uint32_t repeat; /* 0: the options' */
	uint64_t flows;

	/* For those that run a BPF program: see program.h. */
	int program;
	const uint8_t *frame;
	size_t frame_size;
	uint32_t code; /* the program's last return value */
	uint32_t driver_flags;
	uint64_t active; /* flows that packets belong to; a power of two */
	uint64_t offset;
};

struct row {
	char group[BENCH_NAME];
	char name[BENCH_NAME];
	uint64_t flows;
	double min, median, max;
	unsigned int rounds;
	bool valid;
	char why[BENCH_WHY]; /* it is not valid */
	const char *unit;
};

struct goal {
	char id[16];
	char text[BENCH_WHY];
	double value, must, stretch; /* stretch 0: none */
	bool at_least; /* the larger the better */
	bool measured;
	char note[BENCH_WHY];
};

struct bench {
	struct bench_options options;
	struct row rows[BENCH_ROWS_MAX];
	size_t row_count;
	struct goal goals[BENCH_GOALS_MAX];
	size_t goal_count;
	double canary_before, canary_after; /* millions of contended additions a second */
	bool failed; /* a group could not be set up */
};

/* measure.c */
uint64_t thread_cpu_ns(void);
void measure(struct bench *bench, const char *group, struct variant *variants, size_t count);
void row_add(struct bench *bench, const char *group, const char *name, uint64_t flows,
	     const char *unit, double *samples, unsigned int rounds);
const struct row *row_find(const struct bench *bench, const char *group, const char *name,
			   uint64_t flows);
/* Minimum of a row; NaN if there is no valid one, which makes every goal of it unmeasured. */
double row_min(const struct bench *bench, const char *group, const char *name, uint64_t flows);
void group_failed(struct bench *bench, const char *group, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool group_wanted(const struct bench *bench, const char *group);

/* anchor.c */
struct memory_walk;
struct memory_walk *memory_walk_new(size_t bytes);
void memory_walk_free(struct memory_walk *walk);
void memory_walk_variant(struct memory_walk *walk, struct variant *variant);
double canary(void); /* millions of additions a second by two threads to one word */

/* group_*.c: each adds rows */
void group_hot(struct bench *bench);
void group_curve(struct bench *bench);
void group_flood(struct bench *bench);
void group_evict(struct bench *bench);
void group_ageing(struct bench *bench);
void group_events(struct bench *bench);
void group_memory(struct bench *bench);
void group_calls(struct bench *bench);

/* goals.c, report.c, machine.c */
void goals_judge(struct bench *bench);
void report_text(const struct bench *bench);
int report_json(const struct bench *bench, const char *path);
struct json_t;
struct json_t *machine_json(void);
void machine_text(FILE *stream);

#endif
