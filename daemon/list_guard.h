/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What nobody blocks on purpose: this host's own addresses, its default gateways, the other end of the
 * ssh session the command runs in, and very wide prefixes.
 */
#ifndef TCPGUARD_LIST_GUARD_H
#define TCPGUARD_LIST_GUARD_H

#include "prefix.h"

#define LIST_GUARD_WIDEST_IPV4 8
#define LIST_GUARD_WIDEST_IPV6 19

struct list_guard;

/* Of this network namespace, as things are now.  Errors are said.  list_guard_close() accepts NULL. */
int list_guard_open(struct list_guard **out);
void list_guard_close(struct list_guard *guard);

/* True if blocking this prefix needs --force; why (PREFIX_WHY_BYTES) then holds the reason. */
bool list_guard_refuses(const struct list_guard *guard, const struct prefix *prefix, char *why);

#endif
