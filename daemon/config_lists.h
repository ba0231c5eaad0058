/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of prefixes a configuration names: read beside it, in force with it.  Rules added by command
 * are none of its business and stay.
 */
#ifndef TCPGUARD_CONFIG_LISTS_H
#define TCPGUARD_CONFIG_LISTS_H

#include "config.h"
#include "lists.h"

/*
 * Reads them into config->lists, until_s counting from now on.  -EBADMSG: something cannot be read, or
 * must not be blocked (said, FILE:LINE).  Needs no rights beyond those to read.
 */
int config_lists_read(struct config *config);

/* How many of one list. */
size_t config_lists_count(const struct config *config, enum tg_list list);

/*
 * Places the rules of the configuration and those added by command, in place of the rules in force; with
 * the lock held.  *changes is false, and exchange not used, if there are no rules of files, now or before.
 */
int config_lists_prepare(struct pins *pins, const struct config *config, struct lists_exchange *exchange,
			 bool *changes);

/* What a reload would do to the rules of files: visit("lists.block.192.0.2.0/24", before, after); NULL: not there. */
typedef void (*config_lists_visitor)(void *context, const char *path, const char *before, const char *after);
int config_lists_compare(const struct pins *pins, const struct config *config, config_lists_visitor visit,
			 void *context);

#endif
