/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets and moments that a line of a conversation cannot say: each function of these leads a
 * guard to one reason of test_reasons.c, by the shortest way.
 */
#ifndef TESTS_PROVOKE_H
#define TESTS_PROVOKE_H

#include "tests/bpf/guard_lists.h"
#include "tests/bpf/listener.h"

static inline void send_udp(struct guard *guard)
{
	struct segment segment = { FROM_CLIENT };
	uint8_t frame[FRAME_MAX];
	size_t size = frame_build(frame, &segment);

	frame[14 + 9] = 17;
	guard_judge(guard, frame, size, false);
}

static inline void send_segment(struct guard *guard, struct segment segment)
{
	guard_judge_segment(guard, &segment, false);
}

static inline void send_later_fragment(struct guard *guard)
{
	send_segment(guard, (struct segment){ FROM_CLIENT, .payload = 100, .fragment = 100 });
}

static inline void send_first_fragment(struct guard *guard)
{
	send_segment(guard, (struct segment){ FROM_CLIENT, .flags = ACK, .seq = 1001, .ack = 5001,
					      .payload = 100, .fragment = 0x2000 });
}

static inline void send_tiny_fragment(struct guard *guard)
{
	send_segment(guard, (struct segment){ FROM_CLIENT, .payload = 100, .fragment = 1 });
}

static inline void send_nine_extension_headers(struct guard *guard)
{
	static const uint8_t kinds[9] = { 0, 60, 60, 60, 60, 60, 60, 60, 60 };
	uint8_t chain[72];
	struct segment segment = { FROM_CLIENT6, .flags = SYN, .ip_options = chain };

	segment.ip_options_size = frame_put_extensions(chain, kinds, 9, 6);
	send_segment(guard, segment);
}

/* TCP's header lies beyond the 3520 bytes that XDP can read directly of such a frame. */
static inline void send_headers_out_of_reach(struct guard *guard)
{
	uint8_t chain[2048 + 1440] = { 60, 255 };

	chain[2048] = 6;
	chain[2049] = 1440 / 8 - 1;
	send_segment(guard, (struct segment){ FROM_CLIENT6, .flags = SYN, .extension = 60,
					      .ip_options = chain, .ip_options_size = sizeof(chain) });
}

static inline void send_error(struct guard *guard, uint32_t seq)
{
	struct segment quoted = { FROM_SERVER, .flags = ACK, .seq = seq };
	uint8_t frame[FRAME_MAX];

	guard_judge(guard, frame, frame_build_icmp(frame, &quoted, 3, 4), false);
}

static inline void send_good_error(struct guard *guard)
{
	send_error(guard, 5001);
}

static inline void send_bad_error(struct guard *guard)
{
	send_error(guard, 5002);
}

static inline void speak_alone(struct guard *guard)
{
	const struct step lone = { CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK };
	const struct step late = { CLIENT, ACK, .seq = 1001, .ack = 90001, .after_ms = 31000,
				   .want = TG_PASS_ONE_WAY };
	int i;

	for (i = 0; i < 20; i++)
		guard_say(guard, &lone, (size_t)i);
	guard_say(guard, &late, 20);
}

static inline void repeat(struct guard *guard, const struct step *step, enum tg_verdict last)
{
	struct step again = *step;
	int i;

	for (i = 0; i < 20; i++)
		guard_say(guard, &again, (size_t)i);
	again.want = last;
	guard_say(guard, &again, 20);
}

static inline void repeat_syn(struct guard *guard)
{
	const struct step syn = { CLIENT, SYN, .seq = 77, .want = TG_NOUPD_SYN_CHALLENGE };

	repeat(guard, &syn, TG_DROP_SYN_RATE);
}

static inline void repeat_reset(struct guard *guard)
{
	const struct step reset = { CLIENT, RST, .seq = 1002, .want = TG_NOUPD_RST_INEXACT };

	repeat(guard, &reset, TG_DROP_RST_RATE);
}

/* One bucket of eight, each an established flow; the ninth finds no room. */
static inline void fill_the_table(struct guard *guard)
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
static inline void claim_to_be_the_server(struct guard *guard)
{
	struct segment forged = { FROM_SERVER, .flags = ACK, .seq = 5001, .ack = 1001 };

	guard_judge_segment(guard, &forged, false);
}

/* Ten SYNs from one source, with these limits. */
static inline void send_many_syns(struct guard *guard, struct tg_flood limits)
{
	struct endpoint from = guard_client;
	struct segment syn = { .from = &from, .to = &guard_server, .flags = SYN };

	limits.cpus = 1;
	limits.source_prefix4 = 32;
	guard_settings(guard)->config[0].flood = limits;
	for (from.port = 1; from.port <= 10; from.port++)
		send_segment(guard, syn);
}

static inline void send_syns_above_the_sources_rate(struct guard *guard)
{
	send_many_syns(guard, (struct tg_flood){ .source_pps = 1, .source_burst = 1 });
}

static inline void send_syns_above_the_destinations_rate(struct guard *guard)
{
	send_many_syns(guard, (struct tg_flood){ .start_pps = 10, .action = TG_FLOOD_RATELIMIT });
}

static inline void send_the_first_syn_during_a_flood(struct guard *guard)
{
	send_many_syns(guard, (struct tg_flood){ .start_pps = 10, .action = TG_FLOOD_DEFER });
}

/* The source has the one connection it may have. */
static inline void send_a_syn_of_one_connection_too_many(struct guard *guard)
{
	guard_settings(guard)->config[0].flood =
		(struct tg_flood){ .source_conns = 1, .source_prefix4 = 32 };
	guard_settings(guard)->sources_counted_ms = guard_now_ms(guard);
	guard_handshake(guard);
	send_many_syns(guard, (struct tg_flood){ .source_conns = 1 });
}

static inline void come_from_a_blocked_source(struct guard *guard)
{
	guard_lists(guard, { "10.0.0.0/24", TG_LIST_BLOCK, TG_LIST_FOREVER });
	send_segment(guard, (struct segment){ FROM_CLIENT, .flags = SYN });
	guard_settings(guard)->config[0].lists.prefixes = 0;
}

/* What another CPU would do in between, done to the slot by hand. */
static inline void meet_a_slot_being_filled(struct guard *guard)
{
	guard_slot(guard)->claim &= ~(uint32_t)TG_CLAIM_LIVE;
	send_segment(guard, (struct segment){ FROM_CLIENT, .flags = ACK, .seq = 1001, .ack = 5001 });
}

static inline void meet_a_slot_touched_by_a_late_writer(struct guard *guard)
{
	guard_slot(guard)->claim |= TG_CLAIM_SUSPECT;
	send_segment(guard, (struct segment){ FROM_CLIENT, .flags = ACK, .seq = 1, .ack = 1 });
}

static inline void meet_another_flow_of_the_same_tag(struct guard *guard)
{
	guard_detail(guard)->key.lo_port ^= 1;
	send_segment(guard, (struct segment){ FROM_CLIENT, .flags = RST, .seq = 1001 });
}

static inline void send_land(struct guard *guard)
{
	send_segment(guard, (struct segment){ BETWEEN(&guard_client, &guard_client), .flags = SYN });
}

static inline void send_truncated(struct guard *guard)
{
	send_segment(guard, (struct segment){ FROM_CLIENT, .flags = SYN, .cut = 1 });
}

static inline void send_wrong_sum(struct guard *guard)
{
	send_segment(guard, (struct segment){ FROM_CLIENT, .flags = SYN, .bad_checksum = true });
}

/* A SYN towards a destination under flood; returns the number of the cookie it is answered with. */
static inline uint32_t challenge(struct guard *guard)
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

static inline void be_challenged(struct guard *guard)
{
	challenge(guard);
}

static inline void bring_the_cookie_back(struct guard *guard)
{
	uint32_t cookie = challenge(guard);

	send_segment(guard, (struct segment){ FROM_CLIENT, .flags = ACK, .seq = 1001, .ack = cookie + 1 });
}

static inline void guess_a_cookie(struct guard *guard)
{
	uint32_t cookie = challenge(guard);

	send_segment(guard, (struct segment){ FROM_CLIENT, .flags = ACK, .seq = 1001, .ack = cookie + 2 });
}

#endif
