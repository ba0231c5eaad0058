/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flood KIND PACKETS SECONDS PEER: floods one peer (NAME,NETNS,INTERFACE,MAC) until so many packets are sent
 * or so much time has passed.  JSON on stdout: what was sent, how long it took and what it cost in all.
 * `flood kinds` lists the kinds.  See floods.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/libbpf.h>

#include "tests/bench/bench.h"
#include "tests/bench/flood.h"
#include "tests/bench/flood.skel.h"
#include "tests/bench/live.h"

#define SLICE 16384
#define PACKETS_MAX 50000000U
#define SECONDS_MAX 60.0

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int list_kinds(void)
{
	unsigned int i;

	for (i = 0; flood_kind_name(i); i++)
		puts(flood_kind_name(i));
	return 0;
}

static int run(const struct live_sender *sender, const struct live_target *target, uint32_t packets,
	       double seconds)
{
	double began = now_s();
	struct live_cost cost;
	uint32_t sent = 0;
	double took;

	live_cost_begin(sender, &cost);
	while (sent < packets && now_s() - began < seconds) {
		uint32_t slice = packets - sent < SLICE ? packets - sent : SLICE;

		if (live_send(sender, target, slice))
			return 1;
		sent += slice;
	}
	took = now_s() - began;
	printf("{\"sent\": %u, \"seconds\": %.3f, \"cpu_ns\": %llu}\n", sent, took,
	       (unsigned long long)live_cost_end(sender, &cost));
	return 0;
}

int main(int argc, char **argv)
{
	struct live_target target;
	struct live_sender sender;
	struct flood_bpf *skel;
	struct flood_plan plan;
	unsigned long packets;
	double seconds;
	int failed = 1;

	if (argc == 2 && !strcmp(argv[1], "kinds"))
		return list_kinds();
	if (argc != 5 || live_target_read(&target, argv[4])) {
		fprintf(stderr, "usage: flood KIND PACKETS SECONDS NAME,NETNS,INTERFACE,MAC\n");
		return 2;
	}
	packets = strtoul(argv[2], NULL, 10);
	seconds = strtod(argv[3], NULL);
	if (flood_plan_make(argv[1], target.mac, &plan) || !packets || packets > PACKETS_MAX ||
	    seconds <= 0 || seconds > SECONDS_MAX) {
		fprintf(stderr, "flood: no such kind, or more than %u packets or %.0f s\n", PACKETS_MAX,
			SECONDS_MAX);
		return 2;
	}
	skel = flood_bpf__open_and_load();
	if (!skel)
		return 1;
	plan.counter = (uint64_t)(now_s() * 1e9); /* other packets than the last run's */
	skel->bss->plan = plan;
	if (!live_sender_init(&sender, bpf_program__fd(skel->progs.flood_next), plan.frame,
			      plan.length))
		failed = run(&sender, &target, (uint32_t)packets, seconds);
	flood_bpf__destroy(skel);
	return failed;
}
