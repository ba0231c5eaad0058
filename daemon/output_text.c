/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text for people: flows, short answers, colours.  Status and stats: output_text_stats.c. */
#include "output_text.h"

#include <inttypes.h>

#include "format.h"
#include "names.h"
#include "output_event.h"
#include "plain.h"

void text_paint(const struct output *out, enum paint colour, const char *text)
{
	static const char *const codes[] = {
		[PAINT_NONE] = "",
		[PAINT_BAD] = "\033[31m",
		[PAINT_WARN] = "\033[33m",
		[PAINT_GOOD] = "\033[32m",
	};

	if (out->colour && colour != PAINT_NONE)
		fprintf(out->stream, "%s%s\033[0m", codes[colour], text);
	else
		fputs(text, out->stream);
}

void text_plain(struct output *out, const char *text)
{
	size_t length;

	for (; *text; text += length ? length : 1) {
		length = plain_character(text);
		if (length && !plain_is_control(text))
			fwrite(text, 1, length, out->stream);
		else
			fputc(*text == '\n' || *text == '\t' ? ' ' : '?', out->stream);
	}
}

static void print_direction(struct output *out, const struct flow_record *flow, enum tg_side side,
			    const char *arrow)
{
	const struct tg_half_count *count = &flow->detail.count[side];
	const struct verdict_row *last = names_verdict(count->last_verdict);
	uint8_t scale = tg_half_wscale(&flow->slot.half[side]);
	char bytes[FORMAT_BYTES], packets[FORMAT_BYTES], drops[FORMAT_BYTES];

	fprintf(out->stream, "   %s %s packets, %s, retrans %u, out of order %u, wscale ", arrow,
		format_grouped(packets, sizeof(packets), count->packets),
		format_bytes(bytes, sizeof(bytes), count->bytes), count->retrans, count->ooo);
	if (scale == TG_WSCALE_NONE)
		fputc('-', out->stream);
	else
		fprintf(out->stream, "%u", scale);
	fprintf(out->stream, ", last %s, ", last ? last->reason : "-");
	/* The counter is one byte and stays at its end. */
	snprintf(drops, sizeof(drops), "drops %s%u", count->drops == UINT8_MAX ? ">= " : "",
		 count->drops);
	text_paint(out, count->drops ? PAINT_BAD : PAINT_NONE, drops);
	fputc('\n', out->stream);
}

static void print_sequence(struct output *out, const struct flow_record *flow, enum tg_side side,
			   const char *arrow)
{
	const struct tg_half *half = &flow->slot.half[side];

	fprintf(out->stream,
		"   %s isn %" PRIu32 ", sent up to %" PRIu32 ", acknowledged up to %" PRIu32
		", granted up to %" PRIu32 ", largest window %" PRIu32 "\n",
		arrow, flow->detail.isn[side], half->end, half->ack, half->right, half->maxwin);
}

static void text_flow(struct output *out, const struct flow_record *flow)
{
	enum tg_side src = flow->first, dst = src == TG_SIDE_LO ? TG_SIDE_HI : TG_SIDE_LO;
	char from[FORMAT_BYTES], to[FORMAT_BYTES], id[FORMAT_BYTES];
	char age[FORMAT_BYTES], idle[FORMAT_BYTES], left[FORMAT_BYTES];

	fprintf(out->stream, "%s %s %s %s %s  id %s\n",
		format_endpoint(from, sizeof(from), flow_address(flow, src), flow_port(flow, src)),
		names_tcp_state(flow->state[src]), flow->opener_known ? "->" : "<->",
		format_endpoint(to, sizeof(to), flow_address(flow, dst), flow_port(flow, dst)),
		names_tcp_state(flow->state[dst]), filter_id_text(id, sizeof(id), flow));
	fprintf(out->stream, "   %s, %s%s, age %s, idle %s, expires in %s%s\n",
		names_phase(flow->phase), names_origin(flow->origin),
		flow->opener_known ? "" : " (opener unknown)",
		format_duration(age, sizeof(age), flow->age_ms),
		format_duration(idle, sizeof(idle), flow->idle_ms),
		format_duration(left, sizeof(left), flow->left_ms),
		flow->suspect ? ", SUSPECT (passed unjudged)" : "");
	print_direction(out, flow, src, "->");
	print_direction(out, flow, dst, "<-");
	if (out->detailed) {
		print_sequence(out, flow, src, "->");
		print_sequence(out, flow, dst, "<-");
	}
	out->flows++;
}

static void text_flows_begin(struct output *out)
{
	(void)out; /* no heading: every line says what it is */
}

static void text_flows_end(struct output *out)
{
	char number[FORMAT_BYTES];

	if (!out->detailed)
		fprintf(out->stream, "%s flow%s\n",
			format_grouped(number, sizeof(number), out->flows),
			out->flows == 1 ? "" : "s");
}

static void text_flows_count(struct output *out, const struct flow_counts *counts)
{
	char number[FORMAT_BYTES];
	int phase;

	fprintf(out->stream, "%-12s %12s\n", "flows",
		format_grouped(number, sizeof(number), counts->entries));
	for (phase = 0; phase < TG_PHASE_MAX; phase++)
		if (counts->by_phase[phase])
			fprintf(out->stream, " %-11s %12s\n", names_phases[phase],
				format_grouped(number, sizeof(number), counts->by_phase[phase]));
}

static void text_rules_begin(struct output *out)
{
	(void)out; /* no heading, as with flows */
}

static void text_rule(struct output *out, const struct output_rule *rule)
{
	char left[FORMAT_BYTES];

	fprintf(out->stream, "%-24s %-14s %-4s%s", rule->prefix,
		rule->left_s == UINT32_MAX ?
			"for ever" :
			format_duration(left, sizeof(left), rule->left_s * 1000ULL),
		rule->origin, *rule->reason ? "  " : "");
	text_plain(out, rule->reason);
	fputc('\n', out->stream);
	out->flows++;
}

static void text_rules_end(struct output *out)
{
	char number[FORMAT_BYTES];

	fprintf(out->stream, "%s prefix%s\n", format_grouped(number, sizeof(number), out->flows),
		out->flows == 1 ? "" : "es");
}

static void text_answer(struct output *out, const struct output_answer *answer)
{
	text_plain(out, answer->text);
	fputc('\n', out->stream);
	if (answer->advice)
		fprintf(out->stream, "%s\n", answer->advice);
}

const struct output_functions output_text = {
	.status = text_status,
	.stats = text_stats,
	.flows_begin = text_flows_begin,
	.flow = text_flow,
	.flows_end = text_flows_end,
	.flows_count = text_flows_count,
	.rules_begin = text_rules_begin,
	.rule = text_rule,
	.rules_end = text_rules_end,
	.answer = text_answer,
	.event = text_event,
	.events_lost = text_events_lost,
};
