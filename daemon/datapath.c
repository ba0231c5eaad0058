/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attach as one step: all of it or nothing.  Detach: datapath_detach.c.
 *
 * The order of an attach, and why nothing legitimate is dropped in it:
 *
 *   1 load, make or find the maps, open the slot: its mode is MONITOR before a program can run, and
 *     nothing is dropped until step 6, whatever the programs think of what they see.  The register
 *     names the interface from here on, so that a killed attach can be finished or taken back.
 *   2 seed: most connections are known before the first packet is judged, so that under load the data
 *     path does not open flows of its own for them.
 *   3 XDP, then TC.  Between the two only one direction is seen, and flows fall behind: harmless, they
 *     are raised in step 5.
 *   4 enter the hooks in the register.
 *   5 seed again, twice.  From here on both directions are followed.  A socket's numbers are exact
 *     when read and a moment old when written; what passes in that moment is followed by the programs
 *     if the flow was nearly right, which the first of the two passes sees to, and the second makes up
 *     for what the programs had to refuse meanwhile (an ACK for data they had missed).
 *   6 MONITOR becomes the mode asked for, in one word.  A gateway learns from that moment on.
 *
 * Killed between 1 and 6 the interface is left in MONITOR or without a program: traffic flows, and the
 * next attach begins anew.
 * An update exchanges the programs of both links, keeps flows, counters and mode.
 */
#include "datapath_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "tcpguard.skel.h"

#include "kernel.h"
#include "cookie.h"
#include "log.h"
#include "settings.h"
#include "seed.h"

static uint64_t monotonic_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int pass_over_sockets(struct job *job, struct seed *seed)
{
	struct seed_counts counts;
	uint64_t start_us = monotonic_us();
	int err;

	if (!seed)
		return 0;
	err = seed_pass(seed, &job->pins, (__u16)job->options->zone, &counts);
	job->result->seeded = true;
	job->result->sockets = counts.sockets;
	job->result->no_room = counts.no_room;
	job->result->seed_us += monotonic_us() - start_us;
	return err;
}

/* "Invalid argument" from a driver mostly means its MTU or queue limits for XDP. */
static int say_native_refused(const struct job *job, int err)
{
	log_err_hint(0, "--xdp generic works everywhere, slower",
		     "cannot attach to '%s' in native XDP mode: its driver (%s) refuses: %s",
		     job->dev->name, job->dev->driver[0] ? job->dev->driver : "unknown", strerror(-err));
	return err == -EBUSY || err == -EPERM ? err : -EOPNOTSUPP;
}

/* Native, once more without multi-buffer frames if that may be what the driver dislikes. */
static int create_native(struct job *job)
{
	int link = xdphook_create(job, TG_XDP_NATIVE);

	if (link >= 0 || link == -EOPNOTSUPP || link == -EBUSY || link == -EPERM || job->hold_frags)
		return link;
	job->hold_frags = true;
	return load_programs(job) ? link : xdphook_create(job, TG_XDP_NATIVE);
}

/* Programs that verify checksums, or whose XDP_TX is that of a veth, were loaded for native mode. */
static int create_generic(struct job *job)
{
	if (!job->generic && (job->dev->physical || job->cookie.veth)) {
		int err;

		job->generic = true;
		err = load_programs(job);
		if (err)
			return err;
	}
	return xdphook_create(job, TG_XDP_GENERIC);
}

static int attach_xdp(struct job *job)
{
	int wanted = job->options->xdp, link = -EOPNOTSUPP;

	if (wanted != TG_XDP_GENERIC) {
		link = create_native(job);
		job->result->xdp = TG_XDP_NATIVE;
		if (link < 0 && (wanted == TG_XDP_NATIVE || link == -EBUSY))
			return say_native_refused(job, link);
	}
	if (link < 0) {
		job->result->native_error = wanted == TG_XDP_GENERIC ? 0 : link;
		link = create_generic(job);
		job->result->xdp = TG_XDP_GENERIC;
	}
	if (link < 0)
		return log_err(link, "cannot attach to '%s' in generic XDP mode", job->dev->name);
	return slot_keep_link(job, link, "xdp");
}

static int attach_shared(struct job *job)
{
	int err = load_shared(job);

	return err ? err : share_attach(job);
}

/* The programs are pinned before the TC hook: by its pin a filter is known as ours. */
static int attach_hooks(struct job *job)
{
	int err = job->options->share ? attach_shared(job) : attach_xdp(job);

	if (!err)
		err = slot_begin_ingress(&job->pins, job->slot);
	if (!err)
		err = slot_pin_programs(job);
	return err ? err : tchook_attach(job);
}

/* Unknown flows are adopted where sockets cannot tell: on a gateway, or when they are not asked. */
static int begin_judging(struct job *job)
{
	uint32_t learn_s = job->options->learn_s;
	uint64_t now_ms;
	int err;

	if (job->result->profile != TG_PROFILE_GATEWAY && !job->options->no_seed)
		learn_s = 0;
	err = pins_now_ms(&job->pins, &now_ms);
	if (err)
		return err;
	cookie_set_wall_clock(job->pins.cookies, now_ms);
	job->result->learn_s = learn_s;
	return slot_enforce(job, learn_s ? now_ms + learn_s * 1000ULL : 0);
}

static int forget_what_was_missed(const struct job *job, bool unwatched)
{
	__u32 since_ms = job->pins.settings->iface[job->slot].unseen_since_ms;
	bool host = job->result->profile == TG_PROFILE_HOST;

	if (unwatched)
		return forget_flows(&job->pins, host && !job->options->no_seed);
	return since_ms && !host ? forget_unseen(&job->pins, since_ms) : 0;
}

static int attach_new(struct job *job, struct seed *seed)
{
	bool unwatched = job->pins_open && slots_all_free(&job->pins); /* until slot_open() */
	int err;

	job->generic = job->options->xdp == TG_XDP_GENERIC;
	err = xdphook_check_free(job);
	if (!err)
		err = slot_choose(job);
	if (!err)
		err = load_programs(job);
	if (!err)
		err = slot_open(job);
	if (!err)
		err = forget_what_was_missed(job, unwatched);
	if (!err)
		err = pass_over_sockets(job, seed);
	if (!err)
		err = attach_hooks(job);
	if (err)
		return err;
	slot_register(job, 0);

	err = pass_over_sockets(job, seed);
	if (!err)
		err = pass_over_sockets(job, seed);
	if (!err)
		err = begin_judging(job);
	if (!err)
		slot_register(job, (uint64_t)time(NULL));
	return err;
}

/* What attach_new() did, whatever of it was done. */
static void undo_new(struct job *job)
{
	struct tg_iface iface = {
		.ifindex = job->dev->ifindex,
		.xdp_mode = job->result->xdp,
		.tc_kind = job->result->tc,
		.netns = job->dev->netns,
		.made_qdisc = job->made_qdisc,
	};

	if (!job->pins_open)
		return;
	memcpy(iface.name, job->dev->name, sizeof(iface.name));
	slot_end_ingress(&job->pins, job->slot);
	xdphook_detach(job->slot, &iface);
	tchook_detach(job->slot, &iface);
	slot_release(&job->pins, job->slot);
}

static int update_programs(struct job *job)
{
	struct exchange item;
	int err = load_programs(job);

	if (err)
		return err;
	load_for_exchange(job, &item);
	return exchange_run(&job->pins, &item, 1, NULL);
}

static int update(struct job *job, const struct tg_iface *iface)
{
	struct tg_iface_settings *settings = &job->pins.settings->iface[job->slot];
	struct tg_mode_setting *setting;
	uint64_t now_ms;
	int err;

	if ((job->options->xdp && (__u32)job->options->xdp != iface->xdp_mode) ||
	    (job->options->tc && (__u32)job->options->tc != iface->tc_kind) ||
	    job->options->zone != iface->zone) {
		log_err_hint(0, "'tcpguard detach' it first",
			     "cannot change hooks or zone of '%s' while it is attached",
			     job->dev->name);
		return -EBUSY;
	}
	err = pins_now_ms(&job->pins, &now_ms);
	if (err)
		return err;
	job->generic = iface->xdp_mode == TG_XDP_GENERIC;
	/* Before its programs are a router's: connections that were vouched for by sockets, or are not its own. */
	if (iface->profile == TG_PROFILE_HOST && job->result->profile != TG_PROFILE_HOST)
		settings_learn_until(settings, now_ms + job->options->learn_s * 1000ULL);
	err = update_programs(job);
	if (err)
		return err;
	job->result->updated = true;
	job->result->xdp = iface->xdp_mode;
	job->result->tc = iface->tc_kind;
	job->made_qdisc = iface->made_qdisc;
	slot_register(job, iface->attached_at_s);
	setting = &settings_active(job->pins.settings)->iface[job->slot];
	job->result->mode = tg_mode_at(setting, now_ms);
	if (job->options->mode == DATAPATH_UNSET || job->options->hold)
		return 0;
	if (settings_begins_to_enforce(setting, (enum tg_mode)job->options->mode, now_ms))
		settings_learn_anew(&job->pins, now_ms);
	return slot_set_mode(job, (enum tg_mode)job->options->mode);
}

/* 1: both of our programs are in place, on this very interface, and can be exchanged; 0 or -errno. */
static int can_update(struct job *job, const struct tg_iface *iface)
{
	int can;

	job->generic = iface->xdp_mode == TG_XDP_GENERIC;
	can = load_plan(job);
	if (can)
		return can;
	if (!iface->attached_at_s || iface->hook_lost || iface->ifindex != job->dev->ifindex ||
	    job->options->share || iface->xdp_mode == TG_XDP_SHARED)
		return 0;
	can = slot_holds(job->slot, iface);
	if (can > 0)
		can = tchook_has_ingress(job->slot);
	else if (!can)
		return 0;
	return can < 0 ? slot_unknown(can, job->dev->name) : can == cookie_needs_ingress(&job->cookie);
}

static int attach_known(struct job *job, struct seed *seed)
{
	struct tg_iface iface = job->pins.ifaces[job->slot];
	int err;

	err = can_update(job, &iface);
	if (err)
		return err < 0 ? err : update(job, &iface);
	err = iface.attached_at_s ? slot_remember_mode(job) : 0;
	if (err)
		return err;
	/* Shared, damaged, half done by a killed attach, or vanished and come back: anew. */
	err = datapath_detach(&job->pins, job->slot);
	if (err)
		return err;
	err = attach_new(job, seed);
	if (err)
		undo_new(job);
	return err;
}

static int attach(struct job *job, struct seed *seed)
{
	int slot, err;

	err = maps_prepare(job);
	if (!err && job->pins_open)
		err = datapath_recover(&job->pins);
	if (err)
		return err;
	slot = job->pins_open ? pins_iface_slot(&job->pins, job->dev->name) : -ENODEV;
	if (slot >= 0) {
		job->slot = (unsigned int)slot;
		return attach_known(job, seed);
	}
	err = attach_new(job, seed);
	if (err)
		undo_new(job);
	return err;
}

int datapath_attach(const struct netdev *dev, const struct datapath_options *options,
		    struct datapath_result *result)
{
	struct job job = { .dev = dev, .options = options, .result = result, .mode = TG_MODE_ENFORCE };
	struct seed *seed = NULL;
	int err;

	memset(result, 0, sizeof(*result));
	result->dev = *dev;
	err = kernel_check();
	if (!err && !options->no_seed)
		err = seed_open(&seed);
	if (!err)
		err = attach(&job, seed);
	seed_close(seed);
	load_release(&job);
	if (job.pins_open)
		pins_close(&job.pins);
	free(job.counters);
	if (err && job.maps_made)
		maps_remove();
	if (err)
		datapath_tidy();
	return err;
}

void datapath_tidy(void)
{
	pins_path_rmdir(DATAPATH_IFACES_DIR);
}
