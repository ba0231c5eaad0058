/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events as lines: entries of output_text and output_json. */
#ifndef TCPGUARD_OUTPUT_EVENT_H
#define TCPGUARD_OUTPUT_EVENT_H

#include "output.h"

void text_event(struct output *out, const struct tg_event *event);
void text_events_lost(struct output *out, uint64_t lost);
void json_event(struct output *out, const struct tg_event *event);
void json_events_lost(struct output *out, uint64_t lost);

#endif
