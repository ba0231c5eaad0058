/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SYN cookies at XDP: the SYN of a challenged destination is answered from here, and the ACK that
 * brings the cookie back opens a flow.  In between nothing is stored.  The listener is asked first:
 * where nobody listens, or the kernel would not take the ACK, the SYN goes to the stack.
 * Which destinations are challenged, and when, is not decided here.
 */
#ifndef TG_BPF_SYN_COOKIE_H
#define TG_BPF_SYN_COOKIE_H

#include <bpf/bpf_core_read.h>

#include "cookie.bpf.h"
#include "flow_judge.bpf.h"
#include "socket.bpf.h"
#include "syn_reply.bpf.h"
#include "tally.bpf.h"

#ifndef TG_SHARES_XDP
#define TG_SHARES_XDP 0 /* tcpguard_shared.bpf.c */
#endif

#define TG_SOCK_RCVBUF_LOCK 2 /* SO_RCVBUF was set */

/* The window and the scale this listener would answer with: the kernel's tcp_select_initial_window(). */
TG_INLINE void tg_reply_window(struct tg_reply *reply, __u32 buffer, bool locked, __u32 clamp)
{
	__u32 space = buffer / 2, most, segment, bits = 0;

	if (locked && (!clamp || clamp > space))
		clamp = space;
	if (!clamp)
		clamp = 0xffffU << TG_WSCALE_MAX;
	most = space > tg_cookie_program.receive_max ? space : tg_cookie_program.receive_max;
	most = most < clamp ? most : clamp;
	while (bits < TG_WSCALE_MAX && most >> (16 + bits))
		bits++;
	reply->terms.own_wscale = bits;
	space = space < clamp ? space : clamp;
	segment = reply->answer.mss - (reply->terms.timestamps ? 12 : 0);
	if (segment && space > segment)
		space -= space % segment;
	reply->answer.window = space < 0xffff ? space : 0xffff;
}

/* The least of a segment that the kernel's cookie helpers read. */
struct tg_kernel_segment {
	union {
		struct tg_ipv4 v4;
		struct tg_ipv6 v6;
	} ip;
	struct tg_tcp tcp;
	__be32 mss;
};

TG_INLINE void tg_kernel_segment_fill(struct tg_kernel_segment *segment, const struct tg_packet *pkt)
{
	bool mss = (pkt->options & TG_OPT_MSS) && (pkt->flags & TG_SYN);

	if (pkt->ipv4) {
		segment->ip.v4.version_ihl = 0x45;
		segment->ip.v4.saddr = pkt->saddr[3];
		segment->ip.v4.daddr = pkt->daddr[3];
	} else {
		segment->ip.v6.version_class = 0x60;
		__builtin_memcpy(segment->ip.v6.saddr, pkt->saddr, sizeof(pkt->saddr));
		__builtin_memcpy(segment->ip.v6.daddr, pkt->daddr, sizeof(pkt->daddr));
	}
	segment->tcp.sport = pkt->sport;
	segment->tcp.dport = pkt->dport;
	segment->tcp.seq = bpf_htonl(pkt->seq);
	segment->tcp.ack = bpf_htonl(pkt->ack);
	segment->tcp.flags = pkt->flags & (TG_SYN | TG_ACK);
	segment->tcp.offset_reserved = (sizeof(segment->tcp) + (mss ? 4 : 0)) / 4 << 4;
	segment->mss = mss ? bpf_htonl(TG_OPTION_MSS << 24 | 4 << 16 | pkt->mss) : 0;
}

/* The listener's own cookie: the kernel makes one once that listener's queue has overflowed. */
TG_INLINE bool tg_reply_from_listener(struct bpf_sock *socket, const struct tg_packet *pkt,
				      struct tg_reply *reply)
{
	struct tg_kernel_segment segment = {};
	__s64 cookie;

	tg_kernel_segment_fill(&segment, pkt);
	cookie = bpf_tcp_gen_syncookie(socket, &segment.ip, sizeof(segment.ip),
				       (struct tcphdr *)&segment.tcp,
				       pkt->options & TG_OPT_MSS ? sizeof(segment.tcp) + 4 :
								   sizeof(segment.tcp));
	if (cookie < 0)
		return false;
	reply->answer.cookie = cookie;
	reply->terms.timestamps = reply->terms.sack = reply->terms.ecn = false;
	reply->terms.wscale = TG_WSCALE_NONE;
	return true;
}

/* Can the ACK be handed to this listener?  The kernel refuses to for MPTCP's (Go listens so). */
TG_INLINE bool tg_takes_own_cookie(const struct tcp_sock *listener)
{
	return tg_cookie_program.kind == TG_COOKIE_OWN &&
	       !(bpf_core_field_exists(listener->is_mptcp) && listener->is_mptcp);
}

/* Asks whoever listens there.  1: answer the SYN; 0: the stack shall. */
TG_GLOBAL int tg_reply_listener(struct xdp_md *ctx, const struct tg_packet *pkt,
				struct tg_reply *reply)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *socket;
	struct tcp_sock *listener;
	bool answers = false;

	if (!pkt || !reply)
		return 0;
	socket = bpf_skc_lookup_tcp(ctx, &tuple, tg_socket_tuple(pkt, &tuple), BPF_F_CURRENT_NETNS, 0);
	if (!socket) {
		tg_tally(TG_TALLY_COOKIE_NO_LISTENER);
		return 0;
	}
	listener = bpf_skc_to_tcp_sock(socket);
	if (socket->state == TG_SK_LISTEN && listener) {
		struct sock *sk = &listener->inet_conn.icsk_inet.sk;

		reply->own = tg_takes_own_cookie(listener) && !reply->stacked;
		answers = reply->own || tg_reply_from_listener(socket, pkt, reply);
		/* Four bits before some kernel between 6.12 and 6.18, a byte since: a plain load would fit one. */
		tg_reply_window(reply, sk->sk_rcvbuf,
				BPF_CORE_READ_BITFIELD(sk, sk_userlocks) & TG_SOCK_RCVBUF_LOCK,
				listener->window_clamp);
	}
	bpf_sk_release(socket);
	return answers;
}

/* Some write will do, whichever CPU's: readers look at minutes. */
TG_INLINE void tg_note_sent(__u64 *sent_ms, __u64 now_ms)
{
	if (TG_READ_ONCE(*sent_ms) + 1000 < now_ms)
		TG_WRITE_ONCE(*sent_ms, now_ms);
}

TG_GLOBAL int tg_reply_cookie(const struct tg_packet *pkt, __u64 now_ms, struct tg_reply *reply)
{
	struct tg_cookies *cookies = tg_cookies_get();

	if (!cookies || !pkt || !reply)
		return -1;
	if (!reply->own) {
		tg_note_sent(&cookies->listener_sent_ms, now_ms);
		return 0;
	}
	tg_note_sent(&cookies->sent_ms, now_ms);
	tg_terms_round(&reply->terms, pkt->ipv4);
	reply->answer.cookie = tg_cookie_make(cookies, now_ms, pkt, &reply->terms,
					      &reply->answer.timestamp);
	return 0;
}

/*
 * Turns a SYN into its SYN-ACK, in place.  CHALLENGE_SYN_COOKIE: the frame is the answer.
 * TG_UNDECIDED: it is still the SYN, which the stack shall have.
 */
TG_GLOBAL int tg_cookie_answer(struct xdp_md *ctx, const struct tg_packet *pkt, __u64 now_ms)
{
	struct tg_reply reply = {};

	if (TG_SHARES_XDP || !tg_cookie_program.kind || tg_cookie_program.no_link_header || !pkt)
		return TG_UNDECIDED;
	if (pkt->first_fragment || pkt->jumbo || (pkt->options & TG_OPT_SIGNED))
		return TG_UNDECIDED;
	reply.by_tc = tg_must_answer_by_tc(ctx);
	if (tg_reply_link(ctx, &reply) || tg_reply_terms(ctx, pkt, &reply) ||
	    tg_reply_header(ctx, pkt, &reply) ||
	    !tg_reply_listener(ctx, pkt, &reply) || tg_reply_cookie(pkt, now_ms, &reply))
		return TG_UNDECIDED;
	/* The mark first: it can be refused (no room), and nothing has been changed yet. */
	if (reply.by_tc && tg_mark_answer(ctx))
		return TG_UNDECIDED;
	if (pkt->ipv4 ? tg_reply_write4(ctx, pkt, &reply) : tg_reply_write6(ctx, pkt, &reply))
		return TG_PASS_INTERNAL;
	return TG_CHALLENGE_SYN_COOKIE;
}

/* A cookie of the listener's, for kernels and listeners that do not take ours: the kernel judges. */
static __noinline bool tg_listener_cookie_good(void *ctx, const struct tg_packet *pkt)
{
	struct tg_kernel_segment segment = {};
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *socket;
	bool good = false;

	socket = bpf_skc_lookup_tcp(ctx, &tuple, tg_socket_tuple(pkt, &tuple), BPF_F_CURRENT_NETNS, 0);
	if (!socket)
		return false;
	if (socket->state == TG_SK_LISTEN) {
		tg_kernel_segment_fill(&segment, pkt);
		good = !bpf_tcp_check_syncookie(socket, &segment.ip, sizeof(segment.ip),
						(struct tcphdr *)&segment.tcp, sizeof(segment.tcp));
	}
	bpf_sk_release(socket);
	return good;
}

/*
 * An ACK of an unknown connection towards a destination that was challenged lately: does it bring a
 * cookie back?  The terms to open the flow by, or 0.
 */
TG_GLOBAL __u32 tg_cookie_check(struct xdp_md *ctx, const struct tg_packet *pkt, __u64 now_ms)
{
	enum tg_cookie_answer answer = TG_COOKIE_WRONG;
	struct tg_settings *settings = tg_settings_get();
	struct tg_cookies *cookies = tg_cookies_get();
	struct tg_terms terms = {};

	if (!tg_cookie_program.kind || !settings || !cookies || !pkt || pkt->first_fragment)
		return 0;
	if (tg_cookie_program.kind == TG_COOKIE_OWN)
		answer = tg_cookie_verify(cookies, now_ms, pkt, &terms);
	if (answer == TG_COOKIE_GOOD) /* maybe of another host with our secret: TC must look at it, too */
		tg_note_sent(&cookies->sent_ms, now_ms);
	if (answer == TG_COOKIE_WRONG && tg_sent_lately(cookies->listener_sent_ms, now_ms) &&
	    tg_budget_allows(settings, now_ms) && tg_listener_cookie_good(ctx, pkt)) {
		terms.wscale = TG_WSCALE_NONE;
		answer = TG_COOKIE_GOOD;
	}
	if (answer == TG_COOKIE_GOOD)
		return tg_terms_pack(&terms);
	tg_tally(answer == TG_COOKIE_OLD ? TG_TALLY_COOKIE_EXPIRED : TG_TALLY_COOKIE_INVALID);
	return 0;
}

#endif
