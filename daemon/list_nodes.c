/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An array, and open addressing to find in it. */
#include "list_nodes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/prefix_memory.h"
#include "bpf/prefix_image.h"

#define FIRST_ROOM 256

static uint64_t hash_node(const struct tg_list_node *node)
{
	return tg_list_hash(0x2545f4914f6cdd1dULL, node->lengths[0],
			    node->lengths[1] ^ (uint64_t)node->moments.until_s[0] << 32,
			    node->moments.until_s[1] ^ node->below);
}

static size_t place_of(const struct list_nodes *nodes, const struct tg_list_node *node)
{
	size_t mask = 2 * nodes->room - 1, at = hash_node(node) & mask;

	while (nodes->index[at] &&
	       memcmp(&nodes->node[nodes->index[at] - 1], node, sizeof(*node)) != 0)
		at = (at + 1) & mask;
	return at;
}

static void add(struct list_nodes *nodes, const struct tg_list_node *node)
{
	nodes->node[nodes->count] = *node;
	nodes->index[place_of(nodes, node)] = (uint32_t)nodes->count + 1;
	nodes->count++;
}

/* The first four, by bit enum tg_list. */
static void add_forevers(struct list_nodes *nodes)
{
	uint32_t number, list;

	for (number = 0; number < TG_LIST_FOREVERS; number++) {
		struct tg_list_node node = { .below = 0 };

		for (list = 0; list < TG_LIST_MAX; list++)
			if (number & 1U << list)
				node.moments.until_s[list] = TG_LIST_FOREVER;
		add(nodes, &node);
	}
}

static int grow(struct list_nodes *nodes)
{
	size_t room = nodes->room ? 2 * nodes->room : FIRST_ROOM, i;
	struct tg_list_node *node = reallocarray(nodes->node, room, sizeof(*node));
	uint32_t *index;

	if (!node)
		return -ENOMEM;
	nodes->node = node;
	index = calloc(2 * room, sizeof(*index));
	if (!index)
		return -ENOMEM;
	free(nodes->index);
	nodes->index = index;
	nodes->room = room;
	for (i = 0; i < nodes->count; i++)
		index[place_of(nodes, &node[i])] = (uint32_t)i + 1;
	if (!nodes->count)
		add_forevers(nodes);
	return 0;
}

int list_nodes_number(struct list_nodes *nodes, const struct tg_list_node *node, uint32_t *number)
{
	size_t at;

	if (nodes->count == nodes->room) {
		int err = grow(nodes);

		if (err)
			return err;
	}
	at = place_of(nodes, node);
	if (!nodes->index[at]) {
		if (nodes->count > TG_LIST_NUMBER)
			return -E2BIG;
		add(nodes, node);
	}
	*number = nodes->index[at] - 1;
	return 0;
}

void list_nodes_free(struct list_nodes *nodes)
{
	free(nodes->node);
	free(nodes->index);
	memset(nodes, 0, sizeof(*nodes));
}
