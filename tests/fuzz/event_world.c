/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of libbpf what events.c calls, and a second log that remembers types alone. */
#include "tests/fuzz/event_world.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tests/fuzz/late_clock.h"

#define QUEUE 16
#define TOLD_MAX (EVENTS_LOG + EVENTS_LOG / 2) /* enough to overwrite the log; what is more takes time */

struct tg_settings event_world_settings;

struct ring_buffer {
	ring_buffer_sample_fn take;
	void *context;
};

static struct tg_iface ifaces[TG_IFACES_MAX];
static struct pins pins;
static struct events *world;
static uint64_t told[TG_EVENT_MAX], told_in_all;
static uint8_t type_of[EVENTS_LOG];
static struct tg_event queue[QUEUE];
static size_t queue_size[QUEUE];
static unsigned int queued;
static bool discarding;

static void remember(uint8_t type)
{
	told[type]++;
	type_of[told_in_all++ % EVENTS_LOG] = type;
}

struct events *event_world_new(void)
{
	memset(&event_world_settings, 0, sizeof(event_world_settings));
	memset(told, 0, sizeof(told));
	memset(ifaces[1].name, 'x', sizeof(ifaces[1].name)); /* without an end */
	told_in_all = queued = 0;
	late_clock_reset();
	pins = (struct pins){ .settings = &event_world_settings, .ifaces = ifaces };
	world = events_new(&pins);
	FUZZ_CHECK(world);
	return world;
}

void event_world_say(uint8_t kind, uint32_t count)
{
	static const enum tg_event_type types[] = { TG_EVENT_LIST, TG_EVENT_MODE, TG_EVENT_GUARD, TG_EVENT_DAEMON };

	for (; count && told_in_all < TOLD_MAX; count--) {
		events_say(world, types[kind & 3], "said");
		remember((uint8_t)types[kind & 3]);
	}
}

void event_world_ring(struct fuzz_input *input, uint8_t count)
{
	for (count %= QUEUE; queued < count; queued++) {
		struct tg_event *event = &queue[queued];
		uint8_t type = fuzz_u8(input), fill = fuzz_u8(input);

		memset(event, fill, sizeof(*event));
		event->type = type & 0x80 ? type : type % TG_EVENT_MAX;
		event->tag = fill & 1 ? event_world_settings.watched.traced[fill % TG_TRACES_MAX] : fill;
		queue_size[queued] = (type & 0x60) == 0x60 ? sizeof(*event) - (type & 7) : sizeof(*event);
	}
}

uint64_t event_world_told(uint32_t types, bool less_remembered)
{
	uint64_t count = 0, i, oldest = told_in_all > EVENTS_LOG ? told_in_all - EVENTS_LOG : 0;
	int type;

	for (type = 0; type < TG_EVENT_MAX; type++)
		if (types & 1U << type)
			count += told[type];
	for (i = oldest; less_remembered && i < told_in_all; i++)
		count -= types >> type_of[i % EVENTS_LOG] & 1;
	return count;
}

/* --- libbpf --------------------------------------------------------------------------------------- */

struct ring_buffer *ring_buffer__new(int fd, ring_buffer_sample_fn take, void *context,
				     const struct ring_buffer_opts *options)
{
	struct ring_buffer *ring = malloc(sizeof(*ring));

	(void)fd;
	(void)options;
	FUZZ_CHECK(ring);
	*ring = (struct ring_buffer){ take, context };
	return ring;
}

void ring_buffer__free(struct ring_buffer *ring)
{
	free(ring);
}

/* What is taken while nobody wants it is thrown away. */
int ring_buffer__consume(struct ring_buffer *ring)
{
	unsigned int i;
	int err = 0;

	discarding = !(event_world_settings.watch & (TG_WATCH_EVENTS | TG_WATCH_TRACE));
	for (i = 0; i < queued && err >= 0; i++) {
		if (!discarding && queue_size[i] == sizeof(queue[i]) && queue[i].type < TG_EVENT_MAX)
			remember(queue[i].type);
		err = ring->take(ring->context, &queue[i], queue_size[i]);
	}
	queued = 0;
	return err;
}

int libbpf_num_possible_cpus(void)
{
	return 2;
}

int bpf_map_lookup_elem(int fd, const void *key, void *value)
{
	(void)fd;
	(void)key;
	memset(value, 0, 2 * sizeof(struct tg_event_counts));
	return 0;
}

int bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	(void)fd;
	(void)key;
	(void)flags;
	fuzz_touch(value, 2 * sizeof(struct tg_event_counts));
	return 0;
}
