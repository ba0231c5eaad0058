/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SYN cookies, seen from user space: what kind this kernel and machine allow, what the programs are
 * told about the stack they speak for, and the secrets.
 */
#ifndef TCPGUARD_COOKIE_DAEMON_H
#define TCPGUARD_COOKIE_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "netdev.h"
#include "tcpguard/cookie.h"

/*
 * Fills the constants for one interface: kind as good as the kernel can, options as its sysctls allow,
 * NONE where the machine is no endpoint or has SYN cookies switched off.  generic: the XDP mode.  Asks the kernel each time.
 * 0 or -errno (said): what could not be looked at is no answer.
 */
int cookie_plan(const struct netdev *dev, enum tg_profile profile, bool generic,
		uint32_t jiffies_mult, struct tg_cookie_program *plan);

/* The next best kind, after the kernel refused to load this one. */
void cookie_degrade(struct tg_cookie_program *plan);

/* True if the plan needs a program at TC ingress. */
bool cookie_needs_ingress(const struct tg_cookie_program *plan);

/* Random secrets for a new map; 0 or -errno in silence. */
int cookie_fill(struct tg_cookies *cookies);

/* Table clock and wall clock are read together; whoever changes secrets or attaches says it anew. */
void cookie_set_wall_clock(struct tg_cookies *cookies, uint64_t now_ms);

/*
 * The same if the wall clock was set since, by more than two readings of two clocks may differ; true then.
 * Cookies live by the wall clock, which hosts behind one address share.
 */
bool cookie_follow_wall_clock(struct tg_cookies *cookies, uint64_t now_ms);

/* secret becomes the newest; the former one stays good for what is still on its way. */
void cookie_change_secret(struct tg_cookies *cookies, const struct tg_cookie_secret *secret,
			  uint64_t now_ms);

#endif
