/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What quiet_log.c adds to log.h: a target that wants to know what was said. */
#ifndef TESTS_FUZZ_QUIET_LOG_H
#define TESTS_FUZZ_QUIET_LOG_H

/* Gets every message, without remedy and reason; NULL: nobody listens. */
extern void (*quiet_log_hear)(const char *message);

#endif
