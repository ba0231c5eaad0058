/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lock, request, ring. */
#include "capture_live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "clock_ns.h"
#include "log.h"
#include "privilege.h"

struct capture_live {
	struct pins *pins;
	int lock;
	struct ring_buffer *ring;
	uint32_t serial;
	uint64_t lost_before;
	int64_t wall_offset_ns;
	capture_visitor visit; /* of the present reading */
	void *context;
	int seen;
};

static int take_one(void *context, void *data, size_t size)
{
	struct capture_live *live = context;
	struct tg_capture head;

	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	/* The service's user can have libbpf read on from the middle of a packet, lengths and all. */
	if (head.captured > TG_CAPTURE_BYTES)
		return 0;
	/* Of a capture that was killed: nobody wants it any more. */
	if (head.serial != live->serial || size < sizeof(head) + head.captured || !live->visit)
		return 0;
	head.time_ns += (uint64_t)live->wall_offset_ns;
	live->seen++;
	/* libbpf takes only negative answers for an end. */
	return live->visit(live->context, &head, (const uint8_t *)data + sizeof(head)) ? -ECANCELED : 0;
}

int capture_live_read(struct capture_live *live, capture_visitor visit, void *context)
{
	live->visit = visit;
	live->context = context;
	live->seen = 0;
	live->wall_offset_ns = clock_wall_offset_ns();
	return ring_buffer__consume(live->ring) < 0 ? -ECANCELED : live->seen;
}

static uint64_t count_lost(const struct pins *pins)
{
	int cpus = libbpf_num_possible_cpus(), cpu;
	__u32 entry = TG_COUNTED_DATAPATH;
	struct tg_event_counts *values;
	uint64_t lost = 0;

	values = cpus > 0 ? calloc((size_t)cpus, sizeof(*values)) : NULL;
	if (values && !bpf_map_lookup_elem(pins->fd[PINS_EVENT_COUNTS], &entry, values))
		for (cpu = 0; cpu < cpus; cpu++)
			lost += values[cpu].capture_lost;
	free(values);
	return lost;
}

uint64_t capture_live_lost(const struct capture_live *live)
{
	return count_lost(live->pins) - live->lost_before;
}

static void switch_off(struct pins *pins)
{
	__sync_fetch_and_and(&pins->settings->watch, ~(__u32)TG_WATCH_CAPTURE);
}

static int lock_capture(struct capture_live *live)
{
	char buffer[96];

	live->lock = pins_lock_capture();
	if (live->lock >= 0)
		return 0;
	if (live->lock == -EBUSY)
		log_err_hint(0, "end that one first", "another capture is running");
	else
		log_err_hint(live->lock, privilege_remedy(live->lock, buffer, sizeof(buffer)),
			     "cannot lock " PINS_DIR "/capture");
	return live->lock;
}

/* The request is written while nobody reads it. */
static void switch_on(struct capture_live *live, const struct tg_capture_request *request)
{
	struct tg_settings *settings = live->pins->settings;

	switch_off(live->pins);
	live->serial = settings->watched.capture.serial + 1;
	settings->watched.capture = *request;
	settings->watched.capture.serial = live->serial;
	live->lost_before = count_lost(live->pins);
	__sync_fetch_and_or(&settings->watch, TG_WATCH_CAPTURE);
}

int capture_live_open(struct capture_live **out, struct pins *pins,
		      const struct tg_capture_request *request)
{
	struct capture_live *live = calloc(1, sizeof(*live));
	int err;

	*out = NULL;
	if (!live)
		return log_err(-ENOMEM, "cannot capture");
	live->pins = pins;
	err = lock_capture(live);
	if (!err) {
		live->ring = ring_buffer__new(pins->fd[PINS_CAPTURES], take_one, live, NULL);
		err = live->ring ? 0 : log_err(-errno, "cannot read captured packets");
	}
	if (err) {
		capture_live_close(live);
		return err;
	}
	switch_on(live, request);
	*out = live;
	return 0;
}

void capture_live_close(struct capture_live *live)
{
	if (!live)
		return;
	if (live->lock >= 0 && live->ring)
		switch_off(live->pins);
	ring_buffer__free(live->ring);
	if (live->lock >= 0)
		close(live->lock);
	free(live);
}
