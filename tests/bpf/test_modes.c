/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a verdict DROP is carried out: not in monitor mode, not under bypass, never on what this
 * machine sends itself.  Whatever is passed is followed, so that one would-be drop does not
 * cascade.  And where a forwarded packet is judged: once.
 */
#include <bpf/bpf.h>
#include <string.h>

#include "tests/bpf/plain.h"

#define W 65535u

static int open_monitor(void **state)
{
	const struct guard_options options = { .monitor = true, .all_ingress = true };

	*state = guard_open(&options);
	return 0;
}

static int open_gateway(void **state)
{
	const struct guard_options options = { .profile = TG_PROFILE_GATEWAY, .all_ingress = true };

	*state = guard_open(&options);
	return 0;
}

/* Segments without a flow that are dropped for what they are. */
static const struct {
	uint8_t flags;
	uint32_t payload;
	enum tg_verdict verdict;
} strays[] = {
	{ ACK, 0, TG_DROP_NO_FLOW },
	{ ACK, 100, TG_DROP_NO_FLOW },
	{ FIN | ACK, 0, TG_DROP_NO_FLOW },
	{ SYN | ACK, 0, TG_DROP_NO_FLOW },
	{ RST, 0, TG_DROP_RST_NO_FLOW },
	{ RST | ACK, 0, TG_DROP_RST_NO_FLOW },
	{ 0, 0, TG_DROP_BAD_FLAGS },
	{ SYN | FIN, 0, TG_DROP_BAD_FLAGS },
	{ FIN | PSH | URG, 0, TG_DROP_BAD_FLAGS },
};
#define STRAYS (sizeof(strays) / sizeof(strays[0]))

static void expect_outcome(struct guard *guard, bool egress, enum tg_outcome outcome, bool dropped)
{
	size_t i;

	for (i = 0; i < STRAYS; i++) {
		struct segment segment = { FROM_CLIENT, .flags = strays[i].flags,
					   .payload = strays[i].payload };
		struct judgement got = EXPECT(guard, &segment, egress, strays[i].verdict);

		assert_int_equal(got.outcome, outcome);
		assert_int_equal(got.dropped, dropped);
	}
	assert_int_equal(guard_flows(guard), 0);
}

static void enforce_drops_what_the_verdict_says(void **state)
{
	expect_outcome(*state, false, TG_OUTCOME_VERDICT, true);
}

static void monitor_counts_what_it_would_have_dropped(void **state)
{
	expect_outcome(*state, false, TG_OUTCOME_WOULD_DROP, false);
}

static void monitor_counts_malformed_packets_too(void **state)
{
	static const struct endpoint land = { { 10, 0, 0, 9 }, 80 };
	struct segment segment = { FROM_CLIENT, .flags = ACK, .fragment = 1, .payload = 40 };

	assert_int_equal(EXPECT(*state, &segment, false, TG_DROP_TINY_FRAG).outcome, TG_OUTCOME_WOULD_DROP);
	segment = (struct segment){ BETWEEN(&land, &land), .flags = SYN };
	assert_int_equal(EXPECT(*state, &segment, false, TG_DROP_LAND).outcome, TG_OUTCOME_WOULD_DROP);
	segment = (struct segment){ FROM_CLIENT, .flags = SYN, .cut = 4 };
	assert_int_equal(EXPECT(*state, &segment, false, TG_DROP_BAD_HDR).outcome, TG_OUTCOME_WOULD_DROP);
}

static void bypass_overrides_enforce_at_once(void **state)
{
	guard_settings(*state)->bypass = 1;
	expect_outcome(*state, false, TG_OUTCOME_BYPASS, false);
	guard_settings(*state)->bypass = 0;
	expect_outcome(*state, false, TG_OUTCOME_VERDICT, true);
	guard_settings(*state)->config[0].iface[0].mode = TG_MODE_MONITOR;
	expect_outcome(*state, false, TG_OUTCOME_WOULD_DROP, false);
	guard_settings(*state)->bypass = 1;
	expect_outcome(*state, false, TG_OUTCOME_BYPASS, false);
}

static void own_segments_are_counted_and_never_dropped(void **state)
{
	expect_outcome(*state, true, TG_OUTCOME_OWN, false);
	guard_settings(*state)->bypass = 1;
	expect_outcome(*state, true, TG_OUTCOME_OWN, false);
	guard_settings(*state)->bypass = 0;
	guard_settings(*state)->config[0].iface[0].mode = TG_MODE_MONITOR;
	expect_outcome(*state, true, TG_OUTCOME_OWN, false);
}

/* Our own kernel knows more than we do: what it sends is true. */
static void own_segments_out_of_bounds_are_followed(void **state)
{
	static const struct step steps[] = {
		/* The client's window was announced over another interface. */
		{ SERVER, ACK, .seq = S + W + 1000, .ack = C, .payload = 500, .want = TG_DROP_SEQ_ABOVE },
		{ CLIENT, ACK, .seq = C, .ack = S + W + 1500, .want = TG_PASS_OK },
		/* So was some of its data. */
		{ SERVER, ACK, .seq = S + W + 1500, .ack = C + 800, .want = TG_DROP_ACK_ABOVE },
		{ CLIENT, ACK, .seq = C + 800, .ack = S + W + 1500, .payload = 100, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = S + W + 1500, .ack = C + 900, .want = TG_PASS_OK,
		  STATES(ESTABLISHED, ESTABLISHED) },
	};

	open_plain(*state);
	TALK(*state, steps);
}

/* Only bound I fails, by no more than a window: the flow follows, and what comes after is in bounds. */
static void monitor_follows_data_above_the_window(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = C + W + 1, .ack = S, .payload = 1000, .want = TG_DROP_SEQ_ABOVE },
		{ SERVER, ACK, .seq = S, .ack = C + W + 1001, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + W + 1001, .ack = S, .payload = 1000, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = S, .ack = C + W + 2001, .want = TG_PASS_OK,
		  STATES(ESTABLISHED, ESTABLISHED) },
	};

	open_plain(*state);
	TALK(*state, steps);
	assert_int_equal(guard_half_count(*state, CLIENT)->drops, 1);
	assert_int_equal(guard_half_count(*state, CLIENT)->last_verdict, TG_DROP_SEQ_ABOVE);
}

static void monitor_follows_no_further_than_a_window(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = C - 1, .window = 1000, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = S - 1, .ack = C, .window = 1000, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = C, .ack = S, .window = 1000, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 1001, .ack = S, .payload = 1000, .want = TG_DROP_SEQ_ABOVE },
	};
	static const struct step edge[] = {
		{ CLIENT, ACK, .seq = C + 1001, .ack = S, .payload = 999, .want = TG_DROP_SEQ_ABOVE },
	};

	TALK(*state, steps);
	assert_int_equal(guard_half(*state, CLIENT)->end, C);
	TALK(*state, edge);
	assert_int_equal(guard_half(*state, CLIENT)->end, C + 2000);
}

static void monitor_follows_nothing_that_fails_elsewhere(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = C, .ack = S + 1, .payload = 100, .want = TG_DROP_ACK_ABOVE },
		{ CLIENT, ACK, .seq = C + W + 1, .ack = S + 1, .payload = 100, .want = TG_DROP_SEQ_ABOVE },
		{ CLIENT, ACK, .seq = C - W - (2u << 20), .ack = S, .payload = 9, .want = TG_DROP_SEQ_BELOW },
		{ CLIENT, ACK, .seq = C, .ack = S - 66001 - (1u << 20), .payload = 9,
		  .want = TG_DROP_ACK_BELOW },
		{ CLIENT, RST, .seq = C - 1, .want = TG_DROP_RST_OLD },
		{ CLIENT, RST, .seq = C + W + 1, .want = TG_DROP_RST_ABOVE, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, ACK, .seq = C, .ack = S, .payload = 100, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = S, .ack = C + 100, .want = TG_PASS_OK },
	};
	struct tg_half client;

	open_plain(*state);
	client = *guard_half(*state, CLIENT);
	guard_talk(*state, steps, 6);
	assert_memory_equal(&client, guard_half(*state, CLIENT), sizeof(client));
	guard_talk(*state, steps + 6, 2);
}

static void monitor_changes_nothing_for_the_handshake_it_doubts(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = C - 1, .want = TG_PASS_NEW },
		{ CLIENT, ACK, .seq = C, .ack = S, .want = TG_DROP_ACK_BEFORE_SYNACK, STATES(SYN_SENT, LISTEN) },
		{ CLIENT, SYN | ACK, .seq = C - 1, .ack = S, .want = TG_DROP_SYNACK_WRONG_DIR },
		{ SERVER, ACK, .seq = S, .ack = C + 9, .payload = 5, .want = TG_DROP_DATA_BEFORE_SYNACK,
		  STATES(SYN_SENT, LISTEN) },
		{ SERVER, RST, .seq = S, .want = TG_DROP_RST_SYN_SENT, STATES(SYN_SENT, LISTEN) },
		{ SERVER, SYN | ACK, .seq = S - 1, .ack = C, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = C, .ack = S + 1, .want = TG_DROP_HS_BAD_ACK,
		  STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, ACK, .seq = C, .ack = S, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(*state, steps);
}

static void bypass_follows_like_monitor(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = C + W + 1, .ack = S, .payload = 1000, .want = TG_DROP_SEQ_ABOVE },
		{ SERVER, ACK, .seq = S, .ack = C + W + 1001, .want = TG_PASS_OK },
	};

	open_plain(*state);
	guard_settings(*state)->bypass = 1;
	TALK(*state, steps);
}

static void enforce_does_not_follow_what_it_drops(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = C + W + 1, .ack = S, .payload = 1000, .want = TG_DROP_SEQ_ABOVE },
		{ SERVER, ACK, .seq = S, .ack = C + W + 1001, .want = TG_DROP_ACK_ABOVE },
		{ SERVER, ACK, .seq = S, .ack = C, .want = TG_PASS_OK },
	};

	open_plain(*state);
	TALK(*state, steps);
	assert_int_equal(guard_half(*state, CLIENT)->end, C);
}

/* The server's half passes through another table: of what it sends, acknowledgements tell. */
static void while_tables_are_exchanged_acknowledgements_tell_of_the_other_side(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = C, .ack = S + 100, .payload = 10, .want = TG_DROP_ACK_ABOVE },
		{ CLIENT, ACK, .seq = C + 10, .ack = S + 100 + W, .payload = 10, .want = TG_DROP_ACK_ABOVE },
		/* No further than the client has allowed. */
		{ CLIENT, ACK, .seq = C + 20, .ack = S + 101 + 2 * W, .payload = 10, .want = TG_DROP_ACK_ABOVE },
	};
	static const struct step afterwards[] = {
		{ SERVER, ACK, .seq = S + 100 + W, .ack = C + 20, .payload = 50, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 20, .ack = S + 150 + W, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 20, .ack = S + 151 + W, .want = TG_DROP_ACK_ABOVE },
	};
	struct guard *guard = *state;
	__u32 *relaxed = &guard_settings(guard)->config[0].relaxed;

	open_plain(guard);
	*relaxed = TG_RELAXED_EXCHANGE;
	guard_settings(guard)->bypass = 1;
	TALK(guard, steps);
	assert_int_equal(guard_half(guard, SERVER)->end, S + 100 + W);
	assert_int_equal(guard_half(guard, CLIENT)->end, C + 20);
	*relaxed = 0;
	guard_settings(guard)->bypass = 0;
	TALK(guard, afterwards);
}

#define ATTACHED 7u
#define UNATTACHED 8u

static void attach_interface(struct guard *guard, uint32_t ifindex)
{
	uint32_t slot = 0;

	assert_int_equal(bpf_map_update_elem(guard_map_fd(guard, "tg_attached"), &ifindex, &slot, BPF_ANY), 0);
}

/* Judged at the ingress of the interface it came by; at egress neither judged nor counted. */
static void a_forwarded_packet_is_judged_once(void **state)
{
	struct segment segment = { FROM_CLIENT, .flags = ACK, .seq = C, .ack = S };
	uint8_t frame[FRAME_MAX];
	size_t size = frame_build(frame, &segment);
	int verdict;

	attach_interface(*state, ATTACHED);
	assert_int_equal((int)guard_run_forwarded(*state, frame, size, ATTACHED), -1);
	segment.flags = SYN;
	size = frame_build(frame, &segment);
	assert_int_equal((int)guard_run_forwarded(*state, frame, size, ATTACHED), -1);
	for (verdict = 1; verdict < TG_VERDICT_MAX; verdict++)
		assert_int_equal(guard_count(*state, (enum tg_verdict)verdict), 0);
	assert_int_equal(guard_flows(*state), 0);
}

/* It came by an interface that is not ours: egress is the only place, and it is not our own. */
static void a_packet_from_an_unattached_interface_is_judged_at_egress(void **state)
{
	struct segment segment = { FROM_CLIENT, .flags = ACK, .seq = C, .ack = S };
	uint8_t frame[FRAME_MAX];
	struct judgement got;

	attach_interface(*state, ATTACHED);
	got = guard_judge_skb(*state, frame, frame_build(frame, &segment), UNATTACHED, 0);
	SAME(got.verdict, TG_DROP_NO_FLOW);
	assert_int_equal(got.outcome, TG_OUTCOME_VERDICT);
	assert_true(got.dropped);
	segment.flags = SYN;
	segment.seq = C - 1;
	got = guard_judge_skb(*state, frame, frame_build(frame, &segment), UNATTACHED, 0);
	SAME(got.verdict, TG_PASS_NEW);
	assert_int_equal(guard_state(*state, CLIENT), TG_TCP_SYN_SENT);
	guard_settings(*state)->config[0].iface[0].mode = TG_MODE_MONITOR;
	segment.flags = ACK;
	got = guard_judge_skb(*state, frame, frame_build(frame, &segment), UNATTACHED, 0);
	SAME(got.verdict, TG_DROP_ACK_BEFORE_SYNACK);
	assert_int_equal(got.outcome, TG_OUTCOME_WOULD_DROP);
}

static void expect_forwarded(struct guard *guard, const struct segment *segment, enum tg_verdict want)
{
	uint8_t frame[FRAME_MAX];

	SAME(guard_judge_skb(guard, frame, frame_build(frame, segment), UNATTACHED, 0).verdict, want);
}

/* NAT gives a connection from behind us the address and the port that one of our own had. */
static void what_nat_forwards_with_our_address_is_followed(void **state)
{
	static const struct {
		struct segment segment;
		bool egress;
		enum tg_verdict want;
	} own[] = {
		{ { FROM_CLIENT, .flags = SYN, .seq = 1000 }, true, TG_PASS_NEW },
		{ { FROM_SERVER, .flags = SYN | ACK, .seq = 5000, .ack = 1001 }, false, TG_PASS_SYNACK },
		{ { FROM_CLIENT, .flags = ACK, .seq = 1001, .ack = 5001 }, true, TG_PASS_OK },
		{ { FROM_CLIENT, .flags = FIN | ACK, .seq = 1001, .ack = 5001 }, true, TG_PASS_OK },
		{ { FROM_SERVER, .flags = FIN | ACK, .seq = 5001, .ack = 1002 }, false, TG_PASS_OK },
		{ { FROM_CLIENT, .flags = ACK, .seq = 1002, .ack = 5002 }, true, TG_PASS_OK },
		{ { FROM_CLIENT, .flags = SYN, .seq = 900000 }, false, TG_NOUPD_SPOOFED },
	};
	const struct segment syn = { FROM_CLIENT, .flags = SYN, .seq = 900000 };
	const struct segment synack = { FROM_SERVER, .flags = SYN | ACK, .seq = 70000, .ack = 900001 };
	const struct segment ack = { FROM_CLIENT, .flags = ACK, .seq = 900001, .ack = 70001, .payload = 10 };
	const struct segment data = { FROM_SERVER, .flags = ACK, .seq = 70001, .ack = 900011, .payload = 10 };
	size_t i;

	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		EXPECT(*state, &own[i].segment, own[i].egress, own[i].want);
	expect_forwarded(*state, &syn, TG_PASS_TW_REUSE);
	EXPECT(*state, &synack, false, TG_PASS_SYNACK);
	expect_forwarded(*state, &ack, TG_PASS_OK);
	EXPECT(*state, &data, false, TG_PASS_OK);
}

static void a_gateway_enforces_in_both_directions(void **state)
{
	static const struct step steps[] = {
		{ SERVER, ACK, .seq = S + W + 1, .ack = C, .payload = 1, .want = TG_DROP_SEQ_ABOVE },
		{ SERVER, ACK, .seq = S, .ack = C + 1, .want = TG_DROP_ACK_ABOVE },
		{ SERVER, RST, .seq = S - 1, .want = TG_DROP_RST_OLD },
		{ SERVER, ACK, .seq = S, .ack = C, .payload = 700, .want = TG_PASS_OK },
		{ CLIENT, FIN | ACK, .seq = C, .ack = S + 700, .want = TG_PASS_OK },
		{ SERVER, FIN | ACK, .seq = S + 700, .ack = C + 1, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 1, .ack = S + 701, .want = TG_PASS_OK, STATES(TIME_WAIT, CLOSED) },
	};

	open_plain(*state);
	TALK(*state, steps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, guard_setup, guard_teardown)
#define MONITOR(name) cmocka_unit_test_setup_teardown(name, open_monitor, guard_teardown)
#define GATEWAY(name) cmocka_unit_test_setup_teardown(name, open_gateway, guard_teardown)
		TEST(enforce_drops_what_the_verdict_says),
		MONITOR(monitor_counts_what_it_would_have_dropped),
		MONITOR(monitor_counts_malformed_packets_too),
		TEST(bypass_overrides_enforce_at_once),
		TEST(own_segments_are_counted_and_never_dropped),
		TEST(own_segments_out_of_bounds_are_followed),
		MONITOR(monitor_follows_data_above_the_window),
		MONITOR(monitor_follows_no_further_than_a_window),
		MONITOR(monitor_follows_nothing_that_fails_elsewhere),
		MONITOR(monitor_changes_nothing_for_the_handshake_it_doubts),
		GATEWAY(bypass_follows_like_monitor),
		GATEWAY(enforce_does_not_follow_what_it_drops),
		GATEWAY(while_tables_are_exchanged_acknowledgements_tell_of_the_other_side),
		TEST(a_forwarded_packet_is_judged_once),
		TEST(a_packet_from_an_unattached_interface_is_judged_at_egress),
		GATEWAY(what_nat_forwards_with_our_address_is_followed),
		GATEWAY(a_gateway_enforces_in_both_directions),
	};

	return cmocka_run_group_tests_name("modes", tests, NULL, NULL);
}
