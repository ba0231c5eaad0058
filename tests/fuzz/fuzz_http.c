/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients of the metrics server: any bytes, in any pieces, from several connections at once, some of
 * which never end their request or never take the answer; and requests that are right, with any Accept
 * header, for which the right answer must come.  libmicrohttpd is the system's: what is tested is ours.
 */
#include <errno.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/late_clock.h"

#include "daemon/loop.h"
#include "daemon/metrics_accept.h"
#include "daemon/metrics_server.h"

#define CLIENTS 4
#define OPS_MAX 64
#define SERVE_MAX 64
#define BODY "tcpguard_up 1\n"

struct client {
	int fd; /* -1: none */
	bool spoke; /* has sent something, so that what comes next belongs to that */
};

struct world {
	struct metrics_server *server;
	struct sockaddr_un address;
	socklen_t address_bytes;
	struct client client[CLIENTS];
	bool fails; /* metrics cannot be read */
	bool ready;
	enum metrics_format format; /* asked last */
};

static int render(void *context, enum metrics_format format, char **text, size_t *bytes)
{
	struct world *world = context;

	FUZZ_CHECK(format == METRICS_TEXT || format == METRICS_OPENMETRICS);
	world->format = format;
	if (world->fails)
		return -EIO;
	*text = strdup(BODY);
	*bytes = strlen(BODY);
	return *text ? 0 : -ENOMEM;
}

static bool is_ready(void *context)
{
	return ((struct world *)context)->ready;
}

/* Taken over by the server, whose end closes it. */
static void open_server(struct world *world)
{
	const struct metrics_answers answers = { render, is_ready, world };
	struct listener listener = { .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) };
	struct sockaddr *address = (struct sockaddr *)&world->address;

	world->address.sun_family = AF_UNIX;
	world->address_bytes = sizeof(world->address);
	FUZZ_CHECK(listener.fd >= 0 && !bind(listener.fd, address, sizeof(world->address.sun_family)));
	FUZZ_CHECK(!listen(listener.fd, 16) && !getsockname(listener.fd, address, &world->address_bytes));
	world->server = metrics_server_new(&listener, &answers);
	FUZZ_CHECK(world->server && listener.fd == -1 && metrics_server_fd(world->server) >= 0);
}

/* Everything that can be done now. */
static void serve(struct world *world)
{
	int i;

	for (i = 0; i < SERVE_MAX && !metrics_server_serve(world->server); i++)
		;
	for (i = 0; i < 3; i++)
		metrics_server_serve(world->server);
}

/* --- clients -------------------------------------------------------------------------------------- */

static void come(struct world *world, struct client *client)
{
	if (client->fd >= 0)
		return;
	*client = (struct client){ .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	FUZZ_CHECK(client->fd >= 0 &&
		   !connect(client->fd, (struct sockaddr *)&world->address, world->address_bytes));
}

static void leave(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
}

static void say(struct client *client, const void *bytes, size_t size)
{
	fuzz_sink = (uint64_t)send(client->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	client->spoke = true;
}

/* What has come, as a string; false: nothing. */
static bool take(struct client *client, char *answer, size_t size)
{
	ssize_t got = recv(client->fd, answer, size - 1, MSG_DONTWAIT);

	answer[got > 0 ? got : 0] = '\0';
	if (got > 0)
		FUZZ_CHECK(client->spoke && !strncmp(answer, "HTTP/1.", 7));
	return got > 0;
}

/* --- a request that is right ---------------------------------------------------------------------- */

static void check_metrics(const struct world *world, const char *answer, const char *accept)
{
	FUZZ_CHECK(world->format == metrics_accept(accept));
	if (world->fails) {
		FUZZ_CHECK(strstr(answer, " 500 "));
		return;
	}
	FUZZ_CHECK(strstr(answer, " 200 ") && strstr(answer, "\r\n\r\n" BODY));
	FUZZ_CHECK(strstr(answer, world->format == METRICS_OPENMETRICS ?
					  "Content-Type: application/openmetrics-text; version=1.0.0" :
					  "Content-Type: text/plain; version=0.0.4"));
}

/* Without what would end the header, or be another one. */
static char *take_header(struct fuzz_input *input)
{
	size_t size = fuzz_u8(input), i;
	char *header = (char *)fuzz_take(input, &size), *whole = strndup(header, size);

	free(header);
	FUZZ_CHECK(whole);
	for (i = 0; whole[i]; i++)
		if ((unsigned char)whole[i] < ' ')
			whole[i] = ',';
	return whole;
}

static void ask(struct world *world, struct fuzz_input *input, uint8_t choice)
{
	static const char *const paths[] = { "/metrics", "/-/ready", "/-/healthy", "/metrics/" };
	static const char *const methods[] = { "GET", "GET", "GET", "PUT" };
	struct client client = { .fd = -1 };
	char *accept = take_header(input), answer[4096], request[1024];
	uint8_t path = choice & 3, method = choice >> 2 & 3;

	come(world, &client);
	snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: a\r\nAccept:%s\r\n\r\n", methods[method],
		 paths[path], accept);
	say(&client, request, strlen(request));
	serve(world);
	if (take(&client, answer, sizeof(answer)) && !strstr(answer, " 400 ")) {
		if (method == 3)
			FUZZ_CHECK(strstr(answer, " 405 "));
		else if (path == 0)
			check_metrics(world, answer, accept + strspn(accept, " "));
		else
			FUZZ_CHECK(strstr(answer, path == 3                  ? " 404 " :
						  path == 1 && !world->ready ? " 503 " :
									       " 200 "));
	}
	leave(&client);
	free(accept);
}

/* --- the script ----------------------------------------------------------------------------------- */

static void step(struct world *world, struct fuzz_input *input)
{
	uint8_t op = fuzz_u8(input), argument = fuzz_u8(input);
	struct client *client = &world->client[op >> 4 & 3];
	size_t size = argument;
	char answer[256];
	uint8_t *bytes;

	if ((op & 7) != 5 && (op & 7) != 6)
		come(world, client);
	switch (op & 7) {
	case 0:
	case 1:
		bytes = fuzz_take(input, &size);
		say(client, bytes, size);
		free(bytes);
		break;
	case 2:
		take(client, answer, sizeof(answer));
		client->spoke = client->spoke && false; /* the rest of an answer begins anyhow */
		leave(client);
		break;
	case 3:
		shutdown(client->fd, argument % 3);
		break;
	case 4:
		leave(client);
		break;
	case 5:
		ask(world, input, argument);
		break;
	case 6:
		late_clock_sleep(argument * 100000000LL);
		break;
	default:
		world->fails = argument & 1;
		world->ready = argument & 2;
	}
	serve(world);
}

/* By itself: what it prefers it was asked for by name. */
static void check_accept(struct fuzz_input *input)
{
	char *accept = fuzz_line(input);

	FUZZ_CHECK(metrics_accept(accept) == METRICS_TEXT || strcasestr(accept, "application/openmetrics-text"));
	free(accept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct world world = { .ready = true };
	int i;

	late_clock_reset();
	check_accept(&input);
	open_server(&world);
	for (i = 0; i < CLIENTS; i++)
		world.client[i].fd = -1;
	for (i = 0; i < OPS_MAX && input.left; i++)
		step(&world, &input);
	if (size & 1)
		for (i = 0; i < CLIENTS; i++)
			leave(&world.client[i]);
	serve(&world);
	metrics_server_free(world.server);
	for (i = 0; i < CLIENTS; i++)
		leave(&world.client[i]);
	return 0;
}
