/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readers of events who do as the input says: connect as some user, ask for something or send anything,
 * read late or never, hang up; while events come, some of them from the data path, and descriptors
 * run out.  Nobody is told more or less than asked for: what a reader receives and what it is told to have
 * lost are all events of its types.  When everybody has gone nothing is left of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/fuzz/event_world.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/late_clock.h"
#include "tests/fuzz/turns.h"

#include "daemon/event_server.h"
#include "daemon/event_socket.h"
#include "daemon/event_wire.h"

#define CLIENTS 12
#define OPS_MAX 200
#define FILES 72 /* so that there is room for eight readers */
#define STRANGER 99 /* not in the group */
#define BIT(type) (1U << TG_EVENT_##type)

struct client {
	int fd; /* -1: none */
	uid_t user;
	bool asked; /* a request that is one was sent, first of all */
	bool spoke; /* has sent something */
	bool doubtful; /* sent more, or shut an end: it may be cut off */
	bool refused;
	bool ended; /* by the server */
	bool heard;
	uint32_t types;
	uint32_t flags;
	uint64_t due; /* told before it asked, and not for it */
	uint64_t next; /* sequence number at least */
	uint64_t received; /* and lost */
};

static struct client clients[CLIENTS];
static struct event_server *server;
static struct sockaddr_un address;
static socklen_t address_bytes;
static uid_t next_user;
static bool wanted_now;

/* --- the socket, without a path ------------------------------------------------------------------- */

int event_socket_listen(const char *path)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	(void)path;
	address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	address_bytes = sizeof(address);
	FUZZ_CHECK(fd >= 0 && !bind(fd, (struct sockaddr *)&address, sizeof(address.sun_family)));
	FUZZ_CHECK(!listen(fd, 64) && !getsockname(fd, (struct sockaddr *)&address, &address_bytes));
	return fd;
}

void event_socket_close(int fd, const char *path)
{
	(void)path;
	close(fd);
}

bool event_socket_may_read(int fd, uid_t *who)
{
	FUZZ_CHECK(fd >= 0);
	*who = next_user;
	return next_user != STRANGER;
}

static void on_wanted(void *context, bool yes)
{
	(void)context;
	FUZZ_CHECK(yes != wanted_now);
	wanted_now = yes;
}

/* --- what a client receives ----------------------------------------------------------------------- */

static void check_events(struct client *client, const struct event_message *message)
{
	uint32_t i;

	for (i = 0; i < message->count; i++) {
		const struct tg_event *event = &message->event[i];

		FUZZ_CHECK(event->type < TG_EVENT_MAX && client->types & 1U << event->type);
		FUZZ_CHECK(event->sequence >= client->next);
		client->next = event->sequence + 1;
		client->received += event->type != TG_EVENT_TRACE;
	}
}

static void check_message(struct client *client, const struct event_message *message, size_t size)
{
	FUZZ_CHECK(size >= offsetof(struct event_message, event));
	FUZZ_CHECK(message->magic == EVENT_WIRE_MAGIC && message->count <= EVENT_WIRE_BATCH);
	FUZZ_CHECK(size == offsetof(struct event_message, event) + message->count * sizeof(message->event[0]));
	FUZZ_CHECK(!client->refused);
	if (message->refused) {
		FUZZ_CHECK(!message->count && !message->lost && !client->heard);
		client->refused = true;
	} else {
		FUZZ_CHECK(client->asked && client->user != STRANGER);
	}
	client->heard = true;
	client->received += message->lost;
	check_events(client, message);
}

/* False: there is nothing more. */
static bool receive(struct client *client)
{
	static struct event_message message;
	ssize_t got = recv(client->fd, &message, sizeof(message), MSG_DONTWAIT);

	if (got < 0 && errno == EWOULDBLOCK)
		return false;
	if (got <= 0) {
		client->ended = true;
		return false;
	}
	check_message(client, &message, (size_t)got);
	return true;
}

/* --- what clients do ------------------------------------------------------------------------------ */

static void settle(void)
{
	FUZZ_CHECK(turns_settle(NULL));
}

static void connect_as(struct client *client, uint8_t choice)
{
	static const uid_t users[] = { 0, 1000, 1001, 1002, 1003, 1000, 1001, STRANGER };

	if (client->fd >= 0)
		return;
	*client = (struct client){ .fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0) };
	next_user = client->user = users[choice & 7];
	FUZZ_CHECK(client->fd >= 0 && !connect(client->fd, (struct sockaddr *)&address, address_bytes));
	settle();
}

static void hang_up(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	settle();
}

static void say(struct client *client, const void *bytes, size_t size)
{
	if (send(client->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
	settle();
}

/* A request as it should be, but for what it asks. */
static void ask(struct client *client, struct fuzz_input *input)
{
	struct event_request request = { .magic = EVENT_WIRE_MAGIC, .flags = fuzz_u8(input) };

	request.types = fuzz_u8(input) | (uint32_t)fuzz_u8(input) << 8;
	memset(&request.traced, fuzz_u8(input), sizeof(request.traced));
	client->doubtful |= client->spoke;
	if (!client->spoke) {
		client->asked = true;
		client->flags = request.flags;
		client->types = request.types & ((1U << TG_EVENT_MAX) - 1);
		client->due = event_world_told(client->types & ~BIT(TRACE), request.flags & EVENT_WIRE_HISTORY);
	}
	client->spoke = true;
	say(client, &request, sizeof(request));
}

/* Any bytes, beginning with the magic or not. */
static void send_bytes(struct client *client, struct fuzz_input *input)
{
	size_t size = fuzz_u8(input), head = fuzz_u8(input) & 1 ? 4 : 0;
	uint32_t magic = EVENT_WIRE_MAGIC;
	uint8_t *bytes = fuzz_take(input, &size), whole[4 + 255];

	memcpy(whole, &magic, head);
	memcpy(whole + head, bytes, size);
	free(bytes);
	if (head + size == sizeof(struct event_request) && head)
		whole[0] ^= 1; /* requests are ask()'s */
	client->spoke = client->doubtful = true;
	say(client, whole, head + size);
}

/* Descriptors run out while somebody comes, and are there again afterwards. */
static void run_out(struct client *client, uint8_t user)
{
	int spare[FILES], count = 0;

	if (client->fd >= 0)
		return;
	*client = (struct client){ .fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0) };
	next_user = client->user = user & 1 ? 0 : 1000;
	while (count < FILES && (spare[count] = fcntl(client->fd, F_DUPFD_CLOEXEC, 3)) >= 0)
		count++;
	FUZZ_CHECK(!connect(client->fd, (struct sockaddr *)&address, address_bytes));
	settle();
	while (count)
		close(spare[--count]);
	event_server_look_after(server);
	settle();
}

/* --- checks --------------------------------------------------------------------------------------- */

/* Until nothing more comes: then all that a follower is due has come. */
static void drain(struct client *client)
{
	while (receive(client))
		settle();
	if (client->ended || client->refused || !client->asked || client->doubtful || !client->heard)
		return;
	FUZZ_CHECK(client->flags & EVENT_WIRE_FOLLOW);
	FUZZ_CHECK(client->received == event_world_told(client->types & ~BIT(TRACE), false) - client->due);
}

/* Between two steps. */
static void check_world(void)
{
	bool any = false;
	int i;

	for (i = 0; i < CLIENTS; i++)
		any |= clients[i].fd >= 0;
	FUZZ_CHECK(event_world_settings.watched.readers <= 8);
	FUZZ_CHECK(any || (!event_world_settings.watched.readers && !event_world_settings.watch && !wanted_now));
}

static void check_nothing_is_left(void)
{
	int i;

	FUZZ_CHECK(!event_world_settings.watch && !event_world_settings.watched.readers);
	for (i = 0; i < TG_TRACES_MAX; i++)
		FUZZ_CHECK(!event_world_settings.watched.traced[i]);
	FUZZ_CHECK(!turns_left());
}

/* --- the script ----------------------------------------------------------------------------------- */

static void step(struct fuzz_input *input)
{
	uint8_t op = fuzz_u8(input), argument = fuzz_u8(input);
	struct client *client = &clients[(op >> 4) % CLIENTS];
	bool there = client->fd >= 0;

	switch (op & 15) {
	case 0:
	case 1:
		connect_as(client, argument);
		break;
	case 2:
	case 3:
	case 4:
		if (there)
			ask(client, input);
		break;
	case 5:
		if (there)
			send_bytes(client, input);
		break;
	case 6:
		for (; there && argument && receive(client); argument--)
			settle();
		break;
	case 7:
		if (there)
			drain(client);
		break;
	case 8:
		hang_up(client);
		break;
	case 9:
		if (there)
			shutdown(client->fd, argument % 3);
		client->doubtful = true;
		settle();
		break;
	case 10:
		run_out(client, argument);
		break;
	case 11:
		late_clock_sleep(argument * 100000000LL);
		event_server_look_after(server);
		settle();
		break;
	case 12:
		event_world_ring(input, argument);
		turns_fire();
		settle();
		break;
	default:
		event_world_say(op >> 4, argument < 224 ? argument % 32 : (argument - 223) * 128U);
		event_server_publish(server);
		settle();
	}
	check_world();
}

static void limit_files(void)
{
	const struct rlimit limit = { .rlim_cur = FILES, .rlim_max = FILES };

	FUZZ_CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct events *events;
	int i;

	limit_files();
	for (i = 0; i < CLIENTS; i++)
		clients[i] = (struct client){ .fd = -1 };
	wanted_now = false;
	events = event_world_new();
	FUZZ_CHECK(!event_server_new(&server, NULL, events, "", on_wanted, NULL));
	for (i = 0; i < OPS_MAX && input.left; i++)
		step(&input);
	for (i = 0; i < CLIENTS; i++)
		if (clients[i].fd >= 0)
			drain(&clients[i]);
	if (size & 1)
		for (i = 0; i < CLIENTS; i++)
			hang_up(&clients[i]);
	check_world();
	event_server_free(server);
	events_free(events);
	for (i = 0; i < CLIENTS; i++)
		if (clients[i].fd >= 0)
			close(clients[i].fd);
	check_nothing_is_left();
	return 0;
}
