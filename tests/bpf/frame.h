/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames for tests: a segment described by what matters, the rest filled in.  Checksums are
 * correct.
 */
#ifndef TESTS_FRAME_H
#define TESTS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX 4096

/* struct segment.links */
enum link_kind {
	LINK_ETHERNET,
	LINK_NONE, /* begins at the IP header */
	LINK_VLAN, /* one 802.1Q tag */
	LINK_QINQ, /* 802.1ad and 802.1Q */
	LINK_QINQ_OLD, /* 0x9100 twice */
};

struct endpoint {
	uint8_t address[16]; /* IPv4 in the first four bytes */
	uint16_t port;
};

/* Zero means: the usual. */
struct segment {
	const struct endpoint *from;
	const struct endpoint *to;
	bool ipv6;
	enum link_kind link;
	uint8_t flags; /* the TCP flags byte */
	uint8_t reserved; /* the four bits beside the data offset */
	uint32_t seq;
	uint32_t ack;
	uint16_t window; /* 0: 65535, unless zero_window */
	bool zero_window;
	uint32_t payload; /* bytes said to be there; at most FRAME_MAX of them are */
	uint32_t tsval; /* with tsecr 0; 0: no timestamps, unless has_ts */
	bool has_ts;
	int wscale; /* 0: none; else scale + 1, see WS() */
	uint32_t sack[4][2];
	int sack_blocks;
	const uint8_t *raw_options; /* instead of those above */
	size_t raw_options_size; /* multiple of 4 */
	const uint8_t *ip_options; /* IPv4 options, or IPv6 extension headers */
	size_t ip_options_size;
	uint8_t extension; /* type of the first IPv6 extension header */
	uint16_t fragment; /* IPv4 flags and offset, host order */
	bool no_length; /* IP length 0: BIG TCP */
	bool bad_checksum;
	size_t padding; /* bytes after the IP packet */
	size_t cut; /* bytes missing at the end of the frame */
	bool headers_only; /* the payload is said to be there, as of a GSO super-packet, and is not */
};

#define WS(scale) ((scale) + 1)

/*
 * IPv6 extension headers of these kinds, as short as each can be, for .ip_options; the first kind
 * goes into .extension.  A fragment header among them is atomic (RFC 6946).  Returns their length.
 */
size_t frame_put_extensions(uint8_t *bytes, const uint8_t *kinds, size_t count, uint8_t last);

/* One IPv6 fragment header; offset in units of eight bytes.  Returns its length. */
size_t frame_put_fragment(uint8_t *bytes, uint8_t next, uint16_t offset, bool more);

/* Writes the frame, returns its length. */
size_t frame_build(uint8_t *frame, const struct segment *segment);

/* An ICMP or ICMPv6 error of this type about the given segment, sent to the segment's sender. */
size_t frame_build_icmp(uint8_t *frame, const struct segment *quoted, uint8_t type, uint8_t code);

#endif
