/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must hold of the flow table after every packet, whatever came before: that the table is well
 * formed, and that one packet changed no more than its verdict says.  No model of TCP: the rules
 * themselves are tested against one in tests/unit and tests/oracle.
 */
#ifndef TESTS_FUZZ_PATH_CHECK_H
#define TESTS_FUZZ_PATH_CHECK_H

#include "tests/fuzz/fuzz.h"
#include "tests/unit/native_path.h"

#define PATH_BUCKETS_MAX 2
#define PATH_SLOTS_MAX (PATH_BUCKETS_MAX * TG_BUCKET_WAYS)

/* The table as it was before a packet. */
struct path_snapshot {
	struct tg_bucket bucket[PATH_BUCKETS_MAX];
	struct tg_detail detail[PATH_SLOTS_MAX];
	__u64 word[PATH_BUCKETS_MAX];
};

/* One packet and what became of it. */
struct path_event {
	const struct tg_packet *pkt;
	enum tg_verdict verdict;
	__u64 now_ms;
	bool parsed; /* the verdict is not the parser's */
};

/*
 * Segments out of all bounds were taken as they came, from our own kernel or on a path of which
 * only one direction is seen: from here on the states may be any pair.
 */
static bool path_believed;

static inline __u32 path_slots(void)
{
	return tg_program.buckets * TG_BUCKET_WAYS;
}

static inline void path_remember(struct path_snapshot *before)
{
	memcpy(before->bucket, native.bucket, tg_program.buckets * sizeof(struct tg_bucket));
	memcpy(before->detail, native.detail, path_slots() * sizeof(struct tg_detail));
	memcpy(before->word, native.word, tg_program.buckets * sizeof(__u64));
}

/* --- the table alone ------------------------------------------------------------------------------ */

#define STATES(...) (path_states((const int[]){ __VA_ARGS__, -1 }))

static inline __u32 path_states(const int *states)
{
	__u32 set = 0;

	for (; *states >= 0; states++)
		set |= 1U << *states;
	return set;
}

/* Which RFC 9293 states an endpoint can be in while its flow is in this phase. */
static inline __u32 path_states_of(enum tg_phase phase)
{
	switch (phase) {
	case TG_PHASE_SYN_SENT:
		return STATES(TG_TCP_SYN_SENT, TG_TCP_LISTEN);
	case TG_PHASE_SYN_RECV:
		return STATES(TG_TCP_SYN_SENT, TG_TCP_SYN_RECEIVED);
	case TG_PHASE_ESTABLISHED:
		return STATES(TG_TCP_ESTABLISHED);
	case TG_PHASE_HALF_CLOSED:
		return STATES(TG_TCP_ESTABLISHED, TG_TCP_CLOSE_WAIT, TG_TCP_FIN_WAIT_1, TG_TCP_FIN_WAIT_2);
	case TG_PHASE_LAST:
		return STATES(TG_TCP_FIN_WAIT_1, TG_TCP_FIN_WAIT_2, TG_TCP_CLOSING, TG_TCP_LAST_ACK,
			      TG_TCP_TIME_WAIT, TG_TCP_CLOSED);
	case TG_PHASE_TIME_WAIT:
		return STATES(TG_TCP_TIME_WAIT, TG_TCP_CLOSED);
	case TG_PHASE_CLOSED:
		return STATES(TG_TCP_CLOSED);
	default:
		FUZZ_FAIL("phase %d", phase);
	}
}

static inline void path_check_half(const struct tg_half *half)
{
	__u8 wscale = tg_half_wscale(half);
	__u32 pending = half->facts >> TG_PENDING_WSCALE_SHIFT;

	FUZZ_CHECK(tg_half_aux_kind(half) < TG_AUX_MAX);
	FUZZ_CHECK(wscale <= TG_WSCALE_MAX || wscale == TG_WSCALE_NONE);
	FUZZ_CHECK(pending <= TG_WSCALE_MAX || pending == TG_PENDING_WSCALE_NONE);
	FUZZ_CHECK(half->maxwin <= TG_PICKUP_SPAN);
	FUZZ_CHECK(!(half->facts & TG_FACT_SYN) || half->maxwin);
	FUZZ_CHECK((half->facts & TG_FACT_SYN) || !(half->facts & (TG_FACT_PICKUP | TG_FACT_PASSIVE)));
	FUZZ_CHECK((half->facts & TG_FACT_FIN) || !(half->facts & TG_FACT_PASSIVE));
}

static inline void path_check_states(const struct tg_slot *slot)
{
	const struct tg_half *lo = &slot->half[TG_SIDE_LO], *hi = &slot->half[TG_SIDE_HI];
	enum tg_phase phase = tg_flow_phase(lo, hi);
	enum tg_tcp_state x = tg_endpoint_state(lo, hi), y = tg_endpoint_state(hi, lo);

	if (!path_believed && !(path_states_of(phase) >> x & path_states_of(phase) >> y & 1))
		FUZZ_FAIL("phase %d with endpoints in %d and %d", phase, x, y);
	FUZZ_CHECK(tg_flow_phase(hi, lo) == phase);
}

/* The endpoint in .lo_* is the lower one. */
static inline void path_check_key(const struct tg_flow_key *key)
{
	int order = memcmp(key->lo_addr, key->hi_addr, sizeof(key->lo_addr));

	FUZZ_CHECK(order < 0 || (!order && ntohs(key->lo_port) <= ntohs(key->hi_port)));
	FUZZ_CHECK(!key->reserved && key->zone == tg_program.zone);
}

static inline void path_check_live(__u32 number)
{
	const struct tg_slot *slot = native_slot(number);
	const struct tg_detail *detail = &native.detail[number];
	struct tg_table table = native_table();
	__u32 bucket = number / TG_BUCKET_WAYS;
	struct tg_ref ref;
	__u64 *word;

	FUZZ_CHECK(tg_claim_live(slot->claim) && !(slot->claim & TG_CLAIM_SUSPECT));
	FUZZ_CHECK(tg_claim_origin(slot->claim) < TG_ORIGIN_MAX);
	FUZZ_CHECK(!(slot->claim & 0x80)); /* a bit that means nothing */
	path_check_half(&slot->half[TG_SIDE_LO]);
	path_check_half(&slot->half[TG_SIDE_HI]);
	path_check_states(slot);
	path_check_key(&detail->key);
	FUZZ_CHECK(slot->tag == tg_tag_of_key(&tg_program.hash, &detail->key));
	FUZZ_CHECK(bucket == tg_bucket_of(slot->tag, 0, table.buckets) ||
		   bucket == tg_bucket_of(slot->tag, 1, table.buckets) ||
		   bucket == tg_bucket_of(slot->tag, 2, table.buckets));
	/* It is what a look-up finds, so it is the only one of its tag. */
	FUZZ_CHECK(tg_flow_find(&table, slot->tag, &ref, &word) == TG_FOUND_LIVE);
	FUZZ_CHECK(ref.number == number);
}

static inline void path_check_table(void)
{
	__u64 spilled[PATH_BUCKETS_MAX] = {};
	__u32 i;

	for (i = 0; i < path_slots(); i++) {
		const struct tg_slot *slot = native_slot(i);

		if (!(slot->claim & (TG_CLAIM_GENERATION_ONE - 1)))
			continue; /* free */
		path_check_live(i);
		spilled[tg_bucket_of(slot->tag, 0, tg_program.buckets)] +=
			tg_bucket_of(slot->tag, 0, tg_program.buckets) != i / TG_BUCKET_WAYS;
	}
	for (i = 0; i < tg_program.buckets; i++)
		FUZZ_CHECK((native.word[i] & TG_BUCKET_SPILLED_MASK) == spilled[i]);
}

/* --- what one packet may change ------------------------------------------------------------------- */

/* A verdict that belongs to another flow's end, to an error that cannot be, or to other CPUs. */
static inline void path_check_verdict(const struct path_event *event)
{
	enum tg_verdict verdict = event->verdict;

	FUZZ_CHECK(verdict != TG_UNDECIDED && verdict < TG_VERDICT_MAX);
	FUZZ_CHECK(verdict != TG_PASS_INTERNAL && verdict != TG_PASS_BUSY);
	FUZZ_CHECK(verdict != TG_PASS_SUSPECT && verdict != TG_PASS_COLLISION);
	if (!event->parsed || event->pkt->icmp_error || !tg_verdict_drops(verdict) || tg_program.strict)
		return;
	/* A SYN is never dropped for what the table holds, but for being one of very many. */
	if ((event->pkt->flags & (TG_SYN | TG_ACK | TG_RST | TG_FIN)) == TG_SYN)
		FUZZ_CHECK(verdict == TG_DROP_SYN_RATE || verdict == TG_DROP_BAD_FLAGS ||
			   verdict == TG_DROP_LAND);
}

static inline bool path_begins_flow(enum tg_verdict verdict)
{
	return verdict == TG_PASS_NEW || verdict == TG_PASS_PICKUP || verdict == TG_PASS_TW_REUSE ||
	       verdict == TG_PASS_SYN_REINIT || verdict == TG_PASS_REOPEN;
}

/* These state a half anew; its peer has acknowledged nothing of it. */
static inline bool path_begins_half(enum tg_verdict verdict)
{
	return verdict == TG_PASS_SIMOPEN || verdict == TG_PASS_SYNACK;
}

/* From one phase to another while the flow lives. */
static inline bool path_phase_may_follow(enum tg_phase from, enum tg_phase to)
{
	if (from == to || from == TG_PHASE_CLOSED)
		return true;
	switch (from) {
	case TG_PHASE_SYN_SENT:
		return to == TG_PHASE_SYN_RECV || to == TG_PHASE_CLOSED;
	case TG_PHASE_SYN_RECV:
		return to != TG_PHASE_SYN_SENT;
	case TG_PHASE_ESTABLISHED:
		return to == TG_PHASE_HALF_CLOSED || to == TG_PHASE_CLOSED;
	case TG_PHASE_HALF_CLOSED: /* back: a FIN that was not real */
		return to == TG_PHASE_ESTABLISHED || to == TG_PHASE_LAST || to == TG_PHASE_TIME_WAIT ||
		       to == TG_PHASE_CLOSED;
	case TG_PHASE_LAST:
		return to == TG_PHASE_HALF_CLOSED || to == TG_PHASE_TIME_WAIT || to == TG_PHASE_CLOSED;
	default:
		return false;
	}
}

static inline void path_check_new_owner(const struct path_event *event, const struct tg_slot *was,
					const struct tg_slot *is)
{
	FUZZ_CHECK(path_begins_flow(event->verdict));
	FUZZ_CHECK((is->claim >> TG_CLAIM_GENERATION_SHIFT) - (was->claim >> TG_CLAIM_GENERATION_SHIFT) ==
			   1 ||
		   !(is->claim >> TG_CLAIM_GENERATION_SHIFT));
	FUZZ_CHECK(is->stamp_ms == (__u32)event->now_ms);
	if (was->tag != is->tag) /* another connection's slot: it must have been one to displace */
		FUZZ_CHECK(tg_slot_rank(was, was->claim, &native.settings.config[0].timeouts,
					(__u32)event->now_ms) != TG_RANK_NEVER);
}

/* Serially: half the circle apart is as much after as before. */
static inline bool path_grew(__u32 was, __u32 is)
{
	return is - was <= 0x80000000U;
}

/* Numbers only grow; what the packet has no share in stays. */
static inline void path_check_sender(const struct path_event *event, const struct tg_half *was,
				     const struct tg_half *is)
{
	__u32 lost = was->facts & ~is->facts & TG_FACT_MASK;

	if (path_begins_half(event->verdict))
		return;
	FUZZ_CHECK(path_grew(was->end, is->end));
	FUZZ_CHECK(is->maxwin >= was->maxwin);
	if (was->facts & TG_FACT_HASACK) {
		FUZZ_CHECK(path_grew(was->ack, is->ack));
		FUZZ_CHECK(path_grew(was->right, is->right));
	}
	/* A fact stays one, but for a FIN that was not real and a RST that was disproved. */
	FUZZ_CHECK(!(lost & ~(TG_FACT_FIN | TG_FACT_PASSIVE | TG_FACT_RST)));
	FUZZ_CHECK(tg_half_wscale(is) == tg_half_wscale(was));
}

static inline void path_check_no_effect(const struct path_event *event, const struct tg_slot *was,
					const struct tg_slot *is)
{
	enum tg_side side = tg_packet_side(event->pkt);
	const struct tg_half *old = &was->half[side], *new = &is->half[side];
	bool closed = tg_flow_phase(&was->half[0], &was->half[1]) == TG_PHASE_CLOSED;

	/* After a RST numbers are followed; a first fragment is followed as far as its header goes. */
	if (closed || event->verdict == TG_NOUPD_FRAG_FIRST || event->pkt->own || !event->pkt->enforced)
		return;
	if (tg_verdict_action(event->verdict) != TG_ACTION_NOUPD)
		return;
	FUZZ_CHECK(old->ack == new->ack && old->right == new->right);
	if (event->verdict != TG_NOUPD_SYN_RETRANS) /* Fast Open: the longer of two copies counts */
		FUZZ_CHECK(old->end == new->end && old->maxwin == new->maxwin);
	FUZZ_CHECK(!((old->facts ^ new->facts) & TG_FACT_MASK & ~TG_FACT_RST));
	FUZZ_CHECK(was->stamp_ms == is->stamp_ms);
}

static inline void path_check_same_flow(const struct path_event *event, const struct tg_slot *was,
					const struct tg_slot *is)
{
	enum tg_side side = tg_packet_side(event->pkt);
	enum tg_phase from = tg_flow_phase(&was->half[0], &was->half[1]);
	enum tg_phase to = tg_flow_phase(&is->half[0], &is->half[1]);

	FUZZ_CHECK(was->tag == is->tag);
	FUZZ_CHECK(was->claim == is->claim);
	FUZZ_CHECK(!event->pkt->icmp_error); /* an ICMP error teaches nothing */
	FUZZ_CHECK(!tg_verdict_drops(event->verdict) || !event->pkt->enforced);
	/* Owner-writes: the receiver's half is the receiver's. */
	FUZZ_CHECK(!memcmp(&was->half[!side], &is->half[!side], sizeof(struct tg_half)));
	path_check_sender(event, &was->half[side], &is->half[side]);
	path_check_no_effect(event, was, is);
	FUZZ_CHECK(is->stamp_ms == was->stamp_ms || is->stamp_ms == (__u32)event->now_ms);
	if (!path_believed && !path_phase_may_follow(from, to))
		FUZZ_FAIL("phase %d after %d, verdict %d", to, from, event->verdict);
}

static inline void path_check_counts(const struct path_event *event, const struct tg_detail *was,
				     const struct tg_detail *is)
{
	enum tg_side side = tg_packet_side(event->pkt);
	const struct tg_half_count *old = &was->count[side], *new = &is->count[side];

	FUZZ_CHECK(!memcmp(&was->count[!side], &is->count[!side], sizeof(*old)));
	FUZZ_CHECK(!memcmp(&was->key, &is->key, sizeof(is->key)) && was->created_ms == is->created_ms);
	FUZZ_CHECK(new->retrans - old->retrans <= 1);
	FUZZ_CHECK(new->ooo == old->ooo || new->ooo == old->ooo + 1);
	if (event->pkt->icmp_error || event->verdict == TG_NOUPD_SPOOFED)
		return;
	if (tg_verdict_drops(event->verdict)) {
		FUZZ_CHECK(new->packets == old->packets &&new->bytes == old->bytes);
		FUZZ_CHECK(new->drops == (old->drops == 0xff ? 0xff : old->drops + 1));
	} else {
		FUZZ_CHECK(new->packets - old->packets == event->pkt->segments);
		FUZZ_CHECK(new->bytes - old->bytes == event->pkt->payload);
		FUZZ_CHECK(new->drops == old->drops);
	}
}

/* Compares the table with what it was before the event. */
static inline void path_check_changes(const struct path_snapshot *before, const struct path_event *event)
{
	__u32 changed = 0, i;

	path_check_verdict(event);
	path_believed |= event->verdict == TG_PASS_ONE_WAY ||
			 (event->pkt->own && tg_verdict_drops(event->verdict));
	for (i = 0; i < path_slots(); i++) {
		const struct tg_slot *was = &before->bucket[i / TG_BUCKET_WAYS].slot[i % TG_BUCKET_WAYS];
		const struct tg_slot *is = native_slot(i);
		bool same_detail = !memcmp(&before->detail[i], &native.detail[i], sizeof(struct tg_detail));

		if (!memcmp(was, is, sizeof(*is)) && same_detail)
			continue;
		FUZZ_CHECK(event->parsed && !changed++);
		if (tg_same_generation(was->claim, is->claim)) {
			if (memcmp(was, is, sizeof(*is)))
				path_check_same_flow(event, was, is);
			path_check_counts(event, &before->detail[i], &native.detail[i]);
		} else {
			path_check_new_owner(event, was, is);
		}
	}
	FUZZ_CHECK(changed || !path_begins_flow(event->verdict));
}

#endif
