/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prefixes as the lists have them: read from text, written to text, compared.  Prints nothing. */
#ifndef TCPGUARD_PREFIX_H
#define TCPGUARD_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tcpguard/lists.h"

#define PREFIX_TEXT_BYTES 64
#define PREFIX_WHY_BYTES 224
#define PREFIX_IPV4_OFFSET 96 /* length of ::ffff:0:0/96 */

/* In host order, masked; IPv4 as ::ffff:a.b.c.d with 96 added to its length. */
struct prefix {
	uint64_t high;
	uint64_t low;
	uint8_t length;
	bool ipv4;
};

/*
 * Reads "192.0.2.0/24", "2001:db8::/32" or an address alone.  -EINVAL: why (PREFIX_WHY_BYTES) then
 * holds a sentence about it.  Bits set beyond the length are an error: the writer may have meant
 * either.
 */
int prefix_parse(const char *text, struct prefix *out, char *why);

/* From an address in network order: 4 or 16 bytes. */
struct prefix prefix_of_ipv4(const void *address);
struct prefix prefix_of_ipv6(const void *address);

/* "192.0.2.0/24", "192.0.2.7": a single address without its length.  buffer: PREFIX_TEXT_BYTES. */
const char *prefix_text(char *buffer, const struct prefix *prefix);

/* Length as people count it: 0..32 for IPv4. */
static inline unsigned int prefix_bits(const struct prefix *prefix)
{
	return prefix->ipv4 ? prefix->length - PREFIX_IPV4_OFFSET : prefix->length;
}

/* False: no prefix_parse() made it. */
bool prefix_is_sound(const struct prefix *prefix);

/* True if every address of inner is one of outer. */
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);

static inline struct prefix prefix_of_rule(const struct tg_list_rule *rule)
{
	return (struct prefix){ rule->high, rule->low, rule->length, rule->ipv4 };
}

#endif
