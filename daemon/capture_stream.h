/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file's bytes for capture.c, whether they are compressed or not. */
#ifndef TCPGUARD_CAPTURE_STREAM_H
#define TCPGUARD_CAPTURE_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct capture_stream {
	FILE *file; /* the plain bytes; libpcap closes it */
	int fd; /* of the file itself, -1 when it cannot tell a position */
	uint64_t size; /* 0: not known */
	bool compressed;
};

/* Opens "-" or a path: a descriptor, or -errno (said). */
int capture_stream_file(const char *path);

/* Takes over that descriptor; gzip is recognised by its first bytes.  Errors are said. */
int capture_stream_open(const char *path, int fd, struct capture_stream *stream);

#endif
