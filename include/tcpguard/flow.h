/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow table's memory: what is stored for each flow, where, and who may write it.
 * Not the rules that fill it (bpf/) and not what the facts mean (state.h).
 *
 * Three ARRAY maps, all BPF_F_MMAPABLE, indexed by bucket or by slot number
 * (slot number = bucket * TG_BUCKET_WAYS + way):
 *
 *   tg_flows    struct tg_bucket     what every packet needs, one cache line a slot
 *   tg_details  struct tg_detail     full key, counters, what rare packets need
 *   tg_buckets  __u64                one word a bucket: who inserts, what spilled over
 *
 * Layout of the hot slot (64 bytes, one line):
 *
 *    0  tag        8   keyed hash of the whole key; the bucket is derived from it
 *    8  claim      4   generation, origin and life-cycle bits; changed by compare-and-swap only
 *   12  stamp_ms   4   the moment the timeout of the present phase counts from
 *   16  half[0]   24   facts about what the endpoint with the lower (address, port) sent
 *   40  half[1]   24   the same for the higher one
 */
#ifndef TCPGUARD_FLOW_H
#define TCPGUARD_FLOW_H

#include "types.h"

#define TG_BUCKET_WAYS 8
#define TG_BUCKET_CHOICES 3 /* buckets a flow may live in; the second and third only when the first is full */
#define TG_SLOTS_PER_FLOW 2 /* slots made for each flow of --max-flows: half load, see docs/design.md */

/* The sender of a segment: the endpoint whose (address, port) is the lower or the higher by memcmp. */
enum tg_side {
	TG_SIDE_LO,
	TG_SIDE_HI,
	TG_SIDE_MAX
};

/* Addresses and ports in network byte order; an IPv4 address is stored as ::ffff:a.b.c.d. */
struct tg_flow_key {
	__be32 lo_addr[4];
	__be32 hi_addr[4];
	__be16 lo_port;
	__be16 hi_port;
	__u16 zone; /* separates overlapping address spaces; 0 unless attach says otherwise */
	__u16 reserved; /* zero */
};

/*
 * tg_half.facts: one word, so that it can change by compare-and-swap.
 *   bits  0..15  TG_FACT_*
 *   bits 16..23  window scale offered, TG_WSCALE_NONE = none
 *   bits 24..27  enum tg_aux: what .aux holds
 *   bits 28..31  window scale of the pending SYN, TG_PENDING_WSCALE_NONE = none
 */
#define TG_FACT_SYN 0x0001 /* sent a SYN or SYN-ACK */
#define TG_FACT_FIN 0x0002 /* sent a FIN; it ends at .end */
#define TG_FACT_PASSIVE 0x0004 /* had acknowledged the peer's FIN when it sent its own */
#define TG_FACT_RST 0x0008 /* sent an accepted RST; .aux is the number that disproves it if exceeded */
#define TG_FACT_PICKUP 0x0010 /* first seen in mid-stream: bounds are wide */
#define TG_FACT_HASACK 0x0020 /* .ack and .right are valid */
#define TG_FACT_HASTS 0x0040 /* sends timestamps; tg_half_count.tsmax is valid */
#define TG_FACT_FRAG 0x0080 /* sent fragments: data was seen only in part */
#define TG_FACT_ACKSYN 0x0100 /* acknowledged the peer's SYN.  Latched: the ISN falls out of serial range after 2 GiB */
#define TG_FACT_OWN 0x0200 /* sent by this machine: what claims to be its sender and comes from outside is not */
#define TG_FACT_OUTSIDE 0x0400 /* came in to a host.  Of both sides: not this host's connection, unless it forwards */
#define TG_FACT_MASK 0xffff

#define TG_WSCALE_NONE 0xff
#define TG_WSCALE_MAX 14 /* RFC 7323 2.3 */
#define TG_WSCALE_SHIFT 16
#define TG_WSCALE_MASK 0x00ff0000

enum tg_aux {
	TG_AUX_NONE,
	TG_AUX_EARLY, /* highest end of a segment that overtook its own SYN-ACK */
	TG_AUX_CHALLENGE, /* ack of a segment the peer will answer with a RST of that seq */
	TG_AUX_PENDING, /* ISN of a SYN that was passed without effect */
	TG_AUX_RST, /* an acknowledgement beyond this disproves the accepted RST */
	TG_AUX_ISN, /* last number of an earlier SYN-ACK or connection: the opener may acknowledge that one */
	TG_AUX_SYNACK, /* ack of a SYN-ACK for another SYN: its opener resets with that seq, or goes on from it */
	TG_AUX_MAX
};
#define TG_AUX_SHIFT 24
#define TG_AUX_MASK 0x0f000000
#define TG_PENDING_WSCALE_SHIFT 28
#define TG_PENDING_WSCALE_MASK 0xf0000000
#define TG_PENDING_WSCALE_NONE 0x0f

/*
 * What one endpoint sent, host order.  Written only while processing that endpoint's packets
 * (owner-writes); end, ack, right and maxwin only grow (serially) while the generation lasts, by
 * compare-and-swap because two CPUs may carry one direction.  Seeding writes halves too, in the same
 * way, while the interface does not enforce yet.
 */
struct tg_half {
	__u32 end; /* highest sequence end sent: SND.NXT as seen */
	__u32 ack; /* highest acknowledgement sent */
	__u32 right; /* highest ack + window sent: the edge granted to the peer */
	__u32 maxwin; /* largest window announced, scaled, at least 1 */
	__u32 aux;
	__u32 facts;
};

TG_INLINE __u8 tg_half_wscale(const struct tg_half *half)
{
	return (half->facts & TG_WSCALE_MASK) >> TG_WSCALE_SHIFT;
}

TG_INLINE enum tg_aux tg_half_aux_kind(const struct tg_half *half)
{
	return (half->facts & TG_AUX_MASK) >> TG_AUX_SHIFT;
}

/*
 * tg_slot.claim.  A slot is free (neither bit), owned (one CPU fills it; nobody else touches it) or
 * live.  Whoever swaps the word owns the transition; the generation grows at each claim, so that a
 * packet that still holds the slot of an older flow can tell (flow_table.h).
 */
#define TG_CLAIM_OWNED 0x00000001
#define TG_CLAIM_LIVE 0x00000002
#define TG_CLAIM_SUSPECT 0x00000004 /* a late writer may have touched it: pass and change nothing */
#define TG_CLAIM_OPENER_HI 0x00000008 /* the first segment seen came from TG_SIDE_HI */
#define TG_CLAIM_ORIGIN_SHIFT 4
#define TG_CLAIM_ORIGIN_MASK 0x00000070
#define TG_CLAIM_GENERATION_SHIFT 8
#define TG_CLAIM_GENERATION_ONE (1U << TG_CLAIM_GENERATION_SHIFT)

/* How the entry came to be. */
enum tg_origin {
	TG_ORIGIN_SYN, /* its SYN was seen */
	TG_ORIGIN_PICKUP, /* adopted in mid-stream: learning, or a local socket vouched for it */
	TG_ORIGIN_SEED, /* copied from a local socket at attach: exact */
	TG_ORIGIN_COOKIE, /* its first segment answered our SYN cookie: exact */
	TG_ORIGIN_MAX
};

struct tg_slot {
	__u64 tag;
	__u32 claim;
	__u32 stamp_ms;
	struct tg_half half[TG_SIDE_MAX];
};

struct tg_bucket {
	struct tg_slot slot[TG_BUCKET_WAYS];
};

/*
 * Counters and memories of one direction, written by that direction.  Plain increments: two CPUs
 * that carry the same direction at the same moment may lose a count, never a verdict.
 */
struct tg_half_count {
	__u64 bytes; /* payload bytes passed, retransmissions included */
	__u32 packets; /* wire segments passed: += max(1, gso_segs) */
	__u32 retrans;
	__u32 last_ms; /* last packet passed, on the table's clock */
	__u32 tsmax; /* newest TSval sent */
	__u16 window; /* last raw window */
	__u16 ooo; /* segments that arrived late but were not retransmissions, and holes; saturating */
	__u16 pending_window; /* of the pending SYN, unscaled */
	__u8 drops; /* packets of this direction judged DROP; saturating */
	__u8 last_verdict; /* enum tg_verdict of the last one that was not PASS_OK */
};

struct tg_detail {
	struct tg_half_count count[TG_SIDE_MAX];
	struct tg_flow_key key;
	__u32 created_ms;
	__u32 isn[TG_SIDE_MAX];
	__u32 syn_limit_ms; /* token buckets for SYN and RST passed without effect: */
	__u32 rst_limit_ms; /*   theoretical arrival time (GCRA), racy and harmless */
	__u16 pending_len[TG_SIDE_MAX]; /* payload of the pending SYN */
};

/*
 * The bucket word:
 *   bits  0..7   SPILLED: flows that belong here but live in their second or third bucket; zero means
 *                that a look-up may stop after this one
 *   bit   8      REFUSED: a newcomer found no room, or a connection lost it, so a segment of an unknown
 *                flow may be legitimate
 *   bits  9..23  SERIAL: grows at each insertion, by compare-and-swap, so that two CPUs cannot open the
 *                same flow twice
 *   bits 24..63  a print of five bits for each way: which of them may hold the tag looked for, so that a
 *                segment of no flow reads one slot and not eight.  Written by the slot's owner before the
 *                flow is live; left as it is when the slot is freed.
 * The whole word is compared: to be taken for the one it was, it needs a multiple of 32768 insertions and
 * the same print in every way that was filled meanwhile, while a CPU is between two lines of tg_claim_place().
 */
#define TG_BUCKET_SPILLED_MASK 0x00000000000000ffULL
#define TG_BUCKET_SPILLED_ONE 0x0000000000000001ULL
#define TG_BUCKET_REFUSED 0x0000000000000100ULL
#define TG_BUCKET_SERIAL_ONE 0x0000000000000200ULL
#define TG_BUCKET_SERIAL_MASK 0x0000000000fffe00ULL
#define TG_BUCKET_PRINTS_SHIFT 24
#define TG_PRINT_BITS 5
#define TG_PRINT_MASK 0x1fULL

/*
 * Keyed hash: two independent multilinear hashes of the key's ten words (Lemire and Kaser, strongly
 * universal), 64-bit coefficients, upper 32 bits of each sum kept.  The words of an IPv4-mapped
 * prefix and the zone are constant, so the loader folds them into base4 and base6.
 */
#define TG_HASH_WORDS 9 /* 4 + 4 address words, 1 word of ports */
#define TG_HASH_COEFFICIENTS (1 + TG_HASH_WORDS + 1) /* constant, words, zone */
struct tg_hash_key {
	__u64 base4[2];
	__u64 base6[2];
	__u64 word[2][TG_HASH_WORDS];
};

_Static_assert(sizeof(struct tg_flow_key) == 40, "key");
_Static_assert(sizeof(struct tg_half) == 24, "half");
_Static_assert(sizeof(struct tg_slot) == 64, "one cache line a slot");
_Static_assert(sizeof(struct tg_bucket) == 512, "bucket");
_Static_assert(sizeof(struct tg_half_count) == 32, "both counters share one cache line");
_Static_assert(sizeof(struct tg_detail) == 128, "two cache lines a slot");

#endif
