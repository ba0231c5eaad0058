/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flags and checksums: what of a TCP header is judged before there is a flow. */
#include "tests/unit/parsing.h"

#include "bpf/tcp_flags.h"

/* All 256 flag bytes: the parser keeps six bits and the check is a table of nine sets. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_are_judged_by_the_table),
		cmocka_unit_test(checksums_of_control_segments),
		cmocka_unit_test(checksums_of_data_are_not_looked_at),
	};

	return cmocka_run_group_tests_name("parse tcp", tests, NULL, NULL);
}
