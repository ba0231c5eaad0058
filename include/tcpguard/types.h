/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fixed-width types and the few keywords that both sides of the contract use.
 * Always the first include: <bpf/bpf_helpers.h> needs the kernel's types.
 */
#ifndef TCPGUARD_TYPES_H
#define TCPGUARD_TYPES_H

#ifdef __bpf__
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#else
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <arpa/inet.h>
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif
#define bpf_ntohs(x) ntohs(x)
#define bpf_htons(x) htons(x)
#define bpf_ntohl(x) ntohl(x)
#define bpf_htonl(x) htonl(x)
#endif

#define TG_INLINE static __always_inline
/* A function the verifier checks once, by its prototype alone (BPF); a plain static one elsewhere. */
#ifdef __bpf__
#define TG_GLOBAL __noinline
#else
#define TG_GLOBAL static __noinline __attribute__((unused))
#endif
#define TG_LIKELY(x) __builtin_expect(!!(x), 1)
#define TG_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Keeps the compiler from proving a bound that the verifier then misses. */
#define TG_OPAQUE(x) asm volatile("" \
				  : "+r"(x))

/* One plain load or store that the compiler may neither split nor repeat. */
#define TG_READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define TG_WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

#endif
