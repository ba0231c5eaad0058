/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one packet alone gives away: each of the 256 flag bytes, the reserved bits, addresses that
 * cannot be a TCP peer's.
 */
#include <string.h>

#include "tests/bpf/harness.h"

/* RFC 9293 3.1 by bit value, not by the names the data path uses. */
#define F_FIN 1
#define F_SYN 2
#define F_RST 4
#define F_ACK 16
#define F_URG 32

/* What a segment with these flags gets where no flow exists. */
static enum tg_verdict without_flow(int flags)
{
	switch (flags & ~(8 | 64 | 128)) { /* PSH, ECE, CWR say nothing */
	case F_SYN:
	case F_SYN + F_URG:
		return TG_PASS_NEW;
	case F_SYN + F_ACK:
	case F_ACK:
	case F_ACK + F_URG:
	case F_FIN + F_ACK:
	case F_FIN + F_ACK + F_URG:
		return TG_DROP_NO_FLOW;
	case F_RST:
	case F_RST + F_ACK:
		return TG_DROP_RST_NO_FLOW;
	default:
		return TG_DROP_BAD_FLAGS;
	}
}

static void flag_matrix_of_all_256_bytes(void **state)
{
	struct endpoint client = guard_client;
	struct segment segment = { BETWEEN(&client, &guard_server), .seq = 1, .ack = 1 };
	int flags, good = 0;

	for (flags = 0; flags < 256; flags++) {
		enum tg_verdict want = without_flow(flags);

		client.port = (uint16_t)(1000 + flags);
		segment.flags = (uint8_t)flags;
		guard_same(EXPECT(*state, &segment, false, want).verdict, want, "flags", flags);
		good += want != TG_DROP_BAD_FLAGS;
		/* At egress the same verdict; our own segments are counted, not dropped. */
		client.port = (uint16_t)(2000 + flags);
		if (tg_verdict_drops(want))
			assert_int_equal(EXPECT(*state, &segment, true, want).outcome, TG_OUTCOME_OWN);
		else
			EXPECT(*state, &segment, true, want);
	}
	assert_int_equal(good, 9 * 8); /* nine sets, three ignored bits */
	assert_int_equal(guard_flows(*state), 2 * 2 * 8);
}

/* Impossible flags on a live flow change nothing about it. */
static void refuses_impossible_flags_on_a_live_flow(void **state)
{
	struct segment segment = { FROM_CLIENT, .seq = 1001, .ack = 5001, .payload = 50 };
	const struct step data = { CLIENT, ACK, .seq = 1001, .ack = 5001, .payload = 10,
				   .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) };
	int flags;

	guard_handshake(*state);
	for (flags = 0; flags < 256; flags++) {
		segment.flags = (uint8_t)flags;
		if (without_flow(flags) == TG_DROP_BAD_FLAGS)
			EXPECT(*state, &segment, false, TG_DROP_BAD_FLAGS);
	}
	assert_int_equal(guard_half(*state, CLIENT)->end, 1001);
	guard_say(*state, &data, 1);
}

/* A whole short life for each value of the four bits, and ECN's flags with it (trap 10). */
static void ecn_and_accecn_bits_are_ignored(void **state)
{
	struct endpoint client = guard_client;
	int bits;

	for (bits = 0; bits < 16; bits++) {
		struct segment up = { BETWEEN(&client, &guard_server), .reserved = (uint8_t)bits };
		struct segment down = { BETWEEN(&guard_server, &client), .reserved = (uint8_t)bits };

		client.port = (uint16_t)(1000 + bits);
		up.seq = 1000;
		up.flags = SYN | 0xc0;
		EXPECT(*state, &up, false, TG_PASS_NEW);
		down.seq = 5000;
		down.ack = 1001;
		down.flags = SYN | ACK | 0x40;
		EXPECT(*state, &down, true, TG_PASS_SYNACK);
		up.seq = 1001;
		up.ack = 5001;
		up.flags = ACK;
		EXPECT(*state, &up, false, TG_PASS_OK);
		up.flags = PSH | ACK | 0x80;
		up.payload = 200;
		EXPECT(*state, &up, false, TG_PASS_OK);
		down.seq = 5001;
		down.ack = 1201;
		down.flags = FIN | ACK | 0x40;
		EXPECT(*state, &down, true, TG_PASS_OK);
		up.seq = 1201;
		up.ack = 5002;
		up.payload = 0;
		up.flags = FIN | PSH | URG | ACK;
		EXPECT(*state, &up, false, TG_PASS_OK);
		down.seq = 5002;
		down.ack = 1202;
		down.flags = ACK;
		EXPECT(*state, &down, true, TG_PASS_OK);
		down.flags = RST | PSH;
		EXPECT(*state, &down, true, TG_NOUPD_RST_LATE);
	}
}

static const struct endpoint host = { { 192, 0, 2, 7 }, 80 }, same_host = { { 192, 0, 2, 7 }, 81 },
			     other_host = { { 192, 0, 2, 8 }, 80 };
static const struct endpoint host6 = { { 0x20, 1, [15] = 7 }, 80 },
			     same_host6 = { { 0x20, 1, [15] = 7 }, 81 },
			     other_host6 = { { 0x20, 1, [15] = 8 }, 80 };

static void land_is_refused(void **state)
{
	const struct {
		const struct endpoint *from, *to;
		bool ipv6;
		enum tg_verdict want;
	} rows[] = {
		{ &host, &host, false, TG_DROP_LAND },
		{ &host6, &host6, true, TG_DROP_LAND },
		{ &host, &same_host, false, TG_PASS_NEW }, /* a host may talk to itself */
		{ &host6, &same_host6, true, TG_PASS_NEW },
		{ &host, &other_host, false, TG_PASS_NEW }, /* equal ports mean nothing */
		{ &host6, &other_host6, true, TG_PASS_NEW },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct segment segment = { BETWEEN(rows[i].from, rows[i].to), .ipv6 = rows[i].ipv6,
					   .flags = SYN, .seq = 1 };

		EXPECT(*state, &segment, false, rows[i].want);
		segment.flags = ACK;
		if (rows[i].want == TG_DROP_LAND)
			EXPECT(*state, &segment, false, TG_DROP_LAND);
	}
}

static void refuses_sources_that_are_not_one_host(void **state)
{
	static const struct {
		uint8_t address[4];
		enum tg_verdict want;
	} rows[] = {
		{ { 0, 0, 0, 0 }, TG_DROP_BAD_HDR },
		{ { 255, 255, 255, 255 }, TG_DROP_BAD_HDR },
		{ { 224, 0, 0, 1 }, TG_DROP_BAD_HDR },
		{ { 232, 1, 2, 3 }, TG_DROP_BAD_HDR },
		{ { 239, 255, 255, 255 }, TG_DROP_BAD_HDR },
		{ { 223, 255, 255, 254 }, TG_PASS_NEW },
		{ { 127, 0, 0, 1 }, TG_PASS_NEW },
		{ { 1, 0, 0, 0 }, TG_PASS_NEW },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct endpoint from = { .port = 999 };
		struct segment segment = { BETWEEN(&from, &guard_server), .flags = SYN };

		memcpy(from.address, rows[i].address, 4);
		guard_same(guard_judge_segment(*state, &segment, false).verdict, rows[i].want, "row",
			   (int)i);
	}
}

static void refuses_ipv6_sources_that_are_not_one_host(void **state)
{
	static const struct {
		uint8_t address[16];
		enum tg_verdict want;
	} rows[] = {
		{ { 0 }, TG_DROP_BAD_HDR },
		{ { 0xff, 2, [15] = 1 }, TG_DROP_BAD_HDR },
		{ { 0xff, 0x0e, [15] = 9 }, TG_DROP_BAD_HDR },
		{ { [15] = 1 }, TG_PASS_NEW }, /* loopback */
		{ { 0xfe, 0x80, [15] = 1 }, TG_PASS_NEW },
		{ { 0, 0x64, 0xff, 0x9b, [12] = 10, [15] = 1 }, TG_PASS_NEW }, /* NAT64 */
		{ { [12] = 10, [15] = 1 }, TG_PASS_NEW }, /* compatible, not mapped */
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct endpoint from = { .port = 999 };
		struct segment segment = { BETWEEN(&from, &guard_server6), .ipv6 = true,
					   .flags = SYN };

		memcpy(from.address, rows[i].address, 16);
		guard_same(guard_judge_segment(*state, &segment, false).verdict, rows[i].want, "row",
			   (int)i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, guard_setup, guard_teardown)
		TEST(flag_matrix_of_all_256_bytes),
		TEST(refuses_impossible_flags_on_a_live_flow),
		TEST(ecn_and_accecn_bits_are_ignored),
		TEST(land_is_refused),
		TEST(refuses_sources_that_are_not_one_host),
		TEST(refuses_ipv6_sources_that_are_not_one_host),
	};

	return cmocka_run_group_tests_name("flags", tests, NULL, NULL);
}
