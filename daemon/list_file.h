/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of prefixes, one a line: PREFIX [DURATION|- [REASON...]].  What begins with # or ; before the
 * reason is a comment.  What is written can be read.
 */
#ifndef TCPGUARD_LIST_FILE_H
#define TCPGUARD_LIST_FILE_H

#include <stdio.h>

#include "list_guard.h"
#include "list_rules.h"

/* How lines become rules. */
struct list_reader {
	enum tg_list list;
	uint32_t now_s; /* on the table's clock */
	uint32_t added_s;
	uint32_t for_s; /* where a line says nothing; 0: for ever */
	const char *reason; /* likewise */
	uint32_t age_s; /* durations began so long ago: what has run out is left out */
	const struct list_guard *guard; /* NULL: everything may be listed */
	const char *remedy; /* for bad lines; NULL: as 'import' has it */
};

/*
 * Adds all lines of a file to rules, or none: bad lines are said with their numbers, and then the
 * answer is -EINVAL.  "-" is standard input.
 */
int list_file_read(const char *path, const struct list_reader *reader, struct list_rules *rules);

/* Until when a rule lives that is to live for so long; 0: longer than the clock can say. */
uint32_t list_until(uint32_t now_s, uint32_t for_s);

/* How long a live rule still lives, at least; UINT32_MAX: for ever. */
uint32_t list_left_s(const struct tg_list_rule *rule, uint32_t now_s);

/* One line for a rule.  Rules that have expired are not written. */
void list_file_write_rule(FILE *stream, const struct list_rules *rules,
			  const struct tg_list_rule *rule, uint32_t now_s);

#endif
