/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard explain`: why a packet got its verdict, or what is known of a connection. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "explain_capture.h"
#include "flow_name.h"
#include "log.h"
#include "output_explain.h"
#include "pins.h"
#include "replay_options.h"

struct options {
	struct replay_options replay;
	const char *packet; /* FILE#N; NULL: a connection of the table */
};

static int read_packet(const char *name, const char *argument, void *out)
{
	(void)name;
	*(const char **)out = argument;
	return 0;
}

static const struct options defaults = { .replay = REPLAY_OPTION_DEFAULTS };

static const struct option_row rows[] = {
	{ 0, "pcap", "FILE#N", "packet N of a capture, from 1; the options below judge it as 'replay' does",
	  read_packet, offsetof(struct options, packet) },
	REPLAY_OPTION_ROWS(struct options),
	{ 0 },
};

/* --- a connection --------------------------------------------------------------------------------- */

/* In any zone an interface has. */
static bool find_flow(const struct pins *pins, struct tg_flow_key *key, struct flow_record *flow)
{
	uint64_t now_ms;
	uint32_t slot;

	if (pins_now_ms(pins, &now_ms))
		return false;
	if (flow_table_find(&pins->table, &pins->info, key, now_ms, flow))
		return true;
	for (slot = 0; slot < TG_IFACES_MAX; slot++) {
		key->zone = pins->ifaces[slot].zone;
		if (pins->ifaces[slot].ifindex &&
		    flow_table_find(&pins->table, &pins->info, key, now_ms, flow))
			return true;
	}
	return false;
}

static int explain_flow(struct output *out, bool text, const char *argument)
{
	struct flow_record flow;
	struct tg_flow_key key;
	struct pins pins;
	bool found;
	int err;

	if (flow_name_parse("explain", argument, &key, NULL))
		return EXIT_USAGE;
	err = pins_open(&pins, false);
	if (err)
		return command_exit_code(err);
	found = find_flow(&pins, &key, &flow);
	if (found && text)
		output_explain_flow_text(out, &flow, pins.table.timeouts);
	else if (found)
		output_explain_flow_json(out, &flow, pins.table.timeouts);
	else
		log_err(0, "explain: no connection %s is known", argument);
	pins_close(&pins);
	if (!found)
		return EXIT_NO;
	return command_exit_code(output_close(out));
}

/* --- a packet ------------------------------------------------------------------------------------- */

static int explain_packet(struct output *out, bool text, const struct options *options)
{
	struct explain_capture explained = { .number = 0 };
	char *argument = strdup(options->packet);
	int err = argument ? explain_parse_packet(argument, &explained) :
			     log_err(-ENOMEM, "cannot explain");

	if (!err)
		err = explain_capture(&explained, &options->replay);
	if (!err && text)
		output_explain_packet_text(out, &explained);
	else if (!err)
		output_explain_packet_json(out, &explained);
	free(argument);
	if (err == -ENOENT)
		return EXIT_NO;
	return command_exit_code(err ? err : output_close(out));
}

static int run_explain(const struct global_options *global, const void *given, int argc, char **argv)
{
	const struct options *options = given;
	bool text = global->output == OUTPUT_TEXT;
	struct output out;

	if (options->packet ? argc != 0 : argc != 1) {
		log_err_hint(0, "say 192.0.2.1:40000-192.0.2.2:80 or --pcap FILE#N",
			     argc > 1 || options->packet ? "explain: one thing at a time" :
							   "explain: what?");
		return EXIT_USAGE;
	}
	if (output_open(&out, global, false))
		return EXIT_USAGE;
	return options->packet ? explain_packet(&out, text, options) :
				 explain_flow(&out, text, argv[0]);
}

const struct command command_explain = {
	.name = "explain",
	.arguments = "SRC:PORT-DST:PORT | --pcap FILE#N",
	.summary = "Explains a connection, or the verdict on a packet of a capture.",
	.details =
		"A packet: verdict, the comparisons its rule made with their numbers, both endpoints before\n"
		"and after, what its connection did until then, and the setting that would change it.\n"
		"A connection in the table: states, facts, windows, timeouts, the last verdicts.",
	.options = rows,
	.options_size = sizeof(struct options),
	.defaults = &defaults,
	.run = run_explain,
};
