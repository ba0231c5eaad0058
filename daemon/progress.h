/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bar on stderr, if that is a terminal and the work takes more than a second. */
#ifndef TCPGUARD_PROGRESS_H
#define TCPGUARD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what; /* "replay" */
	const char *unit; /* "packets" */
	bool terminal;
	bool shown;
	double began_s;
	double next_s;
};

void progress_begin(struct progress *progress, const char *what, const char *unit);

/* Often: costs a look at the clock.  part of whole is done; whole 0: not known. */
void progress_show(struct progress *progress, uint64_t count, uint64_t part, uint64_t whole);

/* Takes the bar away; seconds since the beginning. */
double progress_end(struct progress *progress);

#endif
