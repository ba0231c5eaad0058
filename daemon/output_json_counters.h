/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of the JSON of `status` and `stats`: tallies, services, floods, events, lists.  NULL without memory. */
#ifndef TCPGUARD_OUTPUT_JSON_COUNTERS_H
#define TCPGUARD_OUTPUT_JSON_COUNTERS_H

#include <jansson.h>

#include "snapshot.h"

json_t *json_tallies(const struct tg_tallies *tallies);
json_t *json_services(const struct snapshot *s); /* with their drops, by class */
json_t *json_flood(const struct snapshot *s); /* thresholds, and who is protected now */
json_t *json_event_counts(const struct snapshot *s);
json_t *json_list_entries(const struct snapshot *s); /* by list, family and origin */
json_t *json_classes(uint32_t bits); /* names of the classes whose bit is set */

#endif
