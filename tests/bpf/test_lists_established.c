/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists and segments of established flows, in order, which go a short way that asks the lists: it must
 * drop whom the long way drops, and leave behind what the long way leaves.
 */
#include "tests/bpf/guard_flow.h"
#include "tests/bpf/guard_lists.h"

#define BLOCK TG_LIST_BLOCK
#define ALLOW TG_LIST_ALLOW
#define EVER TG_LIST_FOREVER
#define NOW_S 3600 /* where a guard's clock starts */

static const struct segment data = { FROM_CLIENT, .flags = ACK, .seq = 1001, .ack = 5001, .payload = 9 };
static const struct segment answer = { FROM_SERVER, .flags = ACK, .seq = 5001, .ack = 1001, .payload = 9 };

static void converse(struct guard *guard)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .payload = 100, .window = 900, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = 5001, .ack = 1101, .window = 800, .after_ms = 7, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = 5001, .ack = 1101, .payload = 1000, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1101, .ack = 6001, .after_ms = 40, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1101, .ack = 6001, .payload = 10, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1101, .ack = 6001, .payload = 10, .want = TG_PASS_RETRANS },
	};

	TALK(guard, steps);
}

static void what_is_remembered_is_the_same_beside_lists(void **state)
{
	struct guard *plain = guard_open(&(const struct guard_options){ 0 });

	guard_handshake(plain);
	guard_handshake(*state);
	guard_lists(*state, { "10.0.0.3", BLOCK, EVER }, { "10.0.0.1", BLOCK, NOW_S }, { "10.0.0.1", ALLOW, EVER });
	converse(plain);
	converse(*state);
	assert_memory_equal(guard_slot(*state)->half, guard_slot(plain)->half, sizeof(guard_slot(plain)->half));
	assert_int_equal(guard_slot(*state)->stamp_ms, guard_slot(plain)->stamp_ms);
	assert_memory_equal(guard_detail(*state)->count, guard_detail(plain)->count,
			    sizeof(guard_detail(plain)->count));
	guard_close(plain);
}

static void our_own_are_not_looked_up(void **state)
{
	guard_handshake(*state);
	guard_lists(*state, { "10.0.0.0/24", BLOCK, EVER });
	EXPECT(*state, &answer, true, TG_PASS_OK);
	EXPECT(*state, &data, false, TG_DROP_BLOCKLIST);
}

/* Those of a host that routes, of a flow that it has seen come in. */
static void forwarded_ones_are_looked_up_at_egress(void **state)
{
	struct guard *guard = guard_open(
		&(const struct guard_options){ .profile = TG_PROFILE_GATEWAY, .all_ingress = true });
	uint8_t frame[FRAME_MAX];
	size_t size = frame_build(frame, &data);
	struct judgement got;

	(void)state;
	guard_handshake(guard);
	guard_lists(guard, { "10.0.0.1", BLOCK, NOW_S + 60 });
	got = guard_judge_skb(guard, frame, size, 8, 0);
	SAME(got.verdict, TG_DROP_BLOCKLIST);
	assert_true(got.dropped);
	guard_lists(guard, { "10.0.0.1", BLOCK, EVER }, { "10.0.0.1", ALLOW, EVER });
	SAME(guard_judge_skb(guard, frame, size, 8, 0).verdict, TG_PASS_OK);
	assert_int_equal(guard_tally(guard, TG_TALLY_LIST_ALLOWED), 1);
	guard_lists(guard, { "10.0.0.2", BLOCK, EVER });
	size = frame_build(frame, &(const struct segment){ FROM_CLIENT, .flags = ACK, .seq = 1010, .ack = 5001 });
	SAME(guard_judge_skb(guard, frame, size, 8, 0).verdict, TG_PASS_OK);
	assert_int_equal(guard_tally(guard, TG_TALLY_LIST_ALLOWED), 1);
	guard_close(guard);
}

static void the_lists_of_the_configuration_in_force_are_asked(void **state)
{
	struct tg_settings *settings = guard_settings(*state);
	struct segment next = data;

	guard_handshake(*state);
	guard_lists(*state, { "10.0.0.1", BLOCK, EVER });
	settings->config[1] = settings->config[0];
	settings->config[0].lists.prefixes = 0;
	settings->active = 1;
	EXPECT(*state, &next, false, TG_DROP_BLOCKLIST);
	settings->active = 0;
	EXPECT(*state, &next, false, TG_PASS_OK);
	next.seq += 9;
	guard_lists(*state, { "10.0.0.1", BLOCK, EVER });
	settings->config[1].lists.prefixes = 0;
	settings->active = 1;
	EXPECT(*state, &next, false, TG_PASS_OK);
}

static void a_missing_image_cuts_nobody_off(void **state)
{
	uint32_t slot = 1;

	guard_handshake(*state);
	guard_lists(*state, { "10.0.0.1", BLOCK, EVER });
	assert_int_equal(bpf_map_delete_elem(guard_map_fd(*state, "tg_lists"), &slot), 0);
	EXPECT(*state, &data, false, TG_PASS_OK);
}

static void whoever_looks_on_changes_nothing(void **state)
{
	static const uint32_t watches[] = { TG_WATCH_EVENTS, TG_WATCH_TRACE, TG_WATCH_CAPTURE };
	struct segment next = data;
	size_t i;

	guard_handshake(*state);
	for (i = 0; i < COUNT(watches); i++) {
		guard_settings(*state)->watch = watches[i];
		guard_lists(*state, { "10.0.0.1", BLOCK, EVER });
		EXPECT(*state, &next, false, TG_DROP_BLOCKLIST);
		guard_lists(*state, { "10.0.0.2", BLOCK, EVER });
		EXPECT(*state, &next, false, TG_PASS_OK);
		next.seq += 9;
	}
}

/* What would be dropped is followed, segment by segment. */
static void monitor_follows_who_is_blocked(void **state)
{
	struct guard *guard = *state;
	struct segment next = data;

	guard_handshake(guard);
	guard_settings(guard)->config[0].iface[0].mode = TG_MODE_MONITOR;
	guard_lists(guard, { "10.0.0.1", BLOCK, EVER });
	for (; next.seq < 1001 + 5 * 9; next.seq += 9)
		assert_int_equal(EXPECT(guard, &next, false, TG_DROP_BLOCKLIST).outcome, TG_OUTCOME_WOULD_DROP);
	assert_int_equal(guard_half(guard, CLIENT)->end, next.seq);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, guard_setup, guard_teardown)
		TEST(what_is_remembered_is_the_same_beside_lists),
		TEST(our_own_are_not_looked_up),
		TEST(the_lists_of_the_configuration_in_force_are_asked),
		TEST(a_missing_image_cuts_nobody_off),
		TEST(whoever_looks_on_changes_nothing),
		TEST(monitor_follows_who_is_blocked),
		cmocka_unit_test(forwarded_ones_are_looked_up_at_egress),
	};

	return cmocka_run_group_tests_name("lists, established", tests, NULL, NULL);
}
