/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text of strangers: names of files and interfaces, lines of their files, what a file holds.  It must
 * not speak to the terminal of whoever reads it, nor begin a line of its own in a log.
 */
#ifndef TCPGUARD_PLAIN_H
#define TCPGUARD_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the UTF-8 character at text, 0 if there is none (RFC 3629). */
static inline size_t plain_character(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t length = 1, i;

	if (c[0] >= 0xc2 && c[0] <= 0xdf)
		length = 2;
	else if (c[0] >= 0xe0 && c[0] <= 0xef)
		length = 3;
	else if (c[0] >= 0xf0 && c[0] <= 0xf4)
		length = 4;
	else if (c[0] >= 0x80)
		return 0;
	for (i = 1; i < length; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	/* Longer than needed, half of a surrogate pair, beyond the last code point. */
	if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
	    (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
		return 0;
	return length;
}

/* C0, DEL and C1; text is at a character. */
static inline bool plain_is_control(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	return c[0] < 0x20 || c[0] == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0);
}

static inline bool plain_has_controls(const char *text)
{
	for (; *text; text++)
		if (plain_is_control(text))
			return true;
	return false;
}

/* In place: '?' for each byte of what is no character or a control character, a blank for blanks. */
static inline char *plain_make(char *text)
{
	char *at = text;

	while (*at) {
		size_t length = plain_character(at);

		if (length && !plain_is_control(at)) {
			at += length;
			continue;
		}
		*at = (char)(*at == '\n' || *at == '\t' ? ' ' : '?');
		at++;
	}
	return text;
}

/* The same into a buffer, of at most size - 1 bytes. */
static inline const char *plain_copy(char *buffer, size_t size, const char *text)
{
	size_t i;

	for (i = 0; i + 1 < size && text[i]; i++)
		buffer[i] = text[i];
	buffer[i] = '\0';
	return plain_make(buffer);
}

#endif
