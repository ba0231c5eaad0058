/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "metrics_server.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <microhttpd.h>

#include "loop.h"
#include "metrics_accept.h"

/*
 * More clients wait in the backlog of the socket.  A connection is for one request, which must be there
 * in time, and its answer taken: a client that sends, or takes, a byte now and then keeps nobody else out
 * for longer.
 */
#define CONNECTIONS_MAX 64
#define IDLE_S 3
#define MEMORY_BYTES 16384 /* of one connection, for its request */

struct patience {
	uint32_t request_ms;
	uint32_t answer_ms;
};

/*
 * While every place is taken: somebody's thousand clients that say nothing and come again would keep the
 * others waiting for half a minute.  A request that waited in the backlog is there when its turn comes.
 */
static const struct patience when_full = { .request_ms = 20, .answer_ms = 500 };
static const struct patience usually = { .request_ms = 2000, .answer_ms = 8000 };

struct connection {
	int fd; /* -1: free */
	uint64_t since_ms; /* it, or its request, came */
	bool asked;
	bool ended; /* by us */
};

struct metrics_server {
	struct MHD_Daemon *mhd;
	struct listener listener; /* its descriptor is libmicrohttpd's */
	struct metrics_answers answers;
	struct connection connection[CONNECTIONS_MAX];
	int connections;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- answers -------------------------------------------------------------------------------------- */

/* Takes the response over. */
static enum MHD_Result reply(struct MHD_Connection *connection, unsigned int status,
			     const char *type, struct MHD_Response *response)
{
	enum MHD_Result result = MHD_NO;

	if (!response)
		return MHD_NO; /* no memory: the connection is closed */
	if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_YES &&
	    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES &&
	    (status != MHD_HTTP_METHOD_NOT_ALLOWED ||
	     MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD") == MHD_YES))
		result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result reply_line(struct MHD_Connection *connection, unsigned int status,
				  const char *line)
{
	return reply(connection, status, "text/plain; charset=utf-8",
		     MHD_create_response_from_buffer(strlen(line), (void *)line,
						     MHD_RESPMEM_PERSISTENT));
}

static enum MHD_Result reply_metrics(struct metrics_server *server,
				     struct MHD_Connection *connection)
{
	enum metrics_format format = metrics_accept(MHD_lookup_connection_value(
		connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT));
	struct MHD_Response *response;
	size_t bytes;
	char *text;

	if (server->answers.render(server->answers.context, format, &text, &bytes))
		return reply_line(connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
				  "the metrics cannot be read; the daemon's log says why\n");
	response = MHD_create_response_from_buffer(bytes, text, MHD_RESPMEM_MUST_FREE);
	if (!response)
		free(text);
	return reply(connection, MHD_HTTP_OK,
		     format == METRICS_OPENMETRICS ?
			     "application/openmetrics-text; version=1.0.0; charset=utf-8" :
			     "text/plain; version=0.0.4; charset=utf-8",
		     response);
}

static enum MHD_Result reply_ready(struct metrics_server *server, struct MHD_Connection *connection)
{
	if (server->answers.ready(server->answers.context))
		return reply_line(connection, MHD_HTTP_OK, "ready\n");
	return reply_line(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
			  "not ready: nothing is attached, or programs are gone from their "
			  "interface; see 'tcpguard status'\n");
}

/* From now on the client has to take the answer. */
static void notice_request(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct connection *slot = info ? info->socket_context : NULL;

	if (slot && !slot->asked) {
		slot->asked = true;
		slot->since_ms = now_ms();
	}
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *data,
			      size_t *data_bytes, void **request)
{
	(void)version;
	(void)data;
	(void)data_bytes;
	(void)request;
	notice_request(connection);
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return reply_line(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
	if (!strcmp(url, "/metrics"))
		return reply_metrics(context, connection);
	if (!strcmp(url, "/-/healthy"))
		return reply_line(connection, MHD_HTTP_OK, "healthy\n");
	if (!strcmp(url, "/-/ready"))
		return reply_ready(context, connection);
	return reply_line(connection, MHD_HTTP_NOT_FOUND,
			  "there are /metrics, /-/healthy and /-/ready\n");
}

/* --- connections ---------------------------------------------------------------------------------- */

static void begin_connection(struct metrics_server *server, struct MHD_Connection *connection,
			     void **slot)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	int i;

	for (i = 0; info && i < CONNECTIONS_MAX; i++)
		if (server->connection[i].fd < 0) {
			server->connection[i] = (struct connection){ .fd = info->connect_fd,
								     .since_ms = now_ms() };
			server->connections++;
			*slot = &server->connection[i];
			return;
		}
}

static void notice_connection(void *context, struct MHD_Connection *connection, void **slot,
			      enum MHD_ConnectionNotificationCode what)
{
	struct metrics_server *server = context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		begin_connection(server, connection, slot);
	} else if (*slot) {
		((struct connection *)*slot)->fd = -1;
		server->connections--;
	}
}

static uint64_t ends_ms(const struct connection *connection, const struct patience *patience)
{
	return connection->since_ms + (connection->asked ? patience->answer_ms : patience->request_ms);
}

/* Ends what has lived too long; the milliseconds until the next one has. */
static uint32_t end_old_connections(struct metrics_server *server)
{
	bool full = server->connections == CONNECTIONS_MAX;
	uint32_t delay_ms = LOOP_NEVER;
	uint64_t now = now_ms(), until;
	int i;

	for (i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *connection = &server->connection[i];

		if (connection->fd < 0 || connection->ended)
			continue;
		until = ends_ms(connection, full ? &when_full : &usually);
		if (now >= until) {
			/* libmicrohttpd, whose descriptor it is, sees the end and closes it. */
			shutdown(connection->fd, SHUT_RDWR);
			connection->ended = true;
			delay_ms = 0;
		} else if (until - now < delay_ms) {
			delay_ms = (uint32_t)(until - now);
		}
	}
	return delay_ms;
}

uint32_t metrics_server_serve(struct metrics_server *server)
{
	bool was_full = server->connections == CONNECTIONS_MAX;
	MHD_UNSIGNED_LONG_LONG timeout_ms;
	uint32_t delay_ms;

	MHD_run(server->mhd);
	delay_ms = end_old_connections(server);
	if (MHD_get_timeout(server->mhd, &timeout_ms) == MHD_YES && timeout_ms < delay_ms)
		delay_ms = (uint32_t)timeout_ms;
	/* When full it does not look for clients, and takes up looking at the beginning of a run only. */
	if (was_full && server->connections < CONNECTIONS_MAX)
		delay_ms = 0;
	return delay_ms;
}

int metrics_server_fd(const struct metrics_server *server)
{
	return MHD_get_daemon_info(server->mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

struct metrics_server *metrics_server_new(struct listener *listener,
					  const struct metrics_answers *answers)
{
	struct metrics_server *server = calloc(1, sizeof(*server));
	int i;

	if (!server) {
		listener_close(listener);
		return NULL;
	}
	server->listener = *listener;
	server->answers = *answers;
	for (i = 0; i < CONNECTIONS_MAX; i++)
		server->connection[i].fd = -1;
	server->mhd = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, answer, server, MHD_OPTION_LISTEN_SOCKET,
		listener->fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_BYTES,
		MHD_OPTION_NOTIFY_CONNECTION, notice_connection, server, MHD_OPTION_END);
	if (server->mhd) {
		server->listener.fd = listener->fd = -1;
		return server;
	}
	metrics_server_free(server);
	listener->fd = -1;
	return NULL;
}

void metrics_server_free(struct metrics_server *server)
{
	if (!server)
		return;
	if (server->mhd)
		MHD_stop_daemon(server->mhd);
	listener_close(&server->listener);
	free(server);
}
