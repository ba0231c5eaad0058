/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parser makes of fragments, IPv4 and IPv6. */
#include "tests/unit/parsing.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fragments_of_ipv4),
		cmocka_unit_test(a_first_fragment_without_the_whole_tcp_header_is_tiny),
		cmocka_unit_test(fragments_and_others_of_ipv6),
	};

	return cmocka_run_group_tests_name("parse fragments", tests, NULL, NULL);
}
