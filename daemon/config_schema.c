/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of keys, the defaults, and how a value is written. */
#include "config_schema.h"

#include <stdlib.h>
#include <string.h>

#include "list_rules.h"
#include "names.h"

#define SECONDS_MAX (7 * 86400U) /* far below half the range of the table's clock */
#define PPS_MAX 1000000000U

#define AT(member) offsetof(struct config, member)
#define IFACE(member) offsetof(struct config_iface, member)
#define SERVICE(member) offsetof(struct config_service, member)

static const char *const xdp_words[] = { "auto", "native", "generic", NULL };
static const char *const profile_words[] = { "auto", "host", "gateway", "oneway", NULL };
static const char *const window_words[] = { "strict", "loose", NULL };
static const char *const no_flow_words[] = { "drop", "adopt", NULL };
static const char *const loss_words[] = { "keep", "monitor", NULL };

#define NUMBER(name_, at, min_, max_, help_) \
	{ \
		.name = name_, .type = CONFIG_NUMBER, .offset = at, .min = min_, .max = max_, .help = help_ \
	}
#define DURATION(name_, at, min_, help_) \
	{ \
		.name = name_, .type = CONFIG_DURATION, .offset = at, .min = min_, .max = SECONDS_MAX, .help = help_ \
	}
#define WORD(name_, at, words_, help_) \
	{ \
		.name = name_, .type = CONFIG_WORD, .offset = at, .words = words_, .help = help_ \
	}
#define BOOLEAN(name_, at, help_) \
	{ \
		.name = name_, .type = CONFIG_BOOLEAN, .offset = at, .help = help_ \
	}
#define MAP(name_, keys_, help_) \
	{ \
		.name = name_, .type = CONFIG_MAP, .keys = keys_, .help = help_ \
	}

static const struct config_key iface_keys[] = {
	{ .name = "name", .type = CONFIG_NAME, .offset = IFACE(name), .max = TG_IFNAME_LEN, .required = true, .help = "as 'ip link' shows it", .example = "eth0" },
	WORD("mode", IFACE(mode), names_modes, "its own mode: enforce or monitor"),
	WORD("xdp", IFACE(xdp), xdp_words, "auto, native or generic"),
	WORD("profile", IFACE(profile), profile_words,
	     "host (sees both directions), gateway (forwards), oneway (asymmetric paths) or auto"),
	BOOLEAN("share", IFACE(share), "run beside other XDP programs, through libxdp's dispatcher"),
	BOOLEAN("strict", IFACE(strict), "drop what is doubtful, too"),
	NUMBER("zone", IFACE(zone), 0, UINT16_MAX, "keeps flows apart from interfaces with another number"),
	{ 0 },
};

static const struct config_key service_keys[] = {
	{ .name = "name",
	  .type = CONFIG_NAME,
	  .offset = SERVICE(name),
	  .max = TG_SERVICE_NAME_LEN,
	  .required = true,
	  .help = "for commands, statistics and metrics",
	  .example = "web" },
	{ .name = "ports",
	  .type = CONFIG_PORTS,
	  .offset = SERVICE(ports),
	  .required = true,
	  .help = "local ports, numbers and ranges; a port belongs to one service",
	  .example = "[80, 443, 8000-8100]" },
	WORD("mode", SERVICE(mode), names_modes, "its own mode, whatever its interface's"),
	WORD("synflood", SERVICE(synflood), names_flood_actions,
	     "what is done with a flood of SYNs: default (as for all), challenge, defer, ratelimit or off"),
	WORD("window", SERVICE(loose_window), window_words,
	     "loose: what is outside the windows is counted, not dropped"),
	{ 0 },
};

static const struct config_key synflood_keys[] = {
	NUMBER("start_pps", AT(synflood.start_pps), 0, PPS_MAX,
	       "SYNs a second to one address and port that begin protection; 0: never"),
	NUMBER("stop_pps", AT(synflood.stop_pps), 0, PPS_MAX, "below it, for two seconds, protection ends"),
	NUMBER("half_open_start", AT(synflood.half_open_start), 0, PPS_MAX,
	       "handshakes begun in the last 8 s and not finished that begin it; 0: never"),
	NUMBER("half_open_stop", AT(synflood.half_open_stop), 0, PPS_MAX, "below it protection ends"),
	WORD("action", AT(synflood.action), names_flood_actions,
	     "challenge (SYN cookies), defer (first SYN dropped), ratelimit or off"),
	NUMBER("source_pps", AT(synflood.source_pps), 0, 100000,
	       "SYNs a second one source may send; 0: no limit"),
	NUMBER("source_burst", AT(synflood.source_burst), 1, PPS_MAX, "SYNs it may send at once"),
	NUMBER("source_conns", AT(synflood.source_conns), 0, UINT32_MAX - 1,
	       "established connections one source may have; 0: no limit"),
	NUMBER("source_prefix4", AT(synflood.source_prefix4), 1, 32,
	       "bits of an IPv4 address that make a source"),
	NUMBER("source_prefix6", AT(synflood.source_prefix6), 1, 128,
	       "bits of an IPv6 address that make a source"),
	{ 0 },
};

static const struct config_key state_keys[] = {
	WORD("no_flow", AT(no_flow_adopt), no_flow_words,
	     "segments of unknown connections: drop, or adopt them all the time"),
	{ .name = "adopt_for",
	  .type = CONFIG_DURATION,
	  .offset = AT(adopt_for_s),
	  .max = SECONDS_MAX,
	  .elsewhere = true,
	  .help = "how long after attach a gateway adopts unknown connections" },
	WORD("window", AT(loose_window), window_words,
	     "loose: what is outside the windows is counted, not dropped"),
	{ .name = "seed",
	  .type = CONFIG_BOOLEAN,
	  .offset = AT(seed),
	  .elsewhere = true,
	  .help = "make live connections known from the kernel's sockets when attaching" },
	{ 0 },
};

static const struct config_key timeout_keys[] = {
	DURATION("handshake", AT(timeouts.handshake_s), 1,
		 "from SYN to ESTABLISHED, in each of its two steps"),
	DURATION("established", AT(timeouts.established_s), 60, "without a packet"),
	DURATION("half_closed", AT(timeouts.half_closed_s), 1, "after one side's FIN"),
	DURATION("last", AT(timeouts.last_s), 1, "both FINs seen, the last ACK missing"),
	DURATION("time_wait", AT(timeouts.time_wait_s), 1, "after the last ACK"),
	DURATION("closed", AT(timeouts.closed_s), 1, "after a RST"),
	DURATION("unconfirmed", AT(timeouts.unconfirmed_s), 1,
		 "established with unanswered data, or adopted with one side silent"),
	{ 0 },
};

static const struct config_key flows_keys[] = {
	{ .name = "max", .type = CONFIG_NUMBER, .offset = AT(max_flows), .min = 1, .max = 64U * 1048576U, .place = AT(max_flows_place), .example = "1048576", .help = "size of the flow table, when it is made; default 1048576, less if memory is short" },
	MAP("timeouts", timeout_keys, "when a flow is forgotten"),
	{ 0 },
};

static const struct config_key lists_keys[] = {
	{ .name = "allow", .type = CONFIG_PATHS, .offset = AT(allow), .place = AT(allow_place), .elsewhere = true, .help = "files of prefixes that no list, limit or challenge touches", .example = "[/etc/tcpguard/allow.txt]" },
	{ .name = "block", .type = CONFIG_PATHS, .offset = AT(block), .place = AT(block_place), .elsewhere = true, .help = "files, or directories of files, of prefixes that are dropped", .example = "[/etc/tcpguard/block.d]" },
	{ .name = "force", .type = CONFIG_BOOLEAN, .offset = AT(lists_force), .elsewhere = true, .help = "block this host, its gateways, your ssh and very wide prefixes, too" },
	{ 0 },
};

static const struct config_key events_keys[] = {
	{ .name = "sample", .type = CONFIG_NUMBER, .offset = AT(events_sample), .min = 1, .max = PPS_MAX, .help = "report one drop of so many of a reason" },
	{ .name = "max_per_second", .type = CONFIG_NUMBER, .offset = AT(events_max_per_second), .min = 1, .max = PPS_MAX, .help = "events a second, of a reason" },
	{ 0 },
};

static const struct config_key metrics_keys[] = {
	{ .name = "listen", .type = CONFIG_TEXT, .offset = AT(metrics_listen), .max = 108, .place = AT(listen_place), .elsewhere = true, .help = "ADDRESS:PORT, the path of a Unix socket, or off" },
	{ 0 },
};

static const struct config_key guard_keys[] = {
	{ .name = "enabled", .type = CONFIG_BOOLEAN, .offset = AT(guard.enabled), .elsewhere = true, .help = "step a class of reasons back to monitor when it drops packets of live connections" },
	{ .name = "ratio", .type = CONFIG_PERCENT, .offset = AT(guard.ratio), .min = 1, .max = 100000, .elsewhere = true, .help = "such drops, of the interface's passed packets, in 10 seconds" },
	{ .name = "flows", .type = CONFIG_NUMBER, .offset = AT(guard.flows), .min = 1, .max = PPS_MAX, .elsewhere = true, .help = "and at least so many connections hit for the first time" },
	{ .name = "packets", .type = CONFIG_NUMBER, .offset = AT(guard.packets), .min = 1, .max = PPS_MAX, .elsewhere = true, .help = "and at least so many packets" },
	{ .name = "rearm", .type = CONFIG_DURATION, .offset = AT(guard.rearm_s), .min = 10, .max = 86400, .elsewhere = true, .help = "calm before it enforces again; doubles each time, up to 24h" },
	{ 0 },
};

const struct config_key config_keys[] = {
	{ .name = "version", .type = CONFIG_NUMBER, .offset = AT(version), .min = 1, .max = 1, .place = AT(version_place), .help = "of this format" },
	WORD("mode", AT(mode), names_modes,
	     "enforce or monitor (drop nothing, count what would be dropped), where nothing else is said"),
	{ .name = "interfaces", .type = CONFIG_LIST, .offset = AT(iface), .max = TG_IFACES_MAX, .keys = iface_keys, .element = sizeof(struct config_iface), .count = AT(iface_count), .help = "what 'tcpguard attach --config' attaches" },
	{ .name = "services", .type = CONFIG_LIST, .offset = AT(service), .max = TG_SERVICES_MAX - 1, .keys = service_keys, .element = sizeof(struct config_service), .count = AT(service_count), .help = "local ports with rules of their own; the others have the defaults" },
	{ .name = "synflood", .type = CONFIG_MAP, .keys = synflood_keys, .place = AT(synflood_place), .help = "protection from floods of SYNs, limits per source" },
	MAP("state", state_keys, "what a segment without a place in its connection meets"),
	MAP("flows", flows_keys, "the flow table"),
	MAP("lists", lists_keys, "addresses"),
	MAP("events", events_keys, "what the daemon reports"),
	MAP("metrics", metrics_keys, "for Prometheus"),
	WORD("on_daemon_loss", AT(daemon_loss_monitor), loss_words,
	     "keep, or monitor: drop nothing when the daemon has been silent for daemon_loss_after"),
	DURATION("daemon_loss_after", AT(daemon_loss_after_s), 5, "how long is silent"),
	MAP("guard", guard_keys, "the daemon's watch over drops that hit live connections"),
	{ 0 },
};

struct config *config_new(void)
{
	static const struct tg_timeouts timeouts = TG_TIMEOUTS_DEFAULT;
	static const struct tg_flood flood = TG_FLOOD_DEFAULTS;
	struct config *config = calloc(1, sizeof(*config));

	if (!config)
		return NULL;
	config->version = 1;
	config->mode = CONFIG_NOT_GIVEN;
	config->synflood = (struct config_synflood){
		.start_pps = flood.start_pps,
		.stop_pps = flood.stop_pps,
		.half_open_start = flood.half_open_start,
		.half_open_stop = flood.half_open_stop,
		.action = flood.action,
		.source_pps = flood.source_pps,
		.source_burst = flood.source_burst,
		.source_conns = flood.source_conns,
		.source_prefix4 = flood.source_prefix4,
		.source_prefix6 = flood.source_prefix6,
	};
	config->timeouts = (struct config_timeouts){
		.handshake_s = timeouts.phase_ms[TG_PHASE_SYN_SENT] / 1000,
		.established_s = timeouts.phase_ms[TG_PHASE_ESTABLISHED] / 1000,
		.half_closed_s = timeouts.phase_ms[TG_PHASE_HALF_CLOSED] / 1000,
		.last_s = timeouts.phase_ms[TG_PHASE_LAST] / 1000,
		.time_wait_s = timeouts.phase_ms[TG_PHASE_TIME_WAIT] / 1000,
		.closed_s = timeouts.phase_ms[TG_PHASE_CLOSED] / 1000,
		.unconfirmed_s = timeouts.unconfirmed_ms / 1000,
	};
	config->adopt_for_s = TG_LEARN_DEFAULT_MS / 1000;
	config->seed = 1;
	config->events_sample = 100;
	config->events_max_per_second = 1000;
	strcpy(config->metrics_listen, "127.0.0.1:9844");
	config->daemon_loss_after_s = 30;
	config->guard = (struct config_guard){
		.enabled = 1,
		.ratio = 1000,
		.flows = 3,
		.packets = 20,
		.rearm_s = 600,
	};
	return config;
}

void config_free(struct config *config)
{
	uint32_t i;

	if (!config)
		return;
	for (i = 0; i < config->file_count; i++)
		free(config->file[i]);
	if (config->lists)
		list_rules_free(config->lists);
	free(config->lists);
	free(config);
}
