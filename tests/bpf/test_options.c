/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP options: what is read (window scale, timestamps, SACK edges), what is skipped, and that no
 * option block, however broken, is a reason to drop or leaves a flow that misbehaves.
 */
#include <string.h>

#include "tests/bpf/harness.h"

#define A_DAY_AND_MORE_MS (90000u * 1000)
#define OPTIONS(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

/* A new flow whose SYN carries these options; the flow before it has expired. */
static void open_flow(struct guard *guard, const uint8_t *options, size_t size)
{
	struct segment syn = { FROM_CLIENT, .flags = SYN, .seq = 1000, .raw_options = options,
			       .raw_options_size = size };

	guard_advance_ms(guard, A_DAY_AND_MORE_MS);
	EXPECT(guard, &syn, false, TG_PASS_NEW);
}

/* The rest of the handshake, data both ways, and how far the client's last window reaches. */
static void expect_flow_to_work(struct guard *guard, int server_wscale, uint32_t granted)
{
	const struct step steps[] = {
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .wscale = server_wscale,
		  .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .window = 1000, .want = TG_PASS_OK,
		  STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, PSH | ACK, .seq = 5001, .ack = 1001, .payload = 500, .want = TG_PASS_OK },
		{ CLIENT, PSH | ACK, .seq = 1001, .ack = 5501, .payload = 700, .window = 1000,
		  .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(guard, steps);
	if (granted)
		assert_int_equal(guard_half(guard, CLIENT)->right - 5501, granted);
}

static void skips_every_kind_by_its_length(void **state)
{
	int kind;

	for (kind = 2; kind < 256; kind++) {
		uint8_t options[8] = { (uint8_t)kind, 4, 0, 7, 1, 3, 3, 5 };

		open_flow(*state, options, sizeof(options));
		/* Kind 3 of the wrong length is none; the good one after it is found. */
		assert_int_equal(tg_half_wscale(guard_half(*state, CLIENT)), 5);
		expect_flow_to_work(*state, WS(7), 1000 << 5);
	}
}

static void ws_15_is_14_and_any_scale_is_found(void **state)
{
	const struct {
		const uint8_t *bytes;
		size_t size;
		int wscale; /* as stored; TG_WSCALE_NONE = none */
	} rows[] = {
		{ OPTIONS(3, 3, 0, 0), 0 },
		{ OPTIONS(3, 3, 14, 0), 14 },
		{ OPTIONS(3, 3, 15, 0), 14 }, /* RFC 7323 2.3: as if it were 14 */
		{ OPTIONS(3, 3, 255, 0), 14 },
		{ OPTIONS(1, 1, 1, 1, 1, 3, 3, 9), 9 },
		{ OPTIONS(2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7), 7 }, /* Linux */
		{ OPTIONS(2, 4, 5, 180, 1, 3, 3, 6, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 4, 2, 0, 0), 6 }, /* macOS */
		{ OPTIONS(2, 4, 5, 180, 1, 3, 3, 8, 1, 1, 4, 2), 8 }, /* Windows */
		{ OPTIONS(34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1, 1, 3, 3, 2), 2 }, /* TFO cookie */
		{ OPTIONS(254, 6, 0xf9, 0x89, 3, 3, 1, 1, 1, 3, 3, 4), 4 }, /* TFO, experimental */
		{ OPTIONS(0, 3, 3, 7), TG_WSCALE_NONE }, /* behind the end of the list */
		{ OPTIONS(1, 0, 3, 3, 7, 0, 0, 0), TG_WSCALE_NONE },
		{ OPTIONS(1, 1, 3, 3), TG_WSCALE_NONE }, /* cut by the end of the header */
		{ OPTIONS(3, 4, 7, 0), TG_WSCALE_NONE },
		{ OPTIONS(3, 2, 7, 0), TG_WSCALE_NONE },
		{ OPTIONS(1, 1, 1, 1), TG_WSCALE_NONE },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		open_flow(*state, rows[i].bytes, rows[i].size);
		if (tg_half_wscale(guard_half(*state, CLIENT)) != rows[i].wscale)
			fail_msg("row %zu: wscale %d", i, tg_half_wscale(guard_half(*state, CLIENT)));
		expect_flow_to_work(*state, WS(7),
				    rows[i].wscale == TG_WSCALE_NONE ? 1000 : 1000u << rows[i].wscale);
	}
}

/* Digests may look like options: kind 3, length 3 in the middle of one is not a window scale. */
static void does_not_look_into_md5_and_ao(void **state)
{
	uint8_t options[20] = { 19, 18, 3, 3, 14, 3, 3, 14, 8, 10, 255, 255, 255, 255, 3, 3, 14, 0, 1, 1 };

	open_flow(*state, options, sizeof(options));
	assert_int_equal(tg_half_wscale(guard_half(*state, CLIENT)), TG_WSCALE_NONE);
	assert_int_equal(guard_half_count(*state, CLIENT)->tsmax, 0);
	expect_flow_to_work(*state, WS(7), 1000);
	options[0] = 29; /* AO: key ids, then the MAC */
	open_flow(*state, options, sizeof(options));
	assert_int_equal(tg_half_wscale(guard_half(*state, CLIENT)), TG_WSCALE_NONE);
	expect_flow_to_work(*state, WS(7), 1000);
}

static void stops_at_a_malformed_length_and_drops_nothing(void **state)
{
	const struct {
		const uint8_t *bytes;
		size_t size;
	} rows[] = {
		{ OPTIONS(3, 0, 7, 0) },
		{ OPTIONS(3, 1, 7, 0) },
		{ OPTIONS(3, 5, 7, 0) },
		{ OPTIONS(3, 255, 7, 0) },
		{ OPTIONS(1, 1, 1, 3) }, /* a kind without length, at the very end */
		{ OPTIONS(200, 0, 3, 3, 7, 0, 0, 0) },
		{ OPTIONS(200, 1, 3, 3, 7, 0, 0, 0) },
		{ OPTIONS(200, 9, 3, 3, 7, 0, 0, 0) },
		{ OPTIONS(8, 11, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) },
		{ OPTIONS(8, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) },
		{ OPTIONS(8, 10, 0, 0, 0, 1, 0, 0) },
		{ OPTIONS(5, 2, 5, 9, 0, 0, 0, 0) },
		{ OPTIONS(5, 34, 0, 0) },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		open_flow(*state, rows[i].bytes, rows[i].size);
		assert_int_equal(tg_half_wscale(guard_half(*state, CLIENT)), TG_WSCALE_NONE);
		assert_false(guard_half(*state, CLIENT)->facts & TG_FACT_HASTS);
		expect_flow_to_work(*state, 0, 1000);
	}
}

static void reads_blocks_of_40_bytes_to_the_last(void **state)
{
	uint8_t options[40];

	memset(options, 1, sizeof(options));
	open_flow(*state, options, sizeof(options));
	expect_flow_to_work(*state, WS(7), 1000);
	memcpy(options + 37, (uint8_t[]){ 3, 3, 9 }, 3); /* its last byte is the last */
	open_flow(*state, options, sizeof(options));
	assert_int_equal(tg_half_wscale(guard_half(*state, CLIENT)), 9);
	expect_flow_to_work(*state, WS(7), 1000 << 9);
	memset(options, 0xee, sizeof(options));
	options[1] = 40; /* one option that fills the block */
	open_flow(*state, options, sizeof(options));
	expect_flow_to_work(*state, WS(7), 1000);
	options[1] = 37;
	memcpy(options + 37, (uint8_t[]){ 3, 3, 3 }, 3);
	open_flow(*state, options, sizeof(options));
	assert_int_equal(tg_half_wscale(guard_half(*state, CLIENT)), 3);
	expect_flow_to_work(*state, WS(7), 1000 << 3);
}

static void finds_timestamps_that_do_not_stand_first(void **state)
{
	const struct {
		const uint8_t *bytes;
		size_t size;
	} rows[] = {
		{ OPTIONS(1, 1, 8, 10, 0, 0, 1, 0, 0, 0, 0, 0) }, /* the usual 12 bytes */
		{ OPTIONS(8, 10, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1) },
		{ OPTIONS(8, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0) },
		{ OPTIONS(1, 8, 10, 0, 0, 1, 0, 0, 0, 0, 0, 1) },
		{ OPTIONS(254, 3, 8, 8, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0) },
		{ OPTIONS(5, 10, 0, 0, 0, 0, 0, 0, 0, 0, 8, 10, 0, 0, 1, 0, 0, 0, 0, 0) },
		{ OPTIONS(19, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 10, 0, 0, 1, 0, 0, 0, 0, 0) },
	};
	struct segment segment = { FROM_CLIENT, .flags = ACK, .seq = 1701, .ack = 5501 };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		open_flow(*state, OPTIONS(1, 1, 1, 1));
		expect_flow_to_work(*state, 0, 1000);
		segment.raw_options = rows[i].bytes;
		segment.raw_options_size = rows[i].size;
		EXPECT(*state, &segment, false, TG_PASS_OK);
		assert_int_equal(guard_half_count(*state, CLIENT)->tsmax, 0x100);
		assert_true(guard_half(*state, CLIENT)->facts & TG_FACT_HASTS);
	}
}

/*
 * A receiver that holds data beyond a hole takes back nothing: its window is counted to the highest
 * SACK edge.  The window is 60000, the acknowledgement 5001, the server has sent 20000 bytes.
 */
static void takes_the_highest_edge_of_one_to_four_sack_blocks(void **state)
{
	static const struct step handshake[] = {
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .window = 60000, .want = TG_PASS_OK },
	};
	static const uint32_t edge[4] = { 11001, 14001, 13001, 20001 },
			      highest[4] = { 11001, 14001, 14001, 20001 };
	struct segment data = { FROM_SERVER, .flags = ACK, .seq = 5001, .ack = 1001, .payload = 20000,
				.headers_only = true };
	struct segment sack = { FROM_CLIENT, .flags = ACK, .seq = 1001, .ack = 5001, .window = 60000 };
	int block;

	open_flow(*state, OPTIONS(1, 1, 4, 2));
	TALK(*state, handshake);
	EXPECT(*state, &data, true, TG_PASS_OK);
	for (block = 0; block < 4; block++) {
		sack.sack[block][0] = edge[block] - 500;
		sack.sack[block][1] = edge[block];
		sack.sack_blocks = block + 1;
		EXPECT(*state, &sack, false, TG_PASS_OK);
		assert_int_equal(guard_half(*state, CLIENT)->maxwin, 60000 + highest[block] - 5001);
	}
	/* Neither a D-SACK below nor an edge beyond what was sent says anything. */
	sack.sack_blocks = 2;
	sack.sack[0][1] = 4001;
	sack.sack[1][1] = 25002;
	EXPECT(*state, &sack, false, TG_PASS_OK);
	assert_int_equal(guard_half(*state, CLIENT)->maxwin, 60000 + 20001 - 5001);
}

static uint32_t random_state = 20260101;

static uint32_t random32(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

/* Random bytes that often begin like an option we read. */
static size_t make_options(uint8_t *options)
{
	static const uint8_t kinds[] = { 0, 1, 2, 3, 4, 5, 8, 19, 29, 34, 254 };
	static const uint8_t sizes[] = { 0, 1, 2, 3, 4, 10, 18, 26, 34 };
	size_t size = 4 * (1 + random32() % 10), i;

	for (i = 0; i < size; i++)
		options[i] = (uint8_t)random32();
	for (i = 0; i + 1 < size; i += 1 + random32() % 12) {
		options[i] = kinds[random32() % sizeof(kinds)];
		options[i + 1] = sizes[random32() % sizeof(sizes)];
	}
	return size;
}

static void opt_fuzz_of_20000_random_blocks(void **state)
{
	static const struct step afterwards[] = {
		{ CLIENT, PSH | ACK, .seq = 1701, .ack = 5501, .payload = 900, .want = TG_PASS_OK,
		  STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5501, .ack = 2601, .want = TG_PASS_OK },
		{ CLIENT, RST, .seq = 99, .want = TG_DROP_RST_OLD },
		{ CLIENT, ACK, .seq = 2601, .ack = 5502, .want = TG_DROP_ACK_ABOVE },
	};
	struct endpoint stranger = { { 10, 9, 9, 9 }, 0 };
	uint8_t options[40], frame[FRAME_MAX];
	uint64_t before;
	int i;

	open_flow(*state, OPTIONS(3, 3, 7, 0));
	expect_flow_to_work(*state, WS(7), 1000 << 7);
	before = guard_count(*state, TG_PASS_OK);
	for (i = 0; i < 20000; i++) {
		struct segment segment = { FROM_CLIENT, .flags = ACK, .seq = 1701, .ack = 5501,
					   .raw_options = options };

		segment.raw_options_size = make_options(options);
		guard_run(*state, frame, frame_build(frame, &segment), false);
		segment.from = &stranger; /* and a SYN of somebody else */
		stranger.port = (uint16_t)(1 + i);
		segment.flags = SYN;
		guard_run(*state, frame, frame_build(frame, &segment), false);
	}
	assert_int_equal(guard_count(*state, TG_PASS_OK) - before, 20000);
	assert_int_equal(guard_count(*state, TG_PASS_NEW) + guard_count(*state, TG_PASS_TABLE_FULL), 20001);
	TALK(*state, afterwards);
	assert_int_equal(tg_half_wscale(guard_half(*state, CLIENT)), 7);
	assert_int_equal(guard_half(*state, CLIENT)->end, 2601);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, guard_setup, guard_teardown)
		TEST(skips_every_kind_by_its_length),
		TEST(ws_15_is_14_and_any_scale_is_found),
		TEST(does_not_look_into_md5_and_ao),
		TEST(stops_at_a_malformed_length_and_drops_nothing),
		TEST(reads_blocks_of_40_bytes_to_the_last),
		TEST(finds_timestamps_that_do_not_stand_first),
		TEST(takes_the_highest_edge_of_one_to_four_sack_blocks),
		TEST(opt_fuzz_of_20000_random_blocks),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
