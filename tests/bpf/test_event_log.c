/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's log of events over the real ring: order, exact counts of what a slow reader misses,
 * flows the sweep frees, traces that several readers share, and what a killed daemon leaves.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/events.h"
#include "tests/bpf/harness.h"

#define BIT(type) (1U << TG_EVENT_##type)

static struct tg_iface ifaces[TG_IFACES_MAX] = { { .name = "eth7" } };

/* As pins_open() would give it. */
static struct pins pins_of(struct guard *guard)
{
	struct pins pins = { .settings = guard_settings(guard), .ifaces = ifaces };

	pins.fd[PINS_EVENTS] = guard_map_fd(guard, "tg_events");
	pins.fd[PINS_EVENT_COUNTS] = guard_map_fd(guard, "tg_event_counts");
	return pins;
}

static void say_many(struct events *events, enum tg_event_type type, int count)
{
	while (count--)
		events_say(events, type, "%d left", count);
}

static void a_place_reads_in_order(void **state)
{
	struct pins pins = pins_of(*state);
	struct events *events = events_new(&pins);
	struct events_place early = { 0 }, late;
	const struct tg_event *event;

	assert_non_null(events);
	say_many(events, TG_EVENT_MODE, 2);
	events_go_to_end(events, &late);
	say_many(events, TG_EVENT_GUARD, 1);
	event = events_next(events, &early);
	assert_string_equal(event->text, "1 left");
	assert_int_equal(event->sequence, 0);
	assert_true(event->time_ns > 1700000000ULL * 1000000000);
	assert_int_equal(events_next(events, &early)->type, TG_EVENT_MODE);
	assert_int_equal(events_next(events, &early)->type, TG_EVENT_GUARD);
	assert_null(events_next(events, &early));
	assert_int_equal(events_next(events, &late)->type, TG_EVENT_GUARD);
	assert_null(events_next(events, &late));
	events_free(events);
}

static void what_a_slow_reader_misses_is_exact_by_type(void **state)
{
	struct pins pins = pins_of(*state);
	struct events *events = events_new(&pins);
	struct events_place place = { 0 }, other;
	size_t left = 0;

	say_many(events, TG_EVENT_MODE, 10);
	assert_non_null(events_next(events, &place)); /* one of them is read */
	other = place;
	say_many(events, TG_EVENT_GUARD, 5);
	say_many(events, TG_EVENT_LIST, EVENTS_LOG);
	assert_int_equal(events_catch_up(events, &place, BIT(MODE) | BIT(GUARD)), 9 + 5);
	assert_int_equal(events_catch_up(events, &place, BIT(MODE) | BIT(GUARD)), 0);
	assert_int_equal(events_catch_up(events, &other, BIT(LIST)), 0);
	while (events_next(events, &place))
		left++;
	assert_int_equal(left, EVENTS_LOG);
	events_free(events);
}

static void the_ring_is_taken_with_wall_clock_and_name(void **state)
{
	struct segment stray = { FROM_CLIENT, .flags = ACK };
	struct pins pins = pins_of(*state);
	struct events *events = events_new(&pins);
	struct events_place place = { 0 };
	const struct tg_event *event;

	events_watch(events, TG_WATCH_EVENTS);
	EXPECT(*state, &stray, false, TG_DROP_NO_FLOW);
	assert_int_equal(events_take(events), 1);
	event = events_next(events, &place);
	assert_int_equal(event->type, TG_EVENT_DROP);
	assert_string_equal(event->iface, "eth7");
	assert_true(event->time_ns > 1700000000ULL * 1000000000);
	events_watch(events, 0);
	EXPECT(*state, &stray, false, TG_DROP_NO_FLOW);
	assert_int_equal(events_take(events), 0);
	events_free(events);
}

static void what_a_killed_daemon_left_is_thrown_away(void **state)
{
	struct segment stray = { FROM_CLIENT, .flags = ACK };
	struct tg_settings *settings = guard_settings(*state);
	struct pins pins = pins_of(*state);
	struct events *events;

	settings->watch = TG_WATCH_EVENTS | TG_WATCH_TRACE | TG_WATCH_CAPTURE;
	settings->watched.traced[1] = 77;
	settings->watched.readers = 5;
	EXPECT(*state, &stray, false, TG_DROP_NO_FLOW);
	events = events_new(&pins);
	/* The capture is not the daemon's to end. */
	assert_int_equal(settings->watch, TG_WATCH_CAPTURE);
	assert_int_equal(settings->watched.traced[1], 0);
	assert_int_equal(settings->watched.readers, 0);
	events_watch(events, TG_WATCH_EVENTS);
	assert_int_equal(events_take(events), 0);
	events_free(events);
	assert_int_equal(settings->watch, TG_WATCH_CAPTURE);
}

static void readers_share_a_trace(void **state)
{
	struct tg_settings *settings = guard_settings(*state);
	struct pins pins = pins_of(*state);
	struct events *events = events_new(&pins);
	uint64_t tag[TG_TRACES_MAX];
	struct tg_flow_key key = { .zone = 0 };
	int i;

	pins.info.coefficient[0][1] = 12345;
	pins.info.coefficient[1][1] = 67891;
	for (i = 0; i < TG_TRACES_MAX; i++) {
		key.lo_addr[0] = htonl(i + 1);
		tag[i] = events_trace(events, &key);
		assert_true(tag[i]);
	}
	assert_int_equal(events_trace(events, &key), tag[i - 1]); /* a second reader of the last */
	key.lo_addr[0] = htonl(99);
	assert_int_equal(events_trace(events, &key), 0);
	events_untrace(events, tag[i - 1]);
	assert_int_equal(events_trace(events, &key), 0); /* still one reader */
	events_untrace(events, tag[i - 1]);
	assert_true(events_trace(events, &key));
	events_free(events);
	for (i = 0; i < TG_TRACES_MAX; i++)
		assert_int_equal(settings->watched.traced[i], 0);
}

static void a_flow_the_sweep_frees_ends(void **state)
{
	const struct tg_half open = { .facts = TG_FACT_SYN | TG_FACT_HASACK | TG_FACT_ACKSYN };
	struct ager_freed freed = { .slot.half = { open, open }, .number = 9, .now_ms = 5000 };
	struct pins pins = pins_of(*state);
	struct events *events = events_new(&pins);
	struct events_place place = { 0 };
	const struct tg_event *event;

	freed.detail.created_ms = 1000;
	freed.detail.count[TG_SIDE_HI].bytes = 123;
	events_say_freed(events, &freed);
	freed.evicted = true;
	events_say_freed(events, &freed);
	/* Its end was told when the RST came. */
	freed.slot.half[TG_SIDE_LO].facts |= TG_FACT_RST;
	events_say_freed(events, &freed);
	event = events_next(events, &place);
	assert_int_equal(event->type, TG_EVENT_END);
	assert_int_equal(event->cause, TG_END_TIMEOUT);
	assert_int_equal(event->number, 9);
	assert_int_equal(event->age_ms, 4000);
	assert_int_equal(event->bytes[TG_SIDE_HI], 123);
	assert_int_equal(event->state[TG_SIDE_LO], TG_TCP_ESTABLISHED);
	assert_int_equal(events_next(events, &place)->cause, TG_END_EVICTED);
	assert_null(events_next(events, &place));
	events_free(events);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, guard_setup, guard_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_place_reads_in_order),
		TEST(what_a_slow_reader_misses_is_exact_by_type),
		TEST(the_ring_is_taken_with_wall_clock_and_name),
		TEST(what_a_killed_daemon_left_is_thrown_away),
		TEST(readers_share_a_trace),
		TEST(a_flow_the_sweep_frees_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
