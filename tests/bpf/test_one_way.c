/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asymmetric paths: a router that sees only one direction of a connection stops judging it by the
 * other; an end host, which sees both, never does.
 */
#include "tests/bpf/harness.h"

static int setup_gateway(void **state)
{
	const struct guard_options options = { .all_ingress = true, .profile = TG_PROFILE_GATEWAY };

	*state = guard_open(&options);
	return 0;
}

static int setup_oneway(void **state)
{
	const struct guard_options options = { .all_ingress = true, .profile = TG_PROFILE_ONEWAY };

	*state = guard_open(&options);
	return 0;
}

/* A handshake that both directions took part in, then data of the client alone: packets in all. */
static uint32_t client_sends(struct guard *guard, uint32_t packets)
{
	static const struct step opened[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK },
	};
	struct step data = { CLIENT, ACK, .seq = 1001, .ack = 5001, .payload = 10, .want = TG_PASS_OK };
	uint32_t i;

	TALK(guard, opened);
	for (i = 2; i < packets; i++) {
		guard_say(guard, &data, i);
		data.seq += data.payload;
	}
	return data.seq;
}

static void one_way_when_the_other_path_moves_away(void **state)
{
	uint32_t seq = client_sends(*state, 20);
	struct step steps[] = {
		{ CLIENT, ACK, .seq = seq, .ack = 900000, .want = TG_DROP_ACK_ABOVE },
		{ CLIENT, ACK, .seq = seq, .ack = 900000, .after_ms = 30000, .want = TG_DROP_ACK_ABOVE },
		{ CLIENT, ACK, .seq = seq, .ack = 900000, .after_ms = 1, .want = TG_PASS_ONE_WAY },
		{ CLIENT, ACK, .seq = 800000, .ack = 900000, .payload = 1460, .want = TG_PASS_ONE_WAY },
		{ CLIENT, ACK, .seq = 0x70000000, .ack = 0x70000000, .payload = 1460, .want = TG_PASS_ONE_WAY, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, steps);
}

static void twenty_packets_are_needed(void **state)
{
	uint32_t seq = client_sends(*state, 19);
	struct step steps[] = {
		{ CLIENT, ACK, .seq = seq, .ack = 900000, .after_ms = 60000, .want = TG_DROP_ACK_ABOVE },
		{ CLIENT, ACK, .seq = seq, .ack = 5001, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = seq, .ack = 900000, .want = TG_PASS_ONE_WAY },
	};

	TALK(*state, steps);
}

static void when_it_is_heard_again_both_are_judged(void **state)
{
	uint32_t seq = client_sends(*state, 20);
	struct step steps[] = {
		{ CLIENT, ACK, .seq = seq, .ack = 900000, .after_ms = 30001, .want = TG_PASS_ONE_WAY },
		{ CLIENT, ACK, .seq = 700000, .ack = 900000, .payload = 10, .want = TG_PASS_ONE_WAY },
		/* What was followed meanwhile fits what the server says. */
		{ SERVER, ACK, .seq = 900000, .ack = 700010, .payload = 1460, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 700010, .ack = 901460, .payload = 10, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 700020, .ack = 901461, .want = TG_DROP_ACK_ABOVE },
		{ CLIENT, ACK, .seq = 900000, .ack = 901460, .want = TG_DROP_SEQ_ABOVE, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, steps);
}

/* Data beyond a FIN shows that the FIN was none, as where both are seen; a FIN ends at the last number. */
static void data_beyond_a_fin_takes_it_back(void **state)
{
	uint32_t seq = client_sends(*state, 20);
	struct step steps[] = {
		{ CLIENT, FIN | ACK, .seq = seq, .ack = 5001, .want = TG_PASS_OK, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ CLIENT, ACK, .seq = seq + 1000, .ack = 900000, .payload = 10, .after_ms = 30001, .want = TG_PASS_ONE_WAY,
		  STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, FIN | ACK, .seq = seq + 1010, .ack = 900000, .want = TG_PASS_ONE_WAY },
	};

	TALK(*state, steps);
}

static void a_host_never_takes_silence_for_another_path(void **state)
{
	uint32_t seq = client_sends(*state, 40);
	struct step steps[] = {
		{ CLIENT, ACK, .seq = seq, .ack = 900000, .after_ms = 60000, .want = TG_DROP_ACK_ABOVE },
		{ CLIENT, ACK, .seq = 900000, .ack = 5001, .payload = 9, .want = TG_DROP_SEQ_ABOVE },
	};

	TALK(*state, steps);
}

static void a_rst_is_judged_all_the_same(void **state)
{
	uint32_t seq = client_sends(*state, 20);
	struct step steps[] = {
		{ CLIENT, ACK, .seq = seq, .ack = 900000, .after_ms = 30001, .want = TG_PASS_ONE_WAY },
		{ CLIENT, RST, .seq = 0x70000000, .want = TG_DROP_RST_ABOVE },
		{ SERVER, RST, .seq = 899999, .want = TG_DROP_RST_OLD, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, RST, .seq = seq, .want = TG_PASS_RST_TRAIN, STATES(CLOSED, CLOSED) },
	};

	TALK(*state, steps);
}

/* 4 GiB, once around, of which only the client's ACKs come by: none of them may be dropped. */
static void download(struct guard *guard, uint32_t every_ms)
{
	static const struct step opening[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_PICKUP, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .payload = 100, .want = TG_PASS_OK },
	};
	struct segment ack = { .from = &guard_client, .to = &guard_server, .flags = ACK, .seq = 1101 };
	uint32_t i;

	TALK(guard, opening);
	for (i = 1; i <= 128; i++) {
		struct judgement judgement;

		guard_advance_ms(guard, every_ms);
		ack.ack = 5001 + (i << 25);
		judgement = guard_judge_segment(guard, &ack, false);
		if (judgement.dropped)
			fail_msg("%s after %u MiB", verdict_name(judgement.verdict), i * 32);
	}
}

static void a_download_of_which_only_the_requests_are_seen(void **state)
{
	download(*state, 1000);
}

static void a_fast_download_of_which_only_the_requests_are_seen(void **state)
{
	download(*state, 27); /* 10 Gbit/s */
}

static void an_upload_of_which_only_the_answers_are_seen(void **state)
{
	static const struct step steps[] = {
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_NOUPD_UNTRACKED },
		{ SERVER, ACK, .seq = 5001, .ack = 1001, .want = TG_PASS_PICKUP, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5001, .ack = 100000000, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = 5001, .ack = 200000000, .payload = 1460, .want = TG_PASS_OK },
		{ SERVER, FIN | ACK, .seq = 6461, .ack = 200000001, .want = TG_PASS_OK, STATES(ESTABLISHED, FIN_WAIT_1) },
		{ SERVER, RST, .seq = 6462, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
	};

	TALK(*state, steps);
}

static void the_profile_oneway_adopts_at_any_time(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, FIN | ACK, .seq = 1001, .ack = 5001, .after_ms = 86400000, .want = TG_NOUPD_UNTRACKED },
		{ CLIENT, RST, .seq = 1001, .want = TG_NOUPD_UNTRACKED },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_NOUPD_UNTRACKED },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .payload = 9, .want = TG_PASS_PICKUP, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, steps);
}

static void a_monitoring_gateway_notices_that_the_answers_go_elsewhere(void **state)
{
	const struct guard_options options = { .all_ingress = true, .profile = TG_PROFILE_GATEWAY, .monitor = true };
	static const struct step opening[] = { { CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW } };
	struct step data = { CLIENT, ACK, .seq = 1001, .ack = 5001, .payload = 10, .after_ms = 1000,
			     .want = TG_DROP_ACK_BEFORE_SYNACK };
	uint32_t i;

	*state = guard_open(&options);
	TALK(*state, opening);
	for (i = 0; i < 30; i++) {
		guard_say(*state, &data, i);
		data.seq += data.payload;
	}
	data.want = TG_PASS_PICKUP; /* taken as it is from here on */
	guard_say(*state, &data, i);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, guard_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_way_when_the_other_path_moves_away, setup_gateway),
		TEST(twenty_packets_are_needed, setup_gateway),
		TEST(when_it_is_heard_again_both_are_judged, setup_gateway),
		TEST(data_beyond_a_fin_takes_it_back, setup_gateway),
		TEST(a_host_never_takes_silence_for_another_path, guard_setup),
		TEST(a_rst_is_judged_all_the_same, setup_gateway),
		TEST(a_download_of_which_only_the_requests_are_seen, setup_oneway),
		TEST(a_fast_download_of_which_only_the_requests_are_seen, setup_oneway),
		TEST(an_upload_of_which_only_the_answers_are_seen, setup_oneway),
		TEST(the_profile_oneway_adopts_at_any_time, setup_oneway),
		TEST(a_monitoring_gateway_notices_that_the_answers_go_elsewhere, NULL),
	};

	return cmocka_run_group_tests_name("one way", tests, NULL, NULL);
}
