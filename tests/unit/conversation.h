/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conversations with the data path in user space (native_path.h): lines that one of two endpoints
 * says, from frame to verdict, and the stages that lead a flow to each of its phases.
 */
#ifndef TESTS_CONVERSATION_H
#define TESTS_CONVERSATION_H

#include "tests/unit/native_path.h"

#include "tests/bpf/frame.h"

#define BUCKETS 64
#define NOW_MS 0x500000000ULL /* well beyond 32 bits */

#define S TG_SYN
#define A TG_ACK
#define F TG_FIN
#define R TG_RST

#define FAR 0x20000000 /* beyond every window */

enum who {
	OPENER,
	OTHER,
};

/* Numbers count from the initial sequence number of whose they are. */
struct line {
	enum who who;
	__u8 flags;
	__u32 seq, ack, payload;
	__u32 tsval;
	enum tg_verdict want;
};

/* What leads to each phase; a row goes on from there. */
enum stage {
	NONE,
	SYN_SENT,
	SYN_RECV,
	SIM_OPEN, /* both SYNs crossed */
	ESTABLISHED, /* the opener sent 100 bytes, the other 200, all acknowledged */
	FIN_SENT, /* the opener's FIN is number 101, not acknowledged */
	FIN_ACKED,
	LAST_ACK, /* the other's FIN is number 201 */
	CROSSING, /* both FINs sent, neither acknowledged */
	TIME_WAIT,
	CLOSED, /* RST from the opener */
	STAGES
};

static const struct {
	enum stage from; /* goes on from this one */
	struct line line[8];
	size_t lines;
} stages[STAGES] = {
	[NONE] = { .lines = 0 },
	[SYN_SENT] = { NONE, { { OPENER, S, 0, 0, 0, 0, TG_PASS_NEW } }, 1 },
	[SYN_RECV] = { SYN_SENT, { { OTHER, S | A, 0, 1, 0, 0, TG_PASS_SYNACK } }, 1 },
	[SIM_OPEN] = { SYN_SENT, { { OTHER, S, 0, 0, 0, 0, TG_PASS_SIMOPEN } }, 1 },
	[ESTABLISHED] = { SYN_RECV,
			  { { OPENER, A, 1, 1, 0, 0, TG_PASS_OK },
			    { OPENER, A, 1, 1, 100, 0, TG_PASS_OK },
			    { OTHER, A, 1, 101, 200, 0, TG_PASS_OK },
			    { OPENER, A, 101, 201, 0, 0, TG_PASS_OK } },
			  4 },
	[FIN_SENT] = { ESTABLISHED, { { OPENER, F | A, 101, 201, 0, 0, TG_PASS_OK } }, 1 },
	[FIN_ACKED] = { FIN_SENT, { { OTHER, A, 201, 102, 0, 0, TG_PASS_OK } }, 1 },
	[LAST_ACK] = { FIN_ACKED, { { OTHER, F | A, 201, 102, 0, 0, TG_PASS_OK } }, 1 },
	[CROSSING] = { FIN_SENT, { { OTHER, F | A, 201, 101, 0, 0, TG_PASS_OK } }, 1 },
	[TIME_WAIT] = { LAST_ACK, { { OPENER, A, 102, 202, 0, 0, TG_PASS_OK } }, 1 },
	[CLOSED] = { ESTABLISHED, { { OPENER, R, 101, 0, 0, 0, TG_PASS_RST_EXACT } }, 1 },
};

/* The world a conversation takes place in. */
struct setting {
	bool ipv6;
	bool opener_high;
	__u32 isn[2]; /* opener's, other's */
	__u64 now_ms;
};

static const struct endpoint lo4 = { { 10, 0, 0, 1 }, 40000 }, hi4 = { { 10, 0, 0, 2 }, 80 };
static const struct endpoint lo6 = { { 0xfd, [15] = 1 }, 40000 }, hi6 = { { 0xfd, [15] = 2 }, 80 };

/* Judges one line, in a copy that ends where the frame ends. */
static inline enum tg_verdict say(const struct setting *world, const struct line *line)
{
	const struct endpoint *lo = world->ipv6 ? &lo6 : &lo4, *hi = world->ipv6 ? &hi6 : &hi4;
	bool from_high = (line->who == OPENER) == world->opener_high;
	uint8_t frame[FRAME_MAX], *exact;
	enum tg_verdict verdict;
	struct segment segment = {
		.from = from_high ? hi : lo,
		.to = from_high ? lo : hi,
		.ipv6 = world->ipv6,
		.flags = line->flags,
		.seq = world->isn[line->who] + line->seq,
		.ack = line->flags & A ? world->isn[!line->who] + line->ack : 0,
		.payload = line->payload,
		.tsval = line->tsval,
		.window = line->flags & S ? 65535 : 1000,
		.wscale = line->flags & S ? WS(7) : 0,
	};
	size_t size = frame_build(frame, &segment);

	exact = malloc(size);
	assert_non_null(exact);
	memcpy(exact, frame, size);
	verdict = native_judge_frame(exact, size, world->now_ms);
	free(exact);
	return verdict;
}

/* The flow's slot; NULL if there is none that counts. */
static inline struct tg_slot *find_slot(const struct setting *world, __u32 *number)
{
	const struct endpoint *lo = world->ipv6 ? &lo6 : &lo4, *hi = world->ipv6 ? &hi6 : &hi4;
	struct tg_table table = native_table();
	struct tg_flow_key key = { .lo_port = htons(lo->port), .hi_port = htons(hi->port) };
	struct tg_ref ref;
	__u64 *word;

	if (world->ipv6) {
		memcpy(key.lo_addr, lo->address, 16);
		memcpy(key.hi_addr, hi->address, 16);
	} else {
		key.lo_addr[2] = key.hi_addr[2] = htonl(0xffff);
		memcpy(&key.lo_addr[3], lo->address, 4);
		memcpy(&key.hi_addr[3], hi->address, 4);
	}
	if (tg_flow_find(&table, tg_tag_of_key(&tg_program.hash, &key), &ref, &word) != TG_FOUND_LIVE ||
	    tg_slot_expired(ref.slot, &native.settings.config[0].timeouts, (__u32)world->now_ms))
		return NULL;
	if (number)
		*number = ref.number;
	assert_memory_equal(&native.detail[ref.number].key, &key, sizeof(key));
	return ref.slot;
}

static inline enum tg_tcp_state state_of(const struct setting *world, const struct tg_slot *slot, enum who who)
{
	enum tg_side side = (who == OPENER) == world->opener_high ? TG_SIDE_HI : TG_SIDE_LO;

	return tg_endpoint_state(&slot->half[side], &slot->half[!side]);
}

/* Leads a flow to this stage. */
static inline void play(const struct setting *world, enum stage stage)
{
	size_t i;

	if (stage == NONE)
		return;
	play(world, stages[stage].from);
	for (i = 0; i < stages[stage].lines; i++) {
		enum tg_verdict got = say(world, &stages[stage].line[i]);

		if (got != stages[stage].line[i].want)
			fail_msg("stage %d, line %zu: %s", stage, i, verdict_name(got));
	}
}

static const struct setting plain = { .isn = { 1000, 5000 }, .now_ms = NOW_MS };

/* Plays a conversation in one flow, the clock standing still; fails at the first other verdict. */
static inline void talk(const struct setting *world, const struct line *lines, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		enum tg_verdict got = say(world, &lines[i]);

		if (got != lines[i].want)
			fail_msg("line %zu: %s, want %s", i, verdict_name(got), verdict_name(lines[i].want));
	}
}

#define TALK(world, lines) talk(world, lines, COUNT(lines))

/* cmocka set-up and tear-down: an empty table. */
static inline int fresh(void **state)
{
	(void)state;
	native_open(BUCKETS, true);
	return 0;
}

static inline int done(void **state)
{
	(void)state;
	native_close();
	return 0;
}

#endif
