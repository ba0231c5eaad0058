/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loop.h without libuv, signals and waiting: one loop, which turns when the target says so. */
#ifndef TESTS_FUZZ_TURNS_H
#define TESTS_FUZZ_TURNS_H

#include <stdbool.h>

#include "daemon/loop.h"

/* What is ready is told, as often as something is; false: that did not end. */
bool turns_settle(struct loop *loop);

/* Every timer that runs fires, whatever its time. */
void turns_fire(void);

/* Descriptors and timers that were not given back. */
unsigned int turns_left(void);

#endif
