/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading, filling and reading the data path, without a daemon and without an interface. */
#include "tests/bench/guard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bpf/flow_table.h"
#include "tests/bench/rules.h"
#include "tests/bpf/frame.h"

#include "tcpguard.skel.h"
#include "tests/bench/guard.skel.h"

struct guard {
	struct program_object object; /* first: what variants point to */
	struct bpf_object *obj;
	struct tcpguard_bpf *shipped; /* one of these */
	struct guard_bpf *bench;
	struct tg_table table;
	struct tg_settings *settings;
	struct tg_counters *counters; /* one per CPU */
	int counters_fd;
	int cpus;
};

static const struct endpoint client = { { 10, 0, 0, 0 }, 1024 };
static const struct endpoint server = { { 198, 18, 0, 1 }, 80 };

static size_t build_frame(enum guard_frame which, uint8_t *frame)
{
	struct segment segment = { .from = &client, .to = &server, .window = 65535 };

	switch (which) {
	case GUARD_SYN:
		segment.flags = 0x02;
		segment.seq = 1000;
		segment.wscale = WS(14);
		break;
	case GUARD_SYNACK:
		segment.flags = 0x12;
		segment.seq = 5000;
		segment.ack = 1001;
		segment.wscale = WS(14);
		segment.from = &server;
		segment.to = &client;
		break;
	case GUARD_ACK_TIMESTAMPS:
		segment.tsval = 12345;
		/* fall through */
	case GUARD_ACK:
		segment.flags = 0x10;
		segment.seq = 1001;
		segment.ack = 5001;
		break;
	case GUARD_ABOVE:
		segment.flags = 0x18;
		segment.seq = 1001 + 0x40000000;
		segment.ack = 5001;
		segment.payload = 10;
		break;
	default:
		segment.flags = 0x10;
		segment.seq = 5001;
		segment.ack = 1001;
		segment.from = &server;
		segment.to = &client;
		break;
	}
	return frame_build(frame, &segment);
}

const uint8_t *guard_frame(enum guard_frame which, size_t *size)
{
	static uint8_t frames[GUARD_FRAMES][FRAME_MAX];
	static size_t sizes[GUARD_FRAMES];

	if (!sizes[which]) {
		sizes[which] = build_frame(which, frames[which]);
		if (sizes[which] < 64) /* frames on the wire are padded */
			sizes[which] = 64;
	}
	*size = sizes[which];
	return frames[which];
}

/* As daemon/datapath_load.c does. */
static __u32 jiffies_mult(void)
{
	struct timespec resolution;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &resolution) || !resolution.tv_nsec)
		return 0;
	return (__u32)((1000ULL << TG_JIFFIES_SHIFT) /
		       ((1000000000 + (__u64)resolution.tv_nsec / 2) / (__u64)resolution.tv_nsec));
}

static void set_constants(struct tg_program *program, __u32 buckets)
{
	__u64 coefficient[2][TG_HASH_COEFFICIENTS], x = 88172645463325252ULL;
	size_t i;

	for (i = 0; i < 2 * (size_t)TG_HASH_COEFFICIENTS; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		coefficient[i / TG_HASH_COEFFICIENTS][i % TG_HASH_COEFFICIENTS] = x;
	}
	program->buckets = buckets;
	program->jiffies_mult = jiffies_mult();
	program->profile = TG_PROFILE_HOST;
	program->clock = TG_CLOCK_JIFFIES;
	tg_hash_key_for_zone(coefficient, 0, &program->hash);
}

static struct bpf_map *map_named(const struct guard *guard, const char *name)
{
	return bpf_object__find_map_by_name(guard->obj, name);
}

static void *map_memory(const struct guard *guard, const char *name, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *memory = mmap(NULL, (size + page - 1) / page * page, PROT_READ | PROT_WRITE, MAP_SHARED,
			    bpf_map__fd(map_named(guard, name)), 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int map_everything(struct guard *guard, __u32 buckets)
{
	size_t slots = (size_t)buckets * TG_BUCKET_WAYS;

	guard->settings = map_memory(guard, "tg_settings", sizeof(*guard->settings));
	guard->table.bucket = map_memory(guard, "tg_flows", buckets * sizeof(struct tg_bucket));
	guard->table.detail = map_memory(guard, "tg_details", slots * sizeof(struct tg_detail));
	guard->table.word = map_memory(guard, "tg_buckets", buckets * sizeof(__u64));
	if (!guard->settings || !guard->table.bucket || !guard->table.detail || !guard->table.word)
		return -ENOMEM;
	guard->table.buckets = buckets;
	guard->table.timeouts = &guard->settings->config[0].timeouts;
	return 0;
}

/* A host that enforces. */
static void set_settings(struct tg_settings *settings)
{
	const struct tg_timeouts timeouts = TG_TIMEOUTS_DEFAULT;

	settings->layout_version = TG_LAYOUT_VERSION;
	settings->lookups_per_100ms = 5000;
	settings->config[0].timeouts = timeouts;
	settings->config[0].iface[0].mode = TG_MODE_ENFORCE;
}

static int open_objects(struct guard *guard, bool shipped, __u32 buckets)
{
	if (shipped) {
		guard->shipped = tcpguard_bpf__open();
		if (!guard->shipped)
			return -errno;
		guard->obj = guard->shipped->obj;
		set_constants((struct tg_program *)&guard->shipped->rodata->tg_program, buckets);
	} else {
		guard->bench = guard_bpf__open();
		if (!guard->bench)
			return -errno;
		guard->obj = guard->bench->obj;
		set_constants((struct tg_program *)&guard->bench->rodata->tg_program, buckets);
	}
	bpf_map__set_max_entries(map_named(guard, "tg_flows"), buckets);
	bpf_map__set_max_entries(map_named(guard, "tg_details"), buckets * TG_BUCKET_WAYS);
	bpf_map__set_max_entries(map_named(guard, "tg_buckets"), buckets);
	return shipped ? tcpguard_bpf__load(guard->shipped) : guard_bpf__load(guard->bench);
}

static struct guard *guard_open(bool shipped, uint32_t max_flows)
{
	struct guard *guard = calloc(1, sizeof(*guard));
	__u32 buckets = (__u32)(((uint64_t)max_flows * TG_SLOTS_PER_FLOW + TG_BUCKET_WAYS - 1) /
				TG_BUCKET_WAYS);
	int err;

	if (!guard)
		return NULL;
	guard->cpus = libbpf_num_possible_cpus();
	guard->counters = calloc((size_t)guard->cpus, sizeof(*guard->counters));
	err = guard->counters ? open_objects(guard, shipped, buckets) : -ENOMEM;
	if (!err)
		err = map_everything(guard, buckets);
	if (err) {
		fprintf(stderr, "bench: cannot load the data path for %u flows: %s (root is needed)\n",
			max_flows, strerror(-err));
		guard_close(guard);
		return NULL;
	}
	guard->counters_fd = bpf_map__fd(map_named(guard, "tg_counters"));
	if (guard->bench)
		guard->object.driver = &guard->bench->bss->bench;
	set_settings(guard->settings);
	return guard;
}

struct guard *guard_open_bench(uint32_t max_flows)
{
	return guard_open(false, max_flows);
}

struct guard *guard_open_shipped(uint32_t max_flows)
{
	return guard_open(true, max_flows);
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
	tcpguard_bpf__destroy(guard->shipped);
	guard_bpf__destroy(guard->bench);
	free(guard->counters);
	free(guard);
}

const struct bpf_object *guard_object(const struct guard *guard)
{
	return guard->obj;
}

const struct tg_table *guard_table(const struct guard *guard)
{
	return &guard->table;
}

struct tg_settings *guard_settings(const struct guard *guard)
{
	return guard->settings;
}

uint64_t guard_now_ms(struct guard *guard)
{
	uint8_t frame[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .data_out = frame, .data_size_out = sizeof(frame));
	const struct bpf_program *clock = bpf_object__find_program_by_name(guard->obj, "tg_clock");
	uint64_t now_ms = 0;

	if (!bpf_prog_test_run_opts(bpf_program__fd(clock), &opts))
		memcpy(&now_ms, frame, sizeof(now_ms));
	return now_ms;
}

uint64_t guard_count(struct guard *guard, enum tg_verdict verdict)
{
	uint64_t packets = 0;
	__u32 slot = 0;
	int cpu, outcome;

	if (bpf_map_lookup_elem(guard->counters_fd, &slot, guard->counters))
		return 0;
	for (cpu = 0; cpu < guard->cpus; cpu++)
		for (outcome = 0; outcome < TG_OUTCOME_MAX; outcome++)
			packets += guard->counters[cpu].count[outcome][verdict].packets;
	return packets;
}

/* Flows that a newcomer displaced though they had not expired. */
static int count_displaced(struct guard *guard, uint64_t *displaced)
{
	struct tg_tallies *tallies = calloc((size_t)guard->cpus, sizeof(*tallies));
	__u32 slot = 0;
	int cpu, err;

	if (!tallies)
		return -ENOMEM;
	err = bpf_map_lookup_elem(bpf_map__fd(map_named(guard, "tg_tallies")), &slot, tallies);
	for (*displaced = 0, cpu = 0; cpu < guard->cpus && !err; cpu++)
		*displaced += tallies[cpu].tally[TG_TALLY_FLOW_EVICTED];
	free(tallies);
	return err;
}

struct expectation {
	struct program_object object; /* a copy: context must begin with one */
	struct guard *guard;
	enum tg_verdict verdict;
};

int guard_block(struct guard *guard, uint32_t prefixes)
{
	static const struct list_mix mix = { "usual", BENCH_USUAL, BENCH_EVENLY, TG_LIST_FOREVER };
	struct tg_list_image *head = &guard->settings->config[0].lists;
	int image = bench_image(prefixes, true, &mix, head), err = 0;
	__u32 slot = 0;

	if (image < 0 ||
	    bpf_map_update_elem(bpf_map__fd(map_named(guard, "tg_lists")), &slot, &image, 0)) {
		err = -errno;
		fprintf(stderr, "bench: a list of %u prefixes cannot be made: %s\n", prefixes, strerror(-err));
	}
	if (image >= 0)
		close(image);
	return err;
}

static uint64_t verdict_hits(struct variant *variant)
{
	struct expectation *wanted = variant->context;

	return guard_count(wanted->guard, wanted->verdict);
}

void guard_variant(struct guard *guard, const char *program, const char *name,
		   enum tg_verdict verdict, struct variant *variant)
{
	static struct expectation expectations[BENCH_ROWS_MAX];
	static size_t used;
	struct expectation *wanted = &expectations[used++ % BENCH_ROWS_MAX];
	const struct bpf_program *found = bpf_object__find_program_by_name(guard->obj, program);

	wanted->object = guard->object;
	wanted->guard = guard;
	wanted->verdict = verdict;
	snprintf(variant->name, sizeof(variant->name), "%s", name);
	variant->run = program_run;
	variant->hits = verdict ? verdict_hits : NULL;
	variant->context = wanted;
	variant->program = found ? bpf_program__fd(found) : -1;
	variant->active = 1;
	variant->frame = guard_frame(GUARD_ACK, &variant->frame_size);
}

/*
 * So many handshakes; -EIO if the data path's counters say something else happened.  Every segment comes
 * in by XDP, so the flows are of those that newcomers may displace: the last of a full bucket takes
 * another's slot where it would have found none, and either way one flow is without.
 */
static int64_t check_fill(struct guard *guard, uint64_t count, const uint64_t before[4],
			  uint64_t displaced_before)
{
	static const enum tg_verdict verdicts[] = { TG_PASS_NEW, TG_PASS_SYNACK, TG_PASS_OK,
						    TG_PASS_TABLE_FULL };
	uint64_t got[4], displaced;
	size_t i;
	int err = count_displaced(guard, &displaced);

	if (err)
		return err;
	for (i = 0; i < 4; i++)
		got[i] = guard_count(guard, verdicts[i]) - before[i];
	if (got[0] == got[1] && got[1] == got[2] && got[0] + got[3] / 3 == count)
		return (int64_t)(got[3] / 3 + displaced - displaced_before);
	fprintf(stderr, "bench: %llu handshakes: %llu SYN, %llu SYN-ACK, %llu ACK, %llu without a slot\n",
		(unsigned long long)count, (unsigned long long)got[0], (unsigned long long)got[1],
		(unsigned long long)got[2], (unsigned long long)got[3]);
	return -EIO;
}

static int run_steps(struct guard *guard, const char *program, enum guard_frame frame, uint64_t n)
{
	struct variant variant = {};
	int64_t spent;

	guard_variant(guard, program, "fill", TG_UNDECIDED, &variant);
	variant.frame = guard_frame(frame, &variant.frame_size);
	variant.driver_flags = DRIVE_SEQUENTIAL;
	spent = program_run(&variant, (uint32_t)n);
	return spent < 0 ? (int)spent : 0;
}

int64_t guard_fill(struct guard *guard, uint64_t count)
{
	const uint64_t before[4] = { guard_count(guard, TG_PASS_NEW),
				     guard_count(guard, TG_PASS_SYNACK),
				     guard_count(guard, TG_PASS_OK),
				     guard_count(guard, TG_PASS_TABLE_FULL) };
	uint64_t displaced;
	int err = count_displaced(guard, &displaced);

	if (err)
		return err;
	if (guard->bench) {
		err = run_steps(guard, "bench_open", GUARD_SYN, count * 3);
	} else {
		err = run_steps(guard, "tg_xdp_ingress", GUARD_SYN, 1);
		if (!err)
			err = run_steps(guard, "tg_xdp_ingress", GUARD_SYNACK, 1);
		if (!err)
			err = run_steps(guard, "tg_xdp_ingress", GUARD_ACK, 1);
	}
	if (guard->object.driver)
		guard->object.driver->counter = 0;
	return err ? err : check_fill(guard, count, before, displaced);
}
