/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lists of the running data path: the image in force, and its exchange for another in one step.
 * The image holds the rules as they were given: it is the only place they are kept.
 */
#ifndef TCPGUARD_LISTS_MODULE_H
#define TCPGUARD_LISTS_MODULE_H

#include "list_rules.h"
#include "pins.h"

#define LISTS_DIR PINS_DIR "/lists"

/*
 * pins_lock() with patience: two programs that add an address at the same moment both get their
 * way.  A descriptor to close, or -errno (said).
 */
int lists_lock(void);

/* Copies the rules in force, expired ones too.  Free with list_rules_free(), after an error as well. */
int lists_read(const struct pins *pins, struct list_rules *rules);

/*
 * Makes settled rules the ones in force: packets see the old or the new ones.  With the lock held.
 * Errors are said, and change nothing.
 */
int lists_publish(struct pins *pins, const struct list_rules *rules);

/* Until when the image in force has an address on each list, as the data path finds it. */
int lists_look_up(const struct pins *pins, const struct prefix *address,
		  struct tg_list_moments *moments);

/* The table's clock as rules count it. */
int lists_now_s(const struct pins *pins, uint32_t *now_s);

#endif
