/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of bpf/tcp_*.h again, as comparisons to show.  The numbers come from their functions. */
#include "explain.h"

#include <string.h>

#include "bpf/tcp_handshake.h"
#include "bpf/tcp_reset.h"
#include "bpf/tcp_segment.h"

struct explainer {
	const struct explain_input *input;
	struct explanation *out;
	struct tg_slot slot; /* copies: the headers' functions want to be able to write */
	struct tg_detail detail;
	struct tg_view view;
};

/* What a comparison says when it holds. */
static bool compare(const char *relation, int64_t distance)
{
	switch (relation[0]) {
	case '<':
		return distance <= 0;
	case '>':
		return relation[1] == '=' ? distance >= 0 : distance > 0;
	case '!':
		return distance != 0;
	default:
		return distance == 0;
	}
}

static struct explain_check *add(struct explainer *e, const char *rule, const char *left_name,
				 uint32_t left, const char *relation, const char *right_name,
				 uint32_t right)
{
	struct explain_check *check;

	if (e->out->count == EXPLAIN_CHECKS_MAX)
		return NULL;
	check = &e->out->check[e->out->count++];
	*check = (struct explain_check){
		.rule = rule,
		.left_name = left_name,
		.relation = relation,
		.right_name = right_name,
		.left = left,
		.right = right,
		.distance = (int32_t)(left - right),
	};
	check->holds = compare(relation, check->distance);
	return check;
}

/* The same for a comparison that decides if the verdict is one of two. */
static void add_for(struct explainer *e, enum tg_verdict one, enum tg_verdict other,
		    const char *rule, const char *left_name, uint32_t left, const char *relation,
		    const char *right_name, uint32_t right)
{
	struct explain_check *check = add(e, rule, left_name, left, relation, right_name, right);

	if (check)
		check->decided = e->input->verdict == one || e->input->verdict == other;
}

/* --- segments in the window ----------------------------------------------------------------------- */

static void explain_window(struct explainer *e)
{
	const struct tg_half *sender = e->view.sender, *receiver = e->view.receiver;
	const struct tg_packet *packet = e->input->packet;
	bool loose = receiver->facts & (TG_FACT_PICKUP | TG_FACT_FRAG);
	uint32_t sender_end = sender->end, low, margin;

	add_for(e, TG_DROP_SEQ_ABOVE, TG_DROP_SEQ_ABOVE, "I", "seq", packet->seq, "<=",
		"edge the receiver granted", tg_send_limit(&e->view));
	if (sender->facts & TG_FACT_FIN)
		add_for(e, TG_DROP_DATA_AFTER_FIN, TG_PASS_FIN_RETRACT, "", "end", packet->end, "<=",
			tg_fin_acked(sender, receiver) ? "end of the sender's FIN, acknowledged" :
							 "end of the sender's FIN, not acknowledged",
			sender->end);
	add_for(e, TG_DROP_ACK_ABOVE, TG_DROP_ACK_ABOVE, "III", "ack", packet->ack, "<=",
		loose ? "end of what the receiver sent + 1 GiB (not all of it was seen)" :
			"end of what the receiver sent",
		receiver->end + (loose ? TG_PICKUP_SPAN - 1 : 0));

	if ((sender->facts & (TG_FACT_PICKUP | TG_FACT_HASACK)) == TG_FACT_PICKUP)
		sender_end = tg_seq_max(sender_end, packet->end);
	low = sender_end - receiver->maxwin;
	add_for(e, TG_NOUPD_SEQ_OLD, TG_DROP_SEQ_OLD, "II", "end", packet->end, ">=",
		"end of what the sender sent - largest window granted", low);
	if (tg_seq_before(packet->end, low))
		add_for(e, TG_DROP_SEQ_BELOW, TG_DROP_SEQ_BELOW, "II", "end", packet->end, ">=",
			"the same - one window or 1 MiB",
			low - tg_larger(receiver->maxwin, TG_OLD_BAND));

	margin = tg_larger(sender->maxwin, TG_ACK_WINDOW_MIN);
	low = receiver->end - margin;
	add_for(e, TG_NOUPD_ACK_OLD, TG_DROP_ACK_OLD, "IV", "ack", packet->ack, ">=",
		"end of what the receiver sent - largest window of the sender", low);
	if (tg_seq_before(packet->ack, low))
		add_for(e, TG_DROP_ACK_BELOW, TG_DROP_ACK_BELOW, "IV", "ack", packet->ack, ">=",
			"the same - one window or 1 MiB", low - tg_larger(margin, TG_OLD_BAND));
	if (e->input->verdict == TG_DROP_PAWS || e->input->verdict == TG_PASS_PAWS)
		add_for(e, TG_DROP_PAWS, TG_PASS_PAWS, "", "timestamp", packet->tsval, ">=",
			e->input->verdict == TG_DROP_PAWS ? "newest the sender sent - 1048576" :
							    "newest the sender sent",
			tg_sender_count(&e->view)->tsmax -
				(e->input->verdict == TG_DROP_PAWS ? TG_PAWS_MARGIN : 0));
	if (e->input->verdict == TG_PASS_RETRANS)
		add_for(e, TG_PASS_RETRANS, TG_PASS_RETRANS, "", "end", packet->end, "<=",
			"end of what the sender sent", sender->end);
}

/* ack must lie in isn + 1 .. end of who is acknowledged. */
static void explain_handshake_ack(struct explainer *e, const char *low_name, const char *high_name)
{
	const struct tg_packet *packet = e->input->packet;
	uint32_t low = tg_receiver_isn(&e->view) + 1, high = e->view.receiver->end;
	bool below = !tg_seq_between(packet->ack, low, high) && tg_seq_before(packet->ack, low);
	struct explain_check *check;

	check = add(e, "", "ack", packet->ack, ">=", low_name, low);
	if (check)
		check->decided = !check->holds || below;
	check = add(e, "", "ack", packet->ack, "<=", high_name, high);
	if (check)
		check->decided = !check->holds;
}

static void explain_unanswered(struct explainer *e)
{
	if (e->view.sender->facts & TG_FACT_SYN)
		e->out->why = "the opener's SYN has not been answered by a SYN-ACK seen here";
	else
		explain_handshake_ack(e, "number after the opener's SYN", "end of what the opener sent");
}

static void explain_plain(struct explainer *e)
{
	if (e->view.phase == TG_PHASE_SYN_SENT) {
		explain_unanswered(e);
		return;
	}
	if (e->view.phase == TG_PHASE_SYN_RECV && !tg_syn_acked(e->view.receiver, e->view.sender))
		explain_handshake_ack(e, "number after the peer's SYN", "end of what the peer sent");
	if (e->input->verdict != TG_DROP_HS_BAD_ACK)
		explain_window(e);
}

/* --- RST ------------------------------------------------------------------------------------------ */

static void explain_reset_opening(struct explainer *e)
{
	const struct tg_packet *packet = e->input->packet;

	if (!(e->view.sender->facts & TG_FACT_SYN)) {
		if (!(packet->flags & TG_ACK))
			e->out->why = "a RST that refuses a SYN must acknowledge it; this one has no ACK";
		else
			explain_handshake_ack(e, "number after the opener's SYN",
					      "end of what the opener sent");
		return;
	}
	add_for(e, TG_PASS_ABORT, TG_DROP_RST_SYN_SENT, "", "seq", packet->seq,
		"==", "end of what the sender sent", e->view.sender->end);
}

static void explain_reset(struct explainer *e)
{
	const struct tg_half *sender = e->view.sender, *receiver = e->view.receiver;
	const struct tg_packet *packet = e->input->packet;
	enum tg_verdict verdict = e->input->verdict;
	uint32_t limit = tg_send_limit(&e->view);

	if (e->view.phase == TG_PHASE_SYN_SENT) {
		explain_reset_opening(e);
		return;
	}
	if (verdict == TG_NOUPD_RST_LATE) {
		e->out->why = "the connection has ended: a RST does not shorten what is left of it";
		return;
	}
	if (verdict == TG_NOUPD_RST_TO_CHALLENGE)
		add_for(e, verdict, verdict, "", "seq", packet->seq, "==",
			"number the receiver asked about", receiver->aux);
	if (!(receiver->facts & TG_FACT_HASACK)) {
		add_for(e, verdict == TG_DROP_RST_INEXACT ? verdict : TG_PASS_RST_EXACT,
			TG_NOUPD_RST_INEXACT, "", "seq", packet->seq, "==",
			"end of what the sender sent", sender->end);
		add_for(e, TG_DROP_RST_OLD, TG_DROP_RST_OLD, "", "seq", packet->seq, ">=",
			"number after the sender's SYN", tg_sender_isn(&e->view) + 1);
		add_for(e, TG_DROP_RST_OLD, TG_DROP_RST_OLD, "", "seq", packet->seq, "<=",
			"edge + 66000", limit + TG_ACK_WINDOW_MIN);
		return;
	}
	add_for(e, TG_PASS_RST_EXACT, TG_NOUPD_RST_INEXACT, "", "seq", packet->seq,
		"==", "what the receiver expects next", receiver->ack);
	if (verdict == TG_DROP_RST_INEXACT)
		e->out->check[e->out->count - 1].decided = true;
	if (sender->facts & TG_FACT_FIN)
		add_for(e, TG_PASS_RST_AFTER_FIN, TG_PASS_RST_AFTER_FIN, "", "seq", packet->seq, "==",
			"number of the sender's FIN", receiver->ack - 1);
	add_for(e, TG_PASS_RST_TRAIN, TG_PASS_RST_TRAIN, "", "seq", packet->seq, "==",
		"end of what the sender sent", sender->end);
	add_for(e, TG_DROP_RST_ABOVE, TG_DROP_RST_ABOVE, "", "seq", packet->seq, "<=",
		"edge the receiver granted", limit);
	add_for(e, TG_DROP_RST_OLD, TG_NOUPD_RST_CLOSING, "", "seq", packet->seq, ">=",
		"what the receiver expects next", receiver->ack);
}

/* --- SYN and SYN-ACK ------------------------------------------------------------------------------ */

static void explain_syn(struct explainer *e)
{
	const struct tg_packet *packet = e->input->packet;
	const struct tg_half *sender = e->view.sender;
	uint32_t newest = tg_sender_count(&e->view)->tsmax;

	if (e->view.phase == TG_PHASE_TIME_WAIT) {
		add_for(e, TG_NOUPD_TW_SYN_OLD, TG_DROP_TW_SYN_OLD, "", "seq", packet->seq, ">",
			"end of what this side sent before", sender->end);
		if ((packet->options & TG_OPT_TIMESTAMPS) && (sender->facts & TG_FACT_HASTS))
			add_for(e, TG_NOUPD_TW_SYN_OLD, TG_DROP_TW_SYN_OLD, "", "timestamp",
				packet->tsval, ">", "newest this side sent before", newest);
		return;
	}
	if (e->view.phase == TG_PHASE_CLOSED) {
		e->out->why = "the connection was reset: any SYN opens a new one";
		return;
	}
	if (sender->facts & TG_FACT_SYN)
		add(e, "", "seq", packet->seq, "==", "ISN of this side's SYN", tg_sender_isn(&e->view));
	if (e->input->verdict == TG_NOUPD_SYN_CHALLENGE)
		e->out->why = "the connection is alive here; only its endpoint knows whether it still is "
			      "there, and will ask";
}

static void explain_synack(struct explainer *e)
{
	if (e->input->verdict == TG_PASS_REOPEN) {
		add_for(e, TG_PASS_REOPEN, TG_PASS_REOPEN, "", "ack", e->input->packet->ack, ">=",
			"number after the SYN that was passed without effect", e->view.receiver->aux + 1);
		return;
	}
	if (e->input->verdict == TG_DROP_SYNACK_WRONG_DIR) {
		e->out->why = "the other side has sent no SYN that this could answer";
		return;
	}
	if (e->view.phase == TG_PHASE_SYN_SENT || e->view.phase == TG_PHASE_SYN_RECV)
		explain_handshake_ack(e, "number after the opener's SYN", "end of what the opener sent");
	if (e->view.sender->facts & TG_FACT_SYN)
		add(e, "", "seq", e->input->packet->seq, "==", "ISN of this side's first SYN-ACK",
		    tg_sender_isn(&e->view));
}

static void explain_icmp(struct explainer *e)
{
	const struct tg_half *sender = e->view.sender, *receiver = e->view.receiver;
	uint32_t low = receiver->facts & TG_FACT_HASACK ?
			       receiver->ack - tg_larger(receiver->maxwin, TG_ACK_WINDOW_MIN) :
			       tg_sender_isn(&e->view);

	add_for(e, TG_DROP_ICMP_BAD_SEQ, TG_DROP_ICMP_BAD_SEQ, "", "seq", e->input->packet->seq, ">=",
		"oldest in flight", low);
	add_for(e, TG_DROP_ICMP_BAD_SEQ, TG_DROP_ICMP_BAD_SEQ, "", "seq", e->input->packet->seq, "<=",
		"end of what its sender sent", sender->end);
}

/* --- all ------------------------------------------------------------------------------------------ */

static void begin_view(struct explainer *e)
{
	e->slot = *e->input->slot;
	e->detail = *e->input->detail;
	e->view.ref.slot = &e->slot;
	e->view.detail = &e->detail;
	e->view.side = e->input->side;
	e->view.sender = &e->slot.half[e->input->side & 1];
	e->view.receiver = &e->slot.half[(e->input->side & 1) ^ 1];
	e->view.now_ms = e->input->now_ms;
	e->view.strict = e->input->strict;
	e->view.phase = tg_flow_phase(e->view.sender, e->view.receiver);
}

/* Where one inequality is what the verdict rests on, the others that hold are not in question. */
static void only_failed_decide(struct explanation *out)
{
	uint32_t i, failed = 0;

	for (i = 0; i < out->count; i++)
		failed += out->check[i].decided && !out->check[i].holds;
	for (i = 0; i < out->count && failed; i++)
		out->check[i].decided &= !out->check[i].holds;
}

void explain_segment(const struct explain_input *input, struct explanation *out)
{
	struct explainer e = { .input = input, .out = out };
	uint8_t flags = input->packet->flags;

	memset(out, 0, sizeof(*out));
	if (!input->slot || input->verdict == TG_DROP_BAD_FLAGS || input->verdict == TG_DROP_LAND) {
		out->why = explain_without_flow(input->verdict);
		return;
	}
	begin_view(&e);
	if (input->verdict == TG_DROP_SYN_RATE || input->verdict == TG_DROP_RST_RATE)
		out->why = "more than 10 a second, after a burst of 20, on this connection";
	else if (input->verdict == TG_NOUPD_SPOOFED)
		out->why = "it came from outside, but its sender is the host itself: seen at egress";
	else if (input->packet->icmp_error)
		explain_icmp(&e);
	else if (flags & TG_RST)
		explain_reset(&e);
	else if ((flags & (TG_SYN | TG_ACK)) == (TG_SYN | TG_ACK))
		explain_synack(&e);
	else if (flags & TG_SYN)
		explain_syn(&e);
	else
		explain_plain(&e);
	only_failed_decide(out);
}
