/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One object a line, each with its schema: the lines outlive the run that wrote them. */
#include "output_event.h"

#include <inttypes.h>

#include "event_filter.h"
#include "format.h"
#include "names.h"
#include "output_json_values.h"
#include "plain.h"

#define SCHEMA "tcpguard.event/1"

static void put_line(struct output *out, json_t *object)
{
	json_dumpf(object, out->stream, JSON_COMPACT | JSON_PRECISION);
	fputc('\n', out->stream);
	json_decref(object);
}

/* Interface names and texts need not be UTF-8; JSON must be, and has no escape for DEL. */
static json_t *plain_text(const char *text, size_t size)
{
	char plain[TG_EVENT_TEXT + 1];

	snprintf(plain, sizeof(plain), "%.*s", (int)size, text);
	return json_string(plain_make(plain));
}

static void set_endpoint(json_t *object, const char *name, const struct tg_event *event,
			 enum tg_side side)
{
	char text[FORMAT_BYTES];

	format_endpoint(text, sizeof(text), event_address(event, side), event_port(event, side));
	json_object_set_new(object, name,
			    event_has_addresses(event) ? json_string(text) : json_null());
}

static json_t *packet_object(const struct tg_event *event)
{
	json_t *object = json_object();
	char flags[FORMAT_BYTES];

	json_object_set_new(object, "flags",
			    json_string(format_flags(flags, sizeof(flags), event->flags)));
	json_set_number(object, "seq", event->seq);
	json_set_number(object, "end", event->end);
	json_set_number(object, "ack", event->ack);
	json_set_number(object, "window", event->window);
	json_set_number(object, "payload", event->payload);
	json_object_set_new(object, "own", json_boolean(event->own));
	return object;
}

static json_t *half_object(const struct tg_event *event, int side)
{
	const struct tg_half *half = &event->half[side];
	json_t *object = json_object();

	json_set_number(object, "isn", event->isn[side]);
	json_set_number(object, "end", half->end);
	json_set_number(object, "ack", half->ack);
	json_set_number(object, "right", half->right);
	json_set_number(object, "max_window", half->maxwin);
	return object;
}

static void set_states(json_t *object, const char *name, const __u8 *state, enum tg_side from)
{
	json_object_set_new(object, name,
			    json_pack("[s, s]", names_tcp_state(state[from]),
				      names_tcp_state(state[!from])));
}

/* What is known of the flow, source first. */
static void set_flow(json_t *object, const struct tg_event *event)
{
	enum tg_side from = event_source(event);
	char id[FORMAT_BYTES];

	snprintf(id, sizeof(id), "%" PRIx32 "-%" PRIx32, event->number,
		 event->claim >> TG_CLAIM_GENERATION_SHIFT);
	json_object_set_new(object, "flow", event->has_flow ? json_string(id) : json_null());
	if (!event->has_flow)
		return;
	set_states(object, "states", event->state, from);
	set_states(object, "states_before", event->state_before, from);
	json_object_set_new(object, "phase", json_string(names_phase(event->phase)));
	json_object_set_new(object, "phase_before", json_string(names_phase(event->phase_before)));
	json_object_set_new(object, "halves",
			    json_pack("[o, o]", half_object(event, from), half_object(event, !from)));
	if (event->type == TG_EVENT_STATE && event->phase == TG_PHASE_ESTABLISHED &&
	    event->phase_before < TG_PHASE_ESTABLISHED)
		json_object_set_new(object, "handshake_s", json_real(event->handshake_ms / 1000.0));
	if (event->type != TG_EVENT_END)
		return;
	json_object_set_new(object, "cause", json_string(event_cause_word(event->cause)));
	json_object_set_new(object, "age_s", json_real(event->age_ms / 1000.0));
	json_object_set_new(object, "packets",
			    json_pack("[I, I]", (json_int_t)event->packets[from],
				      (json_int_t)event->packets[!from]));
	json_object_set_new(object, "bytes",
			    json_pack("[I, I]", (json_int_t)event->bytes[from],
				      (json_int_t)event->bytes[!from]));
}

void json_event(struct output *out, const struct tg_event *event)
{
	const struct verdict_row *row = names_verdict(event->verdict);
	enum tg_side from = event_source(event);
	char time[FORMAT_BYTES];
	json_t *object;

	object = json_pack("{s:s, s:s, s:s}", "schema", SCHEMA, "time",
			   format_time_ns(time, sizeof(time), event->time_ns, 9), "type",
			   event_word(event));
	if (event->type >= TG_EVENT_LIST) {
		json_object_set_new(object, "text", plain_text(event->text, sizeof(event->text)));
		put_line(out, object);
		return;
	}
	json_object_set_new(object, "iface",
			    event->iface[0] ? plain_text(event->iface, sizeof(event->iface)) :
					      json_null());
	json_object_set_new(object, "reason", row ? json_string(row->reason) : json_null());
	json_object_set_new(object, "verdict", row ? json_string(names_action(row->action)) : json_null());
	json_object_set_new(object, "class", row ? json_string(names_class(row->class)) : json_null());
	set_endpoint(object, "src", event, from);
	set_endpoint(object, "dst", event, from == TG_SIDE_LO ? TG_SIDE_HI : TG_SIDE_LO);
	set_flow(object, event);
	/* The sweep frees flows without any packet. */
	json_object_set_new(object, "packet", row ? packet_object(event) : json_null());
	put_line(out, object);
}

void json_events_lost(struct output *out, uint64_t lost)
{
	put_line(out, json_pack("{s:s, s:s, s:I}", "schema", SCHEMA, "type", "lost", "events",
				(json_int_t)lost));
}
