/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Captures, read and written one packet at a time: pcap through libpcap, and pcapng, plain or gzip,
 * from a file or from standard input ("-").  What is inside a packet: replay_frame.h.
 */
#ifndef TCPGUARD_CAPTURE_H
#define TCPGUARD_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

struct capture;

struct capture_packet {
	uint64_t number; /* in its capture, from 1 */
	struct timespec time;
	int link; /* its link type, DLT_* of libpcap */
	const uint8_t *data; /* until the next packet is read */
	uint32_t captured; /* bytes at data */
	uint32_t length; /* on the wire, at least captured */
};

/* -EINVAL or -EACCES, said, when it is missing, unreadable, empty or no capture. */
int capture_open(struct capture **out, const char *path);

/*
 * In two steps, for who gives up the right to open it before it is parsed: a descriptor, or an error
 * as above; then the same from its beginning, the descriptor taken over whatever comes of it.
 */
int capture_file(const char *path);
int capture_open_file(struct capture **out, const char *path, int fd);
void capture_close(struct capture *capture);

/* 1 and a packet, 0 at the end, -EIO (said) where the capture is damaged or cut off. */
int capture_next(struct capture *capture, struct capture_packet *packet);

/* The name it was opened by; the link type of its (first) interface, and a link type's name. */
const char *capture_path(const struct capture *capture);
int capture_link(const struct capture *capture);
const char *capture_link_name(int link);

/* Bytes of the file, and how many of them were read; size is 0 where it is not known. */
uint64_t capture_size(const struct capture *capture);
uint64_t capture_position(const struct capture *capture);
bool capture_compressed(const struct capture *capture);

/* A capture to write, "-" for standard output; times keep their nanoseconds.  Errors are said. */
struct capture_writer;
int capture_create(struct capture_writer **out, const char *path, int link);
/* From a file that is open already (private_file.h), and taken over. */
int capture_create_file(struct capture_writer **out, const char *path, FILE *file, int link);
void capture_write(struct capture_writer *writer, const struct capture_packet *packet);
int capture_writer_link(const struct capture_writer *writer);
/* -errno (said) if not everything was written.  Accepts NULL. */
int capture_finish(struct capture_writer *writer);

#endif
