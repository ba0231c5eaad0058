// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tcpguard is compared with in one process: nothing, a parser, the kernel's hash tables, and the
 * floor, one line of memory a packet.  Sizes are set by the harness before loading.
 */
#include "tcpguard/types.h"
#include "driver.bpf.h"
#include "headers.h"

#define BPF_MAP_TYPE_LRU_HASH 9 /* which tcpguard itself has no use for */

struct bench_key {
	__be32 saddr;
	__be32 daddr;
	__be16 sport;
	__be16 dport;
	__u32 zero;
};

struct bench_value {
	__u64 word[16];
};

struct bench_line {
	__u64 word[8];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct bench_key);
	__type(value, struct bench_value);
} bench_hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct bench_key);
	__type(value, struct bench_value);
} bench_lru SEC(".maps");

/* As large as tcpguard's hot table for as many flows. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct bench_line);
} bench_lines SEC(".maps");

TG_INLINE bool bench_parse_frame(struct xdp_md *ctx, struct bench_key *key, __u32 *seq)
{
	const struct tg_ethernet *eth = (void *)(long)ctx->data;
	const struct tg_ipv4 *ip = (const void *)(eth + 1);
	const struct tg_tcp *tcp = (const void *)(ip + 1);

	if ((const __u8 *)(tcp + 1) > (__u8 *)(long)ctx->data_end)
		return false;
	if (eth->type != bpf_htons(TG_ETHERTYPE_IPV4) || ip->version_ihl != 0x45 ||
	    ip->protocol != TG_PROTO_TCP)
		return false;
	key->saddr = ip->saddr;
	key->daddr = ip->daddr;
	key->sport = tcp->sport;
	key->dport = tcp->dport;
	key->zero = 0;
	*seq = bpf_ntohl(tcp->seq);
	return true;
}

SEC("xdp")
int bench_null(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}

SEC("tc")
int bench_null_tc(struct __sk_buff *skb)
{
	(void)skb;
	return 0; /* TC_ACT_OK */
}

SEC("xdp")
int bench_parse(struct xdp_md *ctx)
{
	struct bench_key key;
	__u32 seq;

	if (!bench_parse_frame(ctx, &key, &seq))
		return XDP_ABORTED;
	bench.sink += key.saddr ^ key.daddr ^ key.sport ^ key.dport ^ seq;
	return XDP_DROP;
}

/* Everything the variants below do before their look-up. */
SEC("xdp")
int bench_base(struct xdp_md *ctx)
{
	struct bench_key key;
	__u32 seq;

	if (!bench_set_flow(ctx) || !bench_parse_frame(ctx, &key, &seq))
		return XDP_ABORTED;
	bench.sink += key.saddr ^ key.daddr ^ key.sport ^ key.dport ^ seq;
	bench.hits++;
	return XDP_PASS;
}

SEC("xdp")
int bench_direct(struct xdp_md *ctx)
{
	struct bench_key key;
	struct bench_line *line;
	__u32 seq, index;

	if (!bench_set_flow(ctx) || !bench_parse_frame(ctx, &key, &seq))
		return XDP_ABORTED;
	/* The low half of the lines are one flow's each; the other half gives the table its size. */
	index = (bpf_ntohl(key.saddr) & 0xffffff) * 2;
	line = bpf_map_lookup_elem(&bench_lines, &index);
	if (!line)
		return XDP_ABORTED;
	bench.dependency = line->word[0];
	line->word[1] = seq;
	bench.hits++;
	return XDP_PASS;
}

/* What the least tracker would do with the entry it finds: compare a number and raise it. */
TG_INLINE void bench_touch(struct bench_value *value, __u32 seq)
{
	bench.dependency = value->word[0];
	if ((__s32)(seq - (__u32)value->word[1]) > 0)
		value->word[1] = seq;
	bench.hits++;
}

SEC("xdp")
int bench_hash_find(struct xdp_md *ctx)
{
	struct bench_value *value;
	struct bench_key key;
	__u32 seq;

	if (!bench_set_flow(ctx) || !bench_parse_frame(ctx, &key, &seq))
		return XDP_ABORTED;
	value = bpf_map_lookup_elem(&bench_hash, &key);
	if (!value)
		return XDP_DROP;
	bench_touch(value, seq);
	return XDP_PASS;
}

/*
 * The same key put together in registers.  The kernel's hash reads words of 32 bits: ports stored one by one
 * cannot be forwarded to it, and the processor waits until both stores have left it.
 */
SEC("xdp")
int bench_hash_word(struct xdp_md *ctx)
{
	struct bench_value *value;
	struct bench_key key;
	__u64 words[2];
	__u32 seq;

	if (!bench_set_flow(ctx) || !bench_parse_frame(ctx, &key, &seq))
		return XDP_ABORTED;
	words[0] = key.saddr | (__u64)key.daddr << 32;
	words[1] = key.sport | (__u64)key.dport << 16;
	value = bpf_map_lookup_elem(&bench_hash, words);
	if (!value)
		return XDP_DROP;
	bench_touch(value, seq);
	return XDP_PASS;
}

SEC("xdp")
int bench_lru_find(struct xdp_md *ctx)
{
	struct bench_value *value;
	struct bench_key key;
	__u32 seq;

	if (!bench_set_flow(ctx) || !bench_parse_frame(ctx, &key, &seq))
		return XDP_ABORTED;
	value = bpf_map_lookup_elem(&bench_lru, &key);
	if (!value)
		return XDP_DROP;
	bench_touch(value, seq);
	return XDP_PASS;
}

TG_INLINE int bench_insert(struct xdp_md *ctx, void *map)
{
	struct bench_value value = {};
	struct bench_key key;
	__u32 seq;

	if (!bench_set_flow(ctx) || !bench_parse_frame(ctx, &key, &seq))
		return XDP_ABORTED;
	if (bpf_map_lookup_elem(map, &key))
		return XDP_PASS;
	value.word[1] = seq;
	if (!bpf_map_update_elem(map, &key, &value, BPF_ANY))
		bench.hits++;
	return XDP_PASS;
}

SEC("xdp")
int bench_hash_add(struct xdp_md *ctx)
{
	return bench_insert(ctx, &bench_hash);
}

SEC("xdp")
int bench_lru_add(struct xdp_md *ctx)
{
	return bench_insert(ctx, &bench_lru);
}

/* Ageing a hash table as a BPF program would: every entry is looked at, none is old. */
static long bench_age_one(void *map, const void *key, struct bench_value *value, __u64 *now)
{
	(void)map;
	(void)key;
	if (value->word[1] + 1000000 < *now)
		bench.sink++;
	bench.hits++;
	return 0;
}

SEC("syscall")
int bench_age(void *ctx)
{
	__u64 now = 0;

	(void)ctx;
	bpf_for_each_map_elem(&bench_hash, bench_age_one, &now, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
