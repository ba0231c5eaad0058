/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `enforce`, `monitor`, `confirm` and `revert` speak of: interfaces and services, by name, and
 * the mode each has in the configuration in force.
 */
#ifndef TCPGUARD_MODE_TARGETS_H
#define TCPGUARD_MODE_TARGETS_H

#include "pins.h"

#define MODE_TARGETS_MAX (TG_IFACES_MAX + TG_SERVICES_MAX)

struct mode_target {
	struct tg_mode_setting *setting;
	struct tg_service *service; /* NULL: an interface */
	char name[TG_SERVICE_NAME_LEN]; /* an interface's is the one it has now */
};

struct mode_targets {
	struct mode_target target[MODE_TARGETS_MAX];
	uint32_t count;
};

/* Those named, an interface before a service; -ENODEV (said) for a name that is neither. */
int mode_targets_named(const struct pins *pins, int argc, char **argv, struct mode_targets *targets);

/* Every attached interface, and every service that has a mode of its own if those are wanted. */
void mode_targets_all(const struct pins *pins, bool services, struct mode_targets *targets);

/* At once and for good. */
void mode_target_set(const struct mode_target *target, enum tg_mode mode);

/*
 * Until until_ms, then what held before.  A service without a mode of its own had that of whatever
 * interface a packet came by: it goes back to monitor if one of them monitors.
 */
void mode_target_try(const struct pins *pins, const struct mode_target *target, enum tg_mode mode,
		     uint64_t until_ms, uint64_t now_ms);

#endif
