/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compares with what was seen last. */
#include "mode_watch.h"

#include "names.h"
#include "netdev.h"

#define NOBODY ", nobody confirmed"

static void read_modes(struct mode_watch *watch, const struct pins *pins, uint64_t now_ms)
{
	const struct tg_config *config = tg_active_config(pins->settings);
	uint32_t i;

	for (i = 0; i < TG_IFACES_MAX; i++)
		watch->iface[i] = TG_READ_ONCE(pins->ifaces[i].ifindex) ?
					  (uint8_t)(1 + tg_mode_at(&config->iface[i], now_ms)) :
					  0;
	for (i = 0; i < TG_SERVICES_MAX; i++)
		watch->service[i] = config->service[i].has_mode ?
					    (uint8_t)(1 + tg_mode_at(&config->service[i].mode, now_ms)) :
					    0;
	watch->bypass = TG_READ_ONCE(pins->settings->bypass);
	watch->list_prefixes = config->lists.prefixes;
}

static const char *word(uint8_t mode)
{
	return mode ? names_mode(mode - 1U) : "none";
}

/* Its deadline has passed: `revert` and `confirm` would have lifted it. */
static bool has_lapsed(const struct tg_mode_setting *setting, uint64_t now_ms)
{
	uint64_t until_ms = TG_READ_ONCE(setting->until_ms);

	return until_ms && now_ms > until_ms;
}

void mode_watch_begin(struct mode_watch *watch, const struct pins *pins, uint64_t now_ms)
{
	read_modes(watch, pins, now_ms);
}

bool mode_watch_look(struct mode_watch *watch, const struct pins *pins, uint64_t now_ms,
		     struct events *events)
{
	const struct tg_config *config = tg_active_config(pins->settings);
	struct mode_watch now = { .reverts = watch->reverts };
	bool changed = false, reverted;
	uint32_t i;

	read_modes(&now, pins, now_ms);
	for (i = 0; i < TG_IFACES_MAX; i++) {
		struct tg_iface iface = pins->ifaces[i];

		if (now.iface[i] == watch->iface[i])
			continue;
		netdev_refresh_name(&iface);
		changed = true;
		reverted = has_lapsed(&config->iface[i], now_ms);
		now.reverts += reverted;
		events_say(events, TG_EVENT_MODE, "interface %.*s: %s -> %s%s", TG_IFNAME_LEN,
			   iface.name, word(watch->iface[i]), word(now.iface[i]),
			   reverted ? NOBODY : "");
	}
	for (i = 0; i < TG_SERVICES_MAX; i++) {
		if (now.service[i] == watch->service[i])
			continue;
		changed = true;
		reverted = now.service[i] && has_lapsed(&config->service[i].mode, now_ms);
		now.reverts += reverted;
		events_say(events, TG_EVENT_MODE, "service %.*s: %s -> %s%s", TG_SERVICE_NAME_LEN,
			   config->service[i].name, word(watch->service[i]), word(now.service[i]),
			   reverted ? NOBODY : "");
	}
	if (!now.bypass != !watch->bypass) {
		changed = true;
		events_say(events, TG_EVENT_MODE, "bypass: %s", now.bypass ? "on" : "off");
	}
	if (now.list_prefixes != watch->list_prefixes) {
		changed = true;
		events_say(events, TG_EVENT_LIST, "lists: %u prefixes, %u before", now.list_prefixes,
			   watch->list_prefixes);
	}
	*watch = now;
	return changed;
}
