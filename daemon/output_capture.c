/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a line says of the packet is read from its bytes by the data path's own parser. */
#include "output_capture.h"

#include <inttypes.h>
#include <jansson.h>

#include "bpf/parse_packet.h"
#include "format.h"
#include "names.h"
#include "plain.h"

struct described {
	bool tcp;
	char source[FORMAT_BYTES];
	char destination[FORMAT_BYTES];
	char flags[FORMAT_BYTES];
	struct tg_packet packet;
};

/* What was done: the outcome says more than the action where a drop was not carried out. */
static const char *done_with(const struct tg_capture *packet)
{
	const struct verdict_row *row = names_verdict(packet->verdict);

	if (packet->outcome != TG_OUTCOME_VERDICT)
		return names_outcome(packet->outcome);
	return row ? names_action(row->action) : "?";
}

static const char *reason_of(const struct tg_capture *packet)
{
	const struct verdict_row *row = names_verdict(packet->verdict);

	return row ? row->reason : "?";
}

const char *output_capture_comment(char *buffer, size_t size, const struct tg_capture *packet)
{
	const struct verdict_row *row = names_verdict(packet->verdict);
	int at;

	at = snprintf(buffer, size, "%s %s: %s", done_with(packet), reason_of(packet),
		      row ? row->text : "?");
	if (packet->has_flow && at > 0 && (size_t)at < size)
		snprintf(buffer + at, size - (size_t)at, "; flow %" PRIx32 "-%" PRIx32, packet->number,
			 packet->claim >> TG_CLAIM_GENERATION_SHIFT);
	return buffer;
}

static void describe(const struct output_capture *capture, struct described *out)
{
	const struct tg_program program = { .no_link_header = capture->no_link_header };
	struct tg_packet *packet = &out->packet;

	memset(out, 0, sizeof(*out));
	packet->segments = 1;
	/* Its verdict is that of bytes which may be cut off; what it could read is what counts here. */
	tg_parse(capture->bytes, capture->bytes + capture->packet->captured, &program, false, packet);
	out->tcp = packet->protocol == IPPROTO_TCP && packet->dport;
	if (!out->tcp)
		return;
	format_endpoint(out->source, sizeof(out->source), packet->saddr, packet->sport);
	format_endpoint(out->destination, sizeof(out->destination), packet->daddr, packet->dport);
	format_flags(out->flags, sizeof(out->flags), packet->flags);
}

void output_capture_text(struct output *out, const struct output_capture *capture)
{
	const struct tg_capture *packet = capture->packet;
	struct described what;
	char time[FORMAT_BYTES], iface[TG_IFNAME_LEN + 1];

	describe(capture, &what);
	fprintf(out->stream, "%s %s %s", format_time_ns(time, sizeof(time), packet->time_ns, 6),
		plain_copy(iface, sizeof(iface), capture->iface), packet->egress ? "out" : "in");
	if (what.tcp)
		fprintf(out->stream,
			" %s > %s %s seq %" PRIu32 " ack %" PRIu32 " win %u len %" PRIu32,
			what.source, what.destination, what.flags, what.packet.seq, what.packet.ack,
			what.packet.window, what.packet.payload);
	else
		fprintf(out->stream, " protocol %u, %" PRIu32 " bytes", what.packet.protocol,
			packet->length);
	fprintf(out->stream, "  %s %s\n", done_with(packet), reason_of(packet));
}

void output_capture_json(struct output *out, const struct output_capture *capture)
{
	const struct tg_capture *packet = capture->packet;
	struct described what;
	char time[FORMAT_BYTES];
	json_t *object;

	describe(capture, &what);
	object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s?, s:s?}", "schema",
			   "tcpguard.capture/1", "time",
			   format_time_ns(time, sizeof(time), packet->time_ns, 9), "iface",
			   capture->iface, "direction", packet->egress ? "out" : "in", "verdict",
			   done_with(packet), "reason", reason_of(packet), "length",
			   (json_int_t)packet->length, "captured", (json_int_t)packet->captured, "src",
			   what.tcp ? what.source : NULL, "dst", what.tcp ? what.destination : NULL);
	if (what.tcp)
		json_object_set_new(object, "packet",
				    json_pack("{s:s, s:I, s:I, s:i, s:I}", "flags", what.flags, "seq",
					      (json_int_t)what.packet.seq, "ack",
					      (json_int_t)what.packet.ack, "window",
					      (int)what.packet.window, "payload",
					      (json_int_t)what.packet.payload));
	json_dumpf(object, out->stream, JSON_COMPACT);
	fputc('\n', out->stream);
	json_decref(object);
}
