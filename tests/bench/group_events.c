/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What it costs to tell of a packet: the same drop with nobody listening, with each one put into the
 * ring, and with the limits that hold by default.  Emptying the ring, between the runs, is not measured.
 */
#include <bpf/libbpf.h>

#include "tcpguard/event.h"
#include "tests/bench/guard.h"
#include "tests/bench/kernel_maps.h"

#define GROUP "events"
#define FLOWS 1024
#define CHUNK 2048 /* fewer than fit into the ring */

static struct ring_buffer *ring;
static uint64_t told;

static int count_event(void *context, void *data, size_t size)
{
	(void)context;
	(void)data;
	told += size == sizeof(struct tg_event);
	return 0;
}

/* Both variants in the same pieces: what a piece costs goes out of their difference. */
static int64_t run_in_pieces(struct variant *variant, uint32_t n)
{
	int64_t spent, sum = 0;
	uint32_t piece;

	for (; n; n -= piece) {
		piece = n < CHUNK ? n : CHUNK;
		spent = program_run(variant, piece);
		if (spent < 0)
			return spent;
		sum += spent;
		ring_buffer__consume(ring);
	}
	return sum;
}

static uint64_t events_told(struct variant *variant)
{
	(void)variant;
	return told;
}

static void with_drop(struct guard *guard, const char *name, struct variant *variant)
{
	guard_variant(guard, "tg_xdp_ingress", name, TG_DROP_SEQ_ABOVE, variant);
	variant->frame = guard_frame(GUARD_ABOVE, &variant->frame_size);
	variant->run = run_in_pieces;
}

static void listen_to(struct guard *guard, uint32_t sample, uint32_t per_second)
{
	struct tg_settings *settings = guard_settings(guard);

	settings->config[0].events_sample = sample;
	settings->config[0].events_per_second = per_second;
	settings->watch = TG_WATCH_EVENTS;
}

void group_events(struct bench *bench)
{
	struct guard *quiet = guard_open_shipped(FLOWS), *loud = guard_open_shipped(FLOWS);
	struct guard *limited = guard_open_shipped(FLOWS);
	struct kernel_maps *maps = kernel_maps_open(FLOWS);
	struct variant variants[8] = {};
	size_t n = 0, i;

	if (loud)
		ring = ring_buffer__new(bpf_object__find_map_fd_by_name(guard_object(loud), "tg_events"),
					count_event, NULL, NULL);
	if (!quiet || !loud || !limited || !maps || !ring || guard_fill(quiet, 1) || guard_fill(loud, 1) ||
	    guard_fill(limited, 1) || kernel_maps_fill(maps, 1)) {
		group_failed(bench, GROUP, "cannot be set up");
		goto out;
	}
	listen_to(loud, 1, 0);
	listen_to(limited, TG_EVENTS_SAMPLE_DEFAULT, TG_EVENTS_PER_SECOND_DEFAULT);
	kernel_maps_variant(maps, "bench_base", "base", &variants[n++]);
	kernel_maps_variant(maps, "bench_hash_find", "kernel HASH", &variants[n++]);
	with_drop(quiet, "drop, nobody listens", &variants[n++]);
	with_drop(loud, "drop, each one told", &variants[n]);
	variants[n++].hits = events_told;
	with_drop(limited, "drop, told within the default limits", &variants[n++]);
	for (i = 0; i < n; i++)
		variants[i].flows = 1;
	measure(bench, GROUP, variants, n);
out:
	ring_buffer__free(ring);
	ring = NULL;
	guard_close(quiet);
	guard_close(loud);
	guard_close(limited);
	kernel_maps_close(maps);
}
