/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which connections lost a packet although both their ends were exchanging data: what an operator
 * wants to know first.  Memory is bounded: a few bytes for each slot of the flow table, a fixed
 * number of strangers (segments of no flow), a fixed number of losers with their story.
 */
#ifndef TCPGUARD_REPLAY_FLOWS_H
#define TCPGUARD_REPLAY_FLOWS_H

#include "replay.h"

/* A connection that lost packets. */
struct replay_loser {
	struct tg_flow_key key;
	enum tg_side first; /* who opened it or was seen first */
	bool stranger; /* the table had no flow for what was dropped */
	uint32_t file; /* which capture */
	uint64_t packet; /* number of the first one dropped */
	enum tg_verdict verdict; /* of that one */
	uint64_t drops;
};

struct replay_flows;

/* slots: of the flow table. */
struct replay_flows *replay_flows_new(uint32_t slots);
void replay_flows_free(struct replay_flows *flows);

/* After each segment. */
void replay_flows_count(struct replay_flows *flows, uint32_t file, uint64_t packet,
			const struct replay_judgement *judgement);

/* At the end of a capture: what is still going on is settled, so that the next begins afresh. */
void replay_flows_settle(struct replay_flows *flows);

/* Connections so far: incarnations, not addresses. */
uint64_t replay_flows_seen(const struct replay_flows *flows);

/* Losers with data in both directions, in the order of their first loss; and how many more there are. */
const struct replay_loser *replay_flows_losers(struct replay_flows *flows, uint32_t *count,
					       uint64_t *more);

#endif
