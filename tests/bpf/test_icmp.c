/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ICMP errors about a segment of a flow: believed if the segment they quote can be in flight
 * (RFC 5927), dropped if not, left alone where we know nothing.
 */
#include <string.h>

#include "tests/bpf/harness.h"

#define UNREACHABLE 3
#define UNREACHABLE6 1
#define FAR_AWAY (1u << 30)
#define MARGIN 66000 /* how far below the last acknowledgement a segment may still be in flight */

static int open_ipv6(void **state)
{
	const struct guard_options options = { .ipv6 = true };

	*state = guard_open(&options);
	return 0;
}

/* An error that quotes the server's segment with this number; it comes from outside. */
static struct judgement judge_error(struct guard *guard, const struct segment *quoted, uint8_t type,
				    bool egress)
{
	uint8_t frame[FRAME_MAX];

	return guard_judge(guard, frame, frame_build_icmp(frame, quoted, type, 4), egress);
}

static struct segment sent_by_server(bool ipv6, uint32_t seq)
{
	struct segment segment = { FROM_SERVER, .flags = ACK, .seq = seq, .ack = 1001, .payload = 1000 };

	if (ipv6) {
		segment.ipv6 = true;
		segment.from = &guard_server6;
		segment.to = &guard_client6;
	}
	return segment;
}

static void expect_error(struct guard *guard, bool ipv6, uint32_t seq, enum tg_verdict want, int line)
{
	struct segment quoted = sent_by_server(ipv6, seq);
	struct judgement got = judge_error(guard, &quoted, ipv6 ? UNREACHABLE6 : UNREACHABLE, false);

	guard_same(got.verdict, want, __func__, line);
	assert_int_equal(got.dropped, tg_verdict_drops(want));
}

/* 3000 bytes from the server, of which 1000 are acknowledged: 6001 to 8001 are in flight. */
static void send_3000(struct guard *guard)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK },
		{ SERVER, PSH | ACK, .seq = 5001, .ack = 1001, .payload = 3000, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1001, .ack = 6001, .want = TG_PASS_OK },
	};

	TALK(guard, steps);
}

static void check_the_range(struct guard *guard, bool ipv6)
{
	send_3000(guard);
	expect_error(guard, ipv6, 6001, TG_PASS_ICMP_RELATED, __LINE__);
	expect_error(guard, ipv6, 7000, TG_PASS_ICMP_RELATED, __LINE__);
	expect_error(guard, ipv6, 8001, TG_PASS_ICMP_RELATED, __LINE__);
	expect_error(guard, ipv6, 8002, TG_DROP_ICMP_BAD_SEQ, __LINE__);
	expect_error(guard, ipv6, 8001 + (1u << 30), TG_DROP_ICMP_BAD_SEQ, __LINE__);
	expect_error(guard, ipv6, 6001 - MARGIN, TG_PASS_ICMP_RELATED, __LINE__);
	expect_error(guard, ipv6, 6001 - MARGIN - 1, TG_DROP_ICMP_BAD_SEQ, __LINE__);
	expect_error(guard, ipv6, 6001 - (1u << 30), TG_DROP_ICMP_BAD_SEQ, __LINE__);
	assert_int_equal(guard_state(guard, SERVER), TG_TCP_ESTABLISHED);
}

static void icmp_forge_only_what_is_in_flight_is_believed(void **state)
{
	check_the_range(*state, false);
}

static void icmp_forge_of_ipv6_is_judged_alike(void **state)
{
	check_the_range(*state, true);
}

static void looks_at_errors_of_every_type_and_at_nothing_else(void **state)
{
	struct segment quoted = sent_by_server(false, FAR_AWAY);
	int type;

	send_3000(*state);
	for (type = 0; type < 256; type++) {
		bool error = type == 3 || type == 4 || type == 11 || type == 12;

		guard_same(judge_error(*state, &quoted, (uint8_t)type, false).verdict,
			   error ? TG_DROP_ICMP_BAD_SEQ : TG_PASS_NOT_TCP, "type", type);
	}
}

static void looks_at_icmpv6_errors_of_every_type_and_at_nothing_else(void **state)
{
	struct segment quoted = sent_by_server(true, FAR_AWAY);
	int type;

	send_3000(*state);
	for (type = 0; type < 256; type++) {
		bool error = type >= 1 && type <= 4;

		guard_same(judge_error(*state, &quoted, (uint8_t)type, false).verdict,
			   error ? TG_DROP_ICMP_BAD_SEQ : TG_PASS_NOT_TCP, "type", type);
	}
}

static void leaves_errors_about_unknown_flows_alone(void **state)
{
	struct segment quoted = sent_by_server(false, FAR_AWAY);
	uint8_t frame[FRAME_MAX];
	size_t size;

	SAME(judge_error(*state, &quoted, UNREACHABLE, false).verdict, TG_PASS_NOT_TCP);
	send_3000(*state);
	SAME(judge_error(*state, &quoted, UNREACHABLE, false).verdict, TG_DROP_ICMP_BAD_SEQ);
	quoted.from = &(struct endpoint){ { 10, 0, 0, 2 }, 81 };
	SAME(judge_error(*state, &quoted, UNREACHABLE, false).verdict, TG_PASS_NOT_TCP);
	quoted = sent_by_server(false, FAR_AWAY);
	size = frame_build_icmp(frame, &quoted, UNREACHABLE, 4);
	frame[14 + 20 + 8 + 9] = 17; /* quotes UDP */
	SAME(guard_judge(*state, frame, size, false).verdict, TG_PASS_NOT_TCP);
	assert_int_equal(guard_flows(*state), 1);
	/* Once the flow has ended nothing is known of it. */
	guard_advance_ms(*state, 301 * 1000);
	quoted = sent_by_server(false, FAR_AWAY);
	SAME(judge_error(*state, &quoted, UNREACHABLE, false).verdict, TG_PASS_NOT_TCP);
}

static void leaves_quotes_it_cannot_read_alone(void **state)
{
	struct segment quoted = sent_by_server(false, FAR_AWAY);
	uint8_t frame[FRAME_MAX];
	size_t size = frame_build_icmp(frame, &quoted, UNREACHABLE, 4), length;

	send_3000(*state);
	for (length = 34; length <= size; length++)
		SAME(guard_judge(*state, frame, length, false).verdict,
		     length < size ? TG_PASS_NOT_TCP : TG_DROP_ICMP_BAD_SEQ);
	frame[14 + 20 + 8] = 0x44; /* inner header of 16 bytes */
	SAME(guard_judge(*state, frame, size, false).verdict, TG_PASS_NOT_TCP);
	frame[14 + 20 + 8] = 0x65;
	SAME(guard_judge(*state, frame, size, false).verdict, TG_PASS_NOT_TCP);
	frame[14 + 20 + 8] = 0x45;
	frame[14 + 20 + 8 + 7] = 9; /* quotes a later fragment: no TCP header in it */
	SAME(guard_judge(*state, frame, size, false).verdict, TG_PASS_NOT_TCP);
}

static void leaves_icmpv6_quotes_it_cannot_read_alone(void **state)
{
	struct segment quoted = sent_by_server(true, FAR_AWAY);
	uint8_t frame[FRAME_MAX];
	size_t size = frame_build_icmp(frame, &quoted, UNREACHABLE6, 4), length;
	size_t least = 14 + 40 + 8 + 40 + 8;

	send_3000(*state);
	for (length = 54; length <= size; length++)
		SAME(guard_judge(*state, frame, length, false).verdict,
		     length < least ? TG_PASS_NOT_TCP : TG_DROP_ICMP_BAD_SEQ);
}

static void finds_the_quote_behind_ipv4_options(void **state)
{
	static const uint8_t nops[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	struct segment quoted = sent_by_server(false, FAR_AWAY);
	uint8_t frame[FRAME_MAX];
	size_t size;

	send_3000(*state);
	quoted.ip_options = nops;
	quoted.ip_options_size = 8;
	quoted.payload = 0;
	size = frame_build_icmp(frame, &quoted, UNREACHABLE, 4);
	/* The quote is 28 bytes, all but its ports and number are options: not readable. */
	SAME(guard_judge(*state, frame, size, false).verdict, TG_PASS_NOT_TCP);
	memcpy(frame + size, (uint8_t[]){ 0, 80, 0x9c, 0x40, 0x40, 0, 0, 1 }, 8);
	SAME(guard_judge(*state, frame, size + 8, false).verdict, TG_DROP_ICMP_BAD_SEQ);
	memcpy(frame + size + 4, (uint8_t[]){ 0, 0, 0x1b, 0x58 }, 4); /* 7000 */
	SAME(guard_judge(*state, frame, size + 8, false).verdict, TG_PASS_ICMP_RELATED);
}

static void believes_an_error_about_a_syn(void **state)
{
	static const struct step steps[] = {
		{ SERVER, SYN, .seq = 5000, .want = TG_PASS_NEW },
	};

	TALK(*state, steps);
	expect_error(*state, false, 5000, TG_PASS_ICMP_RELATED, __LINE__);
	expect_error(*state, false, 5001, TG_PASS_ICMP_RELATED, __LINE__);
	expect_error(*state, false, 4999, TG_DROP_ICMP_BAD_SEQ, __LINE__);
	expect_error(*state, false, 5002, TG_DROP_ICMP_BAD_SEQ, __LINE__);
}

static void never_drops_the_machines_own_errors(void **state)
{
	struct segment quoted = { FROM_CLIENT, .flags = ACK, .seq = 1, .ack = 1 };
	struct judgement got;

	send_3000(*state);
	quoted.seq = 1001;
	SAME(judge_error(*state, &quoted, UNREACHABLE, true).verdict, TG_PASS_ICMP_RELATED);
	quoted.seq = 1002;
	got = judge_error(*state, &quoted, UNREACHABLE, true);
	SAME(got.verdict, TG_DROP_ICMP_BAD_SEQ);
	assert_int_equal(got.outcome, TG_OUTCOME_OWN);
	assert_false(got.dropped);
}

/* The path's MTU shrank just when we came: all that is big is lost, so the peer is silent. */
static void believes_an_error_about_data_sent_before_a_flow_was_adopted(void **state)
{
	const struct guard_options options = { .learn = true, .all_ingress = true };
	struct guard *guard = guard_open(&options);
	static const struct step steps[] = {
		{ SERVER, ACK, .seq = 105000, .ack = 1001, .payload = 1400, .want = TG_PASS_PICKUP },
		{ SERVER, ACK, .seq = 100000, .ack = 1001, .payload = 1400, .want = TG_PASS_RETRANS },
	};

	(void)state;
	TALK(guard, steps);
	expect_error(guard, false, 105000, TG_PASS_ICMP_RELATED, __LINE__);
	expect_error(guard, false, 100000, TG_PASS_ICMP_RELATED, __LINE__);
	guard_close(guard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, guard_setup, guard_teardown)
#define TEST6(name) cmocka_unit_test_setup_teardown(name, open_ipv6, guard_teardown)
		TEST(icmp_forge_only_what_is_in_flight_is_believed),
		TEST6(icmp_forge_of_ipv6_is_judged_alike),
		TEST(looks_at_errors_of_every_type_and_at_nothing_else),
		TEST6(looks_at_icmpv6_errors_of_every_type_and_at_nothing_else),
		TEST(leaves_errors_about_unknown_flows_alone),
		TEST(leaves_quotes_it_cannot_read_alone),
		TEST6(leaves_icmpv6_quotes_it_cannot_read_alone),
		TEST(finds_the_quote_behind_ipv4_options),
		TEST(believes_an_error_about_a_syn),
		TEST(never_drops_the_machines_own_errors),
		cmocka_unit_test(believes_an_error_about_data_sent_before_a_flow_was_adopted),
	};

	return cmocka_run_group_tests_name("ICMP", tests, NULL, NULL);
}
