/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the data path knows about one packet once it is parsed.  Filled by parse.h and by the entry
 * functions, read by every later step.  Addresses and ports are in network order because they are
 * only matched and printed; everything that is added or compared is in host order.
 */
#ifndef TG_BPF_PACKET_H
#define TG_BPF_PACKET_H

#include "tcpguard/types.h"
#include "tcpguard/verdict.h"

/* TCP flags, RFC 9293 3.1; PSH, ECE, CWR and the reserved bits are ignored. */
#define TG_FIN 0x01
#define TG_SYN 0x02
#define TG_RST 0x04
#define TG_PSH 0x08
#define TG_ACK 0x10
#define TG_URG 0x20

/* tg_packet.options: which options were found */
#define TG_OPT_WSCALE 0x01
#define TG_OPT_TIMESTAMPS 0x02
#define TG_OPT_SACK 0x04 /* at least one SACK block */
#define TG_OPT_MSS 0x08
#define TG_OPT_SACK_PERMITTED 0x10
#define TG_OPT_SIGNED 0x20 /* MD5 or AO: only the endpoint can answer */

/* tg_packet.ingress: where a packet from elsewhere was seen */
enum tg_ingress {
	TG_INGRESS_NONE, /* at egress: if it is not our own, the kernel has checked its source and forwards it */
	TG_INGRESS_GATEWAY, /* coming in, perhaps to be forwarded */
	TG_INGRESS_HOST, /* coming in to a host */
};

struct tg_packet {
	__be32 saddr[4]; /* IPv4 as ::ffff:a.b.c.d */
	__be32 daddr[4];
	__be16 sport;
	__be16 dport;
	__u32 seq;
	union {
		struct {
			__u32 ack;
			__u32 end; /* seq + payload + SYN + FIN */
			__u32 payload; /* bytes of TCP payload */
			__u32 tsval;
		};
		__be32 reporter[4]; /* with icmp_error: who sent the packet itself */
	};
	__u32 tsecr;
	__u32 sack_right; /* highest right edge of the SACK blocks */
	__u32 bytes; /* of the IP packet; what counters add */
	__u16 window; /* raw */
	__u16 mss; /* valid with TG_OPT_MSS */
	__u16 segments; /* wire segments this buffer stands for, at least 1 */
	__u8 protocol; /* IP protocol behind extension headers; 0: not IP */
	__u8 flags;
	__u8 options;
	__u8 wscale; /* valid with TG_OPT_WSCALE, at most TG_WSCALE_MAX */
	bool ipv4;
	bool first_fragment; /* the headers are complete, the payload is not */
	bool icmp_error; /* addresses, ports and seq are those of the segment the ICMP error quotes */
	bool jumbo; /* IP length field 0 (BIG TCP): the entry function supplies the payload length */
	bool own; /* sent by this machine, not forwarded: never dropped */
	__u8 ingress; /* enum tg_ingress */
	bool enforced; /* a verdict DROP will be carried out; if not, the flow must follow what passes */
	__u8 relaxed; /* but not of these classes (bits TG_CLASS_*, TG_RELAXED_EXCHANGE) */
	bool allowed; /* the source is on the allow list */
	__u8 service; /* of the local port, see struct tg_service; 0: none */
};

/* Known before the packet is judged, because a flow must follow what is passed. */
TG_INLINE bool tg_carried_out(const struct tg_packet *pkt, enum tg_verdict verdict)
{
	return pkt->enforced && !(pkt->relaxed & (1U << tg_verdict_class(verdict)));
}

TG_INLINE bool tg_has_flags(const struct tg_packet *pkt, __u8 flags)
{
	return (pkt->flags & flags) == flags;
}

TG_INLINE void tg_set_payload(struct tg_packet *pkt, __u32 payload)
{
	pkt->payload = payload;
	pkt->end = pkt->seq + payload + !!(pkt->flags & TG_SYN) + !!(pkt->flags & TG_FIN);
}

#endif
