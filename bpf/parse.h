/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes to facts: link header, VLAN tags, IPv4 and IPv6, TCP.  Byte order ends here.  The payload
 * length always comes from the IP header: frames are padded to 60 bytes on receive, and at TC only
 * the headers of a 64 KB segment lie in the buffer.
 *
 * Later fragments are passed untracked; a first fragment is judged by its header alone.
 */
#ifndef TG_BPF_PARSE_H
#define TG_BPF_PARSE_H

#include "tcpguard/config.h"
#include "packet.h"
#include "headers.h"
#include "parse_ipv6.h"
#include "tcp_options.h"

/* Where the parser stands: the IP header's start, the transport header and what IP says of it. */
struct tg_cursor {
	const __u8 *next; /* first byte not yet parsed */
	const __u8 *limit; /* end of readable memory */
	__u32 consumed; /* bytes before next, from the start of the frame */
	__u32 length; /* bytes from next to the end of the IP packet */
	__u8 protocol;
	bool later_fragment;
	bool first_fragment;
	bool readdressed; /* the checksum may cover another address than the IP header's */
};

/* The same sum the endpoint will do, over header and options: for segments without payload. */
TG_INLINE bool tg_checksum_good(const struct tg_packet *pkt, const void *tcp, const __u8 *limit,
				__u32 length)
{
	const __be16 *word = tcp;
	__u32 sum = bpf_htons(TG_PROTO_TCP) + bpf_htons((__u16)length), i;

	for (i = pkt->ipv4 ? 3 : 0; i < 4; i++) {
		sum += (pkt->saddr[i] & 0xffff) + (pkt->saddr[i] >> 16);
		sum += (pkt->daddr[i] & 0xffff) + (pkt->daddr[i] >> 16);
	}
	for (i = 0; i < (20 + TG_OPTIONS_MAX) / 2; i++) {
		if (i * 2 >= length || (const __u8 *)(word + i + 1) > limit)
			break;
		sum += word[i];
	}
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

TG_INLINE void tg_parse_tcp_options(const struct tg_tcp *tcp, const __u8 *limit, __u32 length,
				    struct tg_packet *pkt)
{
	const __u8 *options = (const __u8 *)(tcp + 1);

	/* What an established flow sends: nothing, or NOP NOP TIMESTAMPS. */
	if (!length)
		return;
	if (length == 12 && options + 12 <= limit &&
	    tg_load_be32(options) == (TG_OPTION_NOP << 24 | TG_OPTION_NOP << 16 |
				      TG_OPTION_TIMESTAMPS << 8 | 10)) {
		pkt->tsval = tg_load_be32(options + 4);
		pkt->tsecr = tg_load_be32(options + 8);
		pkt->options = TG_OPT_TIMESTAMPS;
		return;
	}
	tg_parse_options(options, limit, length, pkt);
}

TG_INLINE enum tg_verdict tg_parse_tcp(const struct tg_cursor *at, bool verify_csum,
				       struct tg_packet *pkt)
{
	const struct tg_tcp *tcp = (const void *)at->next;
	__u32 header;

	if ((const __u8 *)(tcp + 1) > at->limit)
		return at->first_fragment ? TG_DROP_TINY_FRAG : TG_DROP_BAD_HDR;
	header = (tcp->offset_reserved >> 4) * 4;
	if (header < sizeof(*tcp))
		return TG_DROP_BAD_HDR;
	if (at->next + header > at->limit)
		return at->first_fragment ? TG_DROP_TINY_FRAG : TG_DROP_BAD_HDR;
	if (!pkt->jumbo && at->length < header)
		return at->first_fragment ? TG_DROP_TINY_FRAG : TG_DROP_BAD_HDR;

	pkt->sport = tcp->sport;
	pkt->dport = tcp->dport;
	pkt->seq = bpf_ntohl(tcp->seq);
	pkt->ack = bpf_ntohl(tcp->ack);
	pkt->flags = tcp->flags & (TG_FIN | TG_SYN | TG_RST | TG_PSH | TG_ACK | TG_URG);
	pkt->window = bpf_ntohs(tcp->window);
	pkt->first_fragment = at->first_fragment;
	/* With jumbo set this is minus the bytes before the payload, for tg_jumbo_payload(). */
	tg_set_payload(pkt, at->length - header);
	tg_parse_tcp_options(tcp, at->limit, header - sizeof(*tcp), pkt);
	if (verify_csum && !pkt->payload && !pkt->first_fragment && !at->readdressed &&
	    (pkt->flags & (TG_SYN | TG_FIN | TG_RST)) &&
	    !tg_checksum_good(pkt, tcp, at->limit, header))
		return TG_DROP_BAD_CSUM;
	return TG_UNDECIDED;
}

/* BIG TCP: the IP length is 0 and only the buffer knows; frame_length counts from the link header. */
TG_INLINE void tg_jumbo_payload(struct tg_packet *pkt, __u32 frame_length)
{
	if (pkt->icmp_error) /* its fields are another segment's */
		return;
	tg_set_payload(pkt, frame_length + pkt->payload);
	pkt->bytes = frame_length;
}

TG_INLINE void tg_consume(struct tg_cursor *at, __u32 bytes)
{
	at->next += bytes;
	at->consumed += bytes;
}

TG_INLINE enum tg_verdict tg_parse_ipv4(struct tg_cursor *at, struct tg_packet *pkt)
{
	const struct tg_ipv4 *ip = (const void *)at->next;
	__u32 header, total;
	__u16 fragment;

	if ((const __u8 *)(ip + 1) > at->limit)
		return TG_DROP_BAD_HDR;
	header = (ip->version_ihl & 0x0f) * 4;
	total = bpf_ntohs(ip->total_length);
	if ((ip->version_ihl >> 4) != 4 || header < sizeof(*ip) || (total && total < header))
		return TG_DROP_BAD_HDR;
	pkt->ipv4 = true;
	pkt->jumbo = !total;
	pkt->saddr[0] = pkt->saddr[1] = pkt->daddr[0] = pkt->daddr[1] = 0;
	pkt->saddr[2] = pkt->daddr[2] = bpf_htonl(0xffff);
	pkt->saddr[3] = ip->saddr;
	pkt->daddr[3] = ip->daddr;
	pkt->bytes = total;

	fragment = bpf_ntohs(ip->fragment) & (TG_IPV4_MORE_FRAGMENTS | TG_IPV4_FRAGMENT_OFFSET);
	at->protocol = ip->protocol;
	at->later_fragment = fragment & TG_IPV4_FRAGMENT_OFFSET;
	at->first_fragment = fragment == TG_IPV4_MORE_FRAGMENTS;
	tg_consume(at, header);
	at->length = total ? total - header : -at->consumed;
	if (ip->protocol == TG_PROTO_TCP && (fragment & TG_IPV4_FRAGMENT_OFFSET) == 1)
		return TG_DROP_TINY_FRAG; /* RFC 1858 3, RFC 3128: would overwrite the flags */
	return TG_UNDECIDED;
}

TG_INLINE enum tg_verdict tg_parse_ipv6(struct tg_cursor *at, bool strict, struct tg_packet *pkt)
{
	const struct tg_ipv6 *ip = (const void *)at->next;
	struct tg_ipv6_chain chain = {};
	__u32 payload;

	if ((const __u8 *)(ip + 1) > at->limit)
		return TG_DROP_BAD_HDR;
	if ((ip->version_class >> 4) != 6)
		return TG_DROP_BAD_HDR;
	payload = bpf_ntohs(ip->payload_length);
	pkt->ipv4 = false;
	pkt->jumbo = !payload;
	__builtin_memcpy(pkt->saddr, ip->saddr, sizeof(pkt->saddr));
	__builtin_memcpy(pkt->daddr, ip->daddr, sizeof(pkt->daddr));
	pkt->bytes = payload + sizeof(*ip);

	tg_consume(at, sizeof(*ip));
	at->protocol = ip->next_header;
	if (ip->next_header != TG_PROTO_TCP) {
		chain.protocol = ip->next_header;
		switch (tg_walk_ipv6_chain(at->next, at->limit, &chain)) {
		case TG_CHAIN_TOO_DEEP:
			return strict ? TG_DROP_EXT_DEPTH : TG_PASS_EXT_DEPTH;
		case TG_CHAIN_TRUNCATED:
			return TG_DROP_BAD_HDR;
		}
		if (chain.length > TG_IPV6_CHAIN_MAX)
			return TG_DROP_BAD_HDR;
		tg_consume(at, chain.length);
		at->readdressed = chain.readdressed;
		at->protocol = chain.protocol;
		at->later_fragment = chain.later_fragment;
		at->first_fragment = chain.first_fragment;
		if (payload && payload < chain.length)
			return TG_DROP_BAD_HDR;
		if (chain.hides_tcp)
			return TG_DROP_TINY_FRAG;
	}
	at->length = payload ? payload - chain.length : -at->consumed;
	return TG_UNDECIDED;
}

/* EtherType of the packet, whose first byte at->next then is; 0 if the frame is too short. */
TG_INLINE __u16 tg_parse_link(struct tg_cursor *at, bool no_link_header)
{
	const struct tg_ethernet *eth = (const void *)at->next;
	__be16 type;
	int tag;

	if (no_link_header) {
		if (at->next + 1 > at->limit)
			return 0;
		return (at->next[0] >> 4) == 6 ? TG_ETHERTYPE_IPV6 : TG_ETHERTYPE_IPV4;
	}
	if ((const __u8 *)(eth + 1) > at->limit)
		return 0;
	type = eth->type;
	tg_consume(at, sizeof(*eth));
	for (tag = 0; tag < 2; tag++) {
		const struct tg_vlan *vlan = (const void *)at->next;

		if (!tg_is_vlan(type))
			break;
		if ((const __u8 *)(vlan + 1) > at->limit)
			return 0;
		type = vlan->type;
		tg_consume(at, sizeof(*vlan));
	}
	return bpf_ntohs(type);
}

#endif
