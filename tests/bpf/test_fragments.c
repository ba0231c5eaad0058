/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fragments: the later ones are passed untracked, the first is judged by its header alone, those
 * made to hide the header are dropped, and a connection whose every segment is fragmented works.
 */
#include <string.h>

#include "tests/bpf/harness.h"

#define MORE 0x2000
#define DONT 0x4000
#define EVIL 0x8000
#define PIECE 1480 /* bytes of IP payload in a fragment: an MTU of 1500 */

static int open_gateway(void **state)
{
	const struct guard_options options = { .all_ingress = true };

	*state = guard_open(&options);
	return 0;
}

static int open_gateway6(void **state)
{
	const struct guard_options options = { .all_ingress = true, .ipv6 = true };

	*state = guard_open(&options);
	return 0;
}

/* All fragments of one segment; only the first has a verdict to choose. */
static void say_in_fragments(struct guard *guard, const struct segment *whole, enum tg_verdict first,
			     int line)
{
	uint8_t header[8], frame[FRAME_MAX];
	struct segment piece = *whole;
	uint32_t at;

	if (whole->ipv6) {
		piece.extension = 44;
		piece.ip_options = header;
		piece.ip_options_size = 8;
	}
	for (at = 0; at < whole->payload + 20; at += PIECE) {
		uint32_t left = whole->payload + 20 - at;
		bool more = left > PIECE;
		size_t size;

		/* frame_build() adds a header of 20 bytes, which later ones do not have. */
		if (more)
			left = PIECE;
		piece.payload = left < 20 ? 0 : left - 20;
		piece.fragment = (uint16_t)(at / 8 | (more ? MORE : 0));
		frame_put_fragment(header, 6, (uint16_t)(at / 8), more);
		size = frame_build(frame, &piece);
		if (at)
			memset(frame + size - piece.payload - 20, 'x', 20); /* data where TCP's header was */
		guard_same(guard_judge(guard, frame, size, false).verdict, at ? TG_PASS_FRAG : first,
			   __func__, line);
	}
}

static struct segment speak(bool ipv6, enum speaker who, uint8_t flags, uint32_t seq, uint32_t ack,
			    uint32_t payload)
{
	const struct endpoint *client = ipv6 ? &guard_client6 : &guard_client;
	const struct endpoint *server = ipv6 ? &guard_server6 : &guard_server;

	struct segment segment = { BETWEEN(client, server), .ipv6 = ipv6, .flags = flags, .seq = seq,
				   .ack = ack, .payload = payload };

	if (who == SERVER) {
		segment.from = server;
		segment.to = client;
	}
	return segment;
}

static void passes_later_fragments_untracked(void **state)
{
	struct segment segment = { FROM_CLIENT, .flags = SYN | FIN, .payload = 800 };
	static const uint16_t later[] = { 2, 3, 185, 0x1fff, MORE | 2, MORE | 185, DONT | 185, EVIL | 185 };
	size_t i;

	for (i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		segment.fragment = later[i];
		EXPECT(*state, &segment, false, TG_PASS_FRAG);
		EXPECT(*state, &segment, true, TG_PASS_FRAG);
	}
	assert_int_equal(guard_flows(*state), 0);
}

static void nodf_and_df_are_judged_alike(void **state)
{
	struct segment segment = { FROM_CLIENT, .flags = ACK, .seq = 1001, .ack = 5001 };

	guard_handshake(*state);
	EXPECT(*state, &segment, false, TG_PASS_OK);
	segment.fragment = DONT;
	EXPECT(*state, &segment, false, TG_PASS_OK);
	segment.fragment = EVIL;
	EXPECT(*state, &segment, false, TG_PASS_OK);
	segment.fragment = DONT | MORE;
	EXPECT(*state, &segment, false, TG_NOUPD_FRAG_FIRST);
}

static void tinyfrag_without_the_whole_header_is_dropped(void **state)
{
	struct segment segment = { FROM_CLIENT, .flags = ACK, .seq = 1, .tsval = 5, .fragment = MORE,
				   .padding = 8 };
	uint8_t frame[FRAME_MAX];
	size_t size = frame_build(frame, &segment);
	int present;

	for (present = 0; present <= 32; present++) {
		frame[14 + 3] = (uint8_t)(20 + present);
		SAME(guard_judge(*state, frame, size, false).verdict,
		     present < 32 ? TG_DROP_TINY_FRAG : TG_DROP_NO_FLOW);
		/* Cut instead of padded: the same. */
		SAME(guard_judge(*state, frame, (size_t)(34 + present), false).verdict,
		     present < 32 ? TG_DROP_TINY_FRAG : TG_DROP_NO_FLOW);
	}
}

/* RFC 3128: eight bytes further would lie over the flags of the first. */
static void tinyfrag_at_offset_1_is_dropped(void **state)
{
	static const uint16_t ones[] = { 1, MORE | 1, DONT | 1, EVIL | MORE | 1 };
	struct segment segment = { FROM_CLIENT, .flags = ACK, .payload = 100 };
	uint8_t frame[FRAME_MAX];
	size_t i, size;

	for (i = 0; i < sizeof(ones) / sizeof(ones[0]); i++) {
		segment.fragment = ones[i];
		EXPECT(*state, &segment, false, TG_DROP_TINY_FRAG);
		size = frame_build(frame, &segment);
		frame[14 + 9] = 17; /* UDP may */
		SAME(guard_judge(*state, frame, size, false).verdict, TG_PASS_NOT_TCP);
	}
}

/* A second first fragment cannot smuggle in what its own header would not be allowed. */
static void fragoverlap_is_judged_by_its_own_header(void **state)
{
	struct segment first = { FROM_CLIENT, .flags = ACK, .seq = 1001, .ack = 5001, .payload = 800,
				 .fragment = MORE };
	static const struct {
		uint8_t flags;
		uint32_t seq;
		enum tg_verdict want;
	} second[] = {
		{ SYN | FIN, 1001, TG_DROP_BAD_FLAGS },
		{ 0, 1001, TG_DROP_BAD_FLAGS },
		{ FIN, 1001, TG_DROP_BAD_FLAGS },
		{ RST, 900, TG_DROP_RST_OLD },
		{ RST, 1801, TG_PASS_RST_TRAIN },
	};
	size_t i;

	guard_handshake(*state);
	EXPECT(*state, &first, false, TG_NOUPD_FRAG_FIRST);
	for (i = 0; i < sizeof(second) / sizeof(second[0]); i++) {
		first.flags = second[i].flags;
		first.seq = second[i].seq;
		first.payload = second[i].flags & RST ? 0 : 800;
		EXPECT(*state, &first, false, second[i].want);
	}
	assert_int_equal(guard_state(*state, CLIENT), TG_TCP_CLOSED);
}

static void transfer_in_fragments(struct guard *guard, bool ipv6)
{
	uint32_t up = 1001, down = 5001;
	struct segment segment;
	int round;

	guard_handshake(guard);
	for (round = 0; round < 40; round++) {
		segment = speak(ipv6, CLIENT, PSH | ACK, up, down, 4000);
		say_in_fragments(guard, &segment, TG_NOUPD_FRAG_FIRST, __LINE__);
		up += 4000;
		if (round % 4 == 1)
			continue; /* an acknowledgement now and then, for all that was sent */
		segment = speak(ipv6, SERVER, ACK, down, up, 0);
		EXPECT(guard, &segment, false, TG_PASS_OK);
		if (round % 4 == 2) { /* lost behind us, sent again */
			segment = speak(ipv6, CLIENT, PSH | ACK, up - 4000, down, 4000);
			say_in_fragments(guard, &segment, TG_NOUPD_FRAG_FIRST, __LINE__);
		}
		segment = speak(ipv6, SERVER, PSH | ACK, down, up, 6000);
		say_in_fragments(guard, &segment, TG_NOUPD_FRAG_FIRST, __LINE__);
		down += 6000;
		segment = speak(ipv6, CLIENT, ACK, up, down, 0);
		EXPECT(guard, &segment, false, TG_PASS_OK);
	}
	/* The end, in segments that need no fragments. */
	segment = speak(ipv6, CLIENT, FIN | ACK, up, down, 0);
	EXPECT(guard, &segment, false, TG_PASS_OK);
	segment = speak(ipv6, SERVER, ACK, down, up + 1, 0);
	EXPECT(guard, &segment, false, TG_PASS_OK);
	segment = speak(ipv6, SERVER, PSH | ACK, down, up + 1, 6000);
	say_in_fragments(guard, &segment, TG_NOUPD_FRAG_FIRST, __LINE__);
	segment = speak(ipv6, SERVER, FIN | ACK, down + 6000, up + 1, 0);
	EXPECT(guard, &segment, false, TG_PASS_OK);
	segment = speak(ipv6, CLIENT, ACK, up + 1, down + 6001, 0);
	EXPECT(guard, &segment, false, TG_PASS_OK);
	assert_int_equal(guard_state(guard, CLIENT), TG_TCP_TIME_WAIT);
	assert_int_equal(guard_state(guard, SERVER), TG_TCP_CLOSED);
}

static void frag_data_loses_nothing(void **state)
{
	transfer_in_fragments(*state, false);
}

static void frag_data_of_ipv6_loses_nothing(void **state)
{
	transfer_in_fragments(*state, true);
}

/* What is not seen of the data is allowed for, not everything. */
static void still_refuses_acknowledgements_far_ahead(void **state)
{
	struct segment data = speak(false, CLIENT, ACK, 1001, 5001, 4000);
	struct segment ack = speak(false, SERVER, ACK, 5001, 5001, 0);

	guard_handshake(*state);
	say_in_fragments(*state, &data, TG_NOUPD_FRAG_FIRST, __LINE__);
	EXPECT(*state, &ack, false, TG_PASS_OK);
	ack.ack = 1001 + PIECE - 20 + (1u << 30);
	EXPECT(*state, &ack, false, TG_DROP_ACK_ABOVE);
	ack.ack = 1001 - (20u << 20); /* its window is 8 MiB */
	EXPECT(*state, &ack, false, TG_DROP_ACK_BELOW);
}

static void data_in_fragments_may_complete_the_handshake(void **state)
{
	static const struct step open[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
	};
	static const struct step reply[] = {
		{ SERVER, ACK, .seq = 5001, .ack = 5001, .want = TG_PASS_OK,
		  STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, PSH | ACK, .seq = 5001, .ack = 5001, .payload = 100, .want = TG_PASS_OK },
	};
	struct segment data = speak(false, CLIENT, PSH | ACK, 1001, 5001, 4000);

	TALK(*state, open);
	data.ack = 5002;
	say_in_fragments(*state, &data, TG_DROP_HS_BAD_ACK, __LINE__);
	data.ack = 5001;
	say_in_fragments(*state, &data, TG_NOUPD_FRAG_FIRST, __LINE__);
	TALK(*state, reply);
}

/* TCP Fast Open over a path with a small MTU: the SYN-ACK acknowledges data we could not see. */
static void a_syn_with_data_in_fragments_opens_a_connection(void **state)
{
	static const struct step steps[] = {
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001 + 3000, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 4001, .ack = 5001, .want = TG_PASS_OK,
		  STATES(ESTABLISHED, ESTABLISHED) },
	};
	struct segment syn = speak(false, CLIENT, SYN, 1000, 0, 3000);

	say_in_fragments(*state, &syn, TG_PASS_NEW, __LINE__);
	TALK(*state, steps);
}

/* The FIN stands in the first fragment, its number lies behind data we could not see. */
/* Where such a FIN ends is not known, so it is not a fact; the other side's is. */
static void a_fin_in_fragments_closes_without_a_drop(void **state)
{
	static const struct step steps[] = {
		{ SERVER, ACK, .seq = 5001, .ack = 5002, .want = TG_PASS_OK },
		{ SERVER, PSH | ACK, .seq = 5001, .ack = 5002, .payload = 100, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 5002, .ack = 5101, .want = TG_PASS_OK },
		{ SERVER, FIN | ACK, .seq = 5101, .ack = 5002, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 5002, .ack = 5102, .want = TG_PASS_OK, STATES(CLOSE_WAIT, FIN_WAIT_2) },
	};
	struct segment fin = speak(false, CLIENT, FIN | PSH | ACK, 1001, 5001, 4000);

	guard_handshake(*state);
	say_in_fragments(*state, &fin, TG_NOUPD_FRAG_FIRST, __LINE__);
	TALK(*state, steps);
}

/* The acknowledgement of such a FIN is lost behind us, the path's MTU has been learnt meanwhile. */
static void a_fin_in_fragments_may_be_sent_again_in_pieces(void **state)
{
	struct segment fin = speak(false, CLIENT, FIN | PSH | ACK, 1001, 5001, 4000);
	struct segment ack = speak(false, SERVER, ACK, 5001, 5002, 0);
	uint32_t at;

	guard_handshake(*state);
	say_in_fragments(*state, &fin, TG_NOUPD_FRAG_FIRST, __LINE__);
	EXPECT(*state, &ack, false, TG_PASS_OK);
	for (at = 0; at < 4000; at += 1000) {
		struct segment piece = speak(false, CLIENT, at < 3000 ? ACK : FIN | ACK, 1001 + at, 5001,
					     1000);

		if (guard_judge_segment(*state, &piece, false).dropped)
			fail_msg("the piece at %u was dropped: %s", at,
				 verdict_name(guard_half_count(*state, CLIENT)->last_verdict));
	}
}

static void a_reset_in_a_first_fragment_follows_the_rules_of_resets(void **state)
{
	static const struct step data[] = {
		{ CLIENT, PSH | ACK, .seq = 1001, .ack = 5001, .payload = 100, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = 5001, .ack = 1101, .want = TG_PASS_OK },
	};
	struct segment reset = speak(false, CLIENT, RST, 1100, 0, 0);

	guard_handshake(*state);
	TALK(*state, data);
	reset.fragment = MORE;
	EXPECT(*state, &reset, false, TG_DROP_RST_OLD);
	reset.seq = 1102;
	EXPECT(*state, &reset, false, TG_NOUPD_RST_INEXACT);
	reset.seq = 1101;
	EXPECT(*state, &reset, false, TG_PASS_RST_EXACT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_gateway, guard_teardown)
		TEST(passes_later_fragments_untracked),
		TEST(nodf_and_df_are_judged_alike),
		TEST(tinyfrag_without_the_whole_header_is_dropped),
		TEST(tinyfrag_at_offset_1_is_dropped),
		TEST(fragoverlap_is_judged_by_its_own_header),
		TEST(frag_data_loses_nothing),
		cmocka_unit_test_setup_teardown(frag_data_of_ipv6_loses_nothing,
						open_gateway6, guard_teardown),
		TEST(still_refuses_acknowledgements_far_ahead),
		TEST(data_in_fragments_may_complete_the_handshake),
		TEST(a_syn_with_data_in_fragments_opens_a_connection),
		TEST(a_fin_in_fragments_closes_without_a_drop),
		TEST(a_fin_in_fragments_may_be_sent_again_in_pieces),
		TEST(a_reset_in_a_first_fragment_follows_the_rules_of_resets),
	};

	return cmocka_run_group_tests_name("fragments", tests, NULL, NULL);
}
