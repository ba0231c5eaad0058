/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CLOCK_MONOTONIC as the target wants it, for what is linked with -Wl,--wrap=clock_gettime. */
#ifndef TESTS_FUZZ_LATE_CLOCK_H
#define TESTS_FUZZ_LATE_CLOCK_H

#include <stdint.h>

void late_clock_reset(void);
void late_clock_sleep(int64_t ns);

#endif
