/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the words of a mode, and changes it in place. */
#include "mode_targets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "netdev.h"
#include "settings.h"

static void add(struct mode_targets *targets, struct tg_mode_setting *setting, const char *name,
		struct tg_service *service)
{
	struct mode_target *target;
	uint32_t i;

	for (i = 0; i < targets->count; i++)
		if (targets->target[i].setting == setting)
			return; /* named twice */
	/* More than there are: the index of the configurations or a name was changed while we looked. */
	if (targets->count == MODE_TARGETS_MAX)
		return;
	target = &targets->target[targets->count++];
	target->setting = setting;
	target->service = service;
	snprintf(target->name, sizeof(target->name), "%.*s", (int)sizeof(target->name) - 1, name);
}

static void add_iface(const struct pins *pins, uint32_t slot, struct mode_targets *targets)
{
	struct tg_iface iface = pins->ifaces[slot];

	netdev_refresh_name(&iface);
	add(targets, &settings_active(pins->settings)->iface[slot], iface.name, NULL);
}

static struct tg_service *find_service(struct tg_config *config, const char *name)
{
	uint32_t i;

	for (i = 1; i < config->services && i < TG_SERVICES_MAX; i++)
		if (!strncmp(config->service[i].name, name, TG_SERVICE_NAME_LEN))
			return &config->service[i];
	return NULL;
}

int mode_targets_named(const struct pins *pins, int argc, char **argv, struct mode_targets *targets)
{
	struct tg_config *config = settings_active(pins->settings);
	struct tg_service *service;
	int word, slot;

	targets->count = 0;
	for (word = 0; word < argc; word++) {
		slot = pins_iface_slot(pins, argv[word]);
		service = slot < 0 ? find_service(config, argv[word]) : NULL;
		if (slot < 0 && !service) {
			log_err_hint(0,
				     "'tcpguard status' lists both, 'tcpguard attach' attaches",
				     "'%s' is neither an attached interface nor a service", argv[word]);
			return -ENODEV;
		}
		if (service)
			add(targets, &service->mode, service->name, service);
		else
			add_iface(pins, (uint32_t)slot, targets);
	}
	return 0;
}

void mode_targets_all(const struct pins *pins, bool services, struct mode_targets *targets)
{
	struct tg_config *config = settings_active(pins->settings);
	uint32_t i;

	targets->count = 0;
	for (i = 0; i < TG_IFACES_MAX; i++)
		if (TG_READ_ONCE(pins->ifaces[i].ifindex))
			add_iface(pins, i, targets);
	for (i = 1; services && i < config->services && i < TG_SERVICES_MAX; i++)
		if (config->service[i].has_mode)
			add(targets, &config->service[i].mode, config->service[i].name,
			    &config->service[i]);
}

/* The mode first: whoever sees has_mode sees the mode, too. */
static void own_mode(const struct mode_target *target)
{
	if (!target->service)
		return;
	__sync_synchronize();
	TG_WRITE_ONCE(target->service->has_mode, 1);
}

void mode_target_set(const struct mode_target *target, enum tg_mode mode)
{
	settings_set_mode(target->setting, mode);
	own_mode(target);
}

static enum tg_mode inherited_mode(const struct pins *pins, uint64_t now_ms)
{
	const struct tg_config *config = tg_active_config(pins->settings);
	uint32_t slot;

	for (slot = 0; slot < TG_IFACES_MAX; slot++)
		if (TG_READ_ONCE(pins->ifaces[slot].ifindex) &&
		    tg_mode_at(&config->iface[slot], now_ms) == TG_MODE_MONITOR)
			return TG_MODE_MONITOR;
	return TG_MODE_ENFORCE;
}

void mode_target_try(const struct pins *pins, const struct mode_target *target, enum tg_mode mode,
		     uint64_t until_ms, uint64_t now_ms)
{
	/* Nobody reads the setting while has_mode is 0. */
	if (target->service && !target->service->has_mode)
		settings_set_mode(target->setting, inherited_mode(pins, now_ms));
	settings_try_mode(target->setting, mode, until_ms, now_ms);
	own_mode(target);
}
