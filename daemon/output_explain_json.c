/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The explanation as one JSON document. */
#include "output_explain.h"

#include "format.h"
#include "names.h"
#include "output_json_values.h"
#include "output_replay.h"

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static void set(json_t *object, const char *name, json_t *value)
{
	json_object_set_new(object, name, value);
}

static json_t *text_or_null(const char *value)
{
	json_t *string = value ? json_string(value) : NULL;

	return string ? string : json_null();
}

static json_t *endpoint(const __be32 address[4], __be16 port)
{
	char buffer[FORMAT_BYTES];

	return json_string(format_endpoint(buffer, sizeof(buffer), address, port));
}

static void set_verdict(json_t *object, enum tg_verdict verdict)
{
	const struct verdict_row *row = names_verdict(verdict);

	set(object, "verdict", text_or_null(row ? names_action(row->action) : NULL));
	set(object, "reason", text_or_null(row ? row->reason : NULL));
	set(object, "description", text_or_null(row ? row->text : NULL));
	set(object, "class", text_or_null(row ? names_class(row->class) : NULL));
}

static json_t *segment(const struct tg_packet *packet)
{
	char flags[FORMAT_BYTES];
	json_t *object = json_object();

	set(object, "src", endpoint(packet->saddr, packet->sport));
	set(object, "dst", endpoint(packet->daddr, packet->dport));
	set(object, "flags", json_string(output_explain_flags(flags, sizeof(flags), packet->flags)));
	set(object, "seq", number(packet->seq));
	set(object, "end", number(packet->end));
	set(object, "ack", number(packet->ack));
	set(object, "payload", number(packet->payload));
	set(object, "window", number(packet->window));
	set(object, "timestamp",
	    packet->options & TG_OPT_TIMESTAMPS ? number(packet->tsval) : json_null());
	set(object, "icmp_error", json_boolean(packet->icmp_error));
	return object;
}

static json_t *half(const struct tg_half *of, const struct tg_half_count *count, __u32 isn,
		    enum tg_tcp_state state)
{
	json_t *object = json_object(), *facts = json_array();
	uint8_t scale = tg_half_wscale(of);
	unsigned int bit;

	for (bit = 0; explain_fact(bit); bit++)
		if (of->facts >> bit & 1)
			json_array_append_new(facts, json_string(explain_fact(bit)));
	set(object, "state", json_string(names_tcp_state(state)));
	set(object, "facts", facts);
	set(object, "isn", number(isn));
	set(object, "end", number(of->end));
	set(object, "ack", number(of->ack));
	set(object, "right", number(of->right));
	set(object, "max_window", number(of->maxwin));
	set(object, "window_scale", scale == TG_WSCALE_NONE ? json_null() : number(scale));
	set(object, "packets", number(count->packets));
	set(object, "bytes", number(count->bytes));
	return object;
}

static json_t *checks(const struct explanation *explanation)
{
	json_t *array = json_array();
	uint32_t i;

	for (i = 0; i < explanation->count; i++) {
		const struct explain_check *check = &explanation->check[i];

		json_array_append_new(
			array, json_pack("{s:s, s:s, s:o, s:s, s:s, s:o, s:I, s:b, s:b}", "rule",
					 check->rule, "left", check->left_name, "left_value",
					 number(check->left), "relation", check->relation, "right",
					 check->right_name, "right_value", number(check->right),
					 "distance", (json_int_t)check->distance, "holds",
					 check->holds, "decided", check->decided));
	}
	return array;
}

static json_t *half_of(const struct explain_capture *e, enum tg_side side)
{
	const struct tg_half *mine = &e->flow.slot.half[side], *other = &e->flow.slot.half[side ^ 1];

	return half(mine, &e->flow.detail.count[side], e->flow.detail.isn[side],
		    tg_endpoint_state(mine, other));
}

static json_t *before(const struct explain_capture *e)
{
	const struct tg_half *sender = &e->flow.slot.half[e->flow.side];
	const struct tg_half *receiver = &e->flow.slot.half[e->flow.side ^ 1];
	json_t *object;

	if (!e->flow.found)
		return json_null();
	object = json_object();
	set(object, "expired", json_boolean(e->flow.expired));
	set(object, "phase", json_string(names_phase(tg_flow_phase(sender, receiver))));
	set(object, "phase_s", json_real((double)(e->flow.now_ms - e->flow.slot.stamp_ms) / 1000));
	set(object, "timeout_s",
	    json_real((double)tg_slot_timeout_ms(&e->flow.slot, &e->timeouts) / 1000));
	set(object, "src", half_of(e, e->flow.side));
	set(object, "dst", half_of(e, e->flow.side ^ 1));
	return object;
}

static json_t *after(const struct replay_judgement *judgement)
{
	if (!judgement->has_flow)
		return json_null();
	return json_pack("{s:s, s:s, s:s}", "phase", names_phase(judgement->phase), "src_state",
			 names_tcp_state(judgement->sender_state), "dst_state",
			 names_tcp_state(judgement->receiver_state));
}

static json_t *timeline(const struct explain_capture *e)
{
	uint32_t length = explain_story_length(&e->story), i;
	json_t *array = json_array();

	for (i = 0; i < length; i++) {
		const struct explain_event *event = explain_story_event(&e->story, i);
		json_t *object = segment(&event->judgement.packet);
		char time[FORMAT_BYTES];

		set(object, "n", number(event->number));
		set(object, "time",
		    json_string(output_replay_time(time, sizeof(time), &event->time)));
		set_verdict(object, event->judgement.verdict);
		set(object, "after", after(&event->judgement));
		json_array_append_new(array, object);
	}
	return array;
}

void output_explain_packet_json(struct output *out, const struct explain_capture *explained)
{
	const struct replay_judgement *judgement = &explained->packet.judgement;
	json_t *document = json_pack("{s:s}", "schema", "tcpguard.explain.packet/1");
	char time[FORMAT_BYTES];

	set(document, "file", text_or_null(explained->path));
	set(document, "n", number(explained->number));
	set(document, "time",
	    json_string(output_replay_time(time, sizeof(time), &explained->packet.time)));
	set_verdict(document, judgement->verdict);
	set(document, "outcome", json_string(output_replay_outcome(judgement)));
	set(document, "egress", json_boolean(judgement->egress));
	set(document, "packet", judgement->segment ? segment(&judgement->packet) : json_null());
	set(document, "checks", checks(&explained->explanation));
	set(document, "why", text_or_null(explained->explanation.why));
	set(document, "before", before(explained));
	set(document, "after", after(judgement));
	set(document, "segments_so_far", number(explained->story.count));
	set(document, "timeline", timeline(explained));
	set(document, "setting", json_string(explain_setting(judgement->verdict)));
	json_put(out, document);
}

static json_t *side(const struct flow_record *flow, enum tg_side of)
{
	const struct tg_half_count *count = &flow->detail.count[of];
	json_t *object = half(&flow->slot.half[of], count, flow->detail.isn[of], flow->state[of]);

	set(object, "endpoint", endpoint(flow_address(flow, of), flow_port(flow, of)));
	set(object, "limit", number(output_explain_limit(flow, of)));
	set(object, "retrans", number(count->retrans));
	set(object, "out_of_order", number(count->ooo));
	set(object, "drops", number(count->drops));
	if (names_verdict(count->last_verdict)) {
		json_t *last = json_object();

		set_verdict(last, count->last_verdict);
		set(last, "setting", json_string(explain_setting(count->last_verdict)));
		set(object, "last", last);
	} else {
		set(object, "last", json_null());
	}
	return object;
}

void output_explain_flow_json(struct output *out, const struct flow_record *flow,
			      const struct tg_timeouts *timeouts)
{
	enum tg_side first = flow->first, second = first == TG_SIDE_LO ? TG_SIDE_HI : TG_SIDE_LO;
	json_t *document = json_pack("{s:s}", "schema", "tcpguard.explain.flow/1");
	char id[FORMAT_BYTES];

	set(document, "id", json_string(filter_id_text(id, sizeof(id), flow)));
	set(document, "phase", json_string(names_phase(flow->phase)));
	set(document, "origin", json_string(names_origin(flow->origin)));
	set(document, "opener_known", json_boolean(flow->opener_known));
	set(document, "suspect", json_boolean(flow->suspect));
	set(document, "age_s", json_real((double)flow->age_ms / 1000));
	set(document, "idle_s", json_real((double)flow->idle_ms / 1000));
	set(document, "expires_s", json_real((double)flow->left_ms / 1000));
	set(document, "timeout_s",
	    json_real((double)tg_slot_timeout_ms(&flow->slot, timeouts) / 1000));
	set(document, "src", side(flow, first));
	set(document, "dst", side(flow, second));
	json_put(out, document);
}
