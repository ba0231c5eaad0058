/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arguments of `events` and the events they mean. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/event_filter.h"

/* 10.0.0.2:40000, the higher endpoint by address of 10.0.0.1:80, opened and now sends. */
static struct tg_event event_of(enum tg_event_type type)
{
	struct tg_event event = { .type = (__u8)type, .verdict = TG_DROP_NO_FLOW, .iface = "eth0" };

	event.key.lo_addr[2] = event.key.hi_addr[2] = htonl(0xffff);
	event.key.lo_addr[3] = htonl(0x0a000001);
	event.key.hi_addr[3] = htonl(0x0a000002);
	event.key.lo_port = htons(80);
	event.key.hi_port = htons(40000);
	event.side = TG_SIDE_HI;
	event.claim = TG_CLAIM_OPENER_HI;
	return event;
}

static bool type_matches(const char *argument, const struct tg_event *event)
{
	struct event_filter filter = { .iface = NULL };

	assert_int_equal(event_filter_parse_types("type", argument, &filter.types), 0);
	return event_filter_matches(&filter, event);
}

static void without_conditions_all_but_traces_match(void **state)
{
	const struct event_filter filter = { .iface = NULL };
	int type;

	(void)state;
	for (type = TG_EVENT_NONE + 1; type < TG_EVENT_MAX; type++) {
		const struct tg_event event = event_of((enum tg_event_type)type);

		assert_int_equal(event_filter_matches(&filter, &event), type != TG_EVENT_TRACE);
	}
}

static void types_are_told_apart(void **state)
{
	const struct tg_event begun = event_of(TG_EVENT_NEW), ended = event_of(TG_EVENT_END);
	struct tg_event drop = event_of(TG_EVENT_DROP);

	(void)state;
	assert_true(type_matches("new", &begun));
	assert_false(type_matches("new", &ended));
	assert_true(type_matches("flow", &ended));
	assert_true(type_matches("mode,NEW", &begun));
	assert_true(type_matches("drop", &drop));
	assert_false(type_matches("would_drop", &drop));
	drop.outcome = TG_OUTCOME_WOULD_DROP;
	assert_false(type_matches("drop", &drop));
	assert_true(type_matches("drop,would_drop", &drop));
	assert_string_equal(event_word(&drop), "would_drop");
	drop.outcome = TG_OUTCOME_BYPASS;
	assert_true(type_matches("bypass", &drop));
}

static void wrong_words_are_refused(void **state)
{
	struct event_reasons reasons = { .given = false };
	struct event_types types = { 0 };

	(void)state;
	assert_int_equal(event_filter_parse_types("type", "", &types), -EINVAL);
	assert_int_equal(event_filter_parse_types("type", "new,", &types), -EINVAL);
	assert_int_equal(event_filter_parse_types("type", "trace", &types), -EINVAL);
	assert_int_equal(event_filter_parse_reasons("reason", "no_flow,nonsense", &reasons), -EINVAL);
}

static void a_reason_means_all_its_verdicts(void **state)
{
	struct event_filter filter = { .iface = NULL };
	struct tg_event event = event_of(TG_EVENT_DROP);

	(void)state;
	assert_int_equal(event_filter_parse_reasons("reason", "seq_old,paws", &filter.reasons), 0);
	assert_false(event_filter_matches(&filter, &event));
	event.verdict = TG_DROP_SEQ_OLD;
	assert_true(event_filter_matches(&filter, &event));
	event.verdict = TG_NOUPD_SEQ_OLD;
	assert_true(event_filter_matches(&filter, &event));
	event.verdict = TG_PASS_PAWS;
	assert_true(event_filter_matches(&filter, &event));
}

static void the_source_is_the_opener_or_the_sender(void **state)
{
	struct event_filter filter = { .source_port = 40000, .destination_port = 80 };
	struct tg_event begun = event_of(TG_EVENT_NEW), drop = event_of(TG_EVENT_DROP);

	(void)state;
	assert_int_equal(filter_parse_prefix("src", "10.0.0.2", &filter.source), 0);
	assert_true(event_filter_matches(&filter, &begun));
	assert_true(event_filter_matches(&filter, &drop));
	begun.side = drop.side = TG_SIDE_LO;
	assert_true(event_filter_matches(&filter, &begun));
	assert_false(event_filter_matches(&filter, &drop));
}

static void what_has_no_addresses_matches_none(void **state)
{
	struct event_filter filter = { .iface = NULL };
	struct tg_event event = event_of(TG_EVENT_DROP);

	(void)state;
	memset(&event.key, 0, sizeof(event.key));
	assert_true(event_filter_matches(&filter, &event));
	assert_int_equal(filter_parse_prefix("src", "::/0", &filter.source), 0);
	assert_false(event_filter_matches(&filter, &event));
}

static void the_interface_is_compared_whole(void **state)
{
	struct event_filter filter = { .iface = "eth" };
	const struct tg_event event = event_of(TG_EVENT_DROP);

	(void)state;
	assert_false(event_filter_matches(&filter, &event));
	filter.iface = "eth0";
	assert_true(event_filter_matches(&filter, &event));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_conditions_all_but_traces_match),
		cmocka_unit_test(types_are_told_apart),
		cmocka_unit_test(wrong_words_are_refused),
		cmocka_unit_test(a_reason_means_all_its_verdicts),
		cmocka_unit_test(the_source_is_the_opener_or_the_sender),
		cmocka_unit_test(what_has_no_addresses_matches_none),
		cmocka_unit_test(the_interface_is_compared_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
