/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the life of a flow is beyond its transitions (test_transitions.c): timeouts, reuse, limits,
 * flows that are suspect or collide, sockets that vouch, a full table, mode monitor.
 */
#include "tests/unit/conversation.h"

/* The handshake's timeout counts from its SYN; what is repeated does not prolong it. */
static void a_repeated_syn_does_not_prolong_the_handshake(void **state)
{
	struct setting world = plain;
	static const struct line again = { OPENER, S, 0, 0, 0, 0, TG_NOUPD_SYN_RETRANS };
	static const struct line late = { OPENER, S, 0, 0, 0, 0, TG_PASS_NEW };

	(void)state;
	play(&world, SYN_SENT);
	world.now_ms += 59999;
	talk(&world, &again, 1);
	world.now_ms += 1;
	talk(&world, &again, 1);
	world.now_ms += 1;
	talk(&world, &late, 1);
}

/* Every phase: silent for its timeout it is there, a millisecond more and it is not. */
static void each_phase_lasts_as_long_as_its_timeout(void **state)
{
	static const struct {
		enum stage stage;
		__u32 timeout_s;
	} table[] = {
		{ SYN_SENT, 60 },
		{ SYN_RECV, 60 },
		{ SIM_OPEN, 60 },
		{ ESTABLISHED, 86400 },
		{ FIN_SENT, 3600 },
		{ FIN_ACKED, 3600 },
		{ LAST_ACK, 120 },
		{ CROSSING, 120 },
		{ TIME_WAIT, 240 },
		{ CLOSED, 120 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		struct setting world = plain;
		static const struct line ack = { OPENER, A, 101, 201, 0, 0, TG_DROP_NO_FLOW };

		native_close();
		native_open(BUCKETS, true);
		play(&world, table[i].stage);
		world.now_ms += table[i].timeout_s * 1000ULL;
		if (!find_slot(&world, NULL))
			fail_msg("stage %d ends too early", table[i].stage);
		world.now_ms++;
		if (find_slot(&world, NULL))
			fail_msg("stage %d ends too late", table[i].stage);
		talk(&world, &ack, 1);
	}
}

/* An expired entry counts as absent, whatever it was; its slot is taken by the new flow. */
static void an_expired_flow_is_replaced_in_its_place(void **state)
{
	static const struct line open = { OTHER, S, 9, 0, 0, 0, TG_PASS_NEW };
	struct setting world = plain;
	__u32 before, after, claim;

	(void)state;
	play(&world, ESTABLISHED);
	claim = find_slot(&world, &before)->claim;
	world.now_ms += 86400001;
	talk(&world, &open, 1);
	assert_int_equal(state_of(&world, find_slot(&world, &after), OTHER), TG_TCP_SYN_SENT);
	assert_int_equal(before, after);
	assert_int_equal((find_slot(&world, NULL)->claim >> 8) - (claim >> 8), 1);
	assert_int_equal(native.detail[after].count[TG_SIDE_LO].packets +
				 native.detail[after].count[TG_SIDE_HI].packets,
			 1);
}

static void a_syn_that_was_passed_without_effect_reopens(void **state)
{
	static const struct line lines[] = {
		{ OPENER, S, 70000, 0, 0, 0, TG_NOUPD_SYN_CHALLENGE },
		{ OTHER, A, 201, 101, 0, 0, TG_PASS_OK }, /* the challenge */
		{ OTHER, S | A, 90000, 70000, 0, 0, TG_NOUPD_SYNACK_UNEXPECTED },
		{ OTHER, S | A, 90000, 70002, 0, 0, TG_NOUPD_SYNACK_UNEXPECTED },
		{ OTHER, S | A, 90000, 70001, 0, 0, TG_PASS_REOPEN },
		{ OPENER, A, 70001, 90001, 9, 0, TG_PASS_OK },
	};
	struct setting world = plain;

	(void)state;
	play(&world, ESTABLISHED);
	TALK(&world, lines);
	assert_int_equal(state_of(&world, find_slot(&world, NULL), OPENER), TG_TCP_ESTABLISHED);
}

static void an_acknowledgement_beyond_a_rst_undoes_it(void **state)
{
	static const struct line lines[] = {
		{ OPENER, A, 101, 201, 50, 0, TG_NOUPD_CLOSED_LATE },
		{ OTHER, A, 201, 101, 0, 0, TG_NOUPD_CLOSED_LATE },
		{ OTHER, A, 201, 151, 0, 0, TG_NOUPD_RST_UNDONE },
		{ OPENER, A, 151, 201, 0, 0, TG_PASS_OK },
	};
	struct setting world = plain;

	(void)state;
	play(&world, CLOSED);
	TALK(&world, lines);
	assert_int_equal(state_of(&world, find_slot(&world, NULL), OPENER), TG_TCP_ESTABLISHED);
}

/* Both FINs cross: both ends wait. */
static void simultaneous_close_ends_in_two_time_waits(void **state)
{
	static const struct line lines[] = {
		{ OPENER, A, 102, 202, 0, 0, TG_PASS_OK },
		{ OTHER, A, 202, 102, 0, 0, TG_PASS_OK },
	};
	struct setting world = plain;

	(void)state;
	play(&world, CROSSING);
	TALK(&world, lines);
	assert_int_equal(state_of(&world, find_slot(&world, NULL), OPENER), TG_TCP_TIME_WAIT);
	assert_int_equal(state_of(&world, find_slot(&world, NULL), OTHER), TG_TCP_TIME_WAIT);
}

/* RFC 6191: timestamps tell a new connection from an old SYN when the numbers do not. */
static void newer_timestamps_allow_a_lower_isn_in_time_wait(void **state)
{
	static const struct line lines[] = {
		{ OPENER, S, 0, 0, 0, 500, TG_PASS_NEW },
		{ OTHER, S | A, 0, 1, 0, 900, TG_PASS_SYNACK },
		{ OPENER, F | A, 1, 1, 0, 501, TG_PASS_OK },
		{ OTHER, F | A, 1, 2, 0, 901, TG_PASS_OK },
		{ OPENER, A, 2, 2, 0, 502, TG_PASS_OK },
		{ OPENER, S, -5000, 0, 0, 502, TG_NOUPD_TW_SYN_OLD },
		{ OPENER, S, -5000, 0, 0, 503, TG_PASS_TW_REUSE },
	};

	(void)state;
	TALK(&plain, lines);
}

/* 20 at once, then ten a second, per flow. */
static void syns_and_rsts_without_effect_are_limited(void **state)
{
	struct line syn = { OPENER, S, FAR, 0, 0, 0, TG_NOUPD_SYN_CHALLENGE };
	struct line rst = { OPENER, R, 105, 0, 0, 0, TG_NOUPD_RST_INEXACT };
	struct setting world = plain;
	int i;

	(void)state;
	play(&world, ESTABLISHED);
	for (i = 0; i < 40; i++) {
		syn.want = i < 20 ? TG_NOUPD_SYN_CHALLENGE : TG_DROP_SYN_RATE;
		rst.want = i < 20 ? TG_NOUPD_RST_INEXACT : TG_DROP_RST_RATE;
		talk(&world, &syn, 1);
		talk(&world, &rst, 1);
	}
	world.now_ms += 1000;
	for (i = 0; i < 12; i++) {
		syn.want = i < 10 ? TG_NOUPD_SYN_CHALLENGE : TG_DROP_SYN_RATE;
		talk(&world, &syn, 1);
	}
	/* A drop that is not one: an exact RST is never limited. */
	rst.seq = 101;
	rst.want = TG_PASS_RST_EXACT;
	talk(&world, &rst, 1);
}

/* The full key is compared wherever a state may change; the common segment trusts the tag. */
static void another_flows_tag_changes_no_state(void **state)
{
	static const struct line lines[] = {
		{ OPENER, S, FAR, 0, 0, 0, TG_PASS_COLLISION },
		{ OTHER, F | A, 201, 101, 0, 0, TG_PASS_COLLISION },
		{ OPENER, R, 101, 0, 0, 0, TG_PASS_COLLISION },
		{ OTHER, S | A, 0, 1, 0, 0, TG_PASS_COLLISION },
	};
	struct tg_slot before;
	struct tg_slot *slot;
	__u32 number;

	(void)state;
	play(&plain, ESTABLISHED);
	slot = find_slot(&plain, &number);
	native.detail[number].key.hi_addr[3] ^= 1;
	before = *slot;
	TALK(&plain, lines);
	assert_memory_equal(slot, &before, sizeof(before));
}

static void a_suspect_flow_is_passed_unjudged(void **state)
{
	static const struct line lines[] = {
		{ OPENER, A, 101, 201, 9, 0, TG_PASS_SUSPECT },
		{ OTHER, A, FAR, 101, 0, 0, TG_PASS_SUSPECT },
		{ OPENER, R, 101, 0, 0, 0, TG_PASS_SUSPECT },
		{ OTHER, F | A, 201, 101, 0, 0, TG_PASS_SUSPECT },
		{ OPENER, S, FAR, 0, 0, 0, TG_PASS_SUSPECT },
	};
	struct tg_slot before;
	struct tg_slot *slot;

	(void)state;
	play(&plain, ESTABLISHED);
	slot = find_slot(&plain, NULL);
	slot->claim |= TG_CLAIM_SUSPECT;
	before = *slot;
	TALK(&plain, lines);
	assert_memory_equal(slot, &before, sizeof(before));
}

static void play_and_suspect(const struct setting *world, enum stage stage)
{
	native_close();
	native_open(BUCKETS, true);
	play(world, stage);
	find_slot(world, NULL)->claim |= TG_CLAIM_SUSPECT;
}

static const enum stage suspected[] = { SYN_RECV, ESTABLISHED, FIN_ACKED };
static const struct line to_a_suspect = { OTHER, A, 201, 101, 9, 0, TG_PASS_SUSPECT };

/* A marked flow is a connection all the same: while it speaks it must not run out and be dropped. */
static void a_suspect_flow_that_speaks_does_not_expire(void **state)
{
	size_t i;
	int j;

	(void)state;
	for (i = 0; i < COUNT(suspected); i++) {
		struct setting world = plain;

		play_and_suspect(&world, suspected[i]);
		for (j = 0; j < 2000; j++) { /* every 50 s for more than a day */
			enum tg_verdict got;

			world.now_ms += 50000;
			got = say(&world, &to_a_suspect);
			if (tg_verdict_drops(got))
				fail_msg("stage %d: %s after %d s", suspected[i], verdict_name(got),
					 (j + 1) * 50);
		}
	}
}

/* What its state is, is not known: it may have been established all the while. */
static void nor_does_one_that_is_silent_for_less_than_a_day(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(suspected); i++) {
		struct setting world = plain;

		play_and_suspect(&world, suspected[i]);
		world.now_ms += 86400 * 1000;
		assert_int_equal(say(&world, &to_a_suspect), TG_PASS_SUSPECT);
		world.now_ms += 86400 * 1000 + 1;
		assert_int_equal(say(&world, &to_a_suspect), TG_DROP_NO_FLOW);
	}
}

static bool socket_exists;

static bool vouch(void)
{
	return socket_exists;
}

/* A local socket vouches for a connection older than we are; never for a FIN or RST to open a flow. */
static void a_local_socket_vouches_for_unknown_segments(void **state)
{
	static const struct line without = { OPENER, A, 1, 1, 0, 0, TG_DROP_NO_FLOW };
	static const struct line with[] = {
		{ OPENER, F | A, 1, 1, 0, 0, TG_NOUPD_UNTRACKED },
		{ OPENER, R, 1, 0, 0, 0, TG_NOUPD_UNTRACKED },
		{ OTHER, S | A, 1, 1, 0, 0, TG_NOUPD_UNTRACKED },
		{ OPENER, A, 1, 1, 9, 0, TG_PASS_PICKUP },
		{ OTHER, A, 1, 10, 9, 0, TG_PASS_OK },
		{ OPENER, A, 10, 10, 0, 0, TG_PASS_OK },
		{ OTHER, F | A, 10, 10, 0, 0, TG_PASS_OK },
	};

	(void)state;
	native.vouches = vouch;
	socket_exists = false;
	talk(&plain, &without, 1);
	socket_exists = true;
	TALK(&plain, with);
	assert_int_equal(tg_claim_origin(find_slot(&plain, NULL)->claim), TG_ORIGIN_PICKUP);
}

/* Where a newcomer once found no room, an unknown segment may be that one's: passed, not dropped. */
static void segments_of_a_flow_that_found_no_room_pass(void **state)
{
	static const struct line lines[] = {
		{ OPENER, S, 0, 0, 0, 0, TG_PASS_TABLE_FULL },
		{ OTHER, S | A, 0, 1, 0, 0, TG_PASS_TABLE_FULL },
		{ OPENER, A, 1, 1, 0, 0, TG_PASS_TABLE_FULL },
		{ OTHER, A, 1, 1, 500, 0, TG_PASS_TABLE_FULL },
		{ OPENER, R, 1, 0, 0, 0, TG_PASS_TABLE_FULL },
	};
	__u32 i;

	(void)state;
	for (i = 0; i < BUCKETS * TG_BUCKET_WAYS; i++) {
		struct tg_slot *slot = native_slot(i);

		slot->tag = i + 1;
		slot->claim = TG_CLAIM_OWNED | TG_CLAIM_LIVE;
		slot->stamp_ms = (__u32)plain.now_ms;
		slot->half[0].facts = slot->half[1].facts = TG_FACT_SYN | TG_FACT_HASACK | TG_FACT_ACKSYN;
	}
	TALK(&plain, lines);
}

/* In monitor mode the flow follows what passed, so that one would-be drop does not cascade. */
static void monitor_mode_follows_what_passed(void **state)
{
	static const struct line lines[] = {
		{ OTHER, A, 201 + 128000, 101, 100, 0, TG_PASS_OK },
		{ OTHER, A, 202 + 128000 + 10, 101, 100, 0, TG_DROP_SEQ_ABOVE },
		{ OPENER, A, 101, 201 + 128000 + 111, 0, 0, TG_PASS_OK },
	};
	struct setting world = plain;

	(void)state;
	native.settings.config[0].iface[0].mode = TG_MODE_MONITOR;
	play(&world, ESTABLISHED);
	TALK(&world, lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_repeated_syn_does_not_prolong_the_handshake, fresh, done),
		cmocka_unit_test_setup_teardown(each_phase_lasts_as_long_as_its_timeout, fresh, done),
		cmocka_unit_test_setup_teardown(an_expired_flow_is_replaced_in_its_place, fresh, done),
		cmocka_unit_test_setup_teardown(a_syn_that_was_passed_without_effect_reopens, fresh, done),
		cmocka_unit_test_setup_teardown(an_acknowledgement_beyond_a_rst_undoes_it, fresh, done),
		cmocka_unit_test_setup_teardown(simultaneous_close_ends_in_two_time_waits, fresh, done),
		cmocka_unit_test_setup_teardown(newer_timestamps_allow_a_lower_isn_in_time_wait, fresh, done),
		cmocka_unit_test_setup_teardown(syns_and_rsts_without_effect_are_limited, fresh, done),
		cmocka_unit_test_setup_teardown(another_flows_tag_changes_no_state, fresh, done),
		cmocka_unit_test_setup_teardown(a_suspect_flow_is_passed_unjudged, fresh, done),
		cmocka_unit_test_setup_teardown(a_suspect_flow_that_speaks_does_not_expire, fresh, done),
		cmocka_unit_test_setup_teardown(nor_does_one_that_is_silent_for_less_than_a_day, fresh, done),
		cmocka_unit_test_setup_teardown(a_local_socket_vouches_for_unknown_segments, fresh, done),
		cmocka_unit_test_setup_teardown(segments_of_a_flow_that_found_no_room_pass, fresh, done),
		cmocka_unit_test_setup_teardown(monitor_mode_follows_what_passed, fresh, done),
	};

	return cmocka_run_group_tests_name("flow advance", tests, NULL, NULL);
}
