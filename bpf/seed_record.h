/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the socket iterator (seed.bpf.c) tells the daemon about one TCP socket: fixed size, no
 * meaning added.  What it says about a flow: daemon/seed_flow.c.
 */
#ifndef TG_BPF_SEED_RECORD_H
#define TG_BPF_SEED_RECORD_H

#include "tcpguard/types.h"

/* Kernel states, include/net/tcp_states.h. */
enum tg_socket_state {
	TG_SOCKET_ESTABLISHED = 1,
	TG_SOCKET_SYN_SENT = 2,
	TG_SOCKET_SYN_RECV = 3, /* a full socket: simultaneous open, or Fast Open */
	TG_SOCKET_FIN_WAIT1 = 4,
	TG_SOCKET_FIN_WAIT2 = 5,
	TG_SOCKET_TIME_WAIT = 6,
	TG_SOCKET_CLOSE = 7,
	TG_SOCKET_CLOSE_WAIT = 8,
	TG_SOCKET_LAST_ACK = 9,
	TG_SOCKET_LISTEN = 10, /* told for its port only: says who opened the others */
	TG_SOCKET_CLOSING = 11,
	TG_SOCKET_NEW_SYN_RECV = 12, /* a request: SYN answered, not yet acknowledged */
};

/* Sequence numbers in host order, windows in bytes. */
struct tg_seed_record {
	__be32 local_addr[4]; /* IPv4 as ::ffff:a.b.c.d */
	__be32 remote_addr[4];
	__be16 local_port;
	__be16 remote_port;
	__u8 state; /* enum tg_socket_state; FIN_WAIT2 also for a timewait socket still waiting for the FIN */
	__u8 wscale_ok; /* both sides offered the option */
	__u8 local_wscale;
	__u8 remote_wscale;
	__u32 snd_una;
	__u32 snd_nxt;
	__u32 write_seq; /* beyond snd_nxt: a FIN may be queued and not sent */
	__u32 rcv_nxt;
	__u32 local_window; /* granted to the peer */
	__u32 remote_window; /* largest the peer ever granted; 0 = unknown */
	__u32 remote_window_now; /* last granted */
};

_Static_assert(sizeof(struct tg_seed_record) == 68, "one record a socket, no padding");

#endif
