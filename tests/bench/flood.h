/* SPDX-License-Identifier: GPL-2.0-only */
/* What one kind of flood is: a frame, and what differs from packet to packet. */
#ifndef BENCH_FLOOD_H
#define BENCH_FLOOD_H

#include "tcpguard/types.h"

#define FLOOD_FRAME 128

enum flood_vary {
	FLOOD_SOURCE = 1, /* the bits of the source address below the mask */
	FLOOD_SPORT = 2,
	FLOOD_DPORT = 4,
	FLOOD_SEQ = 8,
	FLOOD_ACK = 16,
	FLOOD_ID = 32, /* IPv4 identification */
};

/* Sums are of what does not vary, in host order; what varies is zero in the frame. */
struct flood_plan {
	__u8 frame[FLOOD_FRAME + 8]; /* and room for a write at any place */
	__u32 length;
	__u32 l3; /* where the IP header begins */
	__u32 l4;
	__u32 ipv4;
	__u32 vary; /* enum flood_vary */
	__u32 sport; /* where FLOOD_SPORT is not set */
	__u32 source_mask; /* bits of the lowest 32 (IPv4), or of the lowest 64, that vary */
	__u32 source; /* the lowest 32 bits where they do not */
	__u32 l4_header; /* 0: a fragment without one, or with a part only */
	__u32 ip_sum;
	__u32 tcp_sum;
	__u64 counter;
};

#ifndef __bpf__
/* Fills plan; false: there is no such kind.  flood_kind_name() lists them, NULL after the last. */
int flood_plan_make(const char *kind, const unsigned char mac[6], struct flood_plan *plan);
const char *flood_kind_name(unsigned int number);
#endif

#endif
