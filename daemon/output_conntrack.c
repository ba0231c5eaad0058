/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `flows list` as `conntrack -L` prints it, for programs that read that.  The state is
 * nf_conntrack's name for the flow's phase.
 */
#include "output.h"

#include <inttypes.h>

#include "format.h"

#define IPPROTO_TCP_NUMBER 6

static const char *conntrack_state(const struct flow_record *flow)
{
	const struct tg_half *half = flow->slot.half;

	switch (flow->phase) {
	case TG_PHASE_SYN_SENT:
		return "SYN_SENT";
	case TG_PHASE_SYN_RECV:
		return "SYN_RECV";
	case TG_PHASE_ESTABLISHED:
		return "ESTABLISHED";
	case TG_PHASE_HALF_CLOSED:
		return tg_fin_acked(&half[TG_SIDE_LO], &half[TG_SIDE_HI]) ||
				       tg_fin_acked(&half[TG_SIDE_HI], &half[TG_SIDE_LO]) ?
			       "CLOSE_WAIT" :
			       "FIN_WAIT";
	case TG_PHASE_LAST:
		return "LAST_ACK";
	case TG_PHASE_TIME_WAIT:
		return "TIME_WAIT";
	default:
		return "CLOSE";
	}
}

static void print_tuple(struct output *out, const struct flow_record *flow, enum tg_side from)
{
	enum tg_side to = from == TG_SIDE_LO ? TG_SIDE_HI : TG_SIDE_LO;
	const struct tg_half_count *count = &flow->detail.count[from];
	char source[FORMAT_BYTES], destination[FORMAT_BYTES];

	fprintf(out->stream,
		"src=%s dst=%s sport=%u dport=%u packets=%" PRIu32 " bytes=%" PRIu64 " ",
		format_address(source, sizeof(source), flow_address(flow, from)),
		format_address(destination, sizeof(destination), flow_address(flow, to)),
		ntohs(flow_port(flow, from)), ntohs(flow_port(flow, to)), count->packets,
		(uint64_t)count->bytes);
}

static void conntrack_flow(struct output *out, const struct flow_record *flow)
{
	enum tg_side src = flow->first, dst = src == TG_SIDE_LO ? TG_SIDE_HI : TG_SIDE_LO;
	bool replied = flow->slot.half[dst].facts & TG_FACT_SYN;
	bool assured = flow->phase != TG_PHASE_SYN_SENT && flow->phase != TG_PHASE_SYN_RECV &&
		       replied;

	fprintf(out->stream, "tcp      %d %" PRIu32 " %s ", IPPROTO_TCP_NUMBER,
		flow->left_ms / 1000, conntrack_state(flow));
	print_tuple(out, flow, src);
	if (!replied)
		fputs("[UNREPLIED] ", out->stream);
	print_tuple(out, flow, dst);
	fprintf(out->stream, "%smark=0 use=1\n", assured ? "[ASSURED] " : "");
	out->flows++;
}

static void no_frame(struct output *out)
{
	(void)out; /* lines only */
}

/* Only lists of flows have this form; output_open() refuses the rest. */
const struct output_functions output_conntrack = {
	.flows_begin = no_frame,
	.flow = conntrack_flow,
	.flows_end = no_frame,
};
