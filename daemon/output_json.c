/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON: one document, or one object a line.  Numbers are numbers, times RFC 3339 UTC, durations
 * seconds; names never change within a schema.  Flows are written one by one: a million of them is
 * never in memory.
 */
#include "output.h"

#include <jansson.h>

#include "event_filter.h"
#include "format.h"
#include "names.h"
#include "output_json_counters.h"
#include "output_json_flow.h"
#include "output_event.h"
#include "version.h"

/* Numbers to the millisecond and percents need no more digits. */
#define PRECISION JSON_REAL_PRECISION(12)

static void put_document(struct output *out, json_t *document)
{
	size_t flags = PRECISION | (out->pretty && !out->lines ? JSON_INDENT(2) : JSON_COMPACT);

	json_dumpf(document, out->stream, flags);
	fputc('\n', out->stream);
	json_decref(document);
}

static json_t *new_document(const char *schema)
{
	return json_pack("{s:s}", "schema", schema);
}

static void set_time(json_t *object, const char *name, const struct timespec *time)
{
	char text[FORMAT_BYTES];

	json_object_set_new(object, name, json_string(format_time(text, sizeof(text), time)));
}

/* Names from the kernel need not be UTF-8; JSON must be. */
static void set_text(json_t *object, const char *name, const char *text)
{
	char plain[FORMAT_BYTES * 2];
	size_t i;

	if (!json_object_set_new(object, name, json_string(text)))
		return;
	for (i = 0; i < sizeof(plain) - 1 && text[i]; i++)
		plain[i] = (char)(text[i] & 0x80 ? '?' : text[i]);
	plain[i] = '\0';
	json_object_set_new(object, name, json_string(plain));
}

static void set_number(json_t *object, const char *name, uint64_t number)
{
	json_object_set_new(object, name, json_integer((json_int_t)number));
}

/* --- status and stats ----------------------------------------------------------------------------- */

static json_t *occupancy(const struct snapshot *s)
{
	json_t *object = json_object(), *states = json_object();
	int phase;

	set_number(object, "entries", s->flows.entries);
	set_number(object, "limit", s->max_flows);
	set_number(object, "slots", s->slots);
	set_number(object, "bytes", s->table_bytes);
	for (phase = 0; phase < TG_PHASE_MAX; phase++)
		set_number(states, names_phases[phase], s->flows.by_phase[phase]);
	json_object_set_new(object, "by_state", states);
	set_number(object, "refused_buckets", s->flows.refused_buckets);
	return object;
}

/* The moment so many milliseconds from time; null for none. */
static void set_moment(json_t *object, const char *name, const struct timespec *time,
		       uint64_t in_ms)
{
	struct timespec moment = { .tv_sec = time->tv_sec + (time_t)(in_ms / 1000) };

	if (in_ms)
		set_time(object, name, &moment);
	else
		json_object_set_new(object, name, json_null());
}

static json_t *link_state(enum pins_link state)
{
	return state == PINS_LINK_ABSENT ? json_null() : json_boolean(state == PINS_LINK_ALIVE);
}

static json_t *iface_identity(const struct snapshot_iface *iface)
{
	json_t *object = json_object();

	set_text(object, "name", iface->iface.name);
	set_text(object, "mode", names_mode(iface->mode));
	set_text(object, "xdp", names_xdp(iface->iface.xdp_mode));
	set_text(object, "tc", names_tc(iface->iface.tc_kind));
	set_text(object, "profile", names_profile(iface->iface.profile));
	return object;
}

static json_t *iface_status(const struct snapshot *s, const struct snapshot_iface *iface)
{
	const struct timespec attached = { .tv_sec = (time_t)iface->iface.attached_at_s };
	json_t *object = iface_identity(iface);

	set_number(object, "ifindex", iface->iface.ifindex);
	set_number(object, "slot", iface->slot);
	set_text(object, "driver", iface->iface.driver);
	set_number(object, "zone", iface->iface.zone);
	json_object_set_new(object, "strict", json_boolean(iface->iface.strict));
	set_time(object, "attached_at", &attached);
	set_moment(object, "confirm_until", &s->time, iface->confirm_left_ms);
	set_text(object, "fallback", names_mode(iface->fallback));
	json_object_set_new(object, "relaxed", json_classes(iface->relaxed));
	json_object_set_new(object, "adopts", json_boolean(iface->adopts));
	set_moment(object, "learning_until", &s->time, iface->learn_left_ms);
	json_object_set_new(object, "xdp_alive", link_state(iface->xdp_link));
	json_object_set_new(object, "tc_alive", link_state(iface->tc_link));
	set_text(object, "syn_cookies", names_cookies(iface->iface.cookies));
	return object;
}

static json_t *daemon_status(const struct snapshot *s)
{
	json_t *object = json_object();

	json_object_set_new(object, "running", json_boolean(s->daemon_runs));
	json_object_set_new(object, "pid",
			    s->daemon_pid ? json_integer(s->daemon_pid) : json_null());
	if (s->metrics[0])
		set_text(object, "metrics", s->metrics);
	else
		json_object_set_new(object, "metrics", json_null());
	return object;
}

static void json_status(struct output *out, const struct snapshot *s)
{
	json_t *document = new_document("tcpguard.status/1"), *ifaces = json_array();
	json_t *memory = json_object();
	uint32_t i;
	int map;

	set_text(document, "version", TCPGUARD_VERSION);
	set_time(document, "time", &s->time);
	set_text(document, "host", s->host);
	json_object_set_new(document, "daemon", daemon_status(s));
	json_object_set_new(document, "bypass", json_boolean(s->bypass));
	for (i = 0; i < s->iface_count; i++)
		json_array_append_new(ifaces, iface_status(s, &s->iface[i]));
	json_object_set_new(document, "interfaces", ifaces);
	json_object_set_new(document, "flows", occupancy(s));
	json_object_set_new(document, "flood", json_flood(s));
	json_object_set_new(document, "lists",
			    json_pack("{s:I, s:I}", "block", (json_int_t)s->rules[TG_LIST_BLOCK],
				      "allow", (json_int_t)s->rules[TG_LIST_ALLOW]));
	for (map = 0; map < PINS_MAP_MAX; map++)
		set_number(memory, pins_map_name((enum pins_map)map), s->map_bytes[map]);
	set_number(memory, "lists", s->lists_bytes);
	set_number(memory, "total", s->total_bytes);
	json_object_set_new(document, "memory_bytes", memory);
	put_document(out, document);
}

static json_t *reason_row(const struct tg_counters *counters, int verdict)
{
	const struct verdict_row *row = names_verdict((unsigned int)verdict);
	const struct tg_count *done = &counters->count[TG_OUTCOME_VERDICT][verdict];
	uint64_t packets = 0, bytes = 0;
	json_t *object;
	int outcome;

	for (outcome = 0; outcome < TG_OUTCOME_MAX; outcome++) {
		packets += counters->count[outcome][verdict].packets;
		bytes += counters->count[outcome][verdict].bytes;
	}
	object = json_pack("{s:i, s:s, s:s, s:s}", "id", (int)row->code, "name", row->reason,
			   "verdict", names_action(row->action), "class", names_class(row->class));
	set_number(object, "packets", packets);
	set_number(object, "bytes", bytes);
	set_number(object, "drop", row->action == TG_ACTION_DROP ? done->packets : 0);
	set_number(object, "would_drop", counters->count[TG_OUTCOME_WOULD_DROP][verdict].packets);
	set_number(object, "bypass", counters->count[TG_OUTCOME_BYPASS][verdict].packets);
	set_number(object, "own", counters->count[TG_OUTCOME_OWN][verdict].packets);
	return object;
}

static json_t *sums_object(const struct snapshot_sums *sums, bool bytes)
{
	json_t *object = json_object();

	set_number(object, "pass", bytes ? sums->pass.bytes : sums->pass.packets);
	set_number(object, "challenge", bytes ? sums->challenge.bytes : sums->challenge.packets);
	set_number(object, "drop", bytes ? sums->drop.bytes : sums->drop.packets);
	set_number(object, "would_drop", bytes ? sums->would_drop.bytes : sums->would_drop.packets);
	set_number(object, "bypass", bytes ? sums->bypass.bytes : sums->bypass.packets);
	set_number(object, "own", bytes ? sums->own.bytes : sums->own.packets);
	return object;
}

static json_t *iface_stats(const struct snapshot *s, const struct snapshot_iface *iface)
{
	json_t *object = iface_identity(iface), *reasons = json_array();
	struct snapshot_sums sums;
	int verdict;

	snapshot_sum(&iface->counters, &sums);
	json_object_set_new(object, "packets", sums_object(&sums, false));
	json_object_set_new(object, "bytes", sums_object(&sums, true));
	/* Rows that never counted too: a program finds each name from the first reading on. */
	for (verdict = 0; verdict < TG_VERDICT_MAX; verdict++)
		if (names_verdict((unsigned int)verdict))
			json_array_append_new(reasons, reason_row(&iface->counters, verdict));
	json_object_set_new(object, "reasons", reasons);
	json_object_set_new(object, "tallies", json_tallies(&iface->tallies));
	/* The table is shared: every interface shows the same. */
	json_object_set_new(object, "flows",
			    json_pack("{s:I, s:I}", "entries", (json_int_t)s->flows.entries,
				      "limit", (json_int_t)s->max_flows));
	return object;
}

static void json_stats(struct output *out, const struct output_stats *stats)
{
	json_t *document = new_document("tcpguard.stats/1"), *ifaces = json_array();
	const struct snapshot *s = stats->now;
	uint32_t i;

	set_time(document, "time", &s->time);
	set_text(document, "host", s->host);
	for (i = 0; i < s->iface_count; i++)
		json_array_append_new(ifaces, iface_stats(s, &s->iface[i]));
	json_object_set_new(document, "interfaces", ifaces);
	json_object_set_new(document, "services", json_services(s));
	json_object_set_new(document, "flows", occupancy(s));
	json_object_set_new(document, "bypass", json_boolean(s->bypass));
	json_object_set_new(document, "daemon", daemon_status(s));
	json_object_set_new(document, "events", json_event_counts(s));
	json_object_set_new(document, "list_entries", json_list_entries(s));
	put_document(out, document);
	fflush(out->stream);
}

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
	json_dumpf(object, out->stream, PRECISION | style);
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
	json_t *document = new_document("tcpguard.flows.count/1"), *states = json_object();
	int phase;

	set_number(document, "flows", counts->entries);
	for (phase = 0; phase < TG_PHASE_MAX; phase++)
		set_number(states, names_phases[phase], counts->by_phase[phase]);
	json_object_set_new(document, "by_state", states);
	put_document(out, document);
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

	set_text(object, "list", rule->list);
	set_text(object, "prefix", rule->prefix);
	json_object_set_new(object, "expires_in_s",
			    rule->left_s == UINT32_MAX ? json_null() : json_integer(rule->left_s));
	json_object_set_new(object, "reason", *rule->reason ? json_string(rule->reason) : json_null());
	set_time(object, "added_at", &added);
	set_text(object, "origin", rule->origin);
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
			json_array_append_new(array, json_string(field->strings[i]));
		return array;
	default:
		return field->string ? json_string(field->string) : json_null();
	}
}

static void json_answer(struct output *out, const struct output_answer *answer)
{
	json_t *document = new_document(answer->schema);
	const struct output_field *field;

	for (field = answer->fields; field && field->name; field++)
		json_object_set_new(document, field->name, field_value(field));
	put_document(out, document);
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
