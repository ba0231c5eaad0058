/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections that are older than tcpguard: adopted while it learns, never invented from a FIN, a
 * RST or a SYN-ACK.
 */
#include "tests/bpf/harness.h"

#define GIB (1U << 30)

static int setup_learning(void **state)
{
	const struct guard_options options = { .learn = true, .all_ingress = true, .profile = TG_PROFILE_GATEWAY };

	*state = guard_open(&options);
	return 0;
}

static int setup_learned(void **state)
{
	const struct guard_options options = { .all_ingress = true, .profile = TG_PROFILE_GATEWAY };

	*state = guard_open(&options);
	return 0;
}

static int setup_learning_host(void **state)
{
	const struct guard_options options = { .learn = true };

	*state = guard_open(&options);
	return 0;
}

/* Long enough for any adopted flow with both sides heard; learning goes on. */
static void forget(struct guard *guard)
{
	guard_advance_ms(guard, 25ULL * 3600 * 1000);
	assert_null(guard_slot(guard));
}

static void learn_for_ever(struct guard *guard)
{
	guard_settings(guard)->iface[0].learn_until_ms = UINT64_MAX;
}

static void an_open_connection_is_adopted_and_followed_to_its_end(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, PSH | ACK, .seq = 1001, .ack = 5001, .payload = 100, .want = TG_PASS_PICKUP, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, PSH | ACK, .seq = 5001, .ack = 1101, .payload = 1460, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 1101, .ack = 6461, .want = TG_PASS_OK },
		{ CLIENT, FIN | ACK, .seq = 1101, .ack = 6461, .want = TG_PASS_OK, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, ACK, .seq = 6461, .ack = 1102, .want = TG_PASS_OK, STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ SERVER, FIN | ACK, .seq = 6461, .ack = 1102, .want = TG_PASS_OK, STATES(FIN_WAIT_2, LAST_ACK) },
		{ CLIENT, ACK, .seq = 1102, .ack = 6462, .want = TG_PASS_OK, STATES(TIME_WAIT, CLOSED) },
	};

	TALK(*state, steps);
	assert_int_equal(tg_half_wscale(guard_half(*state, CLIENT)), TG_WSCALE_MAX);
	assert_int_equal(guard_half_count(*state, CLIENT)->packets, 4);
	assert_int_equal(guard_half_count(*state, CLIENT)->bytes, 100);
}

static void either_side_may_be_heard_first(void **state)
{
	static const struct step steps[] = {
		{ SERVER, ACK, .seq = 5001, .ack = 1001, .payload = 1460, .want = TG_PASS_PICKUP, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 1001, .ack = 6461, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, steps);
}

static void fin_rst_and_synack_adopt_nothing_and_pass(void **state)
{
	static const struct step steps[] = {
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_NOUPD_UNTRACKED },
		{ CLIENT, FIN | ACK, .seq = 1001, .ack = 5001, .want = TG_NOUPD_UNTRACKED },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1001, .payload = 100, .want = TG_NOUPD_UNTRACKED },
		{ CLIENT, RST, .seq = 1001, .want = TG_NOUPD_UNTRACKED },
		{ SERVER, RST | ACK, .seq = 5001, .ack = 1001, .want = TG_NOUPD_UNTRACKED },
	};

	TALK(*state, steps);
	assert_int_equal(guard_flows(*state), 0);
}

static void a_handshake_that_is_none_is_adopted(void **state)
{
	static const struct step opener[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW },
		{ CLIENT, FIN | ACK, .seq = 800000, .ack = 5001, .want = TG_NOUPD_UNTRACKED, STATES(SYN_SENT, LISTEN) },
		{ CLIENT, ACK, .seq = 800000, .ack = 5001, .payload = 9, .want = TG_PASS_PICKUP, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5001, .ack = 800009, .payload = 1460, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 800009, .ack = 6461, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};
	static const struct step answering[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 800009, .want = TG_NOUPD_UNTRACKED, STATES(SYN_SENT, LISTEN) },
		{ SERVER, ACK, .seq = 5001, .ack = 800009, .want = TG_NOUPD_CHALLENGE_ACK, STATES(SYN_SENT, LISTEN) },
		{ SERVER, ACK, .seq = 5001, .ack = 800009, .payload = 1460, .want = TG_PASS_PICKUP, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 800009, .ack = 6461, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	learn_for_ever(*state);
	TALK(*state, opener);
	forget(*state);
	TALK(*state, answering);
}

static void data_sent_before_the_adoption_may_be_acknowledged(void **state)
{
	static const struct step adopted[] = {
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_PICKUP },
	};
	static const struct step near[] = {
		{ CLIENT, ACK, .seq = 1001, .ack = 65001, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = 65001, .ack = 1001, .payload = 1460, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1001, .ack = 66461, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};
	static const struct step edge[] = {
		{ CLIENT, ACK, .seq = 1001, .ack = 5001 + GIB, .want = TG_DROP_ACK_ABOVE },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001 + GIB - 1, .want = TG_PASS_OK },
	};
	/* A retransmission of what it sent before is the first that is heard of the server. */
	static const struct step old_data[] = {
		{ SERVER, ACK, .seq = 3001, .ack = 1001, .payload = 1000, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = 5001, .ack = 1001, .payload = 1460, .want = TG_PASS_OK },
	};
	static const struct step other_side[] = {
		{ SERVER, ACK, .seq = 5001, .ack = 1001 + 200000, .want = TG_PASS_OK }, /* the client's data in flight */
		{ SERVER, ACK, .seq = 5001, .ack = 1001 + GIB, .want = TG_DROP_ACK_ABOVE },
	};

	learn_for_ever(*state);
	TALK(*state, adopted);
	TALK(*state, near);
	forget(*state);
	TALK(*state, adopted);
	TALK(*state, edge);
	forget(*state);
	TALK(*state, adopted);
	TALK(*state, old_data);
	forget(*state);
	TALK(*state, adopted);
	TALK(*state, other_side);
}

static void an_adopted_sender_may_be_a_gib_ahead_until_the_other_speaks(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_PICKUP },
		{ CLIENT, ACK, .seq = 1002 + GIB, .ack = 5001, .payload = 9, .want = TG_DROP_SEQ_ABOVE },
		{ CLIENT, ACK, .seq = 991 + GIB, .ack = 5001, .payload = 9, .want = TG_PASS_OK },
		/* The scale is not known: 14 is assumed. */
		{ SERVER, ACK, .seq = 5001, .ack = 1000 + GIB, .window = 1, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1000 + GIB + (1 << 14), .ack = 5001, .payload = 9, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1001 + GIB + (1 << 14), .ack = 5001, .payload = 9, .want = TG_DROP_SEQ_ABOVE },
	};

	TALK(*state, steps);
}

static void an_adopted_flow_can_be_reset(void **state)
{
	static const struct step adopted[] = {
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .payload = 9, .want = TG_PASS_PICKUP },
	};
	static const struct step server[] = {
		{ SERVER, RST, .seq = 5001, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
	};
	static const struct step client[] = {
		{ CLIENT, RST, .seq = 1010, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
	};

	learn_for_ever(*state);
	TALK(*state, adopted);
	TALK(*state, server);
	forget(*state);
	TALK(*state, adopted);
	TALK(*state, client);
}

static void a_new_handshake_ends_the_adoption(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_PICKUP },
		{ SERVER, ACK, .seq = 5001, .ack = 1001, .want = TG_PASS_OK },
		{ CLIENT, SYN, .seq = 900000, .want = TG_NOUPD_SYN_CHALLENGE, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, SYN | ACK, .seq = 7000, .ack = 900001, .want = TG_PASS_REOPEN, STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, ACK, .seq = 900001, .ack = 7001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 900001, .ack = 7002, .want = TG_DROP_ACK_ABOVE }, /* exact again */
	};

	TALK(*state, steps);
	assert_int_equal(guard_half(*state, CLIENT)->facts & TG_FACT_PICKUP, 0);
	assert_int_equal(guard_half(*state, SERVER)->facts & TG_FACT_PICKUP, 0);
}

static void a_handshake_seen_while_learning_is_judged_as_ever(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5002, .want = TG_DROP_HS_BAD_ACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 900000, .ack = 5001, .want = TG_DROP_SEQ_ABOVE },
	};

	TALK(*state, steps);
}

static void learning_ends_on_time(void **state)
{
	static const struct step before[] = {
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .after_ms = TG_LEARN_DEFAULT_MS - 1, .want = TG_PASS_PICKUP },
	};
	static const struct step after[] = {
		/* What was adopted stays. */
		{ SERVER, ACK, .seq = 5001, .ack = 1001, .after_ms = 1, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};
	static const struct endpoint stranger = { { 10, 0, 0, 3 }, 40000 };
	struct segment stray = { .from = &stranger, .to = &guard_server, .flags = ACK, .seq = 1, .ack = 1 };

	TALK(*state, before);
	TALK(*state, after);
	assert_int_equal(guard_judge_segment(*state, &stray, false).verdict, TG_DROP_NO_FLOW);
	stray.flags = FIN | ACK;
	assert_int_equal(guard_judge_segment(*state, &stray, false).verdict, TG_DROP_NO_FLOW);
	stray.flags = SYN | ACK;
	assert_int_equal(guard_judge_segment(*state, &stray, false).verdict, TG_DROP_NO_FLOW);
	stray.flags = RST;
	assert_int_equal(guard_judge_segment(*state, &stray, false).verdict, TG_DROP_RST_NO_FLOW);
	assert_int_equal(guard_flows(*state), 1);
}

static void an_expired_flow_is_adopted_again(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_PICKUP },
		{ CLIENT, ACK, .seq = 2001, .ack = 5001, .after_ms = 300001, .want = TG_PASS_PICKUP, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, FIN | ACK, .seq = 2001, .ack = 5001, .after_ms = 300001, .want = TG_NOUPD_UNTRACKED },
	};

	learn_for_ever(*state);
	TALK(*state, steps);
	assert_int_equal(guard_flows(*state), 0);
}

/* The server's FIN came before us: its socket is gone, and its RST has the number of that FIN, which the client honours. */
static void a_rst_behind_a_fin_that_came_before_us_passes(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = 1001, .ack = 5002, .payload = 100, .want = TG_PASS_PICKUP },
		{ SERVER, RST, .seq = 5001, .want = TG_NOUPD_RST_CLOSING, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, RST, .seq = 5000, .want = TG_DROP_RST_OLD },
		{ SERVER, RST, .seq = 5002, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
	};

	TALK(*state, steps);
}

/* cilium#47425: the phantom of a late FIN swallowed the next SYN. */
static void phantom_of_late_segments_is_never_made(void **state)
{
	static const struct step strays[] = {
		{ CLIENT, FIN | ACK, .seq = 1001, .ack = 5001, .want = TG_DROP_NO_FLOW },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1002, .payload = 9, .want = TG_DROP_NO_FLOW },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_DROP_NO_FLOW },
		{ CLIENT, PSH | ACK, .seq = 1001, .ack = 5001, .payload = 100, .want = TG_DROP_NO_FLOW },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_DROP_NO_FLOW },
		{ SERVER, RST | ACK, .seq = 5001, .ack = 1001, .want = TG_DROP_RST_NO_FLOW },
	};
	static const struct step opening[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW, STATES(SYN_SENT, LISTEN) },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};
	static const struct step expired[] = {
		{ CLIENT, FIN | ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1002, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1002, .ack = 5002, .want = TG_PASS_OK },
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1002, .after_ms = 240001, .want = TG_DROP_NO_FLOW },
	};

	TALK(*state, strays);
	assert_int_equal(guard_flows(*state), 0);
	TALK(*state, opening);
	TALK(*state, expired);
	assert_int_equal(guard_flows(*state), 0);
	TALK(*state, opening);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, guard_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_open_connection_is_adopted_and_followed_to_its_end, setup_learning_host),
		TEST(either_side_may_be_heard_first, setup_learning_host),
		TEST(fin_rst_and_synack_adopt_nothing_and_pass, setup_learning),
		TEST(a_handshake_that_is_none_is_adopted, setup_learning),
		TEST(data_sent_before_the_adoption_may_be_acknowledged, setup_learning),
		TEST(an_adopted_sender_may_be_a_gib_ahead_until_the_other_speaks, setup_learning),
		TEST(an_adopted_flow_can_be_reset, setup_learning),
		TEST(a_new_handshake_ends_the_adoption, setup_learning),
		TEST(a_handshake_seen_while_learning_is_judged_as_ever, setup_learning),
		TEST(learning_ends_on_time, setup_learning),
		TEST(an_expired_flow_is_adopted_again, setup_learning),
		TEST(a_rst_behind_a_fin_that_came_before_us_passes, setup_learning),
		TEST(phantom_of_late_segments_is_never_made, setup_learned),
	};

	return cmocka_run_group_tests_name("pickup", tests, NULL, NULL);
}
