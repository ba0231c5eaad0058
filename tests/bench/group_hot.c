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

struct guards {
	struct guard *shipped; /* without lists */
	struct guard *listed; /* with one prefix */
	struct guard *crowded; /* with a million */
	struct guard *driven;
	struct guard *transfer;
};

static size_t list(const struct guards *g, struct kernel_maps *maps, struct memory_walk *walk,
		   struct variant *v)
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
	guard_variant(g->shipped, "tg_xdp_ingress", "shipped, ACK", TG_PASS_OK, &v[n++]);
	guard_variant(g->shipped, "tg_xdp_ingress", "shipped, ACK with timestamps", TG_PASS_OK, &v[n]);
	with_frame(&v[n++], GUARD_ACK_TIMESTAMPS);
	guard_variant(g->shipped, "tg_tc_egress", "shipped, ACK at TC egress", TG_PASS_OK, &v[n]);
	with_frame(&v[n++], GUARD_SERVER_ACK);
	guard_variant(g->listed, "tg_xdp_ingress", "shipped, ACK, a prefix listed", TG_PASS_OK, &v[n++]);
	guard_variant(g->crowded, "tg_xdp_ingress", "shipped, ACK, a million listed", TG_PASS_OK, &v[n++]);
	guard_variant(g->driven, "bench_drive", "driver", TG_UNDECIDED, &v[n++]);
	guard_variant(g->driven, "bench_twin", "tcpguard up to the look-up", TG_UNDECIDED, &v[n]);
	v[n++].hits = program_driver_hits;
	guard_variant(g->driven, "bench_flow", "tcpguard, ACK", TG_PASS_OK, &v[n++]);
	guard_variant(g->driven, "bench_flow", "tcpguard, ACK with timestamps", TG_PASS_OK, &v[n]);
	with_frame(&v[n++], GUARD_ACK_TIMESTAMPS);
	guard_variant(g->driven, "bench_transfer_base", "driver, transfer", TG_UNDECIDED, &v[n]);
	v[n++].driver_flags = DRIVE_KEEP;
	guard_variant(g->transfer, "bench_transfer", "tcpguard, transfer", TG_PASS_OK, &v[n]);
	v[n++].driver_flags = DRIVE_KEEP;
	memory_walk_variant(walk, &v[n++]);
	return n;
}

static void close_all(struct guards *g)
{
	guard_close(g->shipped);
	guard_close(g->listed);
	guard_close(g->crowded);
	guard_close(g->driven);
	guard_close(g->transfer);
}

static bool open_all(struct guards *g)
{
	g->shipped = guard_open_shipped(FLOWS);
	g->listed = guard_open_shipped(FLOWS);
	g->crowded = guard_open_shipped(FLOWS);
	g->driven = guard_open_bench(FLOWS);
	g->transfer = guard_open_bench(FLOWS);
	return g->shipped && g->listed && g->crowded && g->driven && g->transfer &&
	       !guard_fill(g->shipped, 1) && !guard_fill(g->listed, 1) && !guard_fill(g->crowded, 1) &&
	       !guard_fill(g->driven, 1) && !guard_fill(g->transfer, 1) && !guard_block(g->listed, 1) &&
	       !guard_block(g->crowded, 1000000);
}

void group_hot(struct bench *bench)
{
	struct guards guards = { .shipped = NULL };
	struct kernel_maps *maps = kernel_maps_open(FLOWS);
	struct memory_walk *walk = memory_walk_new((size_t)128 << 20);
	struct variant variants[32] = {};
	size_t count, i;

	if (!open_all(&guards) || !maps || !walk || kernel_maps_fill(maps, 1)) {
		group_failed(bench, GROUP, "cannot be set up");
		goto out;
	}
	count = list(&guards, maps, walk, variants);
	for (i = 0; i < count; i++)
		variants[i].flows = 1;
	measure(bench, GROUP, variants, count);
out:
	close_all(&guards);
	kernel_maps_close(maps);
	memory_walk_free(walk);
}
