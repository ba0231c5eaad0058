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

/* What the lists say of a source. */
enum tg_listed {
	TG_LISTED_NOT, /* nothing against it */
	TG_LISTED_SPARED, /* it is blocked, and allowed all the same */
	TG_LISTED_BLOCKED,
};

/*
 * enum tg_listed of the packet's source.  Sets pkt->allowed.  Global: verified once, and no part of
 * the path of those who have no lists.
 */
TG_GLOBAL int tg_lists_ask(const struct tg_lookup *lookup, struct tg_packet *pkt)
{
	const struct tg_settings *settings = tg_settings_get();
	const __u32 reporter = (offsetof(struct tg_packet, reporter) -
				offsetof(struct tg_packet, saddr)) /
			       sizeof(__be32);
	struct tg_list_moments moments = {};
	struct tg_list_address address;
	const struct tg_list_image *head;
	struct tg_image image;
	__u32 slot, now_s;
	bool blocked;

	if (!lookup || !pkt || !settings || !tg_has_source(pkt))
		return TG_LISTED_NOT;
	head = &settings->config[lookup->config & 1].lists;
	slot = head->slot;
	image.map = bpf_map_lookup_elem(&tg_lists, &slot);
	if (!image.map)
		return TG_LISTED_NOT;
	address = tg_list_address_of(pkt->saddr + tg_bit(pkt->icmp_error) * reporter);
	tg_list_find(&image, head, &address, tg_bit(pkt->ipv4), &moments);
	now_s = (__u32)(lookup->now_ms / 1000);
	blocked = now_s < moments.until_s[TG_LIST_BLOCK];
	pkt->allowed = now_s < moments.until_s[TG_LIST_ALLOW];
	if (!blocked)
		return TG_LISTED_NOT;
	return pkt->allowed ? TG_LISTED_SPARED : TG_LISTED_BLOCKED;
}

/* Is the packet's source blocked?  Sets pkt->allowed. */
TG_INLINE bool tg_lists_block(const struct tg_lookup *lookup, struct tg_packet *pkt)
{
	int listed = tg_lists_ask(lookup, pkt);

	if (listed == TG_LISTED_SPARED)
		tg_tally(TG_TALLY_LIST_ALLOWED);
	return listed == TG_LISTED_BLOCKED;
}

#endif
