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

#include "list_slots.h"
#include "prefix.h"

#define DEPTH 130 /* lengths 0..128, and what is around everything */

/* Entries first..last of a family's direct table. */
struct fill {
	uint32_t first;
	uint32_t last;
	uint32_t entry;
	uint32_t ipv4;
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
	struct tg_list_node *nodes;
	size_t node_count;
	uint32_t *node_index; /* hash of nodes: number + 1 */
	size_t node_room; /* of nodes; the index has twice as many */
	struct list_slots slots;
	/* Of the walk: */
	struct around stack[DEPTH];
	unsigned int depth;
	struct tg_list_node group; /* entry of the longer prefixes being met; no lengths: none */
	uint32_t group_index;
	uint32_t group_ipv4;
};

static uint32_t later(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint64_t hash_node(const struct tg_list_node *node)
{
	return tg_list_hash(0x2545f4914f6cdd1dULL, node->lengths[0],
			    node->lengths[1] ^ (uint64_t)node->moments.until_s[0] << 32,
			    node->moments.until_s[1]);
}

static size_t node_place(const struct list_plan *plan, const struct tg_list_node *node)
{
	size_t mask = 2 * plan->node_room - 1, at = hash_node(node) & mask;

	while (plan->node_index[at] &&
	       memcmp(&plan->nodes[plan->node_index[at] - 1], node, sizeof(*node)) != 0)
		at = (at + 1) & mask;
	return at;
}

static int grow_nodes(struct list_plan *plan)
{
	size_t room = plan->node_room ? 2 * plan->node_room : 256, i;
	struct tg_list_node *nodes = reallocarray(plan->nodes, room, sizeof(*nodes));
	uint32_t *index;

	if (!nodes)
		return -ENOMEM;
	plan->nodes = nodes;
	index = calloc(2 * room, sizeof(*index));
	if (!index)
		return -ENOMEM;
	free(plan->node_index);
	plan->node_index = index;
	plan->node_room = room;
	for (i = 0; i < plan->node_count; i++)
		index[node_place(plan, &nodes[i])] = (uint32_t)i + 1;
	return 0;
}

/* The entry that says all this: by itself, or through a node, new or known. */
static int entry_for(struct list_plan *plan, const struct tg_list_node *node, uint32_t *entry)
{
	uint32_t block = node->moments.until_s[TG_LIST_BLOCK];
	uint32_t allow = node->moments.until_s[TG_LIST_ALLOW];
	size_t at;

	*entry = TG_LIST_NOTHING;
	if (!node->lengths[0] && !node->lengths[1] && (!block || block == TG_LIST_FOREVER) &&
	    (!allow || allow == TG_LIST_FOREVER)) {
		if (allow)
			*entry = TG_LIST_ALLOWED | (block ? TG_LIST_OVER_BLOCK : 0);
		else if (block)
			*entry = TG_LIST_BLOCKED;
		return 0;
	}
	if (plan->node_count == plan->node_room) {
		int err = grow_nodes(plan);

		if (err)
			return err;
	}
	at = node_place(plan, node);
	if (!plan->node_index[at]) {
		plan->nodes[plan->node_count] = *node;
		plan->node_index[at] = (uint32_t)++plan->node_count;
	}
	*entry = (plan->node_index[at] - 1) << TG_LIST_KIND_BITS | TG_LIST_NODE;
	return 0;
}

static int add_fill(struct list_plan *plan, const struct tg_list_node *node, uint32_t ipv4,
		    uint32_t first, uint32_t last)
{
	struct fill *fill = &plan->fills[plan->fill_count]; /* room for two a prefix */
	int err = entry_for(plan, node, &fill->entry);

	if (err)
		return err;
	fill->first = first;
	fill->last = last;
	fill->ipv4 = ipv4;
	plan->fill_count++;
	return 0;
}

/* All of the longer prefixes below one entry have been met. */
static int close_group(struct list_plan *plan)
{
	int err;

	if (!plan->group.lengths[0] && !plan->group.lengths[1])
		return 0;
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

static int add_long(struct list_plan *plan, const struct around *here,
		    const struct tg_list_moments *outside, uint32_t bits)
{
	const struct prefix *prefix = &here->prefix;
	uint32_t index = tg_list_index(prefix->high, prefix->low, prefix->ipv4, bits);
	bool open = plan->group.lengths[0] || plan->group.lengths[1];
	struct tg_list_slot slot = {
		.high = prefix->high,
		.low = prefix->low,
		.moments = here->moments,
		.key = TG_LIST_KEY_USED | (prefix->ipv4 ? TG_LIST_KEY_IPV4 : 0) | prefix->length,
	};

	if (!open || plan->group_index != index || plan->group_ipv4 != prefix->ipv4) {
		int err = close_group(plan);

		if (err)
			return err;
		/* Nothing longer than the table's bits is around the first one met below an entry. */
		plan->group.moments = *outside;
		plan->group_index = index;
		plan->group_ipv4 = prefix->ipv4;
	}
	if (prefix->length > 64)
		plan->group.lengths[0] |= 1ULL << (128 - prefix->length);
	else
		plan->group.lengths[1] |= 1ULL << (64 - prefix->length);
	return list_slots_add(&plan->slots, &slot);
}

/* One prefix and the moments its own rules give. */
static int add_prefix(struct list_plan *plan, struct around here)
{
	uint32_t bits = plan->head.bits[here.prefix.ipv4];
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
		plan->head.bits[i] = bits_for(prefixes[i]);
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

static size_t code_lines(const struct tg_list_image *head, int family)
{
	return 1U << (head->bits[family] - TG_LIST_CODES_BITS);
}

static size_t table_lines(const struct tg_list_image *head, int family)
{
	return code_lines(head, family) + (1U << head->bits[family]) / TG_LIST_ENTRIES;
}

/* Every part in lines of its own, behind the head. */
static void lay_out(struct list_plan *plan)
{
	struct tg_list_image *head = &plan->head;
	uint32_t lines = 1;
	int family;

	for (family = 0; family < 2; family++)
		if (head->bits[family])
			head->direct[family] = take(&lines, table_lines(head, family));
	head->nodes = take(&lines, in_lines(plan->node_count, TG_LIST_PER_LINE));
	head->slots_mask = plan->slots.lines - 1;
	head->slots = take(&lines, plan->slots.lines);
	take(&lines, 1); /* counts */
	head->first_rule = take(&lines, in_lines(plan->count, TG_LIST_PER_LINE));
	head->text = take(&lines, in_lines(plan->text_bytes, TG_LIST_LINE_BYTES));
	head->lines = lines;
}

static int make(struct list_plan *plan)
{
	int err;

	choose_bits(plan);
	plan->fills = calloc(2 * plan->count + 1, sizeof(*plan->fills));
	if (!plan->fills)
		return -ENOMEM;
	err = walk(plan);
	if (!err)
		err = list_slots_place(&plan->slots, plan->head.seed);
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

/* All that an entry says fits into its kind, or the code sends on to it. */
static uint64_t code_of(uint32_t entry)
{
	return entry & ~TG_LIST_KIND ? TG_LIST_NODE : entry;
}

/* A word of codes at a time where the range allows it. */
static void write_codes(uint64_t *codes, const struct fill *fill)
{
	uint64_t code = code_of(fill->entry), at = fill->first;

	while (at <= fill->last) {
		if (!(at % 32) && at + 31 <= fill->last) {
			codes[at / 32] = code * 0x5555555555555555ULL;
			at += 32;
			continue;
		}
		codes[at / 32] &= ~((uint64_t)TG_LIST_KIND << at % 32 * 2);
		codes[at / 32] |= code << at % 32 * 2;
		at++;
	}
}

static void write_fill(const struct tg_list_image *head, const struct fill *fill,
		       struct tg_list_line *lines)
{
	struct tg_list_line *table = &lines[head->direct[fill->ipv4]];
	uint32_t *entries = table[code_lines(head, (int)fill->ipv4)].entry;
	uint64_t at;

	write_codes((uint64_t *)table->codes, fill);
	for (at = fill->first; at <= fill->last; at++)
		entries[at] = fill->entry;
}

void list_plan_write(const struct list_plan *plan, uint32_t slot, struct tg_list_line *lines)
{
	struct tg_list_image head = plan->head;
	size_t i;

	head.slot = slot;
	for (i = 0; i < plan->fill_count; i++)
		write_fill(&head, &plan->fills[i], lines);
	if (plan->node_count)
		memcpy(&lines[head.nodes], plan->nodes, plan->node_count * sizeof(*plan->nodes));
	list_slots_write(&plan->slots, &lines[head.slots]);
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
	free(plan->nodes);
	free(plan->node_index);
	list_slots_free(&plan->slots);
	free(plan);
}
