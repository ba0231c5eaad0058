/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP Fast Open (RFC 7413): data in the SYN, and before the third step. */
#include "tests/bpf/exchange.h"

/* clang-format off */
#define OPENING_FAST { CLIENT, SYN, .seq = 1000, .payload = 100, .want = TG_PASS_NEW }
/* clang-format on */

static void tfo_ok_the_syn_data_is_acknowledged(void **state)
{
	static const struct step opening[] = { OPENING_FAST };
	static const struct step cells[] = {
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1000, .want = TG_NOUPD_SYNACK_BAD_ACK },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK, STATES(SYN_SENT, SYN_RECEIVED) },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1101, .want = TG_PASS_SYNACK, STATES(SYN_SENT, SYN_RECEIVED) },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1102, .want = TG_NOUPD_SYNACK_BAD_ACK },
	};
	static const struct step story[] = {
		OPENING_FAST,
		{ CLIENT, SYN, .seq = 1000, .want = TG_NOUPD_SYN_RETRANS }, /* again, without the data */
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1101, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1101, .ack = 5001, .payload = 50, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1151, .want = TG_PASS_OK },
	};

	EACH_AFTER(*state, opening, cells);
	guard_advance_ms(*state, FORGET_MS);
	TALK(*state, story);
}

static void tfo_reject_the_syn_data_is_sent_again(void **state)
{
	static const struct step steps[] = {
		OPENING_FAST,
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .payload = 100, .want = TG_PASS_RETRANS, STATES(ESTABLISHED, ESTABLISHED) },
		{ SERVER, ACK, .seq = 5001, .ack = 1101, .want = TG_PASS_OK },
	};

	TALK(*state, steps);
}

static void tfo_burst_of_a_window_before_the_third_step(void **state)
{
	static const struct step opening[] = {
		OPENING_FAST,
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1101, .want = TG_PASS_SYNACK },
	};
	static const struct step ending[] = {
		{ CLIENT, ACK, .seq = 1101, .ack = 5001, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
		{ CLIENT, ACK, .seq = 1101, .ack = 19601, .want = TG_PASS_OK },
	};
	struct step burst = { SERVER, ACK, .ack = 1101, .payload = 1460, .want = TG_PASS_OK,
			      STATES(SYN_SENT, SYN_RECEIVED) };
	int i;

	TALK(*state, opening);
	for (i = 0; i < 10; i++) {
		burst.seq = 5001 + 1460U * (uint32_t)i;
		guard_say(*state, &burst, (size_t)i + 1);
	}
	TALK(*state, ending);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, guard_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tfo_ok_the_syn_data_is_acknowledged, setup_between),
		TEST(tfo_reject_the_syn_data_is_sent_again, guard_setup),
		TEST(tfo_burst_of_a_window_before_the_third_step, guard_setup),
	};

	return cmocka_run_group_tests_name("fast open", tests, NULL, NULL);
}
