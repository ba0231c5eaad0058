// SPDX-License-Identifier: GPL-2.0-only
/* Somebody else's XDP program: passes everything, counts TCP segments over IPv4 to port 9999. */
#include "tcpguard/types.h"

#include "headers.h"

#define ETHERTYPE_IPV4 0x0800
#define PORT 9999

struct neighbour_headers {
	__u8 ethernet[12];
	__be16 ethertype;
	__u8 ipv4[9];
	__u8 protocol;
	__u8 ipv4_rest[10];
	__be16 sport;
	__be16 dport;
} __attribute__((packed));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} neighbour_seen SEC(".maps");

SEC("xdp")
int neighbour(struct xdp_md *ctx)
{
	const struct neighbour_headers *headers = (void *)(long)ctx->data;
	__u32 zero = 0;
	__u64 *seen;

	if ((void *)(headers + 1) > (void *)(long)ctx->data_end ||
	    headers->ethertype != bpf_htons(ETHERTYPE_IPV4) || headers->protocol != 6 ||
	    headers->dport != bpf_htons(PORT))
		return XDP_PASS;
	seen = bpf_map_lookup_elem(&neighbour_seen, &zero);
	if (seen)
		__sync_fetch_and_add(seen, 1);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
