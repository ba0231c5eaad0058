/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening a guard: constants, sizes, load, map; and its clock. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tests/bpf/guard_struct.h"

#define START_MS 3600000

const struct endpoint guard_client = { { 10, 0, 0, 1 }, 40000 };
const struct endpoint guard_server = { { 10, 0, 0, 2 }, 80 };
const struct endpoint guard_client6 = { { 0xfd, [15] = 1 }, 40000 };
const struct endpoint guard_server6 = { { 0xfd, [15] = 2 }, 80 };

static void *map_memory(const struct bpf_map *map, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *memory = mmap(NULL, (size + page - 1) / page * page, PROT_READ | PROT_WRITE, MAP_SHARED,
			    bpf_map__fd(map), 0);

	if (memory == MAP_FAILED)
		fail_msg("cannot map %s: %s", bpf_map__name(map), strerror(errno));
	return memory;
}

/* Coefficients of a table must be random; a test's must be the same every time. */
static void make_coefficients(__u64 coefficient[2][TG_HASH_COEFFICIENTS])
{
	uint64_t x = 88172645463325252ULL;
	size_t i;

	for (i = 0; i < 2 * (size_t)TG_HASH_COEFFICIENTS; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		coefficient[i / TG_HASH_COEFFICIENTS][i % TG_HASH_COEFFICIENTS] = x;
	}
}

/* A stack with Linux's defaults, behind the MAC address frames are built for. */
static void set_cookie_constants(struct guard *guard)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 2 };
	struct tg_cookie_program *program =
		(struct tg_cookie_program *)&guard->skel->rodata->tg_cookie_program;

	program->kind = (__u8)guard->options.cookies;
	program->options = TG_COOKIE_TIMESTAMPS | TG_COOKIE_WSCALE | TG_COOKIE_SACK | TG_COOKIE_ECN;
	program->veth = guard->options.veth;
	program->receive_max = 6291456;
	memcpy(program->mac, mac, sizeof(mac));
}

static void set_constants(struct guard *guard, uint32_t buckets)
{
	struct tg_program *program = (struct tg_program *)&guard->skel->rodata->tg_program;
	__u64 coefficient[2][TG_HASH_COEFFICIENTS];

	make_coefficients(coefficient);
	tg_hash_key_for_zone(coefficient, 0, &guard->hash);
	program->buckets = buckets;
	program->profile = guard->options.profile;
	program->clock = TG_CLOCK_SETTINGS;
	program->no_link_header = guard->options.no_link_header;
	program->verify_csum = guard->options.verify_csum;
	program->strict = guard->options.strict;
	program->hash = guard->hash;
	set_cookie_constants(guard);
}

static void set_settings(struct guard *guard)
{
	const struct tg_timeouts timeouts = TG_TIMEOUTS_DEFAULT;

	guard->settings->layout_version = TG_LAYOUT_VERSION;
	guard->settings->clock_ms = START_MS;
	guard->settings->lookups_per_100ms = 5000;
	guard->settings->config[0].timeouts = timeouts;
	guard->settings->config[0].flood.cpus = 1;
	guard->settings->config[0].iface[0].mode = guard->options.monitor ? TG_MODE_MONITOR : TG_MODE_ENFORCE;
	if (guard->options.learn)
		guard->settings->iface[0].learn_until_ms = START_MS + TG_LEARN_DEFAULT_MS;
}

static void map_everything(struct guard *guard, uint32_t buckets)
{
	struct tcpguard_bpf *skel = guard->skel;
	size_t details = (size_t)buckets * TG_BUCKET_WAYS;

	guard->settings = map_memory(skel->maps.tg_settings, sizeof(*guard->settings));
	guard->table.buckets = buckets;
	guard->table.timeouts = &guard->settings->config[0].timeouts;
	guard->table.bucket = map_memory(skel->maps.tg_flows, buckets * sizeof(struct tg_bucket));
	guard->table.detail = map_memory(skel->maps.tg_details, details * sizeof(struct tg_detail));
	guard->table.word = map_memory(skel->maps.tg_buckets, buckets * sizeof(__u64));
}

static void load(struct guard *guard)
{
	int err;

	if (pinned_take(guard->skel, &guard->programs))
		return;
	err = tcpguard_bpf__load(guard->skel);
	if (err)
		fail_msg("cannot load the BPF object: %s (root is needed)", strerror(-err));
	pinned_keep(guard->skel, &guard->programs);
}

struct guard *guard_open(const struct guard_options *options)
{
	struct guard *guard = calloc(1, sizeof(*guard));
	uint32_t flows = options && options->max_flows ? options->max_flows : 1024;
	uint32_t buckets = (flows * TG_SLOTS_PER_FLOW + TG_BUCKET_WAYS - 1) / TG_BUCKET_WAYS;

	assert_non_null(guard);
	if (options)
		guard->options = *options;
	guard->cpus = libbpf_num_possible_cpus();
	assert_true(guard->cpus > 0);
	guard->counters = calloc((size_t)guard->cpus, sizeof(*guard->counters));
	assert_non_null(guard->counters);
	guard->skel = tcpguard_bpf__open();
	if (!guard->skel)
		fail_msg("cannot open the BPF object: %s", strerror(errno));
	set_constants(guard, buckets);
	bpf_map__set_max_entries(guard->skel->maps.tg_flows, buckets);
	bpf_map__set_max_entries(guard->skel->maps.tg_details, buckets * TG_BUCKET_WAYS);
	bpf_map__set_max_entries(guard->skel->maps.tg_buckets, buckets);
	load(guard);
	map_everything(guard, buckets);
	set_settings(guard);
	return guard;
}

static void unmap(void *memory, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (memory)
		munmap(memory, (size + page - 1) / page * page);
}

void guard_close(struct guard *guard)
{
	size_t buckets;

	if (!guard)
		return;
	buckets = guard->table.buckets;
	unmap(guard->settings, sizeof(*guard->settings));
	unmap(guard->table.bucket, buckets * sizeof(struct tg_bucket));
	unmap(guard->table.detail, buckets * TG_BUCKET_WAYS * sizeof(struct tg_detail));
	unmap(guard->table.word, buckets * sizeof(__u64));
	pinned_release(&guard->programs);
	tcpguard_bpf__destroy(guard->skel);
	free(guard->counters);
	free(guard);
}

int guard_setup(void **state)
{
	*state = guard_open(NULL);
	return 0;
}

int guard_teardown(void **state)
{
	guard_close(*state);
	*state = NULL;
	return 0;
}

void guard_advance_ms(struct guard *guard, uint64_t milliseconds)
{
	guard->settings->clock_ms += milliseconds;
}

uint64_t guard_now_ms(const struct guard *guard)
{
	return guard->settings->clock_ms;
}

struct tg_settings *guard_settings(struct guard *guard)
{
	return guard->settings;
}

const struct tg_table *guard_table(struct guard *guard)
{
	return &guard->table;
}

int guard_map_fd(struct guard *guard, const char *name)
{
	return bpf_object__find_map_fd_by_name(guard->skel->obj, name);
}

const struct endpoint *guard_endpoint(const struct guard *guard, enum speaker who)
{
	if (guard->options.ipv6)
		return who == CLIENT ? &guard_client6 : &guard_server6;
	return who == CLIENT ? &guard_client : &guard_server;
}
