// SPDX-License-Identifier: GPL-2.0-only
/*
 * The floods of `make bench-floods`: each live frame becomes the next packet of a plan, checksums good, and
 * leaves by the interface it is said to have come in by.
 */
#include "tcpguard/types.h"
#include "driver.h"
#include "flood.h"

struct flood_plan plan = {};

/* The receiver may have written to a frame that comes round again: it is made here, as a whole. */
TG_INLINE void flood_put16(__u32 at, __u16 value)
{
	*(__be16 *)&plan.frame[at & (FLOOD_FRAME - 1)] = bpf_htons(value);
}

TG_INLINE void flood_put32(__u32 at, __u32 value)
{
	*(__be32 *)&plan.frame[at & (FLOOD_FRAME - 1)] = bpf_htonl(value);
}

TG_INLINE __u16 flood_fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

TG_INLINE __u32 flood_halves(__u32 word)
{
	return (word >> 16) + (word & 0xffff);
}

TG_INLINE __u32 flood_source(__u64 random)
{
	__u32 low = plan.source, sum;

	if (plan.vary & FLOOD_SOURCE)
		low |= (__u32)random & plan.source_mask;
	sum = flood_halves(low);
	if (plan.ipv4) {
		flood_put32(plan.l3 + 12, low);
		return sum;
	}
	flood_put32(plan.l3 + 20, low);
	if (plan.vary & FLOOD_SOURCE) {
		flood_put32(plan.l3 + 16, (__u32)(random >> 32));
		sum += flood_halves((__u32)(random >> 32));
	}
	return sum;
}

TG_INLINE __u32 flood_header(__u64 random, __u32 sum)
{
	__u64 more = bench_mix(random);
	__u32 sport = plan.sport;

	if (plan.vary & FLOOD_SPORT)
		sport = 1024 + ((__u32)more & 0x7fff);
	flood_put16(plan.l4, sport);
	sum += plan.tcp_sum + sport;
	if (plan.vary & FLOOD_DPORT) {
		__u32 dport = (__u32)(more >> 15 & 0xffff);

		flood_put16(plan.l4 + 2, dport);
		sum += dport;
	}
	if (plan.vary & FLOOD_SEQ) {
		flood_put32(plan.l4 + 4, (__u32)(more >> 32));
		sum += flood_halves((__u32)(more >> 32));
	}
	if (plan.vary & FLOOD_ACK) {
		flood_put32(plan.l4 + 8, (__u32)(random >> 13));
		sum += flood_halves((__u32)(random >> 13));
	}
	return sum;
}

SEC("xdp")
int flood_next(struct xdp_md *ctx)
{
	__u64 random = bench_mix(++plan.counter);
	__u32 sum = flood_source(random), id = 0, length = plan.length;

	if (plan.ipv4) {
		if (plan.vary & FLOOD_ID)
			id = (__u32)plan.counter & 0xffff;
		flood_put16(plan.l3 + 4, id);
		flood_put16(plan.l3 + 10, flood_fold(plan.ip_sum + sum + id));
	}
	if (plan.l4_header)
		flood_put16(plan.l4 + 16, flood_fold(flood_header(random, sum)));
	if (length > FLOOD_FRAME || !length)
		return XDP_DROP;
	if (bpf_xdp_store_bytes(ctx, 0, plan.frame, length))
		return XDP_DROP;
	return XDP_TX;
}

/* What a receiver answers to forged senders goes nowhere, what it sends to clients passes. */
const volatile __u32 flood_client_ipv4 = 0xc6120002; /* 198.18.0.2 */
#define FLOOD_CLIENTS_IPV6 0xfd0000c1 /* fd00:c1::, and neighbours are permanent */

TG_INLINE bool flood_is_for_client(__be16 type, __be32 address4, __be32 address6)
{
	if (type == bpf_htons(0x0800))
		return address4 == bpf_htonl(flood_client_ipv4);
	return type != bpf_htons(0x86dd) || address6 == bpf_htonl(FLOOD_CLIENTS_IPV6);
}

/* At the egress of a receiver: answers by way of its stack, which are spared the cable. */
SEC("tc")
int flood_answers(struct __sk_buff *skb)
{
	__be32 address4 = 0, address6 = 0;

	if (bpf_skb_load_bytes(skb, 14 + 16, &address4, sizeof(address4)) ||
	    bpf_skb_load_bytes(skb, 14 + 24, &address6, sizeof(address6)))
		return 2; /* TC_ACT_SHOT */
	return flood_is_for_client(skb->protocol, address4, address6) ? -1 : 2;
}

/* At the clients' end of the cable: answers by XDP_TX.  Clients use no VLAN. */
SEC("xdp")
int flood_arrived(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	__be16 type;

	if (data + 14 + 28 > (__u8 *)(long)ctx->data_end)
		return XDP_DROP;
	type = *(__be16 *)(data + 12);
	return type != bpf_htons(0x8100) &&
			       flood_is_for_client(type, *(__be32 *)(data + 14 + 16),
						   *(__be32 *)(data + 14 + 24)) ?
		       XDP_PASS :
		       XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
