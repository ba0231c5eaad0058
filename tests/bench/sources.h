/* SPDX-License-Identifier: GPL-2.0-only */
/* The i-th listed prefix, computed alike by the program that looks up and the one that lists. */
#ifndef TESTS_BENCH_SOURCES_H
#define TESTS_BENCH_SOURCES_H

#include "tcpguard/types.h"

TG_INLINE __u64 bench_scramble(__u64 x)
{
	x = (x + 1) * 0x9e3779b97f4a7c15ULL;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

/* Where sources and rules are. */
enum bench_spread {
	BENCH_EVENLY, /* anywhere below 224.0.0.0, or in 2000::/3 */
	BENCH_CLUSTERED, /* in 4096 networks /16, or /32: those listed and those that are not */
};

#define BENCH_CLUSTERS 4096

TG_INLINE __u32 bench_ipv4(__u64 number, __u32 spread)
{
	__u64 random = bench_scramble(number);

	if (spread == BENCH_CLUSTERED)
		return (__u32)(bench_scramble(random % BENCH_CLUSTERS) % 0xe000U << 16 |
			       (random >> 32 & 0xffff));
	return (__u32)(random % 0xe0000000U);
}

TG_INLINE __u64 bench_ipv6_high(__u64 number, __u32 spread)
{
	__u64 random = bench_scramble(number);

	if (spread == BENCH_CLUSTERED)
		return (bench_scramble(random % BENCH_CLUSTERS) >> 3 | 1ULL << 61) >> 32 << 32 |
		       random >> 32;
	return random >> 3 | 1ULL << 61;
}

/* What the program does with each run. */
enum bench_source {
	BENCH_NOTHING, /* chooses a random source and looks nothing up */
	BENCH_RANDOM, /* a source from anywhere */
	BENCH_LISTED, /* a source covered by one of the rules */
};

struct bench_lists {
	__u32 source; /* enum bench_source */
	__u32 ipv4;
	__u32 rules; /* how many are listed */
	__u32 spread; /* enum bench_spread */
};

#endif
