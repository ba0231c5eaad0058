/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks of draft-ietf-opsawg-pcapng, in our byte order, built in memory and written whole. */
#include "capture_ng_write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "log.h"
#include "private_file.h"
#include "version.h"

#define BLOCK_SECTION 0x0a0d0d0aU
#define BLOCK_INTERFACE 1U
#define BLOCK_PACKET 6U
#define BYTE_ORDER_MAGIC 0x1a2b3c4dU
#define OPTION_COMMENT 1
#define OPTION_FLAGS 2 /* of a packet */
#define OPTION_NAME 2 /* of an interface */
#define OPTION_APPLICATION 4
#define OPTION_TIME_UNIT 9
#define NANOSECONDS 9
#define INBOUND 1U
#define OUTBOUND 2U
#define LINK_RAW_IN_FILES 101 /* the one number that libpcap's DLT_* does not share */
#define BLOCK_BYTES 4096 /* a packet of at most 1536 bytes and its options */

struct block {
	uint8_t bytes[BLOCK_BYTES];
	uint32_t size;
};

struct capture_ng_writer {
	FILE *file;
	const char *path;
	uint32_t snap;
	uint64_t written;
	uint32_t known[CAPTURE_NG_INTERFACES]; /* 1 + index in the file; 0: not met */
	uint32_t interfaces;
	int err;
};

static void put_bytes(struct block *block, const void *bytes, uint32_t size)
{
	uint32_t padded = (size + 3U) & ~3U;

	if (block->size + padded > BLOCK_BYTES)
		return; /* cannot be: every caller's sizes are bounded */
	memcpy(block->bytes + block->size, bytes, size);
	memset(block->bytes + block->size + size, 0, padded - size);
	block->size += padded;
}

static void put_u32(struct block *block, uint32_t value)
{
	put_bytes(block, &value, sizeof(value));
}

static void put_pair(struct block *block, uint16_t first, uint16_t second)
{
	uint16_t pair[2] = { first, second };

	put_bytes(block, pair, sizeof(pair));
}

static void put_option(struct block *block, uint16_t kind, const void *value, uint32_t size)
{
	put_pair(block, kind, (uint16_t)size);
	put_bytes(block, value, size);
}

static void begin(struct block *block, uint32_t type)
{
	block->size = 0;
	put_u32(block, type);
	put_u32(block, 0); /* the length, when it is known */
}

static int write_block(struct capture_ng_writer *writer, struct block *block)
{
	uint32_t size = block->size + 4;

	memcpy(block->bytes + 4, &size, sizeof(size));
	put_u32(block, size);
	errno = 0;
	if (!writer->err && fwrite(block->bytes, 1, block->size, writer->file) != block->size)
		writer->err = errno ? -errno : -EIO;
	writer->written += block->size;
	return writer->err;
}

static int write_section(struct capture_ng_writer *writer)
{
	static const char application[] = "tcpguard " TCPGUARD_VERSION;
	struct block block;

	begin(&block, BLOCK_SECTION);
	put_u32(&block, BYTE_ORDER_MAGIC);
	put_pair(&block, 1, 0);
	put_u32(&block, UINT32_MAX); /* the section's length: not known */
	put_u32(&block, UINT32_MAX);
	put_option(&block, OPTION_APPLICATION, application, sizeof(application) - 1);
	put_pair(&block, 0, 0);
	return write_block(writer, &block);
}

static int write_interface(struct capture_ng_writer *writer, const struct capture_ng_packet *packet)
{
	const uint8_t unit = NANOSECONDS;
	struct block block;

	begin(&block, BLOCK_INTERFACE);
	put_pair(&block, packet->link == DLT_RAW ? LINK_RAW_IN_FILES : (uint16_t)packet->link, 0);
	put_u32(&block, writer->snap);
	put_option(&block, OPTION_NAME, packet->name, (uint32_t)strlen(packet->name));
	put_option(&block, OPTION_TIME_UNIT, &unit, sizeof(unit));
	put_pair(&block, 0, 0);
	writer->known[packet->interface] = ++writer->interfaces;
	return write_block(writer, &block);
}

int capture_ng_put(struct capture_ng_writer *writer, const struct capture_ng_packet *packet)
{
	const uint32_t flags = packet->outbound ? OUTBOUND : INBOUND;
	struct block block;

	if (packet->interface >= CAPTURE_NG_INTERFACES)
		return -EINVAL;
	if (!writer->known[packet->interface] && write_interface(writer, packet))
		return writer->err;
	begin(&block, BLOCK_PACKET);
	put_u32(&block, writer->known[packet->interface] - 1);
	put_u32(&block, (uint32_t)(packet->time_ns >> 32));
	put_u32(&block, (uint32_t)packet->time_ns);
	put_u32(&block, packet->captured);
	put_u32(&block, packet->length);
	put_bytes(&block, packet->bytes, packet->captured);
	put_option(&block, OPTION_COMMENT, packet->comment, (uint32_t)strlen(packet->comment));
	put_option(&block, OPTION_FLAGS, &flags, sizeof(flags));
	put_pair(&block, 0, 0);
	return write_block(writer, &block);
}

int capture_ng_flush(struct capture_ng_writer *writer)
{
	errno = 0;
	if (!writer->err && fflush(writer->file))
		writer->err = errno ? -errno : -EIO;
	return writer->err;
}

uint64_t capture_ng_written(const struct capture_ng_writer *writer)
{
	return writer->written;
}

int capture_ng_create(struct capture_ng_writer **out, const char *path, uint32_t snap)
{
	struct capture_ng_writer *writer = calloc(1, sizeof(*writer));

	*out = NULL;
	if (!writer)
		return log_err(-ENOMEM, "cannot write '%s'", path);
	writer->path = path;
	writer->snap = snap;
	writer->file = private_file_open(path);
	if (!writer->file) {
		free(writer);
		return -EINVAL;
	}
	write_section(writer); /* an error is kept */
	*out = writer;
	return 0;
}

int capture_ng_finish(struct capture_ng_writer *writer)
{
	int err;

	if (!writer)
		return 0;
	err = capture_ng_flush(writer);
	if (fclose(writer->file) && !err)
		err = -errno;
	if (err)
		log_err(err, "cannot write '%s'", writer->path);
	free(writer);
	return err;
}
