// SPDX-License-Identifier: GPL-2.0-only
/*
 * The packet generator of `make bench-peers`: each live frame of a test run is given a flow, numbers
 * and good checksums, and sent out of the interface it is said to have come in by.
 */
#include "tcpguard/types.h"
#include "driver.bpf.h"
#include "headers.h"

struct generator generator = {};

TG_INLINE __be16 bench_fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return bpf_htons(~sum & 0xffff);
}

TG_INLINE __u32 bench_halves(__u32 word)
{
	return (word >> 16) + (word & 0xffff);
}

#define BENCH_SERVER 0xc6120001

/*
 * So many SYNs, then their SYN-ACKs, then the ACKs: the stack receives in lists, and conntrack knows a
 * connection only when the list that began it has left.
 */
#define BENCH_BLOCK 512

SEC("xdp")
int bench_generate(struct xdp_md *ctx)
{
	struct tg_ethernet *eth = (void *)(long)ctx->data;
	struct tg_ipv4 *ip = (void *)(eth + 1);
	struct tg_tcp *tcp = (void *)(ip + 1);
	__u32 seq = generator.seq, ack = generator.ack, client;
	__u8 flags = generator.flags;
	bool reply = false;
	__u64 flow;
	__u16 port;

	if ((void *)(tcp + 1) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	if (generator.handshake) {
		__u64 n = bench.counter++, step = n / BENCH_BLOCK % 3;

		flow = n / BENCH_BLOCK / 3 * BENCH_BLOCK + n % BENCH_BLOCK;
		reply = step == 1;
		seq = step == 0 ? 1000 : step == 1 ? 5000 :
						     1001;
		ack = step == 0 ? 0 : step == 1 ? 1001 :
						  5001;
		flags = step == 0 ? 0x02 : step == 1 ? 0x12 :
						       0x10;
	} else {
		flow = bench_next_flow(&bench);
	}
	client = bench_address(flow);
	port = bench_port(flow);
	__builtin_memcpy(eth->destination, generator.mac, sizeof(generator.mac));
	ip->saddr = bpf_htonl(reply ? BENCH_SERVER : client);
	ip->daddr = bpf_htonl(reply ? client : BENCH_SERVER);
	ip->ttl = 64;
	ip->checksum = bench_fold(generator.ip_sum + bench_halves(client));
	tcp->sport = bpf_htons(reply ? 80 : port);
	tcp->dport = bpf_htons(reply ? port : 80);
	tcp->seq = bpf_htonl(seq);
	tcp->ack = bpf_htonl(ack);
	tcp->flags = flags;
	tcp->checksum = bench_fold(generator.tcp_sum + bench_halves(client) + port +
				   bench_halves(seq) + bench_halves(ack) + flags);
	bench.hits++;
	return XDP_TX;
}

/* The floor: a receiver that only drops. */
SEC("xdp")
int bench_sink(struct xdp_md *ctx)
{
	(void)ctx;
	bench.sink++;
	return XDP_DROP;
}

/*
 * The floor of everything that answers from XDP: what it takes to be one answer, with nothing asked,
 * looked up or summed up.
 */
SEC("xdp")
int bench_answer(struct xdp_md *ctx)
{
	struct tg_ethernet *eth = (void *)(long)ctx->data;
	struct tg_ipv4 *ip = (void *)(eth + 1);
	struct tg_tcp *tcp = (void *)(ip + 1);
	__u8 mac[sizeof(eth->source)];
	__be32 address;
	__be16 port;

	if ((void *)(tcp + 1) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	__builtin_memcpy(mac, eth->source, sizeof(mac));
	__builtin_memcpy(eth->source, eth->destination, sizeof(mac));
	__builtin_memcpy(eth->destination, mac, sizeof(mac));
	address = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = address;
	port = tcp->sport;
	tcp->sport = tcp->dport;
	tcp->dport = port;
	tcp->ack = bpf_htonl(bpf_ntohl(tcp->seq) + 1);
	tcp->seq = bpf_htonl(1);
	tcp->flags = 0x12;
	bench.hits++;
	return XDP_TX;
}

/* The floor of everything that passes packets on from XDP: having a program on veth costs by itself. */
SEC("xdp")
int bench_pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

/*
 * What a peer sends by way of the stack goes nowhere, which spares it its interface's driver; what it
 * answers from XDP crosses the veth and ends in bench_sink at the other end.
 */
SEC("tc")
int bench_egress(struct __sk_buff *skb)
{
	(void)skb;
	return 2; /* TC_ACT_SHOT */
}

char LICENSE[] SEC("license") = "GPL";
