/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a look-up in the lists costs, by BPF_PROG_TEST_RUN: the minimum of rounds in which all ways of
 * asking take turns, less what choosing a source costs.  Thread CPU time: others use the machine, too.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tcpguard/config.h"
#include "tests/bench/rules.h"

#include "tests/bench/lists.skel.h"

#define ROUNDS 15
#define RUNS 300000

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

/* What lists look like, and what they should not. */
static const struct list_mix mixes[] = {
	{ "usual", BENCH_USUAL, BENCH_EVENLY, TG_LIST_FOREVER },
	{ "clustered", BENCH_USUAL, BENCH_CLUSTERED, TG_LIST_FOREVER },
	{ "for a time", BENCH_USUAL, BENCH_EVENLY, 7200 },
	{ "all lengths", BENCH_EVERY, BENCH_EVENLY, TG_LIST_FOREVER },
	{ "both", BENCH_EVERY, BENCH_CLUSTERED, TG_LIST_FOREVER },
};

/* One object for each way of asking: what it does is read-only data. */
static struct lists_bench *load(const struct bench_lists *bench, const struct tg_list_image *head, int image)
{
	static struct tg_settings settings;
	struct lists_bench *skeleton = lists_bench__open();
	uint32_t zero = 0;

	if (!skeleton)
		fail("open");
	memcpy((void *)&skeleton->rodata->bench, bench, sizeof(*bench));
	if (lists_bench__load(skeleton))
		fail("load (root is needed)");
	settings.config[0].lists = *head;
	if (bpf_map_update_elem(bpf_map__fd(skeleton->maps.tg_lists), &zero, &image, 0) ||
	    bpf_map_update_elem(bpf_map__fd(skeleton->maps.tg_settings), &zero, &settings, 0))
		fail("update");
	return skeleton;
}

static double cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double run(const struct lists_bench *skeleton)
{
	char frame[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = RUNS);
	double before = cpu_ns();

	if (bpf_prog_test_run_opts(bpf_program__fd(skeleton->progs.bench_lists), &opts))
		fail("test run");
	return (cpu_ns() - before) / RUNS;
}

static void measure(uint32_t count, bool ipv4, const struct list_mix *mix)
{
	struct lists_bench *skeleton[BENCH_LISTED + 1];
	double least[BENCH_LISTED + 1] = { 1e9, 1e9, 1e9 };
	struct bench_lists bench = { .ipv4 = ipv4, .rules = count, .spread = mix->spread };
	struct tg_list_image head;
	int image = bench_image(count, ipv4, mix, &head), round;

	if (image < 0)
		fail("image");

	for (; bench.source <= BENCH_LISTED; bench.source++)
		skeleton[bench.source] = load(&bench, &head, image);
	for (round = 0; round < ROUNDS; round++) {
		for (bench.source = 0; bench.source <= BENCH_LISTED; bench.source++) {
			double ns = run(skeleton[bench.source]);

			if (ns < least[bench.source])
				least[bench.source] = ns;
		}
	}
	for (bench.source = 0; bench.source <= BENCH_LISTED; bench.source++)
		lists_bench__destroy(skeleton[bench.source]);
	close(image);
	printf("%-12s %-6s %9u %9.1f %9.1f %7zu\n", mix->name, ipv4 ? "IPv4" : "IPv6", count,
	       least[BENCH_RANDOM] - least[BENCH_NOTHING],
	       least[BENCH_LISTED] - least[BENCH_NOTHING],
	       (size_t)head.lines * TG_LIST_LINE_BYTES >> 20);
	fflush(stdout);
}

/* Arguments: mixes by name; none: all. */
int main(int argc, char **argv)
{
	static const uint32_t counts[] = { 1, 1000, 100000, 1000000 };
	size_t mix, i;
	int ipv4, wanted;

	printf("ns a look-up, net of choosing the source\n%-12s %-6s %9s %9s %9s %7s\n", "mix",
	       "family", "prefixes", "random", "listed", "MiB");
	for (mix = 0; mix < sizeof(mixes) / sizeof(mixes[0]); mix++) {
		for (wanted = argc > 1 ? 1 : 0; wanted && wanted < argc; wanted++)
			if (!strcmp(argv[wanted], mixes[mix].name))
				break;
		if (wanted == argc && argc > 1)
			continue;
		for (ipv4 = 1; ipv4 >= 0; ipv4--)
			for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
				measure(counts[i], ipv4, &mixes[mix]);
	}
	return 0;
}
