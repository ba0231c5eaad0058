/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The headers as they lie on the wire, fields that are only tested in whole bytes left so: the same
 * definitions for the BPF object and for native tests, free of bit fields.
 */
#ifndef TG_BPF_HEADERS_H
#define TG_BPF_HEADERS_H

#include "tcpguard/types.h"

/*
 * Native code may find a header at any address.  In the kernel a packed field would be read byte by
 * byte (clang trusts no alignment there): a word at a time is allowed, and is what the stack does.
 * No struct here has a hole, so the layout is the same.
 */
#ifdef __bpf__
#define TG_ON_WIRE
#else
#define TG_ON_WIRE __attribute__((packed))
#endif

#define TG_ETHERTYPE_IPV4 0x0800
#define TG_ETHERTYPE_IPV6 0x86dd
#define TG_ETHERTYPE_VLAN 0x8100
#define TG_ETHERTYPE_QINQ 0x88a8
#define TG_ETHERTYPE_QINQ_OLD 0x9100

#define TG_PROTO_HOPOPTS 0
#define TG_PROTO_ICMP 1
#define TG_PROTO_TCP 6
#define TG_PROTO_UDP 17
#define TG_PROTO_ROUTING 43
#define TG_PROTO_FRAGMENT 44
#define TG_PROTO_AH 51
#define TG_PROTO_ICMPV6 58
#define TG_PROTO_DSTOPTS 60
#define TG_PROTO_MOBILITY 135

#define TG_IPV4_MORE_FRAGMENTS 0x2000
#define TG_IPV4_FRAGMENT_OFFSET 0x1fff

struct tg_ethernet {
	__u8 destination[6];
	__u8 source[6];
	__be16 type;
} TG_ON_WIRE;

struct tg_vlan {
	__be16 tag;
	__be16 type;
} TG_ON_WIRE;

TG_INLINE bool tg_is_vlan(__be16 type)
{
	return type == bpf_htons(TG_ETHERTYPE_VLAN) || type == bpf_htons(TG_ETHERTYPE_QINQ) ||
	       type == bpf_htons(TG_ETHERTYPE_QINQ_OLD);
}

struct tg_ipv4 {
	__u8 version_ihl;
	__u8 tos;
	__be16 total_length;
	__be16 id;
	__be16 fragment;
	__u8 ttl;
	__u8 protocol;
	__be16 checksum;
	__be32 saddr;
	__be32 daddr;
} TG_ON_WIRE;

struct tg_ipv6 {
	__u8 version_class;
	__u8 class_flow[3];
	__be16 payload_length;
	__u8 next_header;
	__u8 hop_limit;
	__be32 saddr[4];
	__be32 daddr[4];
} TG_ON_WIRE;

struct tg_ipv6_fragment {
	__u8 next_header;
	__u8 reserved;
	__be16 offset_more; /* offset in the upper 13 bits, M in the lowest */
	__be32 id;
} TG_ON_WIRE;

struct tg_tcp {
	__be16 sport;
	__be16 dport;
	__be32 seq;
	__be32 ack;
	__u8 offset_reserved;
	__u8 flags;
	__be16 window;
	__be16 checksum;
	__be16 urgent;
} TG_ON_WIRE;

struct tg_icmp {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be32 rest;
} TG_ON_WIRE;

/* The eight bytes of a TCP header that every ICMP error quotes (RFC 792, RFC 4443 3). */
struct tg_tcp_start {
	__be16 sport;
	__be16 dport;
	__be32 seq;
} TG_ON_WIRE;

_Static_assert(sizeof(struct tg_ethernet) == 14 && sizeof(struct tg_vlan) == 4, "link headers");
_Static_assert(sizeof(struct tg_ipv4) == 20 && sizeof(struct tg_ipv6) == 40, "IP headers");
_Static_assert(sizeof(struct tg_ipv6_fragment) == 8 && sizeof(struct tg_tcp) == 20 &&
		       sizeof(struct tg_icmp) == 8 && sizeof(struct tg_tcp_start) == 8,
	       "what follows them");

#endif
