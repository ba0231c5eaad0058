/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every benchmark program does before its own work: choose a flow and write its addresses into
 * the frame.  The same code in front of each variant, so that it cancels in differences.
 */
#ifndef BENCH_DRIVER_H
#define BENCH_DRIVER_H

#include "tcpguard/types.h"

/* Set by the harness between runs; one thread runs the programs, so nothing here is shared. */
struct bench_driver {
	__u64 counter;
	__u64 mask; /* flows - 1: a power of two */
	__u64 offset; /* added to the number of the flow: tuples that nothing else uses */
	__u64 dependency; /* a bit read from the slot found, always 0, which nobody but the harness knows */
	__u64 hits;
	__u64 sink;
	__u32 sequential; /* the flow is the counter itself: filling, and floods of new tuples */
	__u32 depends; /* the next flow is known only when the present one's slot has been read */
	__u32 reversed; /* the frame comes from the server */
	__u32 reserved;
};

/* What all frames of a run have in common; sums are of the words that do not change, host order. */
struct generator {
	__u32 seq;
	__u32 ack;
	__u32 ip_sum;
	__u32 tcp_sum; /* pseudo header, ports of the server, length, window, urgent; offset and flags */
	__u8 flags;
	__u8 handshake; /* SYN, SYN-ACK, ACK of each flow */
	__u8 mac[6]; /* of the receiver; a forwarded frame comes back with another */
};

/* Splitmix64's finisher. */
TG_INLINE __u64 bench_mix(__u64 x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ULL;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

TG_INLINE __u64 bench_next_flow(struct bench_driver *driver)
{
	__u64 n = driver->counter++;

	if (driver->depends)
		n += driver->dependency;
	if (!driver->sequential)
		n = bench_mix(n) & driver->mask;
	return n + driver->offset;
}

/* Where the client's address and port lie in a frame it sent; the server's are 4 and 2 bytes later. */
#define BENCH_ADDRESS_AT 26
#define BENCH_PORT_AT 34
#define BENCH_FRAME_MIN 54

/* Flow n is 10.a.b.c with a port that takes the bits above the lower 24. */
TG_INLINE __u32 bench_address(__u64 n)
{
	return 0x0a000000U | (n & 0xffffff);
}

TG_INLINE __u16 bench_port(__u64 n)
{
	return 1024 + (n >> 24 & 0x3fff);
}

#endif
