/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verify_csum: on a physical NIC the TCP checksum of control segments is verified before they may
 * change anything; nowhere else, because elsewhere checksums are not complete yet.
 */
#include <string.h>

#include "tests/bpf/harness.h"

static int open_verifying(void **state)
{
	const struct guard_options options = { .verify_csum = true };

	*state = guard_open(&options);
	return 0;
}

static int open_verifying6(void **state)
{
	const struct guard_options options = { .verify_csum = true, .ipv6 = true };

	*state = guard_open(&options);
	return 0;
}

/* A segment of the established connection 1001/5001, as the guard's family has it. */
static struct segment segment_of(bool ipv6, uint8_t flags)
{
	struct segment four = { FROM_CLIENT, .flags = flags, .seq = 1001, .ack = 5001 };
	struct segment six = { FROM_CLIENT6, .flags = flags, .seq = 1001, .ack = 5001 };

	return ipv6 ? six : four;
}

static void check_control_segments(struct guard *guard, bool ipv6)
{
	static const struct {
		uint8_t flags;
		enum tg_verdict good;
	} rows[] = {
		{ SYN, TG_NOUPD_SYN_CHALLENGE },
		{ SYN | ACK, TG_NOUPD_SYNACK_UNEXPECTED },
		{ FIN | ACK, TG_PASS_OK },
		{ RST | ACK, TG_PASS_RST_EXACT },
	};
	struct segment segment;
	size_t i;

	guard_handshake(guard);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		segment = segment_of(ipv6, rows[i].flags);
		segment.bad_checksum = true;
		assert_true(EXPECT(guard, &segment, false, TG_DROP_BAD_CSUM).dropped);
		segment.flags |= PSH;
		EXPECT(guard, &segment, false, TG_DROP_BAD_CSUM);
	}
	assert_int_equal(guard_state(guard, CLIENT), TG_TCP_ESTABLISHED);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		segment = segment_of(ipv6, rows[i].flags);
		guard_same(guard_judge_segment(guard, &segment, false).verdict, rows[i].good, "row", (int)i);
	}
}

static void drops_control_segments_with_a_wrong_sum(void **state)
{
	check_control_segments(*state, false);
}

static void drops_ipv6_control_segments_with_a_wrong_sum(void **state)
{
	check_control_segments(*state, true);
}

static void does_not_verify_data_and_acknowledgements(void **state)
{
	struct segment ack = segment_of(false, ACK), data = segment_of(false, PSH | ACK),
		       fin = segment_of(false, FIN | ACK);

	guard_handshake(*state);
	ack.bad_checksum = data.bad_checksum = fin.bad_checksum = true;
	EXPECT(*state, &ack, false, TG_PASS_OK);
	data.payload = 200;
	EXPECT(*state, &data, false, TG_PASS_OK);
	fin.payload = 200; /* only the headers are sure to be in reach */
	EXPECT(*state, &fin, false, TG_PASS_OK);
}

static void verifies_every_byte_of_header_and_options(void **state)
{
	static const uint8_t options[40] = { 2, 4, 5, 180, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7,
					     254, 20, 0xf9, 0x89, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
					     14, 15, 16 };
	struct segment segment = segment_of(false, SYN);
	uint8_t frame[FRAME_MAX];
	size_t length, size, at;

	segment.raw_options = options;
	for (length = 4; length <= sizeof(options); length += 4) {
		segment.raw_options_size = length;
		segment.from = &(struct endpoint){ { 10, 0, 0, 1 }, (uint16_t)(100 + length) };
		size = frame_build(frame, &segment);
		for (at = 34; at < size; at++) {
			if (at == 46 || at == 47)
				continue; /* data offset and flags: another segment */
			frame[at] ^= 0x20;
			SAME(guard_judge(*state, frame, size, false).verdict, TG_DROP_BAD_CSUM);
			frame[at] ^= 0x20;
		}
		SAME(guard_judge(*state, frame, size, false).verdict, TG_PASS_NEW);
	}
}

static void verifies_addresses_too(void **state)
{
	struct segment segment = segment_of(false, SYN);
	uint8_t frame[FRAME_MAX];
	size_t size = frame_build(frame, &segment), at;

	for (at = 14 + 12; at < 14 + 20; at++) {
		frame[at] ^= 0x04;
		SAME(guard_judge(*state, frame, size, false).verdict, TG_DROP_BAD_CSUM);
		frame[at] ^= 0x04;
	}
	SAME(guard_judge(*state, frame, size, false).verdict, TG_PASS_NEW);
}

/* Carries of every kind: thousands of good sums, among them those that fold twice or come to 0. */
static void never_doubts_a_good_sum(void **state)
{
	struct endpoint client = { .port = 1 };
	uint32_t random = 12345, zero_sums = 0;
	uint8_t frame[FRAME_MAX];
	int i;

	for (i = 0; i < 200000; i++) {
		struct segment segment = { BETWEEN(&client, &guard_server), .flags = RST };

		random = random * 1664525 + 1013904223;
		client.address[0] = 10;
		client.address[3] = (uint8_t)(random >> 8);
		client.port = (uint16_t)(random >> 16);
		segment.seq = random * 2654435761u;
		segment.ack = random ^ 0xffff0000;
		guard_run(*state, frame, frame_build(frame, &segment), false);
		zero_sums += !frame[50] && !frame[51];
	}
	assert_true(zero_sums > 0);
	assert_int_equal(guard_count(*state, TG_DROP_BAD_CSUM), 0);
	assert_int_equal(guard_count(*state, TG_DROP_RST_NO_FLOW), 200000);
}

static void finds_the_sum_behind_tags_options_and_extension_headers(void **state)
{
	static const uint8_t nops[12] = { [0 ... 11] = 1 }, kinds[] = { 0 };
	uint8_t chain[8];
	struct segment segment = segment_of(false, SYN), six = segment_of(true, SYN);

	segment.link = LINK_QINQ;
	segment.ip_options = nops;
	segment.ip_options_size = 12;
	segment.padding = 6;
	segment.bad_checksum = true;
	EXPECT(*state, &segment, false, TG_DROP_BAD_CSUM);
	segment.bad_checksum = false;
	EXPECT(*state, &segment, false, TG_PASS_NEW);
	six.extension = 0;
	six.ip_options = chain;
	six.ip_options_size = frame_put_extensions(chain, kinds, 1, 6);
	six.padding = 4;
	six.bad_checksum = true;
	EXPECT(*state, &six, false, TG_DROP_BAD_CSUM);
	six.bad_checksum = false;
	EXPECT(*state, &six, false, TG_PASS_NEW);
}

/* A fragment's sum covers what was not seen. */
static void does_not_verify_fragments(void **state)
{
	struct segment segment = segment_of(false, SYN);

	segment.fragment = 0x2000;
	segment.bad_checksum = true;
	EXPECT(*state, &segment, false, TG_PASS_NEW);
}

/*
 * RFC 8200 8.1: under way to a waypoint the sum is over the final destination, not the one in the
 * header.
 */
static void does_not_doubt_a_segment_under_way_to_a_waypoint(void **state)
{
	static const struct endpoint waypoint = { { 0xfd, [15] = 0x77 }, 80 };
	uint8_t routing[24] = { 6, 2, 4, 1, 0, 0, 0, 0 }, frame[FRAME_MAX]; /* type 4, one segment left */
	struct segment segment = segment_of(true, SYN);
	size_t size;

	memcpy(routing + 8, segment.to->address, 16);
	segment.extension = 43;
	segment.ip_options = routing;
	segment.ip_options_size = sizeof(routing);
	size = frame_build(frame, &segment);
	memcpy(frame + 14 + 24, waypoint.address, 16);
	assert_false(guard_judge(*state, frame, size, false).verdict == TG_DROP_BAD_CSUM);
}

/* Our own segments leave before the NIC has summed them. */
static void never_verifies_at_egress(void **state)
{
	struct segment segment = segment_of(false, SYN);

	segment.bad_checksum = true;
	EXPECT(*state, &segment, true, TG_PASS_NEW);
}

static void verifies_nothing_unless_told(void **state)
{
	struct segment segment = segment_of(false, SYN);

	segment.bad_checksum = true;
	EXPECT(*state, &segment, false, TG_PASS_NEW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_verifying, guard_teardown)
		TEST(drops_control_segments_with_a_wrong_sum),
		cmocka_unit_test_setup_teardown(drops_ipv6_control_segments_with_a_wrong_sum,
						open_verifying6, guard_teardown),
		TEST(does_not_verify_data_and_acknowledgements),
		TEST(verifies_every_byte_of_header_and_options),
		TEST(verifies_addresses_too),
		TEST(never_doubts_a_good_sum),
		TEST(finds_the_sum_behind_tags_options_and_extension_headers),
		TEST(does_not_verify_fragments),
		TEST(does_not_doubt_a_segment_under_way_to_a_waypoint),
		TEST(never_verifies_at_egress),
		cmocka_unit_test_setup_teardown(verifies_nothing_unless_told, guard_setup, guard_teardown),
	};

	return cmocka_run_group_tests_name("checksum", tests, NULL, NULL);
}
