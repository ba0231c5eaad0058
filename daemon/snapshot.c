/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the pinned maps into one struct.  Prints nothing but errors. */
#include "snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "lists.h"
#include "log.h"
#include "netdev.h"
#include "pins_path.h"
#include "settings.h"

#define LIST_TRIES 5

static void add_count(struct tg_count *sum, const struct tg_count *count)
{
	sum->packets += count->packets;
	sum->bytes += count->bytes;
}

/* values: one struct tg_counters a possible CPU. */
/* One entry of a per-CPU map whose value is nothing but 64-bit counters, added up. */
static int read_counters(int fd, uint32_t key, uint64_t *values, size_t bytes, int cpus, void *sum)
{
	size_t words = bytes / sizeof(uint64_t), i;
	uint64_t *total = sum;
	int cpu;

	if (bpf_map_lookup_elem(fd, &key, values))
		return -errno;
	memset(total, 0, bytes);
	for (cpu = 0; cpu < cpus; cpu++)
		for (i = 0; i < words; i++)
			total[i] += values[(size_t)cpu * words + i];
	return 0;
}

static void read_mode(const struct tg_mode_setting *setting, uint64_t now_ms,
		      struct snapshot_iface *out)
{
	uint64_t until_ms = TG_READ_ONCE(setting->until_ms);

	out->mode = tg_mode_at(setting, now_ms);
	out->fallback = (enum tg_mode)setting->fallback;
	out->confirm_left_ms = until_ms > now_ms ? until_ms - now_ms : 0;
}

static int read_iface(const struct pins *p, uint32_t slot, uint64_t now_ms, uint64_t *values,
		      int cpus, struct snapshot_iface *out)
{
	const struct tg_iface_settings *settings = &p->settings->iface[slot];
	uint64_t learn_until_ms = TG_READ_ONCE(settings->learn_until_ms);
	int err;

	out->slot = slot;
	out->iface = p->ifaces[slot];
	netdev_refresh_name(&out->iface);
	out->iface.driver[sizeof(out->iface.driver) - 1] = '\0';
	read_mode(&tg_active_config(p->settings)->iface[slot], now_ms, out);
	out->relaxed = TG_READ_ONCE(settings->relaxed);
	out->adopts = learn_until_ms == UINT64_MAX;
	out->learn_left_ms = !out->adopts && learn_until_ms > now_ms ? learn_until_ms - now_ms : 0;
	out->xdp_link = pins_link_state(slot, "xdp");
	out->tc_link = pins_link_state(slot, "tc");
	pins_read_runs(slot, "prog_xdp", &out->runs[0]);
	pins_read_runs(slot, "prog_tc", &out->runs[1]);
	err = read_counters(p->fd[PINS_COUNTERS], slot, values, sizeof(out->counters), cpus,
			    &out->counters);
	if (!err)
		err = read_counters(p->fd[PINS_TALLIES], slot, values, sizeof(out->tallies), cpus,
				    &out->tallies);
	return err ? log_err(err, "cannot read the counters of '%.*s'", TG_IFNAME_LEN, out->iface.name) : 0;
}

static int read_services(const struct pins *p, uint64_t *values, int cpus, struct snapshot *s)
{
	const struct tg_config *config = tg_active_config(p->settings);
	uint32_t count = TG_READ_ONCE(config->services), i; /* once: others may write to it */
	int err = 0;

	s->service_count = count <= TG_SERVICES_MAX ? count : TG_SERVICES_MAX;
	if (!s->service_count)
		s->service_count = 1; /* number 0 is every port of no service, named or not */
	for (i = 0; i < s->service_count && !err; i++) {
		s->service[i] = config->service[i];
		s->service[i].name[TG_SERVICE_NAME_LEN - 1] = '\0';
		err = read_counters(p->fd[PINS_SERVICE_DROPS], i, values,
				    sizeof(s->service_drops[i]), cpus, &s->service_drops[i]);
	}
	return err ? log_err(err, "cannot read the counters of the services") : 0;
}

static int read_all_counters(const struct pins *p, uint64_t now_ms, struct snapshot *s)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *values;
	uint32_t slot;
	int err = 0;

	if (cpus < 0)
		return log_err(cpus, "cannot tell the number of CPUs");
	values = calloc((size_t)cpus, sizeof(struct tg_counters) + sizeof(struct tg_tallies));
	if (!values)
		return log_err(-ENOMEM, "cannot read the counters");
	for (slot = 0; slot < TG_IFACES_MAX && !err; slot++) {
		if (!TG_READ_ONCE(p->ifaces[slot].ifindex))
			continue;
		err = read_iface(p, slot, now_ms, values, cpus, &s->iface[s->iface_count++]);
	}
	if (!err)
		err = read_services(p, values, cpus, s);
	free(values);
	return err;
}

/* Who is flooded now: renewed within the time protection outlasts the flood. */
static void read_protected(const struct pins *p, uint64_t now_ms, struct snapshot *s)
{
	uint32_t cell;

	for (cell = 0; cell < TG_DESTINATIONS && s->protected_count < SNAPSHOT_PROTECTED_MAX; cell++) {
		const struct tg_protected *from = &p->protected[cell];
		uint64_t last_ms = TG_READ_ONCE(from->last_ms);
		struct snapshot_protected *to = &s->protected[s->protected_count];

		if (!last_ms || now_ms > last_ms + TG_FLOOD_CALM_MS + 1000)
			continue;
		memcpy(to->addr, from->addr, sizeof(to->addr));
		to->port = from->port;
		to->action = (enum tg_flood_action)from->action;
		to->since_ms = now_ms > from->since_ms ? now_ms - from->since_ms : 0;
		s->protected_count++;
	}
}

/* Size as the kernel holds it: that of a ring; value rounded up to 8 bytes, times entries, times CPUs. */
static uint64_t map_bytes(int fd)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	uint64_t bytes;
	int cpus;

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return 0;
	if (info.type == BPF_MAP_TYPE_RINGBUF)
		return info.max_entries;
	bytes = ((uint64_t)info.value_size + 7) / 8 * 8 * info.max_entries;
	if (info.type == BPF_MAP_TYPE_PERCPU_ARRAY) {
		cpus = libbpf_num_possible_cpus();
		bytes *= cpus > 0 ? (uint64_t)cpus : 1;
	}
	return bytes;
}

/* A line of the pinned image. */
/* The service's user can put any map there: the kernel would write what that holds. */
static bool has_lines(int fd)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &size) && info.key_size == sizeof(__u32) &&
	       info.value_size == sizeof(struct tg_list_line) && info.type == BPF_MAP_TYPE_ARRAY;
}

static bool read_line(int fd, uint32_t number, struct tg_list_line *line)
{
	return !bpf_map_lookup_elem(fd, &number, line);
}

/* False: the image is not the one with this head. */
static bool read_list_counts(const struct tg_list_image *head, struct snapshot *s)
{
	struct tg_list_line line;
	char path[64];
	bool read;
	int fd;

	if (!head->prefixes)
		return true;
	snprintf(path, sizeof(path), LISTS_DIR "/%u", head->slot);
	fd = pins_path_get(path, 0);
	if (fd < 0)
		return false;
	read = has_lines(fd) && read_line(fd, 0, &line) && !memcmp(&line, head, sizeof(*head)) &&
	       read_line(fd, head->first_rule - 1, &line);
	close(fd);
	if (read)
		s->list_counts = line.counts;
	return read;
}

/* If they are exchanged meanwhile the new ones are read; an image somebody unpinned has no counts. */
static void read_lists(const struct pins *p, struct snapshot *s)
{
	struct tg_list_image head;
	int tries;

	for (tries = 0; tries < LIST_TRIES; tries++) {
		head = tg_active_config(p->settings)->lists;
		if (read_list_counts(&head, s))
			break;
	}
	memcpy(s->rules, head.rules, sizeof(s->rules));
	s->lists_bytes = (uint64_t)head.lines * TG_LIST_LINE_BYTES;
}

static void read_sizes(const struct pins *p, struct snapshot *s)
{
	int map;

	for (map = 0; map < PINS_MAP_MAX; map++) {
		s->map_bytes[map] = map_bytes(p->fd[map]);
		s->total_bytes += s->map_bytes[map];
	}
	s->table_bytes = s->map_bytes[PINS_FLOWS] + s->map_bytes[PINS_DETAILS] +
			 s->map_bytes[PINS_BUCKETS];
	s->total_bytes += s->lists_bytes;
	s->max_flows = p->info.max_flows;
	s->slots = (uint64_t)p->info.buckets * TG_BUCKET_WAYS;
}

static void add_events(struct tg_event_counts *sum, const struct tg_event_counts *counts)
{
	const __u64 *from = (const __u64 *)counts;
	__u64 *to = (__u64 *)sum;
	size_t i;

	for (i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

static int read_events(const struct pins *p, struct snapshot *s)
{
	int cpus = libbpf_num_possible_cpus(), cpu, err = 0;
	struct tg_event_counts *values;
	__u32 entry;

	values = cpus > 0 ? calloc((size_t)cpus, sizeof(*values)) : NULL;
	if (!values)
		return log_err(-ENOMEM, "cannot read the counts of events");
	for (entry = 0; entry < TG_COUNTED_MAX && !err; entry++) {
		if (bpf_map_lookup_elem(p->fd[PINS_EVENT_COUNTS], &entry, values))
			err = log_err(-errno, "cannot read the counts of events");
		for (cpu = 0; cpu < cpus && !err; cpu++)
			add_events(&s->events, &values[cpu]);
	}
	free(values);
	s->watch = TG_READ_ONCE(p->settings->watch);
	s->event_readers = s->daemon_runs ? TG_READ_ONCE(p->settings->watched.readers) : 0;
	return err;
}

static int take(const struct pins *p, bool flows, struct snapshot **out)
{
	struct snapshot *s = calloc(1, sizeof(*s));
	uint64_t now_ms;
	int err;

	*out = NULL;
	if (!s)
		return log_err(-ENOMEM, "cannot read the state");
	err = pins_now_ms(p, &now_ms);
	if (!err)
		err = read_all_counters(p, now_ms, s);
	if (err) {
		snapshot_free(s);
		return err;
	}
	clock_gettime(CLOCK_REALTIME, &s->time);
	gethostname(s->host, sizeof(s->host) - 1);
	s->daemon_runs = pins_daemon_runs();
	s->daemon_pid = s->daemon_runs ? TG_READ_ONCE(p->settings->daemon_pid) : 0;
	if (s->daemon_runs)
		pins_read_note(PINS_NOTE_METRICS, s->metrics, sizeof(s->metrics));
	s->bypass = TG_READ_ONCE(p->settings->bypass);
	s->waits = settings_waits(tg_active_config(p->settings));
	s->config_generation = tg_active_config(p->settings)->generation;
	s->config_hash = tg_active_config(p->settings)->source_hash;
	s->flood = tg_active_config(p->settings)->flood;
	read_protected(p, now_ms, s);
	if (flows)
		flow_table_count(&p->table, now_ms, &s->flows);
	read_lists(p, s);
	read_sizes(p, s);
	err = read_events(p, s);
	if (err) {
		snapshot_free(s);
		return err;
	}
	*out = s;
	return 0;
}

int snapshot_take(const struct pins *p, struct snapshot **out)
{
	return take(p, true, out);
}

int snapshot_take_quick(const struct pins *p, struct snapshot **out)
{
	return take(p, false, out);
}

void snapshot_free(struct snapshot *s)
{
	free(s);
}

int snapshot_select(const struct pins *p, struct snapshot *s, int argc, char **argv)
{
	bool wanted[TG_IFACES_MAX] = { false };
	uint32_t i, kept = 0;
	int word, slot;

	if (!argc)
		return 0;
	for (word = 0; word < argc; word++) {
		slot = pins_iface_slot(p, argv[word]);
		if (slot < 0) {
			log_err_hint(0, "'tcpguard status' shows what is", "'%s' is not attached",
				     argv[word]);
			return slot;
		}
		wanted[slot] = true;
	}
	for (i = 0; i < s->iface_count; i++)
		if (wanted[s->iface[i].slot])
			s->iface[kept++] = s->iface[i];
	s->iface_count = kept;
	return 0;
}

bool snapshot_ready(const struct snapshot *s)
{
	uint32_t i;

	for (i = 0; i < s->iface_count; i++)
		if (!s->iface[i].iface.attached_at_s || s->iface[i].iface.hook_lost ||
		    s->iface[i].xdp_link == PINS_LINK_GONE || s->iface[i].tc_link == PINS_LINK_GONE)
			return false;
	return s->iface_count > 0;
}

double snapshot_elapsed_s(const struct snapshot *from, const struct snapshot *to)
{
	return (double)(to->time.tv_sec - from->time.tv_sec) +
	       (double)(to->time.tv_nsec - from->time.tv_nsec) / 1e9;
}

/* Where what was done by this verdict is added up. */
static struct tg_count *sum_of(enum tg_verdict verdict, struct snapshot_sums *sums)
{
	switch (tg_verdict_action(verdict)) {
	case TG_ACTION_DROP:
		return &sums->drop;
	case TG_ACTION_CHALLENGE:
		return &sums->challenge;
	default:
		return &sums->pass;
	}
}

void snapshot_sum(const struct tg_counters *counters, struct snapshot_sums *sums)
{
	const struct tg_count *row[TG_OUTCOME_MAX];
	int verdict, outcome;

	memset(sums, 0, sizeof(*sums));
	for (verdict = 0; verdict < TG_VERDICT_MAX; verdict++) {
		for (outcome = 0; outcome < TG_OUTCOME_MAX; outcome++) {
			row[outcome] = &counters->count[outcome][verdict];
			add_count(&sums->all, row[outcome]);
		}
		add_count(sum_of((enum tg_verdict)verdict, sums), row[TG_OUTCOME_VERDICT]);
		add_count(&sums->would_drop, row[TG_OUTCOME_WOULD_DROP]);
		add_count(&sums->bypass, row[TG_OUTCOME_BYPASS]);
		add_count(&sums->own, row[TG_OUTCOME_OWN]);
	}
}

const struct snapshot_iface *snapshot_find(const struct snapshot *s,
					   const struct snapshot_iface *like)
{
	uint32_t i;

	for (i = 0; i < s->iface_count; i++)
		if (s->iface[i].slot == like->slot &&
		    s->iface[i].iface.attached_at_s == like->iface.attached_at_s)
			return &s->iface[i];
	return NULL;
}
