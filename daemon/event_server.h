/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The readers of events: who they are, what they want, how far each has come.  Nobody is waited for:
 * a reader whose socket is full is left alone until it has room, and told how much it missed.
 */
#ifndef TCPGUARD_EVENT_SERVER_H
#define TCPGUARD_EVENT_SERVER_H

#include "events.h"
#include "loop.h"

#define EVENT_READERS_MAX 4096

struct event_server;

/* Listens at path.  -errno, said.  wanted(context, yes) is called when the first reader of flow events
 * comes and when the last one goes. */
int event_server_new(struct event_server **out, struct loop *loop, struct events *events,
		     const char *path, void (*wanted)(void *context, bool yes), void *context);
void event_server_free(struct event_server *server); /* accepts NULL */

/* After an event was added to the log: everybody who wants it gets it. */
void event_server_publish(struct event_server *server);

/* Now and then: ends readers that ask for nothing, listens again after it had to stop for want of
 * descriptors. */
void event_server_look_after(struct event_server *server);

#endif
