/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every value of a flow is a number, a word of ours or an address: nothing needs escaping, and the
 * longest possible object is a third of the buffer, so nothing is checked as it is written.
 */
#include "output_json_flow.h"

#include <arpa/inet.h>
#include <string.h>

#include "format.h"
#include "names.h"
#include "put.h"

/* name is what stands before the value: comma, quotes and colon included. */
static char *put_field(char *at, const char *name, uint64_t number)
{
	return put_number(put_text(at, name), number);
}

static char *put_word(char *at, const char *name, const char *word)
{
	at = put_text(put_text(at, name), word);
	*at++ = '"';
	return at;
}

static char *put_boolean(char *at, const char *name, bool value)
{
	return put_text(put_text(at, name), value ? "true" : "false");
}

/* To the millisecond, with at least one decimal and no more zeros than that. */
static char *put_seconds(char *at, const char *name, uint32_t ms)
{
	uint32_t rest = ms % 1000;

	at = put_field(at, name, ms / 1000);
	*at++ = '.';
	*at++ = (char)('0' + rest / 100);
	if (rest % 100)
		*at++ = (char)('0' + rest / 10 % 10);
	if (rest % 10)
		*at++ = (char)('0' + rest % 10);
	return at;
}

static char *put_endpoint(char *at, const char *name, const __be32 address[4], __be16 port)
{
	char text[FORMAT_BYTES];
	const uint8_t *byte = (const uint8_t *)&address[3];
	int i;

	at = put_text(at, name);
	if (address[0] | address[1] || address[2] != htonl(0xffff))
		return put_text(put_text(at, format_endpoint(text, sizeof(text), address, port)), "\"");
	for (i = 0; i < 4; i++) {
		at = put_number(at, byte[i]);
		*at++ = i < 3 ? '.' : ':';
	}
	at = put_number(at, ntohs(port));
	*at++ = '"';
	return at;
}

static char *put_direction(char *at, const struct flow_record *flow, enum tg_side side, bool detailed)
{
	const struct tg_half_count *count = &flow->detail.count[side];
	const struct tg_half *half = &flow->slot.half[side];
	const struct verdict_row *last = names_verdict(count->last_verdict);
	uint8_t scale = tg_half_wscale(half);

	at = put_field(at, "{\"packets\":", count->packets);
	at = put_field(at, ",\"bytes\":", count->bytes);
	at = put_field(at, ",\"retrans\":", count->retrans);
	at = put_field(at, ",\"out_of_order\":", count->ooo);
	at = scale == TG_WSCALE_NONE ? put_text(at, ",\"window_scale\":null") :
				       put_field(at, ",\"window_scale\":", scale);
	if (last) {
		at = put_word(at, ",\"last_reason\":\"", last->reason);
		at = put_word(at, ",\"last_verdict\":\"", names_action(last->action));
	} else {
		at = put_text(at, ",\"last_reason\":null,\"last_verdict\":null");
	}
	at = put_field(at, ",\"drops\":", count->drops);
	if (detailed) {
		at = put_field(at, ",\"isn\":", flow->detail.isn[side]);
		at = put_field(at, ",\"end\":", half->end);
		at = put_field(at, ",\"ack\":", half->ack);
		at = put_field(at, ",\"right\":", half->right);
		at = put_field(at, ",\"max_window\":", half->maxwin);
		at = put_field(at, ",\"facts\":", half->facts & TG_FACT_MASK);
	}
	*at++ = '}';
	return at;
}

/* As filter_id_text() writes it. */
static char *put_id(char *at, const struct flow_record *flow)
{
	at = put_hex(put_text(at, "{\"id\":\""), flow->number);
	*at++ = '-';
	at = put_hex(at, flow->claim >> TG_CLAIM_GENERATION_SHIFT);
	*at++ = '"';
	return at;
}

size_t output_json_flow(char *buffer, const struct flow_record *flow, bool detailed)
{
	enum tg_side src = flow->first, dst = src == TG_SIDE_LO ? TG_SIDE_HI : TG_SIDE_LO;
	char *at = put_id(buffer, flow);

	at = put_endpoint(at, ",\"src\":\"", flow_address(flow, src), flow_port(flow, src));
	at = put_endpoint(at, ",\"dst\":\"", flow_address(flow, dst), flow_port(flow, dst));
	at = put_word(at, ",\"src_state\":\"", names_tcp_state(flow->state[src]));
	at = put_word(at, ",\"dst_state\":\"", names_tcp_state(flow->state[dst]));
	at = put_word(at, ",\"phase\":\"", names_phase(flow->phase));
	at = put_word(at, ",\"origin\":\"", names_origin(flow->origin));
	at = put_boolean(at, ",\"opener_known\":", flow->opener_known);
	at = put_boolean(at, ",\"suspect\":", flow->suspect);
	at = put_field(at, ",\"zone\":", flow->detail.key.zone);
	at = put_seconds(at, ",\"age_s\":", flow->age_ms);
	at = put_seconds(at, ",\"idle_s\":", flow->idle_ms);
	at = put_seconds(at, ",\"timeout_s\":", flow->left_ms);
	at = put_text(at, ",\"directions\":[");
	at = put_direction(at, flow, src, detailed);
	*at++ = ',';
	at = put_direction(at, flow, dst, detailed);
	at = put_text(at, "]}");
	*at = '\0';
	return (size_t)(at - buffer);
}
