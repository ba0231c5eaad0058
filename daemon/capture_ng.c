/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks of draft-ietf-opsawg-pcapng: sections, interfaces and packets; everything else is skipped. */
#include "capture_ng.h"

#include <byteswap.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#define BLOCK_SECTION 0x0a0d0d0aU
#define BLOCK_INTERFACE 1U
#define BLOCK_OLD_PACKET 2U
#define BLOCK_SIMPLE_PACKET 3U
#define BLOCK_PACKET 6U
#define BYTE_ORDER_MAGIC 0x1a2b3c4dU
#define BLOCK_BYTES_MAX (16U << 20) /* as libpcap */
#define INTERFACES_MAX 4096U
#define OPTION_TIME_UNIT 9
#define OPTION_TIME_OFFSET 14
#define SECONDS_MAX (1ULL << 40)
#define LINK_RAW_IN_FILES 101 /* the one number that libpcap's DLT_* does not share */

struct interface {
	int link;
	uint32_t snap;
	uint64_t units; /* of time, in a second */
	int64_t offset_s;
};

struct capture_ng {
	FILE *file;
	bool swapped; /* this section's byte order is not ours */
	struct interface *interfaces;
	uint32_t count;
	uint32_t room;
	int first_link;
	uint8_t *body; /* of the present block, behind type and length */
	uint32_t body_room;
	uint32_t length; /* of the body, without the length behind it */
};

static uint32_t u32_at(const struct capture_ng *ng, uint32_t at)
{
	uint32_t value;

	memcpy(&value, ng->body + at, sizeof(value));
	return ng->swapped ? bswap_32(value) : value;
}

static uint16_t u16_at(const struct capture_ng *ng, uint32_t at)
{
	uint16_t value;

	memcpy(&value, ng->body + at, sizeof(value));
	return ng->swapped ? bswap_16(value) : value;
}

/* --- blocks --------------------------------------------------------------------------------------- */

static const char *read_body(struct capture_ng *ng, uint32_t have, uint32_t length)
{
	if (length < 12 || length % 4 || length > BLOCK_BYTES_MAX)
		return "a block of an impossible length";
	length -= 8; /* type and length were read */
	if (length > ng->body_room) {
		uint8_t *grown = realloc(ng->body, length);

		if (!grown)
			return "no memory for a block";
		ng->body = grown;
		ng->body_room = length;
	}
	if (have > length || fread(ng->body + have, 1, length - have, ng->file) != length - have)
		return "cut off within a block";
	ng->length = length - 4;
	return NULL;
}

/* A section decides the byte order of its own length. */
static const char *read_section(struct capture_ng *ng, uint32_t length)
{
	const char *why;
	uint32_t magic;

	if (fread(&magic, 1, sizeof(magic), ng->file) != sizeof(magic))
		return "cut off within a block";
	if (magic != BYTE_ORDER_MAGIC && magic != bswap_32(BYTE_ORDER_MAGIC))
		return "a section without byte-order magic";
	ng->swapped = magic != BYTE_ORDER_MAGIC;
	ng->count = 0;
	length = ng->swapped ? bswap_32(length) : length;
	why = length < 28 ? "a section of an impossible length" : read_body(ng, sizeof(magic), length);
	return why;
}

/* 1 and the type of the next block, whose body is then there; 0 at the end; -1 and why. */
static int next_block(struct capture_ng *ng, uint32_t *type, const char **why)
{
	uint32_t head[2];
	size_t got = fread(head, 1, sizeof(head), ng->file);

	if (!got && !ferror(ng->file))
		return 0;
	*why = "cut off within a block";
	if (got != sizeof(head))
		return -1;
	if (head[0] == BLOCK_SECTION) {
		*type = BLOCK_SECTION;
		*why = read_section(ng, head[1]);
	} else {
		*type = ng->swapped ? bswap_32(head[0]) : head[0];
		*why = read_body(ng, 0, ng->swapped ? bswap_32(head[1]) : head[1]);
	}
	return *why ? -1 : 1;
}

/* --- interfaces ----------------------------------------------------------------------------------- */

static uint64_t power(uint64_t base, unsigned int exponent)
{
	uint64_t product = 1;

	while (exponent--)
		product *= base;
	return product;
}

/* 10^-n or, with the high bit set, 2^-n seconds. */
static uint64_t units_per_second(uint8_t resolution)
{
	unsigned int exponent = resolution & 0x7f;

	if (resolution & 0x80)
		return 1ULL << (exponent < 63 ? exponent : 63);
	return power(10, exponent < 19 ? exponent : 19);
}

static void read_options(const struct capture_ng *ng, uint32_t at, struct interface *interface)
{
	while (at + 4 <= ng->length) {
		uint16_t kind = u16_at(ng, at), length = u16_at(ng, at + 2);

		at += 4;
		if (!kind || length > ng->length - at)
			return;
		if (kind == OPTION_TIME_UNIT && length == 1) {
			interface->units = units_per_second(ng->body[at]);
		} else if (kind == OPTION_TIME_OFFSET && length == 8) {
			uint64_t low = u32_at(ng, at + (ng->swapped ? 4 : 0));
			uint64_t high = u32_at(ng, at + (ng->swapped ? 0 : 4));

			interface->offset_s = (int64_t)(high << 32 | low);
		}
		at += (length + 3U) & ~3U;
	}
}

static const char *add_interface(struct capture_ng *ng)
{
	struct interface *interface;

	if (ng->length < 8)
		return "an interface without link type";
	if (ng->count == INTERFACES_MAX)
		return "too many interfaces";
	if (ng->count == ng->room) {
		uint32_t room = ng->room ? 2 * ng->room : 8;

		interface = reallocarray(ng->interfaces, room, sizeof(*interface));
		if (!interface)
			return "no memory for an interface";
		ng->interfaces = interface;
		ng->room = room;
	}
	interface = &ng->interfaces[ng->count];
	interface->link = u16_at(ng, 0) == LINK_RAW_IN_FILES ? DLT_RAW : u16_at(ng, 0);
	interface->snap = u32_at(ng, 4);
	interface->units = 1000000;
	interface->offset_s = 0;
	read_options(ng, 8, interface);
	if (!ng->count++ && ng->first_link < 0)
		ng->first_link = interface->link;
	return NULL;
}

/* --- packets -------------------------------------------------------------------------------------- */

static void set_time(const struct interface *interface, uint64_t units, struct timespec *time)
{
	unsigned __int128 rest = units % interface->units;
	uint64_t seconds = units / interface->units + (uint64_t)interface->offset_s;

	/* What is no time since 1970 becomes its beginning: differences must fit, too. */
	time->tv_sec = seconds <= SECONDS_MAX ? (time_t)seconds : 0;
	time->tv_nsec = (long)(rest * 1000000000 / interface->units);
}

/* Where the fields of the three kinds of packets lie. */
static const char *read_packet(const struct capture_ng *ng, uint32_t type,
			       struct capture_packet *packet)
{
	uint32_t data = type == BLOCK_SIMPLE_PACKET ? 4 : 20, index = 0;
	const struct interface *interface;

	if (ng->length < data)
		return "a packet without its header";
	if (type == BLOCK_PACKET)
		index = u32_at(ng, 0);
	else if (type == BLOCK_OLD_PACKET)
		index = u16_at(ng, 0);
	if (index >= ng->count)
		return "a packet of an unknown interface";
	interface = &ng->interfaces[index];
	if (type == BLOCK_SIMPLE_PACKET) {
		packet->length = packet->captured = u32_at(ng, 0);
		if (interface->snap && packet->captured > interface->snap)
			packet->captured = interface->snap;
		if (packet->captured > ng->length - data)
			packet->captured = ng->length - data;
		packet->time = (struct timespec){ .tv_sec = 0 }; /* it has none */
	} else {
		set_time(interface, (uint64_t)u32_at(ng, 4) << 32 | u32_at(ng, 8), &packet->time);
		packet->captured = u32_at(ng, 12);
		packet->length = u32_at(ng, 16);
	}
	if (packet->captured > ng->length - data)
		return "a packet longer than its block";
	packet->data = ng->body + data;
	packet->link = interface->link;
	return NULL;
}

int capture_ng_next(struct capture_ng *ng, struct capture_packet *packet, const char **why)
{
	uint32_t type;
	int got;

	for (;;) {
		got = next_block(ng, &type, why);
		if (got <= 0)
			return got;
		if (type == BLOCK_INTERFACE)
			*why = add_interface(ng);
		else if (type == BLOCK_PACKET || type == BLOCK_OLD_PACKET ||
			 type == BLOCK_SIMPLE_PACKET)
			break;
		if (*why)
			return -1;
	}
	*why = read_packet(ng, type, packet);
	return *why ? -1 : 1;
}

struct capture_ng *capture_ng_open(FILE *file, const char **why)
{
	struct capture_ng *ng = calloc(1, sizeof(*ng));
	uint32_t type = 0;
	int got = 1;

	*why = "no memory";
	if (!ng)
		return NULL;
	ng->file = file;
	ng->first_link = -1;
	while (got == 1 && type != BLOCK_INTERFACE && type != BLOCK_SIMPLE_PACKET)
		got = next_block(ng, &type, why);
	if (got == 1 && type == BLOCK_INTERFACE)
		*why = add_interface(ng);
	else if (got != -1)
		*why = "it describes no interface";
	if (!*why)
		return ng;
	capture_ng_close(ng);
	return NULL;
}

void capture_ng_close(struct capture_ng *ng)
{
	if (!ng)
		return;
	free(ng->interfaces);
	free(ng->body);
	free(ng);
}

int capture_ng_link(const struct capture_ng *ng)
{
	return ng->first_link;
}
