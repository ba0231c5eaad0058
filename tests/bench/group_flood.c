/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attacks: SYNs of new tuples on a table that is full of handshakes, against an LRU table that is
 * full; stray ACKs and segments out of the window on a table of established flows.  And what a flood
 * displaces.
 */
#include "tests/bench/guard.h"
#include "tests/bench/kernel_maps.h"

#include <errno.h>

#define FLOWS (1 << 20)
#define FEW 1024 /* in the second cache */
#define OUTSIDE (1ULL << 26) /* numbers of flows that were never opened */

static int run_once(struct variant *variant, uint64_t n)
{
	int64_t spent = variant->run(variant, (uint32_t)n);

	return spent < 0 ? (int)spent : 0;
}

/* Half-open flows in every slot, and then some. */
static int fill_with_handshakes(struct guard *guard, struct kernel_maps *maps, uint64_t flows)
{
	struct variant syn = {}, add = {};
	int err;

	guard_variant(guard, "bench_flow", "fill", TG_PASS_NEW, &syn);
	syn.frame = guard_frame(GUARD_SYN, &syn.frame_size);
	syn.driver_flags = DRIVE_SEQUENTIAL | DRIVE_KEEP;
	err = run_once(&syn, flows * TG_SLOTS_PER_FLOW * 3);
	kernel_maps_variant(maps, "bench_lru_add", "fill", &add);
	add.driver_flags = DRIVE_SEQUENTIAL | DRIVE_KEEP;
	return err ? err : run_once(&add, flows * 2);
}

static size_t list(struct guard *handshakes, struct guard *established, struct kernel_maps *maps,
		   uint64_t flows, struct variant *v)
{
	size_t n = 0, i;

	kernel_maps_variant(maps, "bench_base", "base", &v[n]);
	v[n++].driver_flags = DRIVE_SEQUENTIAL | DRIVE_KEEP;
	kernel_maps_variant(maps, "bench_lru_add", "kernel LRU_HASH, full, new entry", &v[n]);
	v[n++].driver_flags = DRIVE_SEQUENTIAL | DRIVE_KEEP;
	guard_variant(handshakes, "bench_flow", "tcpguard, full, SYN of a new flow", TG_PASS_NEW,
		      &v[n]);
	v[n].frame = guard_frame(GUARD_SYN, &v[n].frame_size);
	v[n++].driver_flags = DRIVE_SEQUENTIAL | DRIVE_KEEP;
	guard_variant(established, "bench_flow", "tcpguard, stray ACK", TG_DROP_NO_FLOW, &v[n]);
	v[n].active = flows;
	v[n++].offset = OUTSIDE;
	guard_variant(established, "bench_flow", "tcpguard, beyond the window", TG_DROP_SEQ_ABOVE,
		      &v[n]);
	v[n].frame = guard_frame(GUARD_ABOVE, &v[n].frame_size);
	/* A flow without a slot leaves a mark, for which strays of its bucket pass. */
	v[n].hits_wanted_per_million = 999000;
	v[n - 1].hits_wanted_per_million = 999000;
	v[n++].active = flows;
	for (i = 0; i < n; i++)
		v[i].flows = flows;
	return n;
}

static void flood_table(struct bench *bench, uint32_t flows)
{
	struct guard *handshakes = guard_open_bench(flows), *established = guard_open_bench(flows);
	struct kernel_maps *maps = kernel_maps_open(flows);
	struct variant variants[8] = {};

	if (!handshakes || !established || !maps || guard_fill(established, flows) < 0 ||
	    fill_with_handshakes(handshakes, maps, flows))
		group_failed(bench, "flood", "cannot be set up");
	else
		measure(bench, "flood", variants,
			list(handshakes, established, maps, flows, variants));
	guard_close(handshakes);
	guard_close(established);
	kernel_maps_close(maps);
}

/* What the instructions cost, and what they and the memory do. */
void group_flood(struct bench *bench)
{
	flood_table(bench, FEW);
	flood_table(bench, FLOWS);
}

/* --- eviction -------------------------------------------------------------------------------------- */

#define ESTABLISHED (1 << 19)
#define FLOOD_SLOTS 5 /* SYNs, in tables */

static void add_share(struct bench *bench, const char *name, uint64_t count)
{
	double share = (double)count * 100 / ESTABLISHED;

	row_add(bench, "evict", name, ESTABLISHED, "%", &share, 1);
}

static int flood_guard(struct guard *guard, uint64_t without_slot, uint64_t *evicted)
{
	struct variant syn = {}, ack = {};
	uint64_t before;
	int err;

	guard_variant(guard, "bench_flow", "flood", TG_PASS_NEW, &syn);
	syn.frame = guard_frame(GUARD_SYN, &syn.frame_size);
	syn.offset = OUTSIDE;
	syn.driver_flags = DRIVE_SEQUENTIAL;
	err = run_once(&syn, (uint64_t)FLOOD_SLOTS * TG_SLOTS_PER_FLOW * FLOWS);
	guard_variant(guard, "bench_flow", "check", TG_PASS_OK, &ack);
	ack.driver_flags = DRIVE_SEQUENTIAL;
	before = guard_count(guard, TG_PASS_OK);
	if (!err)
		err = run_once(&ack, ESTABLISHED);
	*evicted = ESTABLISHED - without_slot - (guard_count(guard, TG_PASS_OK) - before);
	return err;
}

static int flood_lru(struct kernel_maps *maps, uint64_t *lost)
{
	struct variant add = {}, find = {};
	uint64_t before;
	int err;

	kernel_maps_variant(maps, "bench_lru_add", "flood", &add);
	add.driver_flags = DRIVE_SEQUENTIAL;
	err = run_once(&add, ESTABLISHED);
	kernel_maps_variant(maps, "bench_lru_find", "check", &find);
	find.active = ESTABLISHED;
	if (!err) /* traffic on them, as in the table of 2.1 of the method */
		err = run_once(&find, ESTABLISHED);
	add.offset = OUTSIDE;
	if (!err)
		err = run_once(&add, (uint64_t)FLOOD_SLOTS * TG_SLOTS_PER_FLOW * FLOWS);
	find.driver_flags = DRIVE_SEQUENTIAL;
	before = program_driver_hits(&find);
	if (!err)
		err = run_once(&find, ESTABLISHED);
	*lost = ESTABLISHED - (program_driver_hits(&find) - before);
	return err;
}

void group_evict(struct bench *bench)
{
	struct guard *guard = guard_open_bench(FLOWS);
	struct kernel_maps *maps = kernel_maps_open((uint64_t)TG_SLOTS_PER_FLOW * FLOWS);
	int64_t without_slot = guard ? guard_fill(guard, ESTABLISHED) : -ENOMEM;
	uint64_t evicted = 0, lost = 0;

	if (!maps || without_slot < 0 || flood_guard(guard, (uint64_t)without_slot, &evicted) ||
	    flood_lru(maps, &lost)) {
		group_failed(bench, "evict", "cannot be run");
	} else {
		add_share(bench, "tcpguard: established flows evicted by a flood", evicted);
		add_share(bench, "tcpguard: flows that never found a slot", (uint64_t)without_slot);
		add_share(bench, "kernel LRU_HASH: established flows evicted by a flood", lost);
	}
	guard_close(guard);
	kernel_maps_close(maps);
}
