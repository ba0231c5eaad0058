/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Our own SYN cookie: what a handshake agreed on, kept in two numbers that the client sends back.
 *
 *   sequence number of the SYN-ACK
 *     bits 31..8   hash of addresses, ports, the client's ISN, the period and everything below
 *          7..6    class of the client's window scale  } for clients without timestamps,
 *             5    SACK                                } else 0
 *          4..3    period, its lowest bits
 *          2..0    MSS, index into a table
 *   TSval of the SYN-ACK
 *     bits 31..10  a clock
 *             9    ECN
 *             8    SACK
 *          7..4    our window scale, 15 = none
 *          3..0    the client's window scale, 15 = none
 *
 * The hash covers all terms, so a client cannot return other terms than it was given.  A guess
 * succeeds with a chance of 2^-24, as with the kernel's cookies; twice that for two minutes after the
 * secret was changed.
 */
#ifndef TG_BPF_COOKIE_H
#define TG_BPF_COOKIE_H

#include "tcpguard/cookie.h"
#include "packet.h"
#include "siphash.h"
#include "tcpguard/flow.h"

#define TG_COOKIE_HASH_SHIFT 8
#define TG_COOKIE_LOW_MASK 0xff
#define TG_COOKIE_PERIOD_MASK 3
#define TG_COOKIE_SACK_BIT 0x20
#define TG_COOKIE_TS_BITS 10
#define TG_COOKIE_TS_MASK ((1U << TG_COOKIE_TS_BITS) - 1)
#define TG_COOKIE_TS_SACK 0x100
#define TG_COOKIE_TS_ECN 0x200

/* Ours where no timestamp can carry it: large enough for 8 MiB. */
#define TG_COOKIE_PLAIN_WSCALE 7

/* What SYN and SYN-ACK agreed on. */
struct tg_terms {
	__u16 mss; /* the client's, rounded down to one of the table */
	__u8 mss_index;
	__u8 wscale; /* the client's, TG_WSCALE_NONE: no scaling in either direction */
	__u8 own_wscale; /* valid unless wscale is TG_WSCALE_NONE */
	bool timestamps;
	bool sack;
	bool ecn;
};

/* From RFC 9293's defaults and IPv6's smallest MTU up to Ethernet and jumbo frames, with tunnels between. */
TG_INLINE __u16 tg_cookie_mss(bool ipv4, __u32 index)
{
	switch (index) {
	case 0:
		return ipv4 ? 536 : 1220;
	case 1:
		return ipv4 ? 1220 : 1280;
	case 2:
		return 1340;
	case 3:
		return 1380;
	case 4:
		return 1400;
	case 5:
		return ipv4 ? 1440 : 1420;
	case 6:
		return ipv4 ? 1460 : 1440;
	default:
		return ipv4 ? 8960 : 8940;
	}
}

/* The largest of the table that is no larger; the smallest if none is, as the kernel does. */
TG_INLINE __u8 tg_cookie_mss_index(bool ipv4, __u16 mss)
{
	__u32 index;

	for (index = 7; index; index--)
		if (tg_cookie_mss(ipv4, index) <= mss)
			break;
	return index;
}

/* A scale too small is safe: windows are taken for smaller than they are. */
TG_INLINE __u8 tg_wscale_class(__u8 wscale)
{
	if (wscale == TG_WSCALE_NONE)
		return 0;
	return wscale >= 8 ? 3 : wscale >= 4 ? 2 :
					       1;
}

TG_INLINE __u8 tg_wscale_of_class(__u8 class)
{
	return class ? (class - 1) * 4 : TG_WSCALE_NONE;
}

/* Of terms as asked for, what can be carried: call before the SYN-ACK is written. */
TG_INLINE void tg_terms_round(struct tg_terms *terms, bool ipv4)
{
	terms->mss_index = tg_cookie_mss_index(ipv4, terms->mss);
	terms->mss = tg_cookie_mss(ipv4, terms->mss_index);
	if (terms->timestamps)
		return;
	terms->ecn = false;
	terms->wscale = tg_wscale_of_class(tg_wscale_class(terms->wscale));
	terms->own_wscale = TG_COOKIE_PLAIN_WSCALE;
}

TG_INLINE __u32 tg_terms_in_sequence(const struct tg_terms *terms, __u64 period)
{
	__u32 low = terms->mss_index | (period & TG_COOKIE_PERIOD_MASK) << 3;

	if (!terms->timestamps)
		low |= (terms->sack ? TG_COOKIE_SACK_BIT : 0) |
		       (__u32)tg_wscale_class(terms->wscale) << 6;
	return low;
}

TG_INLINE __u32 tg_terms_in_timestamp(const struct tg_terms *terms)
{
	bool scales = terms->wscale != TG_WSCALE_NONE;

	return (scales ? terms->wscale & 15 : 15) | (scales ? terms->own_wscale & 15 : 15) << 4 |
	       (terms->sack ? TG_COOKIE_TS_SACK : 0) | (terms->ecn ? TG_COOKIE_TS_ECN : 0);
}

/* What came back; timestamp is the TSecr, valid with timestamps. */
TG_INLINE void tg_terms_read(struct tg_terms *terms, bool ipv4, __u32 cookie, bool timestamps,
			     __u32 timestamp)
{
	terms->mss_index = cookie & 7;
	terms->mss = tg_cookie_mss(ipv4, terms->mss_index);
	terms->timestamps = timestamps;
	if (timestamps) {
		bool scales = (timestamp & 15) != 15;

		terms->wscale = scales ? timestamp & 15 : TG_WSCALE_NONE;
		terms->own_wscale = scales ? timestamp >> 4 & 15 : TG_WSCALE_NONE;
		terms->sack = timestamp & TG_COOKIE_TS_SACK;
		terms->ecn = timestamp & TG_COOKIE_TS_ECN;
	} else {
		terms->wscale = tg_wscale_of_class(cookie >> 6 & 3);
		terms->own_wscale = TG_COOKIE_PLAIN_WSCALE;
		terms->sack = cookie & TG_COOKIE_SACK_BIT;
		terms->ecn = false;
	}
}

/* pkt: a segment of the client; isn: the client's; low: the cookie's lowest byte. */
TG_INLINE void tg_cookie_input(const struct tg_packet *pkt, __u32 isn, __u64 period, __u32 low,
			       bool timestamps, __u32 timestamp, struct tg_siphash_input *input)
{
	__u32 terms = low | (timestamps ? 1U << 31 | (timestamp & TG_COOKIE_TS_MASK) << 8 : 0);

	input->word[0] = (__u64)bpf_ntohs(pkt->sport) << 48 | (__u64)bpf_ntohs(pkt->dport) << 32 | isn;
	input->word[1] = period << 32 | terms;
	input->word[2] = (__u64)pkt->saddr[3] << 32 | pkt->daddr[3];
	input->count = 3;
	if (pkt->ipv4)
		return;
	input->word[3] = (__u64)pkt->saddr[0] << 32 | pkt->saddr[1];
	input->word[4] = (__u64)pkt->saddr[2] << 32 | pkt->daddr[2];
	input->word[5] = (__u64)pkt->daddr[0] << 32 | pkt->daddr[1];
	input->count = 6;
}

TG_INLINE __u32 tg_cookie_hash(const struct tg_cookie_secret *secret,
			       const struct tg_siphash_input *input)
{
	return (__u32)tg_siphash24(secret->key[0], secret->key[1], input) &
	       ~(__u32)TG_COOKIE_LOW_MASK;
}

TG_INLINE __u64 tg_cookie_period(const struct tg_cookies *cookies, __u64 now_ms)
{
	return (now_ms + cookies->wall_offset_ms) >> TG_COOKIE_PERIOD_SHIFT;
}

/* Sequence number and TSval of the SYN-ACK for pkt, a SYN; terms are rounded. */
TG_INLINE __u32 tg_cookie_make(const struct tg_cookies *cookies, __u64 now_ms,
			       const struct tg_packet *pkt, const struct tg_terms *terms,
			       __u32 *timestamp)
{
	__u64 period = tg_cookie_period(cookies, now_ms);
	__u32 low = tg_terms_in_sequence(terms, period);
	__u32 clock = (__u32)now_ms + cookies->timestamp_base;
	struct tg_siphash_input input = {};

	*timestamp = (clock & ~TG_COOKIE_TS_MASK) | tg_terms_in_timestamp(terms);
	tg_cookie_input(pkt, pkt->seq, period, low, terms->timestamps, *timestamp, &input);
	return tg_cookie_hash(&cookies->secret[cookies->newest & 1], &input) | low;
}

/* The scales of a flow that a cookie opens, in one number that is never 0. */
#define TG_TERMS_VALID 0x100

TG_INLINE __u16 tg_terms_pack(const struct tg_terms *terms)
{
	bool scales = terms->wscale != TG_WSCALE_NONE;

	return TG_TERMS_VALID | (scales ? terms->wscale & 15 : 15) |
	       (scales ? terms->own_wscale & 15 : 15) << 4;
}

TG_INLINE __u8 tg_terms_scale(__u16 packed, bool own)
{
	__u8 scale = (own ? packed >> 4 : packed) & 15;

	return scale == 15 ? TG_WSCALE_NONE : scale;
}

enum tg_cookie_answer {
	TG_COOKIE_GOOD,
	TG_COOKIE_WRONG,
	TG_COOKIE_OLD, /* ours, and good once */
};

/*
 * Is pkt, a segment without SYN or RST, the client's answer to a cookie of ours?  terms are what was
 * agreed on.  A period ahead of ours is another host's, whose clock is a moment ahead.
 */
TG_INLINE enum tg_cookie_answer tg_cookie_verify(const struct tg_cookies *cookies, __u64 now_ms,
						 const struct tg_packet *pkt, struct tg_terms *terms)
{
	__u32 cookie = pkt->ack - 1, newest = cookies->newest & 1;
	bool timestamps = pkt->options & TG_OPT_TIMESTAMPS;
	__u64 period = tg_cookie_period(cookies, now_ms);
	__u32 age = (period - (cookie >> 3)) & TG_COOKIE_PERIOD_MASK;
	struct tg_siphash_input input = {};
	__u32 hash = cookie & ~(__u32)TG_COOKIE_LOW_MASK;

	period = age == TG_COOKIE_PERIOD_MASK ? period + 1 : period - age;
	tg_cookie_input(pkt, pkt->seq - 1, period, cookie & TG_COOKIE_LOW_MASK, timestamps,
			pkt->tsecr, &input);
	if (tg_cookie_hash(&cookies->secret[newest], &input) != hash &&
	    (now_ms >= cookies->former_until_ms ||
	     tg_cookie_hash(&cookies->secret[newest ^ 1], &input) != hash))
		return TG_COOKIE_WRONG;
	tg_terms_read(terms, pkt->ipv4, cookie, timestamps, pkt->tsecr);
	return age == 2 ? TG_COOKIE_OLD : TG_COOKIE_GOOD;
}

#endif
