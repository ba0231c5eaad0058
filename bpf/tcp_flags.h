/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stateless checks of one packet: impossible flags, impossible addresses.
 */
#ifndef TG_BPF_TCP_FLAGS_H
#define TG_BPF_TCP_FLAGS_H

#include "tcpguard/verdict.h"
#include "packet.h"

#define TG_FLAG_SET(flags) (1ULL << (flags))

/* The sets a real stack sends (nf_conntrack's tcp_valid_flags), PSH, ECE and CWR taken away. */
#define TG_VALID_FLAGS \
	(TG_FLAG_SET(TG_SYN) | TG_FLAG_SET(TG_SYN | TG_URG) | TG_FLAG_SET(TG_SYN | TG_ACK) | \
	 TG_FLAG_SET(TG_RST) | TG_FLAG_SET(TG_RST | TG_ACK) | TG_FLAG_SET(TG_FIN | TG_ACK) | \
	 TG_FLAG_SET(TG_FIN | TG_ACK | TG_URG) | TG_FLAG_SET(TG_ACK) | TG_FLAG_SET(TG_ACK | TG_URG))

TG_INLINE enum tg_verdict tg_check_flags(const struct tg_packet *pkt)
{
	__u8 flags = pkt->flags & (TG_FIN | TG_SYN | TG_RST | TG_ACK | TG_URG);

	return (TG_VALID_FLAGS >> flags) & 1 ? TG_UNDECIDED : TG_DROP_BAD_FLAGS;
}

/* First byte of an IPv4 address in its mapped form. */
TG_INLINE __u8 tg_first_octet(__be32 address)
{
	return bpf_ntohl(address) >> 24;
}

/* An IPv4 address in an IPv6 header: never on the wire (RFC 4291 2.5.5.2), and it is our form of IPv4. */
TG_INLINE bool tg_is_mapped(const __be32 *address)
{
	return !(address[0] | address[1]) && address[2] == bpf_htonl(0xffff);
}

/* A TCP peer is one host: source unspecified, multicast or broadcast cannot be (RFC 1122 3.2.1.3, 4.2.3.10). */
TG_INLINE enum tg_verdict tg_check_addresses(const struct tg_packet *pkt)
{
	if (pkt->ipv4) {
		if (!pkt->saddr[3] || pkt->saddr[3] == 0xffffffff ||
		    (tg_first_octet(pkt->saddr[3]) & 0xf0) == 0xe0)
			return TG_DROP_BAD_HDR;
		if (pkt->saddr[3] == pkt->daddr[3] && pkt->sport == pkt->dport)
			return TG_DROP_LAND;
		return TG_UNDECIDED;
	}
	if (tg_first_octet(pkt->saddr[0]) == 0xff || tg_is_mapped(pkt->saddr) ||
	    tg_is_mapped(pkt->daddr) ||
	    !(pkt->saddr[0] | pkt->saddr[1] | pkt->saddr[2] | pkt->saddr[3]))
		return TG_DROP_BAD_HDR;
	if (pkt->sport == pkt->dport && pkt->saddr[3] == pkt->daddr[3] &&
	    pkt->saddr[0] == pkt->daddr[0] && pkt->saddr[1] == pkt->daddr[1] &&
	    pkt->saddr[2] == pkt->daddr[2])
		return TG_DROP_LAND;
	return TG_UNDECIDED;
}

#endif
