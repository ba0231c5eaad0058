/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IPv6 extension headers between the fixed header and TCP (RFC 8200 4).
 */
#ifndef TG_BPF_PARSE_IPV6_H
#define TG_BPF_PARSE_IPV6_H

#include "headers.h"

#define TG_IPV6_HEADERS_MAX 8
#define TG_IPV6_CHAIN_MAX (TG_IPV6_HEADERS_MAX * 2048) /* one header is at most 256 * 8 bytes */

enum tg_chain {
	TG_CHAIN_COMPLETE,
	TG_CHAIN_TRUNCATED,
	TG_CHAIN_TOO_DEEP
};

struct tg_ipv6_chain {
	__u32 length; /* of the headers walked */
	__u8 protocol; /* of what follows them */
	bool later_fragment;
	bool first_fragment;
	bool hides_tcp; /* a fragment placed so that it would overwrite TCP's flags */
	bool readdressed; /* the checksum may cover another address (RFC 8200 8.1, RFC 6275 11.3.1) */
};

TG_INLINE bool tg_is_ipv6_extension(__u8 protocol)
{
	return protocol == TG_PROTO_HOPOPTS || protocol == TG_PROTO_ROUTING ||
	       protocol == TG_PROTO_DSTOPTS || protocol == TG_PROTO_MOBILITY ||
	       protocol == TG_PROTO_AH || protocol == TG_PROTO_FRAGMENT;
}

TG_INLINE bool tg_chain_goes_on(const struct tg_ipv6_chain *chain)
{
	return tg_is_ipv6_extension(chain->protocol) && !chain->later_fragment;
}

/* The first eight bytes of an extension header, by the names of the fragment header. */
struct tg_extension {
	union {
		struct tg_ipv6_fragment header;
		__u64 bytes;
	};
};

/* Moves the chain over one header.  Global: the verifier follows it once, not once a header. */
TG_GLOBAL int tg_chain_step(struct tg_ipv6_chain *chain, __u64 bytes)
{
	struct tg_extension extension = { .bytes = bytes };
	const struct tg_ipv6_fragment *header = &extension.header;
	__u16 offset = bpf_ntohs(header->offset_more) >> 3;

	if (!chain)
		return 0;
	if (chain->protocol == TG_PROTO_FRAGMENT) {
		/* A fragment that is the whole packet (RFC 6946) is no fragment. */
		chain->later_fragment = offset;
		chain->first_fragment = !offset && (bpf_ntohs(header->offset_more) & 1);
		chain->hides_tcp = offset == 1 && header->next_header == TG_PROTO_TCP;
		chain->length += sizeof(*header);
	} else if (chain->protocol == TG_PROTO_AH) {
		chain->length += (header->reserved + 2) * 4; /* RFC 4302 2.2: "payload len" */
	} else {
		chain->length += (header->reserved + 1) * 8; /* RFC 8200 4.3: "hdr ext len" */
	}
	if (chain->protocol == TG_PROTO_ROUTING || chain->protocol == TG_PROTO_DSTOPTS)
		chain->readdressed = true;
	chain->protocol = header->next_header;
	return 0;
}

/* chain->protocol is the first header's type; the rest is zero. */
static __noinline int tg_walk_ipv6_chain(const __u8 *p, const __u8 *limit,
					 struct tg_ipv6_chain *chain)
{
	__u32 i;

	for (i = 0; i < TG_IPV6_HEADERS_MAX && tg_chain_goes_on(chain); i++) {
		__u32 at = chain->length;
		__u64 bytes;

		if (at > TG_IPV6_CHAIN_MAX || p + at + sizeof(bytes) > limit)
			return TG_CHAIN_TRUNCATED;
		__builtin_memcpy(&bytes, p + at, sizeof(bytes));
		tg_chain_step(chain, bytes);
	}
	return tg_chain_goes_on(chain) ? TG_CHAIN_TOO_DEEP : TG_CHAIN_COMPLETE;
}

#endif
