/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard flows trace`, which needs the daemon and not the table. */
#ifndef TCPGUARD_CMD_FLOWS_TRACE_H
#define TCPGUARD_CMD_FLOWS_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "output.h"

struct trace_options {
	uint32_t for_s; /* 0: no end */
	uint32_t count; /* 0: no end */
	uint32_t zone;
	const char *socket; /* NULL: the default */
};

/* An exit code: 1 if no segment came. */
int flows_trace(struct output *out, bool text, const struct trace_options *options,
		const char *argument);

#endif
