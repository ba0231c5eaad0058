/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network namespace of the test's own in which somebody listens on port 80: for programs that ask. */
#ifndef TESTS_LISTENER_H
#define TESTS_LISTENER_H

/* Moves this process there; IPv4 and IPv6, MTU 1500.  Fails the test if it cannot. */
void listener_open(void);
void listener_close(void);

#endif
