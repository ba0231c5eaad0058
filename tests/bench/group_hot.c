/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One flow, everything in the first cache: what the instructions cost.  The shipped object fed with a
 * prepared frame, and the benchmark's object, whose driver's cost its twin shows.
 */
#include "tests/bench/guard.h"
#include "tests/bench/kernel_maps.h"

#include <string.h>

#define GROUP "hot"
#define FLOWS 1024

static void with_frame(struct variant *variant, enum guard_frame frame)
{
	variant->frame = guard_frame(frame, &variant->frame_size);
}

static size_t list(struct guard *shipped, struct guard *driven, struct guard *transfer,
		   struct kernel_maps *maps, struct memory_walk *walk, struct variant *v)
{
	size_t n = 0;

	kernel_maps_variant(maps, "bench_null", "null", &v[n++]);
	kernel_maps_variant(maps, "bench_parse", "parse", &v[n++]);
	kernel_maps_variant(maps, "bench_base", "base", &v[n++]);
	kernel_maps_variant(maps, "bench_direct", "one line", &v[n++]);
	kernel_maps_variant(maps, "bench_hash_find", "kernel HASH", &v[n++]);
	kernel_maps_variant(maps, "bench_hash_word", "kernel HASH, key in words", &v[n++]);
	kernel_maps_variant(maps, "bench_lru_find", "kernel LRU_HASH", &v[n++]);
	kernel_maps_variant(maps, "bench_null_tc", "null TC", &v[n++]);
	guard_variant(shipped, "tg_xdp_ingress", "shipped, ACK", TG_PASS_OK, &v[n++]);
	guard_variant(shipped, "tg_xdp_ingress", "shipped, ACK with timestamps", TG_PASS_OK, &v[n]);
	with_frame(&v[n++], GUARD_ACK_TIMESTAMPS);
	guard_variant(shipped, "tg_tc_egress", "shipped, ACK at TC egress", TG_PASS_OK, &v[n]);
	with_frame(&v[n++], GUARD_SERVER_ACK);
	guard_variant(driven, "bench_drive", "driver", TG_UNDECIDED, &v[n++]);
	guard_variant(driven, "bench_twin", "tcpguard up to the look-up", TG_UNDECIDED, &v[n]);
	v[n++].hits = program_driver_hits;
	guard_variant(driven, "bench_flow", "tcpguard, ACK", TG_PASS_OK, &v[n++]);
	guard_variant(driven, "bench_flow", "tcpguard, ACK with timestamps", TG_PASS_OK, &v[n]);
	with_frame(&v[n++], GUARD_ACK_TIMESTAMPS);
	guard_variant(driven, "bench_transfer_base", "driver, transfer", TG_UNDECIDED, &v[n]);
	v[n++].driver_flags = DRIVE_KEEP;
	guard_variant(transfer, "bench_transfer", "tcpguard, transfer", TG_PASS_OK, &v[n]);
	v[n++].driver_flags = DRIVE_KEEP;
	memory_walk_variant(walk, &v[n++]);
	return n;
}

void group_hot(struct bench *bench)
{
	struct guard *shipped = guard_open_shipped(FLOWS), *driven = guard_open_bench(FLOWS);
	struct guard *transfer = guard_open_bench(FLOWS);
	struct kernel_maps *maps = kernel_maps_open(FLOWS);
	struct memory_walk *walk = memory_walk_new((size_t)128 << 20);
	struct variant variants[32] = {};
	size_t count, i;

	if (!shipped || !driven || !transfer || !maps || !walk ||
	    guard_fill(shipped, 1) || guard_fill(driven, 1) || guard_fill(transfer, 1) ||
	    kernel_maps_fill(maps, 1)) {
		group_failed(bench, GROUP, "cannot be set up");
		goto out;
	}
	count = list(shipped, driven, transfer, maps, walk, variants);
	for (i = 0; i < count; i++)
		variants[i].flows = 1;
	measure(bench, GROUP, variants, count);
out:
	guard_close(shipped);
	guard_close(driven);
	guard_close(transfer);
	kernel_maps_close(maps);
	memory_walk_free(walk);
}
