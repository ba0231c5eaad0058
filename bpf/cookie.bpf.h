/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs on both sides of a cookie share: the secrets, the constants, the mark on a
 * SYN-ACK that leaves by way of TC.
 */
#ifndef TG_BPF_COOKIE_BPF_H
#define TG_BPF_COOKIE_BPF_H

#include "cookie.h"

/* Set by the loader; volatile keeps the compiler from guessing them. */
const volatile struct tg_cookie_program tg_cookie_program = {};

/*
 * Secrets: written by user space (attach, secret), readable by root only as every pin.  The data path
 * writes the moment of the last cookie, once a second.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tg_cookies);
} tg_cookies SEC(".maps");

TG_INLINE struct tg_cookies *tg_cookies_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&tg_cookies, &zero);
}

/* May a cookie sent then still come back? */
TG_INLINE bool tg_sent_lately(__u64 sent_ms, __u64 now_ms)
{
	return sent_ms && now_ms < sent_ms + TG_COOKIE_LIFE_MS;
}

/* In the metadata before the frame, which only an XDP program can write. */
#define TG_ANSWER_MARK 0x74674353

#endif
