/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of both lists in memory: what is read from an image, changed, and made an image again. */
#ifndef TCPGUARD_LIST_RULES_H
#define TCPGUARD_LIST_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prefix.h"

/* Begins as zeroes. */
struct list_rules {
	struct tg_list_rule *rule;
	size_t count;
	size_t room;
	char *text; /* reasons, each with its end; the first is empty */
	size_t text_bytes;
	size_t text_room;
	uint32_t last_reason; /* the one added last: lists often have one for all */
	enum tg_list_origin origin; /* of what is added */
};

/* Adds at the end; a later rule for the same prefix, list and origin takes the place of an earlier one. */
int list_rules_add(struct list_rules *rules, const struct prefix *prefix, enum tg_list list,
		   uint32_t until_s, uint32_t added_s, const char *reason);

/* Their order: by family, prefix, list and origin. */
int list_rules_compare(const struct tg_list_rule *a, const struct tg_list_rule *b);

/*
 * Puts them in order, each there once, without those that have expired at now_s.  *replaced (may be
 * NULL): how many gave way to a later one.
 */
int list_rules_settle(struct list_rules *rules, uint32_t now_s, size_t *replaced);

/* Of settled rules.  The number of the rule for exactly this prefix, or -ENOENT. */
long list_rules_find(const struct list_rules *rules, const struct prefix *prefix, enum tg_list list,
		     enum tg_list_origin origin);

/* The longest prefix of a list that covers this one and has not expired; NULL: none does. */
const struct tg_list_rule *list_rules_covering(const struct list_rules *rules,
					       const struct prefix *prefix, enum tg_list list,
					       uint32_t now_s);

/* Removes one by number; order stays. */
void list_rules_remove(struct list_rules *rules, size_t number);

/* Removes all of a list and an origin, TG_LIST_ORIGIN_MAX: whosever; how many those were. */
size_t list_rules_flush(struct list_rules *rules, enum tg_list list, enum tg_list_origin origin);

/* "" if it has none. */
const char *list_rules_reason(const struct list_rules *rules, const struct tg_list_rule *rule);

void list_rules_free(struct list_rules *rules);

/*
 * What is wrong with the text of a reason, NULL if nothing: too long, control characters, not UTF-8,
 * or begins like a comment of an import file.
 */
const char *list_reason_fault(const char *text);

#endif
