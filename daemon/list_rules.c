/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An array of rules and the text of their reasons. */
#include "list_rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plain.h"

static int grow(void **memory, size_t *room, size_t needed, size_t bytes, size_t first)
{
	size_t wanted = *room ? *room : first;
	void *grown;

	if (*memory && needed <= *room)
		return 0;
	while (wanted < needed)
		wanted *= 2;
	grown = reallocarray(*memory, wanted, bytes);
	if (!grown)
		return -ENOMEM;
	*memory = grown;
	*room = wanted;
	return 0;
}

static int add_reason(struct list_rules *rules, const char *reason, uint32_t *offset)
{
	size_t bytes = strlen(reason) + 1;
	int err;

	*offset = 0;
	if (bytes == 1)
		return 0;
	if (rules->last_reason && !strcmp(rules->text + rules->last_reason, reason)) {
		*offset = rules->last_reason;
		return 0;
	}
	err = grow((void **)&rules->text, &rules->text_room, rules->text_bytes + bytes + 1, 1, 4096);
	if (err)
		return err;
	if (!rules->text_bytes)
		rules->text[rules->text_bytes++] = '\0';
	memcpy(rules->text + rules->text_bytes, reason, bytes);
	*offset = rules->last_reason = (uint32_t)rules->text_bytes;
	rules->text_bytes += bytes;
	return 0;
}

int list_rules_add(struct list_rules *rules, const struct prefix *prefix, enum tg_list list,
		   uint32_t until_s, uint32_t added_s, const char *reason)
{
	struct tg_list_rule *rule;
	uint32_t offset;
	int err;

	err = add_reason(rules, reason, &offset);
	if (!err)
		err = grow((void **)&rules->rule, &rules->room, rules->count + 1, sizeof(*rule), 64);
	if (err)
		return err;
	rule = &rules->rule[rules->count++];
	memset(rule, 0, sizeof(*rule));
	rule->high = prefix->high;
	rule->low = prefix->low;
	rule->length = prefix->length;
	rule->ipv4 = prefix->ipv4;
	rule->list = (uint8_t)list;
	rule->origin = (uint8_t)rules->origin;
	rule->until_s = until_s;
	rule->added_s = added_s;
	rule->reason = offset;
	return 0;
}

int list_rules_compare(const struct tg_list_rule *a, const struct tg_list_rule *b)
{
	if (a->ipv4 != b->ipv4)
		return a->ipv4 < b->ipv4 ? -1 : 1;
	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	if (a->list != b->list)
		return (int)a->list - (int)b->list;
	return (int)a->origin - (int)b->origin;
}

/* Merges [left, middle) and [middle, right) of from into to; of equals the left ones go first. */
static void merge(const struct tg_list_rule *from, struct tg_list_rule *to, size_t left,
		  size_t middle, size_t right)
{
	size_t a = left, b = middle, i;

	for (i = left; i < right; i++) {
		if (a < middle && (b == right || list_rules_compare(&from[a], &from[b]) <= 0))
			to[i] = from[a++];
		else
			to[i] = from[b++];
	}
}

static bool in_order(const struct list_rules *rules)
{
	size_t i;

	for (i = 1; i < rules->count; i++)
		if (list_rules_compare(&rules->rule[i - 1], &rules->rule[i]) > 0)
			return false;
	return true;
}

/* qsort does not promise to keep the order of equals, and here the later one counts. */
static int sort(struct list_rules *rules)
{
	struct tg_list_rule *spare, *from = rules->rule, *to;
	size_t width, left, count = rules->count;

	if (in_order(rules))
		return 0;
	spare = calloc(rules->room, sizeof(*spare));
	if (!spare)
		return -ENOMEM;
	to = spare;
	for (width = 1; width < count; width *= 2) {
		struct tg_list_rule *swapped = from;

		for (left = 0; left < count; left += 2 * width) {
			size_t middle = left + width < count ? left + width : count;
			size_t right = left + 2 * width < count ? left + 2 * width : count;

			merge(from, to, left, middle, right);
		}
		from = to;
		to = swapped;
	}
	rules->rule = from;
	free(to);
	return 0;
}

/*
 * Leaves out the reasons nobody has any more.  No text is shorter than one byte and its end, so half
 * an offset is a number for it.
 */
static int tidy_text(struct list_rules *rules)
{
	struct list_rules fresh = { .rule = NULL };
	uint32_t *moved;
	size_t i;
	int err = 0;

	if (!rules->text_bytes)
		return 0;
	moved = calloc(rules->text_bytes / 2 + 1, sizeof(*moved));
	if (!moved)
		return -ENOMEM;
	for (i = 0; i < rules->count && !err; i++) {
		struct tg_list_rule *rule = &rules->rule[i];
		uint32_t *place = &moved[rule->reason / 2];

		if (rule->reason && !*place)
			err = add_reason(&fresh, rules->text + rule->reason, place);
		if (rule->reason && !err)
			rule->reason = *place;
	}
	free(moved);
	free(err ? fresh.text : rules->text);
	if (err)
		return err;
	rules->text = fresh.text;
	rules->text_bytes = fresh.text_bytes;
	rules->text_room = fresh.text_room;
	rules->last_reason = fresh.last_reason;
	return 0;
}

int list_rules_settle(struct list_rules *rules, uint32_t now_s, size_t *replaced)
{
	size_t i, kept = 0, gave_way = 0;
	int err = sort(rules);

	if (err)
		return err;
	for (i = 0; i < rules->count; i++) {
		if (i + 1 < rules->count && !list_rules_compare(&rules->rule[i], &rules->rule[i + 1]))
			gave_way++;
		else if (rules->rule[i].until_s > now_s)
			rules->rule[kept++] = rules->rule[i];
	}
	rules->count = kept;
	if (replaced)
		*replaced = gave_way;
	return tidy_text(rules);
}

long list_rules_find(const struct list_rules *rules, const struct prefix *prefix, enum tg_list list,
		     enum tg_list_origin origin)
{
	const struct tg_list_rule wanted = {
		.high = prefix->high,
		.low = prefix->low,
		.length = prefix->length,
		.ipv4 = prefix->ipv4,
		.list = (uint8_t)list,
		.origin = (uint8_t)origin,
	};
	size_t below = 0, above = rules->count;

	while (below < above) {
		size_t middle = below + (above - below) / 2;
		int order = list_rules_compare(&rules->rule[middle], &wanted);

		if (!order)
			return (long)middle;
		if (order < 0)
			below = middle + 1;
		else
			above = middle;
	}
	return -ENOENT;
}

const struct tg_list_rule *list_rules_covering(const struct list_rules *rules,
					       const struct prefix *prefix, enum tg_list list,
					       uint32_t now_s)
{
	const struct tg_list_rule *longest = NULL;
	size_t i;

	for (i = 0; i < rules->count; i++) {
		const struct tg_list_rule *rule = &rules->rule[i];
		const struct prefix around = prefix_of_rule(rule);

		/* Of those around one prefix the longer come later. */
		if (rule->list == list && rule->until_s > now_s && prefix_covers(&around, prefix))
			longest = rule;
	}
	return longest;
}

void list_rules_remove(struct list_rules *rules, size_t number)
{
	memmove(&rules->rule[number], &rules->rule[number + 1],
		(rules->count - number - 1) * sizeof(*rules->rule));
	rules->count--;
}

size_t list_rules_flush(struct list_rules *rules, enum tg_list list, enum tg_list_origin origin)
{
	size_t i, kept = 0, removed;

	for (i = 0; i < rules->count; i++)
		if (rules->rule[i].list != list ||
		    (origin != TG_LIST_ORIGIN_MAX && rules->rule[i].origin != origin))
			rules->rule[kept++] = rules->rule[i];
	removed = rules->count - kept;
	rules->count = kept;
	return removed;
}

const char *list_rules_reason(const struct list_rules *rules, const struct tg_list_rule *rule)
{
	return rule->reason && rule->reason < rules->text_bytes ? rules->text + rule->reason : "";
}

void list_rules_free(struct list_rules *rules)
{
	free(rules->rule);
	free(rules->text);
	memset(rules, 0, sizeof(*rules));
}

const char *list_reason_fault(const char *text)
{
	const char *at = text;
	size_t bytes;

	if (strlen(text) > TG_LIST_REASON_MAX)
		return "the reason is longer than 127 bytes";
	if (text[0] == '#' || text[0] == ';')
		return "a reason must not begin like a comment, with # or ;";
	if (text[0] == ' ' || (text[0] && text[strlen(text) - 1] == ' '))
		return "a reason must not begin or end with a blank";
	for (; *at; at += bytes) {
		bytes = plain_character(at);
		if (!bytes)
			return "the reason is not valid UTF-8";
		if (plain_is_control(at)) /* it would speak to the terminal of who lists it */
			return "the reason has a control character";
	}
	return NULL;
}
