/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What daemon/events.c lives on without a kernel: settings, a ring and counts; and what was told. */
#ifndef TESTS_FUZZ_EVENT_WORLD_H
#define TESTS_FUZZ_EVENT_WORLD_H

#include "daemon/events.h"
#include "tests/fuzz/fuzz.h"

extern struct tg_settings event_world_settings;

struct events *event_world_new(void);

/* Events by the daemon: of a kind, so many. */
void event_world_say(uint8_t kind, uint32_t count);

/* Puts records into the ring, as many as the argument says; the next events_take() finds them. */
void event_world_ring(struct fuzz_input *input, uint8_t count);

/* How many events of these types were told; of those that are forgotten, too, unless remembered is wanted away. */
uint64_t event_world_told(uint32_t types, bool less_remembered);

#endif
