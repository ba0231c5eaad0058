/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be written where, read from the words that usage and help print: "enforce|monitor" are
 * values, IFACE, FILE, STATE, REASON and COMMAND are kinds of values, anything else is free text.
 * The tables stay the only place that knows; how a shell is told is the business of
 * output_completion_*.c.
 */
#ifndef TCPGUARD_COMPLETION_H
#define TCPGUARD_COMPLETION_H

#include <stdbool.h>
#include <stddef.h>

struct completion {
	char words[1024]; /* separated by blanks */
	bool interfaces;
	bool files;
	bool repeats; /* "...": also at every later position */
};

/* The value of an option, as in struct option_row. */
void completion_of_value(const char *value, struct completion *out);

/*
 * One position of "list|show [ID]": returns the rest, for the next one, or NULL when there is none
 * and out is not filled.
 */
const char *completion_of_position(const char *arguments, struct completion *out);

bool completion_is_empty(const struct completion *completion);

#endif
