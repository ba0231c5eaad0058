/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Block and allow lists as the data path reads them: an immutable image of 64-byte lines, built by
 * user space and exchanged whole.  Its head is part of the configuration, so that a flip of the
 * configuration is a flip of the lists.
 *
 * A rule lives until the table's clock, in whole seconds, reaches until_s.  Whether any live rule of a
 * list covers an address is whether the latest of all covering rules is live: everything that is
 * looked up holds that latest moment of its own and of every shorter prefix around it, for each list.
 * So the longest prefix that matches an address says all there is to say of it.
 *
 *   direct tables  one a family: for each value of the first bits of an address two bits, which nearly
 *                  always say all and stay in the cache, and behind them an entry
 *   nodes          what an entry cannot say by itself: moments, and lengths of longer prefixes below
 *   slots          those longer prefixes, hashed by masked address and length: each lies in one of
 *                  two lines
 *   rules, text    for user space alone: what was asked for, and why
 */
#ifndef TCPGUARD_LISTS_H
#define TCPGUARD_LISTS_H

#include "types.h"

#define TG_LIST_RULES_MAX (4U << 20)
#define TG_LIST_FOREVER 0xffffffffU
#define TG_LIST_REASON_MAX 127 /* bytes of a reason's text */

enum tg_list {
	TG_LIST_BLOCK,
	TG_LIST_ALLOW, /* wins, whatever the lengths */
	TG_LIST_MAX
};

/* Who asked for a rule.  Both may for one prefix: each takes back its own. */
enum tg_list_origin {
	TG_LIST_BY_COMMAND,
	TG_LIST_BY_FILE, /* the configuration names the file: replaced with each reload */
	TG_LIST_ORIGIN_MAX
};

/*
 * An entry of a direct table: two bits of kind, the rest is the kind's.  The kinds alone come first in
 * the table; where that is TG_LIST_NODE the entry says more.
 */
#define TG_LIST_NOTHING 0U
#define TG_LIST_BLOCKED 1U /* for ever, and no longer prefix below */
#define TG_LIST_ALLOWED 2U /* likewise; TG_LIST_OVER_BLOCK may be added */
#define TG_LIST_NODE 3U /* and the number of a node */
#define TG_LIST_KIND 3U
#define TG_LIST_KIND_BITS 2
#define TG_LIST_OVER_BLOCK 4U /* it is blocked for ever, too */

struct tg_list_moments {
	__u32 until_s[TG_LIST_MAX]; /* by enum tg_list; 0: none, TG_LIST_FOREVER */
};

/* Equal ones are one.  Bit i of lengths[0] is length 128 - i, of lengths[1] 64 - i. */
struct tg_list_node {
	__u64 lengths[2];
	struct tg_list_moments moments; /* where no longer prefix matches */
	__u64 reserved;
};

/* Key of a slot: length in bits of the IPv6 (or mapped) address, and the family. */
#define TG_LIST_KEY_USED 0x10000U
#define TG_LIST_KEY_IPV4 0x100U

struct tg_list_slot {
	__u64 high; /* the address in host order, masked; IPv4 as ::ffff:a.b.c.d */
	__u64 low;
	struct tg_list_moments moments;
	__u32 key; /* 0: unused */
	__u32 spilled; /* in the first slot of a line: some prefix of this line lies in its second one */
};

/* A rule as it was given. */
struct tg_list_rule {
	__u64 high;
	__u64 low;
	__u32 until_s;
	__u32 reason; /* offset into the text; 0: none */
	__u32 added_s; /* Unix time */
	__u8 length; /* of the IPv6 (or mapped) address */
	__u8 ipv4;
	__u8 list; /* enum tg_list */
	__u8 origin; /* enum tg_list_origin */
};

/* The line before the first rule: what user space would else count them for. */
struct tg_list_counts {
	__u32 rules[TG_LIST_MAX][2][TG_LIST_ORIGIN_MAX]; /* IPv6, IPv4; expired ones, too */
	__u64 made_s; /* Unix time */
	__u64 reserved[3];
};

#define TG_LIST_LINE_BYTES 64
#define TG_LIST_ENTRIES 16
#define TG_LIST_CODES_BITS 8 /* 256 codes of two bits */
#define TG_LIST_PER_LINE 2 /* nodes, slots and rules */

struct tg_list_line {
	union {
		__u64 codes[8];
		__u32 entry[TG_LIST_ENTRIES];
		struct tg_list_node node[TG_LIST_PER_LINE];
		struct tg_list_slot slot[TG_LIST_PER_LINE];
		struct tg_list_rule rule[TG_LIST_PER_LINE];
		struct tg_list_counts counts;
	};
};

/* Direct tables are indexed by so many bits at least, so that no more lengths can be below an entry. */
#define TG_LIST_BITS_MIN 16
#define TG_LIST_LENGTHS (128 - TG_LIST_BITS_MIN)

/* Also the first line of an image, so that a reader knows which one it has opened. */
struct tg_list_image {
	__u32 prefixes; /* in all; 0: there are no lists, nothing is looked up */
	__u32 rules[TG_LIST_MAX]; /* by enum tg_list */
	__u32 slot; /* of tg_lists, where the image is */
	__u64 seed; /* of the hash: random */
	__u32 lines; /* in all; the numbers of lines below count from the image's beginning */
	__u32 direct[2]; /* first lines of the direct tables: IPv6, IPv4 */
	__u8 bits[2]; /* they are indexed by; 0: the family has no prefixes */
	__u16 reserved;
	__u32 nodes;
	__u32 slots;
	__u32 slots_mask; /* lines of slots, less one: a power of two */
	__u32 first_rule;
	__u32 text;
};

_Static_assert(sizeof(struct tg_list_line) == TG_LIST_LINE_BYTES, "one cache line");
_Static_assert(sizeof(struct tg_list_image) == TG_LIST_LINE_BYTES, "the first line");

#endif
