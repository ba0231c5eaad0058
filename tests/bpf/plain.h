/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection without window scaling, its numbers as short as tables of them want. */
#ifndef TESTS_PLAIN_H
#define TESTS_PLAIN_H

#include "tests/bpf/harness.h"

#define C 10000000u /* the client's first byte */
#define S 20000000u /* the server's */

static inline void open_plain(struct guard *guard)
{
	static const struct step steps[] = {
		{ CLIENT, SYN, .seq = C - 1, .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = S - 1, .ack = C, .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = C, .ack = S, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
	};

	TALK(guard, steps);
}

#endif
