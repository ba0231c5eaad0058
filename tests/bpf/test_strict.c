/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Profile strict: what otherwise passes with a remark is dropped, reason by reason,
 * and what must stay passed because the endpoint's answer is needed.
 */
#include <string.h>

#include "tests/bpf/plain.h"

#define W 65535u
#define BAND (1u << 20)

static int open_strict(void **state)
{
	const struct guard_options options = { .strict = true, .all_ingress = true };

	*state = guard_open(&options);
	return 0;
}

static void drops_more_than_eight_extension_headers(void **state)
{
	static const uint8_t kinds[9] = { 0, 60, 60, 60, 60, 60, 60, 60, 60 };
	uint8_t chain[72];
	struct segment segment = { FROM_CLIENT6, .flags = SYN, .extension = 0, .ip_options = chain };

	segment.ip_options_size = frame_put_extensions(chain, kinds, 9, 6);
	assert_true(EXPECT(*state, &segment, false, TG_DROP_EXT_DEPTH).dropped);
	segment.ip_options_size = frame_put_extensions(chain, kinds, 8, 6);
	EXPECT(*state, &segment, false, TG_PASS_NEW);
}

static void drops_later_fragments(void **state)
{
	uint8_t header[8];
	struct segment four = { FROM_CLIENT, .flags = ACK, .payload = 100, .fragment = 100 };
	struct segment six = { FROM_CLIENT6, .flags = ACK, .payload = 100, .extension = 44,
			       .ip_options = header, .ip_options_size = 8 };

	assert_true(EXPECT(*state, &four, false, TG_DROP_FRAG).dropped);
	frame_put_fragment(header, 6, 100, true);
	assert_true(EXPECT(*state, &six, false, TG_DROP_FRAG).dropped);
}

static void drops_old_data_and_old_acknowledgements(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = C - W, .ack = S, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C - W - 1, .ack = S, .want = TG_DROP_SEQ_OLD },
		{ CLIENT, ACK, .seq = C - W - BAND, .ack = S, .want = TG_DROP_SEQ_OLD },
		{ CLIENT, ACK, .seq = C - W - BAND - 1, .ack = S, .want = TG_DROP_SEQ_BELOW },
		{ CLIENT, ACK, .seq = C, .ack = S - 66000, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C, .ack = S - 66001, .want = TG_DROP_ACK_OLD },
		{ CLIENT, ACK, .seq = C, .ack = S - 66000 - BAND, .want = TG_DROP_ACK_OLD },
		{ CLIENT, ACK, .seq = C, .ack = S - 66001 - BAND, .want = TG_DROP_ACK_BELOW },
	};

	open_plain(*state);
	TALK(*state, steps);
}

/* Only data not yet acknowledged, and only a gross step back: clocks jump. */
static void drops_data_with_a_grossly_old_timestamp(void **state)
{
	static const uint32_t now = 50000000;
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = C, .ack = S, .payload = 100, .tsval = now, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = S, .ack = C + 100, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 100, .ack = S, .payload = 100, .tsval = now - BAND - 1,
		  .want = TG_DROP_PAWS },
		{ CLIENT, ACK, .seq = C + 100, .ack = S, .tsval = now - BAND - 1, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 99, .ack = S, .payload = 100, .tsval = now - BAND - 1,
		  .want = TG_PASS_OK }, /* begins below: not PAWS's business */
		{ CLIENT, ACK, .seq = C + 199, .ack = S, .payload = 100, .tsval = now - BAND,
		  .want = TG_PASS_PAWS },
		{ CLIENT, ACK, .seq = C + 299, .ack = S, .payload = 100, .want = TG_PASS_OK },
	};

	open_plain(*state);
	TALK(*state, steps);
}

static void drops_inexact_resets(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, RST, .seq = C + 1, .want = TG_DROP_RST_INEXACT },
		{ CLIENT, RST, .seq = C + W, .want = TG_DROP_RST_INEXACT, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, RST, .seq = C + W + 1, .want = TG_DROP_RST_ABOVE },
		{ CLIENT, RST, .seq = C, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
	};
	static const struct step embryo[] = {
		{ CLIENT, SYN, .seq = C - 1, .want = TG_PASS_TW_REUSE },
		{ SERVER, SYN | ACK, .seq = S - 1, .ack = C, .want = TG_PASS_SYNACK },
		{ SERVER, RST | ACK, .seq = S + 5, .ack = C, .want = TG_DROP_RST_INEXACT,
		  STATES(SYN_SENT, SYN_RECEIVED) },
	};

	open_plain(*state);
	TALK(*state, steps);
	TALK(*state, embryo);
}

static void drops_an_old_syn_in_time_wait(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, FIN | ACK, .seq = C, .ack = S, .want = TG_PASS_OK },
		{ SERVER, FIN | ACK, .seq = S, .ack = C + 1, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 1, .ack = S + 1, .want = TG_PASS_OK, STATES(TIME_WAIT, CLOSED) },
		{ CLIENT, SYN, .seq = C + 1, .want = TG_DROP_TW_SYN_OLD },
		{ CLIENT, SYN, .seq = C - 500, .want = TG_DROP_TW_SYN_OLD, STATES(TIME_WAIT, CLOSED) },
		{ CLIENT, RST, .seq = C + 1, .want = TG_NOUPD_RST_LATE },
		{ CLIENT, SYN, .seq = C + 2, .want = TG_PASS_TW_REUSE, STATES(SYN_SENT, LISTEN) },
	};

	open_plain(*state);
	TALK(*state, steps);
}

/* Rows 24 to 29, 44 to 46: the answer they provoke repairs a connection; strict passes them too. */
static void passes_what_the_endpoint_must_answer(void **state)
{
	static const struct step handshake[] = {
		{ CLIENT, SYN, .seq = C - 1, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = S - 1, .ack = C + 5, .want = TG_NOUPD_SYNACK_BAD_ACK },
		{ CLIENT, RST, .seq = C + 5, .want = TG_NOUPD_RST_TO_CHALLENGE },
		{ SERVER, ACK, .seq = S, .ack = C + 7, .want = TG_NOUPD_CHALLENGE_ACK },
		{ SERVER, ACK, .seq = S, .ack = C, .payload = 10, .want = TG_NOUPD_EARLY_SEG },
		{ SERVER, SYN | ACK, .seq = S - 1, .ack = C, .want = TG_PASS_SYNACK },
		{ CLIENT, SYN, .seq = C + 900, .want = TG_NOUPD_SYN_NEW_ISN },
		{ CLIENT, ACK, .seq = C, .ack = S, .want = TG_PASS_OK },
		{ CLIENT, SYN, .seq = C + 900, .want = TG_NOUPD_SYN_CHALLENGE },
		{ SERVER, SYN | ACK, .seq = S - 1, .ack = C, .want = TG_NOUPD_SYNACK_RETRANS },
		{ SERVER, SYN | ACK, .seq = S + 77, .ack = C, .want = TG_NOUPD_SYNACK_UNEXPECTED },
		{ CLIENT, FIN | ACK, .seq = C, .ack = S, .want = TG_PASS_OK },
		{ CLIENT, RST, .seq = C - 50, .want = TG_NOUPD_RST_CLOSING },
	};

	TALK(*state, handshake);
}

/* Row 13: balanced passes the newcomer untracked, strict drops it. */
static void drops_a_newcomer_when_the_table_is_full(void **state)
{
	const struct guard_options options = { .strict = true, .all_ingress = true, .max_flows = 1 };
	struct guard *guard = guard_open(&options);
	struct endpoint client = guard_client;
	struct judgement got;
	int i;

	(void)state;
	for (i = 0; i < TG_BUCKET_WAYS; i++) {
		struct segment up = { BETWEEN(&client, &guard_server), .flags = SYN, .seq = C - 1 };
		struct segment down = { BETWEEN(&guard_server, &client), .flags = SYN | ACK,
					.seq = S - 1, .ack = C };

		client.port = (uint16_t)(1000 + i);
		EXPECT(guard, &up, false, TG_PASS_NEW);
		EXPECT(guard, &down, true, TG_PASS_SYNACK); /* what the host itself sent is never displaced */
		up = (struct segment){ BETWEEN(&client, &guard_server), .flags = ACK, .seq = C, .ack = S };
		EXPECT(guard, &up, false, TG_PASS_OK);
	}
	got = guard_judge_segment(guard, &(struct segment){ FROM_CLIENT, .flags = SYN }, false);
	guard_close(guard);
	if (!got.dropped)
		fail_msg("the newcomer was passed: %s", verdict_name(got.verdict));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_strict, guard_teardown)
		TEST(drops_more_than_eight_extension_headers),
		TEST(drops_later_fragments),
		TEST(drops_old_data_and_old_acknowledgements),
		TEST(drops_data_with_a_grossly_old_timestamp),
		TEST(drops_inexact_resets),
		TEST(drops_an_old_syn_in_time_wait),
		TEST(passes_what_the_endpoint_must_answer),
		cmocka_unit_test(drops_a_newcomer_when_the_table_is_full),
	};

	return cmocka_run_group_tests_name("strict", tests, NULL, NULL);
}
