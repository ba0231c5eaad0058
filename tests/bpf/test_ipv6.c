/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What IPv4 refuses, over IPv6; and what only IPv6 has: extension headers, its own fragments,
 * mapped addresses.
 */
#include <string.h>

#include "tests/bpf/harness.h"

#define ETHERNET 14
#define IPV6 40

static const uint8_t kinds[] = { 0, 43, 60, 135, 51, 44 }; /* each header that may stand before TCP */
#define KINDS sizeof(kinds)

static int open_ipv6(void **state)
{
	const struct guard_options options = { .ipv6 = true };

	*state = guard_open(&options);
	return 0;
}

static int open_strict(void **state)
{
	const struct guard_options options = { .ipv6 = true, .strict = true };

	*state = guard_open(&options);
	return 0;
}

static void refuses_what_ipv4_refuses(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_DROP_NO_FLOW },
		{ CLIENT, RST, .seq = 1001, .want = TG_DROP_RST_NO_FLOW },
		{ CLIENT, SYN | FIN, .seq = 1000, .want = TG_DROP_BAD_FLAGS },
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_DROP_ACK_BEFORE_SYNACK },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5002, .want = TG_DROP_HS_BAD_ACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1001 + 65536, .ack = 5001, .payload = 1, .want = TG_DROP_SEQ_ABOVE },
		{ CLIENT, ACK, .seq = 1001, .ack = 5002, .want = TG_DROP_ACK_ABOVE },
		{ CLIENT, RST, .seq = 1000, .want = TG_DROP_RST_OLD },
		{ CLIENT, RST, .seq = 1002, .want = TG_NOUPD_RST_INEXACT, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, RST, .seq = 1001, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
	};

	TALK(*state, steps);
}

static struct segment segment_behind(uint8_t *chain, const uint8_t *list, size_t count, uint8_t last)
{
	struct segment segment = { FROM_CLIENT6, .flags = ACK, .seq = 1001, .ack = 5001,
				   .extension = count ? list[0] : last, .ip_options = chain };

	segment.ip_options_size = frame_put_extensions(chain, list, count, last);
	return segment;
}

static void v6_ext_headers_up_to_eight_are_walked(void **state)
{
	uint8_t chain[128], list[9], frame[FRAME_MAX];
	size_t kind, count, size;

	guard_handshake(*state);
	for (kind = 0; kind < KINDS; kind++) {
		memset(list, kinds[kind], sizeof(list));
		for (count = 0; count <= 9; count++) {
			struct segment segment = segment_behind(chain, list, count, 6);
			enum tg_verdict want = count == 9 ? TG_PASS_EXT_DEPTH : TG_PASS_OK;

			guard_same(guard_judge_segment(*state, &segment, false).verdict, want, "kind",
				   kinds[kind]);
			segment.from = &guard_server6;
			segment.to = &guard_client6;
			segment.seq = 5001;
			segment.ack = 1001;
			guard_same(guard_judge_segment(*state, &segment, true).verdict, want, "kind",
				   kinds[kind]);
			/* Impossible flags are found behind them too. */
			size = frame_build(frame, &segment);
			frame[size - 7] = SYN | FIN;
			guard_same(guard_judge(*state, frame, size, false).verdict,
				   count == 9 ? want : TG_DROP_BAD_FLAGS, "kind", kinds[kind]);
		}
	}
}

static void finds_tcp_behind_mixed_headers(void **state)
{
	uint8_t chain[128], list[8];
	unsigned int number, rest, i;

	guard_handshake(*state);
	for (number = 0; number < 2000; number++) {
		struct segment segment;

		for (i = 0, rest = number * 2654435761u; i < 8; i++, rest /= KINDS)
			list[i] = kinds[rest % KINDS];
		segment = segment_behind(chain, list, 1 + number % 8, 6);
		EXPECT(*state, &segment, false, TG_PASS_OK);
	}
}

static void drops_a_ninth_header_in_strict_mode(void **state)
{
	uint8_t chain[128], list[9] = { 0, 60, 60, 60, 60, 60, 60, 60, 60 };
	struct segment segment;

	guard_handshake(*state);
	segment = segment_behind(chain, list, 8, 6);
	EXPECT(*state, &segment, false, TG_PASS_OK);
	segment = segment_behind(chain, list, 9, 6);
	EXPECT(*state, &segment, false, TG_DROP_EXT_DEPTH);
}

/* RFC 4302 2.2: AH counts words of four, less two; the others words of eight, less one. */
static void measures_each_header_by_its_own_rule(void **state)
{
	uint8_t chain[2048];
	struct segment segment = { FROM_CLIENT6, .flags = ACK, .seq = 1001, .ack = 5001,
				   .ip_options = chain };
	int words;

	guard_handshake(*state);
	memset(chain, 0, sizeof(chain));
	chain[0] = 6;
	for (words = 0; words < 256; words++) {
		chain[1] = (uint8_t)words;
		segment.extension = 51;
		segment.ip_options_size = (size_t)(words + 2) * 4;
		EXPECT(*state, &segment, false, TG_PASS_OK);
		segment.extension = 60;
		segment.ip_options_size = (size_t)(words + 1) * 8;
		EXPECT(*state, &segment, false, TG_PASS_OK);
	}
}

static void refuses_chains_that_overrun_the_packet(void **state)
{
	static const uint8_t list[] = { 0, 60 };
	uint8_t chain[128], frame[FRAME_MAX];
	struct segment segment = segment_behind(chain, list, 2, 6);
	size_t size = frame_build(frame, &segment);

	frame[ETHERNET + IPV6 + 1] = 200; /* longer than the frame */
	SAME(guard_judge(*state, frame, size, false).verdict, TG_DROP_BAD_HDR);
	frame[ETHERNET + IPV6 + 1] = 0;
	frame[ETHERNET + 5] = 15; /* payload length less than the chain */
	SAME(guard_judge(*state, frame, size, false).verdict, TG_DROP_BAD_HDR);
	frame[ETHERNET + 5] = 16 + 19; /* one byte too few for TCP */
	SAME(guard_judge(*state, frame, size, false).verdict, TG_DROP_BAD_HDR);
	frame[ETHERNET + 5] = 16 + 20;
	SAME(guard_judge(*state, frame, size, false).verdict, TG_DROP_NO_FLOW);
}

static void leaves_alone_what_ends_in_another_protocol(void **state)
{
	static const uint8_t list[] = { 0, 60, 43 }, last[] = { 17, 50, 59, 58, 132, 255 };
	uint8_t chain[128];
	size_t i, count;

	for (i = 0; i < sizeof(last); i++) {
		for (count = 0; count <= 3; count++) {
			struct segment segment = segment_behind(chain, list, count, last[i]);

			segment.seq = 0; /* as ICMPv6: type 156, not an error */
			if (count)
				EXPECT(*state, &segment, false, TG_PASS_NOT_TCP);
		}
	}
}

static void judges_fragments_like_ipv4(void **state)
{
	uint8_t fragment[8];
	struct segment segment = { FROM_CLIENT6, .flags = ACK, .seq = 1001, .ack = 5001, .payload = 800,
				   .extension = 44, .ip_options = fragment, .ip_options_size = 8 };

	guard_handshake(*state);
	frame_put_fragment(fragment, 6, 0, true);
	EXPECT(*state, &segment, false, TG_NOUPD_FRAG_FIRST);
	frame_put_fragment(fragment, 6, 0, false); /* alone: RFC 6946, not a fragment */
	EXPECT(*state, &segment, false, TG_PASS_RETRANS);
	frame_put_fragment(fragment, 6, 2, true);
	EXPECT(*state, &segment, false, TG_PASS_FRAG);
	frame_put_fragment(fragment, 6, 100, false);
	EXPECT(*state, &segment, false, TG_PASS_FRAG);
	frame_put_fragment(fragment, 6, 1, true); /* would lie over the flags */
	EXPECT(*state, &segment, false, TG_DROP_TINY_FRAG);
	frame_put_fragment(fragment, 6, 1, false);
	EXPECT(*state, &segment, false, TG_DROP_TINY_FRAG);
	frame_put_fragment(fragment, 17, 1, true);
	EXPECT(*state, &segment, false, TG_PASS_NOT_TCP);
}

static void refuses_first_fragments_that_hide_the_header(void **state)
{
	uint8_t fragment[8], frame[FRAME_MAX];
	struct segment segment = { FROM_CLIENT6, .flags = ACK, .seq = 1, .tsval = 5, .extension = 44,
				   .ip_options = fragment, .ip_options_size = 8, .padding = 30 };
	size_t size;
	int present;

	frame_put_fragment(fragment, 6, 0, true);
	size = frame_build(frame, &segment);
	for (present = 0; present <= 32; present++) { /* TCP's header and options are 32 bytes */
		frame[ETHERNET + 5] = (uint8_t)(8 + present);
		SAME(guard_judge(*state, frame, size, false).verdict,
		     present < 32 ? TG_DROP_TINY_FRAG : TG_DROP_NO_FLOW);
	}
}

static void drops_later_fragments_in_strict_mode(void **state)
{
	uint8_t fragment[8];
	struct segment segment = { FROM_CLIENT6, .flags = ACK, .seq = 1001, .ack = 5001, .payload = 800,
				   .extension = 44, .ip_options = fragment, .ip_options_size = 8 };

	frame_put_fragment(fragment, 6, 100, false);
	EXPECT(*state, &segment, false, TG_DROP_FRAG);
}

/* ::ffff:10.0.0.1 on the wire would be taken for IPv4's 10.0.0.1. */
static void refuses_mapped_addresses(void **state)
{
	static const struct endpoint mapped_client = { { [10] = 0xff, 0xff, 10, 0, 0, 1 }, 40000 },
				     mapped_server = { { [10] = 0xff, 0xff, 10, 0, 0, 2 }, 80 };
	struct segment syn = { FROM_CLIENT, .flags = SYN, .seq = 1 };
	struct segment segment = { BETWEEN(&mapped_client, &mapped_server), .ipv6 = true };
	const uint8_t flags[] = { SYN, ACK, RST, FIN | ACK, SYN | ACK };
	size_t i;

	EXPECT(*state, &syn, false, TG_PASS_NEW);
	for (i = 0; i < sizeof(flags); i++) {
		segment.flags = flags[i];
		segment.from = &mapped_client;
		segment.to = &mapped_server;
		EXPECT(*state, &segment, false, TG_DROP_BAD_HDR);
		segment.to = &guard_server6;
		EXPECT(*state, &segment, false, TG_DROP_BAD_HDR);
		segment.from = &guard_client6;
		segment.to = &mapped_server;
		EXPECT(*state, &segment, false, TG_DROP_BAD_HDR);
	}
	assert_int_equal(guard_flows(*state), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_ipv6, guard_teardown)
#define STRICT(name) cmocka_unit_test_setup_teardown(name, open_strict, guard_teardown)
		TEST(refuses_what_ipv4_refuses),
		TEST(v6_ext_headers_up_to_eight_are_walked),
		TEST(finds_tcp_behind_mixed_headers),
		STRICT(drops_a_ninth_header_in_strict_mode),
		TEST(measures_each_header_by_its_own_rule),
		TEST(refuses_chains_that_overrun_the_packet),
		TEST(leaves_alone_what_ends_in_another_protocol),
		TEST(judges_fragments_like_ipv4),
		TEST(refuses_first_fragments_that_hide_the_header),
		STRICT(drops_later_fragments_in_strict_mode),
		TEST(refuses_mapped_addresses),
	};

	return cmocka_run_group_tests_name("IPv6", tests, NULL, NULL);
}
