/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The summary for people: what went wrong first. */
#include "output_replay.h"

#include <inttypes.h>

#include "format.h"
#include "names.h"
#include "output_text.h"

#define LOSERS_SHOWN 20

uint64_t replay_summary_drops(const struct replay_summary *summary)
{
	uint64_t drops = 0;
	int outcome, verdict;

	for (outcome = 0; outcome < TG_OUTCOME_MAX; outcome++)
		for (verdict = 0; verdict < TG_VERDICT_MAX; verdict++)
			if (outcome != TG_OUTCOME_OWN && tg_verdict_drops((enum tg_verdict)verdict))
				drops += summary->count[outcome][verdict];
	return drops;
}

uint64_t replay_summary_action(const struct replay_summary *summary, enum tg_action action)
{
	uint64_t packets = 0;
	int outcome, verdict;

	for (outcome = 0; outcome < TG_OUTCOME_MAX; outcome++)
		for (verdict = 1; verdict < TG_VERDICT_MAX; verdict++)
			if (tg_verdict_action((enum tg_verdict)verdict) == action)
				packets += summary->count[outcome][verdict];
	return packets;
}

/* What the capture itself may have to do with a loss. */
static const char *loser_hint(const struct replay_loser *loser)
{
	if (loser->stranger)
		return " (its beginning was not seen: --learn?)";
	switch (loser->verdict) {
	case TG_DROP_ACK_ABOVE:
		return " (acknowledges data that is not in the capture up to there: lost or recorded late?)";
	case TG_DROP_ACK_BEFORE_SYNACK:
	case TG_DROP_DATA_BEFORE_SYNACK:
		return " (no SYN-ACK in the capture up to there: lost or recorded late?)";
	default:
		return "";
	}
}

static uint64_t drops_by_gaps(const struct replay_summary *summary)
{
	uint64_t drops = 0;
	uint32_t i;

	for (i = 0; i < summary->loser_count; i++)
		if (!summary->losers[i].stranger && *loser_hint(&summary->losers[i]))
			drops += summary->losers[i].drops;
	return drops;
}

static void print_losers(struct output *out, const struct replay_summary *summary)
{
	char from[FORMAT_BYTES], to[FORMAT_BYTES], number[FORMAT_BYTES];
	uint64_t more = summary->losers_more + summary->loser_count;
	bool monitor = summary->options->mode == TG_MODE_MONITOR;
	uint32_t i;

	if (!more)
		return;
	fprintf(out->stream, "%s connection%s with data in both directions ",
		format_grouped(number, sizeof(number), more), more == 1 ? "" : "s");
	text_paint(out, PAINT_BAD, monitor ? "would have lost packets" : "lost packets");
	fputs(":\n", out->stream);
	for (i = 0; i < summary->loser_count && i < LOSERS_SHOWN; i++) {
		const struct replay_loser *loser = &summary->losers[i];
		const struct tg_flow_key *key = &loser->key;
		bool lo = loser->first == TG_SIDE_LO;
		const struct verdict_row *row = names_verdict(loser->verdict);

		fprintf(out->stream, "   %s %s %s  %s dropped, first ",
			format_endpoint(from, sizeof(from), lo ? key->lo_addr : key->hi_addr,
					lo ? key->lo_port : key->hi_port),
			loser->stranger ? "<->" : "->",
			format_endpoint(to, sizeof(to), lo ? key->hi_addr : key->lo_addr,
					lo ? key->hi_port : key->lo_port),
			format_grouped(number, sizeof(number), loser->drops));
		text_plain(out, summary->files[loser->file].path);
		fprintf(out->stream, "#%" PRIu64 " %s%s\n", loser->packet, row ? row->reason : "?",
			loser_hint(loser));
	}
	if (more > i)
		fprintf(out->stream, "   and %s more\n",
			format_grouped(number, sizeof(number), more - i));
	fputc('\n', out->stream);
}

static void print_head(struct output *out, const struct replay_summary *summary)
{
	char a[FORMAT_BYTES], b[FORMAT_BYTES], c[FORMAT_BYTES], d[FORMAT_BYTES], e[FORMAT_BYTES];
	int64_t span = summary->last.tv_sec - summary->first.tv_sec;
	uint64_t rate = summary->seconds > 0 ?
				(uint64_t)((double)summary->packets / summary->seconds) :
				0;

	if (summary->file_count == 1)
		text_plain(out, summary->files[0].path);
	else
		fprintf(out->stream, "%u captures", summary->file_count);
	fputs(": ", out->stream);
	fprintf(out->stream, "%s packets over %s, %s of TCP, %s connections   (%s packets/s)\n",
		format_grouped(a, sizeof(a), summary->packets),
		format_duration(b, sizeof(b), span > 0 ? (uint64_t)span * 1000 : 0),
		format_grouped(c, sizeof(c), summary->segments),
		format_grouped(d, sizeof(d), summary->flows), format_si(e, sizeof(e), rate));
	fprintf(out->stream, "judged as %s, profile %s%s%s, mode %s\n\n",
		summary->options->local.count ? "the host of --local" : "a gateway",
		names_profile(replay_profile(summary->options)),
		summary->options->strict ? ", strict" : "",
		summary->options->learn ? ", learning" : "",
		names_mode((unsigned int)summary->options->mode));
}

static void print_row(struct output *out, const struct replay_summary *summary, int verdict)
{
	const struct verdict_row *row = names_verdict((unsigned int)verdict);
	uint64_t own = summary->count[TG_OUTCOME_OWN][verdict], packets = own;
	char number[FORMAT_BYTES];
	int outcome;

	for (outcome = 0; outcome < TG_OUTCOME_MAX; outcome++)
		packets += outcome == TG_OUTCOME_OWN ? 0 : summary->count[outcome][verdict];
	if (!packets || !row)
		return;
	fprintf(out->stream, "   %-18s %14s   %s", row->reason,
		format_grouped(number, sizeof(number), packets), row->text);
	if (own)
		fprintf(out->stream, " (%s of the host's own, passed)",
			format_grouped(number, sizeof(number), own));
	fputc('\n', out->stream);
}

static void print_action(struct output *out, const struct replay_summary *summary,
			 enum tg_action action, enum paint paint)
{
	uint64_t packets = replay_summary_action(summary, action);
	char line[FORMAT_BYTES * 2], number[FORMAT_BYTES];
	int verdict;

	snprintf(line, sizeof(line), "%-21s %14s", names_action(action),
		 format_grouped(number, sizeof(number), packets));
	text_paint(out, packets ? paint : PAINT_NONE, line);
	fprintf(out->stream, "   %.2f %%\n", format_percent(packets, summary->packets));
	for (verdict = 1; verdict < TG_VERDICT_MAX; verdict++)
		if (tg_verdict_action((enum tg_verdict)verdict) == action)
			print_row(out, summary, verdict);
}

static void print_remark(struct output *out, uint64_t packets, const char *text)
{
	char number[FORMAT_BYTES];

	if (packets)
		fprintf(out->stream, "%s packet%s %s\n",
			format_grouped(number, sizeof(number), packets), packets == 1 ? "" : "s",
			text);
}

void output_replay_text(struct output *out, const struct replay_summary *summary)
{
	const uint64_t *done = summary->count[TG_OUTCOME_VERDICT];
	uint64_t full = done[TG_PASS_TABLE_FULL] + done[TG_DROP_TABLE_FULL];
	uint64_t gaps = drops_by_gaps(summary);

	print_losers(out, summary);
	print_head(out, summary);
	print_action(out, summary, TG_ACTION_PASS, PAINT_NONE);
	print_action(out, summary, TG_ACTION_NOUPD, PAINT_NONE);
	print_action(out, summary, TG_ACTION_DROP, PAINT_BAD);
	if (full || summary->unreadable || summary->options_filled || summary->length_filled ||
	    summary->disordered || gaps)
		fputc('\n', out->stream);
	print_remark(out, full, "found no room for their flow: run again with a larger --max-flows");
	print_remark(out, summary->unreadable,
		     "passed unjudged: the snap length of the capture cut their headers off");
	print_remark(out, summary->options_filled,
		     "judged without the TCP options that the snap length cut off");
	print_remark(out, summary->length_filled,
		     "had no length in their IP header: taken from the capture");
	print_remark(out, gaps,
		     "dropped in connections of which the capture seems to lack segments, or to hold them "
		     "too late: "
		     "who was on the wire saw them in time");
	print_remark(out, summary->disordered,
		     "are older than the one before: judged in the order of the file (see reordercap)");
}
