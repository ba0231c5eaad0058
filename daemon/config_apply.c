/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a configuration file to the settings the data path reads, in one transaction. */
#include "config_apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "config_lists.h"
#include "log.h"
#include "netdev.h"
#include "settings.h"

const struct config_iface *config_find_iface(const struct config *config, const char *name)
{
	uint32_t i;

	for (i = 0; i < config->iface_count; i++)
		if (!strncmp(config->iface[i].name, name, TG_IFNAME_LEN))
			return &config->iface[i];
	return NULL;
}

uint32_t config_iface_mode(const struct config *config, const char *name)
{
	const struct config_iface *iface = config_find_iface(config, name);

	return iface && iface->mode != CONFIG_NOT_GIVEN ? iface->mode : config->mode;
}

void config_from_pins(const struct pins *pins, uint64_t now_ms, struct config *to)
{
	const struct tg_config *from;
	struct settings_change copy;
	uint32_t slot, i;

	settings_begin(pins, &copy);
	from = &copy.config;
	config_from(from, &copy.ports, to);
	for (i = 0, slot = 1; slot < from->services && slot < TG_SERVICES_MAX; slot++) {
		if (!from->service[slot].name[0])
			continue;
		if (from->service[slot].has_mode)
			to->service[i].mode = tg_mode_at(&from->service[slot].mode, now_ms);
		i++;
	}
	to->max_flows = pins->info.max_flows;
	to->iface_count = 0;
	for (slot = 0; slot < TG_IFACES_MAX; slot++) {
		const struct tg_iface *iface = &pins->ifaces[slot];
		struct config_iface *out = &to->iface[to->iface_count];
		struct tg_iface named = *iface;

		if (!iface->ifindex)
			continue;
		netdev_refresh_name(&named);
		memset(out, 0, sizeof(*out));
		memcpy(out->name, named.name, sizeof(out->name) - 1);
		out->mode = tg_mode_at(&from->iface[slot], now_ms);
		out->share = iface->xdp_mode == TG_XDP_SHARED;
		out->xdp = out->share ? 0 : iface->xdp_mode;
		out->profile = iface->profile + 1;
		out->strict = iface->strict;
		out->zone = iface->zone;
		to->iface_count++;
		if (pins->settings->iface[slot].learn_until_ms == UINT64_MAX)
			to->no_flow_adopt = 1;
	}
}

/* --- taking effect -------------------------------------------------------------------------------- */

/* A table of another size would have to be made beside this one and filled from it. */
static int check_table(const struct pins *pins, const struct config *config)
{
	if (!config->max_flows || config->max_flows == pins->info.max_flows)
		return 0;
	config_say(&config->max_flows_place,
		   "'tcpguard upgrade --max-flows N' carries the flows to a table of that size",
		   "'max' is %u, the table in use was made for %u", config->max_flows, pins->info.max_flows);
	return -EBADMSG;
}

/* What only attaching can change is said, not done by halves. */
static void compare_attached(const struct tg_iface *iface, const struct config_iface *wanted)
{
	bool differs = (wanted->profile && wanted->profile - 1 != iface->profile) ||
		       (wanted->xdp && !wanted->share && wanted->xdp != iface->xdp_mode) ||
		       wanted->strict != iface->strict || wanted->zone != iface->zone ||
		       wanted->share != (iface->xdp_mode == TG_XDP_SHARED);

	if (differs)
		log_info("%s:%u: profile, hooks, strictness and zone of '%s' take effect when it is attached "
			 "again: 'tcpguard attach --config %s'",
			 wanted->place.file, wanted->place.line, wanted->name, wanted->place.file);
}

static void apply_modes(const struct pins *pins, const struct config *config, uint64_t now_ms,
			struct tg_config *to)
{
	bool begins = false;
	uint32_t slot;

	for (slot = 0; slot < TG_IFACES_MAX; slot++) {
		struct tg_iface named = pins->ifaces[slot];
		const struct tg_iface *iface = &named;
		const struct config_iface *wanted;
		uint32_t mode;

		if (!iface->ifindex)
			continue;
		netdev_refresh_name(&named);
		wanted = config_find_iface(config, iface->name);
		mode = config_iface_mode(config, iface->name);
		if (wanted)
			compare_attached(iface, wanted);
		if (mode == CONFIG_NOT_GIVEN && wanted)
			mode = TG_MODE_ENFORCE;
		if (mode == CONFIG_NOT_GIVEN || !iface->attached_at_s)
			continue; /* not ours to say, or being attached: monitor until that is done */
		if (settings_is_pending(&to->iface[slot], now_ms)) {
			log_info("'%.*s' waits for 'tcpguard confirm': its mode stays", TG_IFNAME_LEN,
				 iface->name);
			continue;
		}
		begins |= settings_begins_to_enforce(&to->iface[slot], (enum tg_mode)mode, now_ms);
		settings_set_mode(&to->iface[slot], (enum tg_mode)mode);
	}
	if (begins)
		settings_learn_anew(pins, now_ms);
}

/* Beside the configuration, one word an interface. */
static void apply_adoption(const struct pins *pins, const struct config *config)
{
	uint32_t slot;

	for (slot = 0; slot < TG_IFACES_MAX; slot++) {
		__u64 *until_ms = &pins->settings->iface[slot].learn_until_ms;

		if (!pins->ifaces[slot].ifindex)
			continue;
		if (config->no_flow_adopt)
			TG_WRITE_ONCE(*until_ms, UINT64_MAX);
		else if (*until_ms == UINT64_MAX)
			TG_WRITE_ONCE(*until_ms, 0);
	}
}

/* A number that went to another service begins at nothing; what is counted meanwhile is lost. */
static int clear_drops(const struct pins *pins, const struct tg_config *former, const struct tg_config *now)
{
	int cpus = libbpf_num_possible_cpus(), err = cpus < 0 ? cpus : 0;
	void *zeroes = err ? NULL : calloc((size_t)cpus, sizeof(struct tg_service_drops));
	uint32_t number;

	if (!err && !zeroes)
		err = -ENOMEM;

	for (number = 1; number < now->services && number < TG_SERVICES_MAX && !err; number++) {
		if (!strncmp(former->service[number].name, now->service[number].name, TG_SERVICE_NAME_LEN))
			continue;
		if (bpf_map_update_elem(pins->fd[PINS_SERVICE_DROPS], &number, zeroes, BPF_ANY))
			err = -errno;
	}
	free(zeroes);
	return err ? log_err(err, "cannot reset the counters of services") : 0;
}

int config_apply(struct pins *pins, const struct config *config, bool set_modes)
{
	struct lists_exchange lists;
	struct settings_change change;
	struct tg_config former;
	uint64_t now_ms;
	bool new_lists;
	int err;

	err = check_table(pins, config);
	if (!err)
		err = pins_now_ms(pins, &now_ms);
	if (!err)
		err = config_lists_prepare(pins, config, &lists, &new_lists);
	if (err)
		return err;
	settings_begin(pins, &change);
	former = change.config;
	if (new_lists)
		change.config.lists = lists.head;
	config_fill(config, now_ms, &change.config, &change.ports);
	settings_keep_waiting(&former, &change.config);
	if (set_modes)
		apply_modes(pins, config, now_ms, &change.config);
	err = clear_drops(pins, &former, &change.config);
	if (err) {
		if (new_lists)
			lists_abandon(pins, &lists);
		return err;
	}
	settings_commit(pins, &change);
	if (new_lists)
		lists_finish(pins, &lists);
	apply_adoption(pins, config);
	return 0;
}

int config_reload(struct pins *pins, const char *path, struct config **out)
{
	int lock, err;

	err = config_read(path, out);
	if (!err)
		err = config_lists_read(*out);
	if (err) {
		config_free(*out);
		*out = NULL;
		return err;
	}
	lock = settings_lock();
	if (lock < 0) {
		err = log_err_hint(lock, "try again when it is done", "cannot change the settings now");
	} else {
		err = config_apply(pins, *out, true);
		close(lock);
	}
	if (err) {
		config_free(*out);
		*out = NULL;
	}
	return err;
}
