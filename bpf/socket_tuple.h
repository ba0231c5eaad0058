/* SPDX-License-Identifier: GPL-2.0-only */
/* How the kernel's socket look-up wants a connection named. */
#ifndef TG_BPF_SOCKET_TUPLE_H
#define TG_BPF_SOCKET_TUPLE_H

#include "packet.h"

/* enum tcp_state of the kernel: what a found socket may be. */
#define TG_SK_LISTEN 10

/* The tuple as a packet to us would carry it; *tuple is zero.  Returns its size. */
TG_INLINE __u32 tg_socket_tuple(const struct tg_packet *pkt, struct bpf_sock_tuple *tuple)
{
	const __be32 *remote = pkt->own ? pkt->daddr : pkt->saddr;
	const __be32 *local = pkt->own ? pkt->saddr : pkt->daddr;
	__be16 remote_port = pkt->own ? pkt->dport : pkt->sport;
	__be16 local_port = pkt->own ? pkt->sport : pkt->dport;

	if (pkt->ipv4) {
		tuple->ipv4.saddr = remote[3];
		tuple->ipv4.daddr = local[3];
		tuple->ipv4.sport = remote_port;
		tuple->ipv4.dport = local_port;
		return sizeof(tuple->ipv4);
	}
	__builtin_memcpy(tuple->ipv6.saddr, remote, sizeof(tuple->ipv6.saddr));
	__builtin_memcpy(tuple->ipv6.daddr, local, sizeof(tuple->ipv6.daddr));
	tuple->ipv6.sport = remote_port;
	tuple->ipv6.dport = local_port;
	return sizeof(tuple->ipv6);
}

#endif
