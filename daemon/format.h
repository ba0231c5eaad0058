/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers, times and addresses as people read them.  Every function fills the caller's buffer. */
#ifndef TCPGUARD_FORMAT_H
#define TCPGUARD_FORMAT_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "tcpguard/flow.h"

/* Enough for any of the results below. */
#define FORMAT_BYTES 64

/* "18 204" */
const char *format_grouped(char *buffer, size_t size, uint64_t number);

/* "812", "88.1 k", "351.2 M" */
const char *format_si(char *buffer, size_t size, uint64_t number);

/* "812 B", "384.0 MiB" */
const char *format_bytes(char *buffer, size_t size, uint64_t bytes);

/* "2.1 s" below a minute, "00:14:02" below a day, "3d 02:10:00" */
const char *format_duration(char *buffer, size_t size, uint64_t ms);

/* "2026-11-22T15:40:00.123Z" */
const char *format_time(char *buffer, size_t size, const struct timespec *time);

/* The same with so many digits of the second, 0..9, of nanoseconds since 1970. */
const char *format_time_ns(char *buffer, size_t size, uint64_t time_ns, int digits);

/*
 * As one word of a command that is offered to a shell: eth0, '$(date)'.  A buffer of
 * FORMAT_WORD_BYTES holds any interface's name.
 */
#define FORMAT_WORD_BYTES 68
const char *format_word(char *buffer, size_t size, const char *word);

/* TCP flags: "SYN|ACK", "-" for none. */
const char *format_flags(char *buffer, size_t size, unsigned int flags);

/* "10.0.0.1:443", "[fd00::1]:443"; a mapped address is printed as IPv4. */
const char *format_endpoint(char *buffer, size_t size, const __be32 address[4], __be16 port);

/* "10.0.0.1", "fd00::1" */
const char *format_address(char *buffer, size_t size, const __be32 address[4]);

/* part of whole in per cent, 0 when whole is 0. */
double format_percent(uint64_t part, uint64_t whole);

#endif
