/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the native tests of the data path share: cmocka, a generator of numbers that gives the same
 * ones every time, and a flow table in ordinary memory.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

/* What cmocka wants before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/key.h"
#include "tcpguard/verdict.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline const char *verdict_name(enum tg_verdict verdict)
{
	static const char *const names[] = {
		"UNDECIDED",
#define X(id, action, code, reason, class, text) #id,
		TG_VERDICTS(X)
#undef X
	};

	return verdict < TG_VERDICT_MAX ? names[verdict] : "no verdict";
}

/* xorshift64*: state must not be 0. */
static inline uint64_t random_u64(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 2685821657736338717ULL;
}

static inline uint32_t random_u32(uint64_t *state)
{
	return (uint32_t)(random_u64(state) >> 32);
}

/* 0 .. below - 1 */
static inline uint32_t random_below(uint64_t *state, uint32_t below)
{
	return (uint32_t)((uint64_t)random_u32(state) * below >> 32);
}

/* A hash key of zone from coefficients that seed decides. */
static inline void random_hash_key(uint64_t seed, uint16_t zone, struct tg_hash_key *key)
{
	__u64 coefficient[2][TG_HASH_COEFFICIENTS];
	uint64_t state = seed * 0x9e3779b97f4a7c15ULL + 1;
	size_t half, i;

	for (half = 0; half < 2; half++)
		for (i = 0; i < TG_HASH_COEFFICIENTS; i++)
			coefficient[half][i] = random_u64(&state);
	tg_hash_key_for_zone(coefficient, zone, key);
}

#endif
