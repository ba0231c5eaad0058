/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shared maps: made and pinned by the first attach, all in one step; found by every later one.
 */
#include "datapath_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tcpguard.skel.h"

#include "flood_options.h"
#include "cookie.h"
#include "list_format.h"
#include "log.h"

#define NEW_DIR PINS_NEW_MAPS_DIR
#define LOOKUPS_PER_100MS 5000
#define MEMORY_SHARE 8 /* a default table takes at most one part in eight */

static uint64_t buckets_for(uint32_t max_flows)
{
	return ((uint64_t)max_flows * TG_SLOTS_PER_FLOW + TG_BUCKET_WAYS - 1) / TG_BUCKET_WAYS;
}

static uint64_t bytes_per_bucket(void)
{
	return sizeof(struct tg_bucket) + TG_BUCKET_WAYS * sizeof(struct tg_detail) + sizeof(__u64);
}

uint64_t datapath_table_bytes(uint32_t max_flows)
{
	return buckets_for(max_flows) * bytes_per_bucket();
}

static uint64_t memory_total(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

	return pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
}

uint32_t datapath_default_max_flows(bool *reduced)
{
	uint64_t allowed = memory_total() / MEMORY_SHARE, flows;

	*reduced = allowed && datapath_table_bytes(DATAPATH_MAX_FLOWS_DEFAULT) > allowed;
	if (!*reduced)
		return DATAPATH_MAX_FLOWS_DEFAULT;
	flows = allowed / bytes_per_bucket() * TG_BUCKET_WAYS / TG_SLOTS_PER_FLOW;
	return flows ? (uint32_t)flows : 1;
}

static int plan_new(struct job *job)
{
	struct tg_table_info *info = &job->info;
	ssize_t got;

	info->layout_version = TG_LAYOUT_VERSION;
	info->max_flows = job->options->max_flows;
	if (!info->max_flows)
		info->max_flows = datapath_default_max_flows(&job->result->table_reduced);
	info->buckets = (__u32)buckets_for(info->max_flows);
	got = getrandom(info->coefficient, sizeof(info->coefficient), 0);
	if (got != (ssize_t)sizeof(info->coefficient))
		return log_err(got < 0 ? -errno : -EIO, "cannot get random numbers for the flow table");
	job->result->table_made = true;
	return 0;
}

static int open_existing(struct job *job)
{
	uint32_t wanted = job->options->max_flows;
	int err;

	err = renew_open(job);
	if (err)
		return err;
	job->pins_open = true;
	job->info = job->pins.info;
	if (!wanted || wanted == job->info.max_flows)
		return 0;
	log_err_hint(0, "'tcpguard upgrade --max-flows N' changes that, and its flows stay",
		     "cannot attach to '%s' with --max-flows %u: the flow table exists and was made for %u",
		     job->dev->name, wanted, job->info.max_flows);
	return -EINVAL;
}

int maps_prepare(struct job *job)
{
	int err;

	if (!access(DATAPATH_MAPS_DIR "/tg_info", F_OK))
		err = open_existing(job);
	else if (errno == ENOENT)
		err = plan_new(job);
	else
		err = log_err(-errno, "cannot open " DATAPATH_MAPS_DIR);
	job->result->max_flows = job->info.max_flows;
	job->result->table_bytes = (uint64_t)job->info.buckets * bytes_per_bucket();
	return err;
}

static struct bpf_map *map_of(const struct tcpguard_bpf *programs, enum pins_map map)
{
	return bpf_object__find_map_by_name(programs->obj, pins_map_name(map));
}

static int fd_of(const struct job *job, enum pins_map map)
{
	return bpf_map__fd(map_of(job->programs, map));
}

static int reuse_pinned(const struct job *job, const struct tcpguard_bpf *programs)
{
	enum pins_map map;

	for (map = 0; map < PINS_MAP_MAX; map++) {
		int err = job->pins.fd[map] < 0 ?
				  0 : /* made anew, see maps_withhold_table() */
				  bpf_map__reuse_fd(map_of(programs, map), job->pins.fd[map]);

		if (err)
			return log_err(err, "cannot reuse the pinned map %s", pins_map_name(map));
	}
	return 0;
}

int maps_bind(const struct job *job, struct tcpguard_bpf *programs)
{
	__u32 buckets = job->info.buckets;
	int err = 0;

	if (job->pins_open)
		err = reuse_pinned(job, programs);
	if (err || (job->pins_open && job->pins.fd[PINS_FLOWS] >= 0))
		return err;
	err = bpf_map__set_max_entries(programs->maps.tg_flows, buckets);
	if (!err)
		err = bpf_map__set_max_entries(programs->maps.tg_details, buckets * TG_BUCKET_WAYS);
	if (!err)
		err = bpf_map__set_max_entries(programs->maps.tg_buckets, buckets);
	return err ? log_err(err, "cannot set the size of the flow table") : 0;
}

static int fill(const struct job *job)
{
	struct tg_settings settings = {
		.layout_version = TG_LAYOUT_VERSION,
		.lookups_per_100ms = LOOKUPS_PER_100MS,
		.config[0] = { .timeouts = TG_TIMEOUTS_DEFAULT, .flood = TG_FLOOD_DEFAULTS },
	};
	struct tg_cookies cookies;
	__u32 zero = 0;
	int err;

	settings.config[0].flood.cpus = flood_cpus();
	settings.config[0].events_sample = TG_EVENTS_SAMPLE_DEFAULT;
	settings.config[0].events_per_second = TG_EVENTS_PER_SECOND_DEFAULT;
	err = cookie_fill(&cookies);
	if (err)
		return log_err(err, "cannot get random numbers for the SYN cookies");
	if (bpf_map_update_elem(fd_of(job, PINS_SETTINGS), &zero, &settings, BPF_ANY) ||
	    bpf_map_update_elem(fd_of(job, PINS_COOKIES), &zero, &cookies, BPF_ANY) ||
	    bpf_map_update_elem(fd_of(job, PINS_INFO), &zero, &job->info, BPF_ANY))
		return log_err(-errno, "cannot write the settings of the flow table");
	return 0;
}

static const char *pin_path(char *path, const char *directory, const char *name)
{
	snprintf(path, DATAPATH_PATH_BYTES, "%s/%s", directory, name);
	return path;
}

static int pin(int fd, const char *name)
{
	char path[DATAPATH_PATH_BYTES];

	if (pins_path_pin(fd, pin_path(path, NEW_DIR, name)))
		return log_err(-errno, "cannot pin %s", path);
	return 0;
}

static void remove_directory(const char *directory)
{
	char path[DATAPATH_PATH_BYTES];
	enum pins_map map;

	for (map = 0; map < PINS_MAP_MAX; map++)
		pins_path_unlink(pin_path(path, directory, pins_map_name(map)));
	pins_path_unlink(pin_path(path, directory, "clock"));
	pins_path_rmdir(directory);
}

/* Pins that are there without tg_info are not ours to judge: a killed attach leaves none. */
static int check_nothing_pinned(void)
{
	char path[DATAPATH_PATH_BYTES];
	enum pins_map map;

	for (map = 0; map < PINS_MAP_MAX; map++)
		if (!access(pin_path(path, DATAPATH_MAPS_DIR, pins_map_name(map)), F_OK))
			return log_err_hint(-EEXIST, "'tcpguard detach --all --purge' removes it",
					    "cannot pin %s", path);
	return 0;
}

static int pin_everything(const struct job *job)
{
	enum pins_map map;
	int err = 0;

	if (pins_path_make(NEW_DIR))
		return log_err(-errno, "cannot make " NEW_DIR);
	for (map = 0; map < PINS_MAP_MAX && !err; map++)
		err = pin(fd_of(job, map), pins_map_name(map));
	return err;
}

/* Filled in a directory of another name, which becomes the known one in one step. */
static int pin_maps(const struct job *job)
{
	int err;

	remove_directory(NEW_DIR); /* of an attach that was killed */
	err = check_nothing_pinned();
	if (err)
		return err;
	err = pin_everything(job);
	if (!err)
		err = pin(bpf_program__fd(job->programs->progs.tg_clock), "clock");
	if (!err && pins_path_rename(NEW_DIR "/clock", DATAPATH_CLOCK, 0))
		err = log_err(-errno, "cannot pin " DATAPATH_CLOCK);
	if (!err && pins_path_rename(NEW_DIR, DATAPATH_MAPS_DIR, 0)) {
		err = log_err(-errno, "cannot make " DATAPATH_MAPS_DIR);
		pins_path_unlink(DATAPATH_CLOCK);
	}
	if (err)
		remove_directory(NEW_DIR);
	return err;
}

int maps_publish(struct job *job)
{
	int err;

	err = fill(job);
	if (!err)
		err = pin_maps(job);
	if (err)
		return err;
	job->maps_made = true;
	err = pins_open(&job->pins, true);
	job->pins_open = !err;
	return err;
}

void maps_remove(void)
{
	remove_directory(DATAPATH_MAPS_DIR);
	pins_path_unlink(DATAPATH_CLOCK);
	list_format_forget();
}

void maps_plan_table(const struct tg_table_info *former, uint32_t max_flows, struct tg_table_info *info)
{
	*info = *former;
	info->layout_version = TG_LAYOUT_VERSION;
	if (max_flows)
		info->max_flows = max_flows;
	info->buckets = (__u32)buckets_for(info->max_flows);
}

void maps_withhold_table(struct pins *pins)
{
	pins->fd[PINS_FLOWS] = pins->fd[PINS_DETAILS] = pins->fd[PINS_BUCKETS] = pins->fd[PINS_INFO] = -1;
}

int maps_publish_table(const struct job *job, struct pins *fresh)
{
	__u32 zero = 0;
	int err;

	if (bpf_map_update_elem(fd_of(job, PINS_INFO), &zero, &job->info, BPF_ANY))
		return log_err(-errno, "cannot write the size of the flow table");
	remove_directory(NEW_DIR); /* of one who was killed */
	err = pin_everything(job);
	if (!err)
		err = pins_open_at(fresh, NEW_DIR, false);
	if (err)
		remove_directory(NEW_DIR);
	return err;
}

int maps_exchange_table(void)
{
	if (pins_path_rename(NEW_DIR, DATAPATH_MAPS_DIR, RENAME_EXCHANGE))
		return log_err(-errno, "cannot exchange " NEW_DIR " and " DATAPATH_MAPS_DIR);
	return 0;
}

bool maps_table_waits(void)
{
	return !access(NEW_DIR, F_OK) || errno != ENOENT; /* what could not be looked at is taken for there */
}

void maps_remove_table(void)
{
	remove_directory(NEW_DIR);
}

int maps_are_used_by(const struct pins *pins, int program)
{
	struct bpf_map_info flows = {};
	struct bpf_prog_info info = {};
	__u32 ids[64], bytes = sizeof(flows), i;

	if (bpf_obj_get_info_by_fd(pins->fd[PINS_FLOWS], &flows, &bytes))
		return log_err(-errno, "cannot examine the flow table");
	info.map_ids = (__u64)(uintptr_t)ids;
	info.nr_map_ids = sizeof(ids) / sizeof(ids[0]);
	bytes = sizeof(info);
	if (bpf_obj_get_info_by_fd(program, &info, &bytes))
		return log_err(-errno, "cannot examine a former program");
	for (i = 0; i < info.nr_map_ids && i < sizeof(ids) / sizeof(ids[0]); i++)
		if (ids[i] == flows.id)
			return 1;
	return 0;
}
