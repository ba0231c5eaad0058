/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sequence numbers are a circle: the same conversations at every place of it where one of their
 * numbers, or its neighbour, is 0 or 2^31, and a connection that goes round more than once.
 */
#include "tests/bpf/harness.h"

#define A_DAY_AND_MORE_MS (90000u * 1000)

/* Says a conversation whose numbers count from the two ISNs; the flow before it has expired. */
static void talk_from(struct guard *guard, const struct step *steps, size_t count, uint32_t client,
		      uint32_t server)
{
	size_t i;

	guard_advance_ms(guard, A_DAY_AND_MORE_MS);
	for (i = 0; i < count; i++) {
		struct step step = steps[i];
		uint32_t own = step.who == CLIENT ? client : server;
		uint32_t other = step.who == CLIENT ? server : client;

		step.seq += own;
		if (step.flags & ACK)
			step.ack += other;
		if (step.sack_to) {
			step.sack_from += other;
			step.sack_to += other;
		}
		guard_say(guard, &step, i + 1);
	}
}

/*
 * Every number said, and its neighbours, lands once on 0 and once on 2^31, for each side; the other
 * side starts at 0xfffffff0.
 */
static void talk_round_the_circle(struct guard *guard, const struct step *steps, size_t count)
{
	static const uint32_t marks[] = { 0, 1u << 31 };
	size_t i, mark;
	int near;

	for (i = 0; i < count; i++) {
		uint32_t numbers[] = { steps[i].seq, steps[i].seq + steps[i].payload, steps[i].ack };
		size_t n;

		for (n = 0; n < 3 * 2; n++) {
			mark = n / 3;
			for (near = -1; near <= 1; near++) {
				uint32_t isn = marks[mark] - numbers[n % 3] + (uint32_t)near;

				talk_from(guard, steps, count, isn, 0xfffffff0);
				talk_from(guard, steps, count, 0xfffffff0, isn);
				talk_from(guard, steps, count, isn, isn);
			}
		}
	}
}
#define ROUND(guard, steps) talk_round_the_circle(guard, steps, sizeof(steps) / sizeof((steps)[0]))

static void wrap_of_data_and_acknowledgements(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = 0, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 0, .ack = 1, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1, .ack = 2, .want = TG_DROP_HS_BAD_ACK },
		{ CLIENT, ACK, .seq = 1, .ack = 0, .want = TG_DROP_HS_BAD_ACK },
		{ CLIENT, ACK, .seq = 1, .ack = 1, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 1, .ack = 1, .payload = 1000, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = 1, .ack = 1002, .want = TG_DROP_ACK_ABOVE }, /* own: passed */
		{ CLIENT, ACK, .seq = 1001, .ack = 2, .want = TG_DROP_ACK_ABOVE },
		{ SERVER, ACK, .seq = 1, .ack = 1, .payload = 2000, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1001, .ack = 1, .sack_from = 1001, .sack_to = 2001, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1001, .ack = 2001, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1, .ack = 2001, .payload = 1000, .want = TG_PASS_RETRANS },
		{ CLIENT, ACK, .seq = 1000, .ack = 2001, .want = TG_PASS_OK },
	};

	ROUND(*state, steps);
}

/* No segment of our own above the window here: the bounds are for the client alone. */
static void wrap_of_the_four_bounds(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = 0, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 0, .ack = 1, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1, .ack = 1, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1 + 65536, .ack = 1, .payload = 1, .want = TG_DROP_SEQ_ABOVE },
		{ CLIENT, ACK, .seq = 1 - 65535, .ack = 1, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1 - 65536, .ack = 1, .want = TG_NOUPD_SEQ_OLD },
		{ CLIENT, ACK, .seq = 1u - 65536 - (1u << 20), .ack = 1, .want = TG_DROP_SEQ_BELOW },
		{ CLIENT, ACK, .seq = 1, .ack = 1u - 66000, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1, .ack = 1u - 66001, .want = TG_NOUPD_ACK_OLD },
		{ CLIENT, ACK, .seq = 1, .ack = 1u - 66001 - (1u << 20), .want = TG_DROP_ACK_BELOW },
		{ CLIENT, ACK, .seq = 1 + 65535, .ack = 1, .payload = 1, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = 1, .ack = 65537, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 65537 + 65536, .ack = 1, .payload = 1, .want = TG_DROP_SEQ_ABOVE },
		{ CLIENT, ACK, .seq = 65537 + 65535, .ack = 1, .payload = 1, .want = TG_PASS_OK },
	};

	ROUND(*state, steps);
}

static void wrap_in_the_teardown(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = 0, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 0, .ack = 1, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1, .ack = 1, .want = TG_PASS_OK },
		{ CLIENT, FIN | ACK, .seq = 1, .ack = 1, .payload = 10, .want = TG_PASS_OK,
		  STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, ACK, .seq = 1, .ack = 11, .want = TG_PASS_OK, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, ACK, .seq = 1, .ack = 12, .want = TG_PASS_OK, STATES(FIN_WAIT_2, CLOSE_WAIT) },
		{ CLIENT, ACK, .seq = 12, .ack = 1, .payload = 1, .want = TG_DROP_DATA_AFTER_FIN },
		{ SERVER, FIN | ACK, .seq = 1, .ack = 12, .want = TG_PASS_OK, STATES(FIN_WAIT_2, LAST_ACK) },
		{ CLIENT, ACK, .seq = 12, .ack = 1, .want = TG_PASS_OK, STATES(FIN_WAIT_2, LAST_ACK) },
		{ CLIENT, ACK, .seq = 12, .ack = 2, .want = TG_PASS_OK, STATES(TIME_WAIT, CLOSED) },
		{ SERVER, FIN | ACK, .seq = 1, .ack = 12, .want = TG_PASS_TW_FIN_RETR },
		{ CLIENT, ACK, .seq = 12, .ack = 2, .want = TG_PASS_TW_ACK },
		{ CLIENT, SYN, .seq = 11, .want = TG_NOUPD_TW_SYN_OLD, STATES(TIME_WAIT, CLOSED) },
		{ CLIENT, SYN, .seq = 13, .want = TG_PASS_TW_REUSE, STATES(SYN_SENT, LISTEN) },
	};

	ROUND(*state, steps);
}

static void wrap_at_a_fin_that_is_taken_back(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = 0, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 0, .ack = 1, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1, .ack = 1, .want = TG_PASS_OK },
		{ CLIENT, FIN | ACK, .seq = 1, .ack = 1, .want = TG_PASS_OK, STATES(FIN_WAIT_1, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 1, .ack = 1, .payload = 2, .want = TG_PASS_FIN_RETRACT,
		  STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, ACK, .seq = 1, .ack = 3, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	ROUND(*state, steps);
}

static void wrap_at_resets(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = 0, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 0, .ack = 1, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1, .ack = 1, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1, .ack = 1, .payload = 10, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = 1, .ack = 6, .want = TG_PASS_OK },
		{ CLIENT, RST, .seq = 5, .want = TG_DROP_RST_OLD },
		{ CLIENT, RST, .seq = 7, .want = TG_NOUPD_RST_INEXACT },
		{ CLIENT, RST, .seq = 6 + 65536, .want = TG_DROP_RST_ABOVE },
		{ CLIENT, RST, .seq = 6 + 65535, .want = TG_NOUPD_RST_INEXACT, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, RST, .seq = 11, .want = TG_PASS_RST_TRAIN, STATES(CLOSED, CLOSED) },
		/* The server acknowledges beyond it: it was not honoured. */
		{ SERVER, ACK, .seq = 1, .ack = 11, .want = TG_NOUPD_CLOSED_LATE, STATES(CLOSED, CLOSED) },
		{ CLIENT, ACK, .seq = 11, .ack = 1, .payload = 1, .want = TG_NOUPD_CLOSED_LATE },
		{ SERVER, ACK, .seq = 1, .ack = 12, .want = TG_NOUPD_RST_UNDONE,
		  STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, RST, .seq = 12, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
	};

	ROUND(*state, steps);
}

static void wrap_at_resets_of_the_handshake(void **state)
{
	static const struct step refused[] = {
		{ CLIENT, SYN, .seq = 0, .payload = 100, .want = TG_PASS_NEW },
		{ SERVER, RST | ACK, .seq = 777, .ack = 0, .want = TG_DROP_RST_SYN_SENT },
		{ SERVER, RST | ACK, .seq = 777, .ack = 102, .want = TG_DROP_RST_SYN_SENT },
		{ SERVER, RST | ACK, .seq = 777, .ack = 101, .want = TG_PASS_REFUSED, STATES(CLOSED, CLOSED) },
	};
	static const struct step embryo[] = {
		{ CLIENT, SYN, .seq = 0, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 0, .ack = 1, .want = TG_PASS_SYNACK },
		{ CLIENT, RST, .seq = 0, .want = TG_DROP_RST_OLD },
		{ CLIENT, RST, .seq = 2, .want = TG_NOUPD_RST_INEXACT },
		{ CLIENT, RST, .seq = 1, .want = TG_PASS_RST_EXACT, STATES(CLOSED, CLOSED) },
	};

	ROUND(*state, refused);
	ROUND(*state, embryo);
}

/* Window probes, keepalives and the neighbours of S.end and R.ack. */
static void wrap_at_probes(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = 0, .window = 100, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 0, .ack = 1, .window = 100, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1, .ack = 1, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 1, .ack = 1, .payload = 100, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = 1, .ack = 101, .window = 1, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 100, .ack = 1, .want = TG_PASS_KEEPALIVE },
		{ SERVER, ACK, .seq = 1, .ack = 101, .zero_window = true, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = 101, .ack = 1, .payload = 1, .want = TG_PASS_WINDOW_PROBE },
		{ CLIENT, ACK, .seq = 103, .ack = 1, .payload = 1, .want = TG_DROP_SEQ_ABOVE },
	};

	ROUND(*state, steps);
}

static void wrap_of_a_pending_syn(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = 0, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 0, .ack = 1, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1, .ack = 1, .want = TG_PASS_OK },
		{ CLIENT, SYN, .seq = 5000, .payload = 20, .want = TG_NOUPD_SYN_CHALLENGE },
		{ SERVER, SYN | ACK, .seq = 9000, .ack = 5000, .want = TG_NOUPD_SYNACK_UNEXPECTED },
		{ SERVER, SYN | ACK, .seq = 9000, .ack = 5022, .want = TG_NOUPD_SYNACK_UNEXPECTED },
		{ SERVER, SYN | ACK, .seq = 9000, .ack = 5021, .want = TG_PASS_REOPEN,
		  STATES(SYN_SENT, SYN_RECEIVED) },
		{ CLIENT, ACK, .seq = 5021, .ack = 9001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	ROUND(*state, steps);
}

static void wrap_of_timestamps(void **state)
{
	/* Never 0: as the newest it means none yet (trap 35). */
	static const uint32_t starts[] = { 0xffffffff, 0xfffffffd, 0x7ffffffd, 0x7fffffff };
	size_t i;

	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		uint32_t t = starts[i];
		const struct step steps[] = {
			{ CLIENT, SYN, .seq = 0, .tsval = t, .want = TG_PASS_NEW },
			{ SERVER, SYN | ACK, .seq = 0, .ack = 1, .tsval = t, .want = TG_PASS_SYNACK },
			{ CLIENT, ACK, .seq = 1, .ack = 1, .payload = 10, .tsval = t + 4, .want = TG_PASS_OK },
			{ CLIENT, ACK, .seq = 11, .ack = 1, .payload = 10, .tsval = t + 2,
			  .want = TG_PASS_PAWS },
			{ CLIENT, ACK, .seq = 11, .ack = 1, .payload = 10, .tsval = t + 6,
			  .want = TG_PASS_RETRANS },
		};

		talk_from(*state, steps, 5, 100, 900);
	}
}

static void run_segment(struct guard *guard, const struct segment *segment, bool egress)
{
	uint8_t frame[FRAME_MAX];

	guard_run(guard, frame, frame_build(frame, segment), egress);
}

static void expect_the_end(struct guard *guard, uint32_t client, uint32_t server)
{
	const struct step steps[] = {
		{ CLIENT, RST, .seq = client - 1, .want = TG_DROP_RST_OLD },
		{ CLIENT, SYN, .seq = 1000, .want = TG_NOUPD_SYN_CHALLENGE, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, FIN | ACK, .seq = client, .ack = server, .want = TG_PASS_OK,
		  STATES(FIN_WAIT_1, ESTABLISHED) },
		{ SERVER, FIN | ACK, .seq = server, .ack = client + 1, .want = TG_PASS_OK,
		  STATES(FIN_WAIT_2, LAST_ACK) },
		{ CLIENT, ACK, .seq = client + 1, .ack = server + 1, .want = TG_PASS_OK,
		  STATES(TIME_WAIT, CLOSED) },
	};

	TALK(guard, steps);
}

/* More than 4 GiB each way: the ISN falls out of serial range, the handshake stays done. */
static void wrap_in_a_transfer_of_more_than_4_gib(void **state)
{
	const uint32_t size = 65160, times = 70000;
	struct segment up = { FROM_CLIENT, .flags = ACK, .payload = size, .headers_only = true };
	struct segment down = { FROM_SERVER, .flags = ACK, .payload = size, .headers_only = true };
	uint32_t i, client = 1001, server = 5001;
	uint64_t before;

	guard_handshake(*state);
	before = guard_count(*state, TG_PASS_OK);
	for (i = 0; i < times; i++) {
		up.seq = client;
		up.ack = server;
		client += size;
		run_segment(*state, &up, false);
		down.seq = server;
		down.ack = client;
		server += size;
		run_segment(*state, &down, true);
		if (i % 1000 == 0) {
			assert_int_equal(guard_state(*state, CLIENT), TG_TCP_ESTABLISHED);
			assert_int_equal(guard_state(*state, SERVER), TG_TCP_ESTABLISHED);
		}
	}
	assert_int_equal(guard_count(*state, TG_PASS_OK) - before, 2 * times);
	assert_true(guard_half_count(*state, CLIENT)->bytes > 1ull << 32);
	assert_true(guard_half_count(*state, SERVER)->bytes == (uint64_t)size * times);
	expect_the_end(*state, client, server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, guard_setup, guard_teardown)
		TEST(wrap_of_data_and_acknowledgements),
		TEST(wrap_of_the_four_bounds),
		TEST(wrap_in_the_teardown),
		TEST(wrap_at_a_fin_that_is_taken_back),
		TEST(wrap_at_resets),
		TEST(wrap_at_resets_of_the_handshake),
		TEST(wrap_at_probes),
		TEST(wrap_of_a_pending_syn),
		TEST(wrap_of_timestamps),
		TEST(wrap_in_a_transfer_of_more_than_4_gib),
	};

	return cmocka_run_group_tests_name("wrap", tests, NULL, NULL);
}
