/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Floods of SYNs, a segment at a time, and connections beside them. */
#ifndef TESTS_BPF_FLOODING_H
#define TESTS_BPF_FLOODING_H

#include "tests/bpf/harness.h"

static const struct endpoint web = { { 10, 0, 0, 2 }, 80 };
static const struct endpoint mail = { { 10, 0, 0, 2 }, 25 };

static inline struct tg_flood *flood(void **state)
{
	struct tg_flood *flood = &guard_settings(*state)->config[0].flood;

	flood->cpus = 1;
	flood->source_prefix4 = 32;
	flood->source_prefix6 = 64;
	return flood;
}

/* A spoofed source, another one for each number. */
static inline struct endpoint stranger(uint32_t number)
{
	return (struct endpoint){ { 172, (uint8_t)(16 + (number >> 16)), (uint8_t)(number >> 8),
				    (uint8_t)number },
				  (uint16_t)(1024 + number % 60000) };
}

static inline enum tg_verdict syn(void **state, const struct endpoint *from, const struct endpoint *to)
{
	struct segment segment = { .from = from, .to = to, .flags = SYN, .seq = 7 };

	return guard_judge_segment(*state, &segment, false).verdict;
}

/* count spoofed SYNs; returns how many of them got this verdict. */
static inline uint32_t flood_with(void **state, uint32_t first, uint32_t count, const struct endpoint *to,
				  enum tg_verdict verdict)
{
	uint32_t i, got = 0;

	for (i = 0; i < count; i++) {
		struct endpoint from = stranger(first + i);

		got += syn(state, &from, to) == verdict;
	}
	return got;
}

/* A handshake of the server's client, all of it. */
static inline void connect_from(void **state, const struct endpoint *from)
{
	const struct segment said[] = {
		{ .from = from, .to = &web, .flags = SYN, .seq = 1000 },
		{ .from = &web, .to = from, .flags = SYN | ACK, .seq = 5000, .ack = 1001 },
		{ .from = from, .to = &web, .flags = ACK, .seq = 1001, .ack = 5001 },
	};

	EXPECT(*state, &said[0], false, TG_PASS_NEW);
	EXPECT(*state, &said[1], true, TG_PASS_SYNACK);
	EXPECT(*state, &said[2], false, TG_PASS_OK);
}

#endif
