/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One parser over the option rows of command.h, the help printed from the same rows, and the
 * helpers that read one argument.  Knows no command.
 */
#ifndef TCPGUARD_OPTIONS_H
#define TCPGUARD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "command.h"

/* Rows and the struct their offsets point into. */
struct option_group {
	const struct option_row *rows; /* may be NULL */
	void *out;
};

/*
 * Reads the options of argv[1..].  A row of an earlier group hides the same letter or name in a
 * later one.  in_order: stop at the first word.  Returns the index of the first word (words are
 * moved behind the options unless in_order), or -EINVAL after having said why.
 */
int options_parse(const struct option_group *groups, size_t count, bool in_order, int argc,
		  char **argv);

/* Usage line, summary, details and options of a command. */
void options_print_help(FILE *stream, const struct command *command);

/* The rows alone, aligned. */
void options_print_rows(FILE *stream, const struct option_row *rows);

/* A whole number in min..max and nothing behind it; 0, -EINVAL or -ERANGE, in silence. */
int parse_u32(const char *argument, uint32_t min, uint32_t max, uint32_t *out);

/* "30s", "5m", "1h", "1d" or plain seconds; 0, -EINVAL or -ERANGE, in silence. */
int parse_duration_s(const char *argument, uint32_t *out);

/* Index of the argument in a NULL-terminated list of words, or -EINVAL after having said which fit. */
int options_choose(const char *name, const char *argument, const char *const *words);

/* -EINVAL (said) if words are left for a command that takes none. */
int options_no_words(int argc, char **argv);

/* Ready-made parse functions for rows. */
int options_set_true(const char *name, const char *argument, void *out); /* bool */
int options_word(const char *name, const char *argument, void *out); /* const char *, as it is */
int options_duration(const char *name, const char *argument, void *out); /* uint32_t, seconds */
int options_count(const char *name, const char *argument, void *out); /* uint32_t, at least 1 */
int options_zone(const char *name, const char *argument, void *out); /* uint32_t, 0..65535 */

/* uint32_t in min..max, for a row's own parse function; says what is wrong. */
int options_u32(const char *name, const char *argument, uint32_t min, uint32_t max, uint32_t *out);

#endif
