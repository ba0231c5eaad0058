/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events through the ring: each type with every field, what a flood of them leaves, exact counts of
 * what was lost, traced flows, captured packets.  Nothing is written while nobody listens.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/key.h"
#include "tcpguard/event.h"
#include "tests/bpf/harness.h"

#define C 1001u /* the client's first byte, after guard_handshake() */
#define S 5001u
#define EVENTS_MAX 8192

/* What was read from a ring, in order. */
struct heard {
	struct tg_event event[EVENTS_MAX];
	size_t count;
};

static struct heard heard;

static int take(void *context, void *data, size_t size)
{
	struct heard *to = context;

	assert_int_equal(size, sizeof(struct tg_event));
	assert_true(to->count < EVENTS_MAX);
	memcpy(&to->event[to->count++], data, size);
	return 0;
}

/* Everything in the ring, from the beginning of `heard`. */
static size_t hear(struct guard *guard)
{
	struct ring_buffer *ring = ring_buffer__new(guard_map_fd(guard, "tg_events"), take, &heard, NULL);

	assert_non_null(ring);
	heard.count = 0;
	assert_true(ring_buffer__consume(ring) >= 0);
	ring_buffer__free(ring);
	return heard.count;
}

static void read_counts(struct guard *guard, struct tg_event_counts *sum)
{
	int cpus = libbpf_num_possible_cpus(), cpu;
	struct tg_event_counts *values = calloc((size_t)cpus, sizeof(*values));
	__u32 entry = TG_COUNTED_DATAPATH, type;

	assert_non_null(values);
	assert_int_equal(bpf_map_lookup_elem(guard_map_fd(guard, "tg_event_counts"), &entry, values), 0);
	memset(sum, 0, sizeof(*sum));
	for (cpu = 0; cpu < cpus; cpu++) {
		for (type = 0; type < TG_EVENT_MAX; type++) {
			sum->emitted[type] += values[cpu].emitted[type];
			sum->lost[type] += values[cpu].lost[type];
			sum->suppressed[type] += values[cpu].suppressed[type];
		}
		sum->captured += values[cpu].captured;
		sum->capture_lost += values[cpu].capture_lost;
		sum->capture_sampled += values[cpu].capture_sampled;
	}
	free(values);
}

static void listen_to(struct guard *guard, uint32_t what)
{
	guard_settings(guard)->watch = what;
}

/* The tag the data path computes for client and server. */
static uint64_t flow_tag(struct guard *guard)
{
	return guard_slot(guard)->tag;
}

static void expect_flow(const struct tg_event *event, struct guard *guard)
{
	assert_true(event->has_flow);
	assert_int_equal(event->tag, flow_tag(guard));
	assert_memory_equal(&event->key, &guard_detail(guard)->key, sizeof(event->key));
	assert_true(event->time_ns);
	assert_int_equal(event->iface_slot, 0);
	assert_int_equal(event->protocol, 6);
}

static void nobody_listens_nothing_is_told(void **state)
{
	struct segment stray = { FROM_CLIENT, .flags = ACK };
	struct tg_event_counts counts, none = {};

	guard_handshake(*state);
	EXPECT(*state, &stray, false, TG_PASS_OK);
	assert_int_equal(hear(*state), 0);
	read_counts(*state, &counts);
	assert_memory_equal(&counts, &none, sizeof(none));
}

static void a_connection_is_told_in_order(void **state)
{
	static const struct step after[] = {
		{ CLIENT, ACK, .seq = C, .ack = S, .payload = 100, .want = TG_PASS_OK },
		{ SERVER, ACK, .seq = S, .ack = C + 100, .payload = 300, .want = TG_PASS_OK },
		{ CLIENT, FIN | ACK, .seq = C + 100, .ack = S + 300, .want = TG_PASS_OK },
		{ SERVER, FIN | ACK, .seq = S + 300, .ack = C + 101, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C + 101, .ack = S + 301, .after_ms = 50, .want = TG_PASS_OK },
	};
	const struct tg_event *e = heard.event;
	enum tg_side client, server;
	uint64_t last = 0;
	size_t i;

	listen_to(*state, TG_WATCH_EVENTS);
	guard_handshake(*state);
	TALK(*state, after);
	assert_int_equal(hear(*state), 6);
	for (i = 0; i < heard.count; i++) {
		expect_flow(&e[i], *state);
		assert_true(e[i].time_ns > last);
		last = e[i].time_ns;
	}
	client = e[0].side;
	server = !client;
	assert_int_equal(e[0].type, TG_EVENT_NEW);
	assert_int_equal(e[0].verdict, TG_PASS_NEW);
	assert_int_equal(e[0].flags & SYN, SYN);
	assert_int_equal(e[0].seq, 1000);
	assert_int_equal(e[0].end, 1001);
	assert_int_equal(e[0].wscale, 7);
	assert_int_equal(e[0].isn[client], 1000);
	assert_int_equal(e[0].state[client], TG_TCP_SYN_SENT);
	assert_int_equal(e[0].own, 0);

	assert_int_equal(e[1].type, TG_EVENT_STATE);
	assert_int_equal(e[1].side, server);
	assert_int_equal(e[1].own, 1);
	assert_int_equal(e[1].state_before[server], TG_TCP_LISTEN);
	assert_int_equal(e[1].state[server], TG_TCP_SYN_RECEIVED);
	assert_int_equal(e[1].phase_before, TG_PHASE_SYN_SENT);
	assert_int_equal(e[1].phase, TG_PHASE_SYN_RECV);
	assert_int_equal(e[1].isn[server], 5000);

	assert_int_equal(e[2].type, TG_EVENT_STATE);
	assert_int_equal(e[2].state[client], TG_TCP_ESTABLISHED);
	assert_int_equal(e[2].state[server], TG_TCP_ESTABLISHED);
	assert_int_equal(e[2].phase, TG_PHASE_ESTABLISHED);

	assert_int_equal(e[3].type, TG_EVENT_STATE);
	assert_int_equal(e[3].state_before[client], TG_TCP_ESTABLISHED);
	assert_int_equal(e[3].state[client], TG_TCP_FIN_WAIT_1);
	assert_int_equal(e[3].phase, TG_PHASE_HALF_CLOSED);

	assert_int_equal(e[4].type, TG_EVENT_STATE);
	assert_int_equal(e[4].state[server], TG_TCP_LAST_ACK);
	assert_int_equal(e[4].phase, TG_PHASE_LAST);

	assert_int_equal(e[5].type, TG_EVENT_END);
	assert_int_equal(e[5].cause, TG_END_FIN);
	assert_int_equal(e[5].phase, TG_PHASE_TIME_WAIT);
	assert_int_equal(e[5].bytes[client], 100);
	assert_int_equal(e[5].bytes[server], 300);
	assert_int_equal(e[5].packets[client], 5);
	assert_int_equal(e[5].packets[server], 3);
	assert_int_equal(e[5].age_ms, 50);
}

static void the_handshake_says_how_long_it_took(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .after_ms = 20, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .after_ms = 15, .want = TG_PASS_OK },
	};

	listen_to(*state, TG_WATCH_EVENTS);
	TALK(*state, steps);
	assert_int_equal(hear(*state), 3);
	assert_int_equal(heard.event[1].handshake_ms, 0);
	assert_int_equal(heard.event[2].handshake_ms, 35);
}

static void each_end_has_its_cause(void **state)
{
	static const struct {
		struct step step;
		bool handshake;
		enum tg_end_cause cause;
	} ends[] = {
		{ { SERVER, RST | ACK, .seq = 0, .ack = 1001, .want = TG_PASS_REFUSED }, false, TG_END_REFUSED },
		{ { CLIENT, RST, .seq = 1001, .want = TG_PASS_ABORT }, false, TG_END_ABORT },
		{ { CLIENT, RST, .seq = C, .want = TG_PASS_RST_EXACT }, true, TG_END_RST },
	};
	static const struct step syn = { CLIENT, SYN, .seq = 1000, .want = TG_PASS_NEW };
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct guard *guard = guard_open(NULL);

		listen_to(guard, TG_WATCH_EVENTS);
		if (ends[i].handshake)
			guard_handshake(guard);
		else
			guard_say(guard, &syn, i);
		guard_say(guard, &ends[i].step, i);
		assert_true(hear(guard) >= 2);
		assert_int_equal(heard.event[heard.count - 1].type, TG_EVENT_END);
		assert_int_equal(heard.event[heard.count - 1].cause, ends[i].cause);
		assert_int_equal(heard.event[heard.count - 1].phase, TG_PHASE_CLOSED);
		guard_close(guard);
	}
	(void)state;
}

static void a_reused_port_is_a_new_flow(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, RST, .seq = C, .want = TG_PASS_RST_EXACT },
		{ CLIENT, SYN, .seq = 900000, .after_ms = 1000, .want = TG_PASS_TW_REUSE },
	};

	listen_to(*state, TG_WATCH_EVENTS);
	guard_handshake(*state);
	TALK(*state, steps);
	assert_int_equal(hear(*state), 5);
	assert_int_equal(heard.event[4].type, TG_EVENT_NEW);
	assert_int_equal(heard.event[4].verdict, TG_PASS_TW_REUSE);
}

static void a_drop_shows_the_numbers_compared(void **state)
{
	struct segment wild = { FROM_CLIENT, .flags = ACK, .seq = C + (64u << 20), .ack = S, .payload = 10,
				.window = 777 };
	const struct tg_event *e = heard.event;
	enum tg_side client;

	guard_handshake(*state);
	listen_to(*state, TG_WATCH_EVENTS);
	EXPECT(*state, &wild, false, TG_DROP_SEQ_ABOVE);
	assert_int_equal(hear(*state), 1);
	expect_flow(e, *state);
	client = e->side;
	assert_int_equal(e->type, TG_EVENT_DROP);
	assert_int_equal(e->verdict, TG_DROP_SEQ_ABOVE);
	assert_int_equal(e->outcome, TG_OUTCOME_VERDICT);
	assert_int_equal(e->seq, wild.seq);
	assert_int_equal(e->end, wild.seq + 10);
	assert_int_equal(e->ack, S);
	assert_int_equal(e->payload, 10);
	assert_int_equal(e->window, 777);
	assert_int_equal(e->flags, ACK);
	assert_memory_equal(&e->half[client], guard_half(*state, CLIENT), sizeof(struct tg_half));
	assert_memory_equal(&e->half[!client], guard_half(*state, SERVER), sizeof(struct tg_half));
	assert_int_equal(e->half[!client].right, 1001 + 65535);
	assert_int_equal(e->isn[client], 1000);
	assert_int_equal(e->isn[!client], 5000);
	assert_int_equal(e->phase, TG_PHASE_ESTABLISHED);
}

static void a_drop_without_a_flow_has_its_addresses(void **state)
{
	struct segment stray = { FROM_CLIENT, .flags = ACK, .seq = 7, .ack = 8 };
	const struct tg_event *e = heard.event;

	listen_to(*state, TG_WATCH_EVENTS);
	EXPECT(*state, &stray, false, TG_DROP_NO_FLOW);
	assert_int_equal(hear(*state), 1);
	assert_false(e->has_flow);
	assert_int_equal(e->type, TG_EVENT_DROP);
	assert_int_equal(e->verdict, TG_DROP_NO_FLOW);
	assert_memory_equal(e->side == TG_SIDE_LO ? &e->key.lo_addr[3] : &e->key.hi_addr[3],
			    guard_client.address, 4);
	assert_int_equal(ntohs(e->side == TG_SIDE_LO ? e->key.lo_port : e->key.hi_port),
			 guard_client.port);
}

static void a_malformed_packet_has_no_flow(void **state)
{
	struct segment cut = { FROM_CLIENT, .flags = SYN, .cut = 4 };

	listen_to(*state, TG_WATCH_EVENTS);
	EXPECT(*state, &cut, false, TG_DROP_BAD_HDR);
	assert_int_equal(hear(*state), 1);
	assert_int_equal(heard.event[0].verdict, TG_DROP_BAD_HDR);
	assert_int_equal(heard.event[0].tag, 0);
	assert_false(heard.event[0].has_flow);
}

static void the_outcome_says_what_was_done(void **state)
{
	struct segment stray = { FROM_CLIENT, .flags = ACK };
	struct segment ours = { FROM_SERVER, .flags = ACK };

	listen_to(*state, TG_WATCH_EVENTS);
	guard_settings(*state)->config[0].iface[0].mode = TG_MODE_MONITOR;
	EXPECT(*state, &stray, false, TG_DROP_NO_FLOW);
	guard_settings(*state)->bypass = 1;
	EXPECT(*state, &stray, false, TG_DROP_NO_FLOW);
	/* Our own are never dropped and no event. */
	EXPECT(*state, &ours, true, TG_DROP_NO_FLOW);
	assert_int_equal(hear(*state), 2);
	assert_int_equal(heard.event[0].outcome, TG_OUTCOME_WOULD_DROP);
	assert_int_equal(heard.event[1].outcome, TG_OUTCOME_BYPASS);
}

static void equal_drops_are_thinned_out_and_counted(void **state)
{
	struct segment stray = { FROM_CLIENT, .flags = ACK };
	struct segment other = { FROM_CLIENT, .flags = SYN | FIN };
	struct tg_event_counts counts;
	int i;

	guard_settings(*state)->config[0].events_sample = 50;
	guard_settings(*state)->config[0].events_per_second = 12;
	listen_to(*state, TG_WATCH_EVENTS);
	for (i = 0; i < 500; i++)
		EXPECT(*state, &stray, false, TG_DROP_NO_FLOW);
	/* The first ten, then the 51st and the 101st; the limit ends it. */
	assert_int_equal(hear(*state), 12);
	read_counts(*state, &counts);
	assert_int_equal(counts.emitted[TG_EVENT_DROP], 12);
	assert_int_equal(counts.suppressed[TG_EVENT_DROP], 488);
	assert_int_equal(counts.lost[TG_EVENT_DROP], 0);
	/* Another reason has an allowance of its own. */
	EXPECT(*state, &other, false, TG_DROP_BAD_FLAGS);
	assert_int_equal(hear(*state), 1);
	/* And so has the next second. */
	guard_advance_ms(*state, 1000);
	EXPECT(*state, &stray, false, TG_DROP_NO_FLOW);
	assert_int_equal(hear(*state), 1);
}

static void what_finds_no_room_is_counted_exactly(void **state)
{
	struct segment stray = { FROM_CLIENT, .flags = ACK };
	struct tg_event_counts counts;
	size_t room = (1u << 20) / (sizeof(struct tg_event) + 8), i;
	uint8_t frame[FRAME_MAX];
	size_t size = frame_build(frame, &stray);

	listen_to(*state, TG_WATCH_EVENTS);
	for (i = 0; i < room + 100; i++)
		guard_run(*state, frame, size, false);
	read_counts(*state, &counts);
	assert_int_equal(counts.emitted[TG_EVENT_DROP] + counts.lost[TG_EVENT_DROP], room + 100);
	assert_true(counts.lost[TG_EVENT_DROP] >= 100);
	assert_int_equal(hear(*state), counts.emitted[TG_EVENT_DROP]);
	/* There is room again. */
	guard_run(*state, frame, size, false);
	assert_int_equal(hear(*state), 1);
}

static void a_traced_flow_tells_every_segment(void **state)
{
	static const struct step steps[] = {
		{ CLIENT, ACK, .seq = C, .ack = S, .payload = 100, .want = TG_PASS_OK },
		{ CLIENT, ACK, .seq = C, .ack = S, .payload = 100, .want = TG_PASS_RETRANS },
	};
	static const struct endpoint other = { { 10, 0, 0, 3 }, 40000 };
	struct segment stranger = { BETWEEN(&other, &guard_server), .flags = SYN };
	uint64_t tag;
	size_t i;

	guard_handshake(*state);
	tag = flow_tag(*state);
	guard_close(*state);
	*state = guard_open(NULL); /* the same hash: the tag is known before the flow */
	guard_settings(*state)->watched.traced[2] = tag;
	listen_to(*state, TG_WATCH_TRACE);
	guard_handshake(*state);
	EXPECT(*state, &stranger, false, TG_PASS_NEW);
	TALK(*state, steps);
	assert_int_equal(hear(*state), 5);
	for (i = 0; i < heard.count; i++) {
		assert_int_equal(heard.event[i].type, TG_EVENT_TRACE);
		assert_int_equal(heard.event[i].tag, tag);
	}
	assert_int_equal(heard.event[0].verdict, TG_PASS_NEW);
	assert_int_equal(heard.event[1].verdict, TG_PASS_SYNACK);
	assert_int_equal(heard.event[4].verdict, TG_PASS_RETRANS);
	assert_int_equal(heard.event[4].payload, 100);
}

/* --- captures ------------------------------------------------------------------------------------- */

static struct tg_capture_record caught[8];
static size_t caught_count;

static int catch_one(void *context, void *data, size_t size)
{
	const struct tg_capture *head = data;

	(void)context;
	assert_true(caught_count < 8);
	assert_int_equal(size, sizeof(*head) + head->captured);
	memcpy(&caught[caught_count++], data, size);
	return 0;
}

static size_t catch_all(struct guard *guard)
{
	struct ring_buffer *ring = ring_buffer__new(guard_map_fd(guard, "tg_captures"), catch_one, NULL, NULL);

	assert_non_null(ring);
	caught_count = 0;
	assert_true(ring_buffer__consume(ring) >= 0);
	ring_buffer__free(ring);
	return caught_count;
}

static void ask_for(struct guard *guard, enum tg_outcome outcome, enum tg_verdict verdict, uint32_t snap)
{
	struct tg_capture_request *request = &guard_settings(guard)->watched.capture;

	request->verdicts[outcome][verdict / 64] |= 1ULL << verdict % 64;
	request->snap = snap;
	request->serial = 9;
	listen_to(guard, TG_WATCH_CAPTURE);
}

static void a_captured_packet_is_whole(void **state)
{
	struct segment stray = { FROM_CLIENT, .flags = ACK, .payload = 1000 };
	struct segment syn = { FROM_CLIENT, .flags = SYN };
	uint8_t frame[FRAME_MAX];
	size_t size = frame_build(frame, &stray);

	ask_for(*state, TG_OUTCOME_VERDICT, TG_DROP_NO_FLOW, TG_CAPTURE_BYTES);
	EXPECT(*state, &stray, false, TG_DROP_NO_FLOW);
	EXPECT(*state, &syn, false, TG_PASS_NEW);
	assert_int_equal(catch_all(*state), 1);
	assert_int_equal(caught[0].head.length, size);
	assert_int_equal(caught[0].head.captured, size);
	assert_int_equal(caught[0].head.verdict, TG_DROP_NO_FLOW);
	assert_int_equal(caught[0].head.outcome, TG_OUTCOME_VERDICT);
	assert_int_equal(caught[0].head.serial, 9);
	assert_int_equal(caught[0].head.egress, 0);
	assert_false(caught[0].head.has_flow);
	assert_true(caught[0].head.time_ns);
	assert_memory_equal(caught[0].bytes, frame, size);
}

static void a_captured_packet_is_cut_at_the_snap_length(void **state)
{
	struct segment syn = { FROM_CLIENT, .flags = SYN, .payload = 400 };
	uint8_t frame[FRAME_MAX];
	size_t size = frame_build(frame, &syn);

	ask_for(*state, TG_OUTCOME_VERDICT, TG_PASS_NEW, 100);
	EXPECT(*state, &syn, false, TG_PASS_NEW);
	assert_int_equal(catch_all(*state), 1);
	assert_int_equal(caught[0].head.length, size);
	assert_int_equal(caught[0].head.captured, 100);
	assert_true(caught[0].head.has_flow);
	assert_int_equal(caught[0].head.tag, flow_tag(*state));
	assert_memory_equal(caught[0].bytes, frame, 100);
}

static void a_capture_follows_one_flow_at_both_hooks(void **state)
{
	static const struct endpoint other = { { 10, 0, 0, 3 }, 40000 };
	struct segment stranger = { BETWEEN(&other, &guard_server), .flags = SYN };
	struct segment reply = { FROM_SERVER, .flags = ACK, .seq = S, .ack = C, .payload = 5 };
	uint8_t frame[FRAME_MAX];
	size_t size = frame_build(frame, &reply);

	guard_handshake(*state);
	ask_for(*state, TG_OUTCOME_VERDICT, TG_PASS_OK, 256);
	ask_for(*state, TG_OUTCOME_VERDICT, TG_PASS_NEW, 256);
	guard_settings(*state)->watched.capture.tag = flow_tag(*state);
	EXPECT(*state, &stranger, false, TG_PASS_NEW);
	EXPECT(*state, &reply, true, TG_PASS_OK);
	assert_int_equal(catch_all(*state), 1);
	assert_int_equal(caught[0].head.egress, 1);
	assert_int_equal(caught[0].head.captured, size);
	assert_memory_equal(caught[0].bytes, frame, size);
}

static void a_capture_tells_outcomes_apart(void **state)
{
	struct segment stray = { FROM_CLIENT, .flags = ACK };

	ask_for(*state, TG_OUTCOME_WOULD_DROP, TG_DROP_NO_FLOW, 64);
	EXPECT(*state, &stray, false, TG_DROP_NO_FLOW);
	assert_int_equal(catch_all(*state), 0);
	guard_settings(*state)->config[0].iface[0].mode = TG_MODE_MONITOR;
	EXPECT(*state, &stray, false, TG_DROP_NO_FLOW);
	assert_int_equal(catch_all(*state), 1);
	assert_int_equal(caught[0].head.outcome, TG_OUTCOME_WOULD_DROP);
}

static void a_capture_takes_one_in_so_many(void **state)
{
	struct segment stray = { FROM_CLIENT, .flags = ACK };
	struct tg_event_counts counts;
	int i;

	ask_for(*state, TG_OUTCOME_VERDICT, TG_DROP_NO_FLOW, 64);
	guard_settings(*state)->watched.capture.sample = 5;
	for (i = 0; i < 10; i++)
		EXPECT(*state, &stray, false, TG_DROP_NO_FLOW);
	assert_int_equal(catch_all(*state), 2);
	read_counts(*state, &counts);
	assert_int_equal(counts.captured, 2);
	assert_int_equal(counts.capture_sampled, 8);
	assert_int_equal(counts.capture_lost, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, guard_setup, guard_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_listens_nothing_is_told),
		TEST(a_connection_is_told_in_order),
		TEST(the_handshake_says_how_long_it_took),
		TEST(each_end_has_its_cause),
		TEST(a_reused_port_is_a_new_flow),
		TEST(a_drop_shows_the_numbers_compared),
		TEST(a_drop_without_a_flow_has_its_addresses),
		TEST(a_malformed_packet_has_no_flow),
		TEST(the_outcome_says_what_was_done),
		TEST(equal_drops_are_thinned_out_and_counted),
		TEST(what_finds_no_room_is_counted_exactly),
		TEST(a_traced_flow_tells_every_segment),
		TEST(a_captured_packet_is_whole),
		TEST(a_captured_packet_is_cut_at_the_snap_length),
		TEST(a_capture_follows_one_flow_at_both_hooks),
		TEST(a_capture_tells_outcomes_apart),
		TEST(a_capture_takes_one_in_so_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
