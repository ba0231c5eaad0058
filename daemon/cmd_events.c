/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard events`: what happens, as it happens. */
#include <errno.h>
#include <string.h>

#include "command.h"
#include "event_client.h"
#include "event_filter.h"
#include "log.h"
#include "options.h"
#include "output.h"

struct events_options {
	struct event_filter filter;
	bool follow;
	uint32_t limit; /* 0: no end */
	const char *socket;
};

static const struct option_row rows[] = {
	{ 'f', "follow", NULL, "go on with what happens from now on; without it, what the daemon remembers",
	  options_set_true, offsetof(struct events_options, follow) },
	{ 0, "type", "TYPE,...", "new, state, end, flow, drop, would_drop, bypass, challenge, list, mode, guard, daemon",
	  event_filter_parse_types, offsetof(struct events_options, filter.types) },
	{ 0, "reason", "REASON,...", "only with these verdicts", event_filter_parse_reasons,
	  offsetof(struct events_options, filter.reasons) },
	FILTER_OPTION_ROWS(struct events_options, "source: of a flow who opened it, of a packet its sender"),
	{ 0, "iface", "IFACE", "only of this interface", options_word,
	  offsetof(struct events_options, filter.iface) },
	{ 'n', "limit", "N", "at most so many", options_count, offsetof(struct events_options, limit) },
	{ 0, "socket", "PATH", "of the daemon, as it was told", options_word,
	  offsetof(struct events_options, socket) },
	{ 0 },
};

/* Until the end, or enough. */
static int print_events(struct event_client *client, const struct events_options *options,
			struct output *out)
{
	struct tg_event event;
	uint32_t printed = 0;
	uint64_t lost;
	int got;

	for (;;) {
		got = event_client_next(client, -1, &event, &lost);
		if (got == -EAGAIN)
			continue;
		if (got <= 0)
			break;
		if (got == 2) {
			out->functions->events_lost(out, lost);
		} else if (event_filter_matches(&options->filter, &event)) {
			out->functions->event(out, &event);
			printed++;
		}
		/* A follower is read by people and pipes that want the line now. */
		if (options->follow && client->at == client->message.count && fflush(out->stream))
			break;
		if (printed == options->limit && options->limit)
			break;
	}
	if (!got && options->follow && (!options->limit || printed < options->limit)) {
		log_err(0, "the daemon has ended");
		got = -ENOENT;
	}
	return got < 0 ? got : output_close(out);
}

static int run_events(const struct global_options *global, const void *given, int argc, char **argv)
{
	const struct events_options *options = given;
	const struct event_request request = {
		.magic = EVENT_WIRE_MAGIC,
		.flags = options->follow ? EVENT_WIRE_FOLLOW : EVENT_WIRE_HISTORY,
		.types = event_filter_types(&options->filter),
	};
	struct event_client client;
	struct output out;
	int err;

	if (options_no_words(argc, argv) || output_open(&out, global, false))
		return EXIT_USAGE;
	err = event_client_open(&client, options->socket, &request);
	if (!err)
		err = print_events(&client, options, &out);
	event_client_close(&client);
	return command_exit_code(err);
}

const struct command command_events = {
	.name = "events",
	.arguments = "",
	.summary = "Shows what happens: connections, drops with the numbers compared, modes.",
	.details =
		"The daemon tells them; the data path does while somebody follows (-f), so that it costs\n"
		"nothing otherwise.  Of many equal drops one in a hundred is told, with all numbers exact\n"
		"in 'stats'.  JSON is one object a line.",
	.options = rows,
	.options_size = sizeof(struct events_options),
	.run = run_events,
};
