/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every row of TG_VERDICTS is reached, by the shortest packet or conversation that gets it.  A new
 * row without an entry here fails.
 */
#include <stdio.h>
#include <string.h>

#include "tests/bpf/provoke.h"

#include "bpf/flow_memory.h"

#define START_MS 3600000
#define W7 (65535u << 7) /* the client's window after guard_handshake() */
#define BAND (1u << 20)

enum kind {
	HOST,
	STRICT,
	LEARNING,
	GATEWAY,
	VERIFYING,
	FULL,
	FULL_STRICT,
	CHALLENGING,
	KINDS
};

static const struct guard_options options_of[KINDS] = {
	[STRICT] = { .strict = true },
	[LEARNING] = { .profile = TG_PROFILE_GATEWAY, .learn = true, .all_ingress = true },
	[GATEWAY] = { .profile = TG_PROFILE_GATEWAY, .all_ingress = true },
	[VERIFYING] = { .verify_csum = true },
	[FULL] = { .max_flows = 1 },
	[FULL_STRICT] = { .max_flows = 1, .strict = true },
	[CHALLENGING] = { .cookies = TG_COOKIE_OWN },
};

/* Loaded once, emptied before each use. */
static struct guard *guards[KINDS];

enum prelude {
	NOTHING,
	SYN_SAID, /* 1000 */
	HANDSHAKE,
	CLOSED_DOWN /* TIME_WAIT, the ends are 1002 and 5002 */
};

struct way {
	enum kind kind;
	enum prelude prelude;
	const struct step *steps;
	size_t count;
	void (*reach)(struct guard *guard);
	const char *unreachable; /* why */
};

#define STEPS(...) \
	.steps = (const struct step[]){ __VA_ARGS__ }, \
	.count = sizeof((const struct step[]){ __VA_ARGS__ }) / sizeof(struct step)
/* clang-format off */
#define C(...) { CLIENT, __VA_ARGS__ }
#define S(...) { SERVER, __VA_ARGS__ }
/* clang-format on */

/* clang-format off */
static const struct way ways[TG_VERDICT_MAX] = {
	[TG_PASS_NOT_TCP] = { .reach = send_udp },
	[TG_PASS_FRAG] = { .reach = send_later_fragment },
	[TG_PASS_EXT_DEPTH] = { .reach = send_nine_extension_headers },
	[TG_PASS_ICMP_RELATED] = { HOST, HANDSHAKE, .reach = send_good_error },
	[TG_PASS_OK] = { HOST, HANDSHAKE, STEPS(C(ACK, 1001, 5001, .want = TG_PASS_OK)) },
	[TG_PASS_RETRANS] = { HOST, HANDSHAKE, STEPS(
		C(ACK, 1001, 5001, 10, .want = TG_PASS_OK), C(ACK, 1001, 5001, 10, .want = TG_PASS_RETRANS)) },
	[TG_PASS_KEEPALIVE] = { HOST, HANDSHAKE, STEPS(C(ACK, 1000, 5001, .want = TG_PASS_KEEPALIVE)) },
	[TG_PASS_WINDOW_PROBE] = { HOST, HANDSHAKE, STEPS(
		S(ACK, 5001, 1001, .zero_window = true, .want = TG_PASS_OK),
		C(ACK, 1001, 5001, 1, .want = TG_PASS_WINDOW_PROBE)) },
	[TG_PASS_PAWS] = { HOST, HANDSHAKE, STEPS(
		C(ACK, 1001, 5001, .tsval = 9, .want = TG_PASS_OK),
		C(ACK, 1001, 5001, 10, .tsval = 8, .want = TG_PASS_PAWS)) },
	[TG_PASS_FIN_RETRACT] = { HOST, HANDSHAKE, STEPS(
		C(FIN | ACK, 1001, 5001, .want = TG_PASS_OK),
		C(ACK, 1001, 5001, 10, .want = TG_PASS_FIN_RETRACT)) },
	[TG_PASS_ONE_WAY] = { GATEWAY, HANDSHAKE, .reach = speak_alone },
	[TG_PASS_NEW] = { HOST, SYN_SAID },
	[TG_PASS_SYN_REINIT] = { HOST, SYN_SAID, STEPS(C(SYN, 3000, .want = TG_PASS_SYN_REINIT)) },
	[TG_PASS_SIMOPEN] = { HOST, SYN_SAID, STEPS(S(SYN, 5000, .want = TG_PASS_SIMOPEN)) },
	[TG_PASS_SYN_RETRANS] = { HOST, SYN_SAID, STEPS(
		S(SYN | ACK, 5000, 1001, .want = TG_PASS_SYNACK), C(SYN, 1000, .want = TG_PASS_SYN_RETRANS)) },
	[TG_PASS_SYNACK] = { HOST, SYN_SAID, STEPS(S(SYN | ACK, 5000, 1001, .want = TG_PASS_SYNACK)) },
	[TG_PASS_REOPEN] = { HOST, HANDSHAKE, STEPS(
		C(SYN, 3000, .want = TG_NOUPD_SYN_CHALLENGE),
		S(SYN | ACK, 9000, 3001, .want = TG_PASS_REOPEN)) },
	[TG_PASS_TW_REUSE] = { HOST, CLOSED_DOWN, STEPS(C(SYN, 1003, .want = TG_PASS_TW_REUSE)) },
	[TG_PASS_TW_FIN_RETR] = { HOST, CLOSED_DOWN, STEPS(
		S(FIN | ACK, 5001, 1002, .want = TG_PASS_TW_FIN_RETR)) },
	[TG_PASS_TW_STRAY] = { HOST, CLOSED_DOWN, STEPS(C(ACK, 991, 5002, 10, .want = TG_PASS_TW_STRAY)) },
	[TG_PASS_TW_ACK] = { HOST, CLOSED_DOWN, STEPS(C(ACK, 1002, 5002, .want = TG_PASS_TW_ACK)) },
	[TG_PASS_PICKUP] = { LEARNING, NOTHING, STEPS(C(ACK, 1001, 5001, .want = TG_PASS_PICKUP)) },
	[TG_PASS_REFUSED] = { HOST, SYN_SAID, STEPS(S(RST | ACK, 0, 1001, .want = TG_PASS_REFUSED)) },
	[TG_PASS_ABORT] = { HOST, SYN_SAID, STEPS(C(RST, 1001, .want = TG_PASS_ABORT)) },
	[TG_PASS_RST_EXACT] = { HOST, HANDSHAKE, STEPS(C(RST, 1001, .want = TG_PASS_RST_EXACT)) },
	[TG_PASS_RST_AFTER_FIN] = { HOST, HANDSHAKE, STEPS(
		C(FIN | ACK, 1001, 5001, .want = TG_PASS_OK), S(ACK, 5001, 1002, .want = TG_PASS_OK),
		C(RST, 1001, .want = TG_PASS_RST_AFTER_FIN)) },
	[TG_PASS_RST_TRAIN] = { HOST, HANDSHAKE, STEPS(
		C(ACK, 1001, 5001, 10, .want = TG_PASS_OK), C(RST, 1011, .want = TG_PASS_RST_TRAIN)) },
	[TG_PASS_TABLE_FULL] = { FULL, .reach = fill_the_table },
	[TG_PASS_BUSY] = { HOST, HANDSHAKE, .reach = meet_a_slot_being_filled },
	[TG_PASS_SUSPECT] = { HOST, HANDSHAKE, .reach = meet_a_slot_touched_by_a_late_writer },
	[TG_PASS_COLLISION] = { HOST, HANDSHAKE, .reach = meet_another_flow_of_the_same_tag },
	[TG_PASS_INTERNAL] = { .unreachable = "an array map's look-up within its size never fails" },
	[TG_PASS_COOKIE] = { CHALLENGING, .reach = bring_the_cookie_back },
	[TG_CHALLENGE_SYN_COOKIE] = { CHALLENGING, .reach = be_challenged },
	[TG_DROP_BLOCKLIST] = { .reach = come_from_a_blocked_source },
	[TG_DROP_COOKIE_INVALID] = { CHALLENGING, .reach = guess_a_cookie },
	[TG_PASS_UNREADABLE] = { .reach = send_headers_out_of_reach },

	[TG_NOUPD_FRAG_FIRST] = { HOST, HANDSHAKE, .reach = send_first_fragment },
	[TG_NOUPD_UNTRACKED] = { LEARNING, NOTHING, STEPS(
		C(FIN | ACK, 1001, 5001, .want = TG_NOUPD_UNTRACKED)) },
	[TG_NOUPD_SYN_RETRANS] = { HOST, SYN_SAID, STEPS(C(SYN, 1000, .want = TG_NOUPD_SYN_RETRANS)) },
	[TG_NOUPD_SYNACK_RETRANS] = { HOST, HANDSHAKE, STEPS(
		S(SYN | ACK, 5000, 1001, .want = TG_NOUPD_SYNACK_RETRANS)) },
	[TG_NOUPD_SYNACK_BAD_ACK] = { HOST, SYN_SAID, STEPS(
		S(SYN | ACK, 5000, 1002, .want = TG_NOUPD_SYNACK_BAD_ACK)) },
	[TG_NOUPD_SYNACK_UNEXPECTED] = { HOST, HANDSHAKE, STEPS(
		S(SYN | ACK, 9000, 1001, .want = TG_NOUPD_SYNACK_UNEXPECTED)) },
	[TG_NOUPD_CHALLENGE_ACK] = { HOST, SYN_SAID, STEPS(S(ACK, 1, 7777, .want = TG_NOUPD_CHALLENGE_ACK)) },
	[TG_NOUPD_EARLY_SEG] = { HOST, SYN_SAID, STEPS(S(ACK, 5001, 1001, 5, .want = TG_NOUPD_EARLY_SEG)) },
	[TG_NOUPD_SYN_CHALLENGE] = { HOST, HANDSHAKE, STEPS(C(SYN, 7, .want = TG_NOUPD_SYN_CHALLENGE)) },
	[TG_NOUPD_SYN_NEW_ISN] = { HOST, SYN_SAID, STEPS(
		S(SYN | ACK, 5000, 1001, .want = TG_PASS_SYNACK), C(SYN, 7, .want = TG_NOUPD_SYN_NEW_ISN)) },
	[TG_NOUPD_SEQ_OLD] = { HOST, HANDSHAKE, STEPS(C(ACK, 1001 - 65536, 5001, .want = TG_NOUPD_SEQ_OLD)) },
	[TG_NOUPD_ACK_OLD] = { HOST, HANDSHAKE, STEPS(C(ACK, 1001, 5000 - W7, .want = TG_NOUPD_ACK_OLD)) },
	[TG_NOUPD_RST_INEXACT] = { HOST, HANDSHAKE, STEPS(C(RST, 1002, .want = TG_NOUPD_RST_INEXACT)) },
	[TG_NOUPD_RST_CLOSING] = { HOST, HANDSHAKE, STEPS(
		C(FIN | ACK, 1001, 5001, .want = TG_PASS_OK), C(RST, 990, .want = TG_NOUPD_RST_CLOSING)) },
	[TG_NOUPD_RST_TO_CHALLENGE] = { HOST, SYN_SAID, STEPS(
		S(ACK, 1, 7777, .want = TG_NOUPD_CHALLENGE_ACK),
		C(RST, 7777, .want = TG_NOUPD_RST_TO_CHALLENGE)) },
	[TG_NOUPD_RST_LATE] = { HOST, CLOSED_DOWN, STEPS(C(RST, 1002, .want = TG_NOUPD_RST_LATE)) },
	[TG_NOUPD_TW_SYN_OLD] = { HOST, CLOSED_DOWN, STEPS(C(SYN, 500, .want = TG_NOUPD_TW_SYN_OLD)) },
	[TG_NOUPD_CLOSED_LATE] = { HOST, HANDSHAKE, STEPS(
		C(RST, 1001, .want = TG_PASS_RST_EXACT), C(ACK, 1001, 5001, .want = TG_NOUPD_CLOSED_LATE)) },
	[TG_NOUPD_SECOND_FIN] = { HOST, CLOSED_DOWN, STEPS(
		C(FIN | ACK, 1002, 5002, .want = TG_NOUPD_SECOND_FIN)) },
	[TG_NOUPD_SPOOFED] = { HOST, HANDSHAKE, .reach = claim_to_be_the_server },
	[TG_NOUPD_RST_UNDONE] = { HOST, HANDSHAKE, STEPS(
		C(ACK, 1001, 5001, 10, .want = TG_PASS_OK), C(RST, 1001, .want = TG_PASS_RST_EXACT),
		S(ACK, 5001, 1011, .want = TG_NOUPD_RST_UNDONE)) },

	[TG_DROP_BAD_HDR] = { .reach = send_truncated },
	[TG_DROP_BAD_FLAGS] = { HOST, NOTHING, STEPS(C(SYN | FIN, .want = TG_DROP_BAD_FLAGS)) },
	[TG_DROP_LAND] = { .reach = send_land },
	[TG_DROP_TINY_FRAG] = { .reach = send_tiny_fragment },
	[TG_DROP_BAD_CSUM] = { VERIFYING, .reach = send_wrong_sum },
	[TG_DROP_EXT_DEPTH] = { STRICT, .reach = send_nine_extension_headers },
	[TG_DROP_FRAG] = { STRICT, .reach = send_later_fragment },
	[TG_DROP_NO_FLOW] = { HOST, NOTHING, STEPS(C(ACK, 1, 1, .want = TG_DROP_NO_FLOW)) },
	[TG_DROP_RST_NO_FLOW] = { HOST, NOTHING, STEPS(C(RST, 1, .want = TG_DROP_RST_NO_FLOW)) },
	[TG_DROP_SOURCE_SYN_RATE] = { HOST, NOTHING, .reach = send_syns_above_the_sources_rate },
	[TG_DROP_SOURCE_CONNS] = { HOST, NOTHING, .reach = send_a_syn_of_one_connection_too_many },
	[TG_DROP_SYN_DEFERRED] = { HOST, NOTHING, .reach = send_the_first_syn_during_a_flood },
	[TG_DROP_SYN_FLOOD] = { HOST, NOTHING, .reach = send_syns_above_the_destinations_rate },
	[TG_DROP_SYN_RATE] = { HOST, HANDSHAKE, .reach = repeat_syn },
	[TG_DROP_RST_RATE] = { HOST, HANDSHAKE, .reach = repeat_reset },
	[TG_DROP_ACK_BEFORE_SYNACK] = { HOST, SYN_SAID, STEPS(
		C(ACK, 1001, 1, .want = TG_DROP_ACK_BEFORE_SYNACK)) },
	[TG_DROP_SYNACK_WRONG_DIR] = { HOST, SYN_SAID, STEPS(
		C(SYN | ACK, 1000, 1, .want = TG_DROP_SYNACK_WRONG_DIR)) },
	[TG_DROP_HS_BAD_ACK] = { HOST, SYN_SAID, STEPS(
		S(SYN | ACK, 5000, 1001, .want = TG_PASS_SYNACK), C(ACK, 1001, 1, .want = TG_DROP_HS_BAD_ACK)) },
	[TG_DROP_DATA_BEFORE_SYNACK] = { HOST, SYN_SAID, STEPS(
		S(ACK, 1, 7777, 5, .want = TG_DROP_DATA_BEFORE_SYNACK)) },
	[TG_DROP_SEQ_ABOVE] = { HOST, HANDSHAKE, STEPS(C(ACK, 66537, 5001, 1, .want = TG_DROP_SEQ_ABOVE)) },
	[TG_DROP_ACK_ABOVE] = { HOST, HANDSHAKE, STEPS(C(ACK, 1001, 5002, .want = TG_DROP_ACK_ABOVE)) },
	[TG_DROP_DATA_AFTER_FIN] = { HOST, HANDSHAKE, STEPS(
		C(FIN | ACK, 1001, 5001, .want = TG_PASS_OK), S(ACK, 5001, 1002, .want = TG_PASS_OK),
		C(ACK, 1002, 5001, 1, .want = TG_DROP_DATA_AFTER_FIN)) },
	[TG_DROP_SEQ_BELOW] = { HOST, HANDSHAKE, STEPS(
		C(ACK, 1000 - 65535 - BAND, 5001, .want = TG_DROP_SEQ_BELOW)) },
	[TG_DROP_ACK_BELOW] = { HOST, HANDSHAKE, STEPS(C(ACK, 1001, 5000 - 2 * W7, .want = TG_DROP_ACK_BELOW)) },
	[TG_DROP_SEQ_OLD] = { STRICT, HANDSHAKE, STEPS(C(ACK, 1001 - 65536, 5001, .want = TG_DROP_SEQ_OLD)) },
	[TG_DROP_ACK_OLD] = { STRICT, HANDSHAKE, STEPS(C(ACK, 1001, 5000 - W7, .want = TG_DROP_ACK_OLD)) },
	[TG_DROP_PAWS] = { STRICT, HANDSHAKE, STEPS(
		C(ACK, 1001, 5001, .tsval = 2 * BAND, .want = TG_PASS_OK),
		C(ACK, 1001, 5001, 10, .tsval = 9, .want = TG_DROP_PAWS)) },
	[TG_DROP_RST_OLD] = { HOST, HANDSHAKE, STEPS(C(RST, 1000, .want = TG_DROP_RST_OLD)) },
	[TG_DROP_RST_ABOVE] = { HOST, HANDSHAKE, STEPS(C(RST, 66537, .want = TG_DROP_RST_ABOVE)) },
	[TG_DROP_RST_SYN_SENT] = { HOST, SYN_SAID, STEPS(S(RST, 0, .want = TG_DROP_RST_SYN_SENT)) },
	[TG_DROP_RST_INEXACT] = { STRICT, HANDSHAKE, STEPS(C(RST, 1002, .want = TG_DROP_RST_INEXACT)) },
	[TG_DROP_TABLE_FULL] = { FULL_STRICT, .reach = fill_the_table },
	[TG_DROP_TW_SYN_OLD] = { STRICT, CLOSED_DOWN, STEPS(C(SYN, 500, .want = TG_DROP_TW_SYN_OLD)) },
	[TG_DROP_ICMP_BAD_SEQ] = { HOST, HANDSHAKE, .reach = send_bad_error },
};
/* clang-format on */

static const struct step syn_said[] = { { CLIENT, SYN, 1000, .want = TG_PASS_NEW } };
static const struct step closed_down[] = {
	{ CLIENT, FIN | ACK, 1001, 5001, .want = TG_PASS_OK },
	{ SERVER, FIN | ACK, 5001, 1002, .want = TG_PASS_OK },
	{ CLIENT, ACK, 1002, 5002, .want = TG_PASS_OK, STATES(TIME_WAIT, CLOSED) },
};

/* Empty tables, the clock at its start. */
static struct guard *fresh_guard(enum kind kind)
{
	const struct tg_table *table;

	if (!guards[kind])
		guards[kind] = guard_open(&options_of[kind]);
	table = guard_table(guards[kind]);
	memset(table->bucket, 0, table->buckets * sizeof(*table->bucket));
	memset(table->word, 0, table->buckets * sizeof(*table->word));
	guard_settings(guards[kind])->clock_ms = START_MS;
	memset(&guard_settings(guards[kind])->config[0].flood, 0, sizeof(struct tg_flood));
	guard_settings(guards[kind])->config[0].flood.cpus = 1;
	return guards[kind];
}

static void is_reached(void **state)
{
	const struct way *way = *state;
	enum tg_verdict verdict = (enum tg_verdict)(way - ways);
	struct guard *guard;
	uint64_t before;

	if (way->unreachable) {
		printf("%s\n", way->unreachable);
		skip();
	}
	if (!way->reach && !way->steps && !way->prelude)
		fail_msg("no packet is known to reach %s", verdict_name(verdict));
	guard = fresh_guard(way->kind);
	before = guard_count(guard, verdict);
	if (way->prelude == SYN_SAID)
		TALK(guard, syn_said);
	if (way->prelude >= HANDSHAKE)
		guard_handshake(guard);
	if (way->prelude == CLOSED_DOWN)
		TALK(guard, closed_down);
	if (way->reach)
		way->reach(guard);
	guard_talk(guard, way->steps, way->count);
	if (guard_count(guard, verdict) == before)
		fail_msg("%s was not reached", verdict_name(verdict));
}

static int close_guards(void **state)
{
	int kind;

	(void)state;
	for (kind = 0; kind < KINDS; kind++)
		guard_close(guards[kind]);
	listener_close();
	return 0;
}

int main(void)
{
	struct CMUnitTest tests[TG_VERDICT_MAX - 1];
	int i;

	for (i = 1; i < TG_VERDICT_MAX; i++)
		tests[i - 1] = (struct CMUnitTest){ .name = verdict_name((enum tg_verdict)i),
						    .test_func = is_reached,
						    .initial_state = (void *)&ways[i] };
	return cmocka_run_group_tests_name("reasons", tests, NULL, close_guards);
}
