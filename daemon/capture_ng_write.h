/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes pcapng: an interface block for each interface met, packets with a comment, nanoseconds. */
#ifndef TCPGUARD_CAPTURE_NG_WRITE_H
#define TCPGUARD_CAPTURE_NG_WRITE_H

#include <stdbool.h>
#include <stdint.h>

struct capture_ng_writer;

struct capture_ng_packet {
	uint32_t interface; /* the caller's number, below CAPTURE_NG_INTERFACES */
	const char *name; /* of the interface, and its link type, when met for the first time */
	int link;
	uint64_t time_ns; /* since 1970 */
	bool outbound;
	const uint8_t *bytes;
	uint32_t captured;
	uint32_t length;
	const char *comment;
};

#define CAPTURE_NG_INTERFACES 32

/* "-" is standard output.  -EINVAL, said. */
int capture_ng_create(struct capture_ng_writer **out, const char *path, uint32_t snap);
/* 0 or -errno, in silence: capture_ng_finish() says it. */
int capture_ng_put(struct capture_ng_writer *writer, const struct capture_ng_packet *packet);
int capture_ng_flush(struct capture_ng_writer *writer);
uint64_t capture_ng_written(const struct capture_ng_writer *writer);
/* -errno (said) if not everything was written.  Accepts NULL. */
int capture_ng_finish(struct capture_ng_writer *writer);

#endif
