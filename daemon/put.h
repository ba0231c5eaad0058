/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a line into a buffer that is known to have room: what a million lines are made of.  Each
 * function returns the place behind what it wrote, without a terminating zero.
 */
#ifndef TCPGUARD_PUT_H
#define TCPGUARD_PUT_H

#include <stdint.h>
#include <string.h>

static inline char *put_text(char *at, const char *text)
{
	size_t length = strlen(text);

	memcpy(at, text, length);
	return at + length;
}

static inline char *put_number(char *at, uint64_t number)
{
	char digits[20];
	int count = 0;

	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	while (count)
		*at++ = digits[--count];
	return at;
}

static inline char *put_hex(char *at, uint32_t number)
{
	int shift = 28;

	while (shift && !(number >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*at++ = "0123456789abcdef"[number >> shift & 0xf];
	return at;
}

#endif
