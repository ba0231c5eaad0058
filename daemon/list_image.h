/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds the image of the lists that the data path reads (tcpguard/lists.h) from rules, in ordinary
 * memory.  Knows no map and prints nothing.
 */
#ifndef TCPGUARD_LIST_IMAGE_H
#define TCPGUARD_LIST_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "tcpguard/lists.h"

struct list_plan;

/*
 * Decides everything about an image, first of all its size.  The rules are in order and each is there
 * once (list_rules_settle()); they and the text must live as long as the plan.  -E2BIG: more than
 * TG_LIST_RULES_MAX of them; -EINVAL: it was met that they are not in order; -ENOMEM.
 */
int list_plan_make(const struct tg_list_rule *rules, size_t count, const char *text,
		   size_t text_bytes, uint64_t seed, struct list_plan **out);
void list_plan_free(struct list_plan *plan); /* accepts NULL */

/* The head of the image, which says how many lines it takes. */
const struct tg_list_image *list_plan_head(const struct list_plan *plan);

/* Writes the image into so many lines of zeroes; slot is where it will be found. */
void list_plan_write(const struct list_plan *plan, uint32_t slot, struct tg_list_line *lines);

#endif
