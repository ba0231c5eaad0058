/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One frame through a guard's programs: the verdict is the one counter that moved. */
#ifndef TESTS_JUDGE_H
#define TESTS_JUDGE_H

#include "tests/bpf/guard.h"

/* Judges any frame.  egress: by the TC program.  Asserts that exactly one counter moved by `segments`. */
struct judgement {
	enum tg_verdict verdict;
	enum tg_outcome outcome;
	bool dropped; /* what the program returned */
	bool answered;
};
struct judgement guard_judge(struct guard *guard, const uint8_t *frame, size_t size, bool egress);

/* The same for a segment; and with skb fields for TC (ingress_ifindex, gso_segs), 0 = none. */
struct judgement guard_judge_segment(struct guard *guard, const struct segment *segment, bool egress);
struct judgement guard_judge_skb(struct guard *guard, const uint8_t *frame, size_t size,
				 uint32_t ingress_ifindex, uint32_t gso_segs);

/* Judges a segment and fails unless it gets this verdict.  Returns the judgement for more questions. */
struct judgement guard_expect(struct guard *guard, const struct segment *segment, bool egress,
			      enum tg_verdict want, const char *what, int line);
#define EXPECT(guard, segment, egress, want) \
	guard_expect(guard, segment, egress, want, __func__, __LINE__)

/* Fails unless got is want; what and line say where. */
void guard_same(enum tg_verdict got, enum tg_verdict want, const char *what, int line);
#define SAME(got, want) guard_same(got, want, __func__, __LINE__)

/* Runs a frame without looking at counters: for floods.  Returns the program's return code. */
uint32_t guard_run(struct guard *guard, uint8_t *frame, size_t size, bool egress);
/* The same at XDP, with the frame as the program left it; *size is room, then its length. */
uint32_t guard_run_out(struct guard *guard, const uint8_t *frame, size_t frame_size, uint8_t *out,
		       size_t *size);
/* The same at TC for a forwarded packet. */
uint32_t guard_run_forwarded(struct guard *guard, const uint8_t *frame, size_t size,
			     uint32_t ingress_ifindex);
uint64_t guard_count(struct guard *guard, enum tg_verdict verdict); /* packets so far, all outcomes */
uint64_t guard_tally(struct guard *guard, enum tg_tally tally);

const char *verdict_name(enum tg_verdict verdict);

#endif
