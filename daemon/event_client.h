/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads events from the daemon, one by one. */
#ifndef TCPGUARD_EVENT_CLIENT_H
#define TCPGUARD_EVENT_CLIENT_H

#include <stdbool.h>

#include "event_wire.h"

struct event_client {
	int fd;
	uint32_t at; /* of the present message */
	bool heard; /* the daemon has answered */
	struct event_message message;
};

/* Connects to the socket at path (NULL: the default) and asks.  -errno, said; -ENOENT: no daemon. */
int event_client_open(struct event_client *client, const char *path,
		      const struct event_request *request);
void event_client_close(struct event_client *client);

/*
 * Whatever is asked, the daemon answers at least once: an end before that is an error, -ENOENT.
 * 1 and an event; 2 and how many were lost; 0 at the end; -EAGAIN when nothing came within
 *   timeout_ms
 * (negative: waits for ever); else -errno, said.
 */
int event_client_next(struct event_client *client, int timeout_ms, struct tg_event *event,
		      uint64_t *lost);

#endif
