/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of the running daemon and what they share.  cmd_daemon.c makes and ends it; daemon_settings.c
 * follows settings and configuration, daemon_tidy.c interfaces that vanish, daemon_report.c tells.
 */
#ifndef TCPGUARD_DAEMON_H
#define TCPGUARD_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "ager.h"
#include "config.h"
#include "daemon_metrics.h"
#include "event_server.h"
#include "guard_watch.h"
#include "loop.h"
#include "mode_watch.h"
#include "pins.h"

struct daemon_options {
	bool log_syslog;
	uint32_t ready_fd; /* 0: none; standard input is never it */
	const char *socket; /* NULL: the default, and not having it is no reason not to run */
	const char *metrics; /* NULL: as the configuration says */
	const char *config; /* path; NULL: no file */
};

struct daemon_state {
	struct pins pins;
	struct loop *loop; /* NULL before it begins and after it ended */
	struct ager *ager;
	struct daemon_metrics *metrics;
	struct guard_watch *guard;
	int lock;
	uint32_t ready_fd; /* to be written to when at work */
	bool ready; /* said so */
	uint32_t watch_ms;
	uint32_t idle_watches;
	uint64_t next_count_ms; /* of the connections of each source */
	uint32_t attached; /* as last told the service manager */
	int64_t repair_after_ns; /* an exchange could not be taken back (said): not before the next try */
	bool idle; /* ended because nothing is attached */
	int err; /* or because of this */
	struct config *config; /* of the file, as last read without a fault; never NULL */
	uint64_t tried_hash; /* in force when the file was read last */
	bool gave_up[TG_IFACES_MAX]; /* could not tidy up: said once */
	const struct daemon_options *options;
	struct events *events;
	struct event_server *server; /* NULL: nobody can read events */
	struct mode_watch modes;
	uint64_t pass_cpu_ns; /* what the pass in hand has cost so far */
	bool freed_wanted; /* a reader wants to know of flows the sweep frees */
};

/* --- daemon_settings.c ---------------------------------------------------------------------------- */

/* With a bad file, or none, there are the defaults: ageing must not wait for a correction. */
int daemon_first_config(struct daemon_state *state);

/* Metrics, where the command line or else the configuration says.  Needs the loop. */
void daemon_listen(struct daemon_state *state);

/* On SIGHUP, all or nothing. */
void daemon_reload(void *state);

/* Every second: a sign of life, what others put in force, what depends on time. */
void daemon_follow_settings(struct daemon_state *state);

/* --- daemon_tidy.c -------------------------------------------------------------------------------- */

uint32_t daemon_count_attached(const struct daemon_state *state);

/* What killed commands and vanished devices left. */
void daemon_tidy(struct daemon_state *state);

/* --- daemon_report.c ------------------------------------------------------------------------------ */

/* What needs the loop.  Only a socket that was asked for is a condition. */
int daemon_begin_reports(struct loop *loop, void *state);
void daemon_end_reports(void *state);

/* A guard_reporter. */
void daemon_report_guard(void *state, const char *iface, const struct guard_change *change);

/* An ager_listener. */
void daemon_report_freed(void *state, const struct ager_freed *freed);

/* A pass over the table has ended. */
void daemon_report_pass(struct daemon_state *state, const struct ager_pass *pass);

/* To systemd and whoever waits at --ready-fd. */
void daemon_report_ready(struct daemon_state *state);
void daemon_report_alive(struct daemon_state *state);

#endif
