/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The screen, from top to bottom: title, table, interfaces, verdicts, reasons, flows or sources,
 * keys.  Every line is cut at the right edge; what does not fit below is left out, the keys never
 * are.
 */

#include "top_view_parts.h"

#include <stdio.h>
#include <string.h>

#include "format.h"
#include "names.h"

#define KEYS_LINE_MIN 2 /* lines below which only the title fits */
#define IFACES_SHOWN 4
#define LIST_LINES_MIN 6 /* kept for flows or sources where reasons could fill the screen */

/* --- lines ---------------------------------------------------------------------------------------- */

static int ink_attribute(enum ink ink)
{
	return ink != INK_PLAIN && has_colors() ? (int)COLOR_PAIR(ink) : 0;
}

/* Cut at the edge; never in the last line, which is the keys'. */
void top_put(int line, int column, int attributes, const char *text)
{
	if (line >= LINES - 1 || column >= COLS)
		return;
	attron(attributes);
	mvaddnstr(line, column, text, COLS - column);
	attroff(attributes);
}

void top_bar(int line, int attributes, const char *text)
{
	char padded[TOP_LINE_BYTES];

	snprintf(padded, sizeof(padded), "%-*s", COLS < (int)sizeof(padded) - 1 ? COLS : 0, text);
	top_put(line, 0, attributes, padded);
}

const char *top_rate_text(char *text, size_t size, double per_second)
{
	return format_si(text, size, per_second > 0 ? (uint64_t)(per_second + 0.5) : 0);
}

/* --- head ----------------------------------------------------------------------------------------- */

static void draw_title(int line, const struct top_scene *scene)
{
	const struct snapshot *s = scene->now;
	char text[TOP_LINE_BYTES], when[FORMAT_BYTES];

	format_time(when, sizeof(when), &s->time);
	snprintf(text, sizeof(text), "tcpguard top  %s  %.8s UTC  every %u s%s", s->host, when + 11,
		 scene->interval_s, scene->paused ? "  PAUSED" : "");
	top_bar(line, A_BOLD, text);
}

static void draw_fill(int line, const struct snapshot *s)
{
	char entries[FORMAT_BYTES], limit[FORMAT_BYTES], text[TOP_LINE_BYTES], gauge[21];
	double percent = format_percent(s->flows.entries, s->max_flows);
	size_t full = percent >= 100 ? 20 : (size_t)(percent / 5);

	memset(gauge, '.', 20);
	memset(gauge, '#', full);
	gauge[20] = '\0';
	format_grouped(entries, sizeof(entries), s->flows.entries);
	format_grouped(limit, sizeof(limit), s->max_flows);
	snprintf(text, sizeof(text), "flows %s / %s [%s] %.1f %%", entries, limit, gauge, percent);
	top_put(line, 0, ink_attribute(percent > 90 ? INK_WARN : INK_PLAIN), text);
}

static void draw_phases(int line, const struct snapshot *s)
{
	char text[TOP_LINE_BYTES] = "", count[FORMAT_BYTES];
	int phase, used = 0;

	for (phase = 0; phase < TG_PHASE_MAX && used < (int)sizeof(text); phase++)
		if (s->flows.by_phase[phase])
			used += snprintf(text + used, sizeof(text) - (size_t)used, "%s%s %s",
					 used ? "  " : "",
					 names_phases[phase],
					 format_si(count, sizeof(count), s->flows.by_phase[phase]));
	top_put(line, 0, 0, text);
}

static void draw_state(int line, const struct snapshot *s)
{
	const char *daemon = s->daemon_runs ? "daemon ok" : "no daemon";
	const char *bypass = "BYPASS: nothing is dropped";
	int column = 0;

	top_put(line, 0, ink_attribute(s->daemon_runs ? INK_GOOD : INK_WARN), daemon);
	column += (int)strlen(daemon) + 2;
	if (s->bypass)
		top_put(line, column, A_BOLD | ink_attribute(INK_WARN), bypass);
}

/* --- interfaces, verdicts, reasons ---------------------------------------------------------------- */

static const char *mode_word(const struct snapshot *s, const struct snapshot_iface *iface)
{
	if (s->bypass)
		return "BYPASS";
	if (iface->learn_left_ms)
		return "LEARNING";
	return iface->mode == TG_MODE_ENFORCE ? "ENFORCE" : "MONITOR";
}

static void draw_iface(int line, const struct top_scene *scene, uint32_t i)
{
	const struct snapshot_iface *iface = &scene->now->iface[i];
	const struct top_rate *rate = scene->rates->iface[i];
	char pass[FORMAT_BYTES], drop[FORMAT_BYTES], would[FORMAT_BYTES], other[FORMAT_BYTES];
	char text[TOP_LINE_BYTES];
	bool enforces = !scene->now->bypass && iface->mode == TG_MODE_ENFORCE;

	snprintf(text, sizeof(text), "%-15.15s  %-7s  %-8s  %9s  %9s  %9s  %9s", iface->iface.name,
		 names_xdp(iface->iface.xdp_mode), mode_word(scene->now, iface),
		 top_rate_text(pass, sizeof(pass), rate[TOP_PASS].per_second),
		 top_rate_text(drop, sizeof(drop), rate[TOP_DROP].per_second),
		 top_rate_text(would, sizeof(would), rate[TOP_WOULD_DROP].per_second),
		 top_rate_text(other, sizeof(other),
			       rate[TOP_OWN].per_second + rate[TOP_BYPASS].per_second));
	top_put(line, 0, 0, text);
	top_put(line, 26, ink_attribute(enforces ? INK_GOOD : INK_WARN), mode_word(scene->now, iface));
}

static int draw_ifaces(int line, const struct top_scene *scene)
{
	uint32_t i, count = scene->now->iface_count;
	char text[64];

	top_bar(line++, A_REVERSE,
		"INTERFACE        XDP      MODE         PASS/s     DROP/s    WOULD/s    OTHER/s");
	for (i = 0; i < count && (i < IFACES_SHOWN - 1 || count <= IFACES_SHOWN); i++)
		draw_iface(line++, scene, i);
	if (i < count) {
		snprintf(text, sizeof(text), "and %u more: name those to be shown", count - i);
		top_put(line++, 0, 0, text);
	}
	return line;
}

static enum ink verdict_ink(enum top_verdict verdict)
{
	if (verdict == TOP_PASS)
		return INK_PLAIN;
	return verdict == TOP_DROP ? INK_BAD : INK_WARN;
}

static void draw_verdict(int line, const struct top_rates *rates, enum top_verdict verdict)
{
	const struct top_rate *rate = &rates->verdict[verdict];
	char per_second[FORMAT_BYTES], total[FORMAT_BYTES], text[TOP_LINE_BYTES];

	top_rate_text(per_second, sizeof(per_second), rate->per_second);
	format_grouped(total, sizeof(total), rate->total);
	snprintf(text, sizeof(text), "%-22s %12s  %20s  %6.1f %%",
		 top_verdict_word(verdict), per_second, total,
		 format_percent(rate->total, rates->packets));
	top_put(line, 0, rate->total ? ink_attribute(verdict_ink(verdict)) : 0, text);
}

/* The rare ones only if they have counted. */
static int draw_verdicts(int line, const struct top_rates *rates)
{
	int verdict;

	top_bar(line++, A_REVERSE,
		"VERDICT                   PACKETS/s                 TOTAL     SHARE");
	for (verdict = 0; verdict < TOP_VERDICT_MAX; verdict++)
		if (verdict <= TOP_WOULD_DROP || rates->verdict[verdict].total)
			draw_verdict(line++, rates, (enum top_verdict)verdict);
	return line;
}

static void draw_reason(int line, const struct top_reason *reason)
{
	char per_second[FORMAT_BYTES], total[FORMAT_BYTES], text[TOP_LINE_BYTES];

	snprintf(text, sizeof(text), "%-18s %-11s %9s  %9s  %s", reason->reason,
		 top_verdict_word(reason->verdict),
		 top_rate_text(per_second, sizeof(per_second), reason->rate.per_second),
		 format_si(total, sizeof(total), reason->rate.total), reason->text);
	top_put(line, 0, ink_attribute(verdict_ink(reason->verdict)), text);
}

static int draw_reasons(int line, const struct top_rates *rates)
{
	int room = LINES - 1 - line - 1 - LIST_LINES_MIN, most = (LINES - 1 - line) / 3;
	size_t i;

	if (room > most)
		room = most;
	if (room < 1)
		return line;
	top_bar(line++, A_REVERSE, "REASON             VERDICT     PACKETS/s      TOTAL  MEANING");
	for (i = 0; i < rates->reason_count && room-- > 0; i++)
		draw_reason(line++, &rates->reason[i]);
	return line;
}

/* --- help and keys -------------------------------------------------------------------------------- */

static void draw_help(int line, const struct top_scene *scene)
{
	static const char *const lines[] = {
		"q            quit                          p, space  pause, go on",
		"f, Tab       flows or sources              ?, h      this help; any key ends it",
		"s            sort by the next of:",
		"1            packets a second              2         bytes a second",
		"3            flows: bytes;                 4         flows: age;",
		"             sources: number of flows                sources: half-open flows",
		"",
		"Totals are those of 'tcpguard stats'; rates are of the last interval.  WOULD is",
		"what would be dropped if the mode were enforce, OTHER the machine's own and",
		"bypassed packets that would be.  '-': seen once only, the rate is not known yet.",
	};
	char text[TOP_LINE_BYTES];
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		top_put(line++, 0, 0, lines[i]);
	if (scene->frames > 1) {
		snprintf(text, sizeof(text), "The flow table is large: flows and sources are up to "
					     "%u intervals old.",
			 scene->frames);
		top_put(line, 0, 0, text);
	}
}

static void draw_keys(const struct top_scene *scene)
{
	char text[TOP_LINE_BYTES];

	snprintf(text, sizeof(text), "q quit  p %s  f %s  s sort: %s  ? help",
		 scene->paused ? "go on" : "pause",
		 scene->show_sources ? "flows" : "sources", top_sort_word(scene));
	/* Not into the last corner: that scrolls. */
	attron(A_REVERSE);
	mvprintw(LINES - 1, 0, "%-*.*s", COLS - 1, COLS - 1, text);
	attroff(A_REVERSE);
}

void top_view_draw(const struct top_scene *scene)
{
	int line = 0;

	erase();
	if (LINES >= KEYS_LINE_MIN && COLS > 1) {
		draw_title(line++, scene);
		draw_state(line++, scene->now);
		if (scene->help) {
			draw_help(line + 1, scene);
		} else {
			draw_fill(line++, scene->now);
			draw_phases(line++, scene->now);
			line = draw_ifaces(line, scene);
			line = draw_verdicts(line, scene->rates);
			line = draw_reasons(line, scene->rates);
			top_draw_list(line, scene);
		}
		draw_keys(scene);
	}
	refresh();
}
