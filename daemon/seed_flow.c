/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From one socket's record to the two halves of its flow. */
#include "seed_flow.h"

#include "tcpguard/state.h"

#define UNSCALED_MAX 65535U
#define FULLY_OPEN (TG_FACT_SYN | TG_FACT_ACKSYN | TG_FACT_HASACK)

/*
 * How far a flow that is being followed may be from what its socket says: what 10 Gbit/s move in
 * 50 ms.  A wrong "no" replaces exact numbers by exact numbers.
 */
#define NEAR (1U << 26)

static __u32 at_least(__u32 value, __u32 least)
{
	return value > least ? value : least;
}

static __u32 at_most(__u32 value, __u32 most)
{
	return value < most ? value : most;
}

static void identify(const struct tg_seed_record *record, __u16 zone, struct seed_flow *flow)
{
	struct tg_packet from_us = { .sport = record->local_port, .dport = record->remote_port };

	memcpy(from_us.saddr, record->local_addr, sizeof(from_us.saddr));
	memcpy(from_us.daddr, record->remote_addr, sizeof(from_us.daddr));
	flow->local = tg_packet_side(&from_us);
	tg_key_from_packet(&from_us, flow->local, zone, &flow->key);
}

/* Our SYN is out, nothing came back. */
static bool fill_syn_sent(const struct tg_seed_record *record, struct tg_half *local, __u32 *isn)
{
	if (record->snd_nxt == record->snd_una)
		return false; /* not even that */
	*isn = record->snd_una;
	local->end = record->snd_nxt;
	local->maxwin = at_least(at_most(record->local_window, UNSCALED_MAX), 1);
	local->facts = TG_FACT_SYN | (__u32)record->local_wscale << TG_WSCALE_SHIFT;
	return true;
}

static void fill_local(const struct tg_seed_record *record, struct tg_half *local)
{
	local->end = record->snd_nxt;
	local->ack = record->rcv_nxt;
	local->maxwin = at_least(record->local_window, 1);
	/*
	 * The edge: an ACK for what is received but not acknowledged yet may leave at any
	 * moment.
	 */
	local->right = record->rcv_nxt + local->maxwin;
	local->facts |= FULLY_OPEN;
}

static void fill_remote(const struct tg_seed_record *record, struct tg_half *remote)
{
	__u32 window = at_least(record->remote_window, record->remote_window_now);

	remote->end = record->rcv_nxt;
	remote->ack = record->snd_una;
	remote->maxwin = window ? window : UNSCALED_MAX;
	remote->right = record->snd_una + at_least(record->remote_window_now, 1);
	remote->facts |= FULLY_OPEN;
}

/* SYN-ACK sent, its ACK not yet seen: the peer has sent its SYN and nothing else. */
static void undo_third_step(struct tg_half *remote)
{
	remote->ack = 0;
	remote->right = 0;
	remote->facts &= ~(__u32)(TG_FACT_ACKSYN | TG_FACT_HASACK);
}

static void add_fins(const struct tg_seed_record *record, struct tg_half *local,
		     struct tg_half *remote)
{
	bool sent = record->snd_nxt == record->write_seq; /* else the FIN waits behind data */

	switch (record->state) {
	case TG_SOCKET_FIN_WAIT1:
		local->facts |= sent ? TG_FACT_FIN : 0;
		break;
	case TG_SOCKET_FIN_WAIT2:
		local->facts |= TG_FACT_FIN;
		break;
	case TG_SOCKET_CLOSING: /* crossing: neither had acknowledged the other's */
		local->facts |= sent ? TG_FACT_FIN : 0;
		remote->facts |= TG_FACT_FIN;
		break;
	case TG_SOCKET_TIME_WAIT: /* a simultaneous close cannot be told from this */
		local->facts |= TG_FACT_FIN;
		remote->facts |= TG_FACT_FIN | TG_FACT_PASSIVE;
		break;
	case TG_SOCKET_CLOSE_WAIT:
		remote->facts |= TG_FACT_FIN;
		break;
	case TG_SOCKET_LAST_ACK:
		local->facts |= sent ? TG_FACT_FIN | TG_FACT_PASSIVE : 0;
		remote->facts |= TG_FACT_FIN;
		break;
	}
}

static __u32 wscale_fact(const struct tg_seed_record *record, __u8 wscale)
{
	return (__u32)(record->wscale_ok ? wscale : TG_WSCALE_NONE) << TG_WSCALE_SHIFT;
}

bool seed_flow_from_record(const struct tg_seed_record *record, __u16 zone, bool local_listens,
			   struct seed_flow *flow)
{
	bool answered = record->state == TG_SOCKET_NEW_SYN_RECV || record->state == TG_SOCKET_SYN_RECV;
	struct tg_half *local, *remote;

	memset(flow, 0, sizeof(*flow));
	if (record->state == TG_SOCKET_LISTEN || record->state == TG_SOCKET_CLOSE)
		return false;
	identify(record, zone, flow);
	local = &flow->half[flow->local];
	remote = &flow->half[!flow->local];
	local->facts = wscale_fact(record, record->local_wscale);
	remote->facts = wscale_fact(record, record->remote_wscale);

	if (record->state == TG_SOCKET_SYN_SENT) {
		flow->opener = flow->local;
		remote->facts = (__u32)TG_WSCALE_NONE << TG_WSCALE_SHIFT;
		return fill_syn_sent(record, local, &flow->isn[flow->local]);
	}
	flow->opener = answered || local_listens ? !flow->local : flow->local;
	/* Where the ISN is long gone, any number that everything sent since lies behind will do. */
	flow->isn[flow->local] = record->state == TG_SOCKET_NEW_SYN_RECV ? record->snd_una :
									   record->snd_una - 1;
	flow->isn[!flow->local] = record->rcv_nxt - 1;
	fill_local(record, local);
	fill_remote(record, remote);
	if (answered)
		undo_third_step(remote);
	else
		add_fins(record, local, remote);
	return true;
}

static bool near(__u32 a, __u32 b)
{
	return a - b + NEAR <= 2 * NEAR;
}

bool seed_flow_agrees(const struct seed_flow *flow, const struct tg_half *have)
{
	int side;

	for (side = 0; side < TG_SIDE_MAX; side++) {
		const struct tg_half *want = &flow->half[side];

		if (!(want->facts & TG_FACT_SYN))
			continue;
		if (have[side].facts & (TG_FACT_PICKUP | TG_FACT_RST))
			return false;
		if (want->facts & FULLY_OPEN & ~have[side].facts)
			return false;
		if (!near(have[side].end, want->end))
			return false;
	}
	return true;
}

bool seed_flow_is_former(const struct seed_flow *flow, const struct tg_half *have)
{
	return have[flow->local].facts & ~flow->half[flow->local].facts & TG_FACT_FIN;
}
