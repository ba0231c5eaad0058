/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One flow as one JSON object, fast enough to list a million of them: no tree is built. */
#ifndef TCPGUARD_OUTPUT_JSON_FLOW_H
#define TCPGUARD_OUTPUT_JSON_FLOW_H

#include <stdbool.h>
#include <stddef.h>

#include "flow_table.h"

#define OUTPUT_JSON_FLOW_BYTES 2048 /* more than any flow takes */

/* Writes the object without blanks and returns its length; a 0 follows. */
size_t output_json_flow(char *buffer, const struct flow_record *flow, bool detailed);

#endif
