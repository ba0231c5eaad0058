/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon's user could tell whoever reads events, if he had been taken over: messages of any
 * bytes, and such as are right but for what their events hold.  What the client takes is one line of
 * plain text and one JSON object, whatever it says; nothing is read beyond a message, before or after
 * an error.  Two lines before the messages are words of --type and --reason.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>

#include "tests/fuzz/fuzz.h"

#include "daemon/event_client.h"
#include "daemon/event_filter.h"
#include "daemon/event_socket.h"
#include "daemon/output_event.h"
#include "daemon/output_text.h"
#include "daemon/plain.h"

#define MESSAGES_MAX 6 /* that fit into a socket */
#define EVENTS_MAX 8 /* different ones; others repeat them */
#define AFTER_ERROR 3

static int ends[2];

int event_socket_path(const char *given, char path[EVENT_SOCKET_BYTES])
{
	snprintf(path, EVENT_SOCKET_BYTES, "%s", given);
	return 0;
}

int event_socket_connect(const char *path)
{
	FUZZ_CHECK(path[0]);
	FUZZ_CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	return ends[0];
}

/* Answers that are no events. */
void text_status(struct output *out, const struct snapshot *s)
{
	(void)out;
	(void)s;
	FUZZ_FAIL("nobody asked for the status");
}

void text_stats(struct output *out, const struct output_stats *stats)
{
	(void)out;
	(void)stats;
	FUZZ_FAIL("nobody asked for counters");
}

/* --- messages ------------------------------------------------------------------------------------- */

static void make_event(struct fuzz_input *input, struct tg_event *event)
{
	int patches = fuzz_u8(input) % 16;

	memset(event, fuzz_u8(input), sizeof(*event));
	event->type = fuzz_u8(input) % (TG_EVENT_MAX + 1);
	event->side &= 1;
	event->outcome %= TG_OUTCOME_MAX;
	while (patches--) {
		uint8_t at = fuzz_u8(input);

		((uint8_t *)event)[at] = fuzz_u8(input);
	}
}

static void send_message(struct event_message *message, size_t size)
{
	FUZZ_CHECK(send(ends[1], message, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size);
}

/* Its events can be wrong, its count and size are what they should be, or are off by little. */
static void send_events(struct fuzz_input *input, struct event_message *message)
{
	uint32_t count = fuzz_u8(input) % (EVENT_WIRE_BATCH + 1), i;
	uint8_t wrong = fuzz_u8(input);

	message->magic = EVENT_WIRE_MAGIC;
	message->lost = wrong & 0x40 ? (uint64_t)fuzz_u8(input) << (wrong & 0x38) : 0;
	message->count = count;
	for (i = 0; i < count && i < EVENTS_MAX; i++)
		make_event(input, &message->event[i]);
	for (; i < count; i++)
		message->event[i] = message->event[i % EVENTS_MAX];
	if (wrong & 0x80)
		message->count = (uint32_t)fuzz_u8(input) << (wrong & 31);
	send_message(message, offsetof(struct event_message, event) + count * sizeof(message->event[0]) +
				      (wrong & 7 ? 0 : fuzz_u8(input)));
}

static void send_refusal(struct fuzz_input *input, struct event_message *message)
{
	message->magic = EVENT_WIRE_MAGIC;
	message->refused = fuzz_u8(input) & 1 ? -fuzz_u8(input) : fuzz_u8(input);
	send_message(message, offsetof(struct event_message, event));
}

static void send_bytes(struct fuzz_input *input)
{
	size_t size = fuzz_u8(input);
	uint8_t *bytes = fuzz_take(input, &size);

	FUZZ_CHECK(send(ends[1], bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size);
	free(bytes);
}

static void send_all(struct fuzz_input *input)
{
	/* Longer than the client has room for. */
	static struct {
		struct event_message message;
		uint8_t more[256];
	} out;
	int messages;

	for (messages = 0; messages < MESSAGES_MAX && input->left; messages++) {
		memset(&out, 0, sizeof(out));
		switch (fuzz_u8(input) & 7) {
		case 0:
			send_bytes(input);
			break;
		case 1:
			send_refusal(input, &out.message);
			break;
		default:
			send_events(input, &out.message);
		}
	}
}

/* --- what is shown -------------------------------------------------------------------------------- */

/* One line, and nothing in it that speaks to a terminal. */
static void check_line(const char *text, size_t size)
{
	size_t i;

	FUZZ_CHECK(size && text[size - 1] == '\n' && strlen(text) == size);
	for (i = 0; i + 1 < size; i += plain_character(text + i))
		if (!plain_character(text + i) || plain_is_control(text + i))
			FUZZ_FAIL("no plain text: %s", text);
}

static void check_json(const char *text, size_t size, const char *type)
{
	json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);

	FUZZ_CHECK(object && !strcmp(json_string_value(json_object_get(object, "type")), type));
	FUZZ_CHECK(json_string_value(json_object_get(object, "schema")));
	json_decref(object);
}

static void show(const struct tg_event *event, uint64_t lost)
{
	char *text[2] = { NULL };
	size_t size[2] = { 0 };
	int json;

	for (json = 0; json < 2; json++) {
		struct output out = { .stream = open_memstream(&text[json], &size[json]) };

		FUZZ_CHECK(out.stream);
		if (event)
			(json ? json_event : text_event)(&out, event);
		else
			(json ? json_events_lost : text_events_lost)(&out, lost);
		FUZZ_CHECK(!fclose(out.stream));
		check_line(text[json], size[json]);
	}
	check_json(text[1], size[1], event ? event_word(event) : "lost");
	free(text[0]);
	free(text[1]);
}

/* --- the client ----------------------------------------------------------------------------------- */

static void check_event(const struct event_filter *filter, const struct tg_event *event, bool shown)
{
	static const struct event_filter all;

	FUZZ_CHECK(event->type > TG_EVENT_NONE && event->type < TG_EVENT_MAX);
	FUZZ_CHECK(memchr(event->iface, 0, sizeof(event->iface)));
	FUZZ_CHECK(event_filter_matches(&all, event) == (event->type != TG_EVENT_TRACE));
	if (event_filter_matches(filter, event))
		FUZZ_CHECK(event_filter_types(filter) & 1U << event->type);
	if (shown)
		show(event, 0);
}

static void read_events(struct event_client *client, const struct event_filter *filter)
{
	int got, errors = 0, rounds = 0;
	struct tg_event event;
	uint64_t lost;

	do {
		got = event_client_next(client, 0, &event, &lost);
		FUZZ_CHECK(got <= 2 && ++rounds <= MESSAGES_MAX * (EVENT_WIRE_BATCH + 2) + AFTER_ERROR);
		if (got == 1)
			check_event(filter, &event, client->at <= EVENTS_MAX);
		else if (got == 2)
			show(NULL, lost);
		errors += got < 0;
	} while (got > 0 || (got < 0 && got != -EAGAIN && errors < AFTER_ERROR));
}

static void read_words(struct fuzz_input *input, struct event_filter *filter)
{
	char *types = fuzz_line(input), *reasons = fuzz_line(input);
	int err = event_filter_parse_types("type", types, &filter->types);

	FUZZ_CHECK(err == -EINVAL || (!err && filter->types.types && !(filter->types.types & 1)));
	err = event_filter_parse_reasons("reason", reasons, &filter->reasons);
	FUZZ_CHECK(err == -EINVAL || (!err && filter->reasons.given));
	free(types);
	free(reasons);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	const struct event_request request = { .magic = EVENT_WIRE_MAGIC };
	struct event_client *client = malloc(sizeof(*client));
	struct event_request asked;
	struct event_filter filter = { .iface = "eth0" };
	uint8_t choice = fuzz_u8(&input);
	bool gone = choice & 1;

	filter.source_port = choice & 2 ? 80 : 0;
	filter.destination = (struct filter_prefix){ .given = choice & 4, .bits = choice >> 1 };
	read_words(&input, &filter);
	if (choice & 8)
		filter.iface = NULL;
	FUZZ_CHECK(client && !event_client_open(client, "here", &request));
	FUZZ_CHECK(recv(ends[1], &asked, sizeof(asked), 0) == sizeof(asked));
	send_all(&input);
	if (gone)
		close(ends[1]);
	read_events(client, &filter);
	if (!gone)
		close(ends[1]);
	event_client_close(client);
	free(client);
	return 0;
}
