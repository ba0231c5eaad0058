/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conversations: each line becomes a segment, is judged, and its verdict compared. */
#include "tests/bpf/guard_flow.h"
#include "tests/bpf/guard_struct.h"
#include "tests/bpf/judge.h"
#include "tests/bpf/talk.h"

static struct segment segment_of(const struct guard *guard, const struct step *step)
{
	struct segment segment = {
		.from = guard_endpoint(guard, step->who),
		.to = guard_endpoint(guard, step->who == CLIENT ? SERVER : CLIENT),
		.ipv6 = guard->options.ipv6,
		.link = guard->options.no_link_header ? LINK_NONE : LINK_ETHERNET,
		.flags = step->flags,
		.seq = step->seq,
		.ack = step->ack,
		.window = step->window,
		.zero_window = step->zero_window,
		.payload = step->payload,
		.tsval = step->tsval,
		.wscale = step->wscale,
	};

	if (step->sack_to) {
		segment.sack_blocks = 1;
		segment.sack[0][0] = step->sack_from;
		segment.sack[0][1] = step->sack_to;
	}
	return segment;
}

static void check_state(struct guard *guard, size_t line, enum speaker who, enum tg_tcp_state want)
{
	static const char *const names[] = {
#define X(name) #name,
		TG_TCP_STATES(X)
#undef X
	};
	enum tg_tcp_state got = guard_state(guard, who);

	if (got != want)
		fail_msg("step %zu: %s: want %s, got %s", line, who == CLIENT ? "client" : "server",
			 names[want], names[got]);
}

void guard_say(struct guard *guard, const struct step *step, size_t line)
{
	bool egress = step->who == SERVER && !guard->options.all_ingress;
	struct segment segment = segment_of(guard, step);
	struct judgement got;

	guard_advance_ms(guard, step->after_ms);
	got = guard_judge_segment(guard, &segment, egress);
	if (got.verdict != step->want)
		fail_msg("step %zu: want %s, got %s", line, verdict_name(step->want),
			 verdict_name(got.verdict));
	/* Our own segments and monitor mode drop nothing, everything else is done as the verdict says. */
	assert_int_equal(got.dropped, tg_verdict_drops(got.verdict) && !egress &&
					      !guard->options.monitor && !guard->settings->bypass);
	if (!step->states)
		return;
	check_state(guard, line, CLIENT, step->client);
	check_state(guard, line, SERVER, step->server);
}

void guard_talk(struct guard *guard, const struct step *steps, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		guard_say(guard, &steps[i], i + 1);
}

void guard_handshake(struct guard *guard)
{
	const struct step steps[] = {
		{ CLIENT, SYN, .seq = 1000, .wscale = WS(7), .want = TG_PASS_NEW },
		{ SERVER, SYN | ACK, .seq = 5000, .ack = 1001, .wscale = WS(7), .want = TG_PASS_SYNACK },
		{ CLIENT, ACK, .seq = 1001, .ack = 5001, .want = TG_PASS_OK },
	};

	TALK(guard, steps);
}
