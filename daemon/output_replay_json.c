/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The summary as one JSON document. */
#include "output_replay.h"

#include <jansson.h>

#include "format.h"
#include "names.h"

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

/* File names need not be UTF-8. */
static json_t *text(const char *value)
{
	json_t *string = json_string(value);

	return string ? string : json_string("?");
}

static json_t *one_loser(const struct replay_summary *summary, const struct replay_loser *loser)
{
	const struct tg_flow_key *key = &loser->key;
	const struct verdict_row *row = names_verdict(loser->verdict);
	char from[FORMAT_BYTES], to[FORMAT_BYTES];
	bool lo = loser->first == TG_SIDE_LO;

	format_endpoint(from, sizeof(from), lo ? key->lo_addr : key->hi_addr,
			lo ? key->lo_port : key->hi_port);
	format_endpoint(to, sizeof(to), lo ? key->hi_addr : key->lo_addr,
			lo ? key->hi_port : key->lo_port);
	return json_pack("{s:s, s:s, s:b, s:o, s:o, s:o, s:s}", "src", from, "dst", to,
			 "opening_seen", !loser->stranger, "file",
			 text(summary->files[loser->file].path), "first_drop", number(loser->packet),
			 "drops", number(loser->drops), "reason", row ? row->reason : "?");
}

static json_t *all_losers(const struct replay_summary *summary)
{
	json_t *array = json_array();
	uint32_t i;

	for (i = 0; i < summary->loser_count; i++)
		json_array_append_new(array, one_loser(summary, &summary->losers[i]));
	return array;
}

static json_t *all_reasons(const struct replay_summary *summary)
{
	json_t *array = json_array();
	int verdict, outcome;

	for (verdict = 1; verdict < TG_VERDICT_MAX; verdict++) {
		const struct verdict_row *row = names_verdict((unsigned int)verdict);
		uint64_t packets = 0;

		for (outcome = 0; outcome < TG_OUTCOME_MAX; outcome++)
			packets += summary->count[outcome][verdict];
		if (!row || !packets)
			continue;
		json_array_append_new(
			array,
			json_pack("{s:i, s:s, s:s, s:s, s:o, s:o}", "id", (int)row->code, "name",
				  row->reason, "verdict", names_action(row->action), "class",
				  names_class(row->class), "packets", number(packets), "own",
				  number(summary->count[TG_OUTCOME_OWN][verdict])));
	}
	return array;
}

static json_t *all_files(const struct replay_summary *summary)
{
	json_t *array = json_array();
	uint32_t i;

	for (i = 0; i < summary->file_count; i++) {
		const struct replay_file *file = &summary->files[i];

		json_array_append_new(array, json_pack("{s:o, s:o, s:o, s:b}", "path",
						       text(file->path), "packets",
						       number(file->packets), "drops",
						       number(file->drops), "complete", !file->err));
	}
	return array;
}

void output_replay_json(struct output *out, const struct replay_summary *summary)
{
	const struct replay_options *options = summary->options;
	char first[FORMAT_BYTES], last[FORMAT_BYTES];
	json_t *document;

	document = json_pack(
		"{s:s, s:o, s:s, s:s, s:b, s:b, s:b, s:o, s:o, s:o, s:{s:o, s:o, s:o}}", "schema",
		"tcpguard.replay/1", "files", all_files(summary), "profile",
		names_profile(replay_profile(options)), "mode",
		names_mode((unsigned int)options->mode), "strict", options->strict, "learn",
		options->learn, "local", options->local.count != 0, "packets",
		number(summary->packets), "tcp_packets", number(summary->segments), "flows",
		number(summary->flows), "verdicts", "pass",
		number(replay_summary_action(summary, TG_ACTION_PASS)), "noupd",
		number(replay_summary_action(summary, TG_ACTION_NOUPD)), "drop",
		number(replay_summary_action(summary, TG_ACTION_DROP)));
	json_object_set_new(document, "dropped", number(replay_summary_drops(summary)));
	json_object_set_new(document, "reasons", all_reasons(summary));
	json_object_set_new(document, "flows_hurt", all_losers(summary));
	json_object_set_new(document, "flows_hurt_more", number(summary->losers_more));
	json_object_set_new(document, "headers_cut", number(summary->unreadable));
	json_object_set_new(document, "options_cut", number(summary->options_filled));
	json_object_set_new(document, "length_missing", number(summary->length_filled));
	json_object_set_new(document, "out_of_order", number(summary->disordered));
	if (summary->packets) {
		json_object_set_new(
			document, "first",
			json_string(output_replay_time(first, sizeof(first), &summary->first)));
		json_object_set_new(
			document, "last",
			json_string(output_replay_time(last, sizeof(last), &summary->last)));
	}
	json_object_set_new(document, "seconds", json_real(summary->seconds));
	json_dumpf(document, out->stream,
		   JSON_REAL_PRECISION(6) |
			   (out->pretty && !out->lines ? JSON_INDENT(2) : JSON_COMPACT));
	fputc('\n', out->stream);
	json_decref(document);
}
