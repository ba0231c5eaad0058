/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What attach made of each interface, on standard output: for people and as JSON (tcpguard.attach/1). */
#ifndef TCPGUARD_OUTPUT_ATTACH_H
#define TCPGUARD_OUTPUT_ATTACH_H

#include "command.h"
#include "datapath.h"

/* results: at least one.  daemon: one runs. */
void output_attach_text(const struct datapath_result *results, int count);
void output_attach_json(const struct global_options *global, const struct datapath_result *results, int count,
			bool daemon);

#endif
