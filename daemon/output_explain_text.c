/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The explanation for people. */
#include "output_explain.h"

#include <inttypes.h>
#include <string.h>

#include "format.h"
#include "names.h"
#include "output_replay.h"
#include "output_text.h"

#include "bpf/flow_view.h"

#define HEADING "%-10s"

const char *output_explain_flags(char *buffer, size_t size, uint8_t flags)
{
	static const char *const names[] = { "FIN", "SYN", "RST", "PSH", "ACK", "URG" };
	size_t at = 0, i;

	buffer[0] = '\0';
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags >> i & 1 && at + 5 < size)
			at += (size_t)snprintf(buffer + at, size - at, "%s%s", at ? " " : "", names[i]);
	return at ? buffer : "no flags";
}

uint32_t output_explain_limit(const struct flow_record *flow, enum tg_side side)
{
	struct flow_record copy = *flow;
	struct tg_view view = {
		.sender = &copy.slot.half[side],
		.receiver = &copy.slot.half[side ^ 1],
		.detail = &copy.detail,
		.side = side,
	};

	return tg_send_limit(&view);
}

static const char *source(char *buffer, size_t size, const struct tg_packet *packet)
{
	return format_endpoint(buffer, size, packet->saddr, packet->sport);
}

static const char *destination(char *buffer, size_t size, const struct tg_packet *packet)
{
	return format_endpoint(buffer, size, packet->daddr, packet->dport);
}

static void print_verdict(struct output *out, const struct replay_judgement *judgement)
{
	const struct verdict_row *row = names_verdict(judgement->verdict);
	char word[FORMAT_BYTES];

	snprintf(word, sizeof(word), "%s  %s", row ? names_action(row->action) : "?",
		 row ? row->reason : "?");
	fprintf(out->stream, HEADING, "Verdict");
	text_paint(out, tg_verdict_drops(judgement->verdict) ? PAINT_BAD : PAINT_GOOD, word);
	fprintf(out->stream, "   %s", row ? row->text : "");
	if (tg_verdict_drops(judgement->verdict) && judgement->outcome != TG_OUTCOME_VERDICT)
		fprintf(out->stream, " (%s: passed)", output_replay_outcome(judgement));
	fputc('\n', out->stream);
}

static void print_segment(struct output *out, const struct tg_packet *packet)
{
	char flags[FORMAT_BYTES], from[FORMAT_BYTES], to[FORMAT_BYTES];

	fprintf(out->stream, HEADING "%s -> %s\n", "", source(from, sizeof(from), packet),
		destination(to, sizeof(to), packet));
	if (packet->icmp_error) {
		fprintf(out->stream, HEADING "quoted by an ICMP error: seq %" PRIu32 "\n", "", packet->seq);
		return;
	}
	fprintf(out->stream,
		HEADING "%s  seq %" PRIu32 "  end %" PRIu32 "  ack %" PRIu32
			"  payload %" PRIu32 "  window %u (unscaled)",
		"", output_explain_flags(flags, sizeof(flags), packet->flags), packet->seq, packet->end,
		packet->ack, packet->payload, packet->window);
	if (packet->options & TG_OPT_TIMESTAMPS)
		fprintf(out->stream, "  timestamp %" PRIu32, packet->tsval);
	if (packet->options & TG_OPT_WSCALE)
		fprintf(out->stream, "  window scale %u", packet->wscale);
	if (packet->options & TG_OPT_SACK)
		fprintf(out->stream, "  SACK up to %" PRIu32, packet->sack_right);
	fputc('\n', out->stream);
}

static void print_packet(struct output *out, const struct explain_capture *e)
{
	const struct replay_judgement *judgement = &e->packet.judgement;
	char time[FORMAT_BYTES];

	fprintf(out->stream, HEADING, "Packet");
	text_plain(out, e->path);
	fprintf(out->stream, "#%" PRIu64 "  %s\n", e->number,
		output_replay_time(time, sizeof(time), &e->packet.time));
	if (judgement->segment)
		print_segment(out, &judgement->packet);
	fprintf(out->stream, HEADING "%s, profile %s%s%s, mode %s\n", "Judged",
		judgement->egress ? "at egress, as the host's own" : "at ingress",
		names_profile(replay_profile(e->options)), e->options->strict ? ", strict" : "",
		e->options->learn ? ", learning" : "", names_mode((unsigned int)e->options->mode));
}

static void print_facts(struct output *out, const struct tg_half *half)
{
	unsigned int bit;

	for (bit = 0; explain_fact(bit); bit++)
		if (half->facts >> bit & 1)
			fprintf(out->stream, " %s", explain_fact(bit));
	if (!(half->facts & TG_FACT_MASK))
		fputs(" nothing", out->stream);
}

static void print_half(struct output *out, const char *who, const char *state,
		       const struct tg_half *half, const struct tg_half_count *count, __u32 isn)
{
	uint8_t scale = tg_half_wscale(half);

	fprintf(out->stream, HEADING "%s  %s  facts:", "", who, state);
	print_facts(out, half);
	fputc('\n', out->stream);
	if (!(half->facts & TG_FACT_SYN))
		return;
	fprintf(out->stream, HEADING "   isn %" PRIu32 ", sent up to %" PRIu32, "", isn, half->end);
	if (half->facts & TG_FACT_HASACK)
		fprintf(out->stream, ", acknowledged up to %" PRIu32 ", granted up to %" PRIu32, half->ack,
			half->right);
	fprintf(out->stream, ", largest window %" PRIu32, half->maxwin);
	if (scale != TG_WSCALE_NONE)
		fprintf(out->stream, ", scale %u", scale);
	fprintf(out->stream, ", %" PRIu32 " packets, %" PRIu64 " bytes\n", count->packets,
		(uint64_t)count->bytes);
}

/* Who the packet's sender and receiver were to the flow, before and after it. */
static void print_flow(struct output *out, const struct explain_capture *e)
{
	const struct replay_judgement *judgement = &e->packet.judgement;
	const struct tg_half *sender = &e->flow.slot.half[e->flow.side];
	const struct tg_half *receiver = &e->flow.slot.half[e->flow.side ^ 1];
	char who[FORMAT_BYTES], age[FORMAT_BYTES], limit[FORMAT_BYTES];
	enum tg_phase phase = tg_flow_phase(sender, receiver);
	uint32_t timeout = tg_slot_timeout_ms(&e->flow.slot, &e->timeouts);

	format_duration(age, sizeof(age), e->flow.now_ms - e->flow.slot.stamp_ms);
	format_duration(limit, sizeof(limit), timeout);
	fprintf(out->stream, HEADING "id %" PRIx32 "-%" PRIx32 ", %s, since %s (timeout %s)%s\n",
		"Before", e->flow.number, e->flow.slot.claim >> TG_CLAIM_GENERATION_SHIFT,
		names_phase(phase), age, limit,
		e->flow.expired ? ": EXPIRED, counts as absent" : "");
	print_half(out, source(who, sizeof(who), &judgement->packet),
		   names_tcp_state(tg_endpoint_state(sender, receiver)), sender,
		   &e->flow.detail.count[e->flow.side], e->flow.detail.isn[e->flow.side]);
	print_half(out, destination(who, sizeof(who), &judgement->packet),
		   names_tcp_state(tg_endpoint_state(receiver, sender)), receiver,
		   &e->flow.detail.count[e->flow.side ^ 1], e->flow.detail.isn[e->flow.side ^ 1]);
}

static void print_after(struct output *out, const struct replay_judgement *judgement)
{
	char from[FORMAT_BYTES], to[FORMAT_BYTES];

	if (!judgement->has_flow) {
		fprintf(out->stream, HEADING "no connection\n", "After");
		return;
	}
	fprintf(out->stream, HEADING "%s, %s %s, %s %s\n", "After", names_phase(judgement->phase),
		source(from, sizeof(from), &judgement->packet),
		names_tcp_state(judgement->sender_state),
		destination(to, sizeof(to), &judgement->packet),
		names_tcp_state(judgement->receiver_state));
}

static void print_check(struct output *out, const struct explain_check *check, const char *heading)
{
	char number[FORMAT_BYTES];
	uint64_t apart = (uint64_t)(check->distance < 0 ? -check->distance : check->distance);

	fprintf(out->stream, HEADING, heading);
	fprintf(out->stream, "%-4s%s %" PRIu32 " %s %" PRIu32 " (%s): ", check->rule, check->left_name,
		check->left, check->relation, check->right, check->right_name);
	text_paint(out, check->holds ? PAINT_GOOD : PAINT_BAD, check->holds ? "yes" : "NO");
	if (apart)
		fprintf(out->stream, ", %s %s", format_grouped(number, sizeof(number), apart),
			check->distance < 0 ? "below" : "above");
	fputs(check->decided ? "   <- this decided\n" : "\n", out->stream);
}

static void print_checks(struct output *out, const struct explanation *explanation)
{
	uint32_t i;

	for (i = 0; i < explanation->count; i++)
		print_check(out, &explanation->check[i], i ? "" : "Compared");
	if (explanation->why)
		fprintf(out->stream, HEADING "%s\n", "Why", explanation->why);
}

static void print_event(struct output *out, const struct explain_capture *e,
			const struct explain_event *event)
{
	const struct tg_packet *packet = &event->judgement.packet;
	const struct tg_packet *asked = &e->packet.judgement.packet;
	const struct verdict_row *row = names_verdict(event->judgement.verdict);
	bool same = packet->sport == asked->sport &&
		    !memcmp(packet->saddr, asked->saddr, sizeof(packet->saddr));
	char time[FORMAT_BYTES], flags[FORMAT_BYTES], number[FORMAT_BYTES];

	output_replay_time(time, sizeof(time), &event->time);
	snprintf(number, sizeof(number), "#%" PRIu64, event->number);
	output_explain_flags(flags, sizeof(flags), packet->flags & (uint8_t)~TG_PSH);
	fprintf(out->stream, HEADING "%-8s %.15s %s %-8s ", "", number, time + 11, same ? "->" : "<-", flags);
	fprintf(out->stream, "seq %-10" PRIu32 " ack %-10" PRIu32 " len %-5" PRIu32 " ", packet->seq,
		packet->ack, packet->payload);
	text_paint(out, tg_verdict_drops(event->judgement.verdict) ? PAINT_BAD : PAINT_NONE,
		   row ? names_action(row->action) : "?");
	fprintf(out->stream, " %s", row ? row->reason : "?");
	if (event->judgement.has_flow)
		fprintf(out->stream, "  %s/%s",
			names_tcp_state(same ? event->judgement.sender_state :
					       event->judgement.receiver_state),
			names_tcp_state(same ? event->judgement.receiver_state :
					       event->judgement.sender_state));
	fputc('\n', out->stream);
}

static void print_story(struct output *out, const struct explain_capture *e)
{
	uint32_t length = explain_story_length(&e->story), i;
	char from[FORMAT_BYTES], to[FORMAT_BYTES];

	if (!length)
		return;
	fprintf(out->stream, HEADING "-> %s to %s, states in that order\n", "Timeline",
		source(from, sizeof(from), &e->packet.judgement.packet),
		destination(to, sizeof(to), &e->packet.judgement.packet));
	for (i = 0; i < length; i++) {
		if (i == EXPLAIN_FIRST && e->story.count > length)
			fprintf(out->stream, HEADING "... %" PRIu64 " more ...\n", "",
				e->story.count - length);
		print_event(out, e, explain_story_event(&e->story, i));
	}
}

void output_explain_packet_text(struct output *out, const struct explain_capture *explained)
{
	const struct replay_judgement *judgement = &explained->packet.judgement;

	print_verdict(out, judgement);
	print_packet(out, explained);
	print_checks(out, &explained->explanation);
	if (explained->flow.found)
		print_flow(out, explained);
	if (judgement->segment)
		print_after(out, judgement);
	print_story(out, explained);
	fprintf(out->stream, HEADING "%s\n", "To change", explain_setting(judgement->verdict));
}

/* --- a connection in the table -------------------------------------------------------------------- */

static void print_last_verdict(struct output *out, const struct flow_record *flow, enum tg_side side)
{
	const struct tg_half_count *count = &flow->detail.count[side];
	const struct verdict_row *row = names_verdict(count->last_verdict);

	if (!row) {
		fprintf(out->stream, HEADING "   every packet was ok\n", "");
		return;
	}
	fprintf(out->stream, HEADING "   last that was not ok: ", "");
	text_paint(out, row->action == TG_ACTION_DROP ? PAINT_BAD : PAINT_NONE,
		   names_action(row->action));
	fprintf(out->stream, " %s, %s; %s%u dropped\n", row->reason, row->text,
		count->drops == UINT8_MAX ? ">= " : "", count->drops);
	if (row->action == TG_ACTION_DROP)
		fprintf(out->stream, HEADING "   to change that: %s\n", "",
			explain_setting(count->last_verdict));
}

static void print_side(struct output *out, const struct flow_record *flow, enum tg_side side)
{
	const struct tg_half *half = &flow->slot.half[side];
	uint32_t limit = output_explain_limit(flow, side);
	char who[FORMAT_BYTES], room[FORMAT_BYTES];
	int32_t left = (int32_t)(limit - half->end);

	format_endpoint(who, sizeof(who), flow_address(flow, side), flow_port(flow, side));
	print_half(out, who, names_tcp_state(flow->state[side]), half, &flow->detail.count[side],
		   flow->detail.isn[side]);
	if (half->facts & TG_FACT_SYN)
		fprintf(out->stream, HEADING "   may send up to %" PRIu32 ": %s bytes %s\n", "", limit,
			format_grouped(room, sizeof(room), (uint64_t)(left < 0 ? -(int64_t)left : left)),
			left < 0 ? "less than it has" : "from here");
	print_last_verdict(out, flow, side);
}

void output_explain_flow_text(struct output *out, const struct flow_record *flow,
			      const struct tg_timeouts *timeouts)
{
	enum tg_side first = flow->first, second = first == TG_SIDE_LO ? TG_SIDE_HI : TG_SIDE_LO;
	char from[FORMAT_BYTES], to[FORMAT_BYTES], id[FORMAT_BYTES];
	char age[FORMAT_BYTES], idle[FORMAT_BYTES], left[FORMAT_BYTES], limit[FORMAT_BYTES];

	fprintf(out->stream, HEADING "%s %s %s  id %s\n", "Flow",
		format_endpoint(from, sizeof(from), flow_address(flow, first), flow_port(flow, first)),
		flow->opener_known ? "->" : "<->",
		format_endpoint(to, sizeof(to), flow_address(flow, second), flow_port(flow, second)),
		filter_id_text(id, sizeof(id), flow));
	fprintf(out->stream, HEADING "%s, %s%s%s\n", "Phase", names_phase(flow->phase),
		names_origin(flow->origin),
		flow->opener_known ? "" : ": adopted in mid-stream, its windows are bounded by 1 GiB",
		flow->suspect ? "; SUSPECT: passed unjudged" : "");
	fprintf(out->stream, HEADING "known for %s, last packet %s ago, expires in %s (timeout %s)\n",
		"Timeline", format_duration(age, sizeof(age), flow->age_ms),
		format_duration(idle, sizeof(idle), flow->idle_ms),
		format_duration(left, sizeof(left), flow->left_ms),
		format_duration(limit, sizeof(limit), tg_slot_timeout_ms(&flow->slot, timeouts)));
	fprintf(out->stream, HEADING "\n", "Endpoints");
	print_side(out, flow, first);
	print_side(out, flow, second);
}
