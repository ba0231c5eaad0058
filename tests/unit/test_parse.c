/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parser over frames written by tests/bpf/frame.c and over bytes that mean nothing.  Each frame
 * lies in a heap buffer of exactly its size: AddressSanitizer stops the first byte read beyond it.
 */
#include "tests/unit/unit.h"

#include "bpf/parse_packet.h"
#include "bpf/tcp_flags.h"
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
static enum tg_verdict parse(const uint8_t *frame, size_t size, const struct parsing *how,
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

static enum tg_verdict parse_segment(const struct segment *segment, const struct parsing *how,
				     struct tg_packet *pkt)
{
	struct parsing by_link = *how;
	uint8_t frame[FRAME_MAX + 256];
	size_t size = frame_build(frame, segment);

	by_link.no_link_header = segment->link == LINK_NONE;
	return parse(frame, size, &by_link, pkt);
}

static void check_address(const __be32 *got, const struct endpoint *want, bool ipv6)
{
	uint8_t bytes[16] = { [10] = 0xff, [11] = 0xff };

	memcpy(ipv6 ? bytes : bytes + 12, want->address, ipv6 ? 16 : 4);
	assert_memory_equal(got, bytes, 16);
}

/* What the parser says of a segment that is all right. */
static void check_packet(const struct segment *s, const struct tg_packet *pkt)
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
static size_t random_chain(uint64_t *seed, uint8_t *chain, int count, uint8_t *first)
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

static void random_options(uint64_t *seed, struct segment *s)
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
static void random_segment(uint64_t *seed, struct segment *s, uint8_t *chain)
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

static void random_segments_are_understood(void **state)
{
	uint8_t chain[256];
	struct tg_packet pkt;
	uint64_t seed = 1;
	struct segment s;
	int i;

	(void)state;
	for (i = 0; i < 200000; i++) {
		struct parsing how = { .strict = i & 1, .verify_csum = i & 2 };

		random_segment(&seed, &s, chain);
		if (parse_segment(&s, &how, &pkt) != TG_UNDECIDED)
			fail_msg("segment %d: verdict %d", i, parse_segment(&s, &how, &pkt));
		check_packet(&s, &pkt);
		/* Neither link header nor padding: what the counters add is the IP packet. */
		assert_in_range(pkt.bytes - (s.ipv6 ? 40 : 20) - s.ip_options_size - s.payload, 20, 60);
	}
}

/* A frame may end anywhere: what is said to follow the headers need not be there. */
static void truncated_frames_are_refused_or_understood(void **state)
{
	uint8_t chain[256], frame[FRAME_MAX + 256];
	struct tg_packet whole, pkt;
	uint64_t seed = 2;
	struct segment s;
	int i;

	(void)state;
	for (i = 0; i < 3000; i++) {
		struct parsing how = { .verify_csum = false };
		size_t size, headers, length;

		random_segment(&seed, &s, chain);
		how.no_link_header = s.link == LINK_NONE;
		size = frame_build(frame, &s);
		headers = size - s.padding - s.payload;
		assert_int_equal(parse(frame, size, &how, &whole), TG_UNDECIDED);
		for (length = 0; length < size; length++) {
			enum tg_verdict verdict = parse(frame, length, &how, &pkt);

			if (length >= headers) {
				assert_int_equal(verdict, TG_UNDECIDED);
				assert_memory_equal(&pkt, &whole, sizeof(pkt));
			} else if (verdict != TG_PASS_NOT_TCP && verdict != TG_DROP_BAD_HDR) {
				fail_msg("%zu of %zu header bytes: verdict %d", length, headers, verdict);
			}
		}
	}
}

/* What must hold of anything the parser accepts. */
static void check_sane(enum tg_verdict verdict, const struct tg_packet *pkt)
{
	assert_true(verdict < TG_VERDICT_MAX);
	if (verdict || pkt->icmp_error)
		return;
	assert_true(pkt->jumbo || pkt->payload <= 65535);
	assert_int_equal(pkt->end, (uint32_t)(pkt->seq + pkt->payload + !!(pkt->flags & TG_SYN) +
					      !!(pkt->flags & TG_FIN)));
	assert_true(!(pkt->options & TG_OPT_WSCALE) || pkt->wscale <= 14);
	assert_int_equal(pkt->flags & ~0x3f, 0);
}

static void damaged_frames_never_lead_beyond_their_end(void **state)
{
	uint8_t chain[256], frame[FRAME_MAX + 256];
	unsigned int outcomes[TG_VERDICT_MAX] = {};
	struct tg_packet pkt;
	uint64_t seed = 3;
	struct segment s;
	int i;

	(void)state;
	for (i = 0; i < 400000; i++) {
		struct parsing how = { .strict = i & 1, .verify_csum = i & 2 };
		enum tg_verdict verdict;
		size_t size;
		int bytes;

		random_segment(&seed, &s, chain);
		s.fragment = random_below(&seed, 4) ? 0 : (uint16_t)random_u32(&seed);
		s.no_length = !random_below(&seed, 8);
		how.no_link_header = s.link == LINK_NONE;
		size = random_below(&seed, 6) ? frame_build(frame, &s) :
						frame_build_icmp(frame, &s, (uint8_t)random_below(&seed, 13),
								 0);
		for (bytes = (int)random_below(&seed, 6); bytes; bytes--)
			frame[random_below(&seed, (uint32_t)size)] = (uint8_t)random_u32(&seed);
		size = random_below(&seed, 2) ? size : random_below(&seed, (uint32_t)size + 1);
		verdict = parse(frame, size, &how, &pkt);
		check_sane(verdict, &pkt);
		outcomes[verdict]++;
	}
	/* The damage reached every branch. */
	assert_true(outcomes[TG_UNDECIDED] && outcomes[TG_PASS_NOT_TCP] && outcomes[TG_PASS_FRAG] &&
		    outcomes[TG_DROP_BAD_HDR] && outcomes[TG_DROP_TINY_FRAG] && outcomes[TG_DROP_FRAG] &&
		    outcomes[TG_DROP_BAD_CSUM]);
}

static void random_bytes_never_lead_beyond_their_end(void **state)
{
	static const uint8_t first[] = { 0x40, 0x45, 0x4f, 0x60, 0x6f, 0x00, 0xff };
	static const uint8_t next[] = { 0, 1, 6, 43, 44, 51, 58, 60, 135, 17 };
	struct tg_packet pkt;
	uint64_t seed = 4;
	uint8_t bytes[200];
	int i;

	(void)state;
	for (i = 0; i < 400000; i++) {
		struct parsing how = { .no_link_header = i & 1, .strict = i & 2, .verify_csum = i & 4 };
		uint8_t *ip = how.no_link_header ? bytes : bytes + 14;
		size_t size = random_below(&seed, sizeof(bytes) + 1), j;

		for (j = 0; j < sizeof(bytes); j += 8)
			memcpy(bytes + j, &(uint64_t){ random_u64(&seed) }, 8);
		if (i & 8) { /* something that begins like a packet */
			ip[0] = first[random_below(&seed, COUNT(first))];
			memcpy(bytes + 12, (ip[0] & 0xf0) == 0x60 ? "\x86\xdd" : "\x08\x00", 2);
			ip[9] = next[random_below(&seed, COUNT(next))];
			ip[6] = (ip[0] & 0xf0) == 0x60 ? next[random_below(&seed, COUNT(next))] : 0;
			ip[7] &= (i & 16) ? 0 : 0xff;
		}
		check_sane(parse(bytes, size, &how, &pkt), &pkt);
	}
}

/* All 256 flag bytes: the parser keeps six bits and the check is a table of nine sets (2.1). */
static void flags_are_judged_by_the_table(void **state)
{
	static const uint8_t valid[] = {
		TG_SYN,
		TG_SYN | TG_URG,
		TG_SYN | TG_ACK,
		TG_RST,
		TG_RST | TG_ACK,
		TG_FIN | TG_ACK,
		TG_FIN | TG_ACK | TG_URG,
		TG_ACK,
		TG_ACK | TG_URG,
	};
	unsigned int flags, reserved;

	(void)state;
	for (flags = 0; flags < 256; flags++) {
		bool good = false;
		size_t i;

		for (i = 0; i < COUNT(valid); i++)
			good |= valid[i] == (flags & 0x37);
		for (reserved = 0; reserved < 16; reserved++) {
			struct segment s = {
				.from = &client,
				.to = &server,
				.flags = (uint8_t)flags,
				.reserved = (uint8_t)reserved,
			};
			struct parsing how = {};
			struct tg_packet pkt;

			assert_int_equal(parse_segment(&s, &how, &pkt), TG_UNDECIDED);
			assert_int_equal(tg_check_flags(&pkt), good ? TG_UNDECIDED : TG_DROP_BAD_FLAGS);
		}
	}
}

static void impossible_addresses_are_refused(void **state)
{
	static const struct {
		bool ipv6;
		struct endpoint from, to;
		enum tg_verdict want;
	} rows[] = {
		{ false, { { 10, 0, 0, 1 }, 1 }, { { 10, 0, 0, 2 }, 1 }, TG_UNDECIDED },
		{ false, { { 10, 0, 0, 1 }, 1 }, { { 10, 0, 0, 1 }, 2 }, TG_UNDECIDED },
		{ false, { { 10, 0, 0, 1 }, 1 }, { { 10, 0, 0, 1 }, 1 }, TG_DROP_LAND },
		{ false, { { 0, 0, 0, 0 }, 1 }, { { 10, 0, 0, 1 }, 2 }, TG_DROP_BAD_HDR },
		{ false, { { 224, 0, 0, 1 }, 1 }, { { 10, 0, 0, 1 }, 2 }, TG_DROP_BAD_HDR },
		{ false, { { 239, 255, 255, 255 }, 1 }, { { 10, 0, 0, 1 }, 2 }, TG_DROP_BAD_HDR },
		{ false, { { 223, 255, 255, 255 }, 1 }, { { 10, 0, 0, 1 }, 2 }, TG_UNDECIDED },
		{ false, { { 240, 0, 0, 1 }, 1 }, { { 10, 0, 0, 1 }, 2 }, TG_UNDECIDED },
		{ false, { { 255, 255, 255, 255 }, 1 }, { { 10, 0, 0, 1 }, 2 }, TG_DROP_BAD_HDR },
		{ true, { { 0xfd, [15] = 1 }, 1 }, { { 0xfd, [15] = 2 }, 1 }, TG_UNDECIDED },
		{ true, { { 0xfd, [15] = 1 }, 1 }, { { 0xfd, [15] = 1 }, 1 }, TG_DROP_LAND },
		{ true, { { 0xff, 2, [15] = 1 }, 1 }, { { 0xfd, [15] = 1 }, 2 }, TG_DROP_BAD_HDR },
		{ true, { {}, 1 }, { { 0xfd, [15] = 1 }, 2 }, TG_DROP_BAD_HDR },
		{ true, { { [15] = 1 }, 1 }, { { [15] = 1 }, 2 }, TG_UNDECIDED },
		{ true, { { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1 }, 1 }, { { 0xfd, [15] = 1 }, 2 }, TG_DROP_BAD_HDR },
		{ true, { { 0xfd, [15] = 1 }, 2 }, { { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1 }, 1 }, TG_DROP_BAD_HDR },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct segment s = {
			.from = &rows[i].from,
			.to = &rows[i].to,
			.ipv6 = rows[i].ipv6,
			.flags = TG_SYN,
		};
		struct parsing how = {};
		struct tg_packet pkt;

		assert_int_equal(parse_segment(&s, &how, &pkt), TG_UNDECIDED);
		if (tg_check_addresses(&pkt) != rows[i].want)
			fail_msg("row %zu: verdict %d", i, tg_check_addresses(&pkt));
	}
}

static void fragments_of_ipv4(void **state)
{
	static const struct {
		uint16_t fragment;
		enum tg_verdict want, strict;
		bool first;
	} rows[] = {
		{ 0x4000, TG_UNDECIDED, TG_UNDECIDED, false }, /* DF is no fragment */
		{ 0x8000, TG_UNDECIDED, TG_UNDECIDED, false }, /* nor is the evil bit */
		{ 0x2000, TG_UNDECIDED, TG_UNDECIDED, true },
		{ 0x6000, TG_UNDECIDED, TG_UNDECIDED, true },
		{ 0x2001, TG_DROP_TINY_FRAG, TG_DROP_TINY_FRAG, false },
		{ 0x0001, TG_DROP_TINY_FRAG, TG_DROP_TINY_FRAG, false },
		{ 0x0002, TG_PASS_FRAG, TG_DROP_FRAG, false },
		{ 0x2002, TG_PASS_FRAG, TG_DROP_FRAG, false },
		{ 0x1fff, TG_PASS_FRAG, TG_DROP_FRAG, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct segment s = {
			.from = &client,
			.to = &server,
			.flags = TG_ACK,
			.payload = 64,
			.fragment = rows[i].fragment,
		};
		struct parsing how = {}, strict = { .strict = true };
		struct tg_packet pkt;

		if (parse_segment(&s, &strict, &pkt) != rows[i].strict ||
		    parse_segment(&s, &how, &pkt) != rows[i].want)
			fail_msg("fragment %#x: verdict %d", rows[i].fragment,
				 parse_segment(&s, &how, &pkt));
		if (!rows[i].want)
			assert_int_equal(pkt.first_fragment, rows[i].first);
	}
}

/* RFC 1858: a first fragment that ends inside the TCP header, by its frame or by its IP length. */
static void a_first_fragment_without_the_whole_tcp_header_is_tiny(void **state)
{
	struct segment s = {
		.from = &client,
		.to = &server,
		.flags = TG_SYN,
		.fragment = 0x2000,
		.tsval = 5,
	};
	uint8_t frame[FRAME_MAX];
	struct parsing how = {};
	struct tg_packet pkt;
	size_t size, said;

	(void)state;
	size = frame_build(frame, &s);
	assert_int_equal(size, 14 + 20 + 32);
	assert_int_equal(parse(frame, size, &how, &pkt), TG_UNDECIDED);
	for (said = 14 + 20; said < size; said++) {
		assert_int_equal(parse(frame, said, &how, &pkt), TG_DROP_TINY_FRAG);
		frame[16] = 0;
		frame[17] = (uint8_t)(said - 14);
		assert_int_equal(parse(frame, size, &how, &pkt), TG_DROP_TINY_FRAG);
		frame[17] = (uint8_t)(size - 14);
	}
	/* The same lengths without the fragment bit are just wrong. */
	frame[20] = 0;
	frame[17] = 20 + 31;
	assert_int_equal(parse(frame, size, &how, &pkt), TG_DROP_BAD_HDR);
}

static void lengths_of_ipv4_that_contradict_each_other(void **state)
{
	struct segment s = { .from = &client, .to = &server, .flags = TG_ACK, .payload = 10 };
	uint8_t frame[FRAME_MAX];
	struct parsing how = {};
	struct tg_packet pkt;
	unsigned int value;
	size_t size;

	(void)state;
	size = frame_build(frame, &s);
	for (value = 0; value < 16; value++) { /* header length */
		frame[14] = (uint8_t)(0x40 | value);
		if (value < 5)
			assert_int_equal(parse(frame, size, &how, &pkt), TG_DROP_BAD_HDR);
		else
			parse(frame, size, &how, &pkt);
		frame[14] = (uint8_t)(value << 4 | 5); /* version */
		assert_int_equal(parse(frame, size, &how, &pkt),
				 value == 4 ? TG_UNDECIDED : TG_DROP_BAD_HDR);
		frame[14] = 0x45;
		frame[46] = (uint8_t)(value << 4); /* data offset */
		if (value == 5)
			assert_int_equal(parse(frame, size, &how, &pkt), TG_UNDECIDED);
		else if (value < 5 || value > 7)
			assert_int_equal(parse(frame, size, &how, &pkt), TG_DROP_BAD_HDR);
		frame[46] = 0x50;
	}
	for (value = 1; value < 60; value++) { /* total length; 0 is BIG TCP */
		frame[16] = 0;
		frame[17] = (uint8_t)value;
		assert_int_equal(parse(frame, size, &how, &pkt),
				 value < 40 ? TG_DROP_BAD_HDR : TG_UNDECIDED);
		if (value >= 40)
			assert_int_equal(pkt.payload, value - 40);
	}
}

static void ipv6_chains_of_up_to_eight_headers(void **state)
{
	uint8_t chain[512];
	struct tg_packet pkt;
	uint64_t seed = 6;
	int i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		struct segment s = {
			.from = &client6,
			.to = &server6,
			.ipv6 = true,
			.flags = TG_ACK,
			.payload = 33,
			.ip_options = chain,
		};
		struct parsing how = {}, strict = { .strict = true };
		int count = i % 12;

		s.ip_options_size = random_chain(&seed, chain, count, &s.extension);
		if (count <= 8) {
			assert_int_equal(parse_segment(&s, &how, &pkt), TG_UNDECIDED);
			assert_int_equal(pkt.payload, 33);
			assert_false(pkt.first_fragment);
		} else {
			assert_int_equal(parse_segment(&s, &how, &pkt), TG_PASS_EXT_DEPTH);
			assert_int_equal(parse_segment(&s, &strict, &pkt), TG_DROP_EXT_DEPTH);
		}
	}
}

static void fragments_and_others_of_ipv6(void **state)
{
	static const struct {
		uint8_t extension;
		uint8_t chain[16];
		size_t size;
		enum tg_verdict want, strict;
		bool first;
	} rows[] = {
		{ 44, { 6, 0, 0, 1 }, 8, TG_UNDECIDED, TG_UNDECIDED, true }, /* first */
		{ 44, { 6, 0, 0, 0 }, 8, TG_UNDECIDED, TG_UNDECIDED, false }, /* atomic, RFC 6946 */
		{ 44, { 6, 0, 0, 0x10 }, 8, TG_PASS_FRAG, TG_DROP_FRAG, false },
		{ 44, { 6, 0, 0, 0x11 }, 8, TG_PASS_FRAG, TG_DROP_FRAG, false },
		{ 44, { 6, 0, 0, 8 }, 8, TG_DROP_TINY_FRAG, TG_DROP_TINY_FRAG, false },
		{ 44, { 17, 0, 0, 8 }, 8, TG_PASS_NOT_TCP, TG_PASS_NOT_TCP, false },
		{ 44, { 60, 0, 0, 0x10, 0, 0, 0, 0, 6 }, 16, TG_PASS_NOT_TCP, TG_PASS_NOT_TCP, false },
		{ 60, { 44, 0, 1, 4, 0, 0, 0, 0, 6, 0, 0, 1 }, 16, TG_UNDECIDED, TG_UNDECIDED, true },
		{ 60, { 59 }, 8, TG_PASS_NOT_TCP, TG_PASS_NOT_TCP, false }, /* no next header */
		{ 50, { 6 }, 8, TG_PASS_NOT_TCP, TG_PASS_NOT_TCP, false }, /* ESP */
		{ 17, { 0 }, 8, TG_PASS_NOT_TCP, TG_PASS_NOT_TCP, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct segment s = {
			.from = &client6,
			.to = &server6,
			.ipv6 = true,
			.flags = TG_ACK,
			.payload = 40,
			.ip_options = rows[i].chain,
			.ip_options_size = rows[i].size,
			.extension = rows[i].extension,
		};
		struct parsing how = {}, strict = { .strict = true };
		struct tg_packet pkt;

		if (parse_segment(&s, &strict, &pkt) != rows[i].strict ||
		    parse_segment(&s, &how, &pkt) != rows[i].want)
			fail_msg("row %zu: verdict %d", i, parse_segment(&s, &how, &pkt));
		if (!rows[i].want)
			assert_int_equal(pkt.first_fragment, rows[i].first);
	}
}

/* BIG TCP: the IP length is 0, the buffer says how much there is. */
static void jumbo_lengths_come_from_the_buffer(void **state)
{
	static const uint8_t hop[] = { 6, 0, 0xc2, 4, 0, 2, 0, 0 };
	int i;

	(void)state;
	for (i = 0; i < 8; i++) {
		struct segment s = {
			.from = i & 1 ? &client6 : &client,
			.to = i & 1 ? &server6 : &server,
			.ipv6 = i & 1,
			.flags = TG_ACK | (i & 2 ? TG_FIN : 0),
			.seq = 77,
			.payload = 3000,
			.no_length = true,
			.tsval = 9,
			.link = i & 4 ? LINK_QINQ : LINK_NONE,
		};
		uint8_t frame[FRAME_MAX + 256];
		struct parsing how = { .no_link_header = !(i & 4), .verify_csum = true };
		struct tg_packet pkt;
		size_t size;

		if (s.ipv6) {
			s.ip_options = hop;
			s.ip_options_size = sizeof(hop);
			s.extension = 0;
		}
		size = frame_build(frame, &s);
		assert_int_equal(parse(frame, size, &how, &pkt), TG_UNDECIDED);
		assert_true(pkt.jumbo);
		tg_jumbo_payload(&pkt, (__u32)size);
		check_packet(&s, &pkt);
		/* The same with only the headers in the buffer, of a packet of 185,000 bytes. */
		assert_int_equal(parse(frame, size - 3000, &how, &pkt), TG_UNDECIDED);
		tg_jumbo_payload(&pkt, (__u32)size + 182000);
		assert_int_equal(pkt.payload, 185000);
		assert_int_equal(pkt.end, 77 + 185000 + !!(i & 2));
	}
}

/* Behind a routing header or destination options the sum may cover another address (RFC 8200 8.1). */
static bool may_be_readdressed(const struct segment *s)
{
	uint8_t type = s->extension;
	size_t at = 0;

	while (s->ipv6 && at < s->ip_options_size) {
		size_t size = type == 51 ? (s->ip_options[at + 1] + 2) * 4 : (s->ip_options[at + 1] + 1) * 8;

		if (type == 43 || type == 60)
			return true;
		type = s->ip_options[at];
		at += size;
	}
	return false;
}

static void checksums_of_control_segments(void **state)
{
	static const uint8_t control[] = {
		TG_SYN,
		TG_SYN | TG_ACK,
		TG_FIN | TG_ACK,
		TG_RST,
		TG_RST | TG_ACK,
	};
	uint64_t seed = 8;
	int i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		struct parsing verify = { .verify_csum = true }, trust = {};
		uint8_t chain[256], frame[FRAME_MAX + 256];
		struct tg_packet pkt;
		struct segment s;
		size_t size, tcp, at;

		random_segment(&seed, &s, chain);
		s.payload = 0;
		s.padding = 0;
		s.flags = control[random_below(&seed, COUNT(control))];
		verify.no_link_header = trust.no_link_header = s.link == LINK_NONE;
		size = frame_build(frame, &s);
		assert_int_equal(parse(frame, size, &verify, &pkt), TG_UNDECIDED);
		tcp = size - (pkt.bytes - (s.ipv6 ? 40 : 20) - s.ip_options_size);
		/* One bit of ports, numbers, window, checksum or urgent pointer turned. */
		at = random_below(&seed, 18);
		at += at >= 12 ? 2 : 0;
		frame[tcp + at] ^= (uint8_t)(1 << random_below(&seed, 8));
		assert_int_equal(parse(frame, size, &verify, &pkt),
				 may_be_readdressed(&s) ? TG_UNDECIDED : TG_DROP_BAD_CSUM);
		assert_int_equal(parse(frame, size, &trust, &pkt), TG_UNDECIDED);
	}
}

/* Data is left to the endpoint: only control segments change a state on their word alone. */
static void checksums_of_data_are_not_looked_at(void **state)
{
	struct parsing verify = { .verify_csum = true };
	struct segment s = { .from = &client, .to = &server, .flags = TG_ACK, .bad_checksum = true };
	struct tg_packet pkt;

	(void)state;
	assert_int_equal(parse_segment(&s, &verify, &pkt), TG_UNDECIDED);
	s.payload = 10;
	s.flags |= TG_FIN;
	assert_int_equal(parse_segment(&s, &verify, &pkt), TG_UNDECIDED);
	s.payload = 0;
	assert_int_equal(parse_segment(&s, &verify, &pkt), TG_DROP_BAD_CSUM);
	s.fragment = 0x2000;
	assert_int_equal(parse_segment(&s, &verify, &pkt), TG_UNDECIDED);
}

static void other_frames_are_not_tcp(void **state)
{
	struct segment s = { .from = &client, .to = &server, .flags = TG_ACK };
	uint8_t frame[FRAME_MAX];
	struct parsing how = {}, bare = { .no_link_header = true };
	struct tg_packet pkt;
	unsigned int protocol;
	size_t size;

	(void)state;
	size = frame_build(frame, &s);
	for (protocol = 0; protocol < 256; protocol++) {
		frame[23] = (uint8_t)protocol;
		assert_int_equal(parse(frame, size, &how, &pkt),
				 protocol == 6 ? TG_UNDECIDED : TG_PASS_NOT_TCP);
	}
	frame[23] = 6;
	memcpy(frame + 12, "\x08\x06", 2); /* ARP */
	assert_int_equal(parse(frame, size, &how, &pkt), TG_PASS_NOT_TCP);
	memcpy(frame + 12, "\x81\x00\x00\x01\x81\x00\x00\x02\x81\x00\x00\x03\x08\x00", 14);
	assert_int_equal(parse(frame, size, &how, &pkt), TG_PASS_NOT_TCP); /* three tags */
	assert_int_equal(parse(frame, 0, &how, &pkt), TG_PASS_NOT_TCP);
	assert_int_equal(parse(frame, 0, &bare, &pkt), TG_PASS_NOT_TCP);
}

/* An ICMP error names a segment by its tuple and sequence number; its sender is who must hear of it. */
static void icmp_errors_quote_a_segment(void **state)
{
	unsigned int type;
	int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		struct segment s = {
			.from = i & 1 ? &client6 : &client,
			.to = i & 1 ? &server6 : &server,
			.ipv6 = i & 1,
			.flags = TG_ACK,
			.seq = 0xfffffff0,
			.payload = 100,
			.link = i & 2 ? LINK_VLAN : LINK_ETHERNET,
		};

		for (type = 0; type < 256; type++) {
			bool error = s.ipv6 ? type >= 1 && type <= 4 :
					      type == 3 || type == 4 || type == 11 || type == 12;
			uint8_t frame[FRAME_MAX];
			struct parsing how = {};
			struct tg_packet pkt;
			size_t size = frame_build_icmp(frame, &s, (uint8_t)type, 0), length;
			size_t needed = (i & 2 ? 18 : 14) + (s.ipv6 ? 40 + 8 + 40 + 8 : 20 + 8 + 20 + 8);

			assert_int_equal(parse(frame, size, &how, &pkt),
					 error ? TG_UNDECIDED : TG_PASS_NOT_TCP);
			assert_int_equal(pkt.icmp_error, error);
			if (!error)
				continue;
			check_address(pkt.saddr, s.from, s.ipv6);
			check_address(pkt.daddr, s.to, s.ipv6);
			assert_int_equal(ntohs(pkt.sport), s.from->port);
			assert_int_equal(ntohs(pkt.dport), s.to->port);
			assert_int_equal(pkt.seq, s.seq);
			for (length = 0; length < size; length++) {
				enum tg_verdict verdict = parse(frame, length, &how, &pkt);

				if (length >= needed)
					assert_int_equal(verdict, TG_UNDECIDED);
				else
					assert_true(verdict == TG_PASS_NOT_TCP ||
						    verdict == TG_DROP_BAD_HDR);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_segments_are_understood),
		cmocka_unit_test(truncated_frames_are_refused_or_understood),
		cmocka_unit_test(damaged_frames_never_lead_beyond_their_end),
		cmocka_unit_test(random_bytes_never_lead_beyond_their_end),
		cmocka_unit_test(flags_are_judged_by_the_table),
		cmocka_unit_test(impossible_addresses_are_refused),
		cmocka_unit_test(fragments_of_ipv4),
		cmocka_unit_test(a_first_fragment_without_the_whole_tcp_header_is_tiny),
		cmocka_unit_test(lengths_of_ipv4_that_contradict_each_other),
		cmocka_unit_test(ipv6_chains_of_up_to_eight_headers),
		cmocka_unit_test(fragments_and_others_of_ipv6),
		cmocka_unit_test(jumbo_lengths_come_from_the_buffer),
		cmocka_unit_test(checksums_of_control_segments),
		cmocka_unit_test(checksums_of_data_are_not_looked_at),
		cmocka_unit_test(other_frames_are_not_tcp),
		cmocka_unit_test(icmp_errors_quote_a_segment),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
