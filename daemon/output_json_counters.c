/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is counted beside the verdicts. */
#include "output_json_counters.h"

#include "event_filter.h"
#include "format.h"
#include "names.h"
#include "output_json_values.h"

/* Carried out, and not. */
static json_t *drops_by_class(const __u64 drops[TG_CLASS_MAX][2])
{
	json_t *object = json_object();
	int class;

	for (class = 0; class < TG_CLASS_MAX; class ++) {
		json_t *row = json_object();

		json_set_number(row, "drop", drops[class][0]);
		json_set_number(row, "would_drop", drops[class][1]);
		json_object_set_new(object, names_class((enum tg_class) class), row);
	}
	return object;
}

/* Upper bounds in milliseconds are powers of two; the last bucket has none. */
static json_t *histogram(const struct tg_tallies *tallies)
{
	json_t *object = json_object(), *buckets = json_array();
	int bucket;

	for (bucket = 0; bucket < TG_HANDSHAKE_BUCKETS; bucket++)
		json_array_append_new(buckets, json_integer((json_int_t)tallies->handshake[bucket]));
	json_object_set_new(object, "below_ms_power_of_2", buckets);
	json_set_number(object, "sum_ms", tallies->handshake_sum_ms);
	return object;
}

json_t *json_tallies(const struct tg_tallies *tallies)
{
	json_t *object = json_object(), *hit = json_object();
	int i;

	for (i = 0; i < TG_TALLY_MAX; i++)
		json_set_number(object, names_tally((enum tg_tally)i), tallies->tally[i]);
	json_object_set_new(object, "established_drops", drops_by_class(tallies->established_drops));
	for (i = 0; i < TG_CLASS_MAX; i++)
		json_set_number(hit, names_class((enum tg_class)i), tallies->flows_hit[i]);
	json_object_set_new(object, "flows_hit", hit);
	json_object_set_new(object, "handshake", histogram(tallies));
	return object;
}

json_t *json_services(const struct snapshot *s)
{
	json_t *array = json_array();
	uint32_t i;

	for (i = 0; i < s->service_count; i++) {
		const struct tg_service *service = &s->service[i];
		json_t *object = json_object();

		json_set_text(object, "name", i ? service->name : "default");
		json_object_set_new(object, "mode",
				    service->has_mode ? json_string(names_mode(service->mode.mode)) :
							json_null());
		json_object_set_new(object, "synflood", json_string(names_flood_action(service->flood)));
		json_object_set_new(object, "drops", drops_by_class(s->service_drops[i].drops));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *protected_list(const struct snapshot *s)
{
	json_t *array = json_array();
	char text[FORMAT_BYTES];
	uint32_t i;

	for (i = 0; i < s->protected_count; i++) {
		const struct snapshot_protected *entry = &s->protected[i];
		json_t *object = json_object();

		json_object_set_new(object, "destination",
				    json_string(format_endpoint(text, sizeof(text), entry->addr,
								entry->port)));
		json_object_set_new(object, "action", json_string(names_flood_action(entry->action)));
		json_object_set_new(object, "since_seconds", json_real((double)entry->since_ms / 1000));
		json_array_append_new(array, object);
	}
	return array;
}

json_t *json_flood(const struct snapshot *s)
{
	const struct tg_flood *flood = &s->flood;
	json_t *object = json_object();

	json_object_set_new(object, "action", json_string(names_flood_action(flood->action)));
	json_set_number(object, "start_pps", flood->start_pps);
	json_set_number(object, "stop_pps", flood->stop_pps);
	json_set_number(object, "half_open_start", flood->half_open_start);
	json_set_number(object, "half_open_stop", flood->half_open_stop);
	json_set_number(object, "source_pps", flood->source_pps);
	json_set_number(object, "source_burst", flood->source_burst);
	json_set_number(object, "source_conns", flood->source_conns);
	json_set_number(object, "source_prefix4", flood->source_prefix4);
	json_set_number(object, "source_prefix6", flood->source_prefix6);
	json_object_set_new(object, "protected", protected_list(s));
	return object;
}

json_t *json_classes(uint32_t bits)
{
	json_t *array = json_array();
	int class;

	for (class = 0; class < TG_CLASS_MAX; class ++)
		if (bits & (1U << class))
			json_array_append_new(array, json_string(names_class((enum tg_class) class)));
	return array;
}

/* What was told, and what was not: ring full, sampled out or above the rate. */
json_t *json_event_counts(const struct snapshot *s)
{
	json_t *object = json_object(), *types = json_object(), *row, *watching = json_array();
	const struct tg_event_counts *counts = &s->events;
	struct tg_event event = { .type = TG_EVENT_NEW };

	if (s->watch & TG_WATCH_EVENTS)
		json_array_append_new(watching, json_string("events"));
	if (s->watch & TG_WATCH_TRACE)
		json_array_append_new(watching, json_string("trace"));
	if (s->watch & TG_WATCH_CAPTURE)
		json_array_append_new(watching, json_string("capture"));
	json_object_set_new(object, "watching", watching);
	json_set_number(object, "readers", s->event_readers);
	for (; event.type < TG_EVENT_MAX; event.type++) {
		row = json_object();
		json_set_number(row, "emitted", counts->emitted[event.type]);
		json_set_number(row, "lost", counts->lost[event.type]);
		json_set_number(row, "suppressed", counts->suppressed[event.type]);
		json_object_set_new(types, event_word(&event), row);
	}
	json_object_set_new(object, "types", types);
	json_set_number(object, "captured", counts->captured);
	json_set_number(object, "capture_lost", counts->capture_lost);
	return object;
}

json_t *json_list_entries(const struct snapshot *s)
{
	static const char *const names[TG_LIST_MAX] = { "block", "allow" }, *const families[] = { "ipv6",
												  "ipv4" };
	json_t *object = json_object(), *of_list, *of_family;
	int list, family, origin;

	for (list = 0; list < TG_LIST_MAX; list++) {
		of_list = json_object();
		for (family = 0; family < 2; family++) {
			of_family = json_object();
			for (origin = 0; origin < TG_LIST_ORIGIN_MAX; origin++)
				json_set_number(of_family, names_list_origins[origin],
						s->list_counts.rules[list][family][origin]);
			json_object_set_new(of_list, families[family], of_family);
		}
		json_object_set_new(object, names[list], of_list);
	}
	return object;
}
