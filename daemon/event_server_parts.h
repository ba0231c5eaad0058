/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two halves of event_server.h share: event_reader.c is one reader, event_server.c all of them. */
#ifndef TCPGUARD_EVENT_SERVER_PARTS_H
#define TCPGUARD_EVENT_SERVER_PARTS_H

#include "event_server.h"
#include "event_socket.h"
#include "event_wire.h"

#define EVENT_TRACE_BIT (1U << TG_EVENT_TRACE)

struct event_reader {
	struct event_reader *next;
	struct event_server *server;
	int fd;
	uid_t user;
	bool ordinary; /* neither root nor whom the daemon runs as */
	int64_t came_ns;
	struct loop_fd *watched;
	bool asked;
	bool greeted; /* was told that its events are coming */
	bool follow;
	bool blocked; /* its socket is full */
	uint32_t types;
	uint64_t tag; /* of the flow it traces */
	uint64_t lost; /* not told yet */
	struct events_place place;
};

struct event_server {
	struct loop *loop;
	struct events *events;
	int fd;
	char path[EVENT_SOCKET_BYTES];
	struct loop_fd *listener;
	struct loop_timer *timer;
	uint32_t poll_ms; /* 0: nobody reads, the timer rests */
	uint32_t readers;
	uint32_t readers_max;
	bool deaf; /* does not accept: no descriptors */
	bool flows_wanted;
	struct event_reader *first;
	void (*wanted)(void *context, bool yes);
	void *context;
	struct event_message message; /* in the making */
};

/* Who has connected: 0, and fd is the reader's, or -errno, in silence but for the answer it gets. */
int event_reader_add(struct event_server *server, int fd);

/* Sends what there is.  False: the reader is gone. */
bool event_reader_feed(struct event_reader *reader);

/* Ends one in the list, and one that is in no list any more. */
void event_reader_drop(struct event_reader *reader);
void event_reader_release(struct event_reader *reader);

/* After a reader came or went: the data path tells what at least one reader wants. */
void event_server_watch(struct event_server *server);

#endif
