/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every row of TG_VERDICTS is reached, by the shortest packet or conversation that gets it.  A new
 * row without an entry here fails.
 */
#include <stdio.h>
#include <string.h>

#include "tests/bpf/guard_lists.h"
#include "tests/bpf/listener.h"

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

static void send_udp(struct guard *guard)
{
	struct segment segment = { FROM_CLIENT };
	uint8_t frame[FRAME_MAX];
	size_t size = frame_build(frame, &segment);

	frame[14 + 9] = 17;
	guard_judge(guard, frame, size, false);
}

static void send_segment(struct guard *guard, struct segment segment)
{
	guard_judge_segment(guard, &segment, false);
}

static void send_later_fragment(struct guard *guard)
{
	send_segment(guard, (struct segment){ FROM_CLIENT, .payload = 100, .fragment = 100 });
}

static void send_first_fragment(struct guard *guard)
{
	send_segment(guard, (struct segment){ FROM_CLIENT, .flags = ACK, .seq = 1001, .ack = 5001,
					      .payload = 100, .fragment = 0x2000 });
}

static void send_tiny_fragment(struct guard *guard)
{
	send_segment(guard, (struct segment){ FROM_CLIENT, .payload = 100, .fragment = 1 });
}

static void send_nine_extension_headers(struct guard *guard)
{
	static const uint8_t kinds[9] = { 0, 60, 60, 60, 60, 60, 60, 60, 60 };
	uint8_t chain[72];
	struct segment segment = { FROM_CLIENT6, .flags = SYN, .ip_options = chain };

	segment.ip_options_size = frame_put_extensions(chain, kinds, 9, 6);
	send_segment(guard, segment);
}

/* TCP's header lies beyond the 3520 bytes that XDP can read directly of such a frame. */
static void send_headers_out_of_reach(struct guard *guard)
{
	uint8_t chain[2048 + 1440] = { 60, 255 };

	chain[2048] = 6;
	chain[2049] = 1440 / 8 - 1;
	send_segment(guard, (struct segment){ FROM_CLIENT6, .flags = SYN, .extension = 60,
					      .ip_options = chain, .ip_options_size = sizeof(chain) });
}

static void send_error(struct guard *guard, uint32_t seq)
{
	struct segment quoted = { FROM_SERVER, .flags = ACK, .seq = seq };
	uint8_t frame[FRAME_MAX];

	guard_judge(guard, frame, frame_build_icmp(frame, &quoted, 3, 4), false);
}

static void send_good_error(struct guard *guard)
{
	send_error(guard, 5001);
}

static void send_bad_error(struct guard *guard)
{
	send_error(guard, 5002);
}

static void speak_alone(struct guard *guard)
{
	const struct step lone = { CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK };
	const struct step late = { CLIENT, ACK, .seq = 1001, .ack = 90001, .after_ms = 31000,
				   .want = TG_PASS_ONE_WAY };
	int i;

	for (i = 0; i < 20; i++)
		guard_say(guard, &lone, (size_t)i);
	guard_say(guard, &late, 20);
}

static void repeat(struct guard *guard, const struct step *step, enum tg_verdict last)
{
	struct step again = *step;
	int i;

	for (i = 0; i < 20; i++)
		guard_say(guard, &again, (size_t)i);
	again.want = last;
	guard_say(guard, &again, 20);
}

static void repeat_syn(struct guard *guard)
{
	const struct step syn = { CLIENT, SYN, .seq = 77, .want = TG_NOUPD_SYN_CHALLENGE };

	repeat(guard, &syn, TG_DROP_SYN_RATE);
}

static void repeat_reset(struct guard *guard)
{
	const struct step reset = { CLIENT, RST, .seq = 1002, .want = TG_NOUPD_RST_INEXACT };

	repeat(guard, &reset, TG_DROP_RST_RATE);
}

/* One bucket of eight, each an established flow; the ninth finds no room. */
static void fill_the_table(struct guard *guard)
{
	struct endpoint client = guard_client;

	for (client.port = 1; client.port <= TG_BUCKET_WAYS; client.port++) {
		send_segment(guard, (struct segment){ BETWEEN(&client, &guard_server), .flags = SYN });
		/* It leaves: what only came in may be displaced. */
		guard_judge_segment(guard,
				    &(struct segment){ BETWEEN(&guard_server, &client),
						       .flags = SYN | ACK, .ack = 1 },
				    true);
		send_segment(guard, (struct segment){ BETWEEN(&client, &guard_server), .flags = ACK,
						      .seq = 1, .ack = 1 });
	}
	assert_int_equal(guard_flows(guard), TG_BUCKET_WAYS);
	send_segment(guard, (struct segment){ FROM_CLIENT, .flags = SYN });
}

/* The server is this machine: its segments leave, they do not come in. */
static void claim_to_be_the_server(struct guard *guard)
{
	struct segment forged = { FROM_SERVER, .flags = ACK, .seq = 5001, .ack = 1001 };

	guard_judge_segment(guard, &forged, false);
}

/* Ten SYNs from one source, with these limits. */
static void send_many_syns(struct guard *guard, struct tg_flood limits)
{
	struct endpoint from = guard_client;
	struct segment syn = { .from = &from, .to = &guard_server, .flags = SYN };

	limits.cpus = 1;
	limits.source_prefix4 = 32;
	guard_settings(guard)->config[0].flood = limits;
	for (from.port = 1; from.port <= 10; from.port++)
		send_segment(guard, syn);
}

static void send_syns_above_the_sources_rate(struct guard *guard)
{
	send_many_syns(guard, (struct tg_flood){ .source_pps = 1, .source_burst = 1 });
}

static void send_syns_above_the_destinations_rate(struct guard *guard)
{
	send_many_syns(guard, (struct tg_flood){ .start_pps = 10, .action = TG_FLOOD_RATELIMIT });
}

static void send_the_first_syn_during_a_flood(struct guard *guard)
{
	send_many_syns(guard, (struct tg_flood){ .start_pps = 10, .action = TG_FLOOD_DEFER });
}

/* The source has the one connection it may have. */
static void send_a_syn_of_one_connection_too_many(struct guard *guard)
{
	guard_settings(guard)->config[0].flood =
		(struct tg_flood){ .source_conns = 1, .source_prefix4 = 32 };
	guard_settings(guard)->sources_counted_ms = guard_now_ms(guard);
	guard_handshake(guard);
	send_many_syns(guard, (struct tg_flood){ .source_conns = 1 });
}

static void come_from_a_blocked_source(struct guard *guard)
{
	guard_lists(guard, { "10.0.0.0/24", TG_LIST_BLOCK, TG_LIST_FOREVER });
	send_segment(guard, (struct segment){ FROM_CLIENT, .flags = SYN });
	guard_settings(guard)->config[0].lists.prefixes = 0;
}

/* What another CPU would do in between, done to the slot by hand. */
static void meet_a_slot_being_filled(struct guard *guard)
{
	guard_slot(guard)->claim &= ~(uint32_t)TG_CLAIM_LIVE;
	send_segment(guard, (struct segment){ FROM_CLIENT, .flags = ACK, .seq = 1001, .ack = 5001 });
}

static void meet_a_slot_touched_by_a_late_writer(struct guard *guard)
{
	guard_slot(guard)->claim |= TG_CLAIM_SUSPECT;
	send_segment(guard, (struct segment){ FROM_CLIENT, .flags = ACK, .seq = 1, .ack = 1 });
}

static void meet_another_flow_of_the_same_tag(struct guard *guard)
{
	guard_detail(guard)->key.lo_port ^= 1;
	send_segment(guard, (struct segment){ FROM_CLIENT, .flags = RST, .seq = 1001 });
}

static void send_land(struct guard *guard)
{
	send_segment(guard, (struct segment){ BETWEEN(&guard_client, &guard_client), .flags = SYN });
}

static void send_truncated(struct guard *guard)
{
	send_segment(guard, (struct segment){ FROM_CLIENT, .flags = SYN, .cut = 1 });
}

static void send_wrong_sum(struct guard *guard)
{
	send_segment(guard, (struct segment){ FROM_CLIENT, .flags = SYN, .bad_checksum = true });
}

/* A SYN towards a destination under flood; returns the number of the cookie it is answered with. */
static uint32_t challenge(struct guard *guard)
{
	const struct segment syn = { FROM_CLIENT, .flags = SYN, .seq = 1000 };
	uint8_t frame[FRAME_MAX], answer[FRAME_MAX];
	size_t size = sizeof(answer);

	listener_open();
	guard_settings(guard)->config[0].flood.start_pps = 1;
	guard_settings(guard)->config[0].flood.action = TG_FLOOD_CHALLENGE;
	guard_run_out(guard, frame, frame_build(frame, &syn), answer, &size);
	assert_int_equal(size, 14 + 20 + 20);
	return (uint32_t)answer[38] << 24 | answer[39] << 16 | answer[40] << 8 | answer[41];
}

static void be_challenged(struct guard *guard)
{
	challenge(guard);
}

static void bring_the_cookie_back(struct guard *guard)
{
	uint32_t cookie = challenge(guard);

	send_segment(guard, (struct segment){ FROM_CLIENT, .flags = ACK, .seq = 1001, .ack = cookie + 1 });
}

static void guess_a_cookie(struct guard *guard)
{
	uint32_t cookie = challenge(guard);

	send_segment(guard, (struct segment){ FROM_CLIENT, .flags = ACK, .seq = 1001, .ack = cookie + 2 });
}

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
