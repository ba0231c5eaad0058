/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A daemon that has been taken over says what it likes to root, who reads events. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

#include "daemon/event_client.h"
#include "daemon/event_filter.h"

/* What the client makes of one message of so many bytes. */
static int hear(const struct event_message *message, size_t bytes, struct tg_event *event)
{
	static struct event_client client;
	uint64_t lost;
	int ends[2], got;

	memset(&client, 0, sizeof(client));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	client.fd = ends[0];
	assert_int_equal(send(ends[1], message, bytes, 0), bytes);
	close(ends[1]);
	got = event_client_next(&client, 1000, event, &lost);
	event_client_close(&client);
	return got;
}

static size_t make_message(struct event_message *message, uint8_t type)
{
	memset(message, 0, sizeof(*message));
	message->magic = EVENT_WIRE_MAGIC;
	message->count = 1;
	memset(&message->event[0], 'x', sizeof(message->event[0]));
	message->event[0].type = type;
	message->event[0].outcome = TG_OUTCOME_VERDICT;
	message->event[0].side = TG_SIDE_HI;
	return offsetof(struct event_message, event) + sizeof(message->event[0]);
}

static void every_type_of_event_is_one_there_is(void **state)
{
	const struct event_filter all = { .iface = NULL };
	static struct event_message message;
	struct tg_event event;
	unsigned int type;

	(void)state;
	for (type = 0; type < 256; type++) {
		size_t bytes = make_message(&message, (uint8_t)type);
		int got = hear(&message, bytes, &event);

		assert_int_equal(got, type && type < TG_EVENT_MAX ? 1 : -EPROTO);
		if (got == 1)
			assert_true(event_filter_matches(&all, &event) || type == TG_EVENT_TRACE);
	}
}

static void outcome_and_side_are_some_there_are(void **state)
{
	static struct event_message message;
	struct tg_event event;
	size_t bytes = make_message(&message, TG_EVENT_DROP);

	(void)state;
	message.event[0].outcome = TG_OUTCOME_MAX;
	assert_int_equal(hear(&message, bytes, &event), -EPROTO);
	bytes = make_message(&message, TG_EVENT_DROP);
	message.event[0].side = TG_SIDE_MAX;
	assert_int_equal(hear(&message, bytes, &event), -EPROTO);
}

static void texts_end(void **state)
{
	static struct event_message message;
	struct tg_event event;

	(void)state;
	assert_int_equal(hear(&message, make_message(&message, TG_EVENT_DAEMON), &event), 1);
	assert_int_equal(strnlen(event.text, TG_EVENT_TEXT), TG_EVENT_TEXT - 1);
	assert_int_equal(strnlen(event.iface, TG_IFNAME_LEN), TG_IFNAME_LEN - 1);
}

static void lengths_that_do_not_fit_are_refused(void **state)
{
	static struct event_message message;
	struct tg_event event;
	size_t bytes = make_message(&message, TG_EVENT_NEW);

	(void)state;
	assert_int_equal(hear(&message, bytes - 1, &event), -EPROTO);
	assert_int_equal(hear(&message, 3, &event), -EPROTO);
	message.count = UINT32_MAX;
	assert_int_equal(hear(&message, bytes, &event), -EPROTO);
	message.count = 2;
	assert_int_equal(hear(&message, bytes, &event), -EPROTO);
	message.count = 1;
	message.magic = 0;
	assert_int_equal(hear(&message, bytes, &event), -EPROTO);
}

/* The kernel tells of a reset, once, before it hands out what came until then. */
static void the_reason_of_a_refusal_outlives_the_reset(void **state)
{
	static struct event_message message;
	static struct event_client client;
	const struct event_request request = { .magic = EVENT_WIRE_MAGIC };
	struct tg_event event;
	uint64_t lost;
	int ends[2];

	(void)state;
	make_message(&message, TG_EVENT_NONE);
	message.count = 0;
	message.refused = -EUSERS;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	client.fd = ends[0];
	assert_int_equal(send(ends[0], &request, sizeof(request), 0), sizeof(request));
	assert_int_equal(send(ends[1], &message, offsetof(struct event_message, event), 0),
			 offsetof(struct event_message, event));
	close(ends[1]); /* without having read the request: a reset */
	assert_int_equal(event_client_next(&client, 1000, &event, &lost), -EUSERS);
	event_client_close(&client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_of_event_is_one_there_is),
		cmocka_unit_test(outcome_and_side_are_some_there_are),
		cmocka_unit_test(texts_end),
		cmocka_unit_test(lengths_that_do_not_fit_are_refused),
		cmocka_unit_test(the_reason_of_a_refusal_outlives_the_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
