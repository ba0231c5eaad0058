// SPDX-License-Identifier: GPL-2.0-only
/*
 * iter/tcp: one record for each TCP socket of the reader's network namespace.  Chooses nothing but
 * what cannot be a flow (closed sockets, loopback); the kernel holds the socket's lock meanwhile, so
 * the numbers of one record belong together.  A second object: loaded for attach only.
 */
#include "tcpguard/types.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "seed_record.h"

#define AF_INET 2
#define AF_INET6 10

static __always_inline bool read_addresses(const struct sock_common *sk, struct tg_seed_record *record)
{
	if (sk->skc_family == AF_INET) {
		record->local_addr[2] = record->remote_addr[2] = bpf_htonl(0xffff);
		record->local_addr[3] = sk->skc_rcv_saddr;
		record->remote_addr[3] = sk->skc_daddr;
	} else if (sk->skc_family == AF_INET6) {
		record->local_addr[0] = sk->skc_v6_rcv_saddr.in6_u.u6_addr32[0];
		record->local_addr[1] = sk->skc_v6_rcv_saddr.in6_u.u6_addr32[1];
		record->local_addr[2] = sk->skc_v6_rcv_saddr.in6_u.u6_addr32[2];
		record->local_addr[3] = sk->skc_v6_rcv_saddr.in6_u.u6_addr32[3];
		record->remote_addr[0] = sk->skc_v6_daddr.in6_u.u6_addr32[0];
		record->remote_addr[1] = sk->skc_v6_daddr.in6_u.u6_addr32[1];
		record->remote_addr[2] = sk->skc_v6_daddr.in6_u.u6_addr32[2];
		record->remote_addr[3] = sk->skc_v6_daddr.in6_u.u6_addr32[3];
	} else {
		return false;
	}
	record->local_port = bpf_htons(sk->skc_num);
	record->remote_port = sk->skc_dport;
	return true;
}

/* 127/8 or ::1: the loopback interface is never attached. */
static __always_inline bool is_loopback(const __be32 *address)
{
	if (address[0] | address[1])
		return false;
	if (address[2] == bpf_htonl(0xffff))
		return (address[3] & bpf_htonl(0xff000000)) == bpf_htonl(0x7f000000);
	return !address[2] && address[3] == bpf_htonl(1);
}

static __always_inline bool read_full(struct sock_common *sk, struct tg_seed_record *record)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	if (!tp)
		return false;
	record->snd_una = tp->snd_una;
	record->snd_nxt = tp->snd_nxt;
	record->write_seq = tp->write_seq;
	record->rcv_nxt = tp->rcv_nxt;
	record->local_window = tp->rcv_wnd;
	record->remote_window = tp->max_window;
	record->remote_window_now = tp->snd_wnd;
	record->wscale_ok = BPF_CORE_READ_BITFIELD(tp, rx_opt.wscale_ok);
	record->remote_wscale = BPF_CORE_READ_BITFIELD(tp, rx_opt.snd_wscale);
	record->local_wscale = BPF_CORE_READ_BITFIELD(tp, rx_opt.rcv_wscale);
	return true;
}

/* A request: our SYN-ACK is out or about to be.  The peer's window is not kept. */
static __always_inline bool read_request(struct sock_common *sk, struct tg_seed_record *record)
{
	struct tcp_request_sock *request = bpf_skc_to_tcp_request_sock(sk);

	if (!request)
		return false;
	record->snd_una = request->snt_isn;
	record->snd_nxt = record->write_seq = request->snt_isn + 1;
	record->rcv_nxt = request->rcv_nxt;
	record->local_window = request->req.req.__req_common.skc_rcv_wnd;
	record->wscale_ok = BPF_CORE_READ_BITFIELD(&request->req, wscale_ok);
	record->remote_wscale = BPF_CORE_READ_BITFIELD(&request->req, snd_wscale);
	record->local_wscale = BPF_CORE_READ_BITFIELD(&request->req, rcv_wscale);
	return true;
}

/* What is left of a socket in TIME_WAIT or, orphaned, in FIN_WAIT_2: numbers, no windows of the peer. */
static __always_inline bool read_timewait(struct sock_common *sk, struct tg_seed_record *record)
{
	struct tcp_timewait_sock *tw = bpf_skc_to_tcp_timewait_sock(sk);

	if (!tw)
		return false;
	record->state = tw->tw_sk.tw_substate;
	record->snd_una = record->snd_nxt = record->write_seq = tw->tw_sk.__tw_common.skc_tw_snd_nxt;
	record->rcv_nxt = tw->tw_sk.__tw_common.skc_tw_rcv_nxt;
	record->local_window = tw->tw_rcv_wnd;
	record->local_wscale = tw->tw_sk.tw_rcv_wscale;
	record->wscale_ok = record->local_wscale != 0; /* zero also means "not offered": scales nothing */
	return true;
}

static __always_inline bool read_socket(struct sock_common *sk, struct tg_seed_record *record)
{
	switch (record->state) {
	case TG_SOCKET_LISTEN:
		return true;
	case TG_SOCKET_CLOSE:
		return false;
	case TG_SOCKET_TIME_WAIT:
		return read_timewait(sk, record);
	case TG_SOCKET_NEW_SYN_RECV:
		return read_request(sk, record);
	default:
		return read_full(sk, record);
	}
}

SEC("iter/tcp")
int tg_seed(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;
	struct tg_seed_record record = {};

	if (!sk || !read_addresses(sk, &record))
		return 0;
	record.state = sk->skc_state;
	if (!read_socket(sk, &record))
		return 0;
	if (record.state != TG_SOCKET_LISTEN && is_loopback(record.remote_addr))
		return 0;
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
