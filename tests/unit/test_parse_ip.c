/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parser makes of IP: addresses, lengths, extension headers, what is not TCP, ICMP errors. */
#include "tests/unit/parsing.h"

#include "bpf/tcp_flags.h"

/* ::ffff:10.0.0.1, an IPv4 address in IPv6 */
#define MAPPED \
	{ \
		[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1 \
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
		{ true, { MAPPED, 1 }, { { 0xfd, [15] = 1 }, 2 }, TG_DROP_BAD_HDR },
		{ true, { { 0xfd, [15] = 1 }, 2 }, { MAPPED, 1 }, TG_DROP_BAD_HDR },
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
		cmocka_unit_test(impossible_addresses_are_refused),
		cmocka_unit_test(lengths_of_ipv4_that_contradict_each_other),
		cmocka_unit_test(ipv6_chains_of_up_to_eight_headers),
		cmocka_unit_test(jumbo_lengths_come_from_the_buffer),
		cmocka_unit_test(other_frames_are_not_tcp),
		cmocka_unit_test(icmp_errors_quote_a_segment),
	};

	return cmocka_run_group_tests_name("parse ip", tests, NULL, NULL);
}
