/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SYN cookies: which kind the kernel allows, the secrets, and what the programs are told when loaded.
 */
#ifndef TCPGUARD_COOKIE_H
#define TCPGUARD_COOKIE_H

#include "types.h"

/* What a challenged SYN can be answered with, the best the kernel offers. */
enum tg_cookie_kind {
	TG_COOKIE_NONE,
	TG_COOKIE_LISTENER, /* the kernel's own cookie of the listener; MSS is all it carries */
	TG_COOKIE_OWN, /* ours, with all options; TC ingress hands the ACK to the listener (Linux 6.9) */
	TG_COOKIE_KIND_MAX
};

/* Options the machine's stack would agree to (net.ipv4.tcp_*). */
#define TG_COOKIE_TIMESTAMPS 0x01
#define TG_COOKIE_WSCALE 0x02
#define TG_COOKIE_SACK 0x04
#define TG_COOKIE_ECN 0x08

/* Load-time constants (.rodata) of one interface's programs. */
struct tg_cookie_program {
	__u8 kind; /* enum tg_cookie_kind */
	__u8 options; /* TG_COOKIE_* */
	__u8 veth; /* native XDP on a veth, whose XDP_TX may be lost */
	__u8 no_link_header;
	__u8 mac[6]; /* of the interface: frames for others are not ours to answer */
	__u16 reserved;
	__u32 receive_max; /* larger of net.ipv4.tcp_rmem[2] and net.core.rmem_max: sets our window scale */
	__u32 jiffies_mult; /* as tg_program.jiffies_mult */
};

struct tg_cookie_secret {
	__u64 key[2];
};

/* How long a cookie is good: counters of one minute and a bit, the present and the former one. */
#define TG_COOKIE_PERIOD_SHIFT 16 /* milliseconds: 65.5 s */
#define TG_COOKIE_LIFE_MS (2ULL << TG_COOKIE_PERIOD_SHIFT)

/*
 * One entry of the map tg_cookies.  Written by user space: the secret that is not the newest first,
 * then former_until_ms, then the index.  sent_ms is written by the data path.
 */
struct tg_cookies {
	struct tg_cookie_secret secret[2];
	__u32 newest; /* index of the secret new cookies are made with */
	__u32 timestamp_base; /* random: our TSval tells nobody how long the machine has been up */
	__u64 former_until_ms; /* the other secret is accepted until then, table clock */
	__u64 wall_offset_ms; /* Unix time minus table clock: hosts that share a secret share the counter */
	__u64 rotated_at_s; /* Unix time; 0: never */
	__u64 sent_ms; /* a cookie of ours was sent then, to the second; any CPU's write will do */
	__u64 listener_sent_ms; /* the same for cookies of the listener */
};

_Static_assert(sizeof(struct tg_cookies) == 80, "layout of the pinned map");

#endif
