/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frame of a SYN that becomes its SYN-ACK, in place: what is read of it beside the packet's own
 * description, what is written, and by which way it leaves.  What the answer says is not decided here.
 */
#ifndef TG_BPF_SYN_REPLY_BPF_H
#define TG_BPF_SYN_REPLY_BPF_H

#include <bpf/bpf_core_read.h>

#include "cookie.bpf.h"
#include "syn_answer.h"

#define TG_ETHERNET_MIN 60 /* without checksum; shorter frames have to be padded by somebody */
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

#endif
