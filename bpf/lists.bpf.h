/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is the source of a packet on the block list, and not on the allow list?  Asked of every IP packet
 * that is not our own, TCP or not, as soon as there is a list.
 */
#ifndef TG_BPF_LISTS_H
#define TG_BPF_LISTS_H

#include "flow_judge.bpf.h"
#include "tally.bpf.h"

struct tg_image {
	void *map; /* the image the configuration names */
};

TG_INLINE const struct tg_list_line *tg_image_line(const struct tg_image *image, __u32 number)
{
	return bpf_map_lookup_elem(image->map, &number);
}

#include "prefix_image.h"

/* False where there was no IP header to read. */
TG_INLINE bool tg_has_source(const struct tg_packet *pkt)
{
	return pkt->ipv4 || pkt->bytes;
}

/* A bool from memory the verifier cannot know to be one, and the compiler would not mask. */
TG_INLINE __u32 tg_bit(__u32 flag)
{
	asm volatile(""
		     : "+r"(flag));
	return flag & 1;
}

/*
 * Until when an address is on each list.  Global: verified once, and no part of the path of those who
 * have no lists.
 */
TG_GLOBAL int tg_lists_ask(const struct tg_list_image *head, const struct tg_list_address *address,
			   __u32 ipv4, struct tg_list_moments *moments)
{
	struct tg_image image;
	__u32 slot;

	if (!head || !address || !moments)
		return 0;
	moments->until_s[TG_LIST_BLOCK] = moments->until_s[TG_LIST_ALLOW] = 0;
	slot = head->slot;
	image.map = bpf_map_lookup_elem(&tg_lists, &slot);
	if (image.map)
		tg_list_find(&image, head, address, ipv4 & 1, moments);
	return 0;
}

/* Is the packet's source blocked?  Sets pkt->allowed. */
TG_INLINE bool tg_lists_block(const struct tg_config *config, const struct tg_lookup *lookup,
			      struct tg_packet *pkt)
{
	const __u32 reporter = (offsetof(struct tg_packet, reporter) -
				offsetof(struct tg_packet, saddr)) /
			       sizeof(__be32);
	struct tg_list_moments moments = {};
	struct tg_list_address address;
	__u32 now_s;
	bool blocked;

	if (!tg_has_source(pkt))
		return false;
	address = tg_list_address_of(pkt->saddr + tg_bit(pkt->icmp_error) * reporter);
	tg_lists_ask(&config->lists, &address, tg_bit(pkt->ipv4), &moments);
	now_s = (__u32)(lookup->now_ms / 1000);
	blocked = now_s < moments.until_s[TG_LIST_BLOCK];
	pkt->allowed = now_s < moments.until_s[TG_LIST_ALLOW];
	if (blocked && pkt->allowed)
		tg_tally(TG_TALLY_LIST_ALLOWED);
	return blocked && !pkt->allowed;
}

/* Is there a rule, live or not, that blocks this source of IPv4?  Then the long way decides. */
TG_INLINE bool tg_lists_know(const struct tg_config *config, __be32 saddr)
{
	struct tg_list_address address = { 0, 0xffff00000000ULL | bpf_ntohl(saddr) };
	struct tg_list_moments moments = {};

	tg_lists_ask(&config->lists, &address, true, &moments);
	return moments.until_s[TG_LIST_BLOCK] != 0;
}

#endif
