/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries of output_json that show a snapshot. */
#ifndef TCPGUARD_OUTPUT_JSON_SNAPSHOT_H
#define TCPGUARD_OUTPUT_JSON_SNAPSHOT_H

#include "output.h"

void json_status(struct output *out, const struct snapshot *s);
void json_stats(struct output *out, const struct output_stats *stats);

#endif
