/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The oracle of an end host: does a local socket own this connection?  Asked only when no flow is
 * found, within a budget per CPU, so that a flood of stray segments cannot buy look-ups.
 */
#ifndef TG_BPF_SOCKET_H
#define TG_BPF_SOCKET_H

#include "flow_table.h"
#include "socket_tuple.h"

/* enum tcp_state of the kernel, as far as needed. */
#define TG_SK_CLOSE 7
#define TG_SK_TIME_WAIT 6

#define TG_BUDGET_WINDOW_MS 100

/* Per CPU, plain writes: XDP interrupting TC egress may spend one look-up too many. */
TG_INLINE bool tg_budget_allows(const struct tg_settings *settings, __u64 now_ms)
{
	__u32 zero = 0, window = now_ms / TG_BUDGET_WINDOW_MS;
	struct tg_budget *budget = bpf_map_lookup_elem(&tg_budget, &zero);

	if (!budget)
		return false;
	if (budget->window != window) {
		budget->window = window;
		budget->used = 0;
	}
	if (budget->used >= settings->lookups_per_100ms)
		return false;
	budget->used++;
	return true;
}

/* A socket of this very connection that is still alive.  Listeners and TIME_WAIT do not count. */
static __noinline bool tg_socket_vouches(void *ctx, const struct tg_packet *pkt)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *socket;
	__u32 state;

	socket = bpf_skc_lookup_tcp(ctx, &tuple, tg_socket_tuple(pkt, &tuple), BPF_F_CURRENT_NETNS, 0);
	if (!socket)
		return false;
	state = socket->state;
	bpf_sk_release(socket);
	return state != TG_SK_LISTEN && state != TG_SK_TIME_WAIT && state != TG_SK_CLOSE;
}

#endif
