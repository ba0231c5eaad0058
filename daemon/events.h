/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's stream of events: what the data path put into its ring, and what the daemon itself
 * has to say, in one log of fixed size.  Readers (event_server.h) keep a place in it; who falls
 * behind by more than the log loses what was overwritten, knows how much, and holds nobody up.
 */
#ifndef TCPGUARD_EVENTS_H
#define TCPGUARD_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ager.h"
#include "pins.h"

#define EVENTS_LOG 4096 /* events remembered: 1 MiB */
#define EVENTS_BATCH 2048 /* taken from the ring at a time: less than the log */

struct events;

/* Clears what a killed daemon left switched on.  NULL and errno. */
struct events *events_new(struct pins *pins);
void events_free(struct events *events); /* accepts NULL; switches everything off */

/* What the data path is to tell: TG_WATCH_EVENTS, TG_WATCH_TRACE or both.  What is in the ring from
 * before is thrown away when the first of them is switched on. */
void events_watch(struct events *events, uint32_t what);

/* Begins or ends telling of a flow's segments: the same key as often as wanted.  The tag, or 0 if
 * as many flows as possible are traced already. */
uint64_t events_trace(struct events *events, const struct tg_flow_key *key);
void events_untrace(struct events *events, uint64_t tag);

/* Moves what is in the ring into the log, at most EVENTS_BATCH; returns how many there were. */
size_t events_take(struct events *events);

/* An event by user space. */
void events_say(struct events *events, enum tg_event_type type, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A flow that the sweep freed, for the time somebody wants events. */
void events_say_freed(struct events *events, const struct ager_freed *freed);

/* Writes the daemon's own counts where `stats` finds them. */
void events_write_counts(struct events *events);

/* How many read, for `stats`. */
void events_set_readers(struct events *events, uint32_t readers);

/* --- the log -------------------------------------------------------------------------------------- */

/* A reader's place.  Zeroed, it is before the first event ever. */
struct events_place {
	uint64_t next; /* sequence number of the next event to read */
	uint64_t passed[TG_EVENT_MAX]; /* events of each type before that */
};

/* Behind the newest event. */
void events_go_to_end(const struct events *events, struct events_place *place);

/* Moves a place whose event is gone to the oldest one there is; how many of these types were missed. */
uint64_t events_catch_up(const struct events *events, struct events_place *place, uint32_t types);

/* The event at the place, which moves on; NULL at the end.  The place must have caught up. */
const struct tg_event *events_next(const struct events *events, struct events_place *place);

#endif
