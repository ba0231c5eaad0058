/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules in the order of their addresses, shorter prefixes before those inside them: one walk with the
 * prefixes around the present one on a stack gives each its moments, fills the direct tables from the
 * outside in, and meets everything below one entry in a row.
 */
#include "list_image.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/prefix_memory.h"
#include "bpf/prefix_image.h"

#include "list_levels.h"
#include "list_nodes.h"
#include "list_slots.h"
#include "prefix.h"

#define DEPTH 130 /* lengths 0..128, and what is around everything */

/* Entries first..last of a family's direct table. */
struct fill {
	uint32_t first;
	uint32_t last;
	uint32_t number; /* of a node */
	uint8_t code; /* enum tg_list_code */
	uint8_t ipv4;
};

/* A prefix around the present one. */
struct around {
	struct prefix prefix;
	struct tg_list_moments moments;
};

struct list_plan {
	struct tg_list_image head;
	struct tg_list_counts counts;
	const struct tg_list_rule *rules;
	size_t count;
	const char *text;
	size_t text_bytes;
	struct fill *fills;
	size_t fill_count;
	uint8_t bits[2]; /* by family, of the direct tables */
	bool has_entries[2]; /* by family: some code is TG_LIST_ENTRY */
	struct list_nodes nodes;
	struct list_slots slots;
	/* Of the walk: */
	struct around stack[DEPTH];
	unsigned int depth;
	struct tg_list_node group; /* of the longer prefixes below one entry, as they are met */
	uint32_t group_index;
	uint32_t group_ipv4;
	bool group_open;
};

static uint32_t later(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* Two bits are enough for most. */
static enum tg_list_code code_of(const struct tg_list_node *node, uint32_t number)
{
	static const struct tg_list_moments none;

	if (!number)
		return TG_LIST_NOTHING;
	if (number == 1U << TG_LIST_BLOCK)
		return TG_LIST_BLOCKED;
	return node->below && !memcmp(&node->moments, &none, sizeof(none)) ? TG_LIST_BELOW : TG_LIST_ENTRY;
}

static int add_fill(struct list_plan *plan, const struct tg_list_node *node, uint32_t ipv4,
		    uint32_t first, uint32_t last)
{
	struct fill *fill = &plan->fills[plan->fill_count]; /* room for two a prefix */
	int err = list_nodes_number(&plan->nodes, node, &fill->number);

	if (err)
		return err;
	fill->code = (uint8_t)code_of(node, fill->number);
	fill->first = first;
	fill->last = last;
	fill->ipv4 = (uint8_t)ipv4;
	if (fill->code == TG_LIST_ENTRY)
		plan->has_entries[ipv4] = true;
	plan->fill_count++;
	return 0;
}

/* All of the longer prefixes below one entry have been met. */
static int close_group(struct list_plan *plan)
{
	int err;

	if (!plan->group_open)
		return 0;
	plan->group_open = false;
	err = add_fill(plan, &plan->group, plan->group_ipv4, plan->group_index, plan->group_index);
	memset(&plan->group, 0, sizeof(plan->group));
	return err;
}

static int add_short(struct list_plan *plan, const struct around *here, uint32_t bits)
{
	const struct tg_list_node node = { .moments = here->moments };
	uint32_t ipv4 = here->prefix.ipv4, first;
	int err = close_group(plan);

	if (err)
		return err;
	first = tg_list_index(here->prefix.high, here->prefix.low, ipv4, bits);
	return add_fill(plan, &node, ipv4, first,
			first + ((1U << (bits - prefix_bits(&here->prefix))) - 1));
}

/* Below the entry of a prefix; nothing longer than the table's bits is around the first one met. */
static int open_group(struct list_plan *plan, const struct prefix *prefix,
		      const struct tg_list_moments *outside, uint32_t bits)
{
	uint32_t index = tg_list_index(prefix->high, prefix->low, prefix->ipv4, bits);
	int err;

	if (plan->group_open && plan->group_index == index && plan->group_ipv4 == prefix->ipv4)
		return 0;
	err = close_group(plan);
	if (err)
		return err;
	plan->group.moments = *outside;
	plan->group_index = index;
	plan->group_ipv4 = prefix->ipv4;
	plan->group_open = true;
	return 0;
}

/* All prefixes of a length inside one. */
static int add_slots(struct list_plan *plan, const struct prefix *prefix, uint32_t length, uint32_t number)
{
	unsigned __int128 address = (unsigned __int128)prefix->high << 64 | prefix->low;
	unsigned __int128 step = (unsigned __int128)1 << (128 - length);
	uint32_t left = 1U << (length - prefix->length);
	int err = 0;

	for (; left && !err; left--, address += step) {
		const struct list_slot slot = {
			.high = (uint64_t)(address >> 64),
			.low = (uint64_t)address,
			.value = tg_list_key(length, prefix->ipv4) << TG_LIST_KEY_SHIFT | number,
		};

		err = list_slots_add(&plan->slots, &slot);
	}
	return err;
}

static int add_long(struct list_plan *plan, const struct around *here,
		    const struct tg_list_moments *outside, uint32_t bits)
{
	const struct tg_list_node node = { .moments = here->moments };
	const struct prefix *prefix = &here->prefix;
	const uint8_t *level = plan->head.level[prefix->ipv4];
	uint32_t length = prefix->length, number;
	int err = open_group(plan, prefix, outside, bits);

	if (!err)
		err = list_nodes_number(&plan->nodes, &node, &number);
	if (err)
		return err;
	if (level[0]) {
		plan->group.below = 1;
		length = list_levels_of(level, prefix->length);
	} else if (length > 64) {
		plan->group.lengths[0] |= 1ULL << (128 - length);
	} else {
		plan->group.lengths[1] |= 1ULL << (64 - length);
	}
	return add_slots(plan, prefix, length, number);
}

/* One prefix and the moments its own rules give. */
static int add_prefix(struct list_plan *plan, struct around here)
{
	uint32_t bits = plan->bits[here.prefix.ipv4];
	const struct tg_list_moments *outside;
	int list;

	while (plan->depth > 1 &&
	       !prefix_covers(&plan->stack[plan->depth - 1].prefix, &here.prefix))
		plan->depth--;
	outside = &plan->stack[plan->depth - 1].moments;
	for (list = 0; list < TG_LIST_MAX; list++)
		here.moments.until_s[list] = later(here.moments.until_s[list], outside->until_s[list]);
	/* Nothing that what is around it does not say already. */
	if (!memcmp(&here.moments, outside, sizeof(*outside)))
		return 0;
	if (plan->depth == DEPTH)
		return -EINVAL; /* no order that list_rules_settle() makes */
	plan->stack[plan->depth++] = here;
	return prefix_bits(&here.prefix) <= bits ? add_short(plan, &here, bits) :
						   add_long(plan, &here, outside, bits);
}

static int walk(struct list_plan *plan)
{
	size_t i = 0;
	int err = 0;

	plan->depth = 1; /* around everything: no rule */
	while (i < plan->count && !err) {
		struct around here = { .prefix = prefix_of_rule(&plan->rules[i]) };

		for (; i < plan->count; i++) { /* the rules of one prefix, by list and origin */
			const struct tg_list_rule *rule = &plan->rules[i];

			if (rule->high != here.prefix.high || rule->low != here.prefix.low ||
			    rule->length != here.prefix.length || rule->ipv4 != here.prefix.ipv4)
				break;
			here.moments.until_s[rule->list] =
				later(here.moments.until_s[rule->list], rule->until_s);
			plan->head.rules[rule->list]++;
			plan->counts.rules[rule->list][rule->ipv4][rule->origin]++;
		}
		err = add_prefix(plan, here);
	}
	return err ? err : close_group(plan);
}

/* Few prefixes: a table that stays in the cache.  Many: one that leaves little to the hash. */
static uint8_t bits_for(size_t prefixes)
{
	if (!prefixes)
		return 0;
	if (prefixes <= 1024)
		return TG_LIST_BITS_MIN;
	return prefixes <= 65536 ? 20 : 24;
}

static void choose_bits(struct list_plan *plan)
{
	size_t prefixes[2] = { 0, 0 }, i;

	for (i = 0; i < plan->count; i++)
		prefixes[plan->rules[i].ipv4]++;
	for (i = 0; i < 2; i++)
		plan->bits[i] = bits_for(prefixes[i]);
}

static void choose_levels(struct list_plan *plan)
{
	size_t count[2][129] = { { 0 } }, i;

	for (i = 0; i < plan->count; i++) {
		const struct prefix prefix = prefix_of_rule(&plan->rules[i]);

		if (prefix_bits(&prefix) > plan->bits[prefix.ipv4])
			count[prefix.ipv4][prefix.length]++;
	}
	for (i = 0; i < 2; i++)
		list_levels_choose(count[i], plan->head.level[i]);
}

static uint32_t take(uint32_t *lines, size_t needed)
{
	uint32_t first = *lines;

	*lines += (uint32_t)needed;
	return first;
}

static size_t in_lines(size_t things, size_t per_line)
{
	return (things + per_line - 1) / per_line;
}

static size_t table_lines(const struct list_plan *plan, int family)
{
	size_t lines = TG_LIST_PLANES * (size_t)tg_list_plane_lines(plan->bits[family]);

	if (plan->has_entries[family])
		lines += (1U << plan->bits[family]) / TG_LIST_ENTRIES;
	return lines;
}

static uint32_t take_table(uint32_t *lines, const struct list_plan *plan, int family)
{
	uint32_t table = take(lines, table_lines(plan, family));

	table |= (uint32_t)plan->bits[family] << TG_LIST_BITS_SHIFT;
	return plan->has_entries[family] ? table | TG_LIST_HAS_ENTRIES : table;
}

/* Every part in lines of its own, behind the head. */
static void lay_out(struct list_plan *plan)
{
	struct tg_list_image *head = &plan->head;
	uint32_t lines = 1;
	int family;

	for (family = 0; family < 2; family++) /* first of all: a table has 24 bits to say where */
		if (plan->bits[family])
			head->direct[family] = take_table(&lines, plan, family);
	head->nodes = take(&lines, in_lines(plan->nodes.count, TG_LIST_PER_LINE));
	head->slots_lines = plan->slots.lines;
	head->slots = take(&lines, plan->slots.lines + tg_list_filter_lines(head));
	take(&lines, 1); /* counts */
	head->first_rule = take(&lines, in_lines(plan->count, TG_LIST_PER_LINE));
	head->text = take(&lines, in_lines(plan->text_bytes, TG_LIST_LINE_BYTES));
	head->lines = lines;
}

static int make(struct list_plan *plan)
{
	int err;

	choose_bits(plan);
	choose_levels(plan);
	plan->fills = calloc(2 * plan->count + 1, sizeof(*plan->fills));
	if (!plan->fills)
		return -ENOMEM;
	err = walk(plan);
	if (!err)
		err = list_slots_place(&plan->slots, &plan->head);
	if (!err)
		lay_out(plan);
	return err;
}

int list_plan_make(const struct tg_list_rule *rules, size_t count, const char *text,
		   size_t text_bytes, uint64_t seed, struct list_plan **out)
{
	struct list_plan *plan;
	int err;

	*out = NULL;
	if (count > TG_LIST_RULES_MAX)
		return -E2BIG;
	plan = calloc(1, sizeof(*plan));
	if (!plan)
		return -ENOMEM;
	plan->rules = rules;
	plan->count = count;
	plan->text = text;
	plan->text_bytes = text_bytes;
	plan->head.prefixes = (uint32_t)count;
	plan->head.format = TG_LIST_FORMAT;
	plan->head.seed = seed;
	err = make(plan);
	if (err) {
		list_plan_free(plan);
		return err;
	}
	*out = plan;
	return 0;
}

const struct tg_list_image *list_plan_head(const struct list_plan *plan)
{
	return &plan->head;
}

/* A word at a time where the range allows it. */
static void write_plane(uint64_t *plane, const struct fill *fill, bool bit)
{
	uint64_t at = fill->first;

	while (at <= fill->last) {
		if (!(at % 64) && at + 63 <= fill->last) {
			plane[at / 64] = bit ? ~0ULL : 0;
			at += 64;
			continue;
		}
		plane[at / 64] &= ~(1ULL << at % 64);
		plane[at / 64] |= (uint64_t)bit << at % 64;
		at++;
	}
}

static void write_fill(const struct tg_list_image *head, const struct fill *fill,
		       struct tg_list_line *lines)
{
	uint32_t plane_lines = tg_list_plane_lines(tg_list_bits(head, fill->ipv4)), plane;
	struct tg_list_line *table = &lines[tg_list_first(head, fill->ipv4)];
	uint32_t *entries = table[TG_LIST_PLANES * plane_lines].entry;
	uint64_t at;

	for (plane = 0; plane < TG_LIST_PLANES; plane++)
		write_plane((uint64_t *)table[plane * plane_lines].plane, fill, fill->code >> plane & 1);
	for (at = fill->first; fill->code == TG_LIST_ENTRY && at <= fill->last; at++)
		entries[at] = fill->number;
}

void list_plan_write(const struct list_plan *plan, uint32_t slot, struct tg_list_line *lines)
{
	struct tg_list_image head = plan->head;
	size_t i;

	head.slot = (uint8_t)slot;
	for (i = 0; i < plan->fill_count; i++)
		write_fill(&head, &plan->fills[i], lines);
	if (plan->nodes.count)
		memcpy(&lines[head.nodes], plan->nodes.node,
		       plan->nodes.count * sizeof(*plan->nodes.node));
	list_slots_write(&plan->slots, &head, &lines[head.slots]);
	lines[head.first_rule - 1].counts = plan->counts;
	if (plan->count)
		memcpy(&lines[head.first_rule], plan->rules, plan->count * sizeof(*plan->rules));
	if (plan->text_bytes)
		memcpy(&lines[head.text], plan->text, plan->text_bytes);
	memcpy(lines, &head, sizeof(head));
}

void list_plan_free(struct list_plan *plan)
{
	if (!plan)
		return;
	free(plan->fills);
	list_nodes_free(&plan->nodes);
	list_slots_free(&plan->slots);
	free(plan);
}
