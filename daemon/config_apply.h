/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a configuration file means for the data path, and what the data path has, as a file would say it. */
#ifndef TCPGUARD_CONFIG_APPLY_H
#define TCPGUARD_CONFIG_APPLY_H

#include "config.h"
#include "pins.h"

/* Its own mode, that of all, or CONFIG_NOT_GIVEN. */
uint32_t config_iface_mode(const struct config *config, const char *name);

/* The entry of an interface, or NULL. */
const struct config_iface *config_find_iface(const struct config *config, const char *name);

/* With the number of CPUs of this machine. */
void config_to_flood(const struct config_synflood *from, struct tg_flood *to);
void config_to_timeouts(const struct config_timeouts *from, struct tg_timeouts *to);

/*
 * Everything but the modes of interfaces.  A service that was there keeps its number, by its name, and a
 * deadline of its mode that is pending at now_ms.
 */
void config_fill(const struct config *config, uint64_t now_ms, struct tg_config *to, struct tg_ports *ports);

/* The other way round: services, thresholds, timeouts; interfaces by the register. */
void config_from(const struct tg_config *from, const struct tg_ports *ports, struct config *to);
void config_from_pins(const struct pins *pins, uint64_t now_ms, struct config *to);

/*
 * In one transaction, under the lock.  set_modes: of the interfaces, too.  -EBADMSG (said) if this
 * configuration cannot hold while the table is what it is; nothing has changed then.
 */
int config_apply(struct pins *pins, const struct config *config, bool set_modes);

/* Reads, checks and applies, taking the lock; all of it or, with an error (said), nothing. */
int config_reload(struct pins *pins, const char *path, struct config **out);

#endif
