/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The register of interfaces: which slot one has, its directory under the pins, its counters and its
 * settings.  The slot keeps its interface's name after detach, so that counters go on at the next attach.
 */
#include "datapath_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tcpguard.skel.h"

#include "log.h"
#include "settings.h"

#define ALL_CLASSES ((1U << TG_CLASS_MAX) - 1) /* of verdicts: none is carried out */

const char *slot_path(char *path, unsigned int slot, const char *name)
{
	snprintf(path, DATAPATH_PATH_BYTES, DATAPATH_IFACES_DIR "/%u%s%s", slot, name[0] ? "/" : "", name);
	return path;
}

bool slots_all_free(const struct pins *pins)
{
	unsigned int slot;

	for (slot = 0; slot < TG_IFACES_MAX; slot++)
		if (pins->ifaces[slot].ifindex)
			return false;
	return true;
}

/* How well a free slot suits: its own of earlier, one never used, one of another name. */
static int rank(const struct tg_iface *iface, const struct netdev *dev)
{
	if (iface->ifindex)
		return 3;
	if (!iface->name[0])
		return 1;
	return !strcmp(iface->name, dev->name) && iface->netns == dev->netns ? 0 : 2;
}

int slot_choose(struct job *job)
{
	int best = 3, mine;
	unsigned int slot;

	job->slot = 0;
	if (!job->pins_open)
		return 0;
	for (slot = 0; slot < TG_IFACES_MAX; slot++) {
		mine = rank(&job->pins.ifaces[slot], job->dev);
		if (mine >= best)
			continue;
		best = mine;
		job->slot = slot;
	}
	if (best == 3) {
		log_err_hint(0, "detach one with 'tcpguard detach IFACE'",
			     "cannot attach to '%s': %d interfaces are attached already", job->dev->name,
			     TG_IFACES_MAX);
		return -E2BIG;
	}
	return 0;
}

void *slot_read_counters(const struct pins *pins, unsigned int slot)
{
	int cpus = libbpf_num_possible_cpus();
	void *counters = cpus > 0 ? calloc((size_t)cpus, sizeof(struct tg_counters)) : NULL;

	if (counters && bpf_map_lookup_elem(pins->fd[PINS_COUNTERS], &slot, counters)) {
		free(counters);
		return NULL;
	}
	return counters;
}

int slot_write_counters(const struct pins *pins, unsigned int slot, const void *counters)
{
	return bpf_map_update_elem(pins->fd[PINS_COUNTERS], &slot, counters, BPF_EXIST) ? -errno : 0;
}

/* The counters of the slot's former interface go on if it was this one, and what passed it by counts. */
static int take_over(struct job *job)
{
	const struct tg_iface *iface = &job->pins.ifaces[job->slot];

	job->counters = slot_read_counters(&job->pins, job->slot);
	if (!job->counters)
		return log_err(-errno, "cannot read the counters");
	if (!strcmp(iface->name, job->dev->name) && iface->netns == job->dev->netns)
		return 0;
	memset(job->counters, 0, (size_t)libbpf_num_possible_cpus() * sizeof(struct tg_counters));
	TG_WRITE_ONCE(job->pins.settings->iface[job->slot].unseen_since_ms, 0);
	return 0;
}

void slot_register(const struct job *job, uint64_t attached_at_s)
{
	const struct datapath_result *result = job->result;
	struct tg_iface *iface = &job->pins.ifaces[job->slot];
	struct tg_iface entry = {
		.xdp_mode = result->xdp,
		.tc_kind = result->tc,
		.profile = result->profile,
		.attached_at_s = attached_at_s,
		.netns = job->dev->netns,
		.made_qdisc = job->made_qdisc,
		.strict = job->options->strict,
		.cookies = job->cookie.kind,
		.zone = (__u16)job->options->zone,
	};

	memcpy(entry.name, job->dev->name, sizeof(entry.name));
	memcpy(entry.driver, job->dev->driver, sizeof(entry.driver));
	/* Whoever reads the register without the lock sees the entry complete or free. */
	TG_WRITE_ONCE(iface->ifindex, 0);
	__sync_synchronize();
	*iface = entry;
	__sync_synchronize();
	TG_WRITE_ONCE(iface->ifindex, job->dev->ifindex);
}

int slot_open(struct job *job)
{
	struct tg_iface_settings *settings = &job->pins.settings->iface[job->slot];
	char path[DATAPATH_PATH_BYTES];
	int err;

	err = take_over(job);
	if (err)
		return err;
	slot_path(path, job->slot, "");
	if ((pins_path_make(DATAPATH_IFACES_DIR) && errno != EEXIST) ||
	    (pins_path_make(path) && errno != EEXIST))
		return log_err(-errno, "cannot make %s", path);

	/* Before a program runs: nothing is dropped until everything is known. */
	TG_WRITE_ONCE(settings->learn_until_ms, 0);
	TG_WRITE_ONCE(settings->relaxed, ALL_CLASSES); /* a service's own mode would go before the interface's */
	settings_set_mode(&settings_active(job->pins.settings)->iface[job->slot], TG_MODE_MONITOR);
	slot_register(job, 0);
	return 0;
}

int slot_keep_link(const struct job *job, int link, const char *name)
{
	char path[DATAPATH_PATH_BYTES];
	int err = 0;

	if (pins_path_pin(link, slot_path(path, job->slot, name))) {
		err = log_err(-errno, "cannot pin %s", path);
		bpf_link_detach(link);
	}
	close(link);
	return err;
}

int slot_pin_program(unsigned int slot, int program, const char *name)
{
	char path[DATAPATH_PATH_BYTES], fresh[DATAPATH_PATH_BYTES];

	slot_path(fresh, slot, "new");
	slot_path(path, slot, name);
	pins_path_unlink(fresh);
	if (pins_path_pin(program, fresh))
		return log_err(-errno, "cannot pin %s", fresh);
	if (pins_path_rename(fresh, path, 0)) {
		int err = -errno;

		pins_path_unlink(fresh);
		return log_err(err, "cannot pin %s", path);
	}
	return 0;
}

int slot_pin_programs(const struct job *job)
{
	const struct tcpguard_bpf *ingress = job->shared ? job->shared : job->programs;
	int err = slot_pin_program(job->slot, bpf_program__fd(ingress->progs.tg_xdp_ingress), "prog_xdp");

	if (!err)
		err = slot_pin_program(job->slot, bpf_program__fd(job->programs->progs.tg_tc_egress),
				       "prog_tc");
	if (!err && accept_program(job) >= 0)
		err = slot_pin_program(job->slot, accept_program(job), "prog_tc_in");
	return err;
}

int slot_set_mode(struct job *job, enum tg_mode mode)
{
	struct tg_mode_setting *setting = &settings_active(job->pins.settings)->iface[job->slot];
	uint32_t confirm_s = mode == TG_MODE_ENFORCE ? job->options->confirm_s : 0;
	uint64_t now_ms;
	int err = 0;

	if (confirm_s)
		err = pins_now_ms(&job->pins, &now_ms);
	if (err)
		return err;
	if (confirm_s)
		settings_try_mode(setting, mode, now_ms + confirm_s * 1000ULL, now_ms);
	else
		settings_set_mode(setting, mode);
	job->result->mode = mode;
	job->result->confirm_s = confirm_s;
	return 0;
}

int slot_remember_mode(struct job *job)
{
	const struct tg_mode_setting *setting = &settings_active(job->pins.settings)->iface[job->slot];
	uint64_t now_ms;
	int err = pins_now_ms(&job->pins, &now_ms);

	if (err)
		return err;
	job->mode = tg_mode_at(setting, now_ms);
	job->result->kept_mode = true;
	job->adopts = TG_READ_ONCE(job->pins.settings->iface[job->slot].learn_until_ms) == UINT64_MAX;
	if (settings_is_pending(setting, now_ms))
		job->tried = *setting;
	return 0;
}

/* The time to confirm is the one that was given, and what holds after it, too. */
static void try_on(const struct job *job)
{
	struct tg_mode_setting *setting = &settings_active(job->pins.settings)->iface[job->slot];

	settings_set_mode(setting, (enum tg_mode)job->tried.fallback);
	settings_try_mode(setting, job->mode, job->tried.until_ms, 0);
	job->result->mode = job->mode;
}

int slot_enforce(struct job *job, uint64_t learn_until_ms)
{
	struct tg_iface_settings *settings = &job->pins.settings->iface[job->slot];
	int err;

	TG_WRITE_ONCE(settings->learn_until_ms, job->adopts ? UINT64_MAX : learn_until_ms);
	TG_WRITE_ONCE(settings->relaxed, 0);
	TG_WRITE_ONCE(settings->unseen_since_ms, 0);
	/* What was counted while flows were still unknown says nothing about the traffic. */
	err = slot_write_counters(&job->pins, job->slot, job->counters);
	if (err)
		return log_err(err, "cannot write the counters");
	if (job->tried.until_ms && job->options->mode == DATAPATH_UNSET && !job->options->confirm_s) {
		try_on(job);
		return 0;
	}
	if (job->options->hold) {
		/* In MONITOR since slot_open(), until the caller sets the mode. */
		job->result->mode = job->result->kept_mode ? job->mode : TG_MODE_MONITOR;
		return 0;
	}
	return slot_set_mode(job, job->options->mode == DATAPATH_UNSET ? job->mode :
									 (enum tg_mode)job->options->mode);
}

static bool ifindex_used_elsewhere(const struct pins *pins, unsigned int slot, __u32 ifindex)
{
	unsigned int other;

	for (other = 0; other < TG_IFACES_MAX; other++)
		if (other != slot && pins->ifaces[other].ifindex == ifindex)
			return true; /* in another network namespace */
	return false;
}

void slot_stop_enforcing(const struct pins *pins, unsigned int slot)
{
	TG_WRITE_ONCE(pins->ifaces[slot].attached_at_s, 0); /* so that the daemon's guard leaves it alone */
	slot_relax(pins, slot);
}

void slot_relax(const struct pins *pins, unsigned int slot)
{
	TG_WRITE_ONCE(pins->settings->iface[slot].relaxed, ALL_CLASSES);
}

int slot_note_unseen(const struct pins *pins, unsigned int slot)
{
	uint64_t now_ms;
	int err = pins_now_ms(pins, &now_ms);

	if (!err)
		TG_WRITE_ONCE(pins->settings->iface[slot].unseen_since_ms, (__u32)now_ms ?: 1);
	return err;
}

int slot_begin_ingress(const struct pins *pins, unsigned int slot)
{
	const struct tg_iface *iface = &pins->ifaces[slot];

	return bpf_map_update_elem(pins->fd[PINS_ATTACHED], &iface->ifindex, &slot, BPF_ANY) ?
		       log_err(-errno, "cannot register '%.*s'", TG_IFNAME_LEN, iface->name) :
		       0;
}

int slot_end_ingress(const struct pins *pins, unsigned int slot)
{
	const struct tg_iface *iface = &pins->ifaces[slot];

	if (ifindex_used_elsewhere(pins, slot, iface->ifindex) ||
	    !bpf_map_delete_elem(pins->fd[PINS_ATTACHED], &iface->ifindex) || errno == ENOENT)
		return 0;
	return log_err(-errno, "cannot unregister '%.*s'", TG_IFNAME_LEN, iface->name);
}

void slot_release(struct pins *pins, unsigned int slot)
{
	static const char *const names[] = { "xdp", "tc", "tc_in",
					     "prog_xdp", "prog_tc", "prog_tc_in",
					     "new", "" };
	char path[DATAPATH_PATH_BYTES];
	size_t i;

	TG_WRITE_ONCE(pins->ifaces[slot].ifindex, 0);
	TG_WRITE_ONCE(pins->settings->iface[slot].learn_until_ms, 0);
	for (i = 0; names[i][0]; i++)
		pins_path_unlink(slot_path(path, slot, names[i]));
	pins_path_rmdir(slot_path(path, slot, ""));
	exchange_forget(slot);
}

int slot_holds_link(unsigned int slot, const char *name)
{
	enum pins_link state = pins_link_state(slot, name);

	return state == PINS_LINK_UNKNOWN ? -errno : state == PINS_LINK_ALIVE;
}

int slot_holds(unsigned int slot, const struct tg_iface *iface)
{
	int held = slot_holds_link(slot, "xdp");

	return held > 0 ? tchook_holds(slot, iface) : held;
}

int slot_unknown(int err, const char *name)
{
	return log_err(err, "cannot tell what is on '%.*s'", TG_IFNAME_LEN, name);
}

int slot_pinned_program(unsigned int slot, const char *name, uint32_t *id)
{
	struct bpf_prog_info info = {};
	__u32 bytes = sizeof(info);
	char path[DATAPATH_PATH_BYTES];
	int fd, err;

	fd = pins_path_get(slot_path(path, slot, name), 0);
	if (fd < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &bytes)) {
		err = -errno;
		close(fd);
		return err;
	}
	*id = info.id;
	return fd;
}
