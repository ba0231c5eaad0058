/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every cell of the transition table, tcp-tracking 2.5: phase x direction x class of segment, and
 * the RSTs of 2.7, through the whole path from frame to verdict.  Each row begins with a flow of its
 * own, in IPv4 and IPv6, opened by the lower and the higher endpoint, with numbers that wrap.
 */
#include "tests/unit/native_path.h"

#include "tests/bpf/frame.h"

#define BUCKETS 64
#define NOW_MS 0x500000000ULL /* well beyond 32 bits */

#define S TG_SYN
#define A TG_ACK
#define F TG_FIN
#define R TG_RST

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

#define ABSENT TG_TCP_STATE_MAX /* no flow afterwards */
#define AS_BEFORE (TG_TCP_STATE_MAX + 1)
#define SAME .opener = AS_BEFORE, .other = AS_BEFORE
#define GONE .opener = ABSENT, .other = ABSENT
#define PAIR(a, b) .opener = TG_TCP_##a, .other = TG_TCP_##b

struct row {
	enum stage stage;
	struct line line;
	int opener, other; /* enum tg_tcp_state afterwards, or the above */
	bool learns;
};

#define FAR 0x20000000

/* clang-format off */
static const struct row rows[] = {
	/* none */
	{ NONE, { OPENER, S,     0, 0, 0, 0, TG_PASS_NEW }, PAIR(SYN_SENT, LISTEN) },
	{ NONE, { OTHER,  S,     0, 0, 0, 0, TG_PASS_NEW }, PAIR(LISTEN, SYN_SENT) },
	{ NONE, { OPENER, S | A, 0, 1, 0, 0, TG_DROP_NO_FLOW }, GONE },
	{ NONE, { OTHER,  S | A, 0, 1, 0, 0, TG_DROP_NO_FLOW }, GONE },
	{ NONE, { OPENER, A,     1, 1, 0, 0, TG_DROP_NO_FLOW }, GONE },
	{ NONE, { OTHER,  A,     1, 1, 9, 0, TG_DROP_NO_FLOW }, GONE },
	{ NONE, { OPENER, F | A, 1, 1, 0, 0, TG_DROP_NO_FLOW }, GONE },
	{ NONE, { OTHER,  F | A, 1, 1, 0, 0, TG_DROP_NO_FLOW }, GONE },
	{ NONE, { OPENER, R,     1, 0, 0, 0, TG_DROP_RST_NO_FLOW }, GONE },
	{ NONE, { OTHER,  R | A, 1, 1, 0, 0, TG_DROP_RST_NO_FLOW }, GONE },
	/* none, learning */
	{ NONE, { OPENER, S,     0, 0, 0, 0, TG_PASS_NEW }, PAIR(SYN_SENT, LISTEN), .learns = true },
	{ NONE, { OPENER, S | A, 0, 1, 0, 0, TG_NOUPD_UNTRACKED }, GONE, .learns = true },
	{ NONE, { OTHER,  S | A, 0, 1, 0, 0, TG_NOUPD_UNTRACKED }, GONE, .learns = true },
	{ NONE, { OPENER, A,     1, 1, 0, 0, TG_PASS_PICKUP }, PAIR(ESTABLISHED, ESTABLISHED), .learns = true },
	{ NONE, { OTHER,  A,     1, 1, 9, 0, TG_PASS_PICKUP }, PAIR(ESTABLISHED, ESTABLISHED), .learns = true },
	{ NONE, { OPENER, F | A, 1, 1, 0, 0, TG_NOUPD_UNTRACKED }, GONE, .learns = true },
	{ NONE, { OTHER,  F | A, 1, 1, 5, 0, TG_NOUPD_UNTRACKED }, GONE, .learns = true },
	{ NONE, { OPENER, R,     1, 0, 0, 0, TG_NOUPD_UNTRACKED }, GONE, .learns = true },
	{ NONE, { OTHER,  R | A, 1, 1, 0, 0, TG_NOUPD_UNTRACKED }, GONE, .learns = true },

	/* SYN_SENT */
	{ SYN_SENT, { OPENER, S,     0,    0, 0, 0, TG_NOUPD_SYN_RETRANS }, SAME },
	{ SYN_SENT, { OPENER, S,     5000, 0, 0, 0, TG_PASS_SYN_REINIT }, PAIR(SYN_SENT, LISTEN) },
	{ SYN_SENT, { OTHER,  S,     0,    0, 0, 0, TG_PASS_SIMOPEN }, PAIR(SYN_RECEIVED, SYN_RECEIVED) },
	{ SYN_SENT, { OPENER, S | A, 0,    1, 0, 0, TG_DROP_SYNACK_WRONG_DIR }, SAME },
	{ SYN_SENT, { OTHER,  S | A, 0,    1, 0, 0, TG_PASS_SYNACK }, PAIR(SYN_SENT, SYN_RECEIVED) },
	{ SYN_SENT, { OTHER,  S | A, 0,    2, 0, 0, TG_NOUPD_SYNACK_BAD_ACK }, SAME },
	{ SYN_SENT, { OTHER,  S | A, 0,    0, 0, 0, TG_NOUPD_SYNACK_BAD_ACK }, SAME },
	{ SYN_SENT, { OPENER, A,     1,    1, 0, 0, TG_DROP_ACK_BEFORE_SYNACK }, SAME },
	{ SYN_SENT, { OPENER, A,     1,    1, 9, 0, TG_DROP_ACK_BEFORE_SYNACK }, SAME },
	{ SYN_SENT, { OPENER, F | A, 1,    1, 0, 0, TG_DROP_ACK_BEFORE_SYNACK }, SAME },
	{ SYN_SENT, { OTHER,  A,     1,    1, 0, 0, TG_NOUPD_EARLY_SEG }, SAME },
	{ SYN_SENT, { OTHER,  A,     1,    1, 9, 0, TG_NOUPD_EARLY_SEG }, SAME },
	{ SYN_SENT, { OTHER,  F | A, 1,    1, 0, 0, TG_NOUPD_EARLY_SEG }, SAME },
	{ SYN_SENT, { OTHER,  A,     1,    2, 0, 0, TG_NOUPD_CHALLENGE_ACK }, SAME },
	{ SYN_SENT, { OTHER,  A,     1,    0, 0, 0, TG_NOUPD_CHALLENGE_ACK }, SAME },
	{ SYN_SENT, { OTHER,  A,     1,    2, 9, 0, TG_DROP_DATA_BEFORE_SYNACK }, SAME },
	{ SYN_SENT, { OTHER,  F | A, 1,    2, 0, 0, TG_DROP_DATA_BEFORE_SYNACK }, SAME },
	{ SYN_SENT, { OPENER, R,     1,    0, 0, 0, TG_PASS_ABORT }, PAIR(CLOSED, CLOSED) },
	{ SYN_SENT, { OPENER, R,     0,    0, 0, 0, TG_DROP_RST_SYN_SENT }, SAME },
	{ SYN_SENT, { OPENER, R,     2,    0, 0, 0, TG_DROP_RST_SYN_SENT }, SAME },
	{ SYN_SENT, { OTHER,  R | A, 77,   1, 0, 0, TG_PASS_REFUSED }, PAIR(CLOSED, CLOSED) },
	{ SYN_SENT, { OTHER,  R | A, 0,    2, 0, 0, TG_DROP_RST_SYN_SENT }, SAME },
	{ SYN_SENT, { OTHER,  R | A, 0,    0, 0, 0, TG_DROP_RST_SYN_SENT }, SAME },
	{ SYN_SENT, { OTHER,  R,     0,    1, 0, 0, TG_DROP_RST_SYN_SENT }, SAME },
	/* SYN_SENT, learning */
	{ SYN_SENT, { OPENER, A,     1,    1, 9, 0, TG_PASS_PICKUP }, PAIR(ESTABLISHED, ESTABLISHED), .learns = true },
	{ SYN_SENT, { OPENER, F | A, 1,    1, 0, 0, TG_NOUPD_UNTRACKED }, SAME, .learns = true },
	{ SYN_SENT, { OTHER,  A,     1,    2, 9, 0, TG_PASS_PICKUP }, PAIR(ESTABLISHED, ESTABLISHED), .learns = true },
	{ SYN_SENT, { OTHER,  A,     1,    2, 0, 0, TG_NOUPD_CHALLENGE_ACK }, SAME, .learns = true },
	{ SYN_SENT, { OTHER,  F | A, 1,    2, 0, 0, TG_NOUPD_UNTRACKED }, SAME, .learns = true },

	/* SYN_RECV */
	{ SYN_RECV, { OPENER, S,     0,    0,   0, 0, TG_PASS_SYN_RETRANS }, SAME },
	{ SYN_RECV, { OPENER, S,     5000, 0,   0, 0, TG_NOUPD_SYN_NEW_ISN }, SAME },
	{ SYN_RECV, { OTHER,  S,     0,    0,   0, 0, TG_PASS_SYN_RETRANS }, SAME },
	{ SYN_RECV, { OTHER,  S,     5000, 0,   0, 0, TG_NOUPD_SYN_NEW_ISN }, SAME },
	{ SYN_RECV, { OPENER, S | A, 0,    2,   0, 0, TG_NOUPD_SYNACK_UNEXPECTED }, SAME },
	{ SYN_RECV, { OTHER,  S | A, 0,    1,   0, 0, TG_PASS_SYNACK }, SAME },
	{ SYN_RECV, { OTHER,  S | A, 5000, 1,   0, 0, TG_PASS_SYNACK }, SAME },
	{ SYN_RECV, { OTHER,  S | A, 0,    2,   0, 0, TG_NOUPD_SYNACK_UNEXPECTED }, SAME },
	{ SYN_RECV, { OPENER, A,     1,    1,   0, 0, TG_PASS_OK }, PAIR(ESTABLISHED, ESTABLISHED) },
	{ SYN_RECV, { OPENER, A,     1,    1,   9, 0, TG_PASS_OK }, PAIR(ESTABLISHED, ESTABLISHED) },
	{ SYN_RECV, { OPENER, A,     1,    0,   0, 0, TG_DROP_HS_BAD_ACK }, SAME },
	{ SYN_RECV, { OPENER, A,     1,    2,   0, 0, TG_DROP_HS_BAD_ACK }, SAME },
	{ SYN_RECV, { OPENER, A,     1,    2,   9, 0, TG_DROP_HS_BAD_ACK }, SAME },
	{ SYN_RECV, { OPENER, A,     FAR,  1,   9, 0, TG_DROP_SEQ_ABOVE }, SAME },
	{ SYN_RECV, { OPENER, F | A, 1,    1,   0, 0, TG_PASS_OK }, PAIR(FIN_WAIT_1, ESTABLISHED) },
	{ SYN_RECV, { OPENER, F | A, 1,    2,   0, 0, TG_DROP_HS_BAD_ACK }, SAME },
	{ SYN_RECV, { OTHER,  A,     1,    1,   0, 0, TG_PASS_OK }, SAME },
	{ SYN_RECV, { OTHER,  A,     1,    1, 900, 0, TG_PASS_OK }, SAME },
	{ SYN_RECV, { OTHER,  A,     1,    2,   0, 0, TG_DROP_ACK_ABOVE }, SAME },
	{ SYN_RECV, { OTHER,  F | A, 1,    1,   0, 0, TG_PASS_OK }, SAME },
	{ SYN_RECV, { OPENER, R,     1,    0,   0, 0, TG_PASS_RST_EXACT }, PAIR(CLOSED, CLOSED) },
	{ SYN_RECV, { OPENER, R,     9,    0,   0, 0, TG_NOUPD_RST_INEXACT }, SAME },
	{ SYN_RECV, { OPENER, R,     FAR,  0,   0, 0, TG_DROP_RST_ABOVE }, SAME },
	{ SYN_RECV, { OPENER, R,     0,    0,   0, 0, TG_DROP_RST_OLD }, SAME },
	{ SYN_RECV, { OTHER,  R | A, 1,    1,   0, 0, TG_PASS_RST_EXACT }, PAIR(CLOSED, CLOSED) },
	{ SYN_RECV, { OTHER,  R | A, 9,    1,   0, 0, TG_NOUPD_RST_INEXACT }, SAME },
	{ SYN_RECV, { OTHER,  R | A, 0,    1,   0, 0, TG_NOUPD_RST_INEXACT }, SAME },
	{ SYN_RECV, { OTHER,  R | A, FAR,  1,   0, 0, TG_NOUPD_RST_INEXACT }, SAME },
	{ SYN_RECV, { OTHER,  R | A, 0,    2,   0, 0, TG_DROP_RST_OLD }, SAME },
	{ SYN_RECV, { OTHER,  R | A, FAR,  2,   0, 0, TG_DROP_RST_OLD }, SAME },

	/* simultaneous open */
	{ SIM_OPEN, { OPENER, S,     0,    0, 0, 0, TG_PASS_SYN_RETRANS }, SAME },
	{ SIM_OPEN, { OTHER,  S,     0,    0, 0, 0, TG_PASS_SYN_RETRANS }, SAME },
	{ SIM_OPEN, { OPENER, S,     5000, 0, 0, 0, TG_NOUPD_SYN_NEW_ISN }, SAME },
	{ SIM_OPEN, { OTHER,  S,     5000, 0, 0, 0, TG_NOUPD_SYN_NEW_ISN }, SAME },
	{ SIM_OPEN, { OPENER, S | A, 0,    1, 0, 0, TG_PASS_SYNACK }, PAIR(SYN_RECEIVED, SYN_SENT) },
	{ SIM_OPEN, { OTHER,  S | A, 0,    1, 0, 0, TG_PASS_SYNACK }, PAIR(SYN_SENT, SYN_RECEIVED) },
	{ SIM_OPEN, { OPENER, S | A, 0,    2, 0, 0, TG_NOUPD_SYNACK_UNEXPECTED }, SAME },
	{ SIM_OPEN, { OTHER,  S | A, 0,    0, 0, 0, TG_NOUPD_SYNACK_UNEXPECTED }, SAME },
	{ SIM_OPEN, { OPENER, A,     1,    1, 0, 0, TG_PASS_OK }, PAIR(SYN_RECEIVED, SYN_SENT) },
	{ SIM_OPEN, { OTHER,  A,     1,    1, 9, 0, TG_PASS_OK }, PAIR(SYN_SENT, SYN_RECEIVED) },
	{ SIM_OPEN, { OPENER, A,     1,    2, 0, 0, TG_DROP_HS_BAD_ACK }, SAME },
	{ SIM_OPEN, { OTHER,  A,     1,    0, 0, 0, TG_DROP_HS_BAD_ACK }, SAME },
	{ SIM_OPEN, { OPENER, F | A, 1,    1, 0, 0, TG_PASS_OK }, PAIR(SYN_RECEIVED, SYN_SENT) },
	{ SIM_OPEN, { OTHER,  F | A, 1,    1, 0, 0, TG_PASS_OK }, PAIR(SYN_SENT, SYN_RECEIVED) },
	{ SIM_OPEN, { OPENER, R,     1,    0, 0, 0, TG_PASS_RST_EXACT }, PAIR(CLOSED, CLOSED) },
	{ SIM_OPEN, { OTHER,  R,     1,    0, 0, 0, TG_PASS_RST_EXACT }, PAIR(CLOSED, CLOSED) },

	/* ESTABLISHED */
	{ ESTABLISHED, { OPENER, S,     FAR, 0,   0, 0, TG_NOUPD_SYN_CHALLENGE }, SAME },
	{ ESTABLISHED, { OPENER, S,     0,   0,   0, 0, TG_NOUPD_SYN_CHALLENGE }, SAME },
	{ ESTABLISHED, { OTHER,  S,     FAR, 0,   0, 0, TG_NOUPD_SYN_CHALLENGE }, SAME },
	{ ESTABLISHED, { OPENER, S | A, 0,   1,   0, 0, TG_NOUPD_SYNACK_RETRANS }, SAME },
	{ ESTABLISHED, { OTHER,  S | A, 0,   1,   0, 0, TG_NOUPD_SYNACK_RETRANS }, SAME },
	{ ESTABLISHED, { OPENER, S | A, 9,   1,   0, 0, TG_NOUPD_SYNACK_UNEXPECTED }, SAME },
	{ ESTABLISHED, { OTHER,  S | A, 9,   1,   0, 0, TG_NOUPD_SYNACK_UNEXPECTED }, SAME },
	{ ESTABLISHED, { OPENER, A,     101, 201, 0, 0, TG_PASS_OK }, SAME },
	{ ESTABLISHED, { OTHER,  A,     201, 101, 0, 0, TG_PASS_OK }, SAME },
	{ ESTABLISHED, { OPENER, A,     101, 201, 9, 0, TG_PASS_OK }, SAME },
	{ ESTABLISHED, { OTHER,  A,     201, 101, 9, 0, TG_PASS_OK }, SAME },
	{ ESTABLISHED, { OPENER, A,     1, 201, 100, 0, TG_PASS_RETRANS }, SAME },
	{ ESTABLISHED, { OTHER,  A,     1, 101, 200, 0, TG_PASS_RETRANS }, SAME },
	{ ESTABLISHED, { OPENER, A,     100, 201, 1, 0, TG_PASS_KEEPALIVE }, SAME },
	{ ESTABLISHED, { OTHER,  A,     200, 101, 0, 0, TG_PASS_KEEPALIVE }, SAME },
	{ ESTABLISHED, { OPENER, A,     FAR, 201, 9, 0, TG_DROP_SEQ_ABOVE }, SAME },
	{ ESTABLISHED, { OTHER,  A,     FAR, 101, 9, 0, TG_DROP_SEQ_ABOVE }, SAME },
	{ ESTABLISHED, { OPENER, A,     101, 202, 0, 0, TG_DROP_ACK_ABOVE }, SAME },
	{ ESTABLISHED, { OTHER,  A,     201, 102, 0, 0, TG_DROP_ACK_ABOVE }, SAME },
	{ ESTABLISHED, { OPENER, A,    -FAR, 201, 0, 0, TG_DROP_SEQ_BELOW }, SAME },
	{ ESTABLISHED, { OTHER,  A,    -FAR, 101, 0, 0, TG_DROP_SEQ_BELOW }, SAME },
	{ ESTABLISHED, { OPENER, A,     101,-FAR, 0, 0, TG_DROP_ACK_BELOW }, SAME },
	{ ESTABLISHED, { OTHER,  A,     201,-FAR, 0, 0, TG_DROP_ACK_BELOW }, SAME },
	{ ESTABLISHED, { OPENER, F | A, 101, 201, 0, 0, TG_PASS_OK }, PAIR(FIN_WAIT_1, ESTABLISHED) },
	{ ESTABLISHED, { OPENER, F | A, 101, 201, 9, 0, TG_PASS_OK }, PAIR(FIN_WAIT_1, ESTABLISHED) },
	{ ESTABLISHED, { OTHER,  F | A, 201, 101, 0, 0, TG_PASS_OK }, PAIR(ESTABLISHED, FIN_WAIT_1) },
	{ ESTABLISHED, { OPENER, R,     101, 0,   0, 0, TG_PASS_RST_EXACT }, PAIR(CLOSED, CLOSED) },
	{ ESTABLISHED, { OTHER,  R | A, 201, 101, 0, 0, TG_PASS_RST_EXACT }, PAIR(CLOSED, CLOSED) },
	{ ESTABLISHED, { OPENER, R,     102, 0,   0, 0, TG_NOUPD_RST_INEXACT }, SAME },
	{ ESTABLISHED, { OTHER,  R,     202, 0,   0, 0, TG_NOUPD_RST_INEXACT }, SAME },
	{ ESTABLISHED, { OPENER, R,     100, 0,   0, 0, TG_DROP_RST_OLD }, SAME },
	{ ESTABLISHED, { OTHER,  R,     200, 0,   0, 0, TG_DROP_RST_OLD }, SAME },
	{ ESTABLISHED, { OPENER, R,     FAR, 0,   0, 0, TG_DROP_RST_ABOVE }, SAME },
	{ ESTABLISHED, { OTHER,  R,     FAR, 0,   0, 0, TG_DROP_RST_ABOVE }, SAME },

	/* HALF_CLOSED, the FIN not acknowledged: FIN_WAIT_1/ESTABLISHED */
	{ FIN_SENT, { OPENER, A,     102, 201, 0, 0, TG_PASS_OK }, SAME },
	{ FIN_SENT, { OPENER, A,   1, 201, 100, 0, TG_PASS_RETRANS }, SAME },
	{ FIN_SENT, { OPENER, A,     102, 201, 9, 0, TG_PASS_FIN_RETRACT }, PAIR(ESTABLISHED, ESTABLISHED) },
	{ FIN_SENT, { OTHER,  A,     201, 101, 0, 0, TG_PASS_OK }, SAME },
	{ FIN_SENT, { OTHER,  A,     201, 101, 9, 0, TG_PASS_OK }, SAME },
	{ FIN_SENT, { OTHER,  A,     201, 102, 0, 0, TG_PASS_OK }, PAIR(FIN_WAIT_2, CLOSE_WAIT) },
	{ FIN_SENT, { OTHER,  A,     201, 102, 9, 0, TG_PASS_OK }, PAIR(FIN_WAIT_2, CLOSE_WAIT) },
	{ FIN_SENT, { OTHER,  A,     201, 103, 0, 0, TG_DROP_ACK_ABOVE }, SAME },
	{ FIN_SENT, { OPENER, F | A, 101, 201, 0, 0, TG_PASS_RETRANS }, SAME },
	{ FIN_SENT, { OTHER,  F | A, 201, 101, 0, 0, TG_PASS_OK }, PAIR(FIN_WAIT_1, FIN_WAIT_1) },
	{ FIN_SENT, { OTHER,  F | A, 201, 102, 0, 0, TG_PASS_OK }, PAIR(FIN_WAIT_2, LAST_ACK) },
	{ FIN_SENT, { OPENER, S,     FAR, 0,   0, 0, TG_NOUPD_SYN_CHALLENGE }, SAME },
	{ FIN_SENT, { OTHER,  S,     FAR, 0,   0, 0, TG_NOUPD_SYN_CHALLENGE }, SAME },
	{ FIN_SENT, { OTHER,  S | A, 0,   1,   0, 0, TG_NOUPD_SYNACK_RETRANS }, SAME },
	{ FIN_SENT, { OPENER, S | A, 9,   1,   0, 0, TG_NOUPD_SYNACK_UNEXPECTED }, SAME },
	{ FIN_SENT, { OPENER, R,     101, 0,   0, 0, TG_PASS_RST_EXACT }, PAIR(CLOSED, CLOSED) },
	{ FIN_SENT, { OPENER, R,     100, 0,   0, 0, TG_PASS_RST_AFTER_FIN }, PAIR(CLOSED, CLOSED) },
	{ FIN_SENT, { OPENER, R,     102, 0,   0, 0, TG_PASS_RST_TRAIN }, PAIR(CLOSED, CLOSED) },
	{ FIN_SENT, { OPENER, R,     103, 0,   0, 0, TG_NOUPD_RST_CLOSING }, SAME },
	{ FIN_SENT, { OPENER, R,      50, 0,   0, 0, TG_NOUPD_RST_CLOSING }, SAME },
	{ FIN_SENT, { OTHER,  R,     201, 0,   0, 0, TG_PASS_RST_EXACT }, PAIR(CLOSED, CLOSED) },
	{ FIN_SENT, { OTHER,  R,     200, 0,   0, 0, TG_NOUPD_RST_CLOSING }, SAME },
	{ FIN_SENT, { OTHER,  R,     FAR, 0,   0, 0, TG_DROP_RST_ABOVE }, SAME },
	{ FIN_SENT, { OTHER,  R,    -FAR, 0,   0, 0, TG_DROP_RST_OLD }, SAME },

	/* HALF_CLOSED, the FIN acknowledged: FIN_WAIT_2/CLOSE_WAIT */
	{ FIN_ACKED, { OPENER, A,     102, 201, 0, 0, TG_PASS_OK }, SAME },
	{ FIN_ACKED, { OPENER, A,     102, 201, 9, 0, TG_DROP_DATA_AFTER_FIN }, SAME },
	{ FIN_ACKED, { OPENER, A,   1, 201, 100, 0, TG_PASS_RETRANS }, SAME },
	{ FIN_ACKED, { OPENER, F | A, 101, 201, 0, 0, TG_PASS_RETRANS }, SAME },
	{ FIN_ACKED, { OPENER, F | A, 102, 201, 0, 0, TG_NOUPD_SECOND_FIN }, SAME },
	{ FIN_ACKED, { OTHER,  A,     201, 102, 0, 0, TG_PASS_OK }, SAME },
	{ FIN_ACKED, { OTHER,  A,     201, 102, 1400, 0, TG_PASS_OK }, SAME },
	{ FIN_ACKED, { OTHER,  A,     201, 101, 9, 0, TG_PASS_OK }, SAME }, /* an old ack does not take it back */
	{ FIN_ACKED, { OTHER,  F | A, 201, 102, 0, 0, TG_PASS_OK }, PAIR(FIN_WAIT_2, LAST_ACK) },
	{ FIN_ACKED, { OPENER, S,     FAR, 0,   0, 0, TG_NOUPD_SYN_CHALLENGE }, SAME },
	{ FIN_ACKED, { OTHER,  S,     FAR, 0,   0, 0, TG_NOUPD_SYN_CHALLENGE }, SAME },
	{ FIN_ACKED, { OPENER, S | A, 0,   1,   0, 0, TG_NOUPD_SYNACK_RETRANS }, SAME },
	{ FIN_ACKED, { OTHER,  S | A, 9,   1,   0, 0, TG_NOUPD_SYNACK_UNEXPECTED }, SAME },
	{ FIN_ACKED, { OPENER, R,     102, 0,   0, 0, TG_PASS_RST_EXACT }, PAIR(CLOSED, CLOSED) },
	{ FIN_ACKED, { OPENER, R,     101, 0,   0, 0, TG_PASS_RST_AFTER_FIN }, PAIR(CLOSED, CLOSED) },
	{ FIN_ACKED, { OTHER,  R,     201, 0,   0, 0, TG_PASS_RST_EXACT }, PAIR(CLOSED, CLOSED) },
	{ FIN_ACKED, { OTHER,  R,     300, 0,   0, 0, TG_NOUPD_RST_CLOSING }, SAME },

	/* LAST: FIN_WAIT_2/LAST_ACK */
	{ LAST_ACK, { OPENER, A,     102, 202, 0, 0, TG_PASS_OK }, PAIR(TIME_WAIT, CLOSED) },
	{ LAST_ACK, { OPENER, A,     102, 201, 0, 0, TG_PASS_OK }, SAME },
	{ LAST_ACK, { OPENER, A,     102, 203, 0, 0, TG_DROP_ACK_ABOVE }, SAME },
	{ LAST_ACK, { OPENER, A,     102, 202, 9, 0, TG_DROP_DATA_AFTER_FIN }, SAME },
	{ LAST_ACK, { OTHER,  A,     202, 102, 0, 0, TG_PASS_OK }, SAME },
	{ LAST_ACK, { OTHER,  A,   1, 102, 200, 0, TG_PASS_RETRANS }, SAME },
	{ LAST_ACK, { OTHER,  A,     202, 102, 9, 0, TG_PASS_FIN_RETRACT }, PAIR(FIN_WAIT_2, CLOSE_WAIT) },
	{ LAST_ACK, { OPENER, F | A, 101, 201, 0, 0, TG_PASS_RETRANS }, SAME },
	{ LAST_ACK, { OPENER, F | A, 101, 202, 0, 0, TG_PASS_RETRANS }, PAIR(TIME_WAIT, CLOSED) },
	{ LAST_ACK, { OTHER,  F | A, 201, 102, 0, 0, TG_PASS_RETRANS }, SAME },
	{ LAST_ACK, { OPENER, S,     FAR, 0,   0, 0, TG_NOUPD_SYN_CHALLENGE }, SAME },
	{ LAST_ACK, { OTHER,  S,     FAR, 0,   0, 0, TG_NOUPD_SYN_CHALLENGE }, SAME },
	{ LAST_ACK, { OTHER,  S | A, 0,   1,   0, 0, TG_NOUPD_SYNACK_RETRANS }, SAME },
	{ LAST_ACK, { OPENER, S | A, 9,   1,   0, 0, TG_NOUPD_SYNACK_UNEXPECTED }, SAME },
	{ LAST_ACK, { OPENER, R,     102, 0,   0, 0, TG_PASS_RST_EXACT }, PAIR(CLOSED, CLOSED) },
	{ LAST_ACK, { OTHER,  R,     201, 0,   0, 0, TG_PASS_RST_EXACT }, PAIR(CLOSED, CLOSED) },
	{ LAST_ACK, { OTHER,  R,     202, 0,   0, 0, TG_PASS_RST_TRAIN }, PAIR(CLOSED, CLOSED) },
	{ LAST_ACK, { OPENER, R,      50, 0,   0, 0, TG_NOUPD_RST_CLOSING }, SAME },

	/* LAST, crossing: FIN_WAIT_1/FIN_WAIT_1 */
	{ CROSSING, { OPENER, A,     102, 202, 0, 0, TG_PASS_OK }, PAIR(CLOSING, FIN_WAIT_2) },
	{ CROSSING, { OTHER,  A,     202, 102, 0, 0, TG_PASS_OK }, PAIR(FIN_WAIT_2, CLOSING) },
	{ CROSSING, { OPENER, A,     102, 201, 0, 0, TG_PASS_OK }, SAME },
	{ CROSSING, { OTHER,  A,     202, 101, 0, 0, TG_PASS_OK }, SAME },
	{ CROSSING, { OPENER, F | A, 101, 201, 0, 0, TG_PASS_RETRANS }, SAME },
	{ CROSSING, { OTHER,  F | A, 201, 101, 0, 0, TG_PASS_RETRANS }, SAME },
	{ CROSSING, { OPENER, F | A, 101, 202, 0, 0, TG_PASS_RETRANS }, PAIR(CLOSING, FIN_WAIT_2) },
	{ CROSSING, { OTHER,  F | A, 201, 102, 0, 0, TG_PASS_RETRANS }, PAIR(FIN_WAIT_2, CLOSING) },
	{ CROSSING, { OPENER, S,     FAR, 0,   0, 0, TG_NOUPD_SYN_CHALLENGE }, SAME },
	{ CROSSING, { OTHER,  S,     FAR, 0,   0, 0, TG_NOUPD_SYN_CHALLENGE }, SAME },
	{ CROSSING, { OTHER,  S | A, 0,   1,   0, 0, TG_NOUPD_SYNACK_RETRANS }, SAME },
	{ CROSSING, { OPENER, S | A, 9,   1,   0, 0, TG_NOUPD_SYNACK_UNEXPECTED }, SAME },
	{ CROSSING, { OPENER, R,     101, 0,   0, 0, TG_PASS_RST_EXACT }, PAIR(CLOSED, CLOSED) },
	{ CROSSING, { OTHER,  R,     201, 0,   0, 0, TG_PASS_RST_EXACT }, PAIR(CLOSED, CLOSED) },

	/* TIME_WAIT/CLOSED */
	{ TIME_WAIT, { OPENER, A,     102, 202, 0, 0, TG_PASS_TW_ACK }, SAME },
	{ TIME_WAIT, { OTHER,  A,     202, 102, 0, 0, TG_PASS_TW_ACK }, SAME },
	{ TIME_WAIT, { OPENER, A,   1, 202, 100, 0, TG_PASS_TW_STRAY }, SAME },
	{ TIME_WAIT, { OTHER,  A,   1, 102, 200, 0, TG_PASS_TW_STRAY }, SAME },
	{ TIME_WAIT, { OPENER, A,     102, 202, 9, 0, TG_DROP_DATA_AFTER_FIN }, SAME },
	{ TIME_WAIT, { OTHER,  A,     202, 102, 9, 0, TG_DROP_DATA_AFTER_FIN }, SAME },
	{ TIME_WAIT, { OPENER, F | A, 101, 202, 0, 0, TG_PASS_TW_FIN_RETR }, SAME },
	{ TIME_WAIT, { OTHER,  F | A, 201, 102, 0, 0, TG_PASS_TW_FIN_RETR }, SAME },
	{ TIME_WAIT, { OPENER, S,     103, 0,   0, 0, TG_PASS_TW_REUSE }, PAIR(SYN_SENT, LISTEN) },
	{ TIME_WAIT, { OTHER,  S,     203, 0,   0, 0, TG_PASS_TW_REUSE }, PAIR(LISTEN, SYN_SENT) },
	{ TIME_WAIT, { OPENER, S,     102, 0,   0, 0, TG_NOUPD_TW_SYN_OLD }, SAME },
	{ TIME_WAIT, { OTHER,  S,     202, 0,   0, 0, TG_NOUPD_TW_SYN_OLD }, SAME },
	{ TIME_WAIT, { OPENER, S,    -FAR, 0,   0, 0, TG_NOUPD_TW_SYN_OLD }, SAME },
	{ TIME_WAIT, { OTHER,  S | A, 0,   1,   0, 0, TG_NOUPD_SYNACK_RETRANS }, SAME },
	{ TIME_WAIT, { OPENER, S | A, 9,   1,   0, 0, TG_NOUPD_SYNACK_UNEXPECTED }, SAME },
	{ TIME_WAIT, { OPENER, R,     102, 0,   0, 0, TG_NOUPD_RST_LATE }, SAME },
	{ TIME_WAIT, { OTHER,  R | A, 202, 102, 0, 0, TG_NOUPD_RST_LATE }, SAME },

	/* CLOSED by a RST */
	{ CLOSED, { OPENER, A,     101, 201, 0, 0, TG_NOUPD_CLOSED_LATE }, SAME },
	{ CLOSED, { OTHER,  A,     201, 101, 0, 0, TG_NOUPD_CLOSED_LATE }, SAME },
	{ CLOSED, { OPENER, A,     101, 201, 9, 0, TG_NOUPD_CLOSED_LATE }, SAME },
	{ CLOSED, { OTHER,  A,     201, 101, 9, 0, TG_NOUPD_CLOSED_LATE }, SAME },
	{ CLOSED, { OPENER, A,     FAR, 201, 9, 0, TG_NOUPD_CLOSED_LATE }, SAME },
	{ CLOSED, { OTHER,  A,     201, FAR, 0, 0, TG_NOUPD_CLOSED_LATE }, SAME },
	{ CLOSED, { OPENER, F | A, 101, 201, 0, 0, TG_NOUPD_CLOSED_LATE }, SAME },
	{ CLOSED, { OTHER,  F | A, 201, 101, 0, 0, TG_NOUPD_CLOSED_LATE }, SAME },
	{ CLOSED, { OPENER, S,     FAR, 0,   0, 0, TG_PASS_TW_REUSE }, PAIR(SYN_SENT, LISTEN) },
	{ CLOSED, { OPENER, S,    -FAR, 0,   0, 0, TG_PASS_TW_REUSE }, PAIR(SYN_SENT, LISTEN) },
	{ CLOSED, { OTHER,  S,     FAR, 0,   0, 0, TG_PASS_TW_REUSE }, PAIR(LISTEN, SYN_SENT) },
	{ CLOSED, { OTHER,  S | A, 0,   1,   0, 0, TG_NOUPD_SYNACK_RETRANS }, SAME },
	{ CLOSED, { OPENER, S | A, 9,   1,   0, 0, TG_NOUPD_SYNACK_UNEXPECTED }, SAME },
	{ CLOSED, { OPENER, R,     101, 0,   0, 0, TG_NOUPD_RST_LATE }, SAME },
	{ CLOSED, { OTHER,  R,     201, 0,   0, 0, TG_NOUPD_RST_LATE }, SAME },
};
/* clang-format on */

/* The world a row is played in. */
struct setting {
	bool ipv6;
	bool opener_high;
	__u32 isn[2]; /* opener's, other's */
	__u64 now_ms;
};

static const struct endpoint lo4 = { { 10, 0, 0, 1 }, 40000 }, hi4 = { { 10, 0, 0, 2 }, 80 };
static const struct endpoint lo6 = { { 0xfd, [15] = 1 }, 40000 }, hi6 = { { 0xfd, [15] = 2 }, 80 };

static enum tg_verdict say(const struct setting *world, const struct line *line)
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
static struct tg_slot *find_slot(const struct setting *world, __u32 *number)
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

static enum tg_tcp_state state_of(const struct setting *world, const struct tg_slot *slot, enum who who)
{
	enum tg_side side = (who == OPENER) == world->opener_high ? TG_SIDE_HI : TG_SIDE_LO;

	return tg_endpoint_state(&slot->half[side], &slot->half[!side]);
}

static void play(const struct setting *world, enum stage stage)
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

static const char *state_name(int state)
{
	static const char *const names[] = {
#define X(name) #name,
		TG_TCP_STATES(X)
#undef X
			"no flow",
		"as before",
	};

	return names[state];
}

static void check_state(size_t row, enum who who, int before, int after, int want)
{
	if (want == AS_BEFORE)
		want = before;
	if (after != want)
		fail_msg("row %zu: %s: %s, want %s", row, who == OPENER ? "opener" : "other",
			 state_name(after), state_name(want));
}

/*
 * Owner-writes (D2): as long as it is the same flow, the receiver's half is as before.  A drop leaves
 * everything as it was; a NOUPD leaves all but .aux, except after a RST, where numbers are followed.
 */
static void check_writes(size_t i, const struct setting *world, const struct tg_slot *before,
			 const struct tg_slot *after)
{
	const struct line *line = &rows[i].line;
	enum tg_side side = ((line->who == OPENER) == world->opener_high) ? TG_SIDE_HI : TG_SIDE_LO;
	const struct tg_half *was = &before->half[side], *is = &after->half[side];

	if (before->claim != after->claim) {
		assert_true((before->claim ^ after->claim) >> TG_CLAIM_GENERATION_SHIFT);
		return;
	}
	if (memcmp(&before->half[!side], &after->half[!side], sizeof(struct tg_half)))
		fail_msg("row %zu: the receiver's half was written", i);
	if (tg_verdict_drops(line->want) && memcmp(before, after, sizeof(*before)))
		fail_msg("row %zu: a dropped segment left a trace", i);
	if (tg_verdict_action(line->want) != TG_ACTION_NOUPD || rows[i].stage == CLOSED)
		return;
	if (was->end != is->end || was->ack != is->ack || was->right != is->right ||
	    was->maxwin != is->maxwin || ((was->facts ^ is->facts) & TG_FACT_MASK) ||
	    tg_half_wscale(was) != tg_half_wscale(is) || before->stamp_ms != after->stamp_ms)
		fail_msg("row %zu: a segment passed without effect had one", i);
}

static void play_row(size_t i, const struct setting *world)
{
	const struct row *row = &rows[i];
	struct tg_slot before = {}, *slot;
	int opener = ABSENT, other = ABSENT;
	struct setting later = *world;
	enum tg_verdict got;

	native_open(BUCKETS, true);
	play(world, row->stage);
	slot = find_slot(world, NULL);
	assert_int_equal(!slot, row->stage == NONE);
	if (slot) {
		before = *slot;
		opener = state_of(world, slot, OPENER);
		other = state_of(world, slot, OTHER);
	}
	if (row->learns)
		native.settings.iface[0].learn_until_ms = ~0ULL;
	later.now_ms += 1000;
	got = say(&later, &row->line);
	if (got != row->line.want)
		fail_msg("row %zu (stage %d, %s, flags %#x): %s, want %s", i, row->stage,
			 row->line.who == OPENER ? "opener" : "other", row->line.flags,
			 verdict_name(got), verdict_name(row->line.want));
	slot = find_slot(&later, NULL);
	check_state(i, OPENER, opener, slot ? (int)state_of(&later, slot, OPENER) : ABSENT, row->opener);
	check_state(i, OTHER, other, slot ? (int)state_of(&later, slot, OTHER) : ABSENT, row->other);
	if (slot && row->stage != NONE)
		check_writes(i, &later, &before, slot);
	native_close();
}

/* Numbers that wrap at the SYN, in the data, at the FIN; and none that do. */
static const __u32 isns[][2] = {
	{ 1000, 5000 },
	{ 0xffffffff, 0xfffffffe },
	{ 0xffffffff - 50, 0xffffffff - 100 },
	{ 0xffffffff - 101, 7 },
	{ 9, 0xffffffff - 201 },
	{ 0x7fffffff, 0x80000000 },
	{ 0xffffffff - 100, 0x7ffffff0 },
};

static void every_cell_of_the_transition_table(void **state)
{
	struct setting world = { .now_ms = NOW_MS };
	size_t i, n;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		for (n = 0; n < COUNT(isns); n++) {
			world.ipv6 = n & 1;
			for (int high = 0; high < 2; high++) {
				world.opener_high = high;
				world.isn[OPENER] = isns[n][0];
				world.isn[OTHER] = isns[n][1];
				play_row(i, &world);
			}
		}
	}
	print_message("# %zu rows, %zu runs\n", COUNT(rows), COUNT(rows) * COUNT(isns) * 2);
}

/* Each phase has rows for SYN, SYN-ACK, ACK, data, FIN and RST from both sides. */
static void the_table_has_no_empty_cell(void **state)
{
	static const __u8 classes[] = { S, S | A, A, F | A, R };
	int stage, who;
	size_t c, i;

	(void)state;
	for (stage = NONE; stage < STAGES; stage++) {
		for (who = OPENER; who <= OTHER; who++) {
			for (c = 0; c < COUNT(classes); c++) {
				bool found = false;

				for (i = 0; i < COUNT(rows); i++) {
					__u8 flags = rows[i].line.flags;

					flags &= (__u8)(flags & R ? R : 0xff);
					found |= rows[i].stage == (enum stage)stage &&
						 rows[i].line.who == (enum who)who &&
						 flags == classes[c];
				}
				if (!found)
					fail_msg("stage %d, who %d, flags %#x: no row", stage, who,
						 classes[c]);
			}
		}
	}
}

static const struct setting plain = { .isn = { 1000, 5000 }, .now_ms = NOW_MS };

/* Plays a conversation in one flow, the clock standing still; fails at the first other verdict. */
static void talk(const struct setting *world, const struct line *lines, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		enum tg_verdict got = say(world, &lines[i]);

		if (got != lines[i].want)
			fail_msg("line %zu: %s, want %s", i, verdict_name(got), verdict_name(lines[i].want));
	}
}

#define TALK(world, lines) talk(world, lines, COUNT(lines))

static int fresh(void **state)
{
	(void)state;
	native_open(BUCKETS, true);
	return 0;
}

static int done(void **state)
{
	(void)state;
	native_close();
	return 0;
}

/* The handshake's timeout counts from its SYN; what is repeated does not prolong it (2.12). */
static void a_repeated_syn_does_not_prolong_the_handshake(void **state)
{
	struct setting world = plain;
	static const struct line again = { OPENER, S, 0, 0, 0, 0, TG_NOUPD_SYN_RETRANS };
	static const struct line late = { OPENER, S, 0, 0, 0, 0, TG_PASS_NEW };

	(void)state;
	play(&world, SYN_SENT);
	world.now_ms += 59999;
	talk(&world, &again, 1);
	world.now_ms += 1;
	talk(&world, &again, 1);
	world.now_ms += 1;
	talk(&world, &late, 1);
}

/* Every phase: silent for its timeout it is there, a millisecond more and it is not. */
static void each_phase_lasts_as_long_as_its_timeout(void **state)
{
	static const struct {
		enum stage stage;
		__u32 timeout_s;
	} table[] = {
		{ SYN_SENT, 60 },
		{ SYN_RECV, 60 },
		{ SIM_OPEN, 60 },
		{ ESTABLISHED, 86400 },
		{ FIN_SENT, 3600 },
		{ FIN_ACKED, 3600 },
		{ LAST_ACK, 120 },
		{ CROSSING, 120 },
		{ TIME_WAIT, 240 },
		{ CLOSED, 120 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		struct setting world = plain;
		static const struct line ack = { OPENER, A, 101, 201, 0, 0, TG_DROP_NO_FLOW };

		native_close();
		native_open(BUCKETS, true);
		play(&world, table[i].stage);
		world.now_ms += table[i].timeout_s * 1000ULL;
		if (!find_slot(&world, NULL))
			fail_msg("stage %d ends too early", table[i].stage);
		world.now_ms++;
		if (find_slot(&world, NULL))
			fail_msg("stage %d ends too late", table[i].stage);
		talk(&world, &ack, 1);
	}
}

/* D5: an expired entry counts as absent, whatever it was; its slot is taken by the new flow. */
static void an_expired_flow_is_replaced_in_its_place(void **state)
{
	static const struct line open = { OTHER, S, 9, 0, 0, 0, TG_PASS_NEW };
	struct setting world = plain;
	__u32 before, after, claim;

	(void)state;
	play(&world, ESTABLISHED);
	claim = find_slot(&world, &before)->claim;
	world.now_ms += 86400001;
	talk(&world, &open, 1);
	assert_int_equal(state_of(&world, find_slot(&world, &after), OTHER), TG_TCP_SYN_SENT);
	assert_int_equal(before, after);
	assert_int_equal((find_slot(&world, NULL)->claim >> 8) - (claim >> 8), 1);
	assert_int_equal(native.detail[after].count[TG_SIDE_LO].packets +
				 native.detail[after].count[TG_SIDE_HI].packets,
			 1);
}

static void a_syn_that_was_passed_without_effect_reopens(void **state)
{
	static const struct line lines[] = {
		{ OPENER, S, 70000, 0, 0, 0, TG_NOUPD_SYN_CHALLENGE },
		{ OTHER, A, 201, 101, 0, 0, TG_PASS_OK }, /* the challenge */
		{ OTHER, S | A, 90000, 70000, 0, 0, TG_NOUPD_SYNACK_UNEXPECTED },
		{ OTHER, S | A, 90000, 70002, 0, 0, TG_NOUPD_SYNACK_UNEXPECTED },
		{ OTHER, S | A, 90000, 70001, 0, 0, TG_PASS_REOPEN },
		{ OPENER, A, 70001, 90001, 9, 0, TG_PASS_OK },
	};
	struct setting world = plain;

	(void)state;
	play(&world, ESTABLISHED);
	TALK(&world, lines);
	assert_int_equal(state_of(&world, find_slot(&world, NULL), OPENER), TG_TCP_ESTABLISHED);
}

static void an_acknowledgement_beyond_a_rst_undoes_it(void **state)
{
	static const struct line lines[] = {
		{ OPENER, A, 101, 201, 50, 0, TG_NOUPD_CLOSED_LATE },
		{ OTHER, A, 201, 101, 0, 0, TG_NOUPD_CLOSED_LATE },
		{ OTHER, A, 201, 151, 0, 0, TG_NOUPD_RST_UNDONE },
		{ OPENER, A, 151, 201, 0, 0, TG_PASS_OK },
	};
	struct setting world = plain;

	(void)state;
	play(&world, CLOSED);
	TALK(&world, lines);
	assert_int_equal(state_of(&world, find_slot(&world, NULL), OPENER), TG_TCP_ESTABLISHED);
}

/* Both FINs cross: both ends wait. */
static void simultaneous_close_ends_in_two_time_waits(void **state)
{
	static const struct line lines[] = {
		{ OPENER, A, 102, 202, 0, 0, TG_PASS_OK },
		{ OTHER, A, 202, 102, 0, 0, TG_PASS_OK },
	};
	struct setting world = plain;

	(void)state;
	play(&world, CROSSING);
	TALK(&world, lines);
	assert_int_equal(state_of(&world, find_slot(&world, NULL), OPENER), TG_TCP_TIME_WAIT);
	assert_int_equal(state_of(&world, find_slot(&world, NULL), OTHER), TG_TCP_TIME_WAIT);
}

/* RFC 6191: timestamps tell a new connection from an old SYN when the numbers do not. */
static void newer_timestamps_allow_a_lower_isn_in_time_wait(void **state)
{
	static const struct line lines[] = {
		{ OPENER, S, 0, 0, 0, 500, TG_PASS_NEW },
		{ OTHER, S | A, 0, 1, 0, 900, TG_PASS_SYNACK },
		{ OPENER, F | A, 1, 1, 0, 501, TG_PASS_OK },
		{ OTHER, F | A, 1, 2, 0, 901, TG_PASS_OK },
		{ OPENER, A, 2, 2, 0, 502, TG_PASS_OK },
		{ OPENER, S, -5000, 0, 0, 502, TG_NOUPD_TW_SYN_OLD },
		{ OPENER, S, -5000, 0, 0, 503, TG_PASS_TW_REUSE },
	};

	(void)state;
	TALK(&plain, lines);
}

/* 20 at once, then ten a second, per flow (2.7). */
static void syns_and_rsts_without_effect_are_limited(void **state)
{
	struct line syn = { OPENER, S, FAR, 0, 0, 0, TG_NOUPD_SYN_CHALLENGE };
	struct line rst = { OPENER, R, 105, 0, 0, 0, TG_NOUPD_RST_INEXACT };
	struct setting world = plain;
	int i;

	(void)state;
	play(&world, ESTABLISHED);
	for (i = 0; i < 40; i++) {
		syn.want = i < 20 ? TG_NOUPD_SYN_CHALLENGE : TG_DROP_SYN_RATE;
		rst.want = i < 20 ? TG_NOUPD_RST_INEXACT : TG_DROP_RST_RATE;
		talk(&world, &syn, 1);
		talk(&world, &rst, 1);
	}
	world.now_ms += 1000;
	for (i = 0; i < 12; i++) {
		syn.want = i < 10 ? TG_NOUPD_SYN_CHALLENGE : TG_DROP_SYN_RATE;
		talk(&world, &syn, 1);
	}
	/* A drop that is not one: an exact RST is never limited. */
	rst.seq = 101;
	rst.want = TG_PASS_RST_EXACT;
	talk(&world, &rst, 1);
}

/* The full key is compared wherever a state may change; the common segment trusts the tag. */
static void another_flows_tag_changes_no_state(void **state)
{
	static const struct line lines[] = {
		{ OPENER, S, FAR, 0, 0, 0, TG_PASS_COLLISION },
		{ OTHER, F | A, 201, 101, 0, 0, TG_PASS_COLLISION },
		{ OPENER, R, 101, 0, 0, 0, TG_PASS_COLLISION },
		{ OTHER, S | A, 0, 1, 0, 0, TG_PASS_COLLISION },
	};
	struct tg_slot before;
	struct tg_slot *slot;
	__u32 number;

	(void)state;
	play(&plain, ESTABLISHED);
	slot = find_slot(&plain, &number);
	native.detail[number].key.hi_addr[3] ^= 1;
	before = *slot;
	TALK(&plain, lines);
	assert_memory_equal(slot, &before, sizeof(before));
}

static void a_suspect_flow_is_passed_unjudged(void **state)
{
	static const struct line lines[] = {
		{ OPENER, A, 101, 201, 9, 0, TG_PASS_SUSPECT },
		{ OTHER, A, FAR, 101, 0, 0, TG_PASS_SUSPECT },
		{ OPENER, R, 101, 0, 0, 0, TG_PASS_SUSPECT },
		{ OTHER, F | A, 201, 101, 0, 0, TG_PASS_SUSPECT },
		{ OPENER, S, FAR, 0, 0, 0, TG_PASS_SUSPECT },
	};
	struct tg_slot before;
	struct tg_slot *slot;

	(void)state;
	play(&plain, ESTABLISHED);
	slot = find_slot(&plain, NULL);
	slot->claim |= TG_CLAIM_SUSPECT;
	before = *slot;
	TALK(&plain, lines);
	assert_memory_equal(slot, &before, sizeof(before));
}

/* A marked flow is a connection all the same: while it speaks it must not run out and be dropped. */
static void a_suspect_flow_that_speaks_does_not_expire(void **state)
{
	static const enum stage stage[] = { SYN_RECV, ESTABLISHED, FIN_ACKED };
	static const struct line line = { OTHER, A, 201, 101, 9, 0, TG_PASS_SUSPECT };
	size_t i;
	int j;

	(void)state;
	for (i = 0; i < COUNT(stage); i++) {
		struct setting world = plain;

		native_close();
		native_open(BUCKETS, true);
		play(&world, stage[i]);
		find_slot(&world, NULL)->claim |= TG_CLAIM_SUSPECT;
		for (j = 0; j < 2000; j++) { /* every 50 s for more than a day */
			enum tg_verdict got;

			world.now_ms += 50000;
			got = say(&world, &line);
			if (tg_verdict_drops(got))
				fail_msg("stage %d: %s after %d s", stage[i], verdict_name(got),
					 (j + 1) * 50);
		}
	}
}

static bool socket_exists;

static bool vouch(void)
{
	return socket_exists;
}

/* A local socket vouches for a connection older than we are; never for a FIN or RST to open a flow. */
static void a_local_socket_vouches_for_unknown_segments(void **state)
{
	static const struct line without = { OPENER, A, 1, 1, 0, 0, TG_DROP_NO_FLOW };
	static const struct line with[] = {
		{ OPENER, F | A, 1, 1, 0, 0, TG_NOUPD_UNTRACKED },
		{ OPENER, R, 1, 0, 0, 0, TG_NOUPD_UNTRACKED },
		{ OTHER, S | A, 1, 1, 0, 0, TG_NOUPD_UNTRACKED },
		{ OPENER, A, 1, 1, 9, 0, TG_PASS_PICKUP },
		{ OTHER, A, 1, 10, 9, 0, TG_PASS_OK },
		{ OPENER, A, 10, 10, 0, 0, TG_PASS_OK },
		{ OTHER, F | A, 10, 10, 0, 0, TG_PASS_OK },
	};

	(void)state;
	native.vouches = vouch;
	socket_exists = false;
	talk(&plain, &without, 1);
	socket_exists = true;
	TALK(&plain, with);
	assert_int_equal(tg_claim_origin(find_slot(&plain, NULL)->claim), TG_ORIGIN_PICKUP);
}

/* Where a newcomer once found no room, an unknown segment may be that one's: passed, not dropped. */
static void segments_of_a_flow_that_found_no_room_pass(void **state)
{
	static const struct line lines[] = {
		{ OPENER, S, 0, 0, 0, 0, TG_PASS_TABLE_FULL },
		{ OTHER, S | A, 0, 1, 0, 0, TG_PASS_TABLE_FULL },
		{ OPENER, A, 1, 1, 0, 0, TG_PASS_TABLE_FULL },
		{ OTHER, A, 1, 1, 500, 0, TG_PASS_TABLE_FULL },
		{ OPENER, R, 1, 0, 0, 0, TG_PASS_TABLE_FULL },
	};
	__u32 i;

	(void)state;
	for (i = 0; i < BUCKETS * TG_BUCKET_WAYS; i++) {
		struct tg_slot *slot = native_slot(i);

		slot->tag = i + 1;
		slot->claim = TG_CLAIM_OWNED | TG_CLAIM_LIVE;
		slot->stamp_ms = (__u32)plain.now_ms;
		slot->half[0].facts = slot->half[1].facts = TG_FACT_SYN | TG_FACT_HASACK | TG_FACT_ACKSYN;
	}
	TALK(&plain, lines);
}

/* In monitor mode the flow follows what passed, so that one would-be drop does not cascade (D10). */
static void monitor_mode_follows_what_passed(void **state)
{
	static const struct line lines[] = {
		{ OTHER, A, 201 + 128000, 101, 100, 0, TG_PASS_OK },
		{ OTHER, A, 202 + 128000 + 10, 101, 100, 0, TG_DROP_SEQ_ABOVE },
		{ OPENER, A, 101, 201 + 128000 + 111, 0, 0, TG_PASS_OK },
	};
	struct setting world = plain;

	(void)state;
	native.settings.config[0].iface[0].mode = TG_MODE_MONITOR;
	play(&world, ESTABLISHED);
	TALK(&world, lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_has_no_empty_cell),
		cmocka_unit_test(every_cell_of_the_transition_table),
		cmocka_unit_test_setup_teardown(a_repeated_syn_does_not_prolong_the_handshake, fresh, done),
		cmocka_unit_test_setup_teardown(each_phase_lasts_as_long_as_its_timeout, fresh, done),
		cmocka_unit_test_setup_teardown(an_expired_flow_is_replaced_in_its_place, fresh, done),
		cmocka_unit_test_setup_teardown(a_syn_that_was_passed_without_effect_reopens, fresh, done),
		cmocka_unit_test_setup_teardown(an_acknowledgement_beyond_a_rst_undoes_it, fresh, done),
		cmocka_unit_test_setup_teardown(simultaneous_close_ends_in_two_time_waits, fresh, done),
		cmocka_unit_test_setup_teardown(newer_timestamps_allow_a_lower_isn_in_time_wait, fresh, done),
		cmocka_unit_test_setup_teardown(syns_and_rsts_without_effect_are_limited, fresh, done),
		cmocka_unit_test_setup_teardown(another_flows_tag_changes_no_state, fresh, done),
		cmocka_unit_test_setup_teardown(a_suspect_flow_is_passed_unjudged, fresh, done),
		cmocka_unit_test_setup_teardown(a_suspect_flow_that_speaks_does_not_expire, fresh, done),
		cmocka_unit_test_setup_teardown(a_local_socket_vouches_for_unknown_segments, fresh, done),
		cmocka_unit_test_setup_teardown(segments_of_a_flow_that_found_no_room_pass, fresh, done),
		cmocka_unit_test_setup_teardown(monitor_mode_follows_what_passed, fresh, done),
	};

	return cmocka_run_group_tests_name("flow advance", tests, NULL, NULL);
}
