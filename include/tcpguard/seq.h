/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Serial arithmetic on TCP sequence numbers (RFC 9293 3.4): host order, modulo 2^32.
 * Sequence numbers are compared through these functions only, never with < or >.
 */
#ifndef TCPGUARD_SEQ_H
#define TCPGUARD_SEQ_H

#include "types.h"

TG_INLINE bool tg_seq_before(__u32 a, __u32 b)
{
	return (__s32)(a - b) < 0;
}

TG_INLINE bool tg_seq_after(__u32 a, __u32 b)
{
	return (__s32)(b - a) < 0;
}

/* a <= x <= b on the circle. */
TG_INLINE bool tg_seq_between(__u32 x, __u32 a, __u32 b)
{
	return !tg_seq_before(x, a) && !tg_seq_after(x, b);
}

TG_INLINE __u32 tg_seq_max(__u32 a, __u32 b)
{
	return tg_seq_after(a, b) ? a : b;
}

#endif
