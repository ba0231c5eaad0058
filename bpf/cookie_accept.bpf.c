// SPDX-License-Identifier: GPL-2.0-only
/*
 * TC ingress, behind XDP: hands the ACK that brings a cookie of ours back to the listener, which then
 * has the connection as if it had answered the SYN itself.  And sends those SYN-ACKs back that XDP could
 * not (veth, whose peer does not poll).  A second object: loaded only where it is
 * needed.  While no cookie is out, a packet costs one comparison here.
 * It drops nothing: what it does not take goes on to the stack.
 */
#include "tcpguard/types.h"

#include "cookie.bpf.h"
#include "parse_packet.h"
#include "socket_tuple.h"

#define TG_PULL_BYTES 256

/* The kernel's, include/net/tcp.h; of this size and no other. */
struct bpf_tcp_req_attrs {
	__u32 rcv_tsval;
	__u32 rcv_tsecr;
	__u16 mss;
	__u8 rcv_wscale;
	__u8 snd_wscale;
	__u8 ecn_ok;
	__u8 wscale_ok;
	__u8 sack_ok;
	__u8 tstamp_ok;
	__u8 usec_ts_ok;
	__u8 reserved[3];
};

extern int bpf_sk_assign_tcp_reqsk(struct __sk_buff *skb, struct sock *sk,
				   struct bpf_tcp_req_attrs *attrs, int attrs__sz) __ksym __weak;

TG_INLINE __u64 tg_accept_now_ms(void)
{
	return bpf_jiffies64() * tg_cookie_program.jiffies_mult >> TG_JIFFIES_SHIFT;
}

/*
 * Behind generic XDP a packet may come without its link header: the copy the kernel made of it has
 * forgotten that header's length.  What XDP challenged was sent to our MAC address.
 */
TG_INLINE bool tg_has_link_header(const struct __sk_buff *skb)
{
	const struct tg_ethernet *eth = (void *)(long)skb->data;
	__u8 difference = 0;
	__u32 i;

	if (tg_cookie_program.no_link_header || (void *)(eth + 1) > (void *)(long)skb->data_end)
		return false;
#pragma unroll
	for (i = 0; i < 6; i++)
		difference |= eth->destination[i] ^ tg_cookie_program.mac[i];
	return !difference;
}

/* Everything the parser asks of a program's constants. */
TG_GLOBAL int tg_accept_parse(struct __sk_buff *skb, struct tg_packet *pkt)
{
	struct tg_program program = { .no_link_header = !tg_has_link_header(skb) };

	if (!pkt)
		return TG_PASS_INTERNAL;
	return tg_parse((void *)(long)skb->data, (void *)(long)skb->data_end, &program, false, pkt);
}

/* Headers outside the linear area are pulled in, once. */
static __always_inline enum tg_verdict tg_accept_read(struct __sk_buff *skb, struct tg_packet *pkt)
{
	__u32 linear = skb->data_end - skb->data;
	enum tg_verdict verdict = tg_accept_parse(skb, pkt);

	if (verdict && linear < TG_PULL_BYTES && linear < skb->len &&
	    !bpf_skb_pull_data(skb, skb->len < TG_PULL_BYTES ? skb->len : TG_PULL_BYTES))
		verdict = tg_accept_parse(skb, pkt);
	return verdict;
}

/*
 * The kernel makes a socket of the segment and these attributes.  If it cannot (the accept queue is
 * full), the segment is lost as a kernel's own would be, and its retransmission comes here again.
 */
TG_GLOBAL int tg_hand_over(struct __sk_buff *skb, const struct tg_packet *pkt,
			   const struct tg_terms *terms)
{
	struct bpf_tcp_req_attrs attributes = {};
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *socket;
	struct tcp_sock *listener;

	if (!pkt || !terms || tg_cookie_program.kind != TG_COOKIE_OWN)
		return 0;
	attributes.mss = terms->mss;
	attributes.sack_ok = terms->sack;
	attributes.ecn_ok = terms->ecn;
	attributes.tstamp_ok = terms->timestamps;
	if (terms->timestamps) {
		attributes.rcv_tsval = pkt->tsval;
		attributes.rcv_tsecr = pkt->tsecr;
	}
	attributes.wscale_ok = terms->wscale != TG_WSCALE_NONE;
	if (attributes.wscale_ok) {
		attributes.snd_wscale = terms->wscale;
		attributes.rcv_wscale = terms->own_wscale;
	}
	socket = bpf_skc_lookup_tcp(skb, &tuple, tg_socket_tuple(pkt, &tuple), BPF_F_CURRENT_NETNS, 0);
	if (!socket)
		return 0;
	listener = bpf_skc_to_tcp_sock(socket);
	if (socket->state == TG_SK_LISTEN && listener)
		bpf_sk_assign_tcp_reqsk(skb, (struct sock *)listener, &attributes, sizeof(attributes));
	bpf_sk_release(socket);
	return 0;
}

TG_GLOBAL int tg_accept(struct __sk_buff *skb, __u64 now_ms)
{
	struct tg_cookies *cookies = tg_cookies_get();
	struct tg_packet pkt = { .segments = 1 };
	struct tg_terms terms = {};

	if (!cookies || tg_accept_read(skb, &pkt) || pkt.icmp_error || pkt.first_fragment)
		return 0;
	if ((pkt.flags & (TG_SYN | TG_RST | TG_ACK)) != TG_ACK)
		return 0;
	/* An old one is the retransmission of one that XDP found good: its flow exists, it came this far. */
	if (tg_cookie_verify(cookies, now_ms, &pkt, &terms) != TG_COOKIE_WRONG)
		tg_hand_over(skb, &pkt, &terms);
	return 0;
}

/* A SYN-ACK of ours on its way out. */
static __always_inline bool tg_is_answer(const struct __sk_buff *skb)
{
	const __u32 *mark = (void *)(long)skb->data_meta;

	return (void *)(mark + 1) <= (void *)(long)skb->data && *mark == TG_ANSWER_MARK;
}

SEC("tc")
int tg_tc_ingress(struct __sk_buff *skb)
{
	struct tg_cookies *cookies = tg_cookies_get();
	__u64 now_ms = tg_accept_now_ms();

	if (tg_cookie_program.veth && tg_is_answer(skb))
		return bpf_redirect(skb->ifindex, 0);
	if (!cookies || !tg_sent_lately(cookies->sent_ms, now_ms))
		return TC_ACT_UNSPEC;
	tg_accept(skb, now_ms);
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "GPL";
