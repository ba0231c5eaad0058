/* SPDX-License-Identifier: GPL-2.0-only */
/* The i-th listed prefix, computed alike by the program that looks up and the one that lists. */
#ifndef TESTS_BENCH_SOURCES_H
#define TESTS_BENCH_SOURCES_H

#include "tcpguard/types.h"

TG_INLINE __u64 bench_mix(__u64 x)
{
	x = (x + 1) * 0x9e3779b97f4a7c15ULL;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

/* Below 224.0.0.0, or in 2000::/3. */
TG_INLINE __u32 bench_ipv4(__u64 number)
{
	return (__u32)(bench_mix(number) % 0xe0000000U);
}

TG_INLINE __u64 bench_ipv6_high(__u64 number)
{
	return bench_mix(number) >> 3 | 1ULL << 61;
}

/* What the program does with each run. */
enum bench_source {
	BENCH_NOTHING, /* chooses a random source and looks nothing up */
	BENCH_RANDOM, /* a source from anywhere */
	BENCH_LISTED, /* a source covered by one of the rules */
};

struct bench {
	__u32 source; /* enum bench_source */
	__u32 ipv4;
	__u32 rules; /* how many are listed */
};

#endif
