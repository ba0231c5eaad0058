/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real clock, so much later. */
#include "tests/fuzz/late_clock.h"

#include <time.h>

static int64_t slept_ns;

void late_clock_reset(void)
{
	slept_ns = 0;
}

void late_clock_sleep(int64_t ns)
{
	slept_ns += ns;
}

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	int err = __real_clock_gettime(clock, now);

	if (!err && clock == CLOCK_MONOTONIC) {
		now->tv_sec += slept_ns / 1000000000;
		now->tv_nsec += slept_ns % 1000000000;
		if (now->tv_nsec >= 1000000000) {
			now->tv_nsec -= 1000000000;
			now->tv_sec++;
		}
	}
	return err;
}
