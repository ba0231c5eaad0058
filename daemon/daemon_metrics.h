/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon answers to Prometheus, and where.  How HTTP is spoken: metrics_server.h. */
#ifndef TCPGUARD_DAEMON_METRICS_H
#define TCPGUARD_DAEMON_METRICS_H

#include "ager.h"
#include "loop.h"
#include "pins.h"

#define DAEMON_METRICS_DEFAULT "127.0.0.1:9844"
#define DAEMON_METRICS_OFF "off"

struct daemon_metrics;

/*
 * where is "ADDR:PORT", "unix:PATH" or "off".  NULL (said) only without memory: a place that cannot be
 * had is said, noted for `status`, and no reason not to age the table.
 */
struct daemon_metrics *daemon_metrics_new(const struct pins *pins, const char *where);
void daemon_metrics_free(struct daemon_metrics *metrics);

/* False if nothing is served. */
bool daemon_metrics_source(struct daemon_metrics *metrics, struct loop_source *source);

/* A pass over the table has ended. */
void daemon_metrics_add_pass(struct daemon_metrics *metrics, const struct ager_pass *pass);

#endif
