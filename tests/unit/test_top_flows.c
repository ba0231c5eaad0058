/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flows and sources `top` lists, without a terminal. */
#include <arpa/inet.h>

#include "tests/unit/unit.h"

#include "daemon/top_flows.h"

#define SECOND 1000
#define NOW 1000000

static int make_top(void **state)
{
	*state = top_flows_new();
	return *state ? 0 : -1;
}

static int free_top(void **state)
{
	top_flows_free(*state);
	return 0;
}

/* A flow in slot number, opened by 10.0.0.source, adopted long ago unless told otherwise. */
static struct flow_record flow(uint32_t number, uint32_t source, uint32_t packets, uint64_t bytes)
{
	struct flow_record flow = {
		.number = number,
		.claim = TG_CLAIM_LIVE | (number + 1) << TG_CLAIM_GENERATION_SHIFT,
		.first = TG_SIDE_LO,
		.origin = TG_ORIGIN_PICKUP,
		.phase = TG_PHASE_ESTABLISHED,
		.age_ms = 100 * SECOND,
	};

	flow.detail.key.lo_addr[2] = htonl(0xffff);
	flow.detail.key.lo_addr[3] = htonl(0x0a000000 + source);
	flow.detail.key.lo_port = htons((uint16_t)(number + 1));
	flow.detail.count[TG_SIDE_LO].packets = packets;
	flow.detail.count[TG_SIDE_HI].bytes = bytes;
	return flow;
}

static void see(struct top_flows *top, uint32_t number, uint32_t source, uint32_t packets, uint64_t bytes,
		uint64_t now_ms)
{
	struct flow_record seen = flow(number, source, packets, bytes);

	top_flows_see(top, &seen, now_ms);
}

static uint32_t port_of(const struct top_row *row)
{
	return ntohs(row->port[0]);
}

static void a_rate_needs_two_looks(void **state)
{
	struct top_flows *top = *state;
	const struct top_list *list = top_flows_list(top);

	see(top, 1, 1, 100, 5000, NOW);
	top_flows_end_round(top);
	assert_int_equal(list->count, 1);
	assert_false(list->row[0].measured);
	see(top, 1, 1, 300, 9000, NOW + 2 * SECOND);
	top_flows_end_round(top);
	assert_int_equal(list->count, 1);
	assert_true(list->row[0].measured);
	assert_true(list->row[0].packets_s == 100);
	assert_true(list->row[0].bytes_s == 2000);
}

static void another_flow_in_the_slot_is_another_flow(void **state)
{
	struct top_flows *top = *state;
	struct flow_record next = flow(1, 1, 50, 1);

	see(top, 1, 1, 100, 0, NOW);
	top_flows_end_round(top);
	next.claim += TG_CLAIM_GENERATION_ONE;
	top_flows_see(top, &next, NOW + SECOND);
	top_flows_end_round(top);
	assert_false(top_flows_list(top)->row[0].measured);
}

static void a_flow_younger_than_a_second_is_measured_at_once(void **state)
{
	struct top_flows *top = *state;
	struct flow_record young = flow(1, 1, 50, 700);

	young.origin = TG_ORIGIN_SYN;
	young.age_ms = 500;
	top_flows_see(top, &young, NOW);
	top_flows_end_round(top);
	assert_true(top_flows_list(top)->row[0].measured);
	assert_true(top_flows_list(top)->row[0].packets_s == 50);
}

static void counters_that_wrap_are_followed(void **state)
{
	struct top_flows *top = *state;

	see(top, 1, 1, UINT32_MAX - 9, 0, NOW);
	see(top, 1, 1, 10, 0, NOW + SECOND);
	top_flows_end_round(top);
	assert_true(top_flows_list(top)->row[0].packets_s == 20 || top_flows_list(top)->row[1].packets_s == 20);
}

static void orders_are_by_what_is_asked(void **state)
{
	struct top_flows *top = *state;
	const struct top_list *list = top_flows_list(top);
	struct flow_record old = flow(3, 3, 0, 0);
	uint32_t round;

	for (round = 0; round < 2; round++) {
		see(top, 1, 1, 1000 * round, 10 + 2 * round, NOW + round * SECOND); /* many packets */
		see(top, 2, 2, 10 * round, 50000 * round, NOW + round * SECOND); /* many bytes a second */
		old.age_ms = 900 * SECOND;
		old.detail.count[TG_SIDE_LO].bytes = 1ULL << 40; /* long ago */
		top_flows_see(top, &old, NOW + round * SECOND);
		top_flows_end_round(top);
	}
	assert_int_equal(list->count, 3);
	assert_int_equal(port_of(&list->row[0]), 2);
	assert_int_equal(port_of(&list->row[1]), 3);
	top_flows_sort(top, TOP_BY_BYTES);
	assert_int_equal(port_of(&list->row[0]), 3);
	top_flows_sort(top, TOP_BY_TOTAL);
	assert_int_equal(port_of(&list->row[0]), 4);
	top_flows_sort(top, TOP_BY_AGE);
	assert_int_equal(port_of(&list->row[0]), 4);
	assert_int_equal(port_of(&list->row[1]), 2); /* equally old: by address */
}

static void only_the_best_are_listed(void **state)
{
	struct top_flows *top = *state;
	const struct top_list *list = top_flows_list(top);
	uint32_t i, flows = 20 * TOP_ROWS_MAX;

	for (i = 0; i < flows; i++)
		see(top, i, i, 0, 0, NOW);
	top_flows_end_round(top);
	for (i = 0; i < flows; i++)
		see(top, i, i, (i * 7919) % flows, 0, NOW + SECOND); /* a permutation */
	top_flows_end_round(top);
	assert_int_equal(list->count, TOP_ROWS_MAX);
	for (i = 0; i < TOP_ROWS_MAX; i++)
		assert_true((uint32_t)(list->row[i].packets_s + 0.5) == flows - 1 - i);
}

static void flows_are_summed_by_source(void **state)
{
	struct top_flows *top = *state;
	const struct top_list *list = top_flows_sources(top);
	uint32_t round;

	for (round = 0; round < 2; round++) {
		struct flow_record half = flow(3, 9, 1, 0);

		see(top, 1, 9, 10 * round, 100 * round, NOW + round * SECOND);
		see(top, 2, 9, 20 * round, 200 * round, NOW + round * SECOND);
		half.phase = TG_PHASE_SYN_RECV;
		top_flows_see(top, &half, NOW + round * SECOND);
		see(top, 4, 8, 5 * round, 0, NOW + round * SECOND);
		top_flows_end_round(top);
	}
	assert_int_equal(list->count, 2);
	assert_int_equal(ntohl(list->row[0].address[0][3]), 0x0a000009);
	assert_int_equal(list->row[0].flows, 3);
	assert_int_equal(list->row[0].half_open, 1);
	assert_true(list->row[0].packets_s == 30);
	assert_true(list->row[0].bytes_s == 300);
	assert_true(list->row[1].packets_s == 5);
}

static void the_source_is_who_opened(void **state)
{
	struct top_flows *top = *state;
	struct flow_record incoming = flow(1, 9, 1, 1);

	incoming.first = TG_SIDE_HI;
	incoming.detail.key.hi_addr[3] = htonl(0x0a0000ff);
	top_flows_see(top, &incoming, NOW);
	top_flows_end_round(top);
	assert_int_equal(ntohl(top_flows_sources(top)->row[0].address[0][3]), 0x0a0000ff);
}

static void a_flood_of_sources_hides_no_heavy_one(void **state)
{
	struct top_flows *top = *state;
	uint32_t round, i;

	for (round = 0; round < 2; round++) {
		see(top, 0, 0xffffff, 5000 * round, 0, NOW + round * SECOND);
		for (i = 1; i <= 200000; i++)
			see(top, i, i, 0, 0, NOW + round * SECOND);
		top_flows_end_round(top);
	}
	assert_int_equal(ntohl(top_flows_sources(top)->row[0].address[0][3]), 0x0affffff);
	assert_true(top_flows_sources(top)->row[0].packets_s == 5000);
}

static void flows_seen_at_different_times_of_a_round_are_of_their_own_age(void **state)
{
	struct top_flows *top = *state;
	struct flow_record older = flow(1, 1, 0, 0), younger = flow(2, 2, 0, 0);

	top_flows_sort(top, TOP_BY_AGE);
	older.age_ms = 5000;
	younger.age_ms = 5500; /* a second later */
	top_flows_see(top, &older, NOW);
	top_flows_see(top, &younger, NOW + SECOND);
	top_flows_end_round(top);
	assert_int_equal(port_of(&top_flows_list(top)->row[0]), 2);
}

#define TEST_TOP(name) cmocka_unit_test_setup_teardown(name, make_top, free_top)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_TOP(a_rate_needs_two_looks),
		TEST_TOP(another_flow_in_the_slot_is_another_flow),
		TEST_TOP(a_flow_younger_than_a_second_is_measured_at_once),
		TEST_TOP(counters_that_wrap_are_followed),
		TEST_TOP(orders_are_by_what_is_asked),
		TEST_TOP(only_the_best_are_listed),
		TEST_TOP(flows_are_summed_by_source),
		TEST_TOP(the_source_is_who_opened),
		TEST_TOP(a_flood_of_sources_hides_no_heavy_one),
		TEST_TOP(flows_seen_at_different_times_of_a_round_are_of_their_own_age),
	};

	return cmocka_run_group_tests_name("top flows", tests, NULL, NULL);
}
