/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of many prefixes, as an image for the data path. */
#ifndef BENCH_RULES_H
#define BENCH_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "tcpguard/lists.h"
#include "tests/bench/sources.h"

enum bench_lengths {
	BENCH_USUAL, /* hosts and /24, some wider; IPv6: /64, hosts, /48 */
	BENCH_EVERY, /* /17 to /32; /20 to /128 */
};

struct list_mix {
	const char *name;
	enum bench_lengths lengths;
	enum bench_spread spread;
	uint32_t until_s;
};

/* An image of so many rules to block: its map, and its head.  -1 with errno set: it cannot be made. */
int bench_image(uint32_t count, bool ipv4, const struct list_mix *mix, struct tg_list_image *head);

#endif
