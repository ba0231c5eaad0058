/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a packet to the flow it belongs to: which side sent it, the keyed tag, the full key.  Both
 * directions give the same tag and key because the endpoints are put in memcmp order.
 *
 * The hash is multilinear with random 64-bit coefficients: for any two different keys chosen
 * without knowledge of the coefficients, the chance of equal 32-bit results is 2^-32 and of equal
 * 64-bit tags 2^-64 (Thorup; Lemire and Kaser 2014).  An attacker sees neither tag nor bucket, and
 * what a collision could buy is bounded by the bucket (flow_table.h).
 */
#ifndef TG_BPF_KEY_H
#define TG_BPF_KEY_H

#include "tcpguard/flow.h"
#include "packet.h"

struct tg_flow_id {
	__u64 tag;
	enum tg_side side; /* of the packet's sender */
};

/* The word at which IPv4-mapped addresses hold their constant. */
#define TG_MAPPED_WORD 2
#define TG_MAPPED_PREFIX bpf_htonl(0xffff)

/* Sender first if its (address, port) is the lower one by memcmp. */
TG_INLINE enum tg_side tg_packet_side(const struct tg_packet *pkt)
{
	__u32 word;

#pragma unroll
	for (word = 0; word < 4; word++) {
		if (pkt->saddr[word] != pkt->daddr[word])
			return bpf_ntohl(pkt->saddr[word]) < bpf_ntohl(pkt->daddr[word]) ?
				       TG_SIDE_LO :
				       TG_SIDE_HI;
	}
	return bpf_ntohs(pkt->sport) <= bpf_ntohs(pkt->dport) ? TG_SIDE_LO : TG_SIDE_HI;
}

TG_INLINE __u32 tg_ports_word(__be16 lo_port, __be16 hi_port)
{
	return (__u32)lo_port << 16 | hi_port;
}

/*
 * Joins the two hashes.  They are linear: keys in a regular pattern (consecutive ports) give sums in
 * a regular pattern, which crowd some buckets.  The mixing that follows is one to one, so it adds no
 * collision, and breaks the pattern.
 */
TG_INLINE __u64 tg_join_tag(__u64 first, __u64 second)
{
	__u64 tag = (first & 0xffffffff00000000ULL) | (second >> 32);

	tag ^= tag >> 32;
	tag *= 0x9fb21c651e98df25ULL;
	return tag ^ tag >> 29;
}

/* Keeps the compiler from computing a value anew wherever it is used; no instruction. */
#define TG_KEEP(value) asm volatile("" \
				    : "+r"(value))

/*
 * key is volatile because it is load-time read-only data on the BPF side.  In this order each coefficient
 * is used where it is read, and none waits on the stack.
 */
TG_INLINE __u64 tg_tag_ipv4(const volatile struct tg_hash_key *key, __u64 lo, __u64 hi, __u64 ports)
{
	__u64 first, second;

	first = key->word[0][3] * lo;
	first += key->word[0][7] * hi;
	first += key->word[0][8] * ports;
	first += key->base4[0];
	TG_KEEP(first);
	second = key->word[1][3] * lo;
	second += key->word[1][7] * hi;
	second += key->word[1][8] * ports;
	second += key->base4[1];
	return tg_join_tag(first, second);
}

TG_INLINE __u64 tg_tag_ipv6(const volatile struct tg_hash_key *key, const __be32 *lo,
			    const __be32 *hi, __u32 ports)
{
	__u64 first = key->base6[0] + key->word[0][8] * ports;
	__u64 second = key->base6[1] + key->word[1][8] * ports;
	__u32 i;

#pragma unroll
	for (i = 0; i < 4; i++) {
		first += key->word[0][i] * lo[i] + key->word[0][4 + i] * hi[i];
		second += key->word[1][i] * lo[i] + key->word[1][4 + i] * hi[i];
	}
	return tg_join_tag(first, second);
}

TG_INLINE struct tg_flow_id tg_flow_identify(const volatile struct tg_hash_key *key,
					     const struct tg_packet *pkt)
{
	struct tg_flow_id id;

	if (pkt->ipv4) {
		__u64 source = (__u64)bpf_ntohl(pkt->saddr[3]) << 16 | bpf_ntohs(pkt->sport);
		__u64 destination = (__u64)bpf_ntohl(pkt->daddr[3]) << 16 | bpf_ntohs(pkt->dport);

		id.side = source <= destination ? TG_SIDE_LO : TG_SIDE_HI;
		id.tag = id.side == TG_SIDE_LO ?
				 tg_tag_ipv4(key, pkt->saddr[3], pkt->daddr[3],
					     tg_ports_word(pkt->sport, pkt->dport)) :
				 tg_tag_ipv4(key, pkt->daddr[3], pkt->saddr[3],
					     tg_ports_word(pkt->dport, pkt->sport));
		return id;
	}
	id.side = tg_packet_side(pkt);
	id.tag = id.side == TG_SIDE_LO ? tg_tag_ipv6(key, pkt->saddr, pkt->daddr,
						     tg_ports_word(pkt->sport, pkt->dport)) :
					 tg_tag_ipv6(key, pkt->daddr, pkt->saddr,
						     tg_ports_word(pkt->dport, pkt->sport));
	return id;
}

/* The full key, for opening a flow and for checking one before its state changes. */
TG_INLINE void tg_key_from_packet(const struct tg_packet *pkt, enum tg_side side, __u16 zone,
				  struct tg_flow_key *key)
{
	bool low = side == TG_SIDE_LO;

	__builtin_memcpy(key->lo_addr, low ? pkt->saddr : pkt->daddr, sizeof(key->lo_addr));
	__builtin_memcpy(key->hi_addr, low ? pkt->daddr : pkt->saddr, sizeof(key->hi_addr));
	key->lo_port = low ? pkt->sport : pkt->dport;
	key->hi_port = low ? pkt->dport : pkt->sport;
	key->zone = zone;
	key->reserved = 0;
}

/* True if the stored key is that of the packet's flow. */
TG_INLINE bool tg_key_is_of_packet(const struct tg_flow_key *key, const struct tg_packet *pkt,
				   enum tg_side side, __u16 zone)
{
	const __be32 *lo = side == TG_SIDE_LO ? pkt->saddr : pkt->daddr;
	const __be32 *hi = side == TG_SIDE_LO ? pkt->daddr : pkt->saddr;
	__u32 difference = key->zone ^ zone, i;

	difference |= key->lo_port ^ (side == TG_SIDE_LO ? pkt->sport : pkt->dport);
	difference |= key->hi_port ^ (side == TG_SIDE_LO ? pkt->dport : pkt->sport);
#pragma unroll
	for (i = 0; i < 4; i++)
		difference |= (key->lo_addr[i] ^ lo[i]) | (key->hi_addr[i] ^ hi[i]);
	return !difference;
}

/* The tag of a stored key: what the look-up computes from a packet of that flow. */
TG_INLINE __u64 tg_tag_of_key(const struct tg_hash_key *hash, const struct tg_flow_key *key)
{
	return tg_tag_ipv6(hash, key->lo_addr, key->hi_addr,
			   tg_ports_word(key->lo_port, key->hi_port));
}

/* Folds zone and the constant words of IPv4-mapped addresses into the coefficients of a table. */
TG_INLINE void tg_hash_key_for_zone(const __u64 coefficient[2][TG_HASH_COEFFICIENTS], __u16 zone,
				    struct tg_hash_key *key)
{
	__u32 half, i;

	for (half = 0; half < 2; half++) {
		const __u64 *c = coefficient[half];

		for (i = 0; i < TG_HASH_WORDS; i++)
			key->word[half][i] = c[1 + i];
		key->base6[half] = c[0] + c[1 + TG_HASH_WORDS] * zone;
		key->base4[half] = key->base6[half] +
				   (c[1 + TG_MAPPED_WORD] + c[1 + 4 + TG_MAPPED_WORD]) * TG_MAPPED_PREFIX;
	}
}

#endif
