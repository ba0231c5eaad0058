/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `make bench`: the goals of docs/performance.md that need no network.  See that file for the method. */
#include "tests/bench/bench.h"

#include <getopt.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/program.h"

#define ROUNDS 9
#define REPEAT 1000000

static const struct {
	const char *name;
	void (*run)(struct bench *bench);
	const char *text;
} groups[] = {
	{ "hot", group_hot, "one flow: what the instructions cost" },
	{ "calls", group_calls, "calls and instructions executed for an established segment" },
	{ "curve", group_curve, "1 to 16 Mi flows: what memory costs" },
	{ "flood", group_flood, "new flows on a full table, stray segments" },
	{ "evict", group_evict, "what a SYN flood displaces" },
	{ "ageing", group_ageing, "one pass over a million entries" },
	{ "events", group_events, "what it costs to tell of a packet" },
	{ "memory", group_memory, "bytes a flow" },
};

#define GROUPS (sizeof(groups) / sizeof(groups[0]))

static void usage(FILE *stream)
{
	size_t i;

	fprintf(stream,
		"usage: bench [options] [group...]\n"
		"  --rounds N      rounds of all variants, interleaved (%d)\n"
		"  --repeat N      packets a measured run (%d)\n"
		"  --flows-max N   largest table of group curve (16777216)\n"
		"  --quick         3 rounds of 200000 packets, at most 1 Mi flows: to see that it works\n"
		"  --json FILE     everything measured, for programs\n"
		"groups:\n",
		ROUNDS, REPEAT);
	for (i = 0; i < GROUPS; i++)
		fprintf(stream, "  %-8s %s\n", groups[i].name, groups[i].text);
}

static uint64_t number(const char *text, uint64_t min, uint64_t max)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	if (*end || end == text || value < min || value > max) {
		fprintf(stderr, "bench: '%s' is not a number from %llu to %llu\n", text,
			(unsigned long long)min, (unsigned long long)max);
		exit(2);
	}
	return value;
}

static void read_options(struct bench_options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "repeat", required_argument, NULL, 'n' },
		{ "flows-max", required_argument, NULL, 'f' },
		{ "quick", no_argument, NULL, 'q' },
		{ "json", required_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'r':
			options->rounds = (unsigned int)number(optarg, 1, BENCH_ROUNDS_MAX);
			break;
		case 'n':
			options->repeat = (uint32_t)number(optarg, 16, 100000000);
			break;
		case 'f':
			options->flows_max = number(optarg, 1, 1 << 24);
			break;
		case 'q':
			options->rounds = 3;
			options->repeat = 200000;
			options->flows_max = 1 << 20;
			break;
		case 'j':
			options->json = optarg;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(2);
		}
	}
	options->parts = argv + optind;
}

static void check_groups(char *const *parts)
{
	size_t i;

	for (; *parts; parts++) {
		for (i = 0; i < GROUPS && strcmp(groups[i].name, *parts); i++)
			;
		if (i < GROUPS)
			continue;
		fprintf(stderr, "bench: no group named '%s'\n", *parts);
		usage(stderr);
		exit(2);
	}
}

/* One processor, so that per-CPU data stays in one cache. */
static void pin_to_this_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		perror("bench: cannot stay on one processor");
}

int main(int argc, char **argv)
{
	static struct bench bench = {
		.options = { .rounds = ROUNDS, .repeat = REPEAT, .flows_max = 1 << 24 },
	};
	size_t i;

	read_options(&bench.options, argc, argv);
	check_groups(bench.options.parts);
	program_quiet();
	bench.canary_before = canary();
	pin_to_this_cpu();
	for (i = 0; i < GROUPS; i++)
		if (group_wanted(&bench, groups[i].name))
			groups[i].run(&bench);
	bench.canary_after = canary();
	goals_judge(&bench);
	report_text(&bench);
	if (bench.options.json && report_json(&bench, bench.options.json)) {
		fprintf(stderr, "bench: cannot write %s\n", bench.options.json);
		return 1;
	}
	return bench.failed;
}
