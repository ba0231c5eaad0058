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
#include "syn_answer.h"
#include "tally.bpf.h"

#ifndef TG_SHARES_XDP
#define TG_SHARES_XDP 0 /* tcpguard_shared.bpf.c */
#endif

#define TG_ETHERNET_MIN 60 /* without checksum; shorter frames have to be padded by somebody */
#define TG_SOCK_RCVBUF_LOCK 2 /* SO_RCVBUF was set */
#define TG_XDP_SENDS 0x04 /* NETDEV_XDP_ACT_NDO_XMIT, include/uapi/linux/netdev.h */

extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym __weak;

/* Where one answer stands. */
struct tg_reply {
	struct tg_terms terms;
	struct tg_syn_answer answer;
	__u32 link; /* bytes before the IP header, TG_REPLY_LINK_MAX at most */
	bool stacked; /* two VLAN tags: TC ingress of this interface cannot hand the ACK over */
	bool own; /* a cookie of ours, else the listener's */
	bool by_tc; /* leaves through the TC ingress program */
};

/*
 * A veth's peer takes frames sent from XDP only while it polls (an XDP program or GRO on it).  Since Linux
 * 6.3 the kernel says so of the veth; before, we take it that it does not.
 */
TG_INLINE bool tg_must_answer_by_tc(struct xdp_md *ctx)
{
	const struct net_device *dev = NULL;

	if (!tg_cookie_program.veth)
		return false;
	if (!bpf_core_field_exists(dev->xdp_features))
		return true;
	dev = ((struct xdp_buff *)bpf_cast_to_kern_ctx(ctx))->rxq->dev;
	return !(dev->xdp_features & TG_XDP_SENDS);
}

/* Two VLAN tags at the most, as the parser; further ones it has not followed either. */
#define TG_REPLY_LINK_MAX (sizeof(struct tg_ethernet) + 2 * sizeof(struct tg_vlan))

/* For us, with a sender that can be answered?  VLAN tags stay where they are. */
TG_GLOBAL int tg_reply_link(struct xdp_md *ctx, struct tg_reply *reply)
{
	const void *data = (const void *)(long)ctx->data, *end = (const void *)(long)ctx->data_end;
	const struct tg_ethernet *eth = data;
	__u8 difference = 0;
	__be16 type;
	__u32 i;

	if (!reply || (const void *)(eth + 1) > end)
		return -1;
#pragma unroll
	for (i = 0; i < 6; i++)
		difference |= eth->destination[i] ^ tg_cookie_program.mac[i];
	if (difference || (eth->source[0] & 1))
		return -1;
	type = eth->type;
	reply->link = sizeof(*eth);
#pragma unroll
	for (i = 0; i < 2; i++) {
		const struct tg_vlan *vlan = data + sizeof(*eth) + i * sizeof(*vlan);

		if (!tg_is_vlan(type) || (const void *)(vlan + 1) > end)
			break;
		type = vlan->type;
		reply->link += sizeof(*vlan);
	}
	reply->stacked = reply->link == TG_REPLY_LINK_MAX;
	return 0;
}

/*
 * ECN as the stack negotiates it: both flags, from a sender that does not mark the SYN itself unless it
 * asks for AccECN (RFC 3168 6.1.1, RFC 9768).
 */
TG_INLINE bool tg_syn_asks_ecn(const struct tg_tcp *tcp, bool marked)
{
	return (tcp->flags & 0xc0) == 0xc0 && (!marked || (tcp->offset_reserved & 1));
}

/*
 * Does the SYN come from a stack on the other end of a virtual cable, its checksum left to a device?
 * Then the field holds the pseudo header's sum alone, and what we send back in the same buffer is
 * completed from that, too.  Once in 65,536 a real checksum looks so; that client asks again.
 */
TG_INLINE bool tg_sum_is_partial(const struct tg_packet *pkt, const struct tg_tcp *tcp, __u32 length)
{
	__u64 sum = (__u64)bpf_htons(TG_PROTO_TCP) + bpf_htons((__u16)length);
	__u32 i;

#pragma unroll
	for (i = 0; i < 4; i++)
		if (!pkt->ipv4 || i == 3)
			sum += (__u64)pkt->saddr[i] + pkt->daddr[i];
	return tcp->checksum == (__u16)~tg_sum_finish(sum);
}

/* What the packet's own description leaves out.  Not behind IPv6 extension headers: not worth the walk. */
TG_GLOBAL int tg_reply_header(struct xdp_md *ctx, const struct tg_packet *pkt, struct tg_reply *reply)
{
	const void *data = (const void *)(long)ctx->data, *end = (const void *)(long)ctx->data_end;
	__u32 link = reply ? reply->link : 0, header;
	const struct tg_tcp *tcp;
	const __u8 *ip;

	if (!pkt || !reply || link > TG_REPLY_LINK_MAX || data + link + sizeof(struct tg_ipv4) > end)
		return -1;
	ip = data + link;
	if (!pkt->ipv4 && ip[6] != TG_PROTO_TCP)
		return 0;
	header = pkt->ipv4 ? (ip[0] & 15) * 4 : sizeof(struct tg_ipv6);
	tcp = (const void *)(ip + header);
	if ((const void *)(tcp + 1) > end)
		return -1;
	reply->terms.ecn = (tg_cookie_program.options & TG_COOKIE_ECN) &&
			   tg_syn_asks_ecn(tcp, pkt->ipv4 ? ip[1] & 3 : ip[1] & 0x30);
	reply->answer.partial = reply->by_tc && tg_sum_is_partial(pkt, tcp, pkt->bytes - header);
	/* The buffer remembers where TCP begins: it must stay there. */
	return reply->answer.partial && pkt->ipv4 && header != sizeof(struct tg_ipv4) ? -1 : 0;
}

/* What the client offers and this machine takes, and the room it left. */
TG_GLOBAL int tg_reply_terms(struct xdp_md *ctx, const struct tg_packet *pkt, struct tg_reply *reply)
{
	__u32 mtu = 0, headers, options = tg_cookie_program.options;
	struct tg_terms *terms;

	if (!pkt || !reply || bpf_check_mtu(ctx, 0, &mtu, 0, 0) < 0)
		return -1;
	headers = sizeof(struct tg_tcp) +
		  (pkt->ipv4 ? sizeof(struct tg_ipv4) : sizeof(struct tg_ipv6));
	if (mtu <= headers || pkt->bytes < headers)
		return -1;
	mtu -= headers;
	reply->answer.mss = mtu < 0xffff ? mtu : 0xffff;
	reply->answer.room = pkt->bytes - headers < TG_OPTIONS_MAX ? pkt->bytes - headers :
								     TG_OPTIONS_MAX;
	terms = &reply->terms;
	terms->mss = pkt->options & TG_OPT_MSS ? pkt->mss : 0;
	terms->timestamps = (pkt->options & TG_OPT_TIMESTAMPS) && (options & TG_COOKIE_TIMESTAMPS);
	terms->sack = (pkt->options & TG_OPT_SACK_PERMITTED) && (options & TG_COOKIE_SACK);
	terms->wscale = (pkt->options & TG_OPT_WSCALE) && (options & TG_COOKIE_WSCALE) ?
				pkt->wscale :
				TG_WSCALE_NONE;
	return 0;
}

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

/* Cuts the frame to length, never below Ethernet's least, and clears what is left behind the packet. */
TG_INLINE int tg_trim_frame(struct xdp_md *ctx, __u32 length)
{
	__u32 have = bpf_xdp_get_buff_len(ctx), least = TG_ETHERNET_MIN, pad;
	__u64 zeros = 0;

	if (have < least)
		least = have;
	if (length > have)
		return -1;
	pad = length < least ? least - length : 0;
	if (length + pad != have && bpf_xdp_adjust_tail(ctx, (int)(length + pad) - (int)have))
		return -1;
	if (!pad)
		return 0;
	/* Headers of 14 + 20 + 20 bytes leave 6; said so that the verifier knows. */
	return bpf_xdp_store_bytes(ctx, length, &zeros, ((pad - 1) & 7) + 1);
}

/* Back to where it came from. */
TG_INLINE int tg_turn_frame(struct tg_ethernet *eth, const void *end)
{
	struct tg_ethernet was;

	if ((const void *)(eth + 1) > end)
		return -1;
	was = *eth;
	__builtin_memcpy(eth->destination, was.source, sizeof(was.source));
	__builtin_memcpy(eth->source, was.destination, sizeof(was.destination));
	return 0;
}

/* As many words as the frame holds: behind the answer's end they are zeros and cut off. */
TG_INLINE void tg_copy_options(struct tg_answer_tcp *to, const struct tg_answer_tcp *from, const void *end)
{
	__u32 i;

#pragma unroll
	for (i = 0; i < TG_ANSWER_OPTIONS_MAX / 4; i++)
		if ((const void *)(to->option + i + 1) <= end)
			to->option[i] = from->option[i];
}

TG_GLOBAL int tg_reply_write4(struct xdp_md *ctx, const struct tg_packet *pkt,
			      const struct tg_reply *reply)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 link = reply ? reply->link : 0, length;
	struct tg_answer4 answer, *to;

	if (!pkt || !reply || link > TG_REPLY_LINK_MAX)
		return -1;
	to = data + link;
	if ((void *)to->tcp.option > end || tg_turn_frame(data, end))
		return -1;
	length = tg_write_answer4(&answer, pkt, &reply->terms, &reply->answer);
	to->ip = answer.ip;
	to->tcp.header = answer.tcp.header;
	tg_copy_options(&to->tcp, &answer.tcp, end);
	return tg_trim_frame(ctx, link + length);
}

TG_GLOBAL int tg_reply_write6(struct xdp_md *ctx, const struct tg_packet *pkt,
			      const struct tg_reply *reply)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 link = reply ? reply->link : 0, length;
	struct tg_answer6 answer, *to;

	if (!pkt || !reply || link > TG_REPLY_LINK_MAX)
		return -1;
	to = data + link;
	if ((void *)to->tcp.option > end || tg_turn_frame(data, end))
		return -1;
	length = tg_write_answer6(&answer, pkt, &reply->terms, &reply->answer);
	to->ip = answer.ip;
	to->tcp.header = answer.tcp.header;
	tg_copy_options(&to->tcp, &answer.tcp, end);
	return tg_trim_frame(ctx, link + length);
}

/* Where XDP cannot send, the TC ingress program finds this mark and sends the frame back. */
TG_INLINE int tg_mark_answer(struct xdp_md *ctx)
{
	__u32 *mark;

	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*mark)))
		return -1;
	mark = (void *)(long)ctx->data_meta;
	if ((void *)(mark + 1) > (void *)(long)ctx->data)
		return -1;
	*mark = TG_ANSWER_MARK;
	return 0;
}

/*
 * How the answer leaves.  Not by XDP_TX from a veth: that wakes its peer only for an XDP program there,
 * not for GRO (veth_xdp_flush()); a redirection to itself does for both.
 */
TG_INLINE int tg_answer_action(const struct xdp_md *ctx)
{
	if (!tg_cookie_program.veth)
		return XDP_TX;
	return ctx->data_meta < ctx->data ? XDP_PASS : (int)bpf_redirect(ctx->ingress_ifindex, 0);
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
