/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fills the families of metrics_families.h from a snapshot, one function for each. */
#include "output_metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "metrics_families.h"
#include "names.h"
#include "version.h"

#define LABEL_BYTES 64

struct input {
	const struct snapshot *s;
	const struct metrics_daemon *daemon;
	char iface[TG_IFACES_MAX][LABEL_BYTES];
	char service[TG_SERVICES_MAX][LABEL_BYTES];
};

typedef void (*put_family)(struct metrics_writer *out, const struct input *in);

/* --- labels --------------------------------------------------------------------------------------- */

/*
 * Two interfaces of two namespaces may have one name, and no two series may have the same labels: the
 * second is called name@number.
 */
static void label_ifaces(struct input *in)
{
	const struct snapshot *s = in->s;
	uint32_t i, before;

	for (i = 0; i < s->iface_count; i++) {
		const char *name = s->iface[i].iface.name;

		for (before = 0; before < i; before++)
			if (!strcmp(s->iface[before].iface.name, name))
				break;
		if (before == i)
			snprintf(in->iface[i], LABEL_BYTES, "%s", name);
		else
			snprintf(in->iface[i], LABEL_BYTES, "%s@%u", name, s->iface[i].slot);
	}
}

static void label_services(struct input *in)
{
	const struct snapshot *s = in->s;
	uint32_t i, before;

	for (i = 0; i < s->service_count; i++) {
		const char *name = i ? s->service[i].name : "default";

		for (before = 0; before < i; before++)
			if (!strcmp(in->service[before], name))
				break;
		if (before == i)
			snprintf(in->service[i], LABEL_BYTES, "%s", name);
		else
			snprintf(in->service[i], LABEL_BYTES, "%s@%u", name, i);
	}
}

/* --- what several families need ------------------------------------------------------------------- */

static uint64_t outcome(const struct snapshot_iface *iface, enum tg_outcome how,
			enum tg_verdict verdict)
{
	return iface->counters.count[how][verdict].packets;
}

/* Whatever was done in the end. */
static uint64_t judged(const struct snapshot_iface *iface, enum tg_verdict verdict)
{
	uint64_t sum = 0;
	int how;

	for (how = 0; how < TG_OUTCOME_MAX; how++)
		sum += outcome(iface, (enum tg_outcome)how, verdict);
	return sum;
}

/* A value of the second label, and the tally or the verdicts it counts. */
struct choice {
	const char *value;
	int tally; /* -1: verdicts */
	enum tg_verdict verdict[2]; /* TG_UNDECIDED: no second one */
};

#define TALLY(id) .tally = TG_TALLY_##id
#define JUDGED(...) .tally = -1, .verdict = { __VA_ARGS__ }

static uint64_t count_choice(const struct snapshot_iface *iface, const struct choice *choice)
{
	if (choice->tally >= 0)
		return iface->tallies.tally[choice->tally];
	return judged(iface, choice->verdict[0]) +
	       (choice->verdict[1] ? judged(iface, choice->verdict[1]) : 0);
}

static void put_choices(struct metrics_writer *out, const struct input *in,
			const struct choice *choices, size_t count)
{
	uint32_t i;
	size_t c;

	for (i = 0; i < in->s->iface_count; i++)
		for (c = 0; c < count; c++)
			metrics_put(out, METRICS_VALUES(in->iface[i], choices[c].value),
				    count_choice(&in->s->iface[i], &choices[c]));
}

/* A family that is nothing but such choices, and one that is a single number. */
#define PUT_CHOICES(id, ...) \
	static void put_##id(struct metrics_writer *out, const struct input *in) \
	{ \
		static const struct choice choices[] = { __VA_ARGS__ }; \
\
		put_choices(out, in, choices, sizeof(choices) / sizeof(choices[0])); \
	}

#define PUT_NUMBER(id, expression) \
	static void put_##id(struct metrics_writer *out, const struct input *in) \
	{ \
		metrics_put(out, METRICS_NO_VALUES, expression); \
	}

/* Classes a verdict that drops may have. */
static bool class_drops(enum tg_class class)
{
	return class != TG_CLASS_INFO && class != TG_CLASS_INTERNAL;
}

/* --- tcpguard and its interfaces ------------------------------------------------------------------ */

static void put_BUILD(struct metrics_writer *out, const struct input *in)
{
	(void)in;
	metrics_put(out, METRICS_VALUES(TCPGUARD_VERSION, libbpf_version_string()), 1);
}

PUT_NUMBER(READY, snapshot_ready(in->s))
PUT_NUMBER(DAEMON_RUNNING, in->s->daemon_runs)
PUT_NUMBER(BYPASS_ACTIVE, in->s->bypass)
PUT_NUMBER(CONFIG_GENERATION, in->s->config_generation)

static void put_INTERFACE_MODE(struct metrics_writer *out, const struct input *in)
{
	uint32_t i, mode;

	for (i = 0; i < in->s->iface_count; i++)
		for (mode = 0; mode < TG_MODE_MAX; mode++)
			metrics_put(out, METRICS_VALUES(in->iface[i], names_mode(mode)),
				    in->s->iface[i].mode == (enum tg_mode)mode);
}

static void put_INTERFACE_XDP(struct metrics_writer *out, const struct input *in)
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

static void put_INTERFACE_ATTACHED(struct metrics_writer *out, const struct input *in)
{
	uint32_t i;

	for (i = 0; i < in->s->iface_count; i++)
		metrics_put(out, METRICS_VALUES(in->iface[i]),
			    in->s->iface[i].iface.attached_at_s);
}

/* --- packets -------------------------------------------------------------------------------------- */

static void put_sums(struct metrics_writer *out, const struct input *in, bool bytes)
{
	uint32_t i;
	size_t v;

	for (i = 0; i < in->s->iface_count; i++) {
		struct snapshot_sums sums;
		const struct {
			const char *verdict;
			const struct tg_count *count;
		} rows[] = {
			{ "pass", &sums.pass },
			{ "drop", &sums.drop },
			{ "would_drop", &sums.would_drop },
			{ "challenge", &sums.challenge },
			{ "bypass", &sums.bypass },
			{ "own", &sums.own },
		};

		snapshot_sum(&in->s->iface[i].counters, &sums);
		for (v = 0; v < sizeof(rows) / sizeof(rows[0]); v++)
			metrics_put(out, METRICS_VALUES(in->iface[i], rows[v].verdict),
				    bytes ? rows[v].count->bytes : rows[v].count->packets);
	}
}

static void put_PACKETS(struct metrics_writer *out, const struct input *in)
{
	put_sums(out, in, false);
}

static void put_BYTES(struct metrics_writer *out, const struct input *in)
{
	put_sums(out, in, true);
}

/* Verdicts that drop for the same reason are one series; 0 for all but the first of them. */
static bool sum_reason(const struct snapshot_iface *iface, enum tg_outcome how,
		       enum tg_verdict first, uint64_t *sum)
{
	const char *reason = names_verdict(first)->reason;
	unsigned int verdict;
	bool is_first = true;

	*sum = 0;
	for (verdict = TG_UNDECIDED + 1; verdict < TG_VERDICT_MAX; verdict++) {
		const struct verdict_row *row = names_verdict(verdict);

		if (row->action != TG_ACTION_DROP || strcmp(row->reason, reason))
			continue;
		is_first = is_first && verdict >= first;
		*sum += outcome(iface, how, (enum tg_verdict)verdict);
	}
	return is_first;
}

/* Those that never counted, too: rate() needs a zero to begin from. */
static void put_reasons(struct metrics_writer *out, const struct input *in, enum tg_outcome how)
{
	unsigned int verdict;
	uint64_t sum;
	uint32_t i;

	for (i = 0; i < in->s->iface_count; i++)
		for (verdict = TG_UNDECIDED + 1; verdict < TG_VERDICT_MAX; verdict++)
			if (tg_verdict_drops((enum tg_verdict)verdict) &&
			    sum_reason(&in->s->iface[i], how, (enum tg_verdict)verdict, &sum))
				metrics_put(out,
					    METRICS_VALUES(in->iface[i],
							   names_verdict(verdict)->reason),
					    sum);
}

static void put_DROPS(struct metrics_writer *out, const struct input *in)
{
	put_reasons(out, in, TG_OUTCOME_VERDICT);
}

static void put_WOULD_DROPS(struct metrics_writer *out, const struct input *in)
{
	put_reasons(out, in, TG_OUTCOME_WOULD_DROP);
}

/* Carried out, and not. */
static void put_classes(struct metrics_writer *out, const char *whose,
			const __u64 drops[TG_CLASS_MAX][2])
{
	int class;

	for (class = 0; class < TG_CLASS_MAX; class ++) {
		const char *name = names_class((enum tg_class) class);

		if (!class_drops((enum tg_class) class))
			continue;
		metrics_put(out, METRICS_VALUES(whose, name, "drop"), drops[class][0]);
		metrics_put(out, METRICS_VALUES(whose, name, "would_drop"), drops[class][1]);
	}
}

static void put_SERVICE_DROPS(struct metrics_writer *out, const struct input *in)
{
	uint32_t i;

	for (i = 0; i < in->s->service_count; i++)
		if (!i || in->s->service[i].name[0])
			put_classes(out, in->service[i], in->s->service_drops[i].drops);
}

static void put_ESTABLISHED_DROPS(struct metrics_writer *out, const struct input *in)
{
	uint32_t i;

	for (i = 0; i < in->s->iface_count; i++)
		put_classes(out, in->iface[i], in->s->iface[i].tallies.established_drops);
}

static void put_ESTABLISHED_HIT(struct metrics_writer *out, const struct input *in)
{
	uint32_t i;
	int class;

	for (i = 0; i < in->s->iface_count; i++)
		for (class = 0; class < TG_CLASS_MAX; class ++)
			if (class_drops((enum tg_class) class))
				metrics_put(out,
					    METRICS_VALUES(in->iface[i],
							   names_class((enum tg_class) class)),
					    in->s->iface[i].tallies.flows_hit[class]);
}

PUT_CHOICES(TCP_SEGMENTS,
	    { "syn", TALLY(SEGMENT_SYN) },
	    { "synack", TALLY(SEGMENT_SYNACK) },
	    { "fin", TALLY(SEGMENT_FIN) },
	    { "rst", TALLY(SEGMENT_RST) })

PUT_CHOICES(NON_TCP,
	    { "udp", TALLY(NOT_TCP_UDP) },
	    { "icmp", TALLY(NOT_TCP_ICMP) },
	    { "fragment", JUDGED(TG_PASS_FRAG, TG_DROP_FRAG) })

/* --- flows ---------------------------------------------------------------------------------------- */

PUT_NUMBER(FLOW_ENTRIES, in->s->flows.entries)
PUT_NUMBER(FLOW_LIMIT, in->s->max_flows)

static void put_FLOWS(struct metrics_writer *out, const struct input *in)
{
	int phase;

	for (phase = 0; phase < TG_PHASE_MAX; phase++)
		metrics_put(out, METRICS_VALUES(names_phase((enum tg_phase)phase)),
			    in->s->flows.by_phase[phase]);
}

PUT_CHOICES(FLOW_CREATED,
	    { "inbound", TALLY(FLOW_INBOUND) },
	    { "outbound", TALLY(FLOW_OUTBOUND) },
	    { "cookie", JUDGED(TG_PASS_COOKIE) },
	    { "adopt", JUDGED(TG_PASS_PICKUP) })

PUT_CHOICES(FLOW_REMOVED,
	    { "evicted", TALLY(FLOW_EVICTED) })

PUT_CHOICES(FLOW_FAILURES,
	    { "full", JUDGED(TG_PASS_TABLE_FULL, TG_DROP_TABLE_FULL) },
	    { "busy", JUDGED(TG_PASS_BUSY) })

/* --- handshakes, floods, lists -------------------------------------------------------------------- */

PUT_CHOICES(HANDSHAKES,
	    { "completed", TALLY(HANDSHAKE_DONE) },
	    { "refused", JUDGED(TG_PASS_REFUSED) },
	    { "aborted", JUDGED(TG_PASS_ABORT) })

/* Whole milliseconds: what is below 2^n of them took less than 2^n ms. */
static void put_HANDSHAKE_DURATION(struct metrics_writer *out, const struct input *in)
{
	double bounds[TG_HANDSHAKE_BUCKETS];
	uint64_t counts[TG_HANDSHAKE_BUCKETS];
	uint32_t i;
	int bucket;

	for (bucket = 0; bucket < TG_HANDSHAKE_BUCKETS; bucket++)
		bounds[bucket] = (double)(1U << bucket) / 1000;
	for (i = 0; i < in->s->iface_count; i++) {
		const struct tg_tallies *tallies = &in->s->iface[i].tallies;

		for (bucket = 0; bucket < TG_HANDSHAKE_BUCKETS; bucket++)
			counts[bucket] = tallies->handshake[bucket];
		metrics_put_histogram(out, METRICS_VALUES(in->iface[i]), bounds, counts,
				      TG_HANDSHAKE_BUCKETS, (double)tallies->handshake_sum_ms / 1000);
	}
}

PUT_CHOICES(SYNCOOKIES,
	    { "sent", JUDGED(TG_CHALLENGE_SYN_COOKIE) },
	    { "valid", JUDGED(TG_PASS_COOKIE) },
	    { "invalid", TALLY(COOKIE_INVALID) },
	    { "expired", TALLY(COOKIE_EXPIRED) },
	    { "no_listener", TALLY(COOKIE_NO_LISTENER) })

static void put_SYN_CHALLENGE(struct metrics_writer *out, const struct input *in)
{
	uint64_t count[TG_FLOOD_ACTION_MAX] = { 0 };
	uint32_t i;

	for (i = 0; i < in->s->protected_count; i++)
		if (in->s->protected[i].action < TG_FLOOD_ACTION_MAX)
			count[in->s->protected[i].action]++;
	for (i = TG_FLOOD_CHALLENGE; i < TG_FLOOD_OFF; i++)
		metrics_put(out, METRICS_VALUES(names_flood_action(i)), count[i]);
}

PUT_CHOICES(SOURCE_LIMIT,
	    { "syn_rate", JUDGED(TG_DROP_SOURCE_SYN_RATE) },
	    { "conns", JUDGED(TG_DROP_SOURCE_CONNS) })

PUT_CHOICES(LIST_HITS,
	    { "allow", TALLY(LIST_ALLOWED) },
	    { "block", JUDGED(TG_DROP_BLOCKLIST) })

/* --- tcpguard itself ------------------------------------------------------------------------------ */

PUT_CHOICES(DATAPATH_ERRORS,
	    { "map", JUDGED(TG_PASS_INTERNAL) },
	    { "unreadable", JUDGED(TG_PASS_UNREADABLE) },
	    { "suspect", JUDGED(TG_PASS_SUSPECT) },
	    { "collision", JUDGED(TG_PASS_COLLISION) })

static void put_GUARD_STATE(struct metrics_writer *out, const struct input *in)
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

static void put_MAP_BYTES(struct metrics_writer *out, const struct input *in)
{
	int map;

	for (map = 0; map < PINS_MAP_MAX; map++)
		metrics_put(out, METRICS_VALUES(pins_map_name((enum pins_map)map)),
			    in->s->map_bytes[map]);
}

/* --- the daemon alone ----------------------------------------------------------------------------- */

static void put_SWEEP_ENTRIES(struct metrics_writer *out, const struct input *in)
{
	metrics_put(out, METRICS_VALUES("expired"), in->daemon->expired);
	metrics_put(out, METRICS_VALUES("evicted"), in->daemon->evicted);
	metrics_put(out, METRICS_VALUES("recovered"), in->daemon->recovered);
}

static void put_PROCESS_CPU(struct metrics_writer *out, const struct input *in)
{
	metrics_put_real(out, METRICS_NO_VALUES, in->daemon->process.cpu_s);
}

PUT_NUMBER(PROCESS_RESIDENT, in->daemon->process.resident_bytes)
PUT_NUMBER(PROCESS_VIRTUAL, in->daemon->process.virtual_bytes)
PUT_NUMBER(PROCESS_FDS, in->daemon->process.open_fds)
PUT_NUMBER(PROCESS_MAX_FDS, in->daemon->process.max_fds)

static void put_PROCESS_START(struct metrics_writer *out, const struct input *in)
{
	metrics_put_real(out, METRICS_NO_VALUES, in->daemon->process.started_s);
}

/* --- all of it ------------------------------------------------------------------------------------ */

struct row {
	struct metrics_family family;
	put_family put;
};

#define X(id, type, unit, name, labels, help) \
	{ { name, METRICS_##type, unit, labels, help }, put_##id },
static const struct row rows[] = { METRICS_FAMILIES(X) };
static const struct row daemon_rows[] = { METRICS_DAEMON_FAMILIES(X) };
#undef X

static void put_rows(struct metrics_writer *out, const struct input *in, const struct row *row,
		     size_t count)
{
	for (; count; row++, count--) {
		metrics_begin(out, &row->family);
		row->put(out, in);
	}
}

int output_metrics(const struct snapshot *s, const struct metrics_daemon *daemon,
		   enum metrics_format format, char **text, size_t *bytes)
{
	struct metrics_writer out = { .format = format };
	struct input *in = calloc(1, sizeof(*in));
	bool failed;

	*text = NULL;
	if (!in)
		return -ENOMEM;
	in->s = s;
	in->daemon = daemon;
	label_ifaces(in);
	label_services(in);
	out.stream = open_memstream(text, bytes);
	if (out.stream) {
		put_rows(&out, in, rows, sizeof(rows) / sizeof(rows[0]));
		if (daemon)
			put_rows(&out, in, daemon_rows, sizeof(daemon_rows) / sizeof(daemon_rows[0]));
		metrics_end(&out);
		failed = ferror(out.stream);
		failed = fclose(out.stream) || failed;
	} else {
		failed = true;
	}
	free(in);
	if (!failed)
		return 0;
	free(*text);
	*text = NULL;
	return -ENOMEM;
}
