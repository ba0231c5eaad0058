/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a socket's numbers say about its flow.  Pure: no map, no system call. */
#ifndef TCPGUARD_SEED_FLOW_H
#define TCPGUARD_SEED_FLOW_H

#include "bpf/key.h"
#include "bpf/seed_record.h"

struct seed_flow {
	struct tg_flow_key key;
	enum tg_side local; /* the side that is this host */
	enum tg_side opener;
	struct tg_half half[TG_SIDE_MAX];
	__u32 isn[TG_SIDE_MAX];
};

/*
 * False if the socket has no flow yet.  local_listens: somebody listens on its local port, so the
 * peer opened it (a guess only where the socket's state does not tell).
 */
bool seed_flow_from_record(const struct tg_seed_record *record, __u16 zone, bool local_listens,
			   struct seed_flow *flow);

/*
 * True if the halves of a tracked flow can be those of the socket a moment earlier or later:
 * nothing the socket proves is missing, the numbers are near.  Then raising them is right, else
 * replacing.
 */
bool seed_flow_agrees(const struct seed_flow *flow, const struct tg_half *have);

/*
 * True if the tracked flow was another connection's with the same ports: its local side has sent a FIN, and
 * the socket, read after its last segment, has not.
 */
bool seed_flow_is_former(const struct seed_flow *flow, const struct tg_half *have);

#endif
