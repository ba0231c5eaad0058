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

/* Serves nothing yet; NULL (said) without memory. */
struct daemon_metrics *daemon_metrics_new(const struct pins *pins);
void daemon_metrics_free(struct daemon_metrics *metrics); /* accepts NULL */

/*
 * From now on at where: "ADDR:PORT", "unix:PATH" or "off"; NULL: nowhere, the loop ends.  A place that
 * cannot be had is said, noted for `status`, and no reason not to age the table.
 */
void daemon_metrics_listen(struct daemon_metrics *metrics, struct loop *loop, const char *where);

/* A pass over the table has ended, which took so much of the CPU. */
void daemon_metrics_add_pass(struct daemon_metrics *metrics, const struct ager_pass *pass, uint64_t cpu_ns);

/* The sweep has freed a flow. */
void daemon_metrics_add_freed(struct daemon_metrics *metrics, const struct ager_freed *freed);

/* The file was read, now, with or without a fault. */
void daemon_metrics_set_config(struct daemon_metrics *metrics, bool read);

/* How many modes went back because nobody confirmed. */
void daemon_metrics_set_reverts(struct daemon_metrics *metrics, uint64_t reverts);

/* The guard has stepped a class back. */
void daemon_metrics_add_trip(struct daemon_metrics *metrics, enum tg_class class);

#endif
