/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One list of readers; each is a place in the log and a socket. */
#include "event_server_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock_ns.h"
#include "log.h"

#define SPARE_FILES 64 /* descriptors the daemon needs for everything else */
#define ACCEPTS 64 /* at a time */
#define POLL_FASTEST_MS 10
#define POLL_SLOWEST_MS 200
#define BUSY_EVENTS 64 /* in one look: look again soon */
#define ASK_NS (5LL * 1000000000) /* for a reader to say what it wants */
#define BIT(type) (1U << TG_EVENT_##type)
#define DATAPATH_TYPES (BIT(NEW) | BIT(STATE) | BIT(END) | BIT(DROP) | BIT(CHALLENGE))

void event_server_watch(struct event_server *server)
{
	const struct event_reader *reader;
	uint32_t types = 0;
	bool flows;

	for (reader = server->first; reader; reader = reader->next)
		if (reader->asked && reader->follow)
			types |= reader->types;
	flows = types & DATAPATH_TYPES;
	events_watch(server->events, (flows ? TG_WATCH_EVENTS : 0) |
					     (types & EVENT_TRACE_BIT ? TG_WATCH_TRACE : 0));
	if (flows != server->flows_wanted)
		server->wanted(server->context, flows);
	server->flows_wanted = flows;
	if (!(types & (DATAPATH_TYPES | EVENT_TRACE_BIT))) {
		server->poll_ms = 0;
		loop_timer_stop(server->timer);
	} else if (!server->poll_ms) {
		server->poll_ms = POLL_FASTEST_MS;
		loop_timer_start(server->timer, server->poll_ms);
	}
}

void event_server_publish(struct event_server *server)
{
	struct event_reader *reader, *next;
	bool gone = false;

	if (!server)
		return;
	for (reader = server->first; reader; reader = next) {
		next = reader->next;
		if (reader->asked && !reader->blocked)
			gone |= !event_reader_feed(reader);
	}
	if (gone)
		event_server_watch(server);
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
			if (event_reader_add(server, fd))
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
	struct event_reader *reader, *next;

	for (reader = server->first; reader; reader = next) {
		next = reader->next;
		if (!reader->asked && now_ns - reader->came_ns > ASK_NS)
			event_reader_drop(reader);
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
	struct event_reader *reader;

	if (!server)
		return;
	while ((reader = server->first)) {
		server->first = reader->next;
		event_reader_release(reader);
	}
	loop_timer_free(server->timer);
	loop_fd_free(server->listener);
	event_socket_close(server->fd, server->path);
	free(server);
}
