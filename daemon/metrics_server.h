/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers HTTP: /metrics, /-/healthy and /-/ready.  The only includer of libmicrohttpd, whose work
 * is done in small pieces whenever the event loop says so.  However many clients there are and
 * however slow they are, each piece ends soon: connections are limited in number, time and memory.
 */
#ifndef TCPGUARD_METRICS_SERVER_H
#define TCPGUARD_METRICS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "listener.h"
#include "metrics_writer.h"

/* Where answers come from. */
struct metrics_answers {
	/* The whole text, to be freed by the caller; 0 or -errno (said). */
	int (*render)(void *context, enum metrics_format format, char **text, size_t *bytes);
	bool (*ready)(void *context);
	void *context;
};

struct metrics_server;

/* Takes the listener over, also when it fails; NULL without memory. */
struct metrics_server *metrics_server_new(struct listener *listener,
					  const struct metrics_answers *answers);
void metrics_server_free(struct metrics_server *server);

/* To be served when its descriptor is readable and when the milliseconds returned are over, or LOOP_NEVER. */
int metrics_server_fd(const struct metrics_server *server);
uint32_t metrics_server_serve(struct metrics_server *server);

#endif
