/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Live sockets become flows: reads the socket iterator and writes the mapped flow table with the
 * same compare-and-swap the data path uses.  Needs CAP_PERFMON.
 */
#ifndef TCPGUARD_SEED_H
#define TCPGUARD_SEED_H

#include "pins.h"

struct seed;

/* Of one pass. */
struct seed_counts {
	unsigned int sockets; /* whose flow is in the table now */
	unsigned int no_room;
};

/* Loads the iterator; errors are said. */
int seed_open(struct seed **out);

/* Accepts NULL. */
void seed_close(struct seed *seed);

/*
 * One pass over the sockets of this network namespace.  A flow that is already followed is brought
 * up to what its socket says; numbers only grow, so passes may be repeated at any time.
 */
int seed_pass(struct seed *seed, const struct pins *pins, __u16 zone, struct seed_counts *counts);

#endif
