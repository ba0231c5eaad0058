// SPDX-License-Identifier: GPL-2.0-only
/* One look-up in the lists a run, of a source that differs each time: for `make bench-lists`. */
#include "tcpguard/types.h"

#include "maps.bpf.h"
#include "packet.h"
#include "key.h"
#include "flow_table.h"
#include "lists.bpf.h"

#include "tests/bench/sources.h"

const volatile struct bench_lists bench = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} bench_runs SEC(".maps");

SEC("xdp")
int bench_lists(struct xdp_md *ctx)
{
	struct tg_packet pkt = { .ipv4 = bench.ipv4, .bytes = 40 };
	struct tg_lookup lookup = {};
	__u64 *runs, number;
	__u32 zero = 0;

	(void)ctx;
	runs = bpf_map_lookup_elem(&bench_runs, &zero);
	if (!runs)
		return XDP_ABORTED;
	/* Far from the numbers of the rules, or one of them. */
	number = bench_scramble((*runs)++ + (1ULL << 40));
	if (bench.source == BENCH_LISTED)
		number %= bench.rules;
	if (bench.ipv4) {
		pkt.saddr[2] = bpf_htonl(0xffff);
		pkt.saddr[3] = bpf_htonl(bench_ipv4(number, bench.spread));
	} else {
		__u64 high = bench_ipv6_high(number, bench.spread), low = bench_scramble(~number);

		pkt.saddr[0] = bpf_htonl((__u32)(high >> 32));
		pkt.saddr[1] = bpf_htonl((__u32)high);
		pkt.saddr[2] = bpf_htonl((__u32)(low >> 32));
		pkt.saddr[3] = bpf_htonl((__u32)low);
	}
	if (bench.source == BENCH_NOTHING)
		return (int)pkt.saddr[3];
	lookup.now_ms = 3600000;
	return tg_lists_block(&lookup, &pkt);
}

char LICENSE[] SEC("license") = "GPL";
