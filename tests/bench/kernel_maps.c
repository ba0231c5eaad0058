/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/kernel_maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tests/bench/guard.h"
#include "tests/bench/maps.skel.h"

#define LRU_SPARE 4096

struct kernel_maps {
	struct program_object object; /* first: what variants point to */
	struct maps_bpf *skel;
};

struct kernel_maps *kernel_maps_open(uint64_t flows)
{
	struct kernel_maps *maps = calloc(1, sizeof(*maps));
	int err;

	if (!maps)
		return NULL;
	maps->skel = maps_bpf__open();
	err = maps->skel ? 0 : -errno;
	if (!err) {
		bpf_map__set_max_entries(maps->skel->maps.bench_hash, (__u32)flows);
		/* The per-CPU free lists keep some: with exactly as many it would evict already. */
		bpf_map__set_max_entries(maps->skel->maps.bench_lru, (__u32)flows + LRU_SPARE);
		bpf_map__set_max_entries(maps->skel->maps.bench_lines, (__u32)(2 * flows));
		err = maps_bpf__load(maps->skel);
	}
	if (err) {
		fprintf(stderr, "bench: cannot load the kernel's maps for %llu flows: %s\n",
			(unsigned long long)flows, strerror(-err));
		kernel_maps_close(maps);
		return NULL;
	}
	maps->object.driver = &maps->skel->bss->bench;
	return maps;
}

void kernel_maps_close(struct kernel_maps *maps)
{
	if (!maps)
		return;
	maps_bpf__destroy(maps->skel);
	free(maps);
}

void kernel_maps_variant(struct kernel_maps *maps, const char *program, const char *name,
			 struct variant *variant)
{
	const struct bpf_program *found =
		bpf_object__find_program_by_name(maps->skel->obj, program);
	bool counts = strcmp(program, "bench_null") && strcmp(program, "bench_null_tc") &&
		      strcmp(program, "bench_parse");

	snprintf(variant->name, sizeof(variant->name), "%s", name);
	variant->run = program_run;
	variant->hits = counts ? program_driver_hits : NULL;
	variant->context = maps;
	variant->program = found ? bpf_program__fd(found) : -1;
	variant->active = 1;
	variant->frame = guard_frame(GUARD_ACK, &variant->frame_size);
}

static int fill(struct kernel_maps *maps, const char *program, uint64_t count)
{
	struct variant variant = {};
	uint64_t before;
	int64_t spent;

	kernel_maps_variant(maps, program, "fill", &variant);
	variant.driver_flags = DRIVE_SEQUENTIAL;
	before = program_driver_hits(&variant);
	spent = program_run(&variant, (uint32_t)count);
	if (spent < 0)
		return (int)spent;
	return program_driver_hits(&variant) - before == count ? 0 : -EIO;
}

int kernel_maps_fill(struct kernel_maps *maps, uint64_t count)
{
	int err = fill(maps, "bench_hash_add", count);

	return err ? err : fill(maps, "bench_lru_add", count);
}

uint64_t map_bytes(int fd)
{
	unsigned long long bytes = 0;
	char path[64], line[128];
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "re");
	while (info && fgets(line, sizeof(line), info))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	if (info)
		fclose(info);
	return bytes;
}

uint64_t kernel_maps_bytes(struct kernel_maps *maps, const char *map)
{
	return map_bytes(bpf_object__find_map_fd_by_name(maps->skel->obj, map));
}
