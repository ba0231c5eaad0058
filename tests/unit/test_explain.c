/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What explain says agrees with what the data path did, whatever the segment. */
#include "tests/unit/unit.h"

#include "bpf/tcp_handshake.h"
#include "bpf/tcp_reset.h"
#include "bpf/tcp_segment.h"
#include "daemon/explain.h"

struct flow {
	struct tg_slot slot;
	struct tg_detail detail;
	struct tg_view view;
};

/* An established flow: LO sent 1000..5000, HI 9000..12000, everything acknowledged, windows of 2000. */
static void establish(struct flow *flow)
{
	struct tg_half *lo = &flow->slot.half[TG_SIDE_LO], *hi = &flow->slot.half[TG_SIDE_HI];

	memset(flow, 0, sizeof(*flow));
	*lo = (struct tg_half){ .end = 5000, .ack = 12000, .right = 14000, .maxwin = 2000 };
	*hi = (struct tg_half){ .end = 12000, .ack = 5000, .right = 7000, .maxwin = 2000 };
	lo->facts = hi->facts = TG_FACT_SYN | TG_FACT_HASACK | TG_FACT_ACKSYN |
				(__u32)TG_WSCALE_NONE << TG_WSCALE_SHIFT;
	flow->detail.isn[TG_SIDE_LO] = 999;
	flow->detail.isn[TG_SIDE_HI] = 8999;
}

static void look(struct flow *flow, enum tg_side side, bool strict)
{
	flow->view = (struct tg_view){
		.ref.slot = &flow->slot,
		.detail = &flow->detail,
		.sender = &flow->slot.half[side],
		.receiver = &flow->slot.half[side ^ 1],
		.side = side,
		.strict = strict,
	};
	flow->view.phase = tg_flow_phase(flow->view.sender, flow->view.receiver);
}

static struct tg_packet segment(uint8_t flags, uint32_t seq, uint32_t ack, uint32_t payload)
{
	struct tg_packet packet = { .flags = flags, .seq = seq, .ack = ack, .window = 2000, .segments = 1 };

	tg_set_payload(&packet, payload);
	return packet;
}

static void explain(const struct flow *flow, enum tg_side side, const struct tg_packet *packet,
		    enum tg_verdict verdict, struct explanation *out)
{
	const struct explain_input input = {
		.verdict = verdict,
		.packet = packet,
		.slot = &flow->slot,
		.detail = &flow->detail,
		.side = side,
		.strict = flow->view.strict,
	};

	explain_segment(&input, out);
}

static const struct explain_check *decided(const struct explanation *explanation)
{
	const struct explain_check *check = NULL;
	uint32_t i;

	for (i = 0; i < explanation->count; i++) {
		if (explanation->check[i].decided) {
			assert_null(check);
			check = &explanation->check[i];
		}
	}
	return check;
}

static void test_beyond_the_edge(void **state)
{
	struct tg_packet packet = segment(TG_ACK, 7001, 12000, 100);
	struct explanation explanation;
	const struct explain_check *check;
	struct flow flow;

	(void)state;
	establish(&flow);
	look(&flow, TG_SIDE_LO, false);
	explain(&flow, TG_SIDE_LO, &packet, TG_DROP_SEQ_ABOVE, &explanation);
	check = decided(&explanation);
	assert_non_null(check);
	assert_string_equal(check->rule, "I");
	assert_int_equal(check->left, 7001);
	assert_int_equal(check->right, 7000);
	assert_int_equal(check->distance, 1);
	assert_false(check->holds);
}

static void test_numbers_wrap(void **state)
{
	struct tg_packet packet = segment(TG_ACK, 0x10, 12000, 0);
	struct explanation explanation;
	const struct explain_check *check;
	struct flow flow;

	(void)state;
	establish(&flow);
	flow.slot.half[TG_SIDE_LO].end = flow.slot.half[TG_SIDE_HI].ack = 0xfffffff0;
	flow.slot.half[TG_SIDE_HI].right = 0xffffffff;
	look(&flow, TG_SIDE_LO, false);
	explain(&flow, TG_SIDE_LO, &packet, TG_DROP_SEQ_ABOVE, &explanation);
	check = decided(&explanation);
	assert_non_null(check);
	assert_int_equal(check->distance, 0x11);
}

static void test_reset_in_the_window(void **state)
{
	struct tg_packet packet = segment(TG_RST, 5500, 0, 0);
	struct explanation explanation;
	const struct explain_check *check;
	struct flow flow;

	(void)state;
	establish(&flow);
	look(&flow, TG_SIDE_LO, false);
	explain(&flow, TG_SIDE_LO, &packet, TG_NOUPD_RST_INEXACT, &explanation);
	check = decided(&explanation);
	assert_non_null(check);
	assert_string_equal(check->relation, "==");
	assert_int_equal(check->right, 5000);
	assert_int_equal(check->distance, 500);
}

static void test_no_flow(void **state)
{
	struct tg_packet packet = segment(TG_ACK, 1, 1, 0);
	const struct explain_input input = { .verdict = TG_DROP_NO_FLOW, .packet = &packet };
	struct explanation explanation;

	(void)state;
	explain_segment(&input, &explanation);
	assert_int_equal(explanation.count, 0);
	assert_non_null(explanation.why);
}

static void test_every_verdict_has_a_setting(void **state)
{
	enum tg_verdict verdict;

	(void)state;
	for (verdict = TG_UNDECIDED; verdict < TG_VERDICT_MAX; verdict++)
		assert_non_null(explain_setting(verdict));
}

/* A number near one that matters. */
static uint32_t near(uint64_t *random, uint32_t number)
{
	static const uint32_t steps[] = { 0, 1, 2, 100, 1999, 2000, 2001, 66000, 66001, 1 << 20, 3 << 20 };
	uint32_t step = steps[random_below(random, COUNT(steps))];

	return random_below(random, 2) ? number + step : number - step;
}

static void disturb(uint64_t *random, struct flow *flow)
{
	struct tg_half *half = &flow->slot.half[random_below(random, 2)];

	switch (random_below(random, 4)) {
	case 0:
		half->facts |= TG_FACT_PICKUP;
		break;
	case 1:
		half->facts |= TG_FACT_FIN;
		half->end++;
		break;
	case 2:
		half->maxwin = 1U << random_below(random, 20);
		break;
	default:
		break;
	}
}

/* The comparison that is said to have decided fails exactly where the data path refused. */
static void test_window_agrees_with_the_data_path(void **state)
{
	uint64_t random = 20260101;
	uint32_t refused = 0;
	int i;

	(void)state;
	for (i = 0; i < 300000; i++) {
		enum tg_side side = random_below(&random, 2) ? TG_SIDE_HI : TG_SIDE_LO;
		struct explanation explanation;
		const struct explain_check *check;
		struct tg_packet packet;
		enum tg_verdict verdict;
		struct flow flow;

		establish(&flow);
		disturb(&random, &flow);
		look(&flow, side, random_below(&random, 2));
		packet = segment(TG_ACK, near(&random, flow.view.sender->end),
				 near(&random, flow.view.receiver->end), random_below(&random, 1460));
		verdict = tg_window_check(&flow.view, &packet, tg_send_limit(&flow.view));
		explain(&flow, side, &packet, verdict, &explanation);
		check = decided(&explanation);
		if (!verdict) {
			assert_null(check);
			continue;
		}
		refused++;
		if (!check || check->holds)
			fail_msg("%s: nothing decided it (seq %u ack %u)", verdict_name(verdict),
				 packet.seq, packet.ack);
	}
	assert_true(refused > 10000);
}

static void test_reset_agrees_with_the_data_path(void **state)
{
	uint64_t random = 20260102;
	int i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		struct explanation explanation;
		const struct explain_check *check;
		struct tg_packet packet;
		enum tg_verdict verdict;
		struct flow flow, before;

		establish(&flow);
		disturb(&random, &flow);
		if (!random_below(&random, 4))
			flow.slot.half[TG_SIDE_HI].facts &= ~(__u32)TG_FACT_HASACK;
		look(&flow, TG_SIDE_LO, random_below(&random, 2));
		packet = segment(TG_RST, near(&random, random_below(&random, 2) ? 5000 : 7000), 0, 0);
		before = flow;
		verdict = tg_judge_reset(&flow.view, &packet);
		explain(&before, TG_SIDE_LO, &packet, verdict, &explanation);
		check = decided(&explanation);
		if (!check)
			fail_msg("%s: nothing decided it (seq %u)", verdict_name(verdict), packet.seq);
		if (tg_verdict_drops(verdict))
			assert_false(check->holds);
		else if (tg_verdict_action(verdict) == TG_ACTION_PASS)
			assert_true(check->holds);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_beyond_the_edge),
		cmocka_unit_test(test_numbers_wrap),
		cmocka_unit_test(test_reset_in_the_window),
		cmocka_unit_test(test_no_flow),
		cmocka_unit_test(test_every_verdict_has_a_setting),
		cmocka_unit_test(test_window_agrees_with_the_data_path),
		cmocka_unit_test(test_reset_agrees_with_the_data_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
