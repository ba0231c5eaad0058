/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes to the settings the data path reads.  One word (a mode, a deadline) is changed in place;
 * anything larger is a transaction: change a copy, make it the inactive configuration, flip the index.
 * Writers hold pins_lock(); the data path never waits for them.
 */
#ifndef TCPGUARD_SETTINGS_H
#define TCPGUARD_SETTINGS_H

#include "pins.h"

/*
 * The lock under which settings are changed, waited for: attach and reload hold it for moments.  A
 * descriptor to close or -errno in silence; -EBUSY after two seconds.
 */
int settings_lock(void);

/* The configuration in force, for changing single words of it. */
struct tg_config *settings_active(struct tg_settings *settings);

/*
 * While flow tables are exchanged, verdicts of the classes that need a flow are not carried out.  What
 * tg_config.relaxed was before is kept above the bits the data path looks at, so that whoever comes
 * later can put it back.  Each of these changes nothing when called once more.
 */
void settings_wait(struct tg_config *config);
void settings_resume(struct tg_config *config);
bool settings_waits(const struct tg_config *config);
/* next takes the place of active, and waits where that does. */
void settings_keep_waiting(const struct tg_config *active, struct tg_config *next);
/* Bits TG_CLASS_* as they were configured, waiting or not. */
uint32_t settings_relaxed(const struct tg_config *config);

/*
 * A change in the making, in memory of our own: the service's user can write to the pinned maps at any
 * moment, and whoever counts and looks for room in one would be led out of it.
 */
struct settings_change {
	struct tg_config config; /* a copy of the one in force, to be changed */
	struct tg_ports ports; /* likewise */
};

/* Begins a change.  Nothing takes effect, and nothing needs undoing, before the commit. */
void settings_begin(const struct pins *p, struct settings_change *change);

/* From now on every packet sees the new configuration. */
void settings_commit(struct pins *p, struct settings_change *change);

/* At once and for good: a deadline that was pending is lifted. */
void settings_set_mode(struct tg_mode_setting *setting, enum tg_mode mode);

/* True if mode is, and what holds now is not, TG_MODE_ENFORCE. */
bool settings_begins_to_enforce(const struct tg_mode_setting *setting, enum tg_mode mode, uint64_t now_ms);

/* Unknown connections are adopted until then, if not for longer already. */
void settings_learn_until(struct tg_iface_settings *iface, uint64_t until_ms);

/*
 * Before a router that only watched begins to drop: of a connection that was silent while it learned, and
 * spoke since, it knows nothing.  Unknown ones are adopted once more, for TG_LEARN_DEFAULT_MS.
 */
void settings_learn_anew(const struct pins *pins, uint64_t now_ms);

/* mode until the table's clock passes until_ms, then what holds now. */
void settings_try_mode(struct tg_mode_setting *setting, enum tg_mode mode, uint64_t until_ms,
		       uint64_t now_ms);

/* True while somebody may still answer. */
bool settings_is_pending(const struct tg_mode_setting *setting, uint64_t now_ms);

/* Answers to a pending deadline; false if there was none, or it has passed. */
bool settings_confirm(struct tg_mode_setting *setting, uint64_t now_ms);
bool settings_revert(struct tg_mode_setting *setting, uint64_t now_ms);

#endif
