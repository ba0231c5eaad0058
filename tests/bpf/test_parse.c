/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From bytes to one segment: link headers and tags, IPv4 options, truncation at every byte,
 * padding, lengths that contradict each other, BIG TCP, and what is not TCP at all.
 */
#include <string.h>

#include "tests/bpf/harness.h"

#define ETHERNET 14
#define IPV4_AT ETHERNET /* without tags */
#define TCP_AT (IPV4_AT + 20)
#define TC_LEAST 34 /* BPF_PROG_TEST_RUN wants an IPv4 header at TC */

static const uint8_t nops[40] = { [0 ... 39] = 1 };

static void vlan_and_qinq_tags_are_read_through(void **state)
{
	static const enum link_kind links[] = { LINK_VLAN, LINK_QINQ, LINK_QINQ_OLD };
	struct endpoint client = guard_client;
	size_t i;

	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		struct segment syn = { BETWEEN(&client, &guard_server), .link = links[i], .flags = SYN,
				       .seq = 100 };
		struct segment synack = { BETWEEN(&guard_server, &client), .flags = SYN | ACK,
					  .seq = 900, .ack = 101 };

		client.port = (uint16_t)(2000 + i);
		EXPECT(*state, &syn, false, TG_PASS_NEW);
		/* The other side of a router has another tag, or none: the tag is not in the key. */
		EXPECT(*state, &synack, true, TG_PASS_SYNACK);
		syn.ipv6 = true;
		syn.to = &guard_server6;
		syn.from = &(struct endpoint){ { 0xfd, [15] = (uint8_t)(9 + i) }, 40000 };
		EXPECT(*state, &syn, true, TG_PASS_NEW);
	}
}

static void does_not_look_behind_a_third_tag(void **state)
{
	struct segment segment = { FROM_CLIENT, .link = LINK_QINQ, .flags = ACK };
	uint8_t frame[FRAME_MAX];
	size_t size = frame_build(frame, &segment);

	memmove(frame + 22, frame + 18, size - 18);
	memcpy(frame + 20, (uint8_t[]){ 0x81, 0x00 }, 2);
	SAME(guard_judge(*state, frame, size + 4, false).verdict, TG_PASS_NOT_TCP);
}

static void reads_frames_without_link_header(void **state)
{
	const struct guard_options options = { .no_link_header = true };
	static const struct step steps[] = {
		{ CLIENT, PSH | ACK, .seq = 1001, .ack = 5001, .payload = 300, .want = TG_PASS_OK,
		  STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1301, .want = TG_PASS_OK },
		{ CLIENT, RST, .seq = 99, .want = TG_DROP_RST_OLD },
	};
	struct guard *guard = guard_open(&options);
	struct segment six = { FROM_CLIENT6, .link = LINK_NONE, .flags = SYN, .seq = 7 };
	uint8_t frame[FRAME_MAX];
	size_t size;

	(void)state;
	guard_handshake(guard);
	TALK(guard, steps);
	EXPECT(guard, &six, false, TG_PASS_NEW);
	size = frame_build(frame, &six);
	frame[0] = 0x50; /* neither IPv4 nor IPv6 */
	SAME(guard_judge(guard, frame, size, false).verdict, TG_DROP_BAD_HDR);
	guard_close(guard);
}

static void ip_opts_of_any_length_are_skipped(void **state)
{
	struct endpoint client = guard_client;
	size_t size;

	for (size = 4; size <= 40; size += 4) {
		struct segment segment = { BETWEEN(&client, &guard_server), .flags = SYN, .seq = 100,
					   .payload = 10, .ip_options = nops, .ip_options_size = size };
		struct segment synack = { BETWEEN(&guard_server, &client), .flags = SYN | ACK,
					  .seq = 900, .ack = 111 };

		client.port = (uint16_t)(3000 + size);
		EXPECT(*state, &segment, false, TG_PASS_NEW);
		/* All ten bytes and no more: 111 is the highest number that can be acknowledged. */
		EXPECT(*state, &synack, true, TG_PASS_SYNACK);
		synack.ack = 112;
		EXPECT(*state, &synack, true, TG_NOUPD_SYNACK_UNEXPECTED);
	}
}

/* Every prefix of a frame whose headers end at headers; whole: what the full frame gets. */
static void judge_prefixes(struct guard *guard, const struct segment *segment, size_t link,
			   size_t headers, int line)
{
	uint8_t frame[FRAME_MAX];
	size_t size = frame_build(frame, segment), least = segment->ipv6 ? 54 : TC_LEAST, length;

	for (length = ETHERNET; length <= size; length++) {
		enum tg_verdict want = length < headers ? TG_DROP_BAD_HDR : TG_DROP_NO_FLOW;
		struct judgement got = guard_judge(guard, frame, length, false);

		if (length < link)
			want = TG_PASS_NOT_TCP;
		if (got.verdict != want)
			fail_msg("line %d, %zu bytes: want %s, got %s", line, length, verdict_name(want),
				 verdict_name(got.verdict));
		assert_int_equal(got.dropped, tg_verdict_drops(want));
		if (length >= least && segment->link != LINK_NONE)
			SAME(guard_judge(guard, frame, length, true).verdict, want);
	}
}

static void survives_truncation_at_every_byte(void **state)
{
	static const uint8_t kinds[] = { 0, 43, 51, 60 };
	uint8_t chain[64];
	size_t chained = frame_put_extensions(chain, kinds, 4, 6);
	struct segment plain = { FROM_CLIENT, .flags = ACK, .seq = 1, .ack = 1, .payload = 8,
				 .tsval = 77, .sack = { { 5, 9 } }, .sack_blocks = 1 };
	struct segment tagged = plain, twice = plain, options = plain, six = plain, extended;

	judge_prefixes(*state, &plain, ETHERNET, TCP_AT + 44, __LINE__);
	tagged.link = LINK_VLAN;
	judge_prefixes(*state, &tagged, ETHERNET + 4, TCP_AT + 48, __LINE__);
	twice.link = LINK_QINQ;
	judge_prefixes(*state, &twice, ETHERNET + 8, TCP_AT + 52, __LINE__);
	options.ip_options = nops;
	options.ip_options_size = 40;
	judge_prefixes(*state, &options, ETHERNET, TCP_AT + 84, __LINE__);
	six.ipv6 = true;
	six.from = &guard_client6;
	six.to = &guard_server6;
	judge_prefixes(*state, &six, ETHERNET, ETHERNET + 40 + 44, __LINE__);
	extended = six;
	extended.extension = 0;
	extended.ip_options = chain;
	extended.ip_options_size = chained;
	judge_prefixes(*state, &extended, ETHERNET, ETHERNET + 40 + chained + 44, __LINE__);
	assert_int_equal(guard_flows(*state), 0);
}

static void survives_truncation_without_link_header(void **state)
{
	const struct guard_options options = { .no_link_header = true };
	struct guard *guard = guard_open(&options);
	struct segment plain = { FROM_CLIENT, .link = LINK_NONE, .flags = ACK, .tsval = 3 };
	struct segment six = { FROM_CLIENT6, .link = LINK_NONE, .flags = ACK, .tsval = 3 };

	(void)state;
	judge_prefixes(guard, &plain, 0, 52, __LINE__);
	judge_prefixes(guard, &six, 0, 72, __LINE__);
	guard_close(guard);
}

/* Trap 1: a 54-byte ACK is padded to 60 on the wire. */
static void pad_ack_is_not_counted_as_payload(void **state)
{
	struct segment fin = { FROM_CLIENT, .flags = FIN | ACK, .seq = 1001, .ack = 5001, .padding = 6 };
	struct segment ack = { FROM_SERVER, .flags = ACK, .seq = 5001, .ack = 1002, .padding = 6 };
	struct segment again = { FROM_CLIENT, .flags = ACK, .seq = 1002, .ack = 5001, .padding = 6 };

	guard_handshake(*state);
	EXPECT(*state, &fin, false, TG_PASS_OK);
	assert_int_equal(guard_half(*state, CLIENT)->end, 1002);
	EXPECT(*state, &again, false, TG_PASS_OK);
	assert_int_equal(guard_half(*state, CLIENT)->end, 1002);
	assert_int_equal(guard_state(*state, CLIENT), TG_TCP_FIN_WAIT_1);
	EXPECT(*state, &ack, true, TG_PASS_OK);
	assert_int_equal(guard_half(*state, SERVER)->end, 5001);
	assert_int_equal(guard_state(*state, CLIENT), TG_TCP_FIN_WAIT_2);
	assert_int_equal(guard_half_count(*state, CLIENT)->bytes, 0);
}

/* One byte (or two) of an otherwise good frame is wrong. */
static void refuses_lengths_that_contradict_each_other(void **state)
{
	static const struct {
		size_t at;
		uint8_t high, low; /* high 0: only one byte, low */
		bool ipv6, wide;
	} wrong[] = {
		{ IPV4_AT, .low = 0x44 }, /* header of 16 bytes */
		{ IPV4_AT, .low = 0x55 }, /* version 5 */
		{ IPV4_AT, .low = 0x65 }, /* version 6 under the IPv4 EtherType */
		{ IPV4_AT + 2, 0, 19, .wide = true }, /* total length less than the IP header */
		{ IPV4_AT + 2, 0, 20, .wide = true }, /* nothing left for TCP */
		{ IPV4_AT + 2, 0, 39, .wide = true }, /* one byte short */
		{ TCP_AT + 12, .low = 0x40 }, /* TCP header of 16 bytes */
		{ TCP_AT + 12, .low = 0x00 },
		{ TCP_AT + 12, .low = 0x60 }, /* options beyond the IP length */
		{ TCP_AT + 12, .low = 0xf0 },
		{ ETHERNET, .low = 0x40, .ipv6 = true }, /* version 4 under the IPv6 EtherType */
		{ ETHERNET + 4, 0, 1, .ipv6 = true, .wide = true },
		{ ETHERNET + 4, 0, 19, .ipv6 = true, .wide = true },
		{ ETHERNET + 40 + 12, .low = 0x60, .ipv6 = true },
	};
	const struct segment four = { FROM_CLIENT, .flags = ACK }, six = { FROM_CLIENT6, .flags = ACK };
	uint8_t frame[FRAME_MAX];
	size_t i, size;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		size = frame_build(frame, wrong[i].ipv6 ? &six : &four);
		memset(frame + size, 0, 64);
		if (wrong[i].wide)
			frame[wrong[i].at] = wrong[i].high;
		frame[wrong[i].at + wrong[i].wide] = wrong[i].low;
		guard_same(guard_judge(*state, frame, size + 64, false).verdict, TG_DROP_BAD_HDR,
			   "row", (int)i);
		guard_same(guard_judge(*state, frame, size + 64, true).verdict, TG_DROP_BAD_HDR,
			   "row at TC", (int)i);
	}
}

/* BIG TCP: the IP length is 0 and the buffer's length is the truth (RFC 2675 for IPv6). */
static void bigtcp_takes_the_length_from_the_buffer(void **state)
{
	static const uint8_t jumbo[8] = { 6, 0, 0xc2, 4, 0, 0, 0x0b, 0xd0 };
	struct segment up = { FROM_CLIENT, .flags = ACK, .seq = 1001, .ack = 5001, .payload = 3000,
			      .no_length = true };
	struct segment down = { FROM_SERVER, .flags = ACK, .seq = 5001, .ack = 1001, .payload = 2000,
				.no_length = true, .link = LINK_VLAN, .tsval = 5 };
	const struct guard_options options = { .ipv6 = true };
	struct guard *six = guard_open(&options);

	guard_handshake(*state);
	EXPECT(*state, &up, false, TG_PASS_OK);
	assert_int_equal(guard_half(*state, CLIENT)->end, 4001);
	up.seq = 4001;
	up.payload = 3900; /* more than XDP's linear part: the rest is in a fragment */
	EXPECT(*state, &up, false, TG_PASS_OK);
	assert_int_equal(guard_half(*state, CLIENT)->end, 7901);
	EXPECT(*state, &down, true, TG_PASS_OK);
	assert_int_equal(guard_half(*state, SERVER)->end, 7001);

	guard_handshake(six);
	up = (struct segment){ FROM_CLIENT6, .flags = ACK, .seq = 1001, .ack = 5001, .payload = 3000,
			       .no_length = true, .ip_options = jumbo, .ip_options_size = 8 };
	down = (struct segment){ FROM_SERVER6, .flags = ACK, .seq = 5001, .ack = 1001, .payload = 2000,
				 .no_length = true };
	EXPECT(six, &up, false, TG_PASS_OK);
	assert_int_equal(guard_half(six, CLIENT)->end, 4001);
	EXPECT(six, &down, true, TG_PASS_OK);
	assert_int_equal(guard_half(six, SERVER)->end, 7001);
	guard_close(six);
}

static void leaves_alone_what_is_not_tcp(void **state)
{
	static const uint16_t types[] = { 0x0806, 0x8847, 0x8863, 0x88cc, 0x0000, 0x05dc, 0xffff };
	const struct segment four = { FROM_CLIENT, .flags = SYN }, six = { FROM_CLIENT6, .flags = SYN };
	uint8_t frame[FRAME_MAX];
	size_t size = frame_build(frame, &four), i;
	int protocol;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		frame[12] = types[i] >> 8;
		frame[13] = (uint8_t)types[i];
		SAME(guard_judge(*state, frame, size, false).verdict, TG_PASS_NOT_TCP);
		SAME(guard_judge(*state, frame, size, true).verdict, TG_PASS_NOT_TCP);
	}
	for (protocol = 0; protocol < 256; protocol++) {
		bool extension = protocol == 0 || protocol == 43 || protocol == 44 || protocol == 51 ||
				 protocol == 60 || protocol == 135;

		if (protocol == 6)
			continue;
		size = frame_build(frame, &four);
		frame[IPV4_AT + 9] = (uint8_t)protocol;
		SAME(guard_judge(*state, frame, size, false).verdict, TG_PASS_NOT_TCP);
		SAME(guard_judge(*state, frame, size, true).verdict, TG_PASS_NOT_TCP);
		if (extension)
			continue; /* its bytes are TCP's here: test_ipv6.c has real ones */
		size = frame_build(frame, &six);
		frame[ETHERNET + 6] = (uint8_t)protocol; /* UDP, ESP, no next header, ... */
		SAME(guard_judge(*state, frame, size, false).verdict, TG_PASS_NOT_TCP);
	}
	assert_int_equal(guard_flows(*state), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, guard_setup, guard_teardown)
		TEST(vlan_and_qinq_tags_are_read_through),
		TEST(does_not_look_behind_a_third_tag),
		cmocka_unit_test(reads_frames_without_link_header),
		TEST(ip_opts_of_any_length_are_skipped),
		TEST(survives_truncation_at_every_byte),
		cmocka_unit_test(survives_truncation_without_link_header),
		TEST(pad_ack_is_not_counted_as_payload),
		TEST(refuses_lengths_that_contradict_each_other),
		TEST(bigtcp_takes_the_length_from_the_buffer),
		TEST(leaves_alone_what_is_not_tcp),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
