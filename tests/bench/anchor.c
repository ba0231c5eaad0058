/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the machine itself can do, measured in the same run: one dependent line of memory (the unit M1
 * of docs/performance.md), and whether its processors really run at the same time.
 */
#include "tests/bench/bench.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define LINE 64

struct memory_walk {
	size_t bytes;
	size_t lines;
	uint8_t *memory; /* the first word of each line is the number of the next */
	uint64_t at;
};

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static uint64_t *line_of(struct memory_walk *walk, uint64_t line)
{
	return (uint64_t *)(walk->memory + line * LINE);
}

/* Sattolo's shuffle: one cycle through all lines. */
static void shuffle(struct memory_walk *walk)
{
	uint64_t state = 88172645463325252ULL, i;

	for (i = 0; i < walk->lines; i++)
		*line_of(walk, i) = i;
	for (i = walk->lines - 1; i; i--) {
		uint64_t j = next_random(&state) % i, kept = *line_of(walk, i);

		*line_of(walk, i) = *line_of(walk, j);
		*line_of(walk, j) = kept;
	}
}

struct memory_walk *memory_walk_new(size_t bytes)
{
	struct memory_walk *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return NULL;
	walk->bytes = bytes;
	walk->lines = bytes / LINE;
	walk->memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (walk->memory == MAP_FAILED) {
		free(walk);
		return NULL;
	}
	madvise(walk->memory, bytes, MADV_NOHUGEPAGE);
	shuffle(walk);
	return walk;
}

void memory_walk_free(struct memory_walk *walk)
{
	if (!walk)
		return;
	munmap(walk->memory, walk->bytes);
	free(walk);
}

static int64_t run_walk(struct variant *variant, uint32_t n)
{
	struct memory_walk *walk = variant->context;
	uint64_t began = thread_cpu_ns(), at = walk->at;
	uint32_t i;

	for (i = 0; i < n; i++)
		at = *(volatile uint64_t *)line_of(walk, at);
	walk->at = at;
	return (int64_t)(thread_cpu_ns() - began);
}

void memory_walk_variant(struct memory_walk *walk, struct variant *variant)
{
	snprintf(variant->name, sizeof(variant->name), "memory line, dependent, %zu MiB",
		 walk->bytes >> 20);
	variant->run = run_walk;
	variant->context = walk;
}

/* --- canary ---------------------------------------------------------------------------------------- */

#define CANARY_MS 200

struct canary_thread {
	pthread_t thread;
	uint64_t *word;
	int cpu;
	uint64_t added;
};

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *add_for_a_while(void *argument)
{
	struct canary_thread *me = argument;
	double until = now_s() + CANARY_MS / 1e3;
	cpu_set_t set;
	int i;

	CPU_ZERO(&set);
	CPU_SET(me->cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return NULL;
	while (now_s() < until)
		for (i = 0; i < 10000; i++, me->added++)
			__sync_fetch_and_add(me->word, 1);
	return NULL;
}

double canary(void)
{
	static uint64_t word __attribute__((aligned(128)));
	struct canary_thread threads[2] = { { .word = &word, .cpu = 0 }, { .word = &word, .cpu = 1 } };
	int i;

	for (i = 0; i < 2; i++)
		if (pthread_create(&threads[i].thread, NULL, add_for_a_while, &threads[i]))
			return 0;
	for (i = 0; i < 2; i++)
		pthread_join(threads[i].thread, NULL);
	return (double)(threads[0].added + threads[1].added) / (CANARY_MS / 1e3) / 1e6;
}
