/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON: one document, or one object a line.  Numbers are numbers, times RFC 3339 UTC, durations
 * seconds; names never change within a schema.  Flows are written one by one: a million of them is
 * never in memory.
 */
#include "output.h"

#include "names.h"
#include "output_event.h"
#include "output_json_flow.h"
#include "output_json_snapshot.h"
#include "output_json_values.h"

/* --- flows ---------------------------------------------------------------------------------------- */

static void json_flows_begin(struct output *out)
{
	if (!out->lines)
		fputs("{\"schema\":\"tcpguard.flows/1\",\"flows\":[", out->stream);
}

/* One of many: a line of its own, or an element of the document's array. */
static void begin_element(struct output *out)
{
	if (!out->lines)
		fputs(out->flows ? ",\n" : "\n", out->stream);
	out->flows++;
}

static void end_element(struct output *out)
{
	if (out->lines)
		putc('\n', out->stream);
}

static void put_element(struct output *out, json_t *object)
{
	size_t style = out->pretty && !out->lines ? JSON_INDENT(2) : JSON_COMPACT;

	begin_element(out);
	json_dumpf(object, out->stream, JSON_PRECISION | style);
	json_decref(object);
	end_element(out);
}

/* Only people want it indented, and people do not read a million: the line is parsed for them. */
static void json_flow(struct output *out, const struct flow_record *flow)
{
	char line[OUTPUT_JSON_FLOW_BYTES];
	size_t length = output_json_flow(line, flow, out->detailed);

	if (out->pretty && !out->lines) {
		put_element(out, json_loads(line, 0, NULL));
		return;
	}
	begin_element(out);
	fwrite(line, 1, length, out->stream);
	end_element(out);
}

static void json_flows_end(struct output *out)
{
	if (!out->lines)
		fputs(out->flows ? "\n]}\n" : "]}\n", out->stream);
}

static void json_flows_count(struct output *out, const struct flow_counts *counts)
{
	json_t *document = json_document("tcpguard.flows.count/1"), *states = json_object();
	int phase;

	json_set_number(document, "flows", counts->entries);
	for (phase = 0; phase < TG_PHASE_MAX; phase++)
		json_set_number(states, names_phases[phase], counts->by_phase[phase]);
	json_object_set_new(document, "by_state", states);
	json_put(out, document);
}

/* --- lists ---------------------------------------------------------------------------------------- */

static void json_rules_begin(struct output *out)
{
	if (!out->lines)
		fputs("{\"schema\":\"tcpguard.lists/1\",\"rules\":[", out->stream);
}

static void json_rule(struct output *out, const struct output_rule *rule)
{
	const struct timespec added = { .tv_sec = rule->added_s };
	json_t *object = json_object();

	json_set_text(object, "list", rule->list);
	json_set_text(object, "prefix", rule->prefix);
	json_object_set_new(object, "expires_in_s",
			    rule->left_s == UINT32_MAX ? json_null() : json_integer(rule->left_s));
	json_object_set_new(object, "reason", *rule->reason ? json_string(rule->reason) : json_null());
	json_set_time(object, "added_at", &added);
	json_set_text(object, "origin", rule->origin);
	put_element(out, object);
}

/* --- short answers -------------------------------------------------------------------------------- */

static json_t *field_value(const struct output_field *field)
{
	json_t *array;
	uint64_t i;

	switch (field->kind) {
	case OUTPUT_NUMBER:
		return json_integer((json_int_t)field->number);
	case OUTPUT_BOOLEAN:
		return json_boolean(field->number);
	case OUTPUT_STRINGS:
		array = json_array();
		for (i = 0; i < field->number; i++)
			json_array_append_new(array, json_text(field->strings[i]));
		return array;
	default:
		return field->string ? json_text(field->string) : json_null();
	}
}

static void json_answer(struct output *out, const struct output_answer *answer)
{
	json_t *document = json_document(answer->schema);
	const struct output_field *field;

	for (field = answer->fields; field && field->name; field++)
		json_object_set_new(document, field->name, field_value(field));
	json_put(out, document);
}

const struct output_functions output_json = {
	.status = json_status,
	.stats = json_stats,
	.flows_begin = json_flows_begin,
	.flow = json_flow,
	.flows_end = json_flows_end,
	.flows_count = json_flows_count,
	.rules_begin = json_rules_begin,
	.rule = json_rule,
	.rules_end = json_flows_end,
	.answer = json_answer,
	.event = json_event,
	.events_lost = json_events_lost,
};
