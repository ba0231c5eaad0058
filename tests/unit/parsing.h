/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the parser share: frames written by tests/bpf/frame.c, read from a heap buffer
 * of exactly their size (AddressSanitizer stops the first byte read beyond it), and segments at
 * random.
 */
#ifndef TESTS_PARSING_H
#define TESTS_PARSING_H

#include "tests/unit/unit.h"

#include "bpf/parse_packet.h"
#include "tests/bpf/frame.h"

static const struct endpoint client = { { 10, 0, 0, 1 }, 40000 };
static const struct endpoint server = { { 192, 168, 255, 2 }, 80 };
static const struct endpoint client6 = { { 0xfd, [7] = 9, [15] = 1 }, 40000 };
static const struct endpoint server6 = { { 0x20, 1, 0x0d, 0xb8, [15] = 2 }, 443 };

struct parsing {
	bool no_link_header;
	bool strict;
	bool verify_csum;
};

/* Parses a copy of the frame that ends where the frame ends. */
static inline enum tg_verdict parse(const uint8_t *frame, size_t size, const struct parsing *how,
				    struct tg_packet *pkt)
{
	struct tg_program program = { .no_link_header = how->no_link_header, .strict = how->strict };
	uint8_t *copy = malloc(size ? size : 1), *start;
	enum tg_verdict verdict;

	assert_non_null(copy);
	start = size ? copy : copy + 1;
	if (size)
		memcpy(start, frame, size);
	memset(pkt, 0, sizeof(*pkt));
	verdict = tg_parse(start, start + size, &program, how->verify_csum, pkt);
	free(copy);
	return verdict;
}

static inline enum tg_verdict parse_segment(const struct segment *segment, const struct parsing *how,
					    struct tg_packet *pkt)
{
	struct parsing by_link = *how;
	uint8_t frame[FRAME_MAX + 256];
	size_t size = frame_build(frame, segment);

	by_link.no_link_header = segment->link == LINK_NONE;
	return parse(frame, size, &by_link, pkt);
}

static inline void check_address(const __be32 *got, const struct endpoint *want, bool ipv6)
{
	uint8_t bytes[16] = { [10] = 0xff, [11] = 0xff };

	memcpy(ipv6 ? bytes : bytes + 12, want->address, ipv6 ? 16 : 4);
	assert_memory_equal(got, bytes, 16);
}

/* What the parser says of a segment that is all right. */
static inline void check_packet(const struct segment *s, const struct tg_packet *pkt)
{
	bool timestamps = s->tsval || s->has_ts;
	uint32_t i, right = 0;

	check_address(pkt->saddr, s->from, s->ipv6);
	check_address(pkt->daddr, s->to, s->ipv6);
	assert_int_equal(pkt->ipv4, !s->ipv6);
	assert_int_equal(ntohs(pkt->sport), s->from->port);
	assert_int_equal(ntohs(pkt->dport), s->to->port);
	assert_int_equal(pkt->seq, s->seq);
	assert_int_equal(pkt->ack, s->ack);
	assert_int_equal(pkt->flags, s->flags & 0x3f);
	assert_int_equal(pkt->window, s->zero_window ? 0 : s->window ? s->window :
								       65535);
	assert_int_equal(pkt->payload, s->payload);
	assert_int_equal(pkt->end, (uint32_t)(s->seq + s->payload + !!(s->flags & TG_SYN) +
					      !!(s->flags & TG_FIN)));
	assert_false(pkt->icmp_error);
	if (s->raw_options_size)
		return;
	assert_int_equal(pkt->options, (s->wscale ? TG_OPT_WSCALE : 0) |
					       (timestamps ? TG_OPT_TIMESTAMPS : 0) |
					       (s->sack_blocks ? TG_OPT_SACK : 0));
	if (s->wscale)
		assert_int_equal(pkt->wscale, s->wscale - 1 > 14 ? 14 : s->wscale - 1);
	if (timestamps)
		assert_int_equal(pkt->tsval, s->tsval);
	for (i = 0; i < (uint32_t)s->sack_blocks; i++)
		if (!i || tg_seq_after(s->sack[i][1], right))
			right = s->sack[i][1];
	if (s->sack_blocks)
		assert_int_equal(pkt->sack_right, right);
}

/* A chain of count extension headers, each of a random size; returns its length. */
static inline size_t random_chain(uint64_t *seed, uint8_t *chain, int count, uint8_t *first)
{
	static const uint8_t types[] = { 0, 43, 60, 135, 51, 44 };
	uint8_t *p = chain, *next = first;
	int i;

	for (i = 0; i < count; i++) {
		uint8_t type = types[random_below(seed, COUNT(types))];
		size_t units = random_below(seed, 3), size = 8 * (units + 1);

		*next = type;
		if (type == 51)
			size = 4 * (units + 2);
		else if (type == 44)
			size = 8;
		memset(p, 0, size);
		if (type != 44)
			p[1] = (uint8_t)units; /* a fragment header of zeroes is a whole packet */
		next = p;
		p += size;
	}
	*next = 6;
	return (size_t)(p - chain);
}

static inline void random_options(uint64_t *seed, struct segment *s)
{
	int i;

	s->has_ts = random_below(seed, 2);
	s->tsval = s->has_ts && random_below(seed, 8) ? random_u32(seed) : 0;
	s->wscale = random_below(seed, 4) ? 0 : WS((int)random_below(seed, 32));
	s->sack_blocks = random_below(seed, 2) ? 0 : (int)random_below(seed, s->has_ts ? 3 : 4);
	if (s->wscale && s->sack_blocks == 3)
		s->sack_blocks = 2;
	for (i = 0; i < s->sack_blocks; i++) {
		s->sack[i][0] = random_u32(seed);
		s->sack[i][1] = s->ack + random_below(seed, 1 << 30);
	}
}

/* chain: 128 bytes for what the segment points to. */
static inline void random_segment(uint64_t *seed, struct segment *s, uint8_t *chain)
{
	memset(s, 0, sizeof(*s));
	s->ipv6 = random_below(seed, 2);
	s->from = s->ipv6 ? &client6 : &client;
	s->to = s->ipv6 ? &server6 : &server;
	s->link = (enum link_kind)random_below(seed, LINK_QINQ_OLD + 1);
	s->flags = (uint8_t)random_u32(seed);
	s->reserved = (uint8_t)random_below(seed, 16);
	s->seq = random_u32(seed);
	s->ack = random_u32(seed);
	s->window = (uint16_t)random_u32(seed);
	s->zero_window = !random_below(seed, 8);
	s->payload = random_below(seed, 3) ? random_below(seed, 300) : 0;
	s->padding = random_below(seed, 2) ? random_below(seed, 47) : 0;
	random_options(seed, s);
	if (random_below(seed, 2))
		return;
	s->ip_options = chain;
	if (s->ipv6) {
		s->ip_options_size = random_chain(seed, chain, (int)random_below(seed, 9),
						  &s->extension);
	} else {
		s->ip_options_size = 4 * random_below(seed, 11);
		memset(chain, 1, s->ip_options_size);
	}
}

#endif
