/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line an event: when, what, where, who, and what the kind of event has to say. */
#include "output_event.h"

#include <inttypes.h>

#include "event_filter.h"
#include "format.h"
#include "names.h"
#include "output_text.h"

static enum paint colour_of(const struct tg_event *event)
{
	switch (event->type) {
	case TG_EVENT_DROP:
		return event->outcome == TG_OUTCOME_VERDICT ? PAINT_BAD : PAINT_WARN;
	case TG_EVENT_CHALLENGE:
	case TG_EVENT_GUARD:
	case TG_EVENT_MODE:
		return PAINT_WARN;
	default:
		return PAINT_NONE;
	}
}

static const char *reason_of(const struct tg_event *event)
{
	const struct verdict_row *row = names_verdict(event->verdict);

	return row ? row->reason : "-";
}

static void print_who(struct output *out, const struct tg_event *event)
{
	enum tg_side from = event_source(event), to = from == TG_SIDE_LO ? TG_SIDE_HI : TG_SIDE_LO;
	char source[FORMAT_BYTES], destination[FORMAT_BYTES];

	if (!event_has_addresses(event)) {
		fputs(" -", out->stream);
		return;
	}
	fprintf(out->stream, " %s > %s",
		format_endpoint(source, sizeof(source), event_address(event, from), event_port(event, from)),
		format_endpoint(destination, sizeof(destination), event_address(event, to),
				event_port(event, to)));
	if (event->has_flow)
		fprintf(out->stream, " id %" PRIx32 "-%" PRIx32, event->number,
			event->claim >> TG_CLAIM_GENERATION_SHIFT);
}

static void print_packet(struct output *out, const struct tg_event *event)
{
	char flags[FORMAT_BYTES];

	fprintf(out->stream, " %s seq %" PRIu32 " end %" PRIu32 " ack %" PRIu32 " win %u len %" PRIu32,
		format_flags(flags, sizeof(flags), event->flags), event->seq, event->end, event->ack,
		event->window, event->payload);
}

static void print_half(struct output *out, const char *who, const struct tg_event *event, int side)
{
	const struct tg_half *half = &event->half[side];

	fprintf(out->stream,
		"; %s isn %" PRIu32 " end %" PRIu32 " ack %" PRIu32 " right %" PRIu32 " maxwin %" PRIu32,
		who, event->isn[side], half->end, half->ack, half->right, half->maxwin);
}

static void print_states(struct output *out, const struct tg_event *event, const __u8 *state)
{
	enum tg_side from = event_source(event);

	fprintf(out->stream, " %s/%s", names_tcp_state(state[from]), names_tcp_state(state[!from]));
}

static void print_end(struct output *out, const struct tg_event *event)
{
	enum tg_side from = event_source(event);
	char bytes[FORMAT_BYTES], age[FORMAT_BYTES];

	fprintf(out->stream, " cause %s after %s;", event_cause_word(event->cause),
		format_duration(age, sizeof(age), event->age_ms));
	fprintf(out->stream, " sent %" PRIu32 " packets %s,", event->packets[from],
		format_bytes(bytes, sizeof(bytes), event->bytes[from]));
	fprintf(out->stream, " received %" PRIu32 " packets %s", event->packets[!from],
		format_bytes(bytes, sizeof(bytes), event->bytes[!from]));
}

static void print_rest(struct output *out, const struct tg_event *event)
{
	switch (event->type) {
	case TG_EVENT_NEW:
		print_states(out, event, event->state);
		fprintf(out->stream, " %s", reason_of(event));
		break;
	case TG_EVENT_STATE:
		print_states(out, event, event->state_before);
		fputs(" =>", out->stream);
		print_states(out, event, event->state);
		fprintf(out->stream, " %s %s", names_phase(event->phase), reason_of(event));
		if (event->phase == TG_PHASE_ESTABLISHED && event->phase_before < TG_PHASE_ESTABLISHED)
			fprintf(out->stream, " handshake %" PRIu32 " ms", event->handshake_ms);
		break;
	case TG_EVENT_END:
		print_end(out, event);
		break;
	default:
		fprintf(out->stream, " %s:", reason_of(event));
		print_packet(out, event);
		if (!event->has_flow || event->type == TG_EVENT_TRACE)
			break;
		print_half(out, "sender", event, event->side);
		print_half(out, "receiver", event, !event->side);
	}
}

void text_event(struct output *out, const struct tg_event *event)
{
	char time[FORMAT_BYTES], word[16];

	fprintf(out->stream, "%s ", format_time_ns(time, sizeof(time), event->time_ns, 6));
	snprintf(word, sizeof(word), "%-10s", event_word(event));
	text_paint(out, colour_of(event), word);
	if (event->type >= TG_EVENT_LIST) {
		fputc(' ', out->stream);
		text_plain(out, event->text);
		fputc('\n', out->stream);
		return;
	}
	fputc(' ', out->stream);
	text_plain(out, event->iface[0] ? event->iface : "-");
	print_who(out, event);
	print_rest(out, event);
	fputc('\n', out->stream);
}

void text_events_lost(struct output *out, uint64_t lost)
{
	char text[64];

	snprintf(text, sizeof(text), "lost %" PRIu64 " events: this reader was too slow", lost);
	text_paint(out, PAINT_WARN, text);
	fputc('\n', out->stream);
}
