/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One JSON object a packet, formatted by hand: a library would take longer than the verdict. */
#include "output_replay.h"

#include <arpa/inet.h>
#include <string.h>

#include "names.h"
#include "put.h"

#define LINE_BYTES 1024 /* more than a line without the file's name can take */
#define YEAR_9999 253402300799LL

static char *put_six_digits(char *at, uint32_t number)
{
	int i;

	for (i = 5; i >= 0; i--) {
		at[i] = (char)('0' + number % 10);
		number /= 10;
	}
	return at + 6;
}

/* RFC 3339 knows four digits of year and nothing before 0; captures that are out of it are broken. */
static void format_date(char *date, size_t size, int64_t second)
{
	time_t when = second < 0 ? 0 : second;
	struct tm tm;

	if (when > YEAR_9999)
		when = YEAR_9999;
	if (!gmtime_r(&when, &tm) || !strftime(date, size, "%Y-%m-%dT%H:%M:%S", &tm))
		snprintf(date, size, "1970-01-01T00:00:00");
}

const char *output_replay_time(char *buffer, size_t size, const struct timespec *time)
{
	char date[24];

	format_date(date, sizeof(date), time->tv_sec);
	snprintf(buffer, size, "%s.%06ldZ", date, time->tv_nsec / 1000 % 1000000);
	return buffer;
}

static char *put_time(struct replay_lines *lines, char *at, const struct timespec *time)
{
	if (lines->second != time->tv_sec || !lines->date[0]) {
		format_date(lines->date, sizeof(lines->date), time->tv_sec);
		lines->second = time->tv_sec;
	}
	at = put_text(at, lines->date);
	*at++ = '.';
	at = put_six_digits(at, (uint32_t)(time->tv_nsec / 1000 % 1000000));
	*at++ = 'Z';
	return at;
}

static char *put_endpoint(char *at, bool ipv4, const __be32 address[4], __be16 port)
{
	const uint8_t *bytes = (const uint8_t *)&address[3];
	int i;

	if (ipv4) {
		for (i = 0; i < 4; i++) {
			at = put_number(at, bytes[i]);
			*at++ = i < 3 ? '.' : ':';
		}
	} else {
		*at++ = '[';
		inet_ntop(AF_INET6, address, at, INET6_ADDRSTRLEN);
		at += strlen(at);
		at = put_text(at, "]:");
	}
	return put_number(at, ntohs(port));
}

/* Control characters, quotes and backslashes escaped; bytes that are not ASCII replaced. */
static char *put_escaped(char *at, const char *text, size_t room)
{
	const char *end = at + room - 8;

	for (; *text && at < end; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			*at++ = '\\';
		*at++ = (char)(c < 0x20 || c > 0x7e ? '?' : c);
	}
	return at;
}

const char *output_replay_outcome(const struct replay_judgement *judgement)
{
	if (!tg_verdict_drops(judgement->verdict))
		return "pass";
	switch (judgement->outcome) {
	case TG_OUTCOME_WOULD_DROP:
		return "would_drop";
	case TG_OUTCOME_BYPASS:
		return "bypass";
	case TG_OUTCOME_OWN:
		return "own";
	default:
		return "drop";
	}
}

/* Flow, direction, endpoints and states: null where there is no segment to have them. */
static char *put_segment(char *at, const struct replay_judgement *judgement)
{
	const struct tg_packet *packet = &judgement->packet;
	bool flow = judgement->has_flow;

	if (!judgement->segment)
		return put_text(at, ",\"flow\":null,\"dir\":null,\"src\":null,\"dst\":null,"
				    "\"src_state\":null,\"dst_state\":null");
	at = put_text(at, ",\"flow\":");
	if (flow) {
		*at++ = '"';
		at = put_hex(at, judgement->number);
		*at++ = '-';
		at = put_hex(at, judgement->claim >> TG_CLAIM_GENERATION_SHIFT);
		at = put_text(at, "\",\"dir\":");
		*at++ = !(judgement->claim & TG_CLAIM_OPENER_HI) == (judgement->side == TG_SIDE_LO) ?
				'0' :
				'1';
	} else {
		at = put_text(at, "null,\"dir\":0");
	}
	at = put_text(at, ",\"src\":\"");
	at = put_endpoint(at, packet->ipv4, packet->saddr, packet->sport);
	at = put_text(at, "\",\"dst\":\"");
	at = put_endpoint(at, packet->ipv4, packet->daddr, packet->dport);
	at = put_text(at, "\",\"src_state\":\"");
	at = put_text(at, names_tcp_state(flow ? judgement->sender_state : TG_TCP_CLOSED));
	at = put_text(at, "\",\"dst_state\":\"");
	at = put_text(at, names_tcp_state(flow ? judgement->receiver_state : TG_TCP_CLOSED));
	*at++ = '"';
	return at;
}

void output_replay_flush(struct replay_lines *lines)
{
	fwrite(lines->buffer, 1, lines->used, lines->stream);
	lines->used = 0;
}

void output_replay_line(struct replay_lines *lines, const struct capture_packet *packet,
			const struct replay_judgement *judgement)
{
	const struct verdict_row *row = names_verdict(judgement->verdict);
	size_t room = LINE_BYTES + (lines->file ? 2 * strlen(lines->file) : 0);
	char *at;

	if (room > sizeof(lines->buffer))
		room = sizeof(lines->buffer);
	if (lines->used + room > sizeof(lines->buffer))
		output_replay_flush(lines);
	at = lines->buffer + lines->used;
	at = put_text(at, "{\"n\":");
	at = put_number(at, packet->number);
	at = put_text(at, ",\"time\":\"");
	at = put_time(lines, at, &packet->time);
	at = put_text(at, "\",\"verdict\":\"");
	at = put_text(at, names_action(row ? row->action : TG_ACTION_PASS));
	at = put_text(at, "\",\"reason\":\"");
	at = put_text(at, row ? row->reason : "undecided");
	*at++ = '"';
	at = put_segment(at, judgement);
	at = put_text(at, ",\"outcome\":\"");
	at = put_text(at, output_replay_outcome(judgement));
	*at++ = '"';
	if (lines->file) {
		at = put_text(at, ",\"file\":\"");
		at = put_escaped(at, lines->file, room - LINE_BYTES + 8);
		*at++ = '"';
	}
	at = put_text(at, "}\n");
	lines->used = (size_t)(at - lines->buffer);
}
