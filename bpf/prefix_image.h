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

/* What a slot of this line says of the prefix, if one is of it. */
TG_INLINE const struct tg_list_slot *tg_list_slot_in(const struct tg_list_line *line, __u64 high,
						     __u64 low, __u32 key)
{
	const struct tg_list_slot *first = &line->slot[0], *second = &line->slot[1];

	if (!((first->high ^ high) | (first->low ^ low) | (first->key ^ key)))
		return first;
	if (!((second->high ^ high) | (second->low ^ low) | (second->key ^ key)))
		return second;
	return NULL;
}

/* The slot of one prefix, NULL if there is none. */
TG_INLINE const struct tg_list_slot *tg_list_slot_of(const struct tg_image *image,
						     const struct tg_list_image *head, __u64 high,
						     __u64 low, __u32 key)
{
	__u64 hash = tg_list_hash(head->seed, high, low, key);
	const struct tg_list_slot *slot;
	const struct tg_list_line *line;

	line = tg_image_line(image, head->slots + ((__u32)hash & head->slots_mask));
	if (!line)
		return NULL;
	slot = tg_list_slot_in(line, high, low, key);
	if (slot || !line->slot[0].spilled)
		return slot;
	line = tg_image_line(image, head->slots + ((__u32)(hash >> 32) & head->slots_mask));
	return line ? tg_list_slot_in(line, high, low, key) : NULL;
}

/* The longer prefixes below a node, longest first. */
TG_INLINE void tg_list_find_longer(const struct tg_image *image, const struct tg_list_image *head,
				   const struct tg_list_node *node,
				   const struct tg_list_address *address, __u32 ipv4,
				   struct tg_list_moments *moments)
{
	__u32 family = TG_LIST_KEY_USED | (ipv4 ? TG_LIST_KEY_IPV4 : 0);
	__u64 near = node->lengths[0], far = node->lengths[1];
	int tried;

#pragma clang loop unroll(disable)
	for (tried = 0; tried < TG_LIST_LENGTHS && (near | far); tried++) {
		__u64 lengths = near ? near : far, high = address->high, low = 0;
		__u32 shift = tg_list_lowest(lengths), key = family | (64 - shift);
		const struct tg_list_slot *slot;

		if (near) {
			low = address->low & ~0ULL << shift;
			key += 64;
			near &= near - 1;
		} else {
			high &= ~0ULL << shift;
			far &= far - 1;
		}
		slot = tg_list_slot_of(image, head, high, low, key);
		if (slot) {
			*moments = slot->moments;
			return;
		}
	}
}

/* Until when an address is on each list; all zero: on none. */
TG_INLINE void tg_list_find(const struct tg_image *image, const struct tg_list_image *head,
			    const struct tg_list_address *address, __u32 ipv4,
			    struct tg_list_moments *moments)
{
	const struct tg_list_line *line;
	const struct tg_list_node *node;
	__u32 bits = head->bits[ipv4 & 1], index, first, entry;

	moments->until_s[TG_LIST_BLOCK] = moments->until_s[TG_LIST_ALLOW] = 0;
	if (!bits)
		return;
	index = tg_list_index(address->high, address->low, ipv4, bits);
	first = head->direct[ipv4 & 1];
	line = tg_image_line(image, first + (index >> TG_LIST_CODES_BITS));
	if (!line)
		return;
	entry = line->codes[(index >> 5) & 7] >> (index & 31) * 2 & TG_LIST_KIND;
	if (!entry)
		return;
	if (entry == TG_LIST_NODE) {
		first += 1U << (bits - TG_LIST_CODES_BITS);
		line = tg_image_line(image, first + index / TG_LIST_ENTRIES);
		if (!line)
			return;
		entry = line->entry[index % TG_LIST_ENTRIES];
	}
	if ((entry & TG_LIST_KIND) != TG_LIST_NODE) {
		if (entry & (TG_LIST_BLOCKED | TG_LIST_OVER_BLOCK))
			moments->until_s[TG_LIST_BLOCK] = TG_LIST_FOREVER;
		if (entry & TG_LIST_ALLOWED)
			moments->until_s[TG_LIST_ALLOW] = TG_LIST_FOREVER;
		return;
	}
	entry >>= TG_LIST_KIND_BITS;
	line = tg_image_line(image, head->nodes + entry / TG_LIST_PER_LINE);
	if (!line)
		return;
	node = &line->node[entry % TG_LIST_PER_LINE];
	*moments = node->moments;
	tg_list_find_longer(image, head, node, address, ipv4, moments);
}

#endif
