/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a flow is remembered in each phase, what prolongs that, and that an expired entry counts
 * as absent whether or not the daemon has swept it.
 */
#include "tests/bpf/harness.h"

#include "bpf/flow_table.h"

#define FORGET_MS (25ULL * 3600 * 1000) /* longer than any timeout */

/* clang-format off */
#define SECONDS(n) ((n) * 1000ULL)
#define HALF_OPEN \
	{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW }, \
	{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK }
#define OPENED HALF_OPEN, { CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK }
#define CLIENT_SENT OPENED, { CLIENT, ACK, .seq = 1001, .ack = 5001, .payload = 100, .want = TG_PASS_OK }
#define SERVER_SENT OPENED, { SERVER, ACK, .seq = 5001, .ack = 1001, .payload = 100, .want = TG_PASS_OK }
#define ACKED CLIENT_SENT, { SERVER, ACK, .seq = 5001, .ack = 1101, .want = TG_PASS_OK }
#define FINISHED OPENED, { CLIENT, FIN | ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK }
#define FIN_ACKED FINISHED, { SERVER, ACK, .seq = 5001, .ack = 1002, .want = TG_PASS_OK }
#define BOTH_FINISHED FINISHED, { SERVER, FIN | ACK, .seq = 5001, .ack = 1002, .want = TG_PASS_OK }
#define ENDED BOTH_FINISHED, { CLIENT, ACK, .seq = 1002, .ack = 5002, .want = TG_PASS_OK }
/* clang-format on */

static const struct step syn_sent[] = { { CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW } };
static const struct step syn_recv[] = { HALF_OPEN };
static const struct step established[] = { OPENED };
static const struct step client_unacked[] = { CLIENT_SENT };
static const struct step server_unacked[] = { SERVER_SENT };
static const struct step acked[] = { ACKED };
static const struct step half_closed[] = { FINISHED };
static const struct step close_wait[] = { FIN_ACKED };
static const struct step last[] = { BOTH_FINISHED };
static const struct step time_wait[] = { ENDED };
static const struct step closed[] = {
	OPENED,
	{ CLIENT, RST, .seq = 1001, .want = TG_PASS_RST_EXACT },
};
static const struct step refused[] = {
	{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW },
	{ SERVER, RST | ACK, .ack = 1001, .want = TG_PASS_REFUSED },
};

/* clang-format off */
#define PHASE(steps, phase, seconds) { steps, COUNT(steps), TG_PHASE_##phase, SECONDS(seconds) }
/* clang-format on */
static const struct {
	const struct step *steps;
	size_t count;
	enum tg_phase phase;
	uint64_t timeout_ms;
} phases[] = {
	PHASE(syn_sent, SYN_SENT, 60),
	PHASE(syn_recv, SYN_RECV, 60),
	PHASE(established, ESTABLISHED, 86400),
	PHASE(acked, ESTABLISHED, 86400),
	PHASE(client_unacked, ESTABLISHED, 300),
	PHASE(server_unacked, ESTABLISHED, 300),
	PHASE(half_closed, HALF_CLOSED, 3600),
	PHASE(close_wait, HALF_CLOSED, 3600),
	PHASE(last, LAST, 120),
	PHASE(time_wait, TIME_WAIT, 240),
	PHASE(closed, CLOSED, 120),
	PHASE(refused, CLOSED, 120),
};

static void expect_life(struct guard *guard, uint64_t timeout_ms)
{
	assert_non_null(guard_slot(guard));
	guard_advance_ms(guard, timeout_ms);
	assert_non_null(guard_slot(guard));
	guard_advance_ms(guard, 1);
	assert_null(guard_slot(guard));
}

static void every_phase_has_its_timeout(void **state)
{
	static const struct step absent[] = {
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_DROP_NO_FLOW },
		{ SERVER, ACK, .seq = 5001, .ack = 1001, .payload = 9, .want = TG_DROP_NO_FLOW },
		{ CLIENT, FIN | ACK, .seq = 1001, .ack = 5001, .want = TG_DROP_NO_FLOW },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_DROP_NO_FLOW },
		{ CLIENT, RST, .seq = 1001, .want = TG_DROP_RST_NO_FLOW },
	};
	size_t i;

	for (i = 0; i < COUNT(phases); i++) {
		guard_advance_ms(*state, FORGET_MS);
		guard_talk(*state, phases[i].steps, phases[i].count);
		assert_int_equal(guard_phase(*state), phases[i].phase);
		expect_life(*state, phases[i].timeout_ms);
		TALK(*state, absent);
		assert_int_equal(guard_flows(*state), 0);
	}
}

static void a_syn_opens_an_expired_entry_anew_in_its_place(void **state)
{
	static const struct step again[] = {
		{ CLIENT, SYN, .seq = 500, .want = TG_PASS_NEW, STATES(SYN_SENT, LISTEN) },
		{ SERVER, SYN | ACK, .seq = 7000, .ack = 501, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 501, .ack = 7001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};
	size_t i;

	for (i = 0; i < COUNT(phases); i++) {
		const struct tg_slot *slot;

		guard_advance_ms(*state, FORGET_MS);
		guard_talk(*state, phases[i].steps, phases[i].count);
		slot = guard_slot(*state);
		guard_advance_ms(*state, phases[i].timeout_ms + 1);
		TALK(*state, again);
		assert_ptr_equal(guard_slot(*state), slot);
		assert_int_equal(guard_flows(*state), 1);
		assert_int_equal(guard_half_count(*state, CLIENT)->packets, 2);
		assert_int_equal(guard_half_count(*state, SERVER)->packets, 1);
	}
}

static void gc_lag_swept_or_not_the_verdicts_are_the_same(void **state)
{
	static const struct step steps[] = {
		{ SERVER, FIN | ACK, .seq = 5001, .ack = 1002, .want = TG_DROP_NO_FLOW },
		{ CLIENT, RST, .seq = 1002, .want = TG_DROP_RST_NO_FLOW },
		{ CLIENT, SYN, .seq = 500, .want = TG_PASS_NEW, STATES(SYN_SENT, LISTEN) },
	};
	int sweep;

	for (sweep = 0; sweep < 2; sweep++) {
		const struct tg_table *table = guard_table(*state);
		struct tg_slot *slot;

		guard_advance_ms(*state, FORGET_MS);
		TALK(*state, time_wait);
		slot = guard_slot(*state);
		guard_advance_ms(*state, SECONDS(240) + 1);
		if (sweep)
			assert_true(tg_slot_free(table, slot, (__u32)(slot - table->bucket[0].slot), slot->claim));
		TALK(*state, steps);
	}
}

static void syns_sent_again_do_not_prolong_a_handshake(void **state)
{
	static const struct step unanswered[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW },
		{ CLIENT, SYN, .seq = 1000, .after_ms = 1000, .want = TG_NOUPD_SYN_RETRANS },
		{ CLIENT, SYN, .seq = 1000, .after_ms = 2000, .want = TG_NOUPD_SYN_RETRANS },
		{ CLIENT, SYN, .seq = 1000, .after_ms = 4000, .want = TG_NOUPD_SYN_RETRANS },
		{ CLIENT, SYN, .seq = 1000, .after_ms = 24000, .want = TG_NOUPD_SYN_RETRANS },
		{ CLIENT, SYN, .seq = 1000, .after_ms = 29000, .want = TG_NOUPD_SYN_RETRANS },
		/* The one that comes after the end opens the flow again. */
		{ CLIENT, SYN, .seq = 1000, .after_ms = 3000, .want = TG_PASS_NEW, STATES(SYN_SENT, LISTEN) },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .after_ms = 59000, .want = TG_PASS_SYNACK },
	};
	static const struct step answered[] = {
		HALF_OPEN,
		{ CLIENT, SYN, .seq = 1000, .after_ms = 1000, .want = TG_PASS_SYN_RETRANS },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .after_ms = 29000, .want = TG_PASS_SYNACK },
		{ CLIENT, SYN, .seq = 1000, .after_ms = 30000, .want = TG_PASS_SYN_RETRANS, STATES(SYN_SENT, SYN_RECEIVED) },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .after_ms = 1, .want = TG_DROP_NO_FLOW },
	};

	TALK(*state, unanswered);
	guard_advance_ms(*state, FORGET_MS);
	TALK(*state, answered);
}

/* A SYN-ACK that came late deserves its ACK: the 60 s count from the last step, not from a repetition. */
static void each_step_of_a_handshake_has_60_s(void **state)
{
	static const struct step late[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .after_ms = 50000, .want = TG_PASS_SYNACK },
	};

	TALK(*state, late);
	expect_life(*state, SECONDS(60));
}

static void a_syn_with_a_new_isn_begins_the_60_s_anew(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW },
		{ CLIENT, SYN, .seq = 3000, .after_ms = 50000, .want = TG_PASS_SYN_REINIT },
	};

	TALK(*state, steps);
	expect_life(*state, SECONDS(60));
}

static void idle_2h_between_keepalives_keeps_a_connection(void **state)
{
	static const struct step idle[] = {
		OPENED,
		/* Keepalives every 2 h 11 min, for a day and a half. */
		{ CLIENT, ACK, .seq = 1000, .ack = 5001, .after_ms = 7860000, .want = TG_PASS_KEEPALIVE },
		{ SERVER, ACK, .seq = 5001, .ack = 1001, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1000, .ack = 5001, .after_ms = 64800000, .want = TG_PASS_KEEPALIVE },
		{ CLIENT, ACK, .seq = 1000, .ack = 5001, .after_ms = 64800000, .want = TG_PASS_KEEPALIVE },
	};
	static const struct step retransmitting[] = {
		CLIENT_SENT,
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .payload = 100, .after_ms = 300000, .want = TG_PASS_RETRANS },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .payload = 100, .after_ms = 300000, .want = TG_PASS_RETRANS },
		{ SERVER, ACK, .seq = 5001, .ack = 1101, .after_ms = 300000, .want = TG_PASS_OK },
	};
	static const struct step closing[] = {
		BOTH_FINISHED,
		{ SERVER, ACK, .seq = 5002, .ack = 1002, .after_ms = 120000, .want = TG_PASS_OK },
	};

	TALK(*state, idle);
	expect_life(*state, SECONDS(86400));
	TALK(*state, retransmitting);
	expect_life(*state, SECONDS(86400));
	TALK(*state, closing);
	expect_life(*state, SECONDS(120));
}

static void what_is_not_accepted_prolongs_nothing(void **state)
{
	static const struct step open[] = {
		CLIENT_SENT,
		{ CLIENT, SYN, .seq = 9000, .after_ms = 299000, .want = TG_NOUPD_SYN_CHALLENGE },
		{ CLIENT, RST, .seq = 1002, .want = TG_NOUPD_RST_INEXACT },
		{ CLIENT, ACK, .seq = 900000, .ack = 5001, .want = TG_DROP_SEQ_ABOVE },
		{ CLIENT, ACK, .seq = 900U - 65535, .ack = 5001, .want = TG_NOUPD_SEQ_OLD },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_NOUPD_SYNACK_RETRANS },
	};
	static const struct step reset[] = {
		OPENED,
		{ CLIENT, RST, .seq = 1001, .want = TG_PASS_RST_EXACT },
		{ CLIENT, RST, .seq = 1001, .after_ms = 119000, .want = TG_NOUPD_RST_LATE },
		{ CLIENT, ACK, .seq = 900000, .ack = 5001, .payload = 9, .want = TG_NOUPD_CLOSED_LATE },
	};

	TALK(*state, open);
	expect_life(*state, SECONDS(1));
	TALK(*state, reset);
	expect_life(*state, SECONDS(1));
}

/* An endpoint that goes on inside the window did not take the RST: a gateway must not forget it. */
static void going_on_after_a_reset_prolongs_the_grace(void **state)
{
	static const struct step steps[] = {
		OPENED,
		{ CLIENT, RST, .seq = 1001, .want = TG_PASS_RST_EXACT },
		{ SERVER, ACK, .seq = 5001, .ack = 1001, .payload = 9, .after_ms = 119000,
		  .want = TG_NOUPD_CLOSED_LATE },
	};

	TALK(*state, steps);
	expect_life(*state, SECONDS(120));
}

static void an_adopted_flow_has_300_s_until_both_have_spoken(void **state)
{
	static const struct step one[] = {
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_PICKUP },
	};
	static const struct step both[] = {
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_PICKUP },
		{ SERVER, ACK, .seq = 5001, .ack = 1001, .want = TG_PASS_OK },
	};
	const struct guard_options options = { .learn = true };

	*state = guard_open(&options);
	guard_settings(*state)->iface[0].learn_until_ms = UINT64_MAX;
	TALK(*state, one);
	expect_life(*state, SECONDS(300));
	TALK(*state, both);
	expect_life(*state, SECONDS(86400));
}

static void other_timeouts_may_be_set(void **state)
{
	struct tg_timeouts *timeouts = &guard_settings(*state)->config[0].timeouts;

	timeouts->phase_ms[TG_PHASE_TIME_WAIT] = 5000;
	timeouts->shortest_ms = 5000;
	TALK(*state, time_wait);
	expect_life(*state, 5000);
	timeouts->phase_ms[TG_PHASE_TIME_WAIT] = 0;
	timeouts->shortest_ms = 0;
	TALK(*state, time_wait);
	expect_life(*state, 0);
}

/* The table's clock has 32 bits of milliseconds: 49.7 days. */
static void timeouts_hold_when_the_clock_wraps(void **state)
{
	static const struct step half_around = { CLIENT, SYN, .seq = 1, .after_ms = 1u << 30, .want = TG_PASS_NEW };
	size_t i;

	for (i = 0; i < COUNT(phases); i++) {
		uint64_t to_wrap;

		/* Or the entry of the phase before would be a multiple of 2^32 ms old. */
		guard_say(*state, &half_around, i);
		to_wrap = 0x100000000ULL - (guard_now_ms(*state) & 0xffffffff);
		guard_advance_ms(*state, to_wrap - SECONDS(30));
		guard_talk(*state, phases[i].steps, phases[i].count);
		expect_life(*state, phases[i].timeout_ms);
	}
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, guard_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_phase_has_its_timeout, guard_setup),
		TEST(a_syn_opens_an_expired_entry_anew_in_its_place, guard_setup),
		TEST(gc_lag_swept_or_not_the_verdicts_are_the_same, guard_setup),
		TEST(syns_sent_again_do_not_prolong_a_handshake, guard_setup),
		TEST(each_step_of_a_handshake_has_60_s, guard_setup),
		TEST(a_syn_with_a_new_isn_begins_the_60_s_anew, guard_setup),
		TEST(idle_2h_between_keepalives_keeps_a_connection, guard_setup),
		TEST(what_is_not_accepted_prolongs_nothing, guard_setup),
		TEST(going_on_after_a_reset_prolongs_the_grace, guard_setup),
		TEST(an_adopted_flow_has_300_s_until_both_have_spoken, NULL),
		TEST(other_timeouts_may_be_set, guard_setup),
		TEST(timeouts_hold_when_the_clock_wraps, guard_setup),
	};

	return cmocka_run_group_tests_name("timeouts", tests, NULL, NULL);
}
