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

/* An exchange in the making, for those who change more than the lists. */
struct lists_exchange {
	struct tg_list_image head; /* to be put into the configuration that is committed */
	int fd; /* of the image; -1: there will be no lists */
	uint32_t former; /* slot of the one in force */
};

/*
 * Places the image of settled rules where no packet looks yet.  With the lock held; errors are said, and
 * leave nothing to undo.  Then either lists_finish(), after the commit, or lists_abandon().
 */
int lists_prepare(struct pins *pins, const struct list_rules *rules, struct lists_exchange *exchange);
void lists_finish(struct pins *pins, struct lists_exchange *exchange);
void lists_abandon(struct pins *pins, struct lists_exchange *exchange);

/*
 * Makes settled rules the ones in force: packets see the old or the new ones.  With the lock held.
 * Errors are said, and change nothing.
 */
int lists_publish(struct pins *pins, const struct list_rules *rules);

/* Until when the image in force has an address on each list, as the data path finds it. */
int lists_look_up(const struct pins *pins, const struct prefix *address,
		  struct tg_list_moments *moments);

/* How many rules the image in force has; all zero without lists. */
int lists_count(const struct pins *pins, struct tg_list_counts *counts);

/* The table's clock as rules count it. */
int lists_now_s(const struct pins *pins, uint32_t *now_s);

/*
 * After an upgrade, under the lock: the rules of an image that another version made, which these
 * programs read nothing from, become one of this version's.
 */
int lists_renew(struct pins *pins);

/*
 * The same after an attach, when other interfaces may still have the other version's programs: they keep
 * their lists, and that the new interface has none of them is an error (said).
 */
int lists_settle(struct pins *pins);

#endif
