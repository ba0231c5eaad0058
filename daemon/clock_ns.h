/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The system's clocks in nanoseconds: the data path stamps with one, people read the other. */
#ifndef TCPGUARD_CLOCK_NS_H
#define TCPGUARD_CLOCK_NS_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* What turns a time of CLOCK_MONOTONIC into one of CLOCK_REALTIME, at present. */
static inline int64_t clock_wall_offset_ns(void)
{
	return clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
}

#endif
