/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SipHash-2-4 (Aumasson and Bernstein 2012) of a few whole words: 64 bits nobody can guess without the
 * key.
 */
#ifndef TG_BPF_SIPHASH_H
#define TG_BPF_SIPHASH_H

#include "tcpguard/types.h"

#define TG_SIPHASH_WORDS 8

struct tg_siphash_input {
	__u64 word[TG_SIPHASH_WORDS];
	__u32 count; /* words used */
};

struct tg_siphash {
	__u64 v0, v1, v2, v3;
};

TG_INLINE __u64 tg_rotate_left(__u64 x, __u32 bits)
{
	return x << bits | x >> (64 - bits);
}

TG_INLINE void tg_siphash_round(struct tg_siphash *s)
{
	s->v0 += s->v1;
	s->v1 = tg_rotate_left(s->v1, 13) ^ s->v0;
	s->v0 = tg_rotate_left(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = tg_rotate_left(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = tg_rotate_left(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = tg_rotate_left(s->v1, 17) ^ s->v2;
	s->v2 = tg_rotate_left(s->v2, 32);
}

TG_INLINE void tg_siphash_word(struct tg_siphash *s, __u64 word)
{
	s->v3 ^= word;
	tg_siphash_round(s);
	tg_siphash_round(s);
	s->v0 ^= word;
}

/* Global: the verifier follows the rounds once, whoever asks. */
TG_GLOBAL __u64 tg_siphash24(__u64 key0, __u64 key1, const struct tg_siphash_input *input)
{
	struct tg_siphash s;
	__u32 i;

	if (!input)
		return 0;
	s.v0 = key0 ^ 0x736f6d6570736575ULL;
	s.v1 = key1 ^ 0x646f72616e646f6dULL;
	s.v2 = key0 ^ 0x6c7967656e657261ULL;
	s.v3 = key1 ^ 0x7465646279746573ULL;
	for (i = 0; i < TG_SIPHASH_WORDS && i < input->count; i++)
		tg_siphash_word(&s, input->word[i]);
	tg_siphash_word(&s, (__u64)input->count << 59); /* the length in bytes, in the last one */
	s.v2 ^= 0xff;
	tg_siphash_round(&s);
	tg_siphash_round(&s);
	tg_siphash_round(&s);
	tg_siphash_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

#endif
