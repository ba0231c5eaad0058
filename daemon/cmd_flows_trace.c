/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `tcpguard flows trace`: the timeline of one connection.  The daemon watches for its key and stops
 * when this process is gone, whatever ended it.
 */
#include "cmd_flows_trace.h"

#include <errno.h>
#include <inttypes.h>

#include "clock_ns.h"
#include "event_client.h"
#include "event_filter.h"
#include "flow_name.h"
#include "format.h"
#include "log.h"
#include "names.h"

struct timeline {
	struct output *out;
	bool text;
	enum tg_side first; /* the side named first: arrows point away from it */
	uint64_t begin_ns;
	uint64_t last_ns;
	uint32_t printed;
};

static void print_heading(const struct timeline *line, const struct tg_event *event)
{
	enum tg_side from = line->first, to = from == TG_SIDE_LO ? TG_SIDE_HI : TG_SIDE_LO;
	char time[FORMAT_BYTES], source[FORMAT_BYTES], destination[FORMAT_BYTES];

	fprintf(line->out->stream, "%s  %s -> %s\n",
		format_time_ns(time, sizeof(time), event->time_ns, 6),
		format_endpoint(source, sizeof(source), event_address(event, from), event_port(event, from)),
		format_endpoint(destination, sizeof(destination), event_address(event, to),
				event_port(event, to)));
	fprintf(line->out->stream, "%12s %12s\n", "seconds", "since last");
}

static const char *done_with(const struct tg_event *event, const struct verdict_row *row)
{
	if (event->outcome == TG_OUTCOME_VERDICT)
		return row ? names_action(row->action) : "?";
	return names_outcome(event->outcome);
}

static void print_segment(struct timeline *line, const struct tg_event *event)
{
	const struct verdict_row *row = names_verdict(event->verdict);
	FILE *stream = line->out->stream;
	char flags[FORMAT_BYTES];

	if (!line->printed) {
		line->begin_ns = line->last_ns = event->time_ns;
		print_heading(line, event);
	}
	fprintf(stream, "%12.6f %9.0f us  %s %s seq %" PRIu32 " ack %" PRIu32 " win %u len %" PRIu32,
		(double)(int64_t)(event->time_ns - line->begin_ns) / 1e9,
		(double)(int64_t)(event->time_ns - line->last_ns) / 1e3,
		event->side == line->first ? "->" : "<-",
		format_flags(flags, sizeof(flags), event->flags), event->seq, event->ack, event->window,
		event->payload);
	fprintf(stream, "  %s %s", done_with(event, row), row ? row->reason : "?");
	if (event->has_flow)
		fprintf(stream, "  %s %s", names_tcp_state(event->state[line->first]),
			names_tcp_state(event->state[!line->first]));
	fputc('\n', stream);
	line->last_ns = event->time_ns;
}

static int64_t monotonic_ms(void)
{
	return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

/* Milliseconds left, -1 for ever. */
static int left_ms(int64_t deadline_ms)
{
	int64_t left = deadline_ms - monotonic_ms();

	if (!deadline_ms)
		return -1;
	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX :
						 (int)left;
}

/* 0, or -errno (said). */
static int follow(struct event_client *client, const struct trace_options *options,
		  struct timeline *line)
{
	int64_t deadline_ms = options->for_s ? monotonic_ms() + options->for_s * 1000LL : 0;
	struct tg_event event;
	uint64_t lost;
	int got;

	while (!options->count || line->printed < options->count) {
		got = event_client_next(client, left_ms(deadline_ms), &event, &lost);
		if (got == -EAGAIN && !left_ms(deadline_ms))
			return 0;
		if (got == -EAGAIN)
			continue;
		if (!got) {
			log_err(0, "the daemon has ended");
			return -ENOENT;
		}
		if (got < 0)
			return got;
		if (got == 2) {
			line->out->functions->events_lost(line->out, lost);
		} else {
			if (line->text)
				print_segment(line, &event);
			else
				line->out->functions->event(line->out, &event);
			line->printed++;
		}
		if (fflush(line->out->stream))
			break;
	}
	return 0;
}

int flows_trace(struct output *out, bool text, const struct trace_options *options,
		const char *argument)
{
	struct event_request request = {
		.magic = EVENT_WIRE_MAGIC,
		.flags = EVENT_WIRE_FOLLOW,
		.types = 1U << TG_EVENT_TRACE,
	};
	struct timeline line = { .out = out, .text = text };
	struct event_client client;
	int err;

	if (flow_name_parse("flows trace", argument, &request.traced, &line.first))
		return EXIT_USAGE;
	request.traced.zone = (__u16)options->zone;
	err = event_client_open(&client, options->socket, &request);
	if (!err)
		err = follow(&client, options, &line);
	event_client_close(&client);
	if (!err)
		err = output_close(out);
	if (err)
		return command_exit_code(err);
	if (line.printed)
		return EXIT_OK;
	log_info("no segment of %s came", argument);
	return EXIT_NO;
}
