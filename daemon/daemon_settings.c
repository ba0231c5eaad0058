/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's part of the configuration, and what it keeps up to date in the settings of the data path. */
#include <errno.h>
#include <string.h>

#include "config_apply.h"
#include "cookie.h"
#include "daemon.h"
#include "log.h"
#include "source_count.h"

void daemon_listen(struct daemon_state *state)
{
	const char *listen = state->config->metrics_listen;
	char where[sizeof(state->config->metrics_listen) + 8];

	snprintf(where, sizeof(where), "%s%s", listen[0] == '/' ? "unix:" : "", listen);
	daemon_metrics_listen(state->metrics, state->loop,
			      state->options->metrics ? state->options->metrics : where);
}

/* The daemon's own part of a configuration, which it keeps. */
static void take_config(struct daemon_state *state, struct config *config)
{
	config_free(state->config);
	state->config = config;
	state->tried_hash = config->hash;
	daemon_metrics_set_config(state->metrics, true);
	daemon_listen(state);
}

/*
 * Somebody, 'config reload' or attach, put another file in force: if it is ours, its part for the daemon
 * holds from now on.  Tried once for each.
 */
static void follow_config(struct daemon_state *state)
{
	uint64_t hash = tg_active_config(state->pins.settings)->source_hash;
	struct config *config;

	if (!state->options->config || !hash || hash == state->tried_hash)
		return;
	state->tried_hash = hash;
	if (config_read(state->options->config, &config)) { /* said */
		daemon_metrics_set_config(state->metrics, false);
		return;
	}
	if (config->hash == hash) {
		take_config(state, config);
		return;
	}
	log_info("the configuration in force is not that of '%s'", state->options->config);
	config_free(config);
}

void daemon_reload(void *context)
{
	struct daemon_state *state = context;
	struct config *config;

	if (!state->options->config) {
		log_info("daemon: nothing to reload: it was started without --config");
		return;
	}
	if (config_reload(&state->pins, state->options->config, &config)) {
		daemon_metrics_set_config(state->metrics, false);
		log_err_hint(0, "mend the file and send SIGHUP again",
			     "the configuration in force stays as it was");
	} else {
		take_config(state, config);
		log_info("daemon: '%s' is in force, generation %llu", state->options->config,
			 (unsigned long long)tg_active_config(state->pins.settings)->generation);
	}
}

int daemon_first_config(struct daemon_state *state)
{
	const char *path = state->options->config;

	if (path && config_read(path, &state->config)) {
		log_info("daemon: goes on with the defaults for its own part; 'tcpguard config check' helps");
	}
	daemon_metrics_set_config(state->metrics, !path || state->config);
	if (!state->config)
		state->config = config_new();
	if (!state->config)
		return log_err(-ENOMEM, "cannot start the daemon");
	state->tried_hash = state->config->hash;
	return 0;
}

void daemon_follow_settings(struct daemon_state *state)
{
	uint64_t now_ms;

	if (pins_now_ms(&state->pins, &now_ms))
		return; /* said */
	TG_WRITE_ONCE(state->pins.settings->daemon_alive_ms, now_ms);
	if (cookie_follow_wall_clock(state->pins.cookies, now_ms))
		log_info("the wall clock was set: SYN cookies follow it");
	pins_refresh(&state->pins);
	follow_config(state);
	guard_watch_step(state->guard, &state->pins, &state->config->guard, now_ms); /* said; again in a second */
	if (source_count_step(&state->pins, now_ms, &state->next_count_ms))
		log_err(-ENOMEM, "cannot count the connections of each source");
	if (mode_watch_look(&state->modes, &state->pins, now_ms, state->events))
		event_server_publish(state->server);
	daemon_metrics_set_reverts(state->metrics, state->modes.reverts);
	events_write_counts(state->events);
	event_server_look_after(state->server);
	/* Who captured and was killed left the data path copying packets. */
	if ((TG_READ_ONCE(state->pins.settings->watch) & TG_WATCH_CAPTURE) && !pins_capture_runs())
		__sync_fetch_and_and(&state->pins.settings->watch, ~(__u32)TG_WATCH_CAPTURE);
}
