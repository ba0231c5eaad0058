/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of the two formats a client prefers. */
#ifndef TCPGUARD_METRICS_ACCEPT_H
#define TCPGUARD_METRICS_ACCEPT_H

#include "metrics_writer.h"

/* From its Accept header, NULL if there is none: OpenMetrics only where it is asked for by name. */
enum metrics_format metrics_accept(const char *accept);

#endif
