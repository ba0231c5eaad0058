/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `top` says of the time between two snapshots. */
#include <time.h>

#include "tests/unit/unit.h"

#include "daemon/top_rates.h"

struct pair {
	struct snapshot before, now;
	struct top_rates rates;
};

static void count(struct snapshot *s, uint32_t iface, enum tg_outcome outcome, enum tg_verdict verdict,
		  uint64_t packets)
{
	if (s->iface_count <= iface)
		s->iface_count = iface + 1;
	s->iface[iface].slot = iface;
	s->iface[iface].counters.count[outcome][verdict].packets = packets;
}

static const struct top_reason *reason(const struct top_rates *rates, const char *name,
				       enum top_verdict verdict)
{
	size_t i;

	for (i = 0; i < rates->reason_count; i++)
		if (!strcmp(rates->reason[i].reason, name) && rates->reason[i].verdict == verdict)
			return &rates->reason[i];
	return NULL;
}

static int make_pair(void **state)
{
	*state = calloc(1, sizeof(struct pair));
	return *state ? 0 : -1;
}

static int free_pair(void **state)
{
	free(*state);
	return 0;
}

static void rates_are_differences_over_time(void **state)
{
	struct pair *p = *state;

	count(&p->before, 0, TG_OUTCOME_VERDICT, TG_PASS_OK, 1000);
	count(&p->now, 0, TG_OUTCOME_VERDICT, TG_PASS_OK, 1600);
	count(&p->now, 0, TG_OUTCOME_VERDICT, TG_DROP_NO_FLOW, 30);
	count(&p->now, 0, TG_OUTCOME_WOULD_DROP, TG_DROP_NO_FLOW, 5);
	count(&p->now, 0, TG_OUTCOME_OWN, TG_DROP_NO_FLOW, 6);
	count(&p->now, 0, TG_OUTCOME_BYPASS, TG_DROP_NO_FLOW, 7);
	top_rates_compute(&p->now, &p->before, 2, &p->rates);

	assert_int_equal(p->rates.verdict[TOP_PASS].total, 1600);
	assert_true(p->rates.verdict[TOP_PASS].per_second == 300);
	assert_int_equal(p->rates.verdict[TOP_DROP].total, 30);
	assert_true(p->rates.verdict[TOP_DROP].per_second == 15);
	assert_int_equal(p->rates.verdict[TOP_WOULD_DROP].total, 5);
	assert_int_equal(p->rates.verdict[TOP_OWN].total, 6);
	assert_int_equal(p->rates.verdict[TOP_BYPASS].total, 7);
	assert_int_equal(p->rates.packets, 1648);
	assert_int_equal(reason(&p->rates, "no_flow", TOP_DROP)->rate.total, 30);
	assert_int_equal(reason(&p->rates, "no_flow", TOP_WOULD_DROP)->rate.total, 5);
}

static void without_a_former_snapshot_there_are_totals_only(void **state)
{
	struct pair *p = *state;

	count(&p->now, 0, TG_OUTCOME_VERDICT, TG_PASS_OK, 1600);
	top_rates_compute(&p->now, NULL, 0, &p->rates);
	assert_int_equal(p->rates.verdict[TOP_PASS].total, 1600);
	assert_true(p->rates.verdict[TOP_PASS].per_second == 0);
	assert_int_equal(p->rates.reason_count, 1);
}

static void an_interface_attached_anew_has_no_past(void **state)
{
	struct pair *p = *state;

	count(&p->before, 0, TG_OUTCOME_VERDICT, TG_PASS_OK, 1000);
	count(&p->now, 0, TG_OUTCOME_VERDICT, TG_PASS_OK, 400);
	top_rates_compute(&p->now, &p->before, 2, &p->rates);
	assert_true(p->rates.verdict[TOP_PASS].per_second == 200); /* counted anew */
	p->now.iface[0].iface.attached_at_s = 77;
	top_rates_compute(&p->now, &p->before, 2, &p->rates);
	assert_true(p->rates.verdict[TOP_PASS].per_second == 0);
}

static void interfaces_are_summed_and_kept_apart(void **state)
{
	struct pair *p = *state;

	count(&p->now, 0, TG_OUTCOME_VERDICT, TG_PASS_OK, 10);
	count(&p->now, 1, TG_OUTCOME_VERDICT, TG_PASS_OK, 5);
	count(&p->now, 1, TG_OUTCOME_VERDICT, TG_DROP_NO_FLOW, 1);
	top_rates_compute(&p->now, NULL, 0, &p->rates);
	assert_int_equal(p->rates.verdict[TOP_PASS].total, 15);
	assert_int_equal(p->rates.iface[1][TOP_PASS].total, 5);
	assert_int_equal(p->rates.iface[1][TOP_DROP].total, 1);
	assert_int_equal(reason(&p->rates, "ok", TOP_PASS)->rate.total, 15);
}

static void what_is_dropped_comes_first_and_the_faster_before(void **state)
{
	struct pair *p = *state;

	count(&p->now, 0, TG_OUTCOME_VERDICT, TG_PASS_OK, 100000);
	count(&p->now, 0, TG_OUTCOME_VERDICT, TG_DROP_BAD_FLAGS, 5000);
	count(&p->before, 0, TG_OUTCOME_VERDICT, TG_DROP_BAD_FLAGS, 5000);
	count(&p->now, 0, TG_OUTCOME_VERDICT, TG_DROP_NO_FLOW, 10);
	top_rates_compute(&p->now, &p->before, 1, &p->rates);
	assert_int_equal(p->rates.reason_count, 3);
	assert_string_equal(p->rates.reason[0].reason, "no_flow");
	assert_string_equal(p->rates.reason[1].reason, "bad_flags");
	assert_string_equal(p->rates.reason[2].reason, "ok");
}

static void every_counter_at_once_fits(void **state)
{
	struct pair *p = *state;
	int outcome, verdict;

	for (outcome = 0; outcome < TG_OUTCOME_MAX; outcome++)
		for (verdict = 0; verdict < TG_VERDICT_MAX; verdict++)
			count(&p->now, 0, (enum tg_outcome)outcome, (enum tg_verdict)verdict, 1);
	top_rates_compute(&p->now, NULL, 0, &p->rates);
	assert_true(p->rates.reason_count > 40 && p->rates.reason_count <= TOP_REASONS_MAX);
	assert_int_equal(p->rates.packets, TG_OUTCOME_MAX * TG_VERDICT_MAX);
}

#define TEST_PAIR(name) cmocka_unit_test_setup_teardown(name, make_pair, free_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_PAIR(rates_are_differences_over_time),
		TEST_PAIR(without_a_former_snapshot_there_are_totals_only),
		TEST_PAIR(an_interface_attached_anew_has_no_past),
		TEST_PAIR(interfaces_are_summed_and_kept_apart),
		TEST_PAIR(what_is_dropped_comes_first_and_the_faster_before),
		TEST_PAIR(every_counter_at_once_fits),
	};

	return cmocka_run_group_tests_name("top rates", tests, NULL, NULL);
}
