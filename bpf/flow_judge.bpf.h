/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a look-up to a judgement: the view of a found flow, and the rare segments (SYN, FIN, RST, any
 * phase but ESTABLISHED, ICMP errors), which are judged behind one call so that the common segment's
 * code stays short and the verifier sees the rules once.
 */
#ifndef TG_BPF_FLOW_JUDGE_H
#define TG_BPF_FLOW_JUDGE_H

#include "flow_advance.h"

/* Where a packet's flow is, and what it is judged with.  Numbers only: it crosses global functions. */
struct tg_lookup {
	__u64 tag;
	__u64 now_ms;
	__u32 number; /* of the slot */
	__u32 claim; /* when found */
	__u32 handshake_ms;
	__u8 side; /* enum tg_side of the sender */
	__u8 config; /* index of the configuration this packet goes by, read once */
	__u8 phase_before; /* enum tg_phase; valid with found, once judged as a rare segment */
	__u8 state_before[2]; /* enum tg_tcp_state by side, likewise */
	bool answers; /* the hook can send a packet back where it came from */
	bool established; /* this segment completed the handshake, which took handshake_ms */
	bool judged; /* as a rare segment: the phase may have changed */
	bool adopts; /* unknown flows are adopted: learning, or profile oneway */
	bool found; /* number and claim are of the flow's live slot */
	bool expired; /* the slot is this key's, but its flow has expired */
	bool refused; /* the home bucket once had no room for a newcomer */
};

/* lookup->phase_before of a flow that this segment opened: a field of its own would cost stack. */
#define TG_PHASE_OPENED 0xff

TG_INLINE bool tg_lookup_opened(const struct tg_lookup *lookup)
{
	return !lookup->judged && lookup->phase_before == TG_PHASE_OPENED;
}

/* The table as this packet sees it; lookup may be NULL where the verifier cannot know better. */
#define TG_TABLE_OF(lookup) \
	{ \
		.buckets = tg_program.buckets, .config = (lookup) ? (lookup)->config : 0, \
	}

/* Points a view at the slot; its phase is not set.  False cannot happen: the number came from a find. */
TG_INLINE bool tg_view_set(const struct tg_table *table, const struct tg_lookup *lookup,
			   struct tg_view *view)
{
	struct tg_bucket *bucket = tg_bucket_at(table, lookup->number / TG_BUCKET_WAYS);
	struct tg_slot *slot;

	view->detail = tg_detail_at(table, lookup->number);
	if (!bucket || !view->detail)
		return false;
	slot = &bucket->slot[lookup->number & (TG_BUCKET_WAYS - 1)];
	view->ref.slot = slot;
	view->ref.number = lookup->number;
	view->ref.claim = lookup->claim;
	view->side = lookup->side & 1;
	view->sender = &slot->half[view->side & 1];
	view->receiver = &slot->half[(view->side & 1) ^ 1];
	view->now_ms = lookup->now_ms;
	view->adopts = lookup->adopts;
	view->strict = tg_program.strict;
	return true;
}

/* Kept for those who report transitions. */
TG_INLINE void tg_note_before(const struct tg_view *view, struct tg_lookup *lookup)
{
	lookup->judged = true;
	lookup->phase_before = view->phase;
	lookup->state_before[view->side & 1] = tg_endpoint_state(view->sender, view->receiver);
	lookup->state_before[(view->side & 1) ^ 1] = tg_endpoint_state(view->receiver, view->sender);
}

/*
 * May the rules judge this segment, or is it answered without them?  TG_UNDECIDED: they may, unless
 * lookup->expired is set: the flow has expired and counts as absent.
 */
TG_GLOBAL int tg_flow_admit(struct tg_lookup *lookup, const struct tg_packet *pkt)
{
	struct tg_table table = TG_TABLE_OF(lookup);
	const struct tg_timeouts *timeouts = tg_timeouts_of(&table);
	struct tg_view view = {};
	bool suspect;

	if (!lookup || !pkt || !timeouts || !tg_view_set(&table, lookup, &view))
		return TG_PASS_INTERNAL;
	/* The whole key, before a state may change: a tag is only 64 bits. */
	if (!tg_key_is_of_packet(&view.detail->key, pkt, view.side, tg_program.zone))
		return TG_PASS_COLLISION;
	suspect = view.ref.claim & TG_CLAIM_SUSPECT;
	if (tg_flow_expired(view.ref.slot, view.ref.claim, timeouts, view.now_ms)) {
		lookup->expired = true;
		return TG_UNDECIDED;
	}
	if (suspect) {
		TG_WRITE_ONCE(view.ref.slot->stamp_ms, view.now_ms);
		return TG_PASS_SUSPECT;
	}
	view.phase = tg_flow_phase(view.sender, view.receiver);
	tg_note_before(&view, lookup);
	if (pkt->icmp_error)
		return tg_judge_icmp(&view, pkt);
	if (tg_is_spoofed(&view, pkt))
		return TG_NOUPD_SPOOFED;
	return TG_UNDECIDED;
}

/*
 * What the rules say of a segment that was admitted, with their effect on the flow.  Global: the
 * verifier follows the rules once, and not once for each way to them.
 */
TG_GLOBAL int tg_flow_rules(struct tg_lookup *lookup, const struct tg_packet *pkt)
{
	struct tg_table table = TG_TABLE_OF(lookup);
	struct tg_view view = {};
	enum tg_verdict verdict;

	if (!lookup || !pkt || !tg_view_set(&table, lookup, &view))
		return TG_PASS_INTERNAL;
	view.phase = lookup->phase_before;
	verdict = tg_flow_advance(&view, pkt, tg_program.profile != TG_PROFILE_HOST);
	lookup->claim = view.ref.claim; /* another one, if this segment began the next connection */
	if (view.phase <= TG_PHASE_SYN_RECV &&
	    tg_flow_phase(view.sender, view.receiver) == TG_PHASE_ESTABLISHED) {
		lookup->established = true;
		lookup->handshake_ms = view.now_ms - view.detail->created_ms;
	}
	return verdict;
}

/*
 * Judges any segment, or an ICMP error, against the live flow it was found to belong to.
 * TG_UNDECIDED with lookup->expired set: the flow has expired and counts as absent.
 * Two calls after one another and not within one another: their stacks are not added up.
 */
TG_INLINE enum tg_verdict tg_flow_judge(struct tg_lookup *lookup, const struct tg_packet *pkt)
{
	enum tg_verdict verdict = tg_flow_admit(lookup, pkt);

	if (verdict || lookup->expired)
		return verdict;
	return tg_flow_rules(lookup, pkt);
}

#endif
