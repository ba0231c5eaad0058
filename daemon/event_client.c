/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages hold many events; they are handed out singly. */
#include "event_client.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event_socket.h"
#include "log.h"

static int say_refused(int err)
{
	switch (err) {
	case -EUSERS:
		log_err_hint(0, "end another one first", "the daemon has as many readers as it can");
		return err;
	case -EBUSY:
		log_err_hint(0, "end another trace first", "%d connections are traced already",
			     TG_TRACES_MAX);
		return err;
	case -EACCES:
		return log_err_hint(err, "be root, or in the group '" EVENT_SOCKET_GROUP "'",
				    "the daemon refuses to tell events");
	default:
		log_err_hint(0, "restart the daemon after an upgrade",
			     "the daemon does not speak this tcpguard's language");
		return -EPROTO;
	}
}

int event_client_open(struct event_client *client, const char *given,
		      const struct event_request *request)
{
	char path[EVENT_SOCKET_BYTES];
	int err;

	memset(client, 0, sizeof(*client));
	client->fd = -1;
	err = event_socket_path(given ? given : EVENT_SOCKET_DIR "/" EVENT_SOCKET_NAME, path);
	if (err)
		return err;
	client->fd = event_socket_connect(path);
	if (client->fd < 0)
		return client->fd;
	if (send(client->fd, request, sizeof(*request), MSG_NOSIGNAL) == sizeof(*request))
		return 0;
	/* It hung up at once: its reason is waiting to be read. */
	return errno == EPIPE ? 0 : log_err(-errno, "cannot ask the daemon for events");
}

void event_client_close(struct event_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
}

static int say_gone(void)
{
	log_err(0, "the daemon has ended");
	return -ENOENT;
}

/* Whoever asks again after an error finds nothing of that message. */
static int refuse_message(struct event_message *message, int err)
{
	message->count = 0;
	message->lost = 0;
	return say_refused(err);
}

/* A daemon that hung up on a request it had not read resets: told once, before what it said last. */
static ssize_t receive_message(const struct event_client *client, struct event_message *message)
{
	ssize_t got = recv(client->fd, message, sizeof(*message), MSG_TRUNC);

	if (got < 0 && errno == ECONNRESET)
		got = recv(client->fd, message, sizeof(*message), MSG_TRUNC);
	return got;
}

/* 1: a message is there; 0: the end. */
static int receive(struct event_client *client, int timeout_ms)
{
	struct pollfd ready = { .fd = client->fd, .events = POLLIN };
	struct event_message *message = &client->message;
	ssize_t got;

	client->at = message->count = 0;
	message->lost = 0;
	if (timeout_ms >= 0 && poll(&ready, 1, timeout_ms) == 0)
		return -EAGAIN;
	got = receive_message(client, message);
	if (!got || (got < 0 && errno == ECONNRESET))
		return client->heard ? 0 : say_gone();
	if (got < 0)
		return errno == EINTR ? -EAGAIN : log_err(-errno, "cannot read events");
	client->heard = true;
	if ((size_t)got < offsetof(struct event_message, event) || message->magic != EVENT_WIRE_MAGIC ||
	    message->count > EVENT_WIRE_BATCH ||
	    (size_t)got != offsetof(struct event_message, event) +
				   message->count * sizeof(message->event[0]))
		return refuse_message(message, -EPROTO);
	return message->refused ? refuse_message(message, message->refused) : 1;
}

/* What it says is printed: the daemon runs as another user, who may have been taken over. */
static bool is_sound(struct tg_event *event)
{
	event->iface[sizeof(event->iface) - 1] = '\0';
	if (event->type >= TG_EVENT_LIST)
		event->text[sizeof(event->text) - 1] = '\0';
	return event->type > TG_EVENT_NONE && event->type < TG_EVENT_MAX &&
	       event->outcome < TG_OUTCOME_MAX && event->side < TG_SIDE_MAX;
}

int event_client_next(struct event_client *client, int timeout_ms, struct tg_event *event,
		      uint64_t *lost)
{
	int got;

	for (;;) {
		if (client->message.lost) {
			*lost = client->message.lost;
			client->message.lost = 0;
			return 2;
		}
		if (client->at < client->message.count) {
			*event = client->message.event[client->at++];
			return is_sound(event) ? 1 : say_refused(-EPROTO);
		}
		got = receive(client, timeout_ms);
		if (got != 1)
			return got;
	}
}
