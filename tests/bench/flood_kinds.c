/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of floods: what their packets look like. */
#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "tests/bench/flood.h"

#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10
#define URG 0x20

#define MORE_FRAGMENTS 0x2000
#define ANY_SOURCE .source = 0x0a000000, .mask = 0xffffff
#define RANDOM_TUPLE (FLOOD_SOURCE | FLOOD_SPORT | FLOOD_SEQ | FLOOD_ID)

/* 198.18.0.1; clients are 198.18.0.2, and nothing forged comes from their network. */
#define SERVER 0xc6120001U

static const uint8_t server6[16] = { 0xfd, 0, 0, 0xc1, [15] = 1 };
static const uint8_t attacker6[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 0x66 };

static const struct kind {
	const char *name;
	uint8_t flags;
	uint32_t vary;
	uint32_t source, mask; /* IPv4: the bits that vary */
	uint16_t fragment;
	uint8_t payload;
	uint8_t tcp_bytes; /* of the TCP header that are there; 0: all */
	bool ipv6, vlan;
} kinds[] = {
	{ "syn", SYN, RANDOM_TUPLE, ANY_SOURCE },
	{ "syn_24", SYN, RANDOM_TUPLE, .source = 0xcb007100, .mask = 0xff },
	{ "syn_64", SYN, RANDOM_TUPLE, .mask = 0xffffffff, .ipv6 = true },
	/* 64 of them, each again and again */
	{ "syn_fixed", SYN, FLOOD_SOURCE, .source = 0xcb007100, .mask = 0x3f },
	{ "syn_data", SYN, RANDOM_TUPLE, ANY_SOURCE, .payload = 32 },
	{ "syn_vlan", SYN, RANDOM_TUPLE, ANY_SOURCE, .vlan = true },
	{ "syn_ports", SYN, RANDOM_TUPLE | FLOOD_DPORT, ANY_SOURCE },
	{ "ack", ACK, RANDOM_TUPLE | FLOOD_ACK, ANY_SOURCE },
	{ "ack_fixed", ACK, FLOOD_SOURCE, .source = 0xc6336400, .mask = 0x3f },
	{ "synack", SYN | ACK, RANDOM_TUPLE | FLOOD_ACK, ANY_SOURCE },
	{ "rst", RST, RANDOM_TUPLE, ANY_SOURCE },
	{ "fin", FIN | ACK, RANDOM_TUPLE | FLOOD_ACK, ANY_SOURCE },
	{ "xmas", FIN | PSH | URG, RANDOM_TUPLE, ANY_SOURCE },
	{ "frag_first", SYN, RANDOM_TUPLE, ANY_SOURCE, .fragment = MORE_FRAGMENTS },
	{ "frag_later", SYN, RANDOM_TUPLE, ANY_SOURCE, .fragment = 3, .payload = 8,
	  .tcp_bytes = 16 },
	{ "frag_tiny", SYN, RANDOM_TUPLE, ANY_SOURCE, .fragment = MORE_FRAGMENTS,
	  .tcp_bytes = 8 },
};

const char *flood_kind_name(unsigned int number)
{
	return number < sizeof(kinds) / sizeof(kinds[0]) ? kinds[number].name : NULL;
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t sum_of(const uint8_t *bytes, size_t length)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < length; i++)
		sum += (uint32_t)bytes[i] << (i & 1 ? 0 : 8);
	return sum;
}

static uint8_t *put_link(const struct kind *kind, const unsigned char mac[6], uint8_t *at)
{
	memcpy(at, mac, 6);
	memcpy(at + 6, "\x02\0\0\0\0\x01", 6);
	at += 12;
	if (kind->vlan) {
		put16(at, 0x8100);
		put16(at + 2, 7);
		at += 4;
	}
	put16(at, kind->ipv6 ? 0x86dd : 0x0800);
	return at + 2;
}

static uint8_t *put_ip(const struct kind *kind, size_t length, uint8_t *at)
{
	if (kind->ipv6) {
		at[0] = 0x60;
		put16(at + 4, (uint32_t)length);
		at[6] = 6;
		at[7] = 64;
		memcpy(at + 8, attacker6, 8);
		memcpy(at + 24, server6, 16);
		return at + 40;
	}
	at[0] = 0x45;
	put16(at + 2, (uint32_t)(20 + length));
	put16(at + 6, kind->fragment);
	at[8] = 64;
	at[9] = 6;
	put16(at + 16, SERVER >> 16);
	put16(at + 18, SERVER & 0xffff);
	return at + 20;
}

/* The options of a common client: MSS, SACK, timestamps, window scale. */
static size_t put_tcp(const struct kind *kind, uint8_t *at)
{
	static const uint8_t options[20] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 1, 0, 0, 0, 0, 0,
					     1, 3, 3, 7 };
	size_t header = 20;

	if (!(kind->vary & FLOOD_DPORT))
		put16(at + 2, 80);
	at[13] = kind->flags;
	put16(at + 14, 0xfaf0);
	if (kind->flags == SYN && !kind->fragment) {
		memcpy(at + header, options, sizeof(options));
		header += sizeof(options);
	} else if (kind->flags == SYN) {
		memcpy(at + header, options, 4); /* fragments are multiples of eight */
		header += 4;
	}
	at[12] = (uint8_t)(header / 4 << 4);
	return header;
}

int flood_plan_make(const char *name, const unsigned char mac[6], struct flood_plan *plan)
{
	const struct kind *kind = kinds, *end = kinds + sizeof(kinds) / sizeof(kinds[0]);
	uint8_t *ip, *tcp, scratch[64] = { 0 };
	size_t header, length;

	while (kind < end && strcmp(kind->name, name) != 0)
		kind++;
	if (kind == end)
		return -1;
	memset(plan, 0, sizeof(*plan));
	header = kind->tcp_bytes ? kind->tcp_bytes : put_tcp(kind, scratch);
	length = header + kind->payload;
	ip = put_link(kind, mac, plan->frame);
	tcp = put_ip(kind, length, ip);
	if (!(kind->fragment & 0x1fff))
		put_tcp(kind, scratch);
	memcpy(tcp, scratch, header);
	memset(tcp + header, 'A', kind->payload);
	plan->l3 = (uint32_t)(ip - plan->frame);
	plan->l4 = (uint32_t)(tcp - plan->frame);
	plan->length = plan->l4 + (uint32_t)length;
	if (plan->length < 60)
		plan->length = 60;
	plan->ipv4 = !kind->ipv6;
	plan->vary = kind->vary;
	plan->source = kind->source;
	plan->source_mask = kind->mask;
	plan->sport = 12345;
	plan->l4_header = !kind->tcp_bytes;
	plan->ip_sum = sum_of(ip, 20);
	plan->tcp_sum = 6 + (uint32_t)length + sum_of(tcp, length) +
			(kind->ipv6 ? sum_of(ip + 8, 32) : sum_of(ip + 12, 8));
	return 0;
}
