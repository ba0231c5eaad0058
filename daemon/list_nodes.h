/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nodes of an image: each there once, found by what it says. */
#ifndef TCPGUARD_LIST_NODES_H
#define TCPGUARD_LIST_NODES_H

#include <stddef.h>
#include <stdint.h>

#include "tcpguard/lists.h"

/* Begins as zeroes. */
struct list_nodes {
	struct tg_list_node *node;
	size_t count;
	size_t room; /* the index has twice as many */
	uint32_t *index; /* hash: number + 1 */
};

/* The number of an equal node, new or known.  -ENOMEM; -E2BIG. */
int list_nodes_number(struct list_nodes *nodes, const struct tg_list_node *node, uint32_t *number);

void list_nodes_free(struct list_nodes *nodes);

#endif
