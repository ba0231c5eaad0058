/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every attached interface gets the programs of this tcpguard, or its former ones back, with flows,
 * counters, lists and settings as they are.  All are loaded before the first is exchanged.
 */
#include "datapath_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "list_format.h"
#include "log.h"
#include "names.h"
#include "settings.h"

/* One interface at work. */
struct work {
	struct netdev dev;
	struct datapath_options options;
	struct datapath_result result;
	struct job job;
	int former[EXCHANGE_HOOKS];
};

struct upgrade {
	const struct pins *pins;
	struct work work[TG_IFACES_MAX];
	struct exchange items[TG_IFACES_MAX];
	struct datapath_exchanged *out[TG_IFACES_MAX]; /* of each item */
	unsigned int count;
	struct migration *migration; /* NULL: the table stays */
};

/* 0, *why NULL if it takes part; or -errno. */
static int why_left(unsigned int slot, const struct tg_iface *iface, const char **why)
{
	int whole;

	*why = NULL;
	if (iface->netns != netdev_netns())
		*why = "it belongs to another network namespace: run it there, with 'nsenter --net=...'";
	else if (iface->xdp_mode == TG_XDP_SHARED)
		*why = "it shares XDP with other programs: 'tcpguard attach IFACE --share' exchanges them";
	else if (!netdev_exists(iface))
		*why = "it has vanished";
	if (*why)
		return 0;
	whole = iface->attached_at_s && !iface->hook_lost ? slot_holds(slot, iface) : 0;
	if (whole < 0)
		return slot_unknown(whole, iface->name);
	if (!whole)
		*why = "its programs are not all in place: 'tcpguard attach IFACE' repairs it";
	return 0;
}

/* 1: the interface needs other hooks than it has. */
static int load_one(struct upgrade *upgrade, struct work *work, unsigned int slot)
{
	const struct tg_iface *iface = &upgrade->pins->ifaces[slot];
	struct tg_iface named = *iface;
	int err;

	netdev_refresh_name(&named);
	err = netdev_read(named.name, &work->dev);
	if (err)
		return err;
	work->options = (struct datapath_options){
		.mode = DATAPATH_UNSET,
		.profile = (int)iface->profile,
		.strict = iface->strict,
		.zone = iface->zone,
	};
	work->job = (struct job){
		.dev = &work->dev,
		.options = &work->options,
		.result = &work->result,
		.pins = *upgrade->pins, /* lent */
		.pins_open = true,
		.generic = iface->xdp_mode == TG_XDP_GENERIC,
		.info = upgrade->pins->info,
		.slot = slot,
	};
	if (upgrade->migration)
		migrate_lend(upgrade->migration, &work->job);
	err = load_programs(&work->job);
	if (!err && upgrade->migration)
		err = migrate_publish(upgrade->migration, &work->job);
	if (err)
		return err;
	load_for_exchange(&work->job, &upgrade->items[upgrade->count]);
	/* SYN cookies want the hook at ingress that was not needed, or the other way round. */
	err = tchook_has_ingress(slot);
	if (err < 0)
		return slot_unknown(err, iface->name);
	return err != (accept_program(&work->job) >= 0);
}

/* Programs that read another format than the lists have would let everybody pass, in silence. */
static int check_former_lists(const struct upgrade *upgrade, unsigned int slot, int program)
{
	const struct tg_list_image *lists = &tg_active_config(upgrade->pins->settings)->lists;

	if (!lists->prefixes || list_format_is_read(program, lists->format))
		return 0;
	return log_err_hint(-EOPNOTSUPP,
			    "install the version you want and 'tcpguard upgrade', which carries them "
			    "over; or give them up with 'tcpguard block flush' and 'tcpguard allow flush'",
			    "cannot go back: the former programs of '%.*s' read no lists of this version's "
			    "format, and there are lists",
			    TG_IFNAME_LEN, upgrade->pins->ifaces[slot].name);
}

/* 1: there are none.  That is an answer, and no error. */
static int open_former(struct upgrade *upgrade, struct work *work, unsigned int slot)
{
	int hook, err, uses;

	for (hook = 0; hook < EXCHANGE_HOOKS; hook++) {
		int fd = exchange_open_former(slot, hook);

		upgrade->items[upgrade->count].program[hook] = -1;
		if (fd == -ENOENT) {
			uses = hook == EXCHANGE_TC_IN ? tchook_has_ingress(slot) : 1;
			if (uses < 0)
				return slot_unknown(uses, upgrade->pins->ifaces[slot].name);
			if (uses)
				return 1;
			continue;
		}
		if (fd < 0)
			return log_err(fd, "cannot open the former programs of '%.*s'",
				       TG_IFNAME_LEN, upgrade->pins->ifaces[slot].name);
		work->former[hook] = fd;
		upgrade->items[upgrade->count].program[hook] = fd;
		/* The one at TC ingress has no flows, and came with the others. */
		uses = hook == EXCHANGE_TC_IN ? 1 : maps_are_used_by(upgrade->pins, fd);
		if (uses < 0)
			return uses;
		if (!uses) {
			log_err_hint(0, "install the version you want and 'tcpguard upgrade'",
				     "cannot go back: the former programs of '%.*s' use another flow table",
				     TG_IFNAME_LEN, upgrade->pins->ifaces[slot].name);
			return -EPROTO;
		}
		err = hook == EXCHANGE_TC ? check_former_lists(upgrade, slot, fd) : 0;
		if (err)
			return err;
	}
	return 0;
}

static void read_tag(int program, __u8 tag[BPF_TAG_SIZE])
{
	struct bpf_prog_info info = {};
	__u32 bytes = sizeof(info);

	if (!bpf_obj_get_info_by_fd(program, &info, &bytes))
		memcpy(tag, info.tag, BPF_TAG_SIZE);
}

/* For the answer only: a tag is the same as long as the instructions are. */
static void read_tags(const struct exchange *item, struct datapath_exchanged *out)
{
	static const char *const pins[EXCHANGE_HOOKS] = { "prog_xdp", "prog_tc", "prog_tc_in" };
	int hook;

	for (hook = 0; hook < EXCHANGE_HOOKS; hook++) {
		uint32_t id;
		int fd = slot_pinned_program(item->slot, pins[hook], &id);

		if (fd >= 0) {
			read_tag(fd, out->before[hook]);
			close(fd);
		}
		if (item->program[hook] >= 0)
			read_tag(item->program[hook], out->after[hook]);
	}
}

static void release_work(struct work *work)
{
	int hook;

	load_release(&work->job);
	for (hook = 0; hook < EXCHANGE_HOOKS; hook++)
		if (work->former[hook] > 0)
			close(work->former[hook]);
	memset(work, 0, sizeof(*work));
}

static int prepare_one(struct upgrade *upgrade, unsigned int slot, bool rollback,
		       struct datapath_exchanged *out)
{
	struct work *work = &upgrade->work[upgrade->count];
	struct exchange *item = &upgrade->items[upgrade->count];
	int err;

	out->iface = upgrade->pins->ifaces[slot];
	netdev_refresh_name(&out->iface);
	err = why_left(slot, &out->iface, &out->left);
	if (err || out->left)
		return err;
	item->slot = slot;
	item->loaded = loaded_of(&out->iface);
	err = rollback ? exchange_read_former(slot, &item->loaded) : load_one(upgrade, work, slot);
	if (!err && rollback)
		err = open_former(upgrade, work, slot);
	if (err > 0)
		out->left = rollback ? "no former programs of it are kept; the version you want and its "
				       "'tcpguard upgrade' put its programs in place" :
				       "it needs other hooks now: 'tcpguard attach IFACE' attaches it anew";
	if (err > 0)
		release_work(work); /* the next interface takes its place */
	if (err)
		return err < 0 ? err : 0;
	read_tags(item, out);
	upgrade->out[upgrade->count++] = out;
	return 0;
}

static void release(struct upgrade *upgrade)
{
	unsigned int i;

	for (i = 0; i < TG_IFACES_MAX; i++)
		release_work(&upgrade->work[i]);
	migrate_release(upgrade->migration);
	free(upgrade);
}

/* An attach has changed it, and its programs are replaced by those of before. */
static void say_loaded(const struct tg_iface *before, const struct loaded *loaded)
{
	if (loaded->profile != before->profile || loaded->strict != before->strict)
		log_info("'%s' is as it was attached before: profile %s, %s", before->name,
			 names_profile(loaded->profile), loaded->strict ? "strict" : "not strict");
}

/* Programs of before may be a router's: as where an attach makes a host one. */
static int learn_for_routers(const struct upgrade *upgrade)
{
	uint64_t now_ms;
	unsigned int i;
	int err = pins_now_ms(upgrade->pins, &now_ms);

	for (i = 0; i < upgrade->count && !err; i++)
		if (upgrade->out[i]->iface.profile == TG_PROFILE_HOST &&
		    upgrade->items[i].loaded.profile != TG_PROFILE_HOST)
			settings_learn_until(&upgrade->pins->settings->iface[upgrade->items[i].slot],
					     now_ms + TG_LEARN_DEFAULT_MS);
	return err;
}

/* Whoever kept the former table would see none of the others' packets. */
static int check_all_take_part(const struct upgrade *upgrade, const struct datapath_exchanged *all,
			       unsigned int count)
{
	unsigned int i;

	for (i = 0; upgrade->migration && i < count; i++)
		if (all[i].left)
			return log_err(-EBUSY, "cannot carry the flows to another table: '%.*s': %s",
				       TG_IFNAME_LEN, all[i].iface.name, all[i].left);
	return 0;
}

int datapath_upgrade(const struct pins *pins, bool rollback, uint32_t max_flows,
		     struct datapath_exchanged *all, unsigned int *count, struct datapath_migrated *migrated)
{
	struct upgrade *upgrade = calloc(1, sizeof(*upgrade));
	unsigned int slot;
	int err;

	*count = 0;
	if (!upgrade)
		return log_err(-ENOMEM, "cannot upgrade");
	upgrade->pins = pins;
	err = datapath_recover(pins);
	if (!err && !rollback)
		err = migrate_plan(pins, max_flows, &upgrade->migration);
	for (slot = 0; slot < TG_IFACES_MAX && !err; slot++) {
		if (!pins->ifaces[slot].ifindex)
			continue;
		memset(&all[*count], 0, sizeof(all[*count]));
		err = prepare_one(upgrade, slot, rollback, &all[(*count)++]);
	}
	if (!err)
		err = check_all_take_part(upgrade, all, *count);
	if (!err && rollback)
		err = learn_for_routers(upgrade);
	if (!err && upgrade->count)
		err = exchange_run(pins, upgrade->items, upgrade->count, upgrade->migration);
	if (!err && upgrade->count && upgrade->migration)
		migrate_report(upgrade->migration, migrated);
	for (slot = 0; slot < upgrade->count && !err && rollback; slot++)
		say_loaded(&upgrade->out[slot]->iface, &upgrade->items[slot].loaded);
	release(upgrade);
	return err;
}
