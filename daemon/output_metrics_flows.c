/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Metrics of flows, handshakes, floods and limits. */
#include "names.h"
#include "output_metrics_put.h"

PUT_NUMBER(FLOW_ENTRIES, in->s->flows.entries)
PUT_NUMBER(FLOW_LIMIT, in->s->max_flows)

void put_FLOWS(struct metrics_writer *out, const struct input *in)
{
	int phase;

	for (phase = 0; phase < TG_PHASE_MAX; phase++)
		metrics_put(out, METRICS_VALUES(names_phase((enum tg_phase)phase)),
			    in->s->flows.by_phase[phase]);
}

PUT_CHOICES(FLOW_CREATED,
	    { "inbound", TALLY(FLOW_INBOUND) },
	    { "outbound", TALLY(FLOW_OUTBOUND) },
	    { "cookie", JUDGED(TG_PASS_COOKIE) },
	    { "adopt", JUDGED(TG_PASS_PICKUP) })

PUT_CHOICES(FLOW_REMOVED,
	    { "evicted", TALLY(FLOW_EVICTED) })

PUT_CHOICES(FLOW_FAILURES,
	    { "full", JUDGED(TG_PASS_TABLE_FULL, TG_DROP_TABLE_FULL) },
	    { "busy", JUDGED(TG_PASS_BUSY) })

/* --- handshakes, floods, lists -------------------------------------------------------------------- */

PUT_CHOICES(HANDSHAKES,
	    { "completed", TALLY(HANDSHAKE_DONE) },
	    { "refused", JUDGED(TG_PASS_REFUSED) },
	    { "aborted", JUDGED(TG_PASS_ABORT) })

/* Whole milliseconds: what is below 2^n of them took less than 2^n ms. */
void put_HANDSHAKE_DURATION(struct metrics_writer *out, const struct input *in)
{
	double bounds[TG_HANDSHAKE_BUCKETS];
	uint64_t counts[TG_HANDSHAKE_BUCKETS];
	uint32_t i;
	int bucket;

	for (bucket = 0; bucket < TG_HANDSHAKE_BUCKETS; bucket++)
		bounds[bucket] = (double)(1U << bucket) / 1000;
	for (i = 0; i < in->s->iface_count; i++) {
		const struct tg_tallies *tallies = &in->s->iface[i].tallies;

		for (bucket = 0; bucket < TG_HANDSHAKE_BUCKETS; bucket++)
			counts[bucket] = tallies->handshake[bucket];
		metrics_put_histogram(out, METRICS_VALUES(in->iface[i]), bounds, counts,
				      TG_HANDSHAKE_BUCKETS, (double)tallies->handshake_sum_ms / 1000);
	}
}

PUT_CHOICES(SYNCOOKIES,
	    { "sent", JUDGED(TG_CHALLENGE_SYN_COOKIE) },
	    { "valid", JUDGED(TG_PASS_COOKIE) },
	    { "invalid", TALLY(COOKIE_INVALID) },
	    { "expired", TALLY(COOKIE_EXPIRED) },
	    { "no_listener", TALLY(COOKIE_NO_LISTENER) })

void put_SYN_CHALLENGE(struct metrics_writer *out, const struct input *in)
{
	uint64_t count[TG_FLOOD_ACTION_MAX] = { 0 };
	uint32_t i;

	for (i = 0; i < in->s->protected_count; i++)
		if (in->s->protected[i].action < TG_FLOOD_ACTION_MAX)
			count[in->s->protected[i].action]++;
	for (i = TG_FLOOD_CHALLENGE; i < TG_FLOOD_OFF; i++)
		metrics_put(out, METRICS_VALUES(names_flood_action(i)), count[i]);
}

PUT_CHOICES(SOURCE_LIMIT,
	    { "syn_rate", JUDGED(TG_DROP_SOURCE_SYN_RATE) },
	    { "conns", JUDGED(TG_DROP_SOURCE_CONNS) })

PUT_CHOICES(LIST_HITS,
	    { "allow", TALLY(LIST_ALLOWED) },
	    { "block", JUDGED(TG_DROP_BLOCKLIST) })
