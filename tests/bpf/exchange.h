/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conversations that must end the same whichever endpoint opens: both speakers through XDP. */
#ifndef TESTS_EXCHANGE_H
#define TESTS_EXCHANGE_H

#include "tests/bpf/harness.h"

#define FORGET_MS (25ULL * 3600 * 1000) /* longer than any timeout */

/* cmocka set-up: a guard between the two speakers; drops of either direction are carried out. */
int setup_between(void **state);

/* A step, or the same with the roles of client and server exchanged. */
void say_as(struct guard *guard, struct step step, bool exchanged, size_t line);

/* Each step alone after the same beginning, with either endpoint as the opener. */
void each_after(struct guard *guard, const struct step *beginning, size_t length,
		const struct step *steps, size_t count);
#define EACH_AFTER(guard, beginning, steps) \
	each_after(guard, beginning, COUNT(beginning), steps, COUNT(steps))

#endif
