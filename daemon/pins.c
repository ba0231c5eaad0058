/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens what is pinned and maps it.  The locks: pins_lock.c. */
#include "pins.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "log.h"
#include "pins_path.h"
#include "privilege.h"
#include "resource.h"

#define CLOCK_FRAME_BYTES 64
#define START_ANEW "remove everything with 'tcpguard detach --all --purge' and attach again"

#define ARRAY BPF_MAP_TYPE_ARRAY
#define EACH_CPU BPF_MAP_TYPE_PERCPU_ARRAY
#define RING BPF_MAP_TYPE_RINGBUF

/* Every map, its value as compiled here, and the member of struct pins it is mapped to. */
static const struct map_row {
	const char *name;
	enum bpf_map_type type;
	size_t value_bytes;
	size_t member; /* 0: not mapped */
} maps[PINS_MAP_MAX] = {
	[PINS_FLOWS] = { "tg_flows", ARRAY, sizeof(struct tg_bucket), offsetof(struct pins, buckets) },
	[PINS_DETAILS] = { "tg_details", ARRAY, sizeof(struct tg_detail), offsetof(struct pins, details) },
	[PINS_BUCKETS] = { "tg_buckets", ARRAY, sizeof(__u64), offsetof(struct pins, words) },
	[PINS_SETTINGS] = { "tg_settings", ARRAY, sizeof(struct tg_settings),
			    offsetof(struct pins, settings) },
	[PINS_IFACES] = { "tg_ifaces", ARRAY, sizeof(struct tg_iface), offsetof(struct pins, ifaces) },
	[PINS_INFO] = { "tg_info", ARRAY, sizeof(struct tg_table_info), 0 },
	[PINS_COUNTERS] = { "tg_counters", EACH_CPU, sizeof(struct tg_counters), 0 },
	[PINS_TALLIES] = { "tg_tallies", EACH_CPU, sizeof(struct tg_tallies), 0 },
	[PINS_SERVICE_DROPS] = { "tg_service_drops", EACH_CPU, sizeof(struct tg_service_drops), 0 },
	[PINS_PORTS] = { "tg_ports", ARRAY, sizeof(struct tg_ports), offsetof(struct pins, ports) },
	[PINS_DESTINATIONS] = { "tg_destinations", EACH_CPU, sizeof(struct tg_destination), 0 },
	[PINS_DESTINATION_TOTALS] = { "tg_destination_totals", ARRAY,
				      sizeof(struct tg_destination_total), 0 },
	[PINS_PROTECTED] = { "tg_protected", ARRAY, sizeof(struct tg_protected),
			     offsetof(struct pins, protected) },
	[PINS_SOURCES] = { "tg_sources", ARRAY, sizeof(struct tg_source),
			   offsetof(struct pins, sources) },
	[PINS_SEEN] = { "tg_seen", ARRAY, sizeof(struct tg_seen), 0 },
	[PINS_BUDGET] = { "tg_budget", EACH_CPU, sizeof(struct tg_budget), 0 },
	[PINS_COOKIES] = { "tg_cookies", ARRAY, sizeof(struct tg_cookies), offsetof(struct pins, cookies) },
	[PINS_ATTACHED] = { "tg_attached", BPF_MAP_TYPE_HASH, sizeof(__u32), 0 },
	[PINS_LISTS] = { "tg_lists", BPF_MAP_TYPE_ARRAY_OF_MAPS, sizeof(__u32), 0 },
	[PINS_EVENTS] = { "tg_events", RING, 0, 0 },
	[PINS_CAPTURES] = { "tg_captures", RING, 0, 0 },
	[PINS_EVENT_COUNTS] = { "tg_event_counts", EACH_CPU, sizeof(struct tg_event_counts), 0 },
	[PINS_EVENT_LIMIT] = { "tg_event_limit", EACH_CPU, sizeof(struct tg_event_limits), 0 },
	[PINS_SCRATCH] = { "tg_scratch", EACH_CPU, sizeof(struct tg_capture_record), 0 },
};

static void **mapped_member(struct pins *p, enum pins_map map)
{
	return (void **)((char *)p + maps[map].member);
}

static size_t entries_of(const struct pins *p, enum pins_map map)
{
	switch (map) {
	case PINS_FLOWS:
	case PINS_BUCKETS:
		return p->info.buckets;
	case PINS_DETAILS:
		return (size_t)p->info.buckets * p->layout->ways;
	case PINS_IFACES:
		return TG_IFACES_MAX;
	case PINS_PORTS:
		return 2;
	case PINS_PROTECTED:
		return TG_DESTINATIONS;
	case PINS_SOURCES:
		return TG_SOURCE_ROWS * TG_SOURCE_CELLS;
	default:
		return 1;
	}
}

/* The flow table alone may be of an earlier layout. */
static size_t value_bytes_of(const struct pins *p, enum pins_map map)
{
	if (map == PINS_FLOWS)
		return p->layout->ways * p->layout->slot_bytes;
	if (map == PINS_DETAILS)
		return p->layout->detail_bytes;
	return maps[map].value_bytes;
}

/* Arrays round each value up to 8 bytes and the whole to a page. */
static size_t mapped_bytes(const struct pins *p, enum pins_map map)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t bytes = ((value_bytes_of(p, map) + 7) & ~(size_t)7) * entries_of(p, map);

	return (bytes + page - 1) & ~(page - 1);
}

const char *pins_map_name(enum pins_map map)
{
	return maps[map].name;
}

/* Nothing pinned, no right to look, or worse: said once, here. */
static int open_failed(int err, const char *path, bool anything_pinned)
{
	char buffer[96];
	const char *remedy = privilege_remedy(err, buffer, sizeof(buffer));

	if (remedy)
		return log_err_hint(err, remedy, "cannot open %s", path);
	if (err != -ENOENT)
		return log_err_hint(err, resource_remedy(err), "cannot open %s", path);
	if (anything_pinned) {
		log_err_hint(0, START_ANEW, "%s is missing beside the other pins", path);
		return -EIO;
	}
	if (!pins_on_bpffs())
		log_err_hint(0,
			     "mount it with '" PINS_MOUNT "', then 'tcpguard attach IFACE'",
			     "not attached: no bpffs is mounted at " PINS_BPFFS);
	else
		log_err_hint(0, "attach with 'tcpguard attach IFACE'",
			     "not attached: nothing is pinned in " PINS_DIR);
	return -ENOENT;
}

/*
 * The type, too: the service's user can pin any map here.  Of one with a value for each CPU the kernel
 * would write more than there is room for, and of longer keys it would read more than there is.
 */
static bool is_as_compiled(const struct pins *p, enum pins_map map, const struct bpf_map_info *info)
{
	const struct map_row *row = &maps[map];

	return info->type == row->type && info->key_size == (row->type == RING ? 0 : sizeof(__u32)) &&
	       info->value_size == value_bytes_of(p, map) &&
	       (!row->member || info->max_entries >= entries_of(p, map));
}

static int check_layout(const struct pins *p, enum pins_map map)
{
	struct bpf_map_info info = {};
	__u32 bytes = sizeof(info);

	if (bpf_obj_get_info_by_fd(p->fd[map], &info, &bytes))
		return log_err(-errno, "cannot examine map %s", maps[map].name);
	if (is_as_compiled(p, map, &info))
		return 0;
	log_err_hint(0, START_ANEW, "pinned map %s has another layout than this tcpguard",
		     maps[map].name);
	return -EPROTO;
}

static int open_map(struct pins *p, enum pins_map map, bool writable)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", p->directory, maps[map].name);
	/* A shared mapping, even one for reading, wants a descriptor open for both. */
	p->fd[map] = pins_path_get(path, writable || maps[map].member ? 0 : BPF_F_RDONLY);
	if (p->fd[map] < 0)
		return open_failed(-errno, path, map != PINS_INFO);
	return 0;
}

static int say_other_layout(const struct pins *p, bool known)
{
	log_err_hint(0, known ? "'tcpguard upgrade' carries the flows over" : START_ANEW,
		     "the pinned maps have layout %u, this tcpguard has %u", p->info.layout_version,
		     TG_LAYOUT_VERSION);
	return -EPROTO;
}

/* The facts about the table come first: they say how large the rest is. */
static int open_info(struct pins *p, bool any_layout)
{
	__u32 zero = 0;
	int err;

	err = open_map(p, PINS_INFO, false);
	if (!err)
		err = check_layout(p, PINS_INFO);
	if (err)
		return err;
	if (bpf_map_lookup_elem(p->fd[PINS_INFO], &zero, &p->info))
		return log_err(-errno, "cannot read map %s", maps[PINS_INFO].name);
	p->layout = layout_find(p->info.layout_version);
	if (!p->layout)
		return say_other_layout(p, false);
	if (!p->info.buckets) {
		log_err_hint(0, START_ANEW, "the pinned map %s says that the flow table has no buckets",
			     maps[PINS_INFO].name);
		return -EPROTO;
	}
	return any_layout || p->layout == layout_own() ? 0 : say_other_layout(p, true);
}

static int map_memory(struct pins *p, enum pins_map map, bool writable)
{
	void *memory;
	int err;

	if (!maps[map].member)
		return 0;
	memory = mmap(NULL, mapped_bytes(p, map), PROT_READ | (writable ? PROT_WRITE : 0),
		      MAP_SHARED, p->fd[map], 0);
	if (memory == MAP_FAILED) {
		err = -errno;
		return log_err_hint(err, resource_remedy(err), "cannot map %s into memory",
				    maps[map].name);
	}
	*mapped_member(p, map) = memory;
	return 0;
}

static int open_clock(struct pins *p)
{
	p->clock_fd = pins_path_get(PINS_DIR "/clock", 0);
	return p->clock_fd < 0 ? open_failed(-errno, PINS_DIR "/clock", true) : 0;
}

static int open_everything(struct pins *p, bool writable, bool any_layout)
{
	enum pins_map map;
	int err;

	err = open_info(p, any_layout);
	if (err)
		return err;
	for (map = 0; map < PINS_MAP_MAX; map++) {
		if (map == PINS_INFO)
			continue;
		err = open_map(p, map, writable);
		if (!err)
			err = check_layout(p, map);
		if (!err)
			err = map_memory(p, map, writable);
		if (err)
			return err;
	}
	return open_clock(p);
}

void pins_refresh(struct pins *p)
{
	p->table.timeouts = &tg_active_config(p->settings)->timeouts;
}

static int open_from(struct pins *p, const char *directory, bool writable, bool any_layout)
{
	enum pins_map map;
	int err;

	memset(p, 0, sizeof(*p));
	p->directory = directory;
	p->layout = layout_own();
	p->clock_fd = -1;
	for (map = 0; map < PINS_MAP_MAX; map++)
		p->fd[map] = -1;
	err = open_everything(p, writable, any_layout);
	if (err) {
		pins_close(p);
		return err;
	}
	p->table.buckets = p->info.buckets;
	pins_refresh(p);
	p->table.bucket = p->buckets;
	p->table.detail = p->details;
	p->table.word = p->words;
	return 0;
}

int pins_open(struct pins *p, bool writable)
{
	return open_from(p, PINS_MAPS_DIR, writable, false);
}

int pins_open_at(struct pins *p, const char *directory, bool any_layout)
{
	return open_from(p, directory, true, any_layout);
}

uint32_t pins_layout_at(const char *directory)
{
	struct pins any = { .layout = layout_own() };
	struct bpf_map_info info = {};
	struct tg_table_info table = {};
	__u32 bytes = sizeof(info), zero = 0;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, maps[PINS_INFO].name);
	fd = pins_path_get(path, BPF_F_RDONLY);
	if (fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &bytes) || !is_as_compiled(&any, PINS_INFO, &info) ||
	    bpf_map_lookup_elem(fd, &zero, &table))
		table.layout_version = 0;
	close(fd);
	return table.layout_version;
}

void pins_close(struct pins *p)
{
	enum pins_map map;

	for (map = 0; map < PINS_MAP_MAX; map++) {
		if (maps[map].member && *mapped_member(p, map)) {
			munmap(*mapped_member(p, map), mapped_bytes(p, map));
			*mapped_member(p, map) = NULL;
		}
		if (p->fd[map] >= 0)
			close(p->fd[map]);
		p->fd[map] = -1;
	}
	if (p->clock_fd >= 0)
		close(p->clock_fd);
	p->clock_fd = -1;
}

void pins_read_runs(uint32_t slot, const char *which, struct pins_runs *runs)
{
	struct bpf_prog_info info = {};
	__u32 bytes = sizeof(info);
	char path[128];
	int fd;

	snprintf(path, sizeof(path), PINS_DIR "/iface/%u/%s", slot, which);
	fd = pins_path_get(path, 0);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &bytes))
		memset(&info, 0, sizeof(info));
	if (fd >= 0)
		close(fd);
	runs->count = info.run_cnt;
	runs->ns = info.run_time_ns;
}

enum pins_link pins_link_state(uint32_t slot, const char *which)
{
	struct bpf_link_info info = {};
	__u32 bytes = sizeof(info);
	char path[128];
	int fd, err;

	snprintf(path, sizeof(path), PINS_DIR "/iface/%u/%s", slot, which);
	fd = pins_path_get(path, 0);
	err = fd < 0 ? -errno : bpf_obj_get_info_by_fd(fd, &info, &bytes);
	if (fd >= 0)
		close(fd);
	errno = -err;
	if (err)
		return pins_path_passing(err) ? PINS_LINK_UNKNOWN : PINS_LINK_ABSENT;
	/* xdp.ifindex is the first word of the union; so is tcx.ifindex, unknown to older headers. */
	return info.xdp.ifindex ? PINS_LINK_ALIVE : PINS_LINK_GONE;
}

int pins_now_ms(const struct pins *p, uint64_t *now_ms)
{
	__u8 in[CLOCK_FRAME_BYTES] = { 0 }, out[CLOCK_FRAME_BYTES] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_size_in = sizeof(in),
		    .data_out = out, .data_size_out = sizeof(out), .repeat = 1);
	char buffer[96];
	int err;

	if (bpf_prog_test_run_opts(p->clock_fd, &opts)) {
		err = -errno;
		return log_err_hint(err, privilege_remedy(err, buffer, sizeof(buffer)),
				    "cannot run the clock program " PINS_DIR "/clock");
	}
	memcpy(now_ms, out, sizeof(*now_ms));
	return 0;
}
