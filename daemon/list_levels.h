/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Few lengths to which a family's longer prefixes are brought: one between two of them becomes those
 * of the longer length inside it.
 */
#ifndef TCPGUARD_LIST_LEVELS_H
#define TCPGUARD_LIST_LEVELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tcpguard/lists.h"

/*
 * count[length]: prefixes of a length, those in the direct table not among them.  The fewest levels
 * that make no more than about twice as many prefixes of them.  False: there are none, or
 * TG_LIST_LEVELS do not suffice.
 */
bool list_levels_choose(const size_t count[129], uint8_t level[TG_LIST_LEVELS]);

/* The level of a length: the next one that is not shorter. */
uint8_t list_levels_of(const uint8_t level[TG_LIST_LEVELS], uint8_t length);

#endif
