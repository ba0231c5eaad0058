/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A socket's record becomes the flow it stands for: phase, both endpoints' states, exact numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/seed_flow.h"
#include "tcpguard/state.h"

#define LOCAL_PORT 80
#define REMOTE_PORT 40000

/* Ours sent 1000 bytes of which 400 are acknowledged; the peer's numbers end at 9000. */
static const struct tg_seed_record established = {
	.local_addr = { 0, 0, 0, 0 },
	.state = TG_SOCKET_ESTABLISHED,
	.wscale_ok = 1,
	.local_wscale = 7,
	.remote_wscale = 9,
	.snd_una = 5400,
	.snd_nxt = 6000,
	.write_seq = 6000,
	.rcv_nxt = 9000,
	.local_window = 64000,
	.remote_window = 70000,
	.remote_window_now = 50000,
};

static struct tg_seed_record record_in(enum tg_socket_state state)
{
	struct tg_seed_record record = established;

	record.local_addr[2] = record.remote_addr[2] = htonl(0xffff);
	record.local_addr[3] = htonl(0x0a000001);
	record.remote_addr[3] = htonl(0x0a000002);
	record.local_port = htons(LOCAL_PORT);
	record.remote_port = htons(REMOTE_PORT);
	record.state = (__u8)state;
	return record;
}

static struct seed_flow flow_of(const struct tg_seed_record *record)
{
	struct seed_flow flow;

	assert_true(seed_flow_from_record(record, 0, true, &flow));
	return flow;
}

static void assert_states(const struct seed_flow *flow, enum tg_phase phase, enum tg_tcp_state local,
			  enum tg_tcp_state remote)
{
	const struct tg_half *ours = &flow->half[flow->local], *theirs = &flow->half[!flow->local];

	assert_int_equal(tg_flow_phase(ours, theirs), phase);
	assert_int_equal(tg_endpoint_state(ours, theirs), local);
	assert_int_equal(tg_endpoint_state(theirs, ours), remote);
}

static void exact_numbers_of_an_established_socket(void **state)
{
	struct tg_seed_record record = record_in(TG_SOCKET_ESTABLISHED);
	struct seed_flow flow = flow_of(&record);
	const struct tg_half *ours = &flow.half[flow.local], *theirs = &flow.half[!flow.local];

	(void)state;
	assert_int_equal(ours->end, 6000);
	assert_int_equal(ours->ack, 9000);
	assert_int_equal(ours->right, 9000 + 64000);
	assert_int_equal(ours->maxwin, 64000);
	assert_int_equal(theirs->end, 9000);
	assert_int_equal(theirs->ack, 5400);
	assert_int_equal(theirs->right, 5400 + 50000);
	assert_int_equal(theirs->maxwin, 70000);
	assert_int_equal(tg_half_wscale(ours), 7);
	assert_int_equal(tg_half_wscale(theirs), 9);
	assert_int_equal(flow.isn[flow.local], 5399);
	assert_int_equal(flow.isn[!flow.local], 8999);
	assert_false((ours->facts | theirs->facts) & TG_FACT_PICKUP);
	assert_int_equal(tg_half_aux_kind(ours), TG_AUX_NONE);
}

static void key_and_side_are_those_of_its_packets(void **state)
{
	struct tg_seed_record record = record_in(TG_SOCKET_ESTABLISHED);
	struct seed_flow flow = flow_of(&record);

	(void)state;
	assert_int_equal(flow.local, TG_SIDE_LO);
	assert_int_equal(flow.key.lo_port, htons(LOCAL_PORT));
	assert_int_equal(flow.key.hi_addr[3], htonl(0x0a000002));

	record.local_addr[3] = htonl(0x0a000003);
	flow = flow_of(&record);
	assert_int_equal(flow.local, TG_SIDE_HI);
	assert_int_equal(flow.key.lo_port, htons(REMOTE_PORT));
	assert_int_equal(flow.half[TG_SIDE_HI].end, 6000);
}

static void zone_is_part_of_the_key(void **state)
{
	struct tg_seed_record record = record_in(TG_SOCKET_ESTABLISHED);
	struct seed_flow flow;

	(void)state;
	assert_true(seed_flow_from_record(&record, 42, false, &flow));
	assert_int_equal(flow.key.zone, 42);
}

static void opener_is_the_peer_of_a_listener(void **state)
{
	struct tg_seed_record record = record_in(TG_SOCKET_ESTABLISHED);
	struct seed_flow flow;

	(void)state;
	assert_true(seed_flow_from_record(&record, 0, true, &flow));
	assert_int_equal(flow.opener, !flow.local);
	assert_true(seed_flow_from_record(&record, 0, false, &flow));
	assert_int_equal(flow.opener, flow.local);
}

static void no_scaling_unless_both_offered(void **state)
{
	struct tg_seed_record record = record_in(TG_SOCKET_ESTABLISHED);
	struct seed_flow flow;

	(void)state;
	record.wscale_ok = 0;
	flow = flow_of(&record);
	assert_int_equal(tg_half_wscale(&flow.half[0]), TG_WSCALE_NONE);
	assert_int_equal(tg_half_wscale(&flow.half[1]), TG_WSCALE_NONE);
}

/* Every state a socket can be in: what the flow must show. */
static void every_state(void **unused)
{
	static const struct row {
		enum tg_socket_state state;
		bool fin_queued; /* behind data: not on the wire yet */
		bool fin_acked; /* ours */
		enum tg_phase phase;
		enum tg_tcp_state local, remote;
	} rows[] = {
		{ TG_SOCKET_ESTABLISHED, 0, 0, TG_PHASE_ESTABLISHED, TG_TCP_ESTABLISHED, TG_TCP_ESTABLISHED },
		{ TG_SOCKET_FIN_WAIT1, 0, 0, TG_PHASE_HALF_CLOSED, TG_TCP_FIN_WAIT_1, TG_TCP_ESTABLISHED },
		{ TG_SOCKET_FIN_WAIT1, 1, 0, TG_PHASE_ESTABLISHED, TG_TCP_ESTABLISHED, TG_TCP_ESTABLISHED },
		{ TG_SOCKET_FIN_WAIT2, 0, 1, TG_PHASE_HALF_CLOSED, TG_TCP_FIN_WAIT_2, TG_TCP_CLOSE_WAIT },
		{ TG_SOCKET_CLOSE_WAIT, 0, 0, TG_PHASE_HALF_CLOSED, TG_TCP_CLOSE_WAIT, TG_TCP_FIN_WAIT_2 },
		{ TG_SOCKET_CLOSING, 0, 0, TG_PHASE_LAST, TG_TCP_CLOSING, TG_TCP_FIN_WAIT_2 },
		{ TG_SOCKET_LAST_ACK, 0, 0, TG_PHASE_LAST, TG_TCP_LAST_ACK, TG_TCP_FIN_WAIT_2 },
		{ TG_SOCKET_LAST_ACK, 1, 0, TG_PHASE_HALF_CLOSED, TG_TCP_CLOSE_WAIT, TG_TCP_FIN_WAIT_2 },
		{ TG_SOCKET_TIME_WAIT, 0, 1, TG_PHASE_TIME_WAIT, TG_TCP_TIME_WAIT, TG_TCP_CLOSED },
		{ TG_SOCKET_SYN_RECV, 0, 0, TG_PHASE_SYN_RECV, TG_TCP_SYN_RECEIVED, TG_TCP_SYN_SENT },
		{ TG_SOCKET_NEW_SYN_RECV, 0, 0, TG_PHASE_SYN_RECV, TG_TCP_SYN_RECEIVED, TG_TCP_SYN_SENT },
		{ TG_SOCKET_SYN_SENT, 0, 0, TG_PHASE_SYN_SENT, TG_TCP_SYN_SENT, TG_TCP_LISTEN },
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tg_seed_record record = record_in(rows[i].state);
		struct seed_flow flow;

		if (rows[i].fin_queued)
			record.write_seq += 100;
		if (rows[i].fin_acked)
			record.snd_una = record.snd_nxt;
		flow = flow_of(&record);
		assert_states(&flow, rows[i].phase, rows[i].local, rows[i].remote);
	}
}

static void listeners_and_closed_sockets_have_no_flow(void **state)
{
	struct tg_seed_record record = record_in(TG_SOCKET_LISTEN);
	struct seed_flow flow;

	(void)state;
	assert_false(seed_flow_from_record(&record, 0, false, &flow));
	record.state = TG_SOCKET_CLOSE;
	assert_false(seed_flow_from_record(&record, 0, false, &flow));
	record.state = TG_SOCKET_SYN_SENT;
	record.snd_nxt = record.snd_una; /* no SYN is out */
	assert_false(seed_flow_from_record(&record, 0, false, &flow));
}

static void handshake_acknowledgements_are_recognised(void **state)
{
	struct tg_seed_record record = record_in(TG_SOCKET_SYN_SENT);
	struct seed_flow flow;

	(void)state;
	record.snd_una = 0xffffffff; /* ISN at the end of the circle */
	record.snd_nxt = record.write_seq = 0;
	flow = flow_of(&record);
	assert_int_equal(flow.isn[flow.local], 0xffffffff);
	assert_int_equal(flow.half[flow.local].end, 0);
	assert_int_equal(flow.half[flow.local].maxwin, 64000);
	assert_int_equal(flow.half[!flow.local].facts & TG_FACT_MASK, 0);

	record = record_in(TG_SOCKET_NEW_SYN_RECV);
	record.snd_una = 700;
	record.snd_nxt = record.write_seq = 701;
	record.remote_window = record.remote_window_now = 0;
	flow = flow_of(&record);
	assert_int_equal(flow.isn[flow.local], 700);
	assert_int_equal(flow.half[flow.local].end, 701);
	assert_int_equal(flow.half[!flow.local].maxwin, 65535);
	assert_int_equal(flow.opener, !flow.local);
}

static void windows_of_zero_leave_room_for_probes(void **state)
{
	struct tg_seed_record record = record_in(TG_SOCKET_ESTABLISHED);
	struct seed_flow flow;

	(void)state;
	record.local_window = record.remote_window_now = 0;
	flow = flow_of(&record);
	assert_int_equal(flow.half[flow.local].right, 9001);
	assert_int_equal(flow.half[flow.local].maxwin, 1);
	assert_int_equal(flow.half[!flow.local].right, 5401);
	assert_int_equal(flow.half[!flow.local].maxwin, 70000);
}

static void a_followed_flow_is_raised_a_strange_one_replaced(void **state)
{
	struct tg_seed_record record = record_in(TG_SOCKET_ESTABLISHED);
	struct seed_flow flow = flow_of(&record);
	struct tg_half have[TG_SIDE_MAX];

	(void)state;
	memcpy(have, flow.half, sizeof(have));
	assert_true(seed_flow_agrees(&flow, have));

	have[0].end += 1000000; /* it went on, */
	have[0].facts |= TG_FACT_FIN; /* and ended */
	assert_true(seed_flow_agrees(&flow, have));
	have[0].end -= 2000000; /* or we missed some */
	assert_true(seed_flow_agrees(&flow, have));

	have[0].end = flow.half[0].end + (1U << 30); /* another connection */
	assert_false(seed_flow_agrees(&flow, have));

	memcpy(have, flow.half, sizeof(have));
	have[1].facts |= TG_FACT_PICKUP; /* adopted: too wide */
	assert_false(seed_flow_agrees(&flow, have));

	memcpy(have, flow.half, sizeof(have));
	have[0].facts &= ~(__u32)TG_FACT_ACKSYN; /* still in its handshake */
	assert_false(seed_flow_agrees(&flow, have));
}

static void a_fin_the_socket_has_not_sent_was_another_connections(void **state)
{
	static const int states[] = { TG_SOCKET_ESTABLISHED, TG_SOCKET_CLOSE_WAIT, TG_SOCKET_FIN_WAIT2,
				      TG_SOCKET_TIME_WAIT };
	struct tg_half have[TG_SIDE_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct tg_seed_record record = record_in(states[i]);
		struct seed_flow flow = flow_of(&record);

		memcpy(have, flow.half, sizeof(have));
		assert_false(seed_flow_is_former(&flow, have));
		/* The peer's may wait behind data that the socket lacks. */
		have[!flow.local].facts |= TG_FACT_FIN;
		assert_false(seed_flow_is_former(&flow, have));
		have[flow.local].facts |= TG_FACT_FIN;
		assert_int_equal(seed_flow_is_former(&flow, have), i < 2);
	}
}

static void near_across_the_end_of_the_circle(void **state)
{
	struct tg_seed_record record = record_in(TG_SOCKET_ESTABLISHED);
	struct tg_half have[TG_SIDE_MAX];
	struct seed_flow flow;

	(void)state;
	record.snd_nxt = record.write_seq = 5;
	record.snd_una = 0xfffffff0;
	flow = flow_of(&record);
	memcpy(have, flow.half, sizeof(have));
	have[flow.local].end = 0xfffffff0;
	assert_true(seed_flow_agrees(&flow, have));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_numbers_of_an_established_socket),
		cmocka_unit_test(key_and_side_are_those_of_its_packets),
		cmocka_unit_test(zone_is_part_of_the_key),
		cmocka_unit_test(opener_is_the_peer_of_a_listener),
		cmocka_unit_test(no_scaling_unless_both_offered),
		cmocka_unit_test(every_state),
		cmocka_unit_test(listeners_and_closed_sockets_have_no_flow),
		cmocka_unit_test(handshake_acknowledgements_are_recognised),
		cmocka_unit_test(windows_of_zero_leave_room_for_probes),
		cmocka_unit_test(a_followed_flow_is_raised_a_strange_one_replaced),
		cmocka_unit_test(a_fin_the_socket_has_not_sent_was_another_connections),
		cmocka_unit_test(near_across_the_end_of_the_circle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
