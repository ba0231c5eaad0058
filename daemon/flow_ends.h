/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the flows that the sweep freed had ended, and how long they had lived; for metrics.  What a newcomer
 * displaced is counted by the data path, not here.
 */
#ifndef TCPGUARD_FLOW_ENDS_H
#define TCPGUARD_FLOW_ENDS_H

#include <stdint.h>

#include "ager.h"

enum flow_end {
	FLOW_END_FIN, /* FINs of both sides */
	FLOW_END_RST,
	FLOW_END_TIMEOUT, /* idle for too long */
	FLOW_END_HANDSHAKE, /* its handshake was never completed */
	FLOW_END_EVICTED, /* by the sweep, for lack of room */
	FLOW_END_MAX
};

/* Upper bounds of a life, in seconds; one more bucket has none. */
#define FLOW_LIVES \
	{ \
		0.1, 1, 10, 60, 300, 1800, 10800, 86400 \
	}
#define FLOW_LIVES_BOUNDS 8

struct flow_ends {
	uint64_t count[FLOW_END_MAX];
	uint64_t lives[FLOW_LIVES_BOUNDS + 1]; /* of flows that were more than a handshake */
	uint64_t lives_ms; /* their sum */
};

void flow_ends_add(struct flow_ends *ends, const struct ager_freed *freed);

#endif
