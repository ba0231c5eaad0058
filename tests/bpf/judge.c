/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames through a guard's programs, and the counters that tell what was done with them. */
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tests/bpf/guard_struct.h"
#include "tests/bpf/judge.h"

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
	int err = bpf_prog_test_run_opts(guard->programs.xdp, &opts);

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
