/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single words in place, everything else through a copy and the inactive configuration. */
#include "settings.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/membarrier.h>

#define LOCK_TRIES 40
#define LOCK_PAUSE_NS 50000000L

/* Of tg_config.relaxed: the classes that need a flow, and where it keeps what it was before. */
#define WAITING (1U << TG_CLASS_STATE | 1U << TG_CLASS_WINDOW | 1U << TG_CLASS_SYN | TG_RELAXED_EXCHANGE)
#define WAITS 0x80000000U
#define BEFORE_SHIFT 8
#define BEFORE_MASK 0xffU

int settings_lock(void)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };
	int lock = -EBUSY, i;

	for (i = 0; i < LOCK_TRIES; i++) {
		lock = pins_try_lock();
		if (lock != -EBUSY)
			break;
		nanosleep(&pause, NULL);
	}
	return lock;
}

struct tg_config *settings_active(struct tg_settings *settings)
{
	return &settings->config[TG_READ_ONCE(settings->active) & 1];
}

uint32_t settings_relaxed(const struct tg_config *config)
{
	uint32_t word = TG_READ_ONCE(config->relaxed);

	return word & WAITS ? word >> BEFORE_SHIFT & BEFORE_MASK : word;
}

bool settings_waits(const struct tg_config *config)
{
	return TG_READ_ONCE(config->relaxed) & WAITS;
}

void settings_wait(struct tg_config *config)
{
	uint32_t word = TG_READ_ONCE(config->relaxed), before = settings_relaxed(config);

	/* What waits already stays: another version may have other classes wait. */
	TG_WRITE_ONCE(config->relaxed, word | WAITS | before << BEFORE_SHIFT | WAITING);
}

void settings_resume(struct tg_config *config)
{
	TG_WRITE_ONCE(config->relaxed, settings_relaxed(config));
}

void settings_keep_waiting(const struct tg_config *active, struct tg_config *next)
{
	if (settings_waits(active))
		settings_wait(next);
}

void settings_begin(const struct pins *p, struct settings_change *change)
{
	uint32_t active = TG_READ_ONCE(p->settings->active) & 1;

	change->config = p->settings->config[active];
	change->ports = p->ports[active];
}

void settings_commit(struct pins *p, struct settings_change *change)
{
	uint32_t active = TG_READ_ONCE(p->settings->active) & 1;

	change->config.generation++;
	p->settings->config[!active] = change->config;
	p->ports[!active] = change->ports;
	__sync_synchronize(); /* all of it before the index */
	TG_WRITE_ONCE(p->settings->active, !active);
	/*
	 * Waits for an RCU grace period: packets that read the index before have been judged, so
	 * that the next change may fill what they looked at.  Where it is refused (nohz_full), a
	 * change would have to begin within the microsecond of a packet to be seen by it.
	 */
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	pins_refresh(p);
}

void settings_set_mode(struct tg_mode_setting *setting, enum tg_mode mode)
{
	TG_WRITE_ONCE(setting->fallback, mode);
	TG_WRITE_ONCE(setting->mode, mode);
	__sync_synchronize(); /* a reader between the two sees the new mode either way */
	TG_WRITE_ONCE(setting->until_ms, 0);
}

bool settings_is_pending(const struct tg_mode_setting *setting, uint64_t now_ms)
{
	return setting->until_ms && now_ms <= setting->until_ms;
}

bool settings_begins_to_enforce(const struct tg_mode_setting *setting, enum tg_mode mode, uint64_t now_ms)
{
	return mode == TG_MODE_ENFORCE && tg_mode_at(setting, now_ms) != TG_MODE_ENFORCE;
}

void settings_learn_until(struct tg_iface_settings *iface, uint64_t until_ms)
{
	if (TG_READ_ONCE(iface->learn_until_ms) < until_ms)
		TG_WRITE_ONCE(iface->learn_until_ms, until_ms);
}

void settings_learn_anew(const struct pins *pins, uint64_t now_ms)
{
	uint32_t slot;

	for (slot = 0; slot < TG_IFACES_MAX; slot++)
		if (TG_READ_ONCE(pins->ifaces[slot].ifindex) && pins->ifaces[slot].profile != TG_PROFILE_HOST)
			settings_learn_until(&pins->settings->iface[slot], now_ms + TG_LEARN_DEFAULT_MS);
}

void settings_try_mode(struct tg_mode_setting *setting, enum tg_mode mode, uint64_t until_ms,
		       uint64_t now_ms)
{
	/* A second try before the first was answered goes back to where the first one began. */
	if (!settings_is_pending(setting, now_ms))
		TG_WRITE_ONCE(setting->fallback, tg_mode_at(setting, now_ms));
	__sync_synchronize();
	TG_WRITE_ONCE(setting->until_ms, until_ms);
	__sync_synchronize();
	TG_WRITE_ONCE(setting->mode, mode);
}

bool settings_confirm(struct tg_mode_setting *setting, uint64_t now_ms)
{
	if (!settings_is_pending(setting, now_ms))
		return false;
	settings_set_mode(setting, (enum tg_mode)setting->mode);
	return true;
}

bool settings_revert(struct tg_mode_setting *setting, uint64_t now_ms)
{
	if (!settings_is_pending(setting, now_ms))
		return false;
	settings_set_mode(setting, (enum tg_mode)setting->fallback);
	return true;
}
