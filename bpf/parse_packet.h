/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parser's entry: one frame to one struct tg_packet, and the quoted segment of an ICMP error.
 */
#ifndef TG_BPF_PARSE_PACKET_H
#define TG_BPF_PARSE_PACKET_H

#include "parse.h"

TG_INLINE bool tg_is_icmp_error(__u8 protocol, __u8 type)
{
	if (protocol == TG_PROTO_ICMP) /* unreachable, source quench, time exceeded, parameter problem */
		return type == 3 || type == 4 || type == 11 || type == 12;
	return type >= 1 && type <= 4; /* RFC 4443 2.1: errors are below 128 */
}

/*
 * Reads the segment an ICMP error quotes: addresses, ports and sequence number; its sender is the
 * host the error is for.  Quoted segments behind IPv6 extension headers are passed unjudged.
 */
TG_INLINE enum tg_verdict tg_parse_icmp_error(const struct tg_cursor *at, struct tg_packet *pkt)
{
	const struct tg_icmp *icmp = (const void *)at->next;
	const __u8 *inner = at->next + sizeof(*icmp);
	const struct tg_tcp_start *tcp;

	if (inner > at->limit || !tg_is_icmp_error(at->protocol, icmp->type))
		return TG_PASS_NOT_TCP;
	__builtin_memcpy(pkt->reporter, pkt->saddr, sizeof(pkt->reporter));
	if (at->protocol == TG_PROTO_ICMP) {
		const struct tg_ipv4 *ip = (const void *)inner;

		if ((const __u8 *)(ip + 1) > at->limit || ip->protocol != TG_PROTO_TCP ||
		    (ip->version_ihl >> 4) != 4 || (ip->version_ihl & 0x0f) < 5 ||
		    (bpf_ntohs(ip->fragment) & TG_IPV4_FRAGMENT_OFFSET))
			return TG_PASS_NOT_TCP;
		tcp = (const void *)(inner + (ip->version_ihl & 0x0f) * 4);
		if ((const __u8 *)(tcp + 1) > at->limit)
			return TG_PASS_NOT_TCP;
		pkt->saddr[3] = ip->saddr;
		pkt->daddr[3] = ip->daddr;
	} else {
		const struct tg_ipv6 *ip = (const void *)inner;

		if ((const __u8 *)(ip + 1) > at->limit || ip->next_header != TG_PROTO_TCP ||
		    (ip->version_class >> 4) != 6)
			return TG_PASS_NOT_TCP;
		tcp = (const void *)(ip + 1);
		if ((const __u8 *)(tcp + 1) > at->limit)
			return TG_PASS_NOT_TCP;
		__builtin_memcpy(pkt->saddr, ip->saddr, sizeof(pkt->saddr));
		__builtin_memcpy(pkt->daddr, ip->daddr, sizeof(pkt->daddr));
	}
	pkt->sport = tcp->sport;
	pkt->dport = tcp->dport;
	pkt->seq = bpf_ntohl(tcp->seq);
	pkt->icmp_error = true;
	return TG_UNDECIDED;
}

/*
 * Parses the frame in [data, data_end).  TG_UNDECIDED: *pkt holds a TCP segment or, with
 * pkt->icmp_error, the segment an ICMP error quotes.  *pkt must be zeroed; segments and enforced are
 * the caller's.  verify_csum: only where checksums are complete, at XDP on a physical NIC.
 */
TG_INLINE enum tg_verdict tg_parse(const void *data, const void *data_end,
				   const volatile struct tg_program *program, bool verify_csum,
				   struct tg_packet *pkt)
{
	struct tg_cursor at = { .next = data, .limit = data_end };
	enum tg_verdict verdict;
	__u16 type;

	type = tg_parse_link(&at, program->no_link_header);
	if (type == TG_ETHERTYPE_IPV4)
		verdict = tg_parse_ipv4(&at, pkt);
	else if (type == TG_ETHERTYPE_IPV6)
		verdict = tg_parse_ipv6(&at, program->strict, pkt);
	else
		return TG_PASS_NOT_TCP;
	pkt->protocol = at.protocol;
	if (verdict)
		return verdict;

	if (at.protocol == TG_PROTO_TCP) {
		if (at.later_fragment)
			return program->strict ? TG_DROP_FRAG : TG_PASS_FRAG;
		return tg_parse_tcp(&at, verify_csum, pkt);
	}
	if (!at.later_fragment && at.protocol == (pkt->ipv4 ? TG_PROTO_ICMP : TG_PROTO_ICMPV6))
		return tg_parse_icmp_error(&at, pkt);
	return TG_PASS_NOT_TCP;
}

#endif
