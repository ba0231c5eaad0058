/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every fuzz target shares: the entry point, a check that ends the run, and a reader that
 * hands out the input piece by piece.  A target is one file, tests/fuzz/fuzz_NAME.c, built twice:
 * with libFuzzer (`make fuzz`), and with corpus.c, which runs tests/fuzz/corpus/NAME once (`make
 * check`).
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Says what does not hold and stops where a debugger and the sanitizer show from where. */
__attribute__((format(printf, 3, 4), noreturn)) static inline void
fuzz_fail(const char *file, int line, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	abort();
}

#define FUZZ_CHECK(holds) \
	do { \
		if (!(holds)) \
			fuzz_fail(__FILE__, __LINE__, "does not hold: %s", #holds); \
	} while (0)

#define FUZZ_FAIL(...) fuzz_fail(__FILE__, __LINE__, __VA_ARGS__)

/* Without a reader of its result the compiler may leave out the very code to be tested. */
static volatile uint64_t fuzz_sink __attribute__((unused));

/* Touches every byte, so that the sanitizer sees what is not there. */
static inline void fuzz_touch(const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < size; i++)
		sum += at[i];
	fuzz_sink = sum;
}

struct fuzz_input {
	const uint8_t *next;
	size_t left;
};

/* The next byte; zeros at the end. */
static inline uint8_t fuzz_u8(struct fuzz_input *input)
{
	if (!input->left)
		return 0;
	input->left--;
	return *input->next++;
}

/* A copy of up to size bytes that ends where its memory does; the caller frees it. */
static inline uint8_t *fuzz_take(struct fuzz_input *input, size_t *size)
{
	uint8_t *copy;

	if (*size > input->left)
		*size = input->left;
	copy = malloc(*size ? *size : 1);
	if (!copy)
		abort();
	if (*size)
		memcpy(copy, input->next, *size);
	input->next += *size;
	input->left -= *size;
	return copy;
}

/* The same as a string: it ends at the first newline, NUL or at the end of the input. */
static inline char *fuzz_line(struct fuzz_input *input)
{
	size_t length = 0;
	char *line;

	while (length < input->left && input->next[length] && input->next[length] != '\n')
		length++;
	line = malloc(length + 1);
	if (!line)
		abort();
	if (length)
		memcpy(line, input->next, length);
	line[length] = '\0';
	length += length < input->left;
	input->next += length;
	input->left -= length;
	return line;
}

#endif
