/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One list of readers; each is a place in the log and a socket. */
#include "event_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock_ns.h"
#include "event_socket.h"
#include "event_wire.h"
#include "log.h"

#define SPARE_FILES 64 /* descriptors the daemon needs for everything else */
#define ACCEPTS 64 /* at a time */
#define POLL_FASTEST_MS 10
#define POLL_SLOWEST_MS 200
#define BUSY_EVENTS 64 /* in one look: look again soon */
#define ASK_NS (5LL * 1000000000) /* for a reader to say what it wants */
#define TRACE_BIT (1U << TG_EVENT_TRACE)
#define BIT(type) (1U << TG_EVENT_##type)
#define DATAPATH_TYPES (BIT(NEW) | BIT(STATE) | BIT(END) | BIT(DROP) | BIT(CHALLENGE))

struct reader {
	struct reader *next;
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
	struct reader *first;
	void (*wanted)(void *context, bool yes);
	void *context;
	struct event_message message; /* in the making */
};

static void set_watch(struct event_server *server);

/* --- one reader ----------------------------------------------------------------------------------- */

/* One that is in no list any more. */
static void release_reader(struct reader *reader)
{
	struct event_server *server = reader->server;

	if (reader->tag)
		events_untrace(server->events, reader->tag);
	loop_fd_free(reader->watched);
	close(reader->fd);
	free(reader);
	events_set_readers(server->events, --server->readers);
}

static void drop_reader(struct reader *reader)
{
	struct reader **at = &reader->server->first;

	while (*at != reader)
		at = &(*at)->next;
	*at = reader->next;
	release_reader(reader);
}

static bool is_for(const struct reader *reader, const struct tg_event *event)
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
static bool collect(struct reader *reader, struct events_place *place)
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

/* Sends what there is.  False: the reader is gone. */
static bool feed(struct reader *reader)
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
			drop_reader(reader);
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
	drop_reader(reader);
	return false;
}

static void refuse(struct event_server *server, int fd, int err)
{
	begin_message(server);
	server->message.refused = err;
	send_message(server, fd); /* it hears it or not: it is gone */
}

/* One of the traces is kept for those who look after the machine. */
static bool may_trace(const struct reader *reader)
{
	const struct reader *other;
	int traces = 0;

	for (other = reader->server->first; other; other = other->next)
		traces += other->ordinary && other->tag;
	return !reader->ordinary || traces < TG_TRACES_MAX - 1;
}

static void start_reader(struct reader *reader, const struct event_request *request)
{
	struct event_server *server = reader->server;

	reader->types = request->types & ((1U << TG_EVENT_MAX) - 1);
	reader->follow = request->flags & EVENT_WIRE_FOLLOW;
	if (reader->types & TRACE_BIT) {
		if (may_trace(reader))
			reader->tag = events_trace(server->events, &request->traced);
		if (!reader->tag) {
			refuse(server, reader->fd, -EBUSY);
			drop_reader(reader);
			return;
		}
	}
	if (!(request->flags & EVENT_WIRE_HISTORY))
		events_go_to_end(server->events, &reader->place);
	else /* what is gone was never this reader's to miss */
		events_catch_up(server->events, &reader->place, 0);
	reader->asked = true;
	set_watch(server);
	if (!feed(reader))
		set_watch(server);
}

/* Its request, or its end. */
static void listen_to(struct reader *reader)
{
	struct event_server *server = reader->server;
	struct event_request request;
	ssize_t got = recv(reader->fd, &request, sizeof(request), MSG_DONTWAIT | MSG_TRUNC);

	if (got < 0 && (errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (reader->asked || got != sizeof(request)) {
		drop_reader(reader);
		set_watch(server);
	} else if (request.magic != EVENT_WIRE_MAGIC) {
		refuse(server, reader->fd, -EPROTO);
		drop_reader(reader);
	} else {
		start_reader(reader, &request);
	}
}

static void on_reader(void *context, bool readable, bool writable)
{
	struct reader *reader = context;
	struct event_server *server = reader->server;

	if (writable && reader->blocked && !feed(reader)) {
		set_watch(server);
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
	const struct reader *reader;

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

static int add_reader(struct event_server *server, int fd)
{
	struct reader *reader;
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

/* --- all of them ---------------------------------------------------------------------------------- */

/* The data path tells what at least one reader wants. */
static void set_watch(struct event_server *server)
{
	const struct reader *reader;
	uint32_t types = 0;
	bool flows;

	for (reader = server->first; reader; reader = reader->next)
		if (reader->asked && reader->follow)
			types |= reader->types;
	flows = types & DATAPATH_TYPES;
	events_watch(server->events, (flows ? TG_WATCH_EVENTS : 0) |
					     (types & TRACE_BIT ? TG_WATCH_TRACE : 0));
	if (flows != server->flows_wanted)
		server->wanted(server->context, flows);
	server->flows_wanted = flows;
	if (!(types & (DATAPATH_TYPES | TRACE_BIT))) {
		server->poll_ms = 0;
		loop_timer_stop(server->timer);
	} else if (!server->poll_ms) {
		server->poll_ms = POLL_FASTEST_MS;
		loop_timer_start(server->timer, server->poll_ms);
	}
}

void event_server_publish(struct event_server *server)
{
	struct reader *reader, *next;
	bool gone = false;

	if (!server)
		return;
	for (reader = server->first; reader; reader = next) {
		next = reader->next;
		if (reader->asked && !reader->blocked)
			gone |= !feed(reader);
	}
	if (gone)
		set_watch(server);
}

/* More often while there is something to fetch. */
static uint32_t on_timer(void *context)
{
	struct event_server *server = context;
	size_t taken = events_take(server->events);

	event_server_publish(server);
	if (!server->poll_ms)
		return 0; /* the last reader has just gone */
	if (taken >= BUSY_EVENTS)
		server->poll_ms = POLL_FASTEST_MS;
	else if (!taken && server->poll_ms < POLL_SLOWEST_MS)
		server->poll_ms = server->poll_ms * 2 > POLL_SLOWEST_MS ? POLL_SLOWEST_MS :
									  server->poll_ms * 2;
	return taken == EVENTS_BATCH ? 1 : server->poll_ms;
}

static void on_listener(void *context, bool readable, bool writable)
{
	struct event_server *server = context;
	int fd, i;

	(void)writable;
	for (i = 0; readable && i < ACCEPTS; i++) {
		fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			if (add_reader(server, fd))
				close(fd);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno != EWOULDBLOCK) {
			log_err(-errno, "events: cannot accept a reader");
			server->deaf = true;
			loop_fd_wait(server->listener, false, false);
		}
		return;
	}
}

/* Whoever came and asked for nothing holds a place that others want. */
static void end_silent(struct event_server *server)
{
	int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
	struct reader *reader, *next;

	for (reader = server->first; reader; reader = next) {
		next = reader->next;
		if (!reader->asked && now_ns - reader->came_ns > ASK_NS)
			drop_reader(reader);
	}
}

void event_server_look_after(struct event_server *server)
{
	if (!server)
		return;
	end_silent(server);
	if (!server->deaf)
		return;
	server->deaf = false;
	loop_fd_wait(server->listener, true, false);
}

/* As many descriptors as the daemon may have; how many readers that allows. */
static uint32_t raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return EVENT_READERS_MAX / 8;
	if (limit.rlim_cur < limit.rlim_max) {
		struct rlimit more = { .rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max };

		if (!setrlimit(RLIMIT_NOFILE, &more))
			limit = more;
	}
	if (limit.rlim_cur >= EVENT_READERS_MAX + SPARE_FILES)
		return EVENT_READERS_MAX;
	return limit.rlim_cur > SPARE_FILES ? (uint32_t)limit.rlim_cur - SPARE_FILES : 1;
}

int event_server_new(struct event_server **out, struct loop *loop, struct events *events,
		     const char *path, void (*wanted)(void *context, bool yes), void *context)
{
	struct event_server *server = calloc(1, sizeof(*server));
	int err = -ENOMEM;

	*out = NULL;
	if (!server)
		return log_err(err, "cannot serve events");
	server->loop = loop;
	server->events = events;
	server->wanted = wanted;
	server->context = context;
	server->readers_max = raise_limit();
	memcpy(server->path, path, strlen(path) + 1);
	server->fd = event_socket_listen(path);
	err = server->fd < 0 ? server->fd : 0;
	if (!err) {
		server->listener = loop_fd_new(loop, server->fd, on_listener, server);
		server->timer = loop_timer_new(loop, on_timer, server);
		if (!server->listener || !server->timer)
			err = log_err(-ENOMEM, "cannot serve events");
	}
	if (err) {
		event_server_free(server);
		return err;
	}
	loop_fd_wait(server->listener, true, false);
	*out = server;
	return 0;
}

void event_server_free(struct event_server *server)
{
	struct reader *reader;

	if (!server)
		return;
	while ((reader = server->first)) {
		server->first = reader->next;
		release_reader(reader);
	}
	loop_timer_free(server->timer);
	loop_fd_free(server->listener);
	event_socket_close(server->fd, server->path);
	free(server);
}
