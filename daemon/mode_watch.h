/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notices that a mode or a list has changed, by whomever: a command that wrote the map, a deadline
 * that passed with nobody running.
 */
#ifndef TCPGUARD_MODE_WATCH_H
#define TCPGUARD_MODE_WATCH_H

#include "events.h"

struct mode_watch {
	uint8_t iface[TG_IFACES_MAX]; /* 1 + enum tg_mode; 0: not attached */
	uint8_t service[TG_SERVICES_MAX]; /* likewise; 0: its interface's */
	uint32_t bypass;
	uint32_t list_prefixes; /* on the lists, in all */
	uint64_t reverts; /* modes that went back because nobody confirmed, since the beginning */
};

/* What holds now, in silence. */
void mode_watch_begin(struct mode_watch *watch, const struct pins *pins, uint64_t now_ms);

/* Says what has changed since.  True if anything has. */
bool mode_watch_look(struct mode_watch *watch, const struct pins *pins, uint64_t now_ms,
		     struct events *events);

#endif
