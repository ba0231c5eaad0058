/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the service manager that started us is told: ready, alive, ending; sd_notify(3).  The
 * protocol is one datagram of text, promised to stay as it is, so no library is needed for it.
 * Without a service manager everything here does nothing.
 */
#ifndef TCPGUARD_SERVICE_H
#define TCPGUARD_SERVICE_H

#include <stdint.h>

/*
 * Assignments, one a line: "READY=1\nSTATUS=2 interfaces".  A manager that does not listen is no
 * reason not to run: that is said once.
 */
void service_notify(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How often at least "WATCHDOG=1" must be told, in milliseconds; 0: nobody asked. */
uint32_t service_watchdog_ms(void);

/* What we start is not the service: forget who started us. */
void service_forget(void);

#endif
