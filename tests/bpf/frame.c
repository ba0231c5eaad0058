/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames for tests, written byte by byte: independent of the headers the data path uses. */
#include <string.h>

#include "tests/bpf/frame.h"

static uint8_t *put8(uint8_t *p, uint8_t value)
{
	*p = value;
	return p + 1;
}

static uint8_t *put16(uint8_t *p, uint16_t value)
{
	return put8(put8(p, value >> 8), (uint8_t)value);
}

static uint8_t *put32(uint8_t *p, uint32_t value)
{
	return put16(put16(p, value >> 16), (uint16_t)value);
}

static uint8_t *put_bytes(uint8_t *p, const void *bytes, size_t size)
{
	if (size)
		memcpy(p, bytes, size);
	return p + size;
}

static uint32_t sum_bytes(const uint8_t *p, size_t size, uint32_t sum)
{
	size_t i;

	for (i = 0; i < size; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint8_t *put_link(uint8_t *p, enum link_kind link, uint16_t type)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1 };

	if (link == LINK_NONE)
		return p;
	p = put_bytes(p, macs, sizeof(macs));
	if (link == LINK_QINQ)
		p = put16(put16(p, 0x88a8), 100);
	if (link == LINK_QINQ_OLD)
		p = put16(put16(p, 0x9100), 100);
	if (link == LINK_QINQ_OLD)
		p = put16(put16(p, 0x9100), 42);
	else if (link == LINK_VLAN || link == LINK_QINQ)
		p = put16(put16(p, 0x8100), 42);
	return put16(p, type);
}

static uint8_t *put_options(uint8_t *p, const struct segment *s)
{
	uint8_t *start = p;
	int i;

	if (s->raw_options_size)
		return put_bytes(p, s->raw_options, s->raw_options_size);
	if (s->wscale)
		p = put8(put8(put8(put8(p, 1), 3), 3), (uint8_t)(s->wscale - 1));
	if (s->tsval || s->has_ts)
		p = put32(put32(put16(put16(p, 0x0101), 0x080a), s->tsval), 0);
	if (s->sack_blocks) {
		p = put8(put8(put16(p, 0x0101), 5), (uint8_t)(2 + 8 * s->sack_blocks));
		for (i = 0; i < s->sack_blocks; i++)
			p = put32(put32(p, s->sack[i][0]), s->sack[i][1]);
	}
	while ((p - start) % 4)
		p = put8(p, 0);
	return p;
}

/* Header and options; the checksum is put in by seal_tcp(). */
static uint8_t *put_tcp(uint8_t *p, const struct segment *s)
{
	uint16_t window = s->window ? s->window : 65535;
	uint8_t *start = p, *offset;

	p = put16(put16(p, s->from->port), s->to->port);
	p = put32(put32(p, s->seq), s->ack);
	offset = p;
	p = put8(put8(p, 0), s->flags);
	p = put16(p, s->zero_window ? 0 : window);
	p = put32(p, 0);
	p = put_options(p, s);
	*offset = (uint8_t)((p - start) / 4 << 4 | s->reserved);
	return p;
}

static void seal_tcp(uint8_t *tcp, size_t size, const struct segment *s)
{
	size_t address = s->ipv6 ? 16 : 4;
	uint32_t sum = 6 + (uint32_t)size;

	sum = sum_bytes(s->from->address, address, sum);
	sum = sum_bytes(s->to->address, address, sum);
	put16(tcp + 16, (uint16_t)(fold(sum_bytes(tcp, size, sum)) ^ (s->bad_checksum ? 0x5555 : 0)));
}

static uint8_t *put_ipv4(uint8_t *p, const struct segment *s, const struct endpoint *from,
			 const struct endpoint *to, uint8_t protocol, uint32_t size)
{
	uint32_t header = 20 + (uint32_t)s->ip_options_size;
	uint8_t *start = p;

	p = put8(put8(p, (uint8_t)(0x40 | header / 4)), 0);
	p = put16(p, s->no_length ? 0 : (uint16_t)(header + size));
	p = put16(put16(p, 1), s->fragment);
	p = put8(put8(p, 64), protocol);
	p = put_bytes(put_bytes(put16(p, 0), from->address, 4), to->address, 4);
	p = put_bytes(p, s->ip_options, s->ip_options_size);
	put16(start + 10, fold(sum_bytes(start, header, 0)));
	return p;
}

static uint8_t *put_ipv6(uint8_t *p, const struct segment *s, const struct endpoint *from,
			 const struct endpoint *to, uint8_t protocol, uint32_t size)
{
	p = put32(p, 0x60000000);
	p = put16(p, s->no_length ? 0 : (uint16_t)(s->ip_options_size + size));
	p = put8(put8(p, s->ip_options_size ? s->extension : protocol), 64);
	p = put_bytes(put_bytes(p, from->address, 16), to->address, 16);
	return put_bytes(p, s->ip_options, s->ip_options_size);
}

static uint8_t *put_ip(uint8_t *p, const struct segment *s, uint8_t protocol, uint32_t size)
{
	return s->ipv6 ? put_ipv6(p, s, s->from, s->to, protocol, size) :
			 put_ipv4(p, s, s->from, s->to, protocol, size);
}

size_t frame_put_extensions(uint8_t *bytes, const uint8_t *kinds, size_t count, uint8_t last)
{
	uint8_t *p = bytes;
	size_t i;

	for (i = 0; i < count; i++) {
		uint8_t next = i + 1 < count ? kinds[i + 1] : last;
		size_t size = kinds[i] == 51 ? 12 : 8;

		memset(p, 0, size);
		p[0] = next;
		p[1] = kinds[i] == 51 ? 1 : 0; /* AH counts words less two, the others eights less one */
		if (kinds[i] == 0 || kinds[i] == 60)
			p[2] = 1, p[3] = 4; /* PadN */
		p += size;
	}
	return (size_t)(p - bytes);
}

size_t frame_put_fragment(uint8_t *bytes, uint8_t next, uint16_t offset, bool more)
{
	put32(put16(put8(put8(bytes, next), 0), (uint16_t)(offset << 3 | more)), 0x1234);
	return 8;
}

size_t frame_build(uint8_t *frame, const struct segment *s)
{
	uint8_t tcp[64], *p = frame;
	size_t header = (size_t)(put_tcp(tcp, s) - tcp);
	size_t present = s->payload, room;

	p = put_link(p, s->link, s->ipv6 ? 0x86dd : 0x0800);
	p = put_ip(p, s, 6, (uint32_t)header + s->payload);
	room = FRAME_MAX - (size_t)(p - frame) - header;
	if (present > room)
		present = room;
	if (s->headers_only)
		present = 0;
	memcpy(p, tcp, header);
	memset(p + header, 'x', present);
	seal_tcp(p, header + present, s);
	p += header + present;
	memset(p, 0, s->padding);
	return (size_t)(p - frame) + s->padding - s->cut;
}

size_t frame_build_icmp(uint8_t *frame, const struct segment *quoted, uint8_t type, uint8_t code)
{
	struct segment bare = *quoted;
	uint8_t inner[FRAME_MAX], *p = frame, *icmp;
	size_t size;

	bare.link = LINK_NONE;
	size = frame_build(inner, &bare);
	if (!quoted->ipv6 && size > 28)
		size = 28; /* the IP header and eight bytes, as RFC 792 says */
	p = put_link(p, quoted->link, quoted->ipv6 ? 0x86dd : 0x0800);
	bare.fragment = 0;
	bare.ip_options_size = 0;
	p = quoted->ipv6 ? put_ipv6(p, &bare, quoted->to, quoted->from, 58, (uint32_t)(8 + size)) :
			   put_ipv4(p, &bare, quoted->to, quoted->from, 1, (uint32_t)(8 + size));
	icmp = p;
	p = put32(put16(put8(put8(p, type), code), 0), 0);
	p = put_bytes(p, inner, size);
	put16(icmp + 2, fold(sum_bytes(icmp, (size_t)(p - icmp), 0)));
	return (size_t)(p - frame);
}
