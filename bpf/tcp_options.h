/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TCP options: window scale and timestamps of any segment, SACK edges, what else a SYN offers.  Unknown
 * kinds are skipped by their length.  A malformed option ends the walk and is no reason to
 * drop: stacks differ and the endpoint decides (RFC 9293 3.1).
 */
#ifndef TG_BPF_TCP_OPTIONS_H
#define TG_BPF_TCP_OPTIONS_H

#include "tcpguard/flow.h"
#include "tcpguard/seq.h"
#include "packet.h"

#define TG_OPTIONS_MAX 40 /* bytes: data offset 15 minus the fixed header */

#define TG_OPTION_EOL 0
#define TG_OPTION_NOP 1
#define TG_OPTION_MSS 2
#define TG_OPTION_WSCALE 3
#define TG_OPTION_SACK_PERMITTED 4
#define TG_OPTION_SACK 5
#define TG_OPTION_TIMESTAMPS 8
#define TG_OPTION_MD5 19
#define TG_OPTION_AO 29

/* The option bytes, copied out of the packet; 64 so that an index can be masked. */
struct tg_option_bytes {
	__u8 byte[64];
};

/* In one load: see headers.h. */
TG_INLINE __u32 tg_load_be32(const __u8 *p)
{
#ifdef __bpf__
	return bpf_ntohl(*(const __be32 *)p);
#else
	return (__u32)p[0] << 24 | (__u32)p[1] << 16 | (__u32)p[2] << 8 | p[3];
#endif
}

TG_INLINE __u8 tg_option_byte(const struct tg_option_bytes *options, __u32 at)
{
	return options->byte[at & 63];
}

TG_INLINE __u32 tg_option_be32(const struct tg_option_bytes *options, __u32 at)
{
	return (__u32)tg_option_byte(options, at) << 24 |
	       (__u32)tg_option_byte(options, at + 1) << 16 |
	       (__u32)tg_option_byte(options, at + 2) << 8 | tg_option_byte(options, at + 3);
}

/* Right edges of up to four blocks of a SACK option of size bytes. */
TG_INLINE void tg_note_sack(const struct tg_option_bytes *options, __u32 at, __u32 size,
			    struct tg_packet *pkt)
{
	__u32 block;

	for (block = 0; block < 4 && 2 + block * 8 + 8 <= size; block++) {
		__u32 right = tg_option_be32(options, at + 2 + block * 8 + 4);

		if (!(pkt->options & TG_OPT_SACK) || tg_seq_after(right, pkt->sack_right))
			pkt->sack_right = right;
		pkt->options |= TG_OPT_SACK;
	}
}

TG_INLINE void tg_note_option(const struct tg_option_bytes *options, __u32 at, __u32 size,
			      struct tg_packet *pkt)
{
	__u8 kind = tg_option_byte(options, at);

	if (kind == TG_OPTION_WSCALE && size == 3) {
		__u8 wscale = tg_option_byte(options, at + 2);

		pkt->wscale = wscale > TG_WSCALE_MAX ? TG_WSCALE_MAX : wscale;
		pkt->options |= TG_OPT_WSCALE;
	} else if (kind == TG_OPTION_TIMESTAMPS && size == 10) {
		pkt->tsval = tg_option_be32(options, at + 2);
		pkt->tsecr = tg_option_be32(options, at + 6);
		pkt->options |= TG_OPT_TIMESTAMPS;
	} else if (kind == TG_OPTION_SACK && size >= 10) {
		tg_note_sack(options, at, size, pkt);
	} else if (kind == TG_OPTION_MSS && size == 4) {
		pkt->mss = tg_option_byte(options, at + 2) << 8 | tg_option_byte(options, at + 3);
		pkt->options |= TG_OPT_MSS;
	} else if (kind == TG_OPTION_SACK_PERMITTED && size == 2) {
		pkt->options |= TG_OPT_SACK_PERMITTED;
	} else if (kind == TG_OPTION_MD5 || kind == TG_OPTION_AO) {
		pkt->options |= TG_OPT_SIGNED;
	}
}

#define TG_OPTIONS_END 64

/*
 * Notes the option at at and returns where the next one begins, TG_OPTIONS_END if none does.
 * Global, so that the verifier follows it once and not once an option.
 */
TG_GLOBAL __u32 tg_option_step(const struct tg_option_bytes *options, __u32 at, __u32 length,
			       struct tg_packet *pkt)
{
	__u32 size;

	if (!options || !pkt || at >= length || at >= TG_OPTIONS_MAX ||
	    tg_option_byte(options, at) == TG_OPTION_EOL)
		return TG_OPTIONS_END;
	if (tg_option_byte(options, at) == TG_OPTION_NOP)
		return at + 1;
	size = tg_option_byte(options, at + 1);
	if (at + 1 >= length || size < 2 || at + size > length)
		return TG_OPTIONS_END;
	tg_note_option(options, at, size, pkt);
	return at + size;
}

/*
 * length bytes of options at p (a multiple of 4, at most 40); limit is the end of readable memory.
 * The fast path (no options, or NOP NOP TIMESTAMPS) never calls it.
 */
static __noinline int tg_parse_options(const __u8 *p, const __u8 *limit, __u32 length,
				       struct tg_packet *pkt)
{
	struct tg_option_bytes options = {};
	__u32 at, i;

	for (at = 0; at < TG_OPTIONS_MAX; at += 4) {
		if (at >= length || p + at + 4 > limit)
			break;
		__builtin_memcpy(&options.byte[at], p + at, 4);
	}
	for (at = 0, i = 0; i < TG_OPTIONS_MAX && at < length; i++)
		at = tg_option_step(&options, at, length, pkt);
	return 0;
}

#endif
