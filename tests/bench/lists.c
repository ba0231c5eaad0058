/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a look-up in the lists costs, by BPF_PROG_TEST_RUN: the median of rounds,
 * less what choosing a source costs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "daemon/list_image.h"
#include "daemon/list_rules.h"
#include "tcpguard/config.h"
#include "tests/bench/sources.h"

#include "tests/bench/lists.skel.h"

#define ROUNDS 9
#define RUNS 2000000

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

/* Hosts and /24, some wider; IPv6: /64, hosts, /48. */
static struct prefix rule_of(uint32_t number, bool ipv4)
{
	static const uint8_t lengths[2][8] = { { 64, 64, 64, 64, 128, 128, 48, 48 },
					       { 128, 128, 128, 120, 120, 120, 124, 116 } };
	struct prefix prefix = { .length = lengths[ipv4][number % 8], .ipv4 = ipv4 };

	if (ipv4)
		prefix.low = 0xffff00000000ULL | bench_ipv4(number);
	else
		prefix = (struct prefix){ bench_ipv6_high(number), bench_mix(~(uint64_t)number),
					  prefix.length, false };
	if (prefix.length <= 64)
		prefix.low = 0;
	else if (prefix.length < 128)
		prefix.low &= ~0ULL << (128 - prefix.length);
	if (prefix.length < 64)
		prefix.high &= ~0ULL << (64 - prefix.length);
	return prefix;
}

static void publish(const struct bpf_object *object, uint32_t count, bool ipv4, size_t *mib)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	static struct tg_settings settings;
	struct list_rules rules = { .rule = NULL };
	struct list_plan *plan;
	uint32_t i, zero = 0, lines;
	size_t bytes;
	void *memory;
	int fd;

	for (i = 0; i < count; i++) {
		const struct prefix prefix = rule_of(i, ipv4);

		if (list_rules_add(&rules, &prefix, TG_LIST_BLOCK, TG_LIST_FOREVER, 0, ""))
			fail("rules");
	}
	errno = -list_rules_settle(&rules, 0, NULL);
	if (errno)
		fail("rules");
	errno = -list_plan_make(rules.rule, rules.count, rules.text, rules.text_bytes, 12345, &plan);
	if (errno)
		fail("image");
	lines = list_plan_head(plan)->lines;
	bytes = ((size_t)lines * TG_LIST_LINE_BYTES + 4095) & ~(size_t)4095;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "image", 4, TG_LIST_LINE_BYTES, lines, &opts);
	memory = fd < 0 ? MAP_FAILED :
			  mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		fail("map");
	list_plan_write(plan, 0, memory);
	munmap(memory, bytes);
	settings.config[0].lists = *list_plan_head(plan);
	if (bpf_map_update_elem(bpf_object__find_map_fd_by_name(object, "tg_lists"), &zero, &fd, 0) ||
	    bpf_map_update_elem(bpf_object__find_map_fd_by_name(object, "tg_settings"), &zero,
				&settings, 0))
		fail("update");
	close(fd);
	*mib = bytes >> 20;
	list_plan_free(plan);
	list_rules_free(&rules);
}

static int compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static uint32_t median_ns(const struct bpf_object *object)
{
	const struct bpf_program *program = bpf_object__find_program_by_name(object, "bench_lists");
	uint32_t took[ROUNDS];
	char frame[64] = { 0 };
	int round;

	for (round = 0; round < ROUNDS; round++) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
			    .repeat = RUNS);

		if (bpf_prog_test_run_opts(bpf_program__fd(program), &opts))
			fail("test run");
		took[round] = opts.duration;
	}
	qsort(took, ROUNDS, sizeof(took[0]), compare);
	return took[ROUNDS / 2];
}

/* One object for each way of asking: what it does is read-only data. */
static uint32_t measure(struct bench bench, size_t *mib)
{
	struct lists_bench *skeleton = lists_bench__open();
	uint32_t ns;

	if (!skeleton)
		fail("open");
	memcpy((void *)&skeleton->rodata->bench, &bench, sizeof(bench));
	if (lists_bench__load(skeleton))
		fail("load (root is needed)");
	publish(skeleton->obj, bench.rules, bench.ipv4, mib);
	ns = median_ns(skeleton->obj);
	lists_bench__destroy(skeleton);
	return ns;
}

int main(void)
{
	static const uint32_t counts[] = { 1, 1000, 64000, 1000000 };
	size_t i, mib;
	int ipv4;

	printf("ns a look-up, net of choosing the source\n%-6s %9s %9s %9s %7s\n", "family", "prefixes",
	       "random", "listed", "MiB");
	for (ipv4 = 1; ipv4 >= 0; ipv4--) {
		for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
			struct bench bench = { .ipv4 = (__u32)ipv4, .rules = counts[i] };
			int ns[3];

			for (; bench.source <= BENCH_LISTED; bench.source++)
				ns[bench.source] = (int)measure(bench, &mib);
			printf("%-6s %9u %9d %9d %7zu\n", ipv4 ? "IPv4" : "IPv6", counts[i],
			       ns[BENCH_RANDOM] - ns[BENCH_NOTHING],
			       ns[BENCH_LISTED] - ns[BENCH_NOTHING], mib);
		}
	}
	return 0;
}
