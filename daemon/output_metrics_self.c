/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Metrics of tcpguard itself: interfaces, configuration, lists, events, the daemon. */
#include <inttypes.h>

#include <bpf/libbpf.h>

#include "guard.h"
#include "names.h"
#include "output_metrics_put.h"
#include "version.h"

void put_BUILD(struct metrics_writer *out, const struct input *in)
{
	(void)in;
	metrics_put(out, METRICS_VALUES(TCPGUARD_VERSION, libbpf_version_string()), 1);
}

PUT_NUMBER(READY, snapshot_ready(in->s))
PUT_NUMBER(DAEMON_RUNNING, in->s->daemon_runs)
PUT_NUMBER(BYPASS_ACTIVE, in->s->bypass)
PUT_NUMBER(CONFIG_GENERATION, in->s->config_generation)

void put_CONFIG_HASH(struct metrics_writer *out, const struct input *in)
{
	char hash[20];

	snprintf(hash, sizeof(hash), "%016" PRIx64, in->s->config_hash);
	metrics_put(out, METRICS_VALUES(in->s->config_hash ? hash : "none"), 1);
}

void put_INTERFACE_MODE(struct metrics_writer *out, const struct input *in)
{
	uint32_t i, mode;

	for (i = 0; i < in->s->iface_count; i++)
		for (mode = 0; mode < TG_MODE_MAX; mode++)
			metrics_put(out, METRICS_VALUES(in->iface[i], names_mode(mode)),
				    in->s->iface[i].mode == (enum tg_mode)mode);
}

void put_INTERFACE_XDP(struct metrics_writer *out, const struct input *in)
{
	uint32_t i;

	for (i = 0; i < in->s->iface_count; i++) {
		const struct tg_iface *iface = &in->s->iface[i].iface;

		metrics_put(out,
			    METRICS_VALUES(in->iface[i], names_xdp(iface->xdp_mode), iface->driver,
					   names_profile(iface->profile)),
			    1);
	}
}

void put_INTERFACE_ATTACHED(struct metrics_writer *out, const struct input *in)
{
	uint32_t i;

	for (i = 0; i < in->s->iface_count; i++)
		metrics_put(out, METRICS_VALUES(in->iface[i]),
			    in->s->iface[i].iface.attached_at_s);
}

/* --- tcpguard itself ------------------------------------------------------------------------------ */

PUT_CHOICES(DATAPATH_ERRORS,
	    { "map", JUDGED(TG_PASS_INTERNAL) },
	    { "unreadable", JUDGED(TG_PASS_UNREADABLE) },
	    { "suspect", JUDGED(TG_PASS_SUSPECT) },
	    { "collision", JUDGED(TG_PASS_COLLISION) })

void put_LIST_ENTRIES(struct metrics_writer *out, const struct input *in)
{
	static const char *const families[] = { "ipv6", "ipv4" };
	int list, family, origin;

	for (list = 0; list < TG_LIST_MAX; list++)
		for (family = 0; family < 2; family++)
			for (origin = 0; origin < TG_LIST_ORIGIN_MAX; origin++)
				metrics_put(out,
					    METRICS_VALUES(list == TG_LIST_ALLOW ? "allow" : "block",
							   families[family], names_list_origins[origin]),
					    in->s->list_counts.rules[list][family][origin]);
}

void put_LIST_LIMIT(struct metrics_writer *out, const struct input *in)
{
	(void)in;
	metrics_put(out, METRICS_NO_VALUES, TG_LIST_RULES_MAX);
}

PUT_NUMBER(LIST_CHANGED, in->s->list_counts.made_s)

static const char *const event_types[] = {
	"none",
#define X(id, name) name,
	TG_EVENTS(X)
#undef X
};

static void put_types(struct metrics_writer *out, const __u64 counts[TG_EVENT_MAX])
{
	int type;

	for (type = TG_EVENT_NONE + 1; type < TG_EVENT_MAX; type++)
		metrics_put(out, METRICS_VALUES(event_types[type]), counts[type]);
}

void put_EVENTS(struct metrics_writer *out, const struct input *in)
{
	put_types(out, in->s->events.emitted);
}

void put_EVENTS_LOST(struct metrics_writer *out, const struct input *in)
{
	put_types(out, in->s->events.lost);
}

void put_EVENTS_SUPPRESSED(struct metrics_writer *out, const struct input *in)
{
	put_types(out, in->s->events.suppressed);
}

PUT_NUMBER(EVENT_READERS, in->s->event_readers)
PUT_NUMBER(CAPTURE_PACKETS, in->s->events.captured)
PUT_NUMBER(CAPTURE_LOST, in->s->events.capture_lost)

void put_GUARD_STATE(struct metrics_writer *out, const struct input *in)
{
	uint32_t i;
	int class;

	for (i = 0; i < in->s->iface_count; i++)
		for (class = 0; class < TG_CLASS_MAX; class ++)
			if (class_drops((enum tg_class) class))
				metrics_put(out,
					    METRICS_VALUES(in->iface[i],
							   names_class((enum tg_class) class)),
					    in->s->iface[i].relaxed >> class & 1);
}

void put_MAP_BYTES(struct metrics_writer *out, const struct input *in)
{
	int map;

	for (map = 0; map < PINS_MAP_MAX; map++)
		metrics_put(out, METRICS_VALUES(pins_map_name((enum pins_map)map)),
			    in->s->map_bytes[map]);
}

static const char *const programs[] = { "xdp", "tc" };

#define PUT_RUNS(id, put, value) \
	void put_##id(struct metrics_writer *out, const struct input *in) \
	{ \
		uint32_t i, program; \
\
		for (i = 0; i < in->s->iface_count; i++) \
			for (program = 0; program < 2; program++) { \
				const struct pins_runs *runs = &in->s->iface[i].runs[program]; \
\
				if (runs->count) \
					put(out, METRICS_VALUES(in->iface[i], programs[program]), value); \
			} \
	}

PUT_RUNS(BPF_RUNS, metrics_put, runs->count)
PUT_RUNS(BPF_RUN_SECONDS, metrics_put_real, (double)runs->ns / 1e9)

/* --- the daemon alone ----------------------------------------------------------------------------- */

void put_SWEEP_ENTRIES(struct metrics_writer *out, const struct input *in)
{
	metrics_put(out, METRICS_VALUES("expired"), in->daemon->expired);
	metrics_put(out, METRICS_VALUES("evicted"), in->daemon->evicted);
	metrics_put(out, METRICS_VALUES("recovered"), in->daemon->recovered);
}

void put_SWEEP_DURATION(struct metrics_writer *out, const struct input *in)
{
	static const double bounds[METRICS_SWEEPS_BOUNDS] = METRICS_SWEEPS;

	metrics_put_histogram(out, METRICS_NO_VALUES, bounds, in->daemon->sweeps,
			      METRICS_SWEEPS_BOUNDS + 1, (double)in->daemon->sweeps_ns / 1e9);
}

void put_FLOW_ENDED(struct metrics_writer *out, const struct input *in)
{
	static const char *const causes[FLOW_END_MAX] = {
		[FLOW_END_FIN] = "fin",
		[FLOW_END_RST] = "rst",
		[FLOW_END_TIMEOUT] = "timeout",
		[FLOW_END_HANDSHAKE] = "handshake_timeout",
		[FLOW_END_EVICTED] = "evicted",
	};
	int end;

	for (end = 0; end < FLOW_END_MAX; end++)
		metrics_put(out, METRICS_VALUES(causes[end]), in->daemon->ends.count[end]);
}

void put_FLOW_DURATION(struct metrics_writer *out, const struct input *in)
{
	static const double bounds[FLOW_LIVES_BOUNDS] = FLOW_LIVES;

	metrics_put_histogram(out, METRICS_NO_VALUES, bounds, in->daemon->ends.lives,
			      FLOW_LIVES_BOUNDS + 1, (double)in->daemon->ends.lives_ms / 1000);
}

void put_GUARD_TRIPS(struct metrics_writer *out, const struct input *in)
{
	enum guard_class class;

	for (class = 0; class < GUARD_CLASS_MAX; class ++)
		metrics_put(out, METRICS_VALUES("established_drops", names_class(guard_tg_class(class))),
			    in->daemon->trips[guard_tg_class(class)]);
}

PUT_NUMBER(CONFIRM_REVERTS, in->daemon->reverts)
PUT_NUMBER(CONFIG_RELOAD_SUCCESS, in->daemon->config_read)
PUT_NUMBER(CONFIG_RELOAD_TIME, in->daemon->config_read_at_s)

void put_PROCESS_CPU(struct metrics_writer *out, const struct input *in)
{
	metrics_put_real(out, METRICS_NO_VALUES, in->daemon->process.cpu_s);
}

PUT_NUMBER(PROCESS_RESIDENT, in->daemon->process.resident_bytes)
PUT_NUMBER(PROCESS_VIRTUAL, in->daemon->process.virtual_bytes)
PUT_NUMBER(PROCESS_FDS, in->daemon->process.open_fds)
PUT_NUMBER(PROCESS_MAX_FDS, in->daemon->process.max_fds)

void put_PROCESS_START(struct metrics_writer *out, const struct input *in)
{
	metrics_put_real(out, METRICS_NO_VALUES, in->daemon->process.started_s);
}
