/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attacks (docs/false-positives-and-attacks.md): blind floods by the hundred thousand against one
 * connection, guesses at the handshake, lies about windows.  Afterwards the connection works as
 * before.
 */
#include <string.h>

#include "tests/bpf/plain.h"

#define W 65535u
#define FLOOD 100000
#define FEW (FLOOD / 10)

/* Both sides go on where they were. */
static void expect_alive(struct guard *guard)
{
	static const struct step steps[] = {
		{ CLIENT, PSH | ACK, .seq = C, .ack = S, .payload = 500, .want = TG_PASS_OK,
		  STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, PSH | ACK, .seq = S, .ack = C + 500, .payload = 700, .want = TG_PASS_OK },
		{ CLIENT, FIN | ACK, .seq = C + 500, .ack = S + 700, .want = TG_PASS_OK,
		  STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, FIN | ACK, .seq = S + 700, .ack = C + 501, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 501, .ack = S + 701, .want = TG_PASS_OK, STATES(TIME_WAIT, CLOSED) },
	};

	TALK(guard, steps);
}

static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 32);
}

/* Segments by verdicts that change a flow. */
static uint64_t count_accepted(struct guard *guard)
{
	uint64_t packets = 0;
	int verdict;

	for (verdict = 1; verdict < TG_VERDICT_MAX; verdict++) {
		if (tg_verdict_action((enum tg_verdict)verdict) == TG_ACTION_PASS)
			packets += guard_count(guard, (enum tg_verdict)verdict);
	}
	return packets;
}

struct half_pair {
	struct tg_half client, server;
};

/* The numbers, not what a pending SYN leaves in .aux. */
static struct half_pair numbers_of(struct guard *guard)
{
	struct half_pair pair = { *guard_half(guard, CLIENT), *guard_half(guard, SERVER) };

	pair.client.aux = pair.server.aux = 0;
	pair.client.facts &= TG_FACT_MASK;
	pair.server.facts &= TG_FACT_MASK;
	return pair;
}

/* Random numbers in forged segments of the client: none is accepted, nothing changes. */
static void flood(struct guard *guard, uint8_t flags, uint32_t payload, int count)
{
	struct segment segment = { FROM_CLIENT, .flags = flags, .payload = payload, .headers_only = true };
	struct half_pair before = numbers_of(guard), after;
	uint64_t accepted = count_accepted(guard), seed = flags * 1000 + payload;
	uint8_t frame[FRAME_MAX];
	int i;

	for (i = 0; i < count; i++) {
		segment.seq = next_random(&seed);
		segment.ack = flags & ACK ? next_random(&seed) : 0;
		guard_run(guard, frame, frame_build(frame, &segment), false);
	}
	assert_int_equal(count_accepted(guard) - accepted, 0);
	after = numbers_of(guard);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(guard_phase(guard), TG_PHASE_ESTABLISHED);
}

static uint64_t count_resets(struct guard *guard)
{
	return guard_count(guard, TG_DROP_RST_OLD) + guard_count(guard, TG_DROP_RST_ABOVE) +
	       guard_count(guard, TG_DROP_RST_RATE) + guard_count(guard, TG_NOUPD_RST_INEXACT);
}

/* A1 */
static void blind_rst_closes_nothing(void **state)
{
	open_plain(*state);
	flood(*state, RST, 0, FLOOD);
	flood(*state, RST | ACK, 0, FLOOD);
	assert_int_equal(count_resets(*state), 2 * FLOOD);
	assert_true(guard_count(*state, TG_NOUPD_RST_INEXACT) <= 20);
	expect_alive(*state);
}

/* A2: one RST in each window, so that some are inside. */
static void sweep_rst_closes_nothing(void **state)
{
	struct segment segment = { FROM_CLIENT, .flags = RST, .seq = 12345 };
	uint8_t frame[FRAME_MAX];
	uint32_t i;

	open_plain(*state);
	for (i = 0; i < 65536; i++, segment.seq += W)
		guard_run(*state, frame, frame_build(frame, &segment), false);
	/* And all of the window itself, but for the exact number. */
	for (i = 1; i <= W; i++) {
		segment.seq = C + i;
		guard_run(*state, frame, frame_build(frame, &segment), false);
	}
	assert_int_equal(guard_count(*state, TG_NOUPD_RST_INEXACT), 20);
	assert_true(guard_count(*state, TG_DROP_RST_RATE) >= W - 20);
	assert_int_equal(guard_phase(*state), TG_PHASE_ESTABLISHED);
	expect_alive(*state);
}

/* A3 */
static void blind_syn_changes_nothing(void **state)
{
	open_plain(*state);
	flood(*state, SYN, 0, FLOOD);
	assert_int_equal(guard_count(*state, TG_NOUPD_SYN_CHALLENGE), 20);
	assert_int_equal(guard_count(*state, TG_DROP_SYN_RATE), FLOOD - 20);
	expect_alive(*state);
}

/*
 * The same tuple without end, with the same ISN or another: passed, each would cost the listener an answer.
 * A client that sends its SYN again waits a second.
 */
static void a_syn_repeated_in_a_handshake_is_limited(void **state)
{
	struct segment syn = { FROM_CLIENT, .flags = SYN, .seq = 1000 };
	struct segment synack = { FROM_SERVER, .flags = SYN | ACK, .seq = 5000, .ack = 1021 };
	int i;

	EXPECT(*state, &syn, false, TG_PASS_NEW);
	for (i = 0; i < 1000; i++, syn.seq++)
		EXPECT(*state, &syn, false,
		       !i     ? TG_NOUPD_SYN_RETRANS :
		       i < 20 ? TG_PASS_SYN_REINIT :
				TG_DROP_SYN_RATE);
	guard_advance_ms(*state, 3000);
	syn.seq = 1020;
	EXPECT(*state, &syn, false, TG_PASS_SYN_REINIT);
	EXPECT(*state, &synack, true, TG_PASS_SYNACK);
	for (i = 1; i < 1000; i++)
		EXPECT(*state, &syn, false, i < 20 ? TG_PASS_SYN_RETRANS : TG_DROP_SYN_RATE);
	guard_advance_ms(*state, 1000);
	EXPECT(*state, &syn, false, TG_PASS_SYN_RETRANS);
}

/* A4 */
static void blind_data_is_not_accepted(void **state)
{
	open_plain(*state);
	flood(*state, PSH | ACK, 1400, FLOOD);
	flood(*state, ACK, 0, FLOOD);
	expect_alive(*state);
}

static void blind_fin_is_not_accepted(void **state)
{
	open_plain(*state);
	flood(*state, FIN | ACK, 0, FLOOD);
	flood(*state, FIN | PSH | ACK, 100, FLOOD);
	expect_alive(*state);
}

/* A4, fin_forge: whoever knows the window may put a FIN into it; the next data takes it back. */
static void fin_forge_ahead_of_the_data_is_taken_back(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, FIN | ACK, .seq = C + 100, .ack = S, .want = TG_PASS_OK },
		{ CLIENT, PSH | ACK, .seq = C, .ack = S, .payload = 500, .want = TG_PASS_FIN_RETRACT,
		  STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, ACK, .seq = S, .ack = C + 500, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	open_plain(*state);
	TALK(*state, steps);
}

/* A12: the exact number, no slack. */
static void hs_guess_completes_nothing(void **state)
{
	static const struct step open[] = {
		{ CLIENT, SYN, .seq = C - 1, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = S - 1, .ack = C, .want = TG_PASS_SYNACK },
	};
	static const struct step done[] = {
		{ CLIENT, ACK, .seq = C, .ack = S, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};
	struct segment segment = { FROM_CLIENT, .flags = ACK, .seq = C };
	uint8_t frame[FRAME_MAX];
	uint64_t seed = 7;
	int i, near;

	TALK(*state, open);
	for (i = 0; i < FLOOD; i++) {
		segment.ack = next_random(&seed);
		segment.payload = i & 1 ? 100 : 0;
		if (segment.ack != S)
			guard_run(*state, frame, frame_build(frame, &segment), false);
	}
	for (near = 1; near <= 1000; near++) {
		segment.ack = S + (uint32_t)near;
		guard_run(*state, frame, frame_build(frame, &segment), false);
		segment.ack = S - (uint32_t)near;
		guard_run(*state, frame, frame_build(frame, &segment), false);
	}
	assert_true(guard_count(*state, TG_DROP_HS_BAD_ACK) >= FLOOD + 2000 - 1);
	assert_int_equal(guard_count(*state, TG_PASS_OK), 0);
	assert_int_equal(guard_state(*state, SERVER), TG_TCP_SYN_RECEIVED);
	TALK(*state, done);
	expect_alive(*state);
}

/* A27: neither RST nor SYN from outside ends or replaces what a NAT or a tracker must remember. */
static void state_kill_by_rst_and_syn_is_not_possible(void **state)
{
	open_plain(*state);
	flood(*state, RST, 0, FEW);
	flood(*state, SYN, 0, FEW);
	flood(*state, RST | ACK, 0, FEW);
	flood(*state, SYN | ACK, 0, FEW);
	expect_alive(*state);
}

/* A14: each wrong SYN-ACK makes the client answer with a RST; no more of them than RSTs get through. */
static void synack_spoof_is_limited_and_changes_nothing(void **state)
{
	static const struct step open[] = {
		{ CLIENT, SYN, .seq = C - 1, .want = TG_PASS_NEW },
	};
	static const struct step answered[] = {
		{ SERVER, SYN | ACK, .seq = S - 1, .ack = C, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = C, .ack = S, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};
	struct segment segment = { FROM_SERVER, .flags = SYN | ACK };
	uint8_t frame[FRAME_MAX];
	uint64_t seed = 13;
	int i;

	TALK(*state, open);
	for (i = 0; i < FEW; i++) {
		segment.seq = next_random(&seed);
		segment.ack = next_random(&seed);
		if (segment.ack != C)
			guard_run(*state, frame, frame_build(frame, &segment), false);
	}
	assert_int_equal(guard_state(*state, CLIENT), TG_TCP_SYN_SENT);
	assert_int_equal(guard_state(*state, SERVER), TG_TCP_LISTEN);
	assert_int_equal(guard_count(*state, TG_NOUPD_SYNACK_BAD_ACK), 20);
	/* The right one, and the SYN again, are not limited by it. */
	guard_say(*state, &(struct step){ CLIENT, SYN, .seq = C - 1, .want = TG_NOUPD_SYN_RETRANS }, 1);
	TALK(*state, answered);
	expect_alive(*state);
}

/* A16: an attacker's acknowledgement of what will be sent does not widen the window. */
static void ack_ahead_changes_nothing(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = C, .ack = S + 1, .want = TG_DROP_ACK_ABOVE },
		{ CLIENT, ACK, .seq = C, .ack = S + (1u << 30), .want = TG_DROP_ACK_ABOVE },
		{ CLIENT, ACK, .seq = C, .ack = S + (1u << 30), .payload = 100, .want = TG_DROP_ACK_ABOVE },
		{ CLIENT, ACK, .seq = C, .ack = S, .sack_from = S + 1, .sack_to = S + (1u << 30),
		  .want = TG_PASS_OK },
	};
	struct half_pair before, after;

	open_plain(*state);
	before = numbers_of(*state);
	TALK(*state, steps);
	after = numbers_of(*state);
	assert_memory_equal(&before, &after, sizeof(before));
	expect_alive(*state);
}

/* A15: once the handshake is done a SYN-ACK's options are not listened to. */
static void ws_lie_changes_no_scale(void **state)
{
	static const struct step open[] = {
		{ CLIENT, SYN, .seq = C - 1, .wscale = WS(2), .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = S - 1, .ack = C, .wscale = WS(2), .want = TG_PASS_SYNACK },
		/* Even before the client has answered: the same SYN-ACK says the same. */
		{ SERVER, SYN | ACK, .seq = S - 1, .ack = C, .wscale = WS(14), .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = C, .ack = S, .window = 16384, .want = TG_PASS_OK },
		{ SERVER, SYN | ACK, .seq = S - 1, .ack = C, .wscale = WS(14), .want = TG_NOUPD_SYNACK_RETRANS },
		{ CLIENT, SYN, .seq = C - 1, .wscale = WS(14), .want = TG_NOUPD_SYN_CHALLENGE },
		{ SERVER, ACK, .seq = S, .ack = C, .window = 20000, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 80001, .ack = S, .payload = 1, .want = TG_DROP_SEQ_ABOVE },
	};

	TALK(*state, open);
	assert_int_equal(tg_half_wscale(guard_half(*state, SERVER)), 2);
	assert_int_equal(tg_half_wscale(guard_half(*state, CLIENT)), 2);
	expect_alive(*state);
}

/* A26: a forged SYN is remembered; only a SYN-ACK of the other side for exactly that SYN reopens. */
static void pending_poison_reopens_nothing(void **state)
{
	static const struct step forged[] = {
		{ CLIENT, SYN, .seq = 4000, .want = TG_NOUPD_SYN_CHALLENGE },
		{ SERVER, SYN | ACK, .seq = 9000, .ack = 4000, .want = TG_NOUPD_SYNACK_UNEXPECTED },
		{ SERVER, SYN | ACK, .seq = 9000, .ack = 4002, .want = TG_NOUPD_SYNACK_UNEXPECTED },
		{ SERVER, SYN | ACK, .seq = 9000, .ack = C, .want = TG_NOUPD_SYNACK_UNEXPECTED },
		/* From the side of the SYN itself. */
		{ CLIENT, SYN | ACK, .seq = 9000, .ack = 4001, .want = TG_NOUPD_SYNACK_UNEXPECTED,
		  STATES(ESTABLISHED, ESTABLISHED) },
	};
	struct segment segment = { FROM_CLIENT, .flags = SYN | ACK };
	uint8_t frame[FRAME_MAX];
	uint64_t seed = 11;
	int i;

	open_plain(*state);
	TALK(*state, forged);
	for (i = 0; i < FLOOD; i++) {
		segment.seq = next_random(&seed);
		segment.ack = next_random(&seed);
		guard_run(*state, frame, frame_build(frame, &segment), false);
	}
	assert_int_equal(guard_count(*state, TG_PASS_REOPEN), 0);
	expect_alive(*state);
}

/* A26, A27: both halves of the exchange forged from outside, the second in this machine's own name. */
static void pending_poison_by_a_forged_pair_replaces_nothing(void **state)
{
	struct segment syn = { FROM_CLIENT, .flags = SYN, .seq = 4000 };
	struct segment synack = { FROM_SERVER, .flags = SYN | ACK, .seq = 9000, .ack = 4001 };

	open_plain(*state);
	EXPECT(*state, &syn, false, TG_NOUPD_SYN_CHALLENGE);
	guard_judge_segment(*state, &synack, false); /* arrives by XDP, as the server's never do */
	expect_alive(*state);
}

/* A5, CVE-2016-5696: the limiter of one flow says nothing about another. */
static void sidechannel_global_limits_are_not_shared(void **state)
{
	static const struct endpoint victim = { { 10, 0, 0, 77 }, 5555 };
	struct segment syn = { BETWEEN(&victim, &guard_server), .flags = SYN, .seq = C - 1 };
	struct segment synack = { BETWEEN(&guard_server, &victim), .flags = SYN | ACK, .seq = S - 1,
				  .ack = C };
	struct segment ack = { BETWEEN(&victim, &guard_server), .flags = ACK, .seq = C, .ack = S };
	int i;

	open_plain(*state);
	EXPECT(*state, &syn, false, TG_PASS_NEW);
	EXPECT(*state, &synack, true, TG_PASS_SYNACK);
	EXPECT(*state, &ack, false, TG_PASS_OK);
	flood(*state, SYN, 0, FLOOD);
	for (i = 1; i < 1000; i++) {
		struct segment reset = { FROM_CLIENT, .flags = RST, .seq = C + (uint32_t)i };

		guard_judge_segment(*state, &reset, false);
	}
	ack.flags = RST;
	ack.seq = C + 1;
	for (i = 0; i <= 20; i++) {
		EXPECT(*state, &ack, false, i < 20 ? TG_NOUPD_RST_INEXACT : TG_DROP_RST_RATE);
		EXPECT(*state, &syn, false, i < 20 ? TG_NOUPD_SYN_CHALLENGE : TG_DROP_SYN_RATE);
	}
	/* Ten a second come back, to each alone. */
	guard_advance_ms(*state, 100);
	EXPECT(*state, &ack, false, TG_NOUPD_RST_INEXACT);
	EXPECT(*state, &ack, false, TG_DROP_RST_RATE);
	expect_alive(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, guard_setup, guard_teardown)
		TEST(blind_rst_closes_nothing),
		TEST(sweep_rst_closes_nothing),
		TEST(blind_syn_changes_nothing),
		TEST(a_syn_repeated_in_a_handshake_is_limited),
		TEST(blind_data_is_not_accepted),
		TEST(blind_fin_is_not_accepted),
		TEST(fin_forge_ahead_of_the_data_is_taken_back),
		TEST(hs_guess_completes_nothing),
		TEST(state_kill_by_rst_and_syn_is_not_possible),
		TEST(synack_spoof_is_limited_and_changes_nothing),
		TEST(ack_ahead_changes_nothing),
		TEST(ws_lie_changes_no_scale),
		TEST(pending_poison_reopens_nothing),
		TEST(pending_poison_by_a_forged_pair_replaces_nothing),
		TEST(sidechannel_global_limits_are_not_shared),
	};

	return cmocka_run_group_tests_name("attacks", tests, NULL, NULL);
}
