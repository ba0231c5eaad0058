/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log is a ring indexed by sequence number; what is overwritten is remembered by its count. */
#include "events.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "clock_ns.h"
#include "log.h"

struct events {
	struct pins *pins;
	struct ring_buffer *ring;
	struct tg_event log[EVENTS_LOG];
	uint64_t next; /* sequence number of the next event */
	uint64_t total[TG_EVENT_MAX]; /* of each type, ever */
	uint64_t gone[TG_EVENT_MAX]; /* of those, overwritten */
	uint32_t traced[TG_TRACES_MAX]; /* readers of each trace */
	int64_t wall_offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	size_t taken; /* in the present batch */
	bool discard; /* it, unread */
	struct tg_event_counts counts; /* of what the daemon says */
	bool counts_changed;
	int64_t freed_second; /* limit on what the sweep may tell */
	uint32_t freed_told;
};

/* --- the log -------------------------------------------------------------------------------------- */

static void append(struct events *events, const struct tg_event *event)
{
	struct tg_event *place = &events->log[events->next % EVENTS_LOG];
	const struct tg_iface *iface;

	if (events->next >= EVENTS_LOG)
		events->gone[place->type]++;
	*place = *event;
	place->sequence = events->next++;
	events->total[place->type]++;
	if (place->iface_slot >= TG_IFACES_MAX)
		return;
	iface = &events->pins->ifaces[place->iface_slot];
	memcpy(place->iface, iface->name, sizeof(place->iface));
	place->iface[sizeof(place->iface) - 1] = '\0';
}

static uint64_t oldest(const struct events *events)
{
	return events->next < EVENTS_LOG ? 0 : events->next - EVENTS_LOG;
}

void events_go_to_end(const struct events *events, struct events_place *place)
{
	place->next = events->next;
	memcpy(place->passed, events->total, sizeof(place->passed));
}

uint64_t events_catch_up(const struct events *events, struct events_place *place, uint32_t types)
{
	uint64_t missed = 0;
	int type;

	if (place->next >= oldest(events))
		return 0;
	for (type = 0; type < TG_EVENT_MAX; type++)
		if (types & 1U << type)
			missed += events->gone[type] - place->passed[type];
	place->next = oldest(events);
	memcpy(place->passed, events->gone, sizeof(place->passed));
	return missed;
}

const struct tg_event *events_next(const struct events *events, struct events_place *place)
{
	const struct tg_event *event;

	if (place->next == events->next)
		return NULL;
	event = &events->log[place->next++ % EVENTS_LOG];
	place->passed[event->type]++;
	return event;
}

/* --- from the data path --------------------------------------------------------------------------- */

static int take_one(void *context, void *data, size_t size)
{
	struct events *events = context;
	struct tg_event event;

	if (size != sizeof(event))
		return 0;
	memcpy(&event, data, sizeof(event));
	if (event.type < TG_EVENT_MAX && !events->discard) {
		event.time_ns += (uint64_t)events->wall_offset_ns;
		append(events, &event);
	}
	/* An error ends the batch behind this event; the rest stays in the ring. */
	return ++events->taken == EVENTS_BATCH ? -EAGAIN : 0;
}

size_t events_take(struct events *events)
{
	events->taken = 0;
	events->wall_offset_ns = clock_wall_offset_ns();
	ring_buffer__consume(events->ring);
	return events->taken;
}

/* What a killed daemon, or the last readers, left in the ring. */
static void discard_ring(struct events *events)
{
	size_t rounds;

	/* Producers may be at work still: a bound, not "until empty". */
	events->discard = true;
	for (rounds = 0; rounds < 4 && events_take(events); rounds++)
		;
	events->discard = false;
}

void events_watch(struct events *events, uint32_t what)
{
	uint32_t *watch = &events->pins->settings->watch;
	uint32_t before = TG_READ_ONCE(*watch) & (TG_WATCH_EVENTS | TG_WATCH_TRACE);

	if (before == what)
		return;
	if (!before)
		discard_ring(events);
	__sync_fetch_and_or(watch, what);
	__sync_fetch_and_and(watch, what | ~(uint32_t)(TG_WATCH_EVENTS | TG_WATCH_TRACE));
}

uint64_t events_trace(struct events *events, const struct tg_flow_key *key)
{
	__u64 *traced = events->pins->settings->watched.traced;
	struct tg_hash_key hash;
	int i, unused = -1;
	uint64_t tag;

	tg_hash_key_for_zone(events->pins->info.coefficient, key->zone, &hash);
	tag = tg_tag_of_key(&hash, key);
	for (i = 0; i < TG_TRACES_MAX; i++) {
		if (events->traced[i] && traced[i] == tag) {
			events->traced[i]++;
			return tag;
		}
		if (!events->traced[i])
			unused = i;
	}
	if (unused < 0)
		return 0;
	events->traced[unused] = 1;
	TG_WRITE_ONCE(traced[unused], tag);
	return tag;
}

void events_untrace(struct events *events, uint64_t tag)
{
	__u64 *traced = events->pins->settings->watched.traced;
	int i;

	for (i = 0; i < TG_TRACES_MAX; i++)
		if (events->traced[i] && traced[i] == tag && !--events->traced[i])
			TG_WRITE_ONCE(traced[i], 0);
}

/* --- by the daemon -------------------------------------------------------------------------------- */

static void say(struct events *events, struct tg_event *event)
{
	event->time_ns = (uint64_t)clock_ns(CLOCK_REALTIME);
	append(events, event);
	events->counts.emitted[event->type]++;
	events->counts_changed = true;
}

void events_say(struct events *events, enum tg_event_type type, const char *format, ...)
{
	struct tg_event event;
	va_list arguments;

	memset(&event, 0, sizeof(event));
	event.type = type;
	event.iface_slot = TG_IFACES_MAX; /* none */
	va_start(arguments, format);
	vsnprintf(event.text, sizeof(event.text), format, arguments);
	va_end(arguments);
	say(events, &event);
}

/* As many a second as the data path may tell of one kind. */
static bool too_many_freed(struct events *events)
{
	uint32_t limit = tg_active_config(events->pins->settings)->events_per_second;
	int64_t second = clock_ns(CLOCK_MONOTONIC) / 1000000000;

	if (second != events->freed_second) {
		events->freed_second = second;
		events->freed_told = 0;
	}
	return limit && events->freed_told++ >= limit;
}

static void fill_freed(struct tg_event *event, const struct ager_freed *freed)
{
	const struct tg_half *half = freed->slot.half;
	int side;

	event->type = TG_EVENT_END;
	event->cause = freed->evicted ? TG_END_EVICTED : TG_END_TIMEOUT;
	event->iface_slot = TG_IFACES_MAX;
	event->protocol = 6;
	event->has_flow = true;
	event->tag = freed->slot.tag;
	event->number = freed->number;
	event->claim = freed->slot.claim;
	event->key = freed->detail.key;
	event->age_ms = (uint32_t)freed->now_ms - freed->detail.created_ms;
	event->phase = event->phase_before = tg_flow_phase(&half[TG_SIDE_LO], &half[TG_SIDE_HI]);
	for (side = 0; side < TG_SIDE_MAX; side++) {
		event->half[side] = half[side];
		event->isn[side] = freed->detail.isn[side];
		event->bytes[side] = freed->detail.count[side].bytes;
		event->packets[side] = freed->detail.count[side].packets;
		event->state[side] = tg_endpoint_state(&half[side], &half[!side]);
		event->state_before[side] = event->state[side];
	}
}

void events_say_freed(struct events *events, const struct ager_freed *freed)
{
	enum tg_phase phase = tg_flow_phase(&freed->slot.half[TG_SIDE_LO], &freed->slot.half[TG_SIDE_HI]);
	struct tg_event event;

	/* Its end was told when it ended. */
	if (phase == TG_PHASE_TIME_WAIT || phase == TG_PHASE_CLOSED)
		return;
	if (too_many_freed(events)) {
		events->counts.suppressed[TG_EVENT_END]++;
		events->counts_changed = true;
		return;
	}
	memset(&event, 0, sizeof(event));
	fill_freed(&event, freed);
	say(events, &event);
}

void events_write_counts(struct events *events)
{
	int cpus = libbpf_num_possible_cpus(), fd = events->pins->fd[PINS_EVENT_COUNTS];
	__u32 entry = TG_COUNTED_DAEMON;
	struct tg_event_counts *values;

	if (!events->counts_changed || cpus <= 0)
		return;
	values = calloc((size_t)cpus, sizeof(*values));
	if (!values)
		return; /* next time */
	values[0] = events->counts;
	if (!bpf_map_update_elem(fd, &entry, values, BPF_ANY))
		events->counts_changed = false;
	free(values);
}

void events_set_readers(struct events *events, uint32_t readers)
{
	TG_WRITE_ONCE(events->pins->settings->watched.readers, readers);
}

/* Counts go on where the last daemon left off. */
static int read_counts(struct events *events)
{
	int cpus = libbpf_num_possible_cpus();
	__u32 entry = TG_COUNTED_DAEMON;
	struct tg_event_counts *values;
	int err = 0;

	values = cpus > 0 ? calloc((size_t)cpus, sizeof(*values)) : NULL;
	if (!values)
		return -ENOMEM;
	if (bpf_map_lookup_elem(events->pins->fd[PINS_EVENT_COUNTS], &entry, values))
		err = -errno;
	else
		events->counts = values[0];
	free(values);
	return err;
}

static void switch_off(struct events *events)
{
	events_watch(events, 0);
	events_set_readers(events, 0);
	memset(events->pins->settings->watched.traced, 0,
	       sizeof(events->pins->settings->watched.traced));
}

struct events *events_new(struct pins *pins)
{
	struct events *events = calloc(1, sizeof(*events));
	int err = ENOMEM;

	if (events) {
		events->pins = pins;
		events->ring = ring_buffer__new(pins->fd[PINS_EVENTS], take_one, events, NULL);
		err = events->ring ? -read_counts(events) : errno;
	}
	if (!err) {
		switch_off(events);
		return events;
	}
	if (events)
		ring_buffer__free(events->ring);
	free(events);
	errno = err;
	return NULL;
}

void events_free(struct events *events)
{
	if (!events)
		return;
	switch_off(events);
	events_write_counts(events);
	ring_buffer__free(events->ring);
	free(events);
}
