/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rounds of variants, interleaved, so that whatever disturbs the machine disturbs all of them.  Noise
 * only adds: minima are compared, medians and maxima show how much of it there was.
 */
#include "tests/bench/bench.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t thread_cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct row *row_new(struct bench *bench, const char *group, const char *name,
			   uint64_t flows, const char *unit)
{
	struct row *row;

	if (bench->row_count == BENCH_ROWS_MAX) {
		fprintf(stderr, "bench: more than %d rows\n", BENCH_ROWS_MAX);
		exit(1);
	}
	row = &bench->rows[bench->row_count++];
	snprintf(row->group, sizeof(row->group), "%s", group);
	snprintf(row->name, sizeof(row->name), "%s", name);
	row->flows = flows;
	row->unit = unit;
	return row;
}

void row_add(struct bench *bench, const char *group, const char *name, uint64_t flows,
	     const char *unit, double *samples, unsigned int rounds)
{
	struct row *row = row_new(bench, group, name, flows, unit);

	qsort(samples, rounds, sizeof(*samples), ascending);
	row->rounds = rounds;
	row->min = samples[0];
	row->median = samples[rounds / 2];
	row->max = samples[rounds - 1];
	row->valid = true;
}

const struct row *row_find(const struct bench *bench, const char *group, const char *name,
			   uint64_t flows)
{
	size_t i;

	for (i = 0; i < bench->row_count; i++) {
		const struct row *row = &bench->rows[i];

		if (!strcmp(row->group, group) && !strcmp(row->name, name) && row->flows == flows)
			return row;
	}
	return NULL;
}

double row_min(const struct bench *bench, const char *group, const char *name, uint64_t flows)
{
	const struct row *row = row_find(bench, group, name, flows);

	return row && row->valid ? row->min : NAN;
}

void group_failed(struct bench *bench, const char *group, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "bench: %s: ", group);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	bench->failed = true;
}

bool group_wanted(const struct bench *bench, const char *group)
{
	char *const *part;

	if (!bench->options.parts || !bench->options.parts[0])
		return true;
	for (part = bench->options.parts; *part; part++)
		if (!strcmp(*part, group))
			return true;
	return false;
}

/* One measured run; false, with the reason, if it did not do its work every time. */
static bool run_checked(struct variant *variant, uint32_t n, double *ns, char *why)
{
	uint64_t before = variant->hits ? variant->hits(variant) : 0, hits, wanted = n;
	int64_t spent = variant->run(variant, n);

	if (spent < 0) {
		snprintf(why, BENCH_WHY, "cannot run: %s", strerror((int)-spent));
		return false;
	}
	*ns = (double)spent / n;
	if (!variant->hits)
		return true;
	hits = variant->hits(variant) - before;
	if (variant->hits_wanted_per_million)
		wanted = (uint64_t)n * variant->hits_wanted_per_million / 1000000;
	if (hits >= wanted && hits <= n)
		return true;
	snprintf(why, BENCH_WHY, "%llu of %u runs did their work", (unsigned long long)hits, n);
	return false;
}

void measure(struct bench *bench, const char *group, struct variant *variants, size_t count)
{
	unsigned int rounds = bench->options.rounds, round;
	double(*samples)[BENCH_ROUNDS_MAX] = calloc(count, sizeof(*samples));
	char(*why)[BENCH_WHY] = calloc(count, sizeof(*why));
	size_t i;

	if (!samples || !why)
		abort();
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < count; i++) {
			struct variant *v = &variants[i];
			uint32_t n = v->repeat ? v->repeat : bench->options.repeat;
			double unused;

			if (why[i][0])
				continue;
			if (run_checked(v, n / 16 ? n / 16 : 1, &unused, why[i]))
				run_checked(v, n, &samples[i][round], why[i]);
		}
		fprintf(stderr, "\r%s: round %u of %u ", group, round + 1, rounds);
	}
	fprintf(stderr, "\r%*s\r", 60, "");
	for (i = 0; i < count; i++) {
		row_add(bench, group, variants[i].name, variants[i].flows, "ns", samples[i], rounds);
		if (!why[i][0])
			continue;
		bench->rows[bench->row_count - 1].valid = false;
		memcpy(bench->rows[bench->row_count - 1].why, why[i], BENCH_WHY);
		fprintf(stderr, "bench: %s, %s: INVALID: %s\n", group, variants[i].name, why[i]);
		bench->failed = true;
	}
	free(samples);
	free(why);
}
