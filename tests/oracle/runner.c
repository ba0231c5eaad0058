/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data path behind a pipe, for differential.py: frames in, judgements and the flow's memory
 * out.  Every frame goes through the loaded programs by BPF_PROG_TEST_RUN, what a peer sent through
 * XDP, what this host sent through TC egress.  Judges nothing itself.
 *
 * usage: runner [learn] [strict] [monitor]
 *
 * Input, little-endian: batches, each u32 bytes and so many bytes of records
 *   u64 now_ms, u8 own, u16 length, frame       length 0: forget all flows, no answer
 * Output: a line that names verdicts and states by their number, "action reason,...;state,...";
 * then for each frame one struct answer, a batch's all at once.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/flow_table.h"
#include "tcpguard.skel.h"

#define BUCKETS 8192 /* far more than one conversation set needs: nothing is ever evicted */
#define BATCH_MAX (4 << 20)
#define NO_FLOW_STATE TG_TCP_CLOSED

struct record {
	uint64_t now_ms;
	uint8_t own;
	uint16_t length;
} __attribute__((packed));

/* A half in a form that two implementations can agree on: what has no meaning is zero. */
struct answer_half {
	uint32_t end, ack, right, maxwin, isn, aux, tsmax;
	uint16_t facts, window;
	uint8_t wscale, aux_kind;
} __attribute__((packed));

struct answer {
	uint8_t verdict, sender_state, receiver_state, dropped;
	uint32_t stamp_ms;
	struct answer_half half[2]; /* the sender's, the receiver's */
} __attribute__((packed));

struct runner {
	struct tcpguard_bpf *skel;
	struct tg_settings *settings;
	struct tg_result *result;
	struct tg_table table;
	bool learn, strict, monitor;
};

static void die(const char *what, int err)
{
	fprintf(stderr, "runner: %s: %s\n", what, strerror(err < 0 ? -err : err));
	exit(1);
}

static size_t whole_pages(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

static void *map_memory(const struct bpf_map *map, size_t size)
{
	void *memory = mmap(NULL, whole_pages(size), PROT_READ | PROT_WRITE, MAP_SHARED,
			    bpf_map__fd(map), 0);

	if (memory == MAP_FAILED)
		die(bpf_map__name(map), errno);
	return memory;
}

static void set_constants(struct runner *runner)
{
	struct tg_program *program = (struct tg_program *)&runner->skel->rodata->tg_program;
	__u64 coefficient[2][TG_HASH_COEFFICIENTS];
	uint64_t x = 88172645463325252ULL;
	size_t i;

	for (i = 0; i < 2 * (size_t)TG_HASH_COEFFICIENTS; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		coefficient[i / TG_HASH_COEFFICIENTS][i % TG_HASH_COEFFICIENTS] = x;
	}
	tg_hash_key_for_zone(coefficient, 0, &program->hash);
	program->buckets = BUCKETS;
	program->profile = TG_PROFILE_HOST;
	program->clock = TG_CLOCK_SETTINGS;
	program->strict = runner->strict;
	program->report = true;
}

/* No socket look-ups: the sockets of this machine have nothing to say about invented segments. */
static void set_settings(struct runner *runner)
{
	const struct tg_timeouts timeouts = TG_TIMEOUTS_DEFAULT;

	runner->settings->layout_version = TG_LAYOUT_VERSION;
	runner->settings->config[0].timeouts = timeouts;
	runner->settings->config[0].iface[0].mode = runner->monitor ? TG_MODE_MONITOR : TG_MODE_ENFORCE;
	runner->settings->iface[0].learn_until_ms = runner->learn ? UINT64_MAX : 0;
}

static void open_runner(struct runner *runner)
{
	struct tcpguard_bpf *skel = tcpguard_bpf__open();
	int err;

	if (!skel)
		die("cannot open the BPF object", errno);
	runner->skel = skel;
	set_constants(runner);
	bpf_map__set_max_entries(skel->maps.tg_flows, BUCKETS);
	bpf_map__set_max_entries(skel->maps.tg_details, BUCKETS * TG_BUCKET_WAYS);
	bpf_map__set_max_entries(skel->maps.tg_buckets, BUCKETS);
	err = tcpguard_bpf__load(skel);
	if (err)
		die("cannot load the BPF object (root is needed)", err);
	runner->settings = map_memory(skel->maps.tg_settings, sizeof(*runner->settings));
	runner->result = map_memory(skel->maps.tg_result, sizeof(*runner->result));
	runner->table.buckets = BUCKETS;
	runner->table.timeouts = &runner->settings->config[0].timeouts;
	runner->table.bucket = map_memory(skel->maps.tg_flows, BUCKETS * sizeof(struct tg_bucket));
	runner->table.detail = map_memory(skel->maps.tg_details, (size_t)BUCKETS * TG_BUCKET_WAYS *
									 sizeof(struct tg_detail));
	runner->table.word = map_memory(skel->maps.tg_buckets, BUCKETS * sizeof(__u64));
	set_settings(runner);
}

static void forget_flows(struct runner *runner)
{
	memset(runner->table.bucket, 0, BUCKETS * sizeof(struct tg_bucket));
	memset(runner->table.detail, 0, (size_t)BUCKETS * TG_BUCKET_WAYS * sizeof(struct tg_detail));
	memset(runner->table.word, 0, BUCKETS * sizeof(__u64));
}

static void print_names(void)
{
	static const char *const actions[] = { "pass", "noupd", "challenge", "drop" };

	printf("undecided undecided");
#define X(id, action, code, reason, class, text) \
	printf(",%s %s", actions[tg_verdict_action(TG_##id)], reason);
	TG_VERDICTS(X)
#undef X
	putchar(';');
#define X(name) printf("%s%s", TG_TCP_##name ? "," : "", #name);
	TG_TCP_STATES(X)
#undef X
	putchar('\n');
	if (fflush(stdout))
		die("cannot answer", errno);
}

/* -> was it dropped? */
static bool run_frame(struct runner *runner, const uint8_t *frame, const struct record *record)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = record->length);
	struct bpf_program *program = record->own ? runner->skel->progs.tg_tc_egress :
						    runner->skel->progs.tg_xdp_ingress;
	int err;

	runner->settings->clock_ms = record->now_ms;
	runner->result->verdict = TG_UNDECIDED;
	err = bpf_prog_test_run_opts(bpf_program__fd(program), &opts);
	if (err)
		die("test run failed", err);
	/* XDP_DROP is 1; TC_ACT_SHOT is 2. */
	return opts.retval == (record->own ? 2U : 1U);
}

static struct answer_half describe_half(const struct tg_half *half, const struct tg_half_count *count,
					uint32_t isn)
{
	struct answer_half answer = {
		.end = half->end,
		.maxwin = half->maxwin,
		.isn = isn,
		.facts = half->facts & TG_FACT_MASK & ~TG_FACT_OUTSIDE, /* of displacement only */
		.window = count->window,
		.wscale = tg_half_wscale(half),
		.aux_kind = tg_half_aux_kind(half),
	};

	if (half->facts & TG_FACT_HASACK) {
		answer.ack = half->ack;
		answer.right = half->right;
	}
	if (half->facts & TG_FACT_HASTS)
		answer.tsmax = count->tsmax;
	if (answer.aux_kind)
		answer.aux = half->aux;
	return answer;
}

static void describe_flow(const struct runner *runner, struct answer *answer)
{
	const struct tg_result *result = runner->result;
	const struct tg_detail *detail = tg_detail_at(&runner->table, result->number);
	const struct tg_bucket *bucket = tg_bucket_at(&runner->table, result->number / TG_BUCKET_WAYS);
	const struct tg_slot *slot;
	int i;

	if (!detail || !bucket)
		die("a slot outside the table", EINVAL);
	slot = &bucket->slot[result->number % TG_BUCKET_WAYS];
	answer->sender_state = result->sender_state;
	answer->receiver_state = result->receiver_state;
	answer->stamp_ms = slot->stamp_ms;
	for (i = 0; i < 2; i++) {
		int side = (result->side & 1) ^ i;

		answer->half[i] = describe_half(&slot->half[side], &detail->count[side],
						detail->isn[side]);
	}
}

/* -> bytes of answers */
static size_t run_batch(struct runner *runner, const uint8_t *batch, size_t bytes,
			struct answer *answers)
{
	size_t at = 0, count = 0;
	struct record record;

	while (at < bytes) {
		if (bytes - at < sizeof(record))
			die("a batch ends inside a record", EINVAL);
		memcpy(&record, batch + at, sizeof(record));
		at += sizeof(record);
		if (bytes - at < record.length)
			die("a batch ends inside a frame", EINVAL);
		if (!record.length) {
			forget_flows(runner);
			continue;
		}
		memset(&answers[count], 0, sizeof(*answers));
		answers[count].dropped = run_frame(runner, batch + at, &record);
		answers[count].verdict = (uint8_t)runner->result->verdict;
		answers[count].sender_state = answers[count].receiver_state = NO_FLOW_STATE;
		if (runner->result->has_flow)
			describe_flow(runner, &answers[count]);
		at += record.length;
		count++;
	}
	return count * sizeof(*answers);
}

static void serve(struct runner *runner)
{
	/* The shortest record that has an answer is a header and one byte. */
	struct answer *answers = calloc(BATCH_MAX / (sizeof(struct record) + 1) + 1, sizeof(*answers));
	uint8_t *batch = malloc(BATCH_MAX);
	uint32_t bytes;

	if (!answers || !batch)
		die("buffers", ENOMEM);
	while (fread(&bytes, sizeof(bytes), 1, stdin) == 1) {
		size_t size;

		if (bytes > BATCH_MAX || fread(batch, 1, bytes, stdin) != bytes)
			die("a batch is too long or cut short", EINVAL);
		size = run_batch(runner, batch, bytes, answers);
		if (fwrite(answers, 1, size, stdout) != size || fflush(stdout))
			die("cannot answer", errno);
	}
	free(answers);
	free(batch);
}

int main(int argc, char **argv)
{
	struct runner runner = {};
	int i;

	for (i = 1; i < argc; i++) {
		runner.learn |= !strcmp(argv[i], "learn");
		runner.strict |= !strcmp(argv[i], "strict");
		runner.monitor |= !strcmp(argv[i], "monitor");
	}
	open_runner(&runner);
	print_names();
	serve(&runner);
	tcpguard_bpf__destroy(runner.skel);
	return 0;
}
