/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Established connections of each source, counted anew from the table now and then: the data path
 * only ever adds to them, so that nothing has to be written when a connection ends.
 */
#ifndef TCPGUARD_SOURCE_COUNT_H
#define TCPGUARD_SOURCE_COUNT_H

#include "pins.h"

/* Counts once and tells the data path.  0 or -ENOMEM, in silence. */
int source_count_run(const struct pins *p, uint64_t now_ms);

/*
 * Counts if a limit of connections is set and it is time: once a second, less often when the table
 * is so large that counting would take more than two hundredths of a core.  *next_ms begins with 0.
 */
int source_count_step(const struct pins *p, uint64_t now_ms, uint64_t *next_ms);

#endif
