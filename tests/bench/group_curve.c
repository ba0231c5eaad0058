/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cost a packet against the number of flows: tcpguard, the kernel's tables, and the floor.  A random
 * flow each packet; "dependent" means that the next flow is not known before this one's slot is read,
 * so that the processor cannot overlap packets.
 */
#include "tests/bench/guard.h"
#include "tests/bench/kernel_maps.h"

#include <stdio.h>
#include <string.h>

#define GROUP "curve"
#define FLOWS_MIN_TABLE 1024
#define BYTES_A_FLOW 1000 /* of all tables together */
#define ACTIVE 16384

static uint64_t memory_available(void)
{
	unsigned long long kib = 0;
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib << 10;
}

static void drive(struct variant *variant, uint64_t active, uint32_t flags)
{
	variant->active = active;
	variant->driver_flags = flags;
}

/*
 * A million less the share of flows without a slot: all of them may be among the active, for the oldest
 * are displaced first.  Chance picks one more often than its share says; a variant that cheats misses
 * far more.
 */
static uint32_t wanted_hits(uint64_t without_slot, uint64_t active)
{
	return (uint32_t)(1000000 - 200 - without_slot * 2000000 / active);
}

static size_t list(struct guard *guard, struct kernel_maps *maps, struct memory_walk *walk,
		   uint64_t flows, uint64_t without_slot, struct variant *v)
{
	size_t n = 0, i, first;

	kernel_maps_variant(maps, "bench_base", "base", &v[n]);
	drive(&v[n++], flows, 0);
	kernel_maps_variant(maps, "bench_direct", "one line", &v[n]);
	drive(&v[n++], flows, 0);
	kernel_maps_variant(maps, "bench_direct", "one line, dependent", &v[n]);
	drive(&v[n++], flows, DRIVE_DEPENDS);
	kernel_maps_variant(maps, "bench_hash_find", "kernel HASH", &v[n]);
	drive(&v[n++], flows, 0);
	kernel_maps_variant(maps, "bench_hash_find", "kernel HASH, dependent", &v[n]);
	drive(&v[n++], flows, DRIVE_DEPENDS);
	kernel_maps_variant(maps, "bench_hash_word", "kernel HASH, key in words", &v[n]);
	drive(&v[n++], flows, 0);
	kernel_maps_variant(maps, "bench_hash_word", "kernel HASH, key in words, dependent", &v[n]);
	drive(&v[n++], flows, DRIVE_DEPENDS);
	kernel_maps_variant(maps, "bench_lru_find", "kernel LRU_HASH, dependent", &v[n]);
	drive(&v[n++], flows, DRIVE_DEPENDS);
	first = n;
	guard_variant(guard, "bench_flow", "tcpguard", TG_PASS_OK, &v[n]);
	drive(&v[n++], flows, 0);
	guard_variant(guard, "bench_flow", "tcpguard, dependent", TG_PASS_OK, &v[n]);
	drive(&v[n++], flows, DRIVE_DEPENDS);
	if (flows >= 64 * ACTIVE) {
		guard_variant(guard, "bench_flow", "tcpguard, 16 Ki active", TG_PASS_OK, &v[n]);
		drive(&v[n++], ACTIVE, 0);
		kernel_maps_variant(maps, "bench_hash_find", "kernel HASH, 16 Ki active", &v[n]);
		drive(&v[n++], ACTIVE, 0);
	}
	for (i = first; i < n; i++)
		if (without_slot && strstr(v[i].name, "tcpguard"))
			v[i].hits_wanted_per_million = wanted_hits(without_slot, v[i].active);
	memory_walk_variant(walk, &v[n++]);
	for (i = 0; i < n; i++)
		v[i].flows = flows;
	return n;
}

static void at_size(struct bench *bench, uint64_t flows, struct memory_walk *walk)
{
	uint64_t capacity = flows < FLOWS_MIN_TABLE ? FLOWS_MIN_TABLE : flows;
	struct variant variants[16] = {};
	struct kernel_maps *maps = NULL;
	struct guard *guard = NULL;
	double share;
	int64_t full;

	if (memory_available() < capacity * BYTES_A_FLOW) {
		fprintf(stderr, "bench: " GROUP ": SKIPPED at %llu flows: needs %llu MiB of free memory\n",
			(unsigned long long)flows,
			(unsigned long long)(capacity * BYTES_A_FLOW >> 20));
		return;
	}
	guard = guard_open_bench((uint32_t)capacity);
	maps = kernel_maps_open(capacity);
	full = guard ? guard_fill(guard, flows) : -1;
	if (full < 0 || !maps || kernel_maps_fill(maps, flows)) {
		group_failed(bench, GROUP, "cannot be set up for %llu flows",
			     (unsigned long long)flows);
	} else {
		share = (double)full * 1e6 / (double)flows;
		row_add(bench, GROUP, "flows without a slot", flows, "per million", &share, 1);
		measure(bench, GROUP, variants,
			list(guard, maps, walk, flows, (uint64_t)full, variants));
	}
	guard_close(guard);
	kernel_maps_close(maps);
}

void group_curve(struct bench *bench)
{
	static const uint64_t sizes[] = { 1, 1 << 10, 1 << 14, 1 << 16, 1 << 20, 1 << 22, 1 << 24 };
	struct memory_walk *walk = memory_walk_new((size_t)128 << 20);
	size_t i;

	if (!walk) {
		group_failed(bench, GROUP, "no memory");
		return;
	}
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (sizes[i] <= bench->options.flows_max)
			at_size(bench, sizes[i], walk);
	memory_walk_free(walk);
}
