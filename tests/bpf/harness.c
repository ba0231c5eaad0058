/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One loaded copy of the data path per guard, with maps of its own; see harness.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tests/bpf/harness.h"

#include "bpf/flow_table.h"
#include "tcpguard.skel.h"
#include "tests/bpf/pinned.h"

#define START_MS 3600000

struct guard {
	struct tcpguard_bpf *skel;
	struct pinned programs;
	struct guard_options options;
	struct tg_hash_key hash;
	struct tg_settings *settings;
	struct tg_table table;
	struct tg_counters *counters; /* one per CPU, as read last */
	int cpus;
};

const struct endpoint guard_client = { { 10, 0, 0, 1 }, 40000 };
const struct endpoint guard_server = { { 10, 0, 0, 2 }, 80 };
const struct endpoint guard_client6 = { { 0xfd, [15] = 1 }, 40000 };
const struct endpoint guard_server6 = { { 0xfd, [15] = 2 }, 80 };

const char *verdict_name(enum tg_verdict verdict)
{
	switch (verdict) {
#define X(id, action, code, reason, class, text) \
	case TG_##id: \
		return #id;
		TG_VERDICTS(X)
#undef X
	default:
		return "UNDECIDED";
	}
}

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
	program->answer_by_tc = guard->options.answer_by_tc;
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

static uint32_t run_program(struct guard *guard, const uint8_t *frame, size_t size, bool egress,
			    struct __sk_buff *skb)
{
	uint8_t out[FRAME_MAX + 256];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (__u32)size,
		    .data_out = out, .data_size_out = sizeof(out), .ctx_in = skb,
		    .ctx_size_in = skb ? sizeof(*skb) : 0);
	int err = bpf_prog_test_run_opts(egress ? guard->programs.tc : guard->programs.xdp, &opts);

	if (err)
		fail_msg("test run of %zu bytes failed: %s", size, strerror(-err));
	return opts.retval;
}

uint32_t guard_run(struct guard *guard, uint8_t *frame, size_t size, bool egress)
{
	return run_program(guard, frame, size, egress, NULL);
}

uint32_t guard_run_out(struct guard *guard, const uint8_t *frame, size_t frame_size, uint8_t *out,
		       size_t *size)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (__u32)frame_size,
		    .data_out = out, .data_size_out = (__u32)*size);
	int err = bpf_prog_test_run_opts(bpf_program__fd(guard->skel->progs.tg_xdp_ingress), &opts);

	if (err)
		fail_msg("test run of %zu bytes failed: %s", frame_size, strerror(-err));
	*size = opts.data_size_out;
	return opts.retval;
}

uint32_t guard_run_forwarded(struct guard *guard, const uint8_t *frame, size_t size,
			     uint32_t ingress_ifindex)
{
	struct __sk_buff skb = { .ingress_ifindex = ingress_ifindex };

	return run_program(guard, frame, size, true, &skb);
}

static void read_counters(struct guard *guard, struct tg_counters *sum)
{
	__u32 slot = 0;
	int err = bpf_map_lookup_elem(bpf_map__fd(guard->skel->maps.tg_counters), &slot,
				      guard->counters);
	int cpu, outcome, verdict;

	if (err)
		fail_msg("cannot read tg_counters: %s", strerror(-err));
	memset(sum, 0, sizeof(*sum));
	for (cpu = 0; cpu < guard->cpus; cpu++)
		for (outcome = 0; outcome < TG_OUTCOME_MAX; outcome++)
			for (verdict = 0; verdict < TG_VERDICT_MAX; verdict++)
				sum->count[outcome][verdict].packets +=
					guard->counters[cpu].count[outcome][verdict].packets;
}

uint64_t guard_count(struct guard *guard, enum tg_verdict verdict)
{
	struct tg_counters now;
	uint64_t packets = 0;
	int outcome;

	read_counters(guard, &now);
	for (outcome = 0; outcome < TG_OUTCOME_MAX; outcome++)
		packets += now.count[outcome][verdict].packets;
	return packets;
}

uint64_t guard_tally(struct guard *guard, enum tg_tally tally)
{
	struct tg_tallies *tallies = calloc((size_t)guard->cpus, sizeof(*tallies));
	uint64_t sum = 0;
	__u32 slot = 0;
	int cpu;

	assert_non_null(tallies);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(guard->skel->maps.tg_tallies), &slot, tallies), 0);
	for (cpu = 0; cpu < guard->cpus; cpu++)
		sum += tallies[cpu].tally[tally];
	free(tallies);
	return sum;
}

/* The one counter that moved, and by how much it was to move. */
static struct judgement what_moved(const struct tg_counters *before, const struct tg_counters *after,
				   uint64_t by)
{
	struct judgement judgement = {};
	int outcome, verdict, moved = 0;

	for (outcome = 0; outcome < TG_OUTCOME_MAX; outcome++) {
		for (verdict = 0; verdict < TG_VERDICT_MAX; verdict++) {
			uint64_t difference = after->count[outcome][verdict].packets -
					      before->count[outcome][verdict].packets;

			if (!difference)
				continue;
			moved++;
			assert_int_equal(difference, by);
			judgement.verdict = (enum tg_verdict)verdict;
			judgement.outcome = (enum tg_outcome)outcome;
		}
	}
	assert_int_equal(moved, 1);
	return judgement;
}

static struct judgement judge(struct guard *guard, const uint8_t *frame, size_t size, bool egress,
			      struct __sk_buff *skb)
{
	static struct tg_counters before, after;
	struct judgement judgement;
	uint32_t code;

	read_counters(guard, &before);
	code = run_program(guard, frame, size, egress, skb);
	read_counters(guard, &after);
	judgement = what_moved(&before, &after, skb && skb->gso_segs ? skb->gso_segs : 1);
	/* XDP_DROP is 1, XDP_PASS 2, XDP_TX 3; TC_ACT_SHOT is 2, TC_ACT_UNSPEC -1. */
	judgement.dropped = code == (egress ? 2U : 1U);
	judgement.answered = !egress && code == 3;
	if (!judgement.dropped && !judgement.answered)
		assert_int_equal((int)code, egress ? -1 : 2);
	return judgement;
}

struct judgement guard_judge(struct guard *guard, const uint8_t *frame, size_t size, bool egress)
{
	return judge(guard, frame, size, egress, NULL);
}

struct judgement guard_judge_skb(struct guard *guard, const uint8_t *frame, size_t size,
				 uint32_t ingress_ifindex, uint32_t gso_segs)
{
	struct __sk_buff skb = { .ingress_ifindex = ingress_ifindex, .gso_segs = gso_segs };

	return judge(guard, frame, size, true, &skb);
}

struct judgement guard_judge_segment(struct guard *guard, const struct segment *segment, bool egress)
{
	uint8_t frame[FRAME_MAX];
	size_t size = frame_build(frame, segment);

	return judge(guard, frame, size, egress, NULL);
}

void guard_same(enum tg_verdict got, enum tg_verdict want, const char *what, int line)
{
	if (got != want)
		fail_msg("%s, line %d: want %s, got %s", what, line, verdict_name(want),
			 verdict_name(got));
}

struct judgement guard_expect(struct guard *guard, const struct segment *segment, bool egress,
			      enum tg_verdict want, const char *what, int line)
{
	struct judgement got = guard_judge_segment(guard, segment, egress);

	guard_same(got.verdict, want, what, line);
	assert_int_equal(got.dropped, tg_verdict_drops(want) && got.outcome == TG_OUTCOME_VERDICT);
	return got;
}

static const struct endpoint *endpoint_of(const struct guard *guard, enum speaker who)
{
	if (guard->options.ipv6)
		return who == CLIENT ? &guard_client6 : &guard_server6;
	return who == CLIENT ? &guard_client : &guard_server;
}

static struct segment segment_of(const struct guard *guard, const struct step *step)
{
	struct segment segment = {
		.from = endpoint_of(guard, step->who),
		.to = endpoint_of(guard, step->who == CLIENT ? SERVER : CLIENT),
		.ipv6 = guard->options.ipv6,
		.link = guard->options.no_link_header ? LINK_NONE : LINK_ETHERNET,
		.flags = step->flags,
		.seq = step->seq,
		.ack = step->ack,
		.window = step->window,
		.zero_window = step->zero_window,
		.payload = step->payload,
		.tsval = step->tsval,
		.wscale = step->wscale,
	};

	if (step->sack_to) {
		segment.sack_blocks = 1;
		segment.sack[0][0] = step->sack_from;
		segment.sack[0][1] = step->sack_to;
	}
	return segment;
}

static void check_state(struct guard *guard, size_t line, enum speaker who, enum tg_tcp_state want)
{
	static const char *const names[] = {
#define X(name) #name,
		TG_TCP_STATES(X)
#undef X
	};
	enum tg_tcp_state got = guard_state(guard, who);

	if (got != want)
		fail_msg("step %zu: %s: want %s, got %s", line, who == CLIENT ? "client" : "server",
			 names[want], names[got]);
}

void guard_say(struct guard *guard, const struct step *step, size_t line)
{
	bool egress = step->who == SERVER && !guard->options.all_ingress;
	struct segment segment = segment_of(guard, step);
	struct judgement got;

	guard_advance_ms(guard, step->after_ms);
	got = guard_judge_segment(guard, &segment, egress);
	if (got.verdict != step->want)
		fail_msg("step %zu: want %s, got %s", line, verdict_name(step->want),
			 verdict_name(got.verdict));
	/* Our own segments and monitor mode drop nothing, everything else is done as the verdict says. */
	assert_int_equal(got.dropped, tg_verdict_drops(got.verdict) && !egress &&
					      !guard->options.monitor && !guard->settings->bypass);
	if (!step->states)
		return;
	check_state(guard, line, CLIENT, step->client);
	check_state(guard, line, SERVER, step->server);
}

void guard_talk(struct guard *guard, const struct step *steps, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		guard_say(guard, &steps[i], i + 1);
}

void guard_handshake(struct guard *guard)
{
	const struct step steps[] = {
		{ CLIENT, SYN, .seq = 1000, .wscale = WS(7), .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .wscale = WS(7), .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK },
	};

	TALK(guard, steps);
}

static bool find_flow(struct guard *guard, struct tg_ref *ref, enum tg_side *client)
{
	const struct endpoint *from = endpoint_of(guard, CLIENT), *to = endpoint_of(guard, SERVER);
	struct tg_packet packet = { .ipv4 = !guard->options.ipv6 };
	struct tg_flow_id id;
	__u64 *word;

	packet.sport = htons(from->port);
	packet.dport = htons(to->port);
	if (packet.ipv4) {
		packet.saddr[2] = packet.daddr[2] = htonl(0xffff);
		memcpy(&packet.saddr[3], from->address, 4);
		memcpy(&packet.daddr[3], to->address, 4);
	} else {
		memcpy(packet.saddr, from->address, 16);
		memcpy(packet.daddr, to->address, 16);
	}
	id = tg_flow_identify(&guard->hash, &packet);
	*client = id.side;
	return tg_flow_find(&guard->table, id.tag, ref, &word) == TG_FOUND_LIVE &&
	       !tg_slot_expired(ref->slot, &guard->settings->config[0].timeouts, (__u32)guard_now_ms(guard));
}

struct tg_slot *guard_slot(struct guard *guard)
{
	enum tg_side client;
	struct tg_ref ref;

	return find_flow(guard, &ref, &client) ? ref.slot : NULL;
}

struct tg_detail *guard_detail(struct guard *guard)
{
	enum tg_side client;
	struct tg_ref ref;

	return find_flow(guard, &ref, &client) ? &guard->table.detail[ref.number] : NULL;
}

struct tg_half *guard_half(struct guard *guard, enum speaker who)
{
	enum tg_side client;
	struct tg_ref ref;

	if (!find_flow(guard, &ref, &client))
		fail_msg("there is no flow");
	return &ref.slot->half[who == CLIENT ? client : !client];
}

struct tg_half_count *guard_half_count(struct guard *guard, enum speaker who)
{
	enum tg_side client;
	struct tg_ref ref;

	if (!find_flow(guard, &ref, &client))
		fail_msg("there is no flow");
	return &guard->table.detail[ref.number].count[who == CLIENT ? client : !client];
}

enum tg_tcp_state guard_state(struct guard *guard, enum speaker who)
{
	if (!guard_slot(guard))
		return TG_TCP_CLOSED;
	return tg_endpoint_state(guard_half(guard, who),
				 guard_half(guard, who == CLIENT ? SERVER : CLIENT));
}

enum tg_phase guard_phase(struct guard *guard)
{
	return tg_flow_phase(guard_half(guard, CLIENT), guard_half(guard, SERVER));
}

uint32_t guard_flows(struct guard *guard)
{
	uint32_t flows = 0, i, way;

	for (i = 0; i < guard->table.buckets; i++) {
		for (way = 0; way < TG_BUCKET_WAYS; way++) {
			const struct tg_slot *slot = &guard->table.bucket[i].slot[way];

			flows += tg_claim_live(slot->claim) &&
				 !tg_slot_expired(slot, &guard->settings->config[0].timeouts,
						  (__u32)guard_now_ms(guard));
		}
	}
	return flows;
}
