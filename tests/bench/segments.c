/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ten representative segments through the natively compiled data path, each in a function of its own,
 * so that callgrind can count its instructions (test_instructions.py).  Prints the verdicts: a
 * segment that is judged otherwise than said here is not the segment whose cost was recorded.
 */
#include "tests/unit/native_path.h"

#include "tests/bpf/frame.h"

#define NOW_MS 3600000

static const struct endpoint client = { { 10, 0, 0, 1 }, 40000 }, server = { { 10, 0, 0, 2 }, 80 };
static const struct endpoint client6 = { { 0xfd, [15] = 1 }, 40000 }, server6 = { { 0xfd, [15] = 2 }, 80 };
static const struct endpoint stranger = { { 10, 0, 0, 3 }, 41000 };

struct prepared {
	uint8_t frame[FRAME_MAX];
	size_t size;
	enum tg_verdict verdict;
};

static void prepare(struct prepared *prepared, struct segment segment, const struct endpoint *from,
		    const struct endpoint *to)
{
	segment.from = from;
	segment.to = to;
	segment.ipv6 = from == &client6 || from == &server6;
	prepared->size = frame_build(prepared->frame, &segment);
}

/* name, sender, addressee, what is judged, what it is judged to be */
#define SEGMENTS(X) \
	X(ack, client, server, PASS_OK, .flags = 0x10, .seq = 1001, .ack = 5001) \
	X(ack_timestamps, client, server, PASS_OK, .flags = 0x10, .seq = 1001, .ack = 5001, .tsval = 7) \
	X(data, client, server, PASS_OK, .flags = 0x18, .seq = 1001, .ack = 5001, .payload = 1000) \
	X(data_again, client, server, PASS_RETRANS, .flags = 0x18, .seq = 1001, .ack = 5001, .payload = 1000) \
	X(ack_sack, server, client, PASS_OK, .flags = 0x10, .seq = 5001, .ack = 1001, .sack_blocks = 1, \
	  .sack = { { 1501, 2001 } }) \
	X(ack_ipv6, client6, server6, PASS_OK, .flags = 0x10, .seq = 1001, .ack = 5001) \
	X(beyond_window, client, server, DROP_SEQ_ABOVE, .flags = 0x18, .seq = 0x40000000, .ack = 5001, \
	  .payload = 10) \
	X(reset_inexact, client, server, NOUPD_RST_INEXACT, .flags = 0x04, .seq = 2101) \
	X(stray_ack, stranger, server, DROP_NO_FLOW, .flags = 0x10, .seq = 1, .ack = 1) \
	X(syn, stranger, server, PASS_NEW, .flags = 0x02, .seq = 1, .wscale = WS(7))

#define X(name, from, to, want, ...) \
	static struct prepared prepared_##name; \
	static __attribute__((noipa)) void segment_##name(void) \
	{ \
		prepared_##name.verdict = native_judge_frame(prepared_##name.frame, \
							     prepared_##name.size, NOW_MS); \
	}
SEGMENTS(X)
#undef X

static void handshake(const struct endpoint *from, const struct endpoint *to)
{
	static const struct segment steps[] = {
		{ .flags = 0x02, .seq = 1000, .wscale = WS(7) },
		{ .flags = 0x12, .seq = 5000, .ack = 1001, .wscale = WS(7) },
		{ .flags = 0x10, .seq = 1001, .ack = 5001 },
		{ .flags = 0x10, .seq = 5001, .ack = 1001 },
	};
	struct prepared step;
	size_t i;

	for (i = 0; i < COUNT(steps); i++) {
		prepare(&step, steps[i], i & 1 ? to : from, i & 1 ? from : to);
		native_judge_frame(step.frame, step.size, NOW_MS);
	}
}

static int check(const char *name, enum tg_verdict got, enum tg_verdict want)
{
	printf("%s %s\n", name, verdict_name(got));
	if (got == want)
		return 0;
	fprintf(stderr, "%s: want %s, got %s\n", name, verdict_name(want), verdict_name(got));
	return 1;
}

int main(void)
{
	int wrong = 0;

	native_open(64, true);
	handshake(&client, &server);
	handshake(&client6, &server6);
#define X(name, from, to, want, ...) \
	prepare(&prepared_##name, (struct segment){ __VA_ARGS__ }, &from, &to); \
	segment_##name(); \
	wrong |= check(#name, prepared_##name.verdict, TG_##want);
	SEGMENTS(X)
#undef X
	native_close();
	return wrong;
}
