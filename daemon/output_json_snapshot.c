/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON of `status` and `stats`: the documents tcpguard.status and tcpguard.stats. */
#include "output_json_snapshot.h"

#include "event_filter.h"
#include "format.h"
#include "names.h"
#include "output_json_counters.h"
#include "output_json_values.h"
#include "version.h"

static json_t *occupancy(const struct snapshot *s)
{
	json_t *object = json_object(), *states = json_object();
	int phase;

	json_set_number(object, "entries", s->flows.entries);
	json_set_number(object, "limit", s->max_flows);
	json_set_number(object, "slots", s->slots);
	json_set_number(object, "bytes", s->table_bytes);
	for (phase = 0; phase < TG_PHASE_MAX; phase++)
		json_set_number(states, names_phases[phase], s->flows.by_phase[phase]);
	json_object_set_new(object, "by_state", states);
	json_set_number(object, "refused_buckets", s->flows.refused_buckets);
	return object;
}

/* The moment so many milliseconds from time; null for none. */
static void set_moment(json_t *object, const char *name, const struct timespec *time,
		       uint64_t in_ms)
{
	struct timespec moment = { .tv_sec = time->tv_sec + (time_t)(in_ms / 1000) };

	if (in_ms)
		json_set_time(object, name, &moment);
	else
		json_object_set_new(object, name, json_null());
}

static json_t *link_state(enum pins_link state)
{
	if (state == PINS_LINK_ABSENT || state == PINS_LINK_UNKNOWN)
		return json_null();
	return json_boolean(state == PINS_LINK_ALIVE);
}

static json_t *iface_identity(const struct snapshot_iface *iface)
{
	json_t *object = json_object();

	json_set_text(object, "name", iface->iface.name);
	json_set_text(object, "mode", names_mode(iface->mode));
	json_set_text(object, "xdp", names_xdp(iface->iface.xdp_mode));
	json_set_text(object, "tc", names_tc(iface->iface.tc_kind));
	json_set_text(object, "profile", names_profile(iface->iface.profile));
	return object;
}

static json_t *iface_status(const struct snapshot *s, const struct snapshot_iface *iface)
{
	const struct timespec attached = { .tv_sec = (time_t)iface->iface.attached_at_s };
	json_t *object = iface_identity(iface);

	json_set_number(object, "ifindex", iface->iface.ifindex);
	json_set_number(object, "slot", iface->slot);
	json_set_text(object, "driver", iface->iface.driver);
	json_set_number(object, "zone", iface->iface.zone);
	json_object_set_new(object, "strict", json_boolean(iface->iface.strict));
	json_set_time(object, "attached_at", &attached);
	set_moment(object, "confirm_until", &s->time, iface->confirm_left_ms);
	json_set_text(object, "fallback", names_mode(iface->fallback));
	json_object_set_new(object, "relaxed", json_classes(iface->relaxed));
	json_object_set_new(object, "adopts", json_boolean(iface->adopts));
	set_moment(object, "learning_until", &s->time, iface->learn_left_ms);
	json_object_set_new(object, "xdp_alive", link_state(iface->xdp_link));
	json_object_set_new(object, "tc_alive", link_state(iface->tc_link));
	json_object_set_new(object, "hook_lost", json_boolean(iface->iface.hook_lost));
	json_set_text(object, "syn_cookies", names_cookies(iface->iface.cookies));
	return object;
}

static json_t *daemon_status(const struct snapshot *s)
{
	json_t *object = json_object();

	json_object_set_new(object, "running", json_boolean(s->daemon_runs));
	json_object_set_new(object, "pid",
			    s->daemon_pid ? json_integer(s->daemon_pid) : json_null());
	if (s->metrics[0])
		json_set_text(object, "metrics", s->metrics);
	else
		json_object_set_new(object, "metrics", json_null());
	return object;
}

void json_status(struct output *out, const struct snapshot *s)
{
	json_t *document = json_document("tcpguard.status/1"), *ifaces = json_array();
	json_t *memory = json_object();
	uint32_t i;
	int map;

	json_set_text(document, "version", TCPGUARD_VERSION);
	json_set_time(document, "time", &s->time);
	json_set_text(document, "host", s->host);
	json_object_set_new(document, "daemon", daemon_status(s));
	json_object_set_new(document, "bypass", json_boolean(s->bypass));
	json_object_set_new(document, "exchanging_tables", json_boolean(s->waits));
	for (i = 0; i < s->iface_count; i++)
		json_array_append_new(ifaces, iface_status(s, &s->iface[i]));
	json_object_set_new(document, "interfaces", ifaces);
	json_object_set_new(document, "flows", occupancy(s));
	json_object_set_new(document, "flood", json_flood(s));
	json_object_set_new(document, "lists",
			    json_pack("{s:I, s:I}", "block", (json_int_t)s->rules[TG_LIST_BLOCK],
				      "allow", (json_int_t)s->rules[TG_LIST_ALLOW]));
	for (map = 0; map < PINS_MAP_MAX; map++)
		json_set_number(memory, pins_map_name((enum pins_map)map), s->map_bytes[map]);
	json_set_number(memory, "lists", s->lists_bytes);
	json_set_number(memory, "total", s->total_bytes);
	json_object_set_new(document, "memory_bytes", memory);
	json_put(out, document);
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
	json_set_number(object, "packets", packets);
	json_set_number(object, "bytes", bytes);
	json_set_number(object, "drop", row->action == TG_ACTION_DROP ? done->packets : 0);
	json_set_number(object, "would_drop", counters->count[TG_OUTCOME_WOULD_DROP][verdict].packets);
	json_set_number(object, "bypass", counters->count[TG_OUTCOME_BYPASS][verdict].packets);
	json_set_number(object, "own", counters->count[TG_OUTCOME_OWN][verdict].packets);
	return object;
}

static json_t *sums_object(const struct snapshot_sums *sums, bool bytes)
{
	json_t *object = json_object();

	json_set_number(object, "pass", bytes ? sums->pass.bytes : sums->pass.packets);
	json_set_number(object, "challenge", bytes ? sums->challenge.bytes : sums->challenge.packets);
	json_set_number(object, "drop", bytes ? sums->drop.bytes : sums->drop.packets);
	json_set_number(object, "would_drop", bytes ? sums->would_drop.bytes : sums->would_drop.packets);
	json_set_number(object, "bypass", bytes ? sums->bypass.bytes : sums->bypass.packets);
	json_set_number(object, "own", bytes ? sums->own.bytes : sums->own.packets);
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

void json_stats(struct output *out, const struct output_stats *stats)
{
	json_t *document = json_document("tcpguard.stats/1"), *ifaces = json_array();
	const struct snapshot *s = stats->now;
	uint32_t i;

	json_set_time(document, "time", &s->time);
	json_set_text(document, "host", s->host);
	for (i = 0; i < s->iface_count; i++)
		json_array_append_new(ifaces, iface_stats(s, &s->iface[i]));
	json_object_set_new(document, "interfaces", ifaces);
	json_object_set_new(document, "services", json_services(s));
	json_object_set_new(document, "flows", occupancy(s));
	json_object_set_new(document, "bypass", json_boolean(s->bypass));
	json_object_set_new(document, "daemon", daemon_status(s));
	json_object_set_new(document, "events", json_event_counts(s));
	json_object_set_new(document, "list_entries", json_list_entries(s));
	json_put(out, document);
	fflush(out->stream);
}
