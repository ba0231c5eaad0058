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
 *                  always say all, or what to ask next; all lower ones, all upper ones, and behind them,
 *                  if needed, an entry each
 *   nodes          what two bits cannot say: moments, and what longer prefixes there are below
 *   slots          those longer prefixes, hashed by masked address and length: each lies in one of
 *                  two lines
 *   filter         in front of the slots, small: is there anything at all?
 *   rules, text    for user space alone: what was asked for, and why
 *
 * A packet pays for each line that depends on the one before.  So a family's longer prefixes are
 * brought to few lengths, its levels, where that is possible without many more of them (a prefix
 * becomes those of the next level inside it): then the places of filter and slots follow from the
 * address alone.  Where it is not, a node says which lengths there are below it.
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
 * The two bits of a direct table.  They lie apart, each in a plane of its own: where there are no entries,
 * the lower one alone says of most addresses that there is nothing, out of half the memory.
 */
enum tg_list_code {
	TG_LIST_NOTHING,
	TG_LIST_BLOCKED, /* for ever, and no longer prefix below */
	TG_LIST_ENTRY, /* the number of a node is in the entry */
	TG_LIST_BELOW, /* nothing; longer prefixes, of the family's levels, may say more */
};
#define TG_LIST_PLANES 2

struct tg_list_moments {
	__u32 until_s[TG_LIST_MAX]; /* by enum tg_list; 0: none, TG_LIST_FOREVER */
};

/*
 * Equal ones are one.  The first four, by bit enum tg_list, are for ever and have nothing below: who
 * has such a number need not read them.  Bit i of lengths[0] is length 128 - i, of lengths[1] 64 - i.
 */
#define TG_LIST_FOREVERS 4U
struct tg_list_node {
	__u64 lengths[2];
	struct tg_list_moments moments; /* where no longer prefix matches */
	__u32 below; /* longer prefixes of the family's levels */
	__u32 reserved;
};

/*
 * Longer prefixes, three a line.  A value is the key in its upper eight bits and the number of a node
 * below; the key is the length of the IPv6 (or mapped) address, less one, and the family.
 */
#define TG_LIST_SLOTS 3
#define TG_LIST_KEY_IPV4 0x80U
#define TG_LIST_KEY_SHIFT 24
#define TG_LIST_NUMBER ((1U << TG_LIST_KEY_SHIFT) - 1)

struct tg_list_slots {
	__u64 high[TG_LIST_SLOTS]; /* the address in host order, masked; IPv4 as ::ffff:a.b.c.d */
	__u64 low[TG_LIST_SLOTS];
	__u32 value[TG_LIST_SLOTS]; /* 0: unused */
	__u32 spilled; /* some prefix of this line lies in its second one */
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
#define TG_LIST_PLANE_BITS 9 /* 512 bits */
#define TG_LIST_PER_LINE 2 /* nodes and rules */
#define TG_LIST_FILTER_LINES 32 /* lines of slots for each of the filter, in which a word is 64 bits */

struct tg_list_line {
	union {
		__u64 plane[8];
		__u64 filter[8];
		__u32 entry[TG_LIST_ENTRIES];
		struct tg_list_node node[TG_LIST_PER_LINE];
		struct tg_list_slots slots;
		struct tg_list_rule rule[TG_LIST_PER_LINE];
		struct tg_list_counts counts;
	};
};

/* Direct tables are indexed by so many bits at least, so that no more lengths can be below an entry. */
#define TG_LIST_BITS_MIN 16
#define TG_LIST_LENGTHS (128 - TG_LIST_BITS_MIN)

#define TG_LIST_LEVELS 4
#define TG_LIST_FORMAT 2 /* of images; 1 had both bits together, 0 entries of another kind, and no levels */

/*
 * A direct table in one number: where it begins, by how many bits it is indexed (0: the family has no
 * prefixes), and whether it has entries.
 */
#define TG_LIST_FIRST ((1U << 24) - 1)
#define TG_LIST_BITS_SHIFT 24
#define TG_LIST_BITS 0x7fU
#define TG_LIST_HAS_ENTRIES (1U << 31)

/*
 * Also the first line of an image, so that a reader knows which one it has opened.  What is read of
 * rules is where it was in former formats.  The number of bits is where they had zeroes, and zero where
 * theirs was, so that nobody reads anything out of an image of another format.
 */
struct tg_list_image {
	__u32 prefixes; /* in all; 0: there are no lists, nothing is looked up */
	__u32 rules[TG_LIST_MAX]; /* by enum tg_list */
	__u8 slot; /* of tg_lists, where the image is */
	__u8 format;
	__u8 reserved[2]; /* zero */
	__u64 seed; /* of the hash: random */
	__u32 lines; /* in all; the numbers of lines below count from the image's beginning */
	__u32 direct[2]; /* the direct tables: IPv6, IPv4 */
	__u8 level[2][TG_LIST_LEVELS]; /* lengths: the shortest, then longest first; 0: none */
	__u32 nodes;
	__u32 slots;
	__u32 first_rule;
	__u32 text;
	__u32 slots_lines; /* number of them; the filter is behind */
};

TG_INLINE __u32 tg_list_bits(const struct tg_list_image *head, __u32 ipv4)
{
	return head->direct[ipv4 & 1] >> TG_LIST_BITS_SHIFT & TG_LIST_BITS;
}

TG_INLINE __u32 tg_list_first(const struct tg_list_image *head, __u32 ipv4)
{
	return head->direct[ipv4 & 1] & TG_LIST_FIRST;
}

_Static_assert(sizeof(struct tg_list_slots) == TG_LIST_LINE_BYTES, "one cache line");
_Static_assert(sizeof(struct tg_list_line) == TG_LIST_LINE_BYTES, "one cache line");
_Static_assert(sizeof(struct tg_list_image) == TG_LIST_LINE_BYTES, "the first line");

#endif
