/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two files of `tcpguard block|allow` share. */
#ifndef TCPGUARD_CMD_LISTS_H
#define TCPGUARD_CMD_LISTS_H

#include "command.h"
#include "lists.h"

enum lists_verb {
	VERB_ADD,
	VERB_DEL,
	VERB_LIST,
	VERB_TEST,
	VERB_IMPORT,
	VERB_EXPORT,
	VERB_FLUSH,
};

struct lists_options {
	uint32_t for_s; /* 0: for ever */
	uint32_t limit; /* 0: all */
	uint32_t origin; /* 0: any; else enum tg_list_origin + 1 */
	const char *reason;
	bool force;
	bool replace;
};

struct lists_job {
	const struct global_options *global;
	const struct lists_options *options;
	enum tg_list list;
	enum lists_verb verb;
	int argc;
	char **argv; /* behind the verb */
	struct pins pins;
	uint32_t now_s;
	struct list_rules given; /* of the words or the file */
	struct list_rules rules; /* in force, then to be */
	size_t changed; /* added or removed */
	size_t replaced; /* of those added */
	size_t of_file; /* of those removed: rules of a file the configuration names */
};

static inline const char *list_name(enum tg_list list)
{
	return list == TG_LIST_ALLOW ? "allow" : "block";
}

/* add, del, import, flush: an exit code. */
int lists_change(struct lists_job *job);

#endif
