/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tuples as they occur: addresses and ports counted up, not random.  A hash may look good on random
 * keys and place these on few buckets.
 */
#ifndef TESTS_TUPLES_H
#define TESTS_TUPLES_H

#include "tests/unit/unit.h"

/* Number i of a family of at least 2^20 different tuples. */
struct tuple_family {
	const char *name;
	void (*make)(__u32 i, struct tg_packet *pkt);
};

static void ipv4_packet(__u32 client, __u16 sport, __u32 server, __u16 dport, struct tg_packet *pkt)
{
	memset(pkt, 0, sizeof(*pkt));
	pkt->ipv4 = true;
	pkt->saddr[2] = pkt->daddr[2] = htonl(0xffff);
	pkt->saddr[3] = htonl(client);
	pkt->daddr[3] = htonl(server);
	pkt->sport = htons(sport);
	pkt->dport = htons(dport);
}

/* A load generator: 16 clients, every port, one service. */
static void few_clients_every_port(__u32 i, struct tg_packet *pkt)
{
	ipv4_packet(0x0a000001 + (i >> 16), (__u16)i, 0xc0a80001, 443, pkt);
}

/* A /12 of clients, one port. */
static void one_port_many_clients(__u32 i, struct tg_packet *pkt)
{
	ipv4_packet(0x0a100000 + i, 40000, 0xc0a80001, 443, pkt);
}

/* A gateway: 256 clients behind it, 64 services, ephemeral ports counted up in steps of two. */
static void gateway(__u32 i, struct tg_packet *pkt)
{
	ipv4_packet(0x0a000000 + (i & 255), (__u16)(32768 + (i >> 14) * 2), 0xcb007100 + (i >> 8 & 63),
		    443, pkt);
}

/* One client and one server, two ranges of ports: an HTTP load test against many listeners. */
static void port_square(__u32 i, struct tg_packet *pkt)
{
	ipv4_packet(0x0a000001, (__u16)(1024 + (i & 0x3ff)), 0x0a000002, (__u16)(8000 + (i >> 10)), pkt);
}

static void ipv6_hosts(__u32 i, struct tg_packet *pkt)
{
	memset(pkt, 0, sizeof(*pkt));
	pkt->saddr[0] = pkt->daddr[0] = htonl(0x20010db8);
	pkt->saddr[1] = htonl(i >> 12); /* /64 by /64 */
	pkt->saddr[3] = htonl(0x100 + (i & 0xff));
	pkt->daddr[3] = htonl(1);
	pkt->sport = htons((__u16)(49152 + (i >> 8 & 15)));
	pkt->dport = htons(443);
}

static void random_tuples(__u32 i, struct tg_packet *pkt)
{
	uint64_t seed = i + 1, bits;

	random_u64(&seed);
	bits = random_u64(&seed);
	ipv4_packet((__u32)random_u64(&seed), (__u16)bits, (__u32)(bits >> 32), (__u16)(bits >> 16), pkt);
}

static const struct tuple_family tuple_families[] = {
	{ "few clients, every port", few_clients_every_port },
	{ "many clients, one port", one_port_many_clients },
	{ "gateway", gateway },
	{ "square of ports", port_square },
	{ "IPv6 hosts", ipv6_hosts },
	{ "random tuples", random_tuples },
};

#define TUPLE_FAMILIES COUNT(tuple_families)

#endif
