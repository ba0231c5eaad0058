/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One reader of events: whether it may, what it asks for, what it is sent. */
#include "event_server_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock_ns.h"

void event_reader_release(struct event_reader *reader)
{
	struct event_server *server = reader->server;

	if (reader->tag)
		events_untrace(server->events, reader->tag);
	loop_fd_free(reader->watched);
	close(reader->fd);
	free(reader);
	events_set_readers(server->events, --server->readers);
}

void event_reader_drop(struct event_reader *reader)
{
	struct event_reader **at;

	for (at = &reader->server->first; *at; at = &(*at)->next) {
		if (*at == reader) {
			*at = reader->next;
			break;
		}
	}
	event_reader_release(reader);
}

static bool is_for(const struct event_reader *reader, const struct tg_event *event)
{
	return (reader->types & 1U << event->type) &&
	       (event->type != TG_EVENT_TRACE || event->tag == reader->tag);
}

static void begin_message(struct event_server *server)
{
	struct event_message *message = &server->message;

	memset(message, 0, offsetof(struct event_message, event));
	message->magic = EVENT_WIRE_MAGIC;
}

/* 0, or -errno in silence; -EAGAIN: the socket is full. */
static int send_message(struct event_server *server, int fd)
{
	size_t size = offsetof(struct event_message, event) +
		      server->message.count * sizeof(server->message.event[0]);

	if (send(fd, &server->message, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size)
		return 0;
	return errno == EWOULDBLOCK || errno == ENOBUFS ? -EAGAIN : -errno;
}

/* The next batch at place, into the server's message.  False: there is nothing to say. */
static bool collect(struct event_reader *reader, struct events_place *place)
{
	struct event_message *message = &reader->server->message;
	struct events *events = reader->server->events;
	const struct tg_event *event;

	begin_message(reader->server);
	message->lost = reader->lost + events_catch_up(events, place, reader->types);
	while (message->count < EVENT_WIRE_BATCH && (event = events_next(events, place)))
		if (is_for(reader, event))
			message->event[message->count++] = *event;
	return message->count || message->lost || !reader->greeted;
}

bool event_reader_feed(struct event_reader *reader)
{
	struct events_place place;
	int err;

	for (;;) {
		place = reader->place;
		if (!collect(reader, &place)) {
			reader->place = place; /* nothing of it was wanted */
			break;
		}
		err = send_message(reader->server, reader->fd);
		if (err == -EAGAIN) {
			reader->blocked = true;
			loop_fd_wait(reader->watched, true, true);
			return true;
		}
		if (err) {
			event_reader_drop(reader);
			return false;
		}
		reader->place = place;
		reader->lost = 0;
		reader->greeted = true;
	}
	if (reader->blocked) {
		reader->blocked = false;
		loop_fd_wait(reader->watched, true, false);
	}
	if (reader->follow)
		return true;
	event_reader_drop(reader);
	return false;
}

static void refuse(struct event_server *server, int fd, int err)
{
	begin_message(server);
	server->message.refused = err;
	send_message(server, fd); /* it hears it or not: it is gone */
}

/* One of the traces is kept for those who look after the machine. */
static bool may_trace(const struct event_reader *reader)
{
	const struct event_reader *other;
	int traces = 0;

	for (other = reader->server->first; other; other = other->next)
		traces += other->ordinary && other->tag;
	return !reader->ordinary || traces < TG_TRACES_MAX - 1;
}

static void start_reader(struct event_reader *reader, const struct event_request *request)
{
	struct event_server *server = reader->server;

	reader->types = request->types & ((1U << TG_EVENT_MAX) - 1);
	reader->follow = request->flags & EVENT_WIRE_FOLLOW;
	if (reader->types & EVENT_TRACE_BIT) {
		if (may_trace(reader))
			reader->tag = events_trace(server->events, &request->traced);
		if (!reader->tag) {
			refuse(server, reader->fd, -EBUSY);
			event_reader_drop(reader);
			return;
		}
	}
	if (!(request->flags & EVENT_WIRE_HISTORY))
		events_go_to_end(server->events, &reader->place);
	else /* what is gone was never this reader's to miss */
		events_catch_up(server->events, &reader->place, 0);
	reader->asked = true;
	event_server_watch(server);
	if (!event_reader_feed(reader))
		event_server_watch(server);
}

/* Its request, or its end. */
static void listen_to(struct event_reader *reader)
{
	struct event_server *server = reader->server;
	struct event_request request;
	ssize_t got = recv(reader->fd, &request, sizeof(request), MSG_DONTWAIT | MSG_TRUNC);

	if (got < 0 && (errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (reader->asked || got != sizeof(request)) {
		event_reader_drop(reader);
		event_server_watch(server);
	} else if (request.magic != EVENT_WIRE_MAGIC) {
		refuse(server, reader->fd, -EPROTO);
		event_reader_drop(reader);
	} else {
		start_reader(reader, &request);
	}
}

static void on_reader(void *context, bool readable, bool writable)
{
	struct event_reader *reader = context;
	struct event_server *server = reader->server;

	if (writable && reader->blocked && !event_reader_feed(reader)) {
		event_server_watch(server);
		return;
	}
	if (readable)
		listen_to(reader);
}

static bool is_ordinary(uid_t user)
{
	return user && user != geteuid();
}

/* No user has more than a quarter of the places, and an eighth is kept for root. */
static bool has_place(const struct event_server *server, uid_t user)
{
	uint32_t ordinary = 0, own = 0;
	const struct event_reader *reader;

	if (server->readers >= server->readers_max)
		return false;
	if (!is_ordinary(user))
		return true;
	for (reader = server->first; reader; reader = reader->next) {
		ordinary += reader->ordinary;
		own += reader->user == user;
	}
	return own < (server->readers_max + 3) / 4 &&
	       ordinary < server->readers_max - (server->readers_max + 7) / 8;
}

int event_reader_add(struct event_server *server, int fd)
{
	struct event_reader *reader;
	uid_t user;

	if (!event_socket_may_read(fd, &user)) {
		refuse(server, fd, -EACCES);
		return -EACCES;
	}
	if (!has_place(server, user)) {
		refuse(server, fd, -EUSERS);
		return -EUSERS;
	}
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	reader->server = server;
	reader->fd = fd;
	reader->user = user;
	reader->ordinary = is_ordinary(user);
	reader->came_ns = clock_ns(CLOCK_MONOTONIC);
	reader->watched = loop_fd_new(server->loop, fd, on_reader, reader);
	if (!reader->watched) {
		free(reader);
		return -errno;
	}
	loop_fd_wait(reader->watched, true, false);
	reader->next = server->first;
	server->first = reader;
	events_set_readers(server->events, ++server->readers);
	return 0;
}
