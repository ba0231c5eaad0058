/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looks an address up in an image of the lists.  The image's memory is lists.bpf.h's in the kernel and
 * prefix_memory.h's elsewhere.
 */
#ifndef TG_BPF_PREFIX_IMAGE_H
#define TG_BPF_PREFIX_IMAGE_H

#include "tcpguard/lists.h"

/* An address in host order; IPv4 as ::ffff:a.b.c.d. */
struct tg_list_address {
	__u64 high;
	__u64 low;
};

TG_INLINE struct tg_list_address tg_list_address_of(const __be32 word[4])
{
	struct tg_list_address address;

	address.high = (__u64)bpf_ntohl(word[0]) << 32 | bpf_ntohl(word[1]);
	address.low = (__u64)bpf_ntohl(word[2]) << 32 | bpf_ntohl(word[3]);
	return address;
}

/*
 * Two numbers of 32 bits: the lines a prefix may lie in.  Which addresses are blocked may be of an
 * attacker's choosing: hence the seed.
 */
TG_INLINE __u64 tg_list_hash(__u64 seed, __u64 high, __u64 low, __u32 key)
{
	__u64 hash = (seed ^ high) * 0x9e3779b97f4a7c15ULL;

	hash = (hash ^ hash >> 32 ^ low ^ (__u64)key << 40) * 0xbf58476d1ce4e5b9ULL;
	hash = (hash ^ hash >> 29) * (seed | 1);
	return hash ^ hash >> 31;
}

/* Entry of a direct table for an address. */
TG_INLINE __u32 tg_list_index(__u64 high, __u64 low, __u32 ipv4, __u32 bits)
{
	return (__u32)(ipv4 ? (low & 0xffffffffU) >> (32 - bits) : high >> (64 - bits));
}

/*
 * Number of the lowest bit set; bits must not be 0.  Counts the ones below it, without a branch: each
 * would double the verifier's paths.  (clang 14 has no __builtin_ctzll for BPF.)
 */
TG_INLINE __u32 tg_list_lowest(__u64 bits)
{
	bits = (bits & -bits) - 1;
	bits -= bits >> 1 & 0x5555555555555555ULL;
	bits = (bits & 0x3333333333333333ULL) + (bits >> 2 & 0x3333333333333333ULL);
	bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return (__u32)(bits * 0x0101010101010101ULL >> 56) & 63;
}

/* The address with the bits behind a length zero. */
TG_INLINE struct tg_list_address tg_list_masked(const struct tg_list_address *address, __u32 length)
{
	struct tg_list_address masked;

	if (length > 64) {
		masked.high = address->high;
		masked.low = address->low & ~0ULL << ((128 - length) & 63);
	} else {
		masked.high = address->high & ~0ULL << ((64 - length) & 63);
		masked.low = 0;
	}
	return masked;
}

TG_INLINE __u32 tg_list_key(__u32 length, __u32 ipv4)
{
	return (ipv4 ? TG_LIST_KEY_IPV4 : 0) | ((length - 1) & 0x7f);
}

/* One of so many, by 32 bits that are evenly spread. */
TG_INLINE __u32 tg_list_share(__u32 hash, __u32 count)
{
	return (__u32)((__u64)hash * count >> 32);
}

/* The two lines of a prefix among the slots. */
TG_INLINE __u32 tg_list_line_of(__u64 hash, __u32 lines, __u32 choice)
{
	return tg_list_share((__u32)(choice ? hash >> 32 : hash), lines);
}

/*
 * The filter: the shortest level of an address chooses a word.  In it three bits say that something is
 * on any level there, and two for each prefix that is not at home that it may be this one.
 */
TG_INLINE __u32 tg_list_filter_lines(const struct tg_list_image *head)
{
	return head->slots_lines / TG_LIST_FILTER_LINES + 1;
}

TG_INLINE __u32 tg_list_filter_word(const struct tg_list_image *head, __u64 shortest)
{
	return tg_list_share((__u32)(shortest >> 32), tg_list_filter_lines(head) * 8);
}

TG_INLINE __u64 tg_list_filter_any(__u64 shortest)
{
	return 1ULL << (shortest & 63) | 1ULL << (shortest >> 6 & 63) | 1ULL << (shortest >> 12 & 63);
}

TG_INLINE __u64 tg_list_filter_this(__u64 hash)
{
	return 1ULL << (hash >> 32 & 63) | 1ULL << (hash >> 38 & 63);
}

/* The value of a prefix in this line; 0: it is not there. */
TG_INLINE __u32 tg_list_value_in(const struct tg_list_slots *slots,
				 const struct tg_list_address *prefix, __u32 key)
{
	__u32 i;

#pragma unroll
	for (i = 0; i < TG_LIST_SLOTS; i++)
		if (!((slots->high[i] ^ prefix->high) | (slots->low[i] ^ prefix->low) |
		      (slots->value[i] >> TG_LIST_KEY_SHIFT ^ key)))
			return slots->value[i];
	return 0;
}

/* The value of one prefix, 0 if there is none. */
TG_INLINE __u32 tg_list_value_of(const struct tg_image *image, const struct tg_list_image *head,
				 const struct tg_list_address *prefix, __u32 key, __u64 hash)
{
	const struct tg_list_line *line;
	__u32 value;

	line = tg_image_line(image, head->slots + tg_list_line_of(hash, head->slots_lines, 0));
	if (!line)
		return 0;
	value = tg_list_value_in(&line->slots, prefix, key);
	if (value || !line->slots.spilled)
		return value;
	line = tg_image_line(image, head->slots + tg_list_line_of(hash, head->slots_lines, 1));
	return line ? tg_list_value_in(&line->slots, prefix, key) : 0;
}

TG_INLINE const struct tg_list_node *tg_list_node_at(const struct tg_image *image,
						     const struct tg_list_image *head, __u32 number)
{
	const struct tg_list_line *line =
		tg_image_line(image, head->nodes + number / TG_LIST_PER_LINE);

	return line ? &line->node[number % TG_LIST_PER_LINE] : NULL;
}

/* What a node says by itself; the node, if there may be more to it. */
TG_INLINE const struct tg_list_node *tg_list_say(const struct tg_image *image,
						 const struct tg_list_image *head, __u32 number,
						 struct tg_list_moments *moments)
{
	const struct tg_list_node *node;

	if (number < TG_LIST_FOREVERS) {
		moments->until_s[TG_LIST_BLOCK] = number & 1U << TG_LIST_BLOCK ? TG_LIST_FOREVER : 0;
		moments->until_s[TG_LIST_ALLOW] = number & 1U << TG_LIST_ALLOW ? TG_LIST_FOREVER : 0;
		return NULL;
	}
	node = tg_list_node_at(image, head, number);
	if (node)
		*moments = node->moments;
	return node;
}

/*
 * The prefixes of the levels, longest first.  All that have the first bits of the address up to the
 * shortest level are in one line, their home, unless they are too many for it.
 */
TG_INLINE void tg_list_find_level(const struct tg_image *image, const struct tg_list_image *head,
				  const struct tg_list_address *address, __u32 ipv4,
				  struct tg_list_moments *moments)
{
	const __u8 *level = head->level[ipv4 & 1];
	struct tg_list_address prefix = tg_list_masked(address, level[0]);
	__u64 shortest = tg_list_hash(head->seed, prefix.high, prefix.low,
				      tg_list_key(level[0], ipv4));
	__u32 number = tg_list_filter_word(head, shortest), value, tried;
	const struct tg_list_line *line, *home;
	__u64 word, hash;

	line = tg_image_line(image, head->slots + head->slots_lines + number / 8);
	if (!line)
		return;
	word = line->filter[number % 8];
	if (~word & tg_list_filter_any(shortest))
		return;
	home = tg_image_line(image, head->slots + tg_list_line_of(shortest, head->slots_lines, 0));
	if (!home)
		return;
#pragma clang loop unroll(disable)
	for (tried = 1; tried <= TG_LIST_LEVELS; tried++) {
		__u32 length = level[tried % TG_LIST_LEVELS], key = tg_list_key(length, ipv4);

		if (!length)
			continue;
		prefix = tg_list_masked(address, length);
		value = tg_list_value_in(&home->slots, &prefix, key);
		if (!value && home->slots.spilled) {
			hash = tg_list_hash(head->seed, prefix.high, prefix.low, key);
			if (!(~word & tg_list_filter_this(hash)))
				value = tg_list_value_of(image, head, &prefix, key, hash);
		}
		if (value) {
			tg_list_say(image, head, value & TG_LIST_NUMBER, moments);
			return;
		}
	}
}

/* The longer prefixes of the lengths that a node has, longest first. */
TG_INLINE void tg_list_find_longer(const struct tg_image *image, const struct tg_list_image *head,
				   const struct tg_list_node *node,
				   const struct tg_list_address *address, __u32 ipv4,
				   struct tg_list_moments *moments)
{
	__u64 near = node->lengths[0], far = node->lengths[1];
	int tried;

#pragma clang loop unroll(disable)
	for (tried = 0; tried < TG_LIST_LENGTHS && (near | far); tried++) {
		__u32 length = near ? 128 - tg_list_lowest(near) : 64 - tg_list_lowest(far);
		struct tg_list_address prefix = tg_list_masked(address, length);
		__u32 key = tg_list_key(length, ipv4), value;

		if (near)
			near &= near - 1;
		else
			far &= far - 1;
		value = tg_list_value_of(image, head, &prefix, key,
					 tg_list_hash(head->seed, prefix.high, prefix.low, key));
		if (value) {
			tg_list_say(image, head, value & TG_LIST_NUMBER, moments);
			return;
		}
	}
}

/* Lines of one plane of a direct table. */
TG_INLINE __u32 tg_list_plane_lines(__u32 bits)
{
	return 1U << ((bits - TG_LIST_PLANE_BITS) & 31);
}

/* One bit of a plane that begins in this line; 0 if the line is not there. */
TG_INLINE __u32 tg_list_plane_bit(const struct tg_image *image, __u32 first, __u32 index)
{
	const struct tg_list_line *line = tg_image_line(image, first + (index >> TG_LIST_PLANE_BITS));

	return line ? line->plane[index >> 6 & 7] >> (index & 63) & 1 : 0;
}

/* What the direct table of a family says, enum tg_list_code. */
TG_INLINE __u32 tg_list_code_at(const struct tg_image *image, const struct tg_list_image *head,
				__u32 ipv4, __u32 index)
{
	__u32 first = tg_list_first(head, ipv4), code = tg_list_plane_bit(image, first, index);

	if (!code && !(head->direct[ipv4 & 1] & TG_LIST_HAS_ENTRIES))
		return TG_LIST_NOTHING;
	first += tg_list_plane_lines(tg_list_bits(head, ipv4));
	return code | tg_list_plane_bit(image, first, index) << 1;
}

/* The number of a node. */
TG_INLINE __u32 tg_list_entry_at(const struct tg_image *image, const struct tg_list_image *head,
				 __u32 ipv4, __u32 index)
{
	__u32 planes = TG_LIST_PLANES * tg_list_plane_lines(tg_list_bits(head, ipv4));
	const struct tg_list_line *line =
		tg_image_line(image, tg_list_first(head, ipv4) + planes + index / TG_LIST_ENTRIES);

	return line ? line->entry[index % TG_LIST_ENTRIES] : 0;
}

/* Until when an address is on each list; all zero: on none. */
TG_INLINE void tg_list_find(const struct tg_image *image, const struct tg_list_image *head,
			    const struct tg_list_address *address, __u32 ipv4,
			    struct tg_list_moments *moments)
{
	__u32 bits = tg_list_bits(head, ipv4), index, code;
	const struct tg_list_node *node;

	moments->until_s[TG_LIST_BLOCK] = moments->until_s[TG_LIST_ALLOW] = 0;
	if (!bits)
		return;
	index = tg_list_index(address->high, address->low, ipv4, bits);
	code = tg_list_code_at(image, head, ipv4, index);
	if (code == TG_LIST_NOTHING)
		return;
	if (code == TG_LIST_BLOCKED) {
		moments->until_s[TG_LIST_BLOCK] = TG_LIST_FOREVER;
		return;
	}
	if (code == TG_LIST_ENTRY) {
		node = tg_list_say(image, head, tg_list_entry_at(image, head, ipv4, index), moments);
		if (!node)
			return;
		if (!node->below) {
			tg_list_find_longer(image, head, node, address, ipv4, moments);
			return;
		}
	}
	tg_list_find_level(image, head, address, ipv4, moments);
}

#endif
