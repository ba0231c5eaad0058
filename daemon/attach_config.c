/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file's part of attach. */
#include "attach_config.h"

#include <errno.h>

#include "config_apply.h"
#include "config_lists.h"
#include "log.h"
#include "settings.h"

int attach_config_read(const char *path, struct config **config, const char **names, int *count)
{
	uint32_t i;
	int err = config_read(path, config);

	if (!err)
		err = config_lists_read(*config);
	if (err) {
		config_free(*config);
		*config = NULL;
		return err;
	}
	if (*count)
		return 0;
	for (i = 0; i < (*config)->iface_count; i++)
		names[(*count)++] = (*config)->iface[i].name;
	if (*count)
		return 0;
	log_err_hint(0, "name them under 'interfaces', or on the command line",
		     "'%s' names no interface to attach", path);
	config_free(*config);
	*config = NULL;
	return -EBADMSG;
}

void attach_config_merge(const struct config *config, const char *name, const struct datapath_options *given,
			 struct datapath_options *out)
{
	const struct config_iface *iface = config ? config_find_iface(config, name) : NULL;

	*out = *given;
	if (out->learn_s == ATTACH_LEARN_UNSET)
		out->learn_s = config ? config->adopt_for_s : TG_LEARN_DEFAULT_MS / 1000;
	if (!config)
		return;
	out->hold = true;
	out->no_seed |= !config->seed;
	if (!out->max_flows)
		out->max_flows = config->max_flows;
	if (!iface)
		return;
	if (!out->xdp)
		out->xdp = (int)iface->xdp;
	if (out->profile == DATAPATH_UNSET && iface->profile)
		out->profile = (int)iface->profile - 1;
	if (!out->zone)
		out->zone = iface->zone;
	out->share |= iface->share != 0;
	out->strict |= iface->strict != 0;
}

/* The command line, the file, and else what it had: enforce, if it is new. */
static uint32_t mode_for(const struct config *config, const struct datapath_options *given,
			 const struct datapath_result *result)
{
	uint32_t mode = config_iface_mode(config, result->dev.name);

	if (given->mode != DATAPATH_UNSET)
		return (uint32_t)given->mode;
	if (mode != CONFIG_NOT_GIVEN || result->updated)
		return mode;
	return result->kept_mode ? (uint32_t)result->mode : TG_MODE_ENFORCE;
}

static void set_mode(struct pins *pins, const struct config *config, const struct datapath_options *given,
		     uint64_t now_ms, struct datapath_result *result)
{
	int slot = pins_iface_slot(pins, result->dev.name);
	uint32_t mode = mode_for(config, given, result);
	struct tg_mode_setting *setting;

	if (slot < 0)
		return; /* vanished meanwhile */
	setting = &settings_active(pins->settings)->iface[slot];
	if (settings_is_pending(setting, now_ms) && given->mode == DATAPATH_UNSET) {
		log_info("'%s' waits for 'tcpguard confirm': its mode stays", result->dev.name);
		result->mode = tg_mode_at(setting, now_ms);
		return;
	}
	/* What is new has been told to learn for as long as it was asked. */
	if (result->updated && settings_begins_to_enforce(setting, (enum tg_mode)mode, now_ms))
		settings_learn_anew(pins, now_ms);
	if (mode == TG_MODE_ENFORCE && given->confirm_s) {
		settings_try_mode(setting, mode, now_ms + given->confirm_s * 1000ULL, now_ms);
		result->confirm_s = given->confirm_s;
	} else if (mode != CONFIG_NOT_GIVEN) {
		settings_set_mode(setting, (enum tg_mode)mode);
	}
	result->mode = tg_mode_at(setting, now_ms);
}

int attach_config_apply(const struct config *config, const struct datapath_options *given,
			struct datapath_result *results, int count)
{
	struct pins pins;
	uint64_t now_ms;
	int err, i;

	err = pins_open(&pins, true);
	if (err)
		return err;
	err = config_apply(&pins, config, false);
	if (!err)
		err = pins_now_ms(&pins, &now_ms);
	for (i = 0; i < count && !err; i++)
		set_mode(&pins, config, given, now_ms, &results[i]);
	if (err)
		log_err_hint(0, "mend that and attach again; nothing is dropped on new interfaces until then",
			     "the interfaces are attached, the configuration is not in force");
	pins_close(&pins);
	return err;
}
