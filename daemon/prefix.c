/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text to prefix and back. */
#include "prefix.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "options.h"

static uint64_t high_mask(unsigned int length)
{
	if (!length)
		return 0;
	return length >= 64 ? ~0ULL : ~0ULL << (64 - length);
}

static uint64_t low_mask(unsigned int length)
{
	if (length <= 64)
		return 0;
	return ~0ULL << (128 - length);
}

struct prefix prefix_of_ipv6(const void *address)
{
	struct prefix prefix = { .length = 128 };
	uint64_t word[2];

	memcpy(word, address, sizeof(word));
	prefix.high = be64toh(word[0]);
	prefix.low = be64toh(word[1]);
	return prefix;
}

struct prefix prefix_of_ipv4(const void *address)
{
	uint32_t word;

	memcpy(&word, address, sizeof(word));
	return (struct prefix){ .low = 0xffff00000000ULL | ntohl(word), .length = 128, .ipv4 = true };
}

static bool is_mapped(const struct prefix *prefix)
{
	return !prefix->ipv4 && !prefix->high && prefix->low >> 32 == 0xffff &&
	       prefix->length >= PREFIX_IPV4_OFFSET;
}

/* The address before the slash, as a prefix of full length. */
static int parse_address(const char *text, size_t length, struct prefix *out)
{
	char address[INET6_ADDRSTRLEN];
	uint8_t bytes[16];

	if (!length || length >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, length);
	address[length] = '\0';
	if (inet_pton(AF_INET, address, bytes) == 1)
		*out = prefix_of_ipv4(bytes);
	else if (inet_pton(AF_INET6, address, bytes) == 1)
		*out = prefix_of_ipv6(bytes);
	else
		return -EINVAL;
	return 0;
}

static int refuse_host_bits(const char *text, const struct prefix *masked, char *why)
{
	struct prefix address = *masked;
	char right[PREFIX_TEXT_BYTES];

	prefix_text(right, &address);
	snprintf(why, PREFIX_WHY_BYTES,
		 "'%.64s' has bits set beyond its length: write %s, or the address alone", text, right);
	return -EINVAL;
}

int prefix_parse(const char *text, struct prefix *out, char *why)
{
	const char *slash = strchr(text, '/');
	struct prefix whole;
	uint32_t bits, most;

	if (parse_address(text, slash ? (size_t)(slash - text) : strlen(text), &whole))
		goto wrong;
	most = whole.ipv4 ? 32 : 128;
	bits = most;
	if (slash && parse_u32(slash + 1, 0, most, &bits))
		goto wrong;
	*out = whole;
	out->length = (uint8_t)(whole.ipv4 ? PREFIX_IPV4_OFFSET + bits : bits);
	out->high &= high_mask(out->length);
	out->low &= low_mask(out->length);
	if (out->high != whole.high || out->low != whole.low)
		return refuse_host_bits(text, out, why);
	if (is_mapped(out)) {
		out->ipv4 = true;
		snprintf(why, PREFIX_WHY_BYTES, "'%.64s' stands for IPv4: write %s", text,
			 prefix_text((char[PREFIX_TEXT_BYTES]){ 0 }, out));
		return -EINVAL;
	}
	return 0;

wrong:
	snprintf(why, PREFIX_WHY_BYTES,
		 "'%.64s' is no address or prefix such as 192.0.2.0/24 or 2001:db8::/32", text);
	return -EINVAL;
}

const char *prefix_text(char *buffer, const struct prefix *prefix)
{
	unsigned int bits = prefix_bits(prefix), most = prefix->ipv4 ? 32 : 128;
	uint64_t word[2] = { htobe64(prefix->high), htobe64(prefix->low) };
	size_t length;

	inet_ntop(prefix->ipv4 ? AF_INET : AF_INET6, (char *)word + (prefix->ipv4 ? 12 : 0), buffer,
		  PREFIX_TEXT_BYTES);
	length = strlen(buffer);
	if (bits < most)
		snprintf(buffer + length, PREFIX_TEXT_BYTES - length, "/%u", bits);
	return buffer;
}

bool prefix_is_sound(const struct prefix *prefix)
{
	if (prefix->length > 128 || prefix->high & ~high_mask(prefix->length) ||
	    prefix->low & ~low_mask(prefix->length))
		return false;
	return !prefix->ipv4 || (prefix->length >= PREFIX_IPV4_OFFSET && !prefix->high &&
				 prefix->low >> 32 == 0xffff);
}

bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
	return outer->ipv4 == inner->ipv4 && outer->length <= inner->length &&
	       !((outer->high ^ inner->high) & high_mask(outer->length)) &&
	       !((outer->low ^ inner->low) & low_mask(outer->length));
}
