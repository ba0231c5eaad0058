/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes a SYN-ACK as this machine's stack would: IP and TCP header, options, both checksums.  Nothing
 * of the SYN is echoed but what was agreed on, and the answer is no longer than the SYN was.
 */
#ifndef TG_BPF_SYN_ANSWER_H
#define TG_BPF_SYN_ANSWER_H

#include "cookie.h"
#include "headers.h"
#include "tcp_options.h"

#define TG_ANSWER_OPTIONS_MAX 20 /* MSS, SACK permitted, timestamps, window scale */
#define TG_ANSWER_TTL 64
#define TG_IPV4_DF 0x4000
#define TG_ECE 0x40

struct tg_answer_tcp {
	struct tg_tcp header;
	__be32 option[TG_ANSWER_OPTIONS_MAX / 4];
} __attribute__((packed));

/* Aligned to words, so that the sums can go by words. */
struct tg_answer4 {
	struct tg_ipv4 ip;
	struct tg_answer_tcp tcp;
} __attribute__((packed, aligned(4)));

struct tg_answer6 {
	struct tg_ipv6 ip;
	struct tg_answer_tcp tcp;
} __attribute__((packed, aligned(4)));

/* What the SYN-ACK says beside the terms. */
struct tg_syn_answer {
	__u32 cookie;
	__u32 timestamp;
	__u16 window;
	__u16 mss; /* ours */
	bool partial; /* the device or its peer completes the checksum, as it would have the SYN's */
	__u8 room; /* bytes of options that fit in what the SYN took */
};

/*
 * Words in any order of bytes: the sum of 16-bit words does not care, folded at the end.  Copied out
 * because the headers are written as other types: the compiler may assume that they do not meet.
 */
TG_INLINE __u64 tg_sum_words(const void *bytes, __u32 count, __u64 sum)
{
	__u32 i, word;

#pragma unroll
	for (i = 0; i < count; i++) {
		__builtin_memcpy(&word, (const __u8 *)bytes + i * 4, sizeof(word));
		sum += word;
	}
	return sum;
}

TG_INLINE __u16 tg_sum_finish(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* One word before those that are there: at fixed places, for the verifier's sake. */
TG_INLINE void tg_prepend(struct tg_answer_tcp *tcp, __u32 word)
{
	__u32 i;

#pragma unroll
	for (i = TG_ANSWER_OPTIONS_MAX / 4 - 1; i; i--)
		tcp->option[i] = tcp->option[i - 1];
	tcp->option[0] = bpf_htonl(word);
}

/*
 * The options in the order Linux sends them, written from the last on.  What the client offered it has
 * paid for in length; an MSS it did not offer needs room left over.  Returns the bytes written.
 */
TG_INLINE __u32 tg_write_options(struct tg_answer_tcp *tcp, const struct tg_packet *pkt,
				 const struct tg_terms *terms, const struct tg_syn_answer *answer)
{
	__u32 length = 0, first = TG_OPTION_NOP << 24 | TG_OPTION_NOP << 16;

	if (terms->wscale != TG_WSCALE_NONE) {
		tg_prepend(tcp, TG_OPTION_NOP << 24 | TG_OPTION_WSCALE << 16 | 3 << 8 |
					terms->own_wscale);
		length += 4;
	}
	if (terms->timestamps) {
		if (terms->sack)
			first = TG_OPTION_SACK_PERMITTED << 24 | 2 << 16;
		tg_prepend(tcp, pkt->tsval);
		tg_prepend(tcp, answer->timestamp);
		tg_prepend(tcp, first | TG_OPTION_TIMESTAMPS << 8 | 10);
		length += 12;
	} else if (terms->sack) {
		tg_prepend(tcp, first | TG_OPTION_SACK_PERMITTED << 8 | 2);
		length += 4;
	}
	if (length + 4 <= answer->room) {
		tg_prepend(tcp, TG_OPTION_MSS << 24 | 4 << 16 | answer->mss);
		length += 4;
	}
	return length;
}

/* Header and options, the checksum still 0.  Returns the length. */
TG_INLINE __u32 tg_write_tcp(struct tg_answer_tcp *tcp, const struct tg_packet *pkt,
			     const struct tg_terms *terms, const struct tg_syn_answer *answer)
{
	__u32 length, i;

#pragma unroll
	for (i = 0; i < TG_ANSWER_OPTIONS_MAX / 4; i++)
		tcp->option[i] = 0;
	length = sizeof(tcp->header) + tg_write_options(tcp, pkt, terms, answer);
	tcp->header.sport = pkt->dport;
	tcp->header.dport = pkt->sport;
	tcp->header.seq = bpf_htonl(answer->cookie);
	tcp->header.ack = bpf_htonl(pkt->seq + 1); /* data in the SYN is not taken */
	tcp->header.offset_reserved = length / 4 << 4;
	tcp->header.flags = TG_SYN | TG_ACK | (terms->ecn ? TG_ECE : 0);
	tcp->header.window = bpf_htons(answer->window);
	tcp->header.checksum = 0;
	tcp->header.urgent = 0;
	return length;
}

/* pseudo: the sum of what TCP's checksum covers beside the segment. */
TG_INLINE void tg_seal(struct tg_answer_tcp *tcp, const struct tg_syn_answer *answer, __u64 pseudo)
{
	if (answer->partial)
		tcp->header.checksum = ~tg_sum_finish(pseudo);
	else
		tcp->header.checksum = tg_sum_finish(tg_sum_words(tcp, sizeof(*tcp) / 4, pseudo));
}

/* Returns the length from the IP header on. */
TG_INLINE __u32 tg_write_answer4(struct tg_answer4 *frame, const struct tg_packet *pkt,
				 const struct tg_terms *terms, const struct tg_syn_answer *answer)
{
	__u32 length = tg_write_tcp(&frame->tcp, pkt, terms, answer);
	__u64 sum;

	frame->ip.version_ihl = 0x45;
	frame->ip.tos = 0;
	frame->ip.total_length = bpf_htons(sizeof(frame->ip) + length);
	frame->ip.id = 0; /* RFC 6864 4.1: means nothing with DF set */
	frame->ip.fragment = bpf_htons(TG_IPV4_DF);
	frame->ip.ttl = TG_ANSWER_TTL;
	frame->ip.protocol = TG_PROTO_TCP;
	frame->ip.checksum = 0;
	frame->ip.saddr = pkt->daddr[3];
	frame->ip.daddr = pkt->saddr[3];
	frame->ip.checksum = tg_sum_finish(tg_sum_words(&frame->ip, 5, 0));
	sum = (__u64)bpf_htons(TG_PROTO_TCP) + bpf_htons((__u16)length) + pkt->daddr[3] + pkt->saddr[3];
	tg_seal(&frame->tcp, answer, sum);
	return sizeof(frame->ip) + length;
}

TG_INLINE __u32 tg_write_answer6(struct tg_answer6 *frame, const struct tg_packet *pkt,
				 const struct tg_terms *terms, const struct tg_syn_answer *answer)
{
	__u32 length = tg_write_tcp(&frame->tcp, pkt, terms, answer), i;
	__u64 sum = bpf_htons(TG_PROTO_TCP) + bpf_htons((__u16)length);

	frame->ip.version_class = 0x60;
	frame->ip.class_flow[0] = frame->ip.class_flow[1] = frame->ip.class_flow[2] = 0;
	frame->ip.payload_length = bpf_htons((__u16)length);
	frame->ip.next_header = TG_PROTO_TCP;
	frame->ip.hop_limit = TG_ANSWER_TTL;
#pragma unroll
	for (i = 0; i < 4; i++) {
		frame->ip.saddr[i] = pkt->daddr[i];
		frame->ip.daddr[i] = pkt->saddr[i];
		sum += (__u64)pkt->saddr[i] + pkt->daddr[i];
	}
	tg_seal(&frame->tcp, answer, sum);
	return sizeof(frame->ip) + length;
}

#endif
