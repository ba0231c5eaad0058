/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps guards by a hash of their constants and a number among equals; see pinned.h. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tests/bpf/harness.h"

#include "tcpguard.skel.h"
#include "tests/bpf/pinned.h"

#define HELD_MAX 32

static char held[HELD_MAX][sizeof(((struct pinned *)NULL)->path)];

static uint64_t hash_constants(const struct tcpguard_bpf *skel)
{
	const uint8_t *bytes = (const uint8_t *)skel->rodata;
	uint64_t hash = 14695981039346656037ULL;
	size_t i;

	for (i = 0; i < sizeof(*skel->rodata); i++)
		hash = (hash ^ bytes[i]) * 1099511628211ULL;
	return hash;
}

static int find_held(const char *path)
{
	int i;

	for (i = 0; i < HELD_MAX; i++)
		if (!strcmp(held[i], path))
			return i;
	return -1;
}

/* The first place for these constants that no guard of this process holds. */
static void choose_path(const struct tcpguard_bpf *skel, struct pinned *pinned)
{
	const char *root = getenv("TCPGUARD_GUARDS");
	unsigned int number = 0;
	int place;

	pinned->path[0] = '\0';
	if (!root)
		return;
	place = find_held("");
	assert_true(place >= 0);
	do {
		snprintf(pinned->path, sizeof(pinned->path), "%s/%016llx_%u", root,
			 (unsigned long long)hash_constants(skel), number++);
	} while (find_held(pinned->path) >= 0);
	memcpy(held[place], pinned->path, sizeof(held[place]));
}

static const char *path_of(char *path, size_t size, const struct pinned *pinned, const char *name)
{
	snprintf(path, size, "%s/%s", pinned->path, name);
	return path;
}

static int open_pin(const struct pinned *pinned, const char *name)
{
	char path[160];

	return bpf_obj_get(path_of(path, sizeof(path), pinned, name));
}

static void check(int err, const char *what, const char *name)
{
	if (err)
		fail_msg("cannot %s %s: %s", what, name, strerror(errno));
}

static void empty_hash(int fd, uint32_t key_size)
{
	uint8_t key[64];

	assert_true(key_size <= sizeof(key));
	while (!bpf_map_get_next_key(fd, NULL, key))
		check(bpf_map_delete_elem(fd, key), "empty", "a map");
}

static void zero_one_by_one(int fd, uint32_t entries, size_t size)
{
	void *zeroes = calloc(1, size);
	uint32_t key;

	assert_non_null(zeroes);
	for (key = 0; key < entries; key++)
		check(bpf_map_update_elem(fd, &key, zeroes, BPF_ANY), "empty", "a map");
	free(zeroes);
}

/* Maps of a quarter of a million entries: a system call for each would take longer than the test. */
static void zero_at_once(int fd, uint32_t entries, size_t size)
{
	uint32_t *keys = malloc(entries * sizeof(*keys)), done = entries, key;
	void *zeroes = calloc(entries, size);

	assert_true(keys && zeroes);
	for (key = 0; key < entries; key++)
		keys[key] = key;
	check(bpf_map_update_batch(fd, keys, zeroes, &done, NULL), "empty", "an array");
	assert_int_equal(done, entries);
	free(zeroes);
	free(keys);
}

/* Two images of lists, or none. */
static void forget_inner_maps(int fd, uint32_t entries)
{
	uint32_t key;

	for (key = 0; key < entries; key++)
		check(bpf_map_delete_elem(fd, &key) && errno != ENOENT, "empty", "a map of maps");
}

static int discard(void *context, void *data, size_t size)
{
	(void)context;
	(void)data;
	(void)size;
	return 0;
}

static void drain(int fd)
{
	struct ring_buffer *ring = ring_buffer__new(fd, discard, NULL, NULL);

	check(!ring, "open", "a ring buffer");
	check(ring_buffer__consume(ring) < 0, "empty", "a ring buffer");
	ring_buffer__free(ring);
}

static void empty_map(const struct bpf_map *map)
{
	size_t value = (bpf_map__value_size(map) + 7) / 8 * 8;
	uint32_t entries = bpf_map__max_entries(map);
	int fd = bpf_map__fd(map);

	switch (bpf_map__type(map)) {
	case BPF_MAP_TYPE_HASH:
		empty_hash(fd, bpf_map__key_size(map));
		break;
	case BPF_MAP_TYPE_ARRAY:
		zero_at_once(fd, entries, bpf_map__value_size(map));
		break;
	case BPF_MAP_TYPE_PERCPU_ARRAY:
		zero_one_by_one(fd, entries, value * (size_t)libbpf_num_possible_cpus());
		break;
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
		forget_inner_maps(fd, entries);
		break;
	case BPF_MAP_TYPE_RINGBUF:
		drain(fd);
		break;
	default:
		fail_msg("no way to empty the map %s", bpf_map__name(map));
	}
}

bool pinned_take(struct tcpguard_bpf *skel, struct pinned *pinned)
{
	struct bpf_map *map;

	*pinned = (struct pinned){ .xdp = -1, .tc = -1 };
	choose_path(skel, pinned);
	if (!pinned->path[0])
		return false;
	pinned->xdp = open_pin(pinned, "xdp");
	if (pinned->xdp < 0)
		return false;
	pinned->tc = open_pin(pinned, "tc");
	check(pinned->tc < 0, "open", "the kept TC program");
	bpf_object__for_each_map(map, skel->obj)
	{
		int fd;

		if (bpf_map__is_internal(map))
			continue;
		fd = open_pin(pinned, bpf_map__name(map));
		check(fd < 0 || bpf_map__reuse_fd(map, fd), "reuse", bpf_map__name(map));
		close(fd);
		empty_map(map);
	}
	return true;
}

/* The XDP program last: with its pin the guard is complete. */
void pinned_keep(struct tcpguard_bpf *skel, struct pinned *pinned)
{
	struct bpf_map *map;
	char path[160];

	pinned->xdp = dup(bpf_program__fd(skel->progs.tg_xdp_ingress));
	pinned->tc = dup(bpf_program__fd(skel->progs.tg_tc_egress));
	if (!pinned->path[0])
		return;
	check(mkdir(pinned->path, 0700), "make", pinned->path);
	bpf_object__for_each_map(map, skel->obj) if (!bpf_map__is_internal(map))
		check(bpf_obj_pin(bpf_map__fd(map), path_of(path, sizeof(path), pinned,
							    bpf_map__name(map))),
		      "pin", path);
	check(bpf_obj_pin(pinned->tc, path_of(path, sizeof(path), pinned, "tc")), "pin", path);
	check(bpf_obj_pin(pinned->xdp, path_of(path, sizeof(path), pinned, "xdp")), "pin", path);
}

void pinned_release(struct pinned *pinned)
{
	int place = pinned->path[0] ? find_held(pinned->path) : -1;

	if (place >= 0)
		held[place][0] = '\0';
	if (pinned->xdp >= 0)
		close(pinned->xdp);
	if (pinned->tc >= 0)
		close(pinned->tc);
}
