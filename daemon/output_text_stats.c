/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `status` and `stats` as text.  Reasons that never counted are left out. */
#include "output_text.h"

#include <ctype.h>
#include <string.h>

#include "format.h"
#include "names.h"
#include "plain.h"
#include "version.h"

/* One block of the statistics: which verdicts, ended how. */
struct section {
	const char *title;
	enum tg_outcome outcome;
	enum tg_action from, to; /* verdicts of these actions */
	bool describe;
	enum paint colour;
};

static const struct section sections[] = {
	{ "pass", TG_OUTCOME_VERDICT, TG_ACTION_PASS, TG_ACTION_NOUPD, false, PAINT_NONE },
	{ "challenged", TG_OUTCOME_VERDICT, TG_ACTION_CHALLENGE, TG_ACTION_CHALLENGE, true, PAINT_WARN },
	{ "drop", TG_OUTCOME_VERDICT, TG_ACTION_DROP, TG_ACTION_DROP, true, PAINT_BAD },
	{ "would drop", TG_OUTCOME_WOULD_DROP, TG_ACTION_DROP, TG_ACTION_DROP, true, PAINT_WARN },
	{ "own, passed", TG_OUTCOME_OWN, TG_ACTION_DROP, TG_ACTION_DROP, true, PAINT_WARN },
	{ "bypassed", TG_OUTCOME_BYPASS, TG_ACTION_DROP, TG_ACTION_DROP, true, PAINT_WARN },
};

/* Where an interface's numbers come from, for one call of text_stats. */
struct source {
	const struct tg_counters *now;
	const struct tg_counters *before; /* NULL: no rates */
	double seconds;
	uint64_t all; /* packets, for shares */
};

static const struct tg_counters no_counters;

static void print_upper(struct output *out, enum paint colour, const char *word)
{
	char upper[32];
	size_t i;

	for (i = 0; i < sizeof(upper) - 1 && word[i]; i++)
		upper[i] = (char)toupper((unsigned char)word[i]);
	upper[i] = '\0';
	text_paint(out, colour, upper);
}

static bool in_section(const struct section *section, int verdict)
{
	enum tg_action action = tg_verdict_action((enum tg_verdict)verdict);

	return names_verdict((unsigned int)verdict) && action >= section->from &&
	       action <= section->to;
}

/* Packets and bytes of a section; code 0: of every reason. */
static struct tg_count sum_section(const struct tg_counters *counters,
				   const struct section *section, unsigned int code)
{
	struct tg_count sum = { 0, 0 };
	int verdict;

	for (verdict = 0; verdict < TG_VERDICT_MAX; verdict++) {
		const struct tg_count *count = &counters->count[section->outcome][verdict];

		if (!in_section(section, verdict) ||
		    (code && names_verdict((unsigned int)verdict)->code != code))
			continue;
		sum.packets += count->packets;
		sum.bytes += count->bytes;
	}
	return sum;
}

static void print_rate(struct output *out, const struct source *source, uint64_t now,
		       uint64_t before)
{
	char rate[FORMAT_BYTES];

	if (!source->before)
		return;
	format_grouped(rate, sizeof(rate),
		       source->seconds > 0 && now >= before ?
			       (uint64_t)((double)(now - before) / source->seconds + 0.5) :
			       0);
	fprintf(out->stream, " %12s", rate);
}

static void print_row(struct output *out, const struct source *source,
		      const struct section *section, unsigned int code)
{
	struct tg_count sum = sum_section(source->now, section, code);
	struct tg_count old = { 0, 0 };
	char packets[FORMAT_BYTES], bytes[FORMAT_BYTES];

	if (source->before)
		old = sum_section(source->before, section, code);
	print_rate(out, source, sum.packets, old.packets);
	fprintf(out->stream, " %12s %12s", format_si(packets, sizeof(packets), sum.packets),
		format_bytes(bytes, sizeof(bytes), sum.bytes));
}

/* The first verdict of each reason prints for all of them. */
static bool first_of_reason(const struct section *section, int verdict)
{
	unsigned int code = names_verdict((unsigned int)verdict)->code;
	int earlier;

	for (earlier = 0; earlier < verdict; earlier++)
		if (in_section(section, earlier) &&
		    names_verdict((unsigned int)earlier)->code == code)
			return false;
	return true;
}

static void print_section(struct output *out, const struct source *source,
			  const struct section *section)
{
	uint64_t packets = sum_section(source->now, section, 0).packets;
	char title[32];
	int verdict;

	/* Pass and drop are always shown: a zero there says something. */
	if (!packets && section->outcome != TG_OUTCOME_VERDICT)
		return;
	snprintf(title, sizeof(title), " %-21s", section->title);
	text_paint(out, packets ? section->colour : PAINT_NONE, title);
	print_row(out, source, section, 0);
	fprintf(out->stream, " %7.1f %%\n", format_percent(packets, source->all));
	for (verdict = 0; verdict < TG_VERDICT_MAX; verdict++) {
		const struct verdict_row *row = names_verdict((unsigned int)verdict);

		if (!in_section(section, verdict) || !first_of_reason(section, verdict) ||
		    !sum_section(source->now, section, row->code).packets)
			continue;
		fprintf(out->stream, "   %-19s", row->reason);
		print_row(out, source, section, row->code);
		fprintf(out->stream, "%s%s\n", section->describe ? "            " : "",
			section->describe ? row->text : "");
	}
}

static void print_flows(struct output *out, const struct snapshot *s)
{
	char entries[FORMAT_BYTES], limit[FORMAT_BYTES];

	fprintf(out->stream, "flows %s / %s (%.1f %%)",
		format_grouped(entries, sizeof(entries), s->flows.entries),
		format_grouped(limit, sizeof(limit), s->max_flows),
		format_percent(s->flows.entries, s->max_flows));
}

static void print_daemon(struct output *out, const struct snapshot *s)
{
	fputs("daemon ", out->stream);
	text_paint(out, s->daemon_runs ? PAINT_GOOD : PAINT_WARN,
		   s->daemon_runs ? "ok" : "not running");
}

static uint64_t attached_ms(const struct snapshot *s, const struct snapshot_iface *iface)
{
	uint64_t now_s = (uint64_t)s->time.tv_sec;

	return now_s > iface->iface.attached_at_s ? (now_s - iface->iface.attached_at_s) * 1000 : 0;
}

static void print_mode(struct output *out, const struct snapshot *s,
		       const struct snapshot_iface *iface)
{
	bool enforced = iface->mode == TG_MODE_ENFORCE && !s->bypass;

	print_upper(out, enforced ? PAINT_GOOD : PAINT_WARN, names_mode(iface->mode));
	if (s->bypass)
		text_paint(out, PAINT_BAD, " but BYPASS is on: nothing is dropped");
}

static void print_iface_stats(struct output *out, const struct output_stats *stats,
			      const struct snapshot_iface *iface)
{
	const struct snapshot_iface *before = stats->before ? snapshot_find(stats->before, iface) :
							      NULL;
	struct source source = { .now = &iface->counters, .seconds = stats->seconds };
	char since[FORMAT_BYTES];
	struct snapshot_sums sums;
	size_t i;

	snapshot_sum(&iface->counters, &sums);
	source.all = sums.all.packets;
	if (before)
		source.before = &before->counters;
	if (stats->since_attach) {
		source.before = &no_counters;
		source.seconds = (double)attached_ms(stats->now, iface) / 1000;
	}
	text_plain(out, iface->iface.name);
	fprintf(out->stream, "  %s  ", names_xdp(iface->iface.xdp_mode));
	print_mode(out, stats->now, iface);
	fprintf(out->stream, "  attached %s   ",
		format_duration(since, sizeof(since), attached_ms(stats->now, iface)));
	print_flows(out, stats->now);
	fputs("   ", out->stream);
	print_daemon(out, stats->now);
	fprintf(out->stream, "\n%22s", "");
	if (source.before)
		fprintf(out->stream, " %12s", stats->since_attach ? "average/s" : "packets/s");
	fprintf(out->stream, " %12s %12s %9s\n", "packets", "bytes", "share");
	for (i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		print_section(out, &source, &sections[i]);
}

void text_stats(struct output *out, const struct output_stats *stats)
{
	uint32_t i;

	for (i = 0; i < stats->now->iface_count; i++) {
		if (i)
			fputc('\n', out->stream);
		print_iface_stats(out, stats, &stats->now->iface[i]);
	}
	if (!stats->now->iface_count)
		fputs("no interface is attached\n", out->stream);
	if (stats->before)
		fputc('\n', out->stream);
	fflush(out->stream);
}

static void print_thresholds(struct output *out, const struct tg_flood *flood)
{
	char start[FORMAT_BYTES], half_open[FORMAT_BYTES], source[FORMAT_BYTES];

	fprintf(out->stream, "SYN floods: %s", names_flood_action(flood->action));
	if (flood->start_pps)
		fprintf(out->stream, " from %s SYN/s",
			format_grouped(start, sizeof(start), flood->start_pps));
	if (flood->half_open_start)
		fprintf(out->stream, "%s %s unfinished handshakes", flood->start_pps ? " or" : " from",
			format_grouped(half_open, sizeof(half_open), flood->half_open_start));
	fputs(" to one address and port", out->stream);
	if (flood->source_pps)
		fprintf(out->stream, "; a source may send %s SYN/s",
			format_grouped(source, sizeof(source), flood->source_pps));
	if (flood->source_conns)
		fprintf(out->stream, "; a source may have %s connections",
			format_grouped(source, sizeof(source), flood->source_conns));
	fputc('\n', out->stream);
}

static void print_flood(struct output *out, const struct snapshot *s)
{
	char endpoint[FORMAT_BYTES], since[FORMAT_BYTES];
	uint32_t i;

	print_thresholds(out, &s->flood);
	for (i = 0; i < s->protected_count; i++) {
		const struct snapshot_protected *entry = &s->protected[i];

		fputs("   ", out->stream);
		text_paint(out, PAINT_WARN, "flooded");
		fprintf(out->stream, ": %s for %s, action %s\n",
			format_endpoint(endpoint, sizeof(endpoint), entry->addr, entry->port),
			format_duration(since, sizeof(since), entry->since_ms),
			names_flood_action(entry->action));
	}
}

static void print_iface_status(struct output *out, const struct snapshot *s,
			       const struct snapshot_iface *iface)
{
	char buffer[FORMAT_BYTES], driver[sizeof(iface->iface.driver)];

	text_plain(out, iface->iface.name);
	fputs("  ", out->stream);
	print_mode(out, s, iface);
	fputs("  ", out->stream);
	text_hooks(out, iface);
	fprintf(out->stream, ", driver %s, profile %s%s, attached %s\n",
		iface->iface.driver[0] ? plain_copy(driver, sizeof(driver), iface->iface.driver) :
					 "unknown",
		names_profile(iface->iface.profile), iface->iface.strict ? ", strict" : "",
		format_duration(buffer, sizeof(buffer), attached_ms(s, iface)));
	if (iface->confirm_left_ms)
		fprintf(out->stream,
			"   goes back to %s in %s unless you run 'tcpguard confirm'; "
			"at once: 'tcpguard revert'\n",
			names_mode(iface->fallback),
			format_duration(buffer, sizeof(buffer), iface->confirm_left_ms));
	text_relaxed(out, iface);
	fprintf(out->stream, "   SYN cookies: %s\n", names_cookies(iface->iface.cookies));
	if (iface->adopts)
		fputs("   unknown connections are adopted, all the time (state.no_flow: adopt)\n",
		      out->stream);
	if (iface->learn_left_ms)
		fprintf(out->stream,
			"   learning for another %s: unknown connections are adopted\n",
			format_duration(buffer, sizeof(buffer), iface->learn_left_ms));
	text_remedy(out, iface);
}

static void print_lists(struct output *out, const struct snapshot *s)
{
	static const char *const names[TG_LIST_MAX] = { "block", "allow" };
	char number[FORMAT_BYTES], bytes[FORMAT_BYTES];
	int list;

	if (!s->lists_bytes)
		return;
	for (list = 0; list < TG_LIST_MAX; list++)
		fprintf(out->stream, "%s list %s prefix%s, ", names[list],
			format_grouped(number, sizeof(number), s->rules[list]),
			s->rules[list] == 1 ? "" : "es");
	fprintf(out->stream, "memory %s\n", format_bytes(bytes, sizeof(bytes), s->lists_bytes));
}

/* Silent until events were told or somebody looks on. */
static void print_events(struct output *out, const struct snapshot *s)
{
	uint64_t emitted = 0, lost = 0, suppressed = 0;
	char a[FORMAT_BYTES], b[FORMAT_BYTES], c[FORMAT_BYTES];
	int type;

	for (type = 0; type < TG_EVENT_MAX; type++) {
		emitted += s->events.emitted[type];
		lost += s->events.lost[type];
		suppressed += s->events.suppressed[type];
	}
	if (!emitted && !lost && !s->watch)
		return;
	fprintf(out->stream, "events %s told, %s suppressed, %s lost, %u reader%s%s\n",
		format_grouped(a, sizeof(a), emitted), format_grouped(b, sizeof(b), suppressed),
		format_grouped(c, sizeof(c), lost), s->event_readers,
		s->event_readers == 1 ? "" : "s",
		s->watch & TG_WATCH_CAPTURE ? ", a capture is running" : "");
}

void text_status(struct output *out, const struct snapshot *s)
{
	char buffer[FORMAT_BYTES], total[FORMAT_BYTES];
	uint32_t i;

	fprintf(out->stream, "tcpguard %s   daemon ", TCPGUARD_VERSION);
	text_paint(out, s->daemon_runs ? PAINT_GOOD : PAINT_WARN,
		   s->daemon_runs ? "running" : "not running");
	if (s->daemon_pid)
		fprintf(out->stream, " (pid %u)", s->daemon_pid);
	if (s->metrics[0]) {
		fputs("   metrics ", out->stream);
		text_plain(out, s->metrics);
	}
	fputs("   bypass ", out->stream);
	text_paint(out, s->bypass ? PAINT_BAD : PAINT_NONE, s->bypass ? "ON" : "off");
	fputc('\n', out->stream);
	if (s->waits) {
		text_paint(out, PAINT_WARN, "flow tables are being exchanged");
		fputs(": verdicts that need a flow are not carried out.  If that lasts, it was interrupted: "
		      "'tcpguard upgrade' mends it\n",
		      out->stream);
	}
	for (i = 0; i < s->iface_count; i++)
		print_iface_status(out, s, &s->iface[i]);
	if (!s->iface_count)
		fputs("no interface is attached\n", out->stream);
	print_flows(out, s);
	fprintf(out->stream, ", %s slots", format_grouped(buffer, sizeof(buffer), s->slots));
	fprintf(out->stream, ", table memory %s of %s\n",
		format_bytes(buffer, sizeof(buffer), s->table_bytes),
		format_bytes(total, sizeof(total), s->total_bytes));
	print_flood(out, s);
	print_lists(out, s);
	if (s->flows.refused_buckets)
		fprintf(out->stream, "%s buckets refused a flow since the last quiet day\n",
			format_grouped(buffer, sizeof(buffer), s->flows.refused_buckets));
	print_events(out, s);
	fflush(out->stream);
}
