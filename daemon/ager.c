/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sweep.  Why freeing under the data path's feet is safe:
 *
 * - The data path treats an expired entry as absent: no packet renews it, it can only be claimed anew,
 *   and that changes the claim word, so our compare-and-swap fails.  What could still go wrong is a
 *   CPU that read its clock just before the entry expired and writes just after we freed it.  The
 *   margin of 2 s is far longer than a packet stays in the data path; and if it did happen, the slot
 *   is free (its writes mean nothing) or claimed (the writer finds another generation and marks the
 *   flow SUSPECT, see bpf/flow_table.h).
 * - Our own clock reading may be old: the process may have been stopped in mid-slice.  An entry then
 *   seems younger than it is, or stamped in the future; both leave it alone.
 * - Under pressure entries are freed that the data path still considers alive, by policy.  One that is
 *   renewed between our look and our swap is lost as if it had been evicted a microsecond before.
 *
 * What presses a class out is the room taken by entries at least as hard to displace as it: a flood of
 * handshakes shortens the life of handshakes and of nothing else, since newcomers
 * displace handshakes by themselves.  pf's plain rule would let SYNs age out connections.
 */
#include "ager.h"

#include <stdlib.h>
#include <string.h>

#include "ager_pressure.h"
#include "bpf/flow_table.h"

#define INTERVAL_FIRST_MS 5000
#define INTERVAL_MIN_MS 1000
#define INTERVAL_MAX_MS 60000
#define SLICES 16
#define SLICE_BUCKETS_MAX 16384 /* 8 MiB of slots: about a millisecond */
#define STUCK_MAX 64 /* remembered at a time; a dead process owned one or two */
/* Stamps up to this far ahead of our clock are "now"; further ahead, the 32-bit clock has wrapped. */
#define CLOCK_AHEAD_MS (1U << 30)

struct stuck {
	uint32_t number;
	uint32_t claim;
	uint64_t since_ms;
	bool seen; /* in the present pass */
};

struct ager {
	struct tg_table table;
	uint32_t max_flows;
	uint32_t next; /* bucket */
	uint32_t slice; /* buckets */
	uint32_t interval_ms;
	bool unrefuse; /* this pass clears the mark REFUSED */
	uint64_t adopting_since_ms; /* before it goes; 0: it does not */
	struct tg_timeouts timeouts; /* of this pass: shorter ones under pressure */
	struct tg_timeouts unscaled; /* the data path's */
	struct ager_pressure pressure;
	struct ager_pass pass;
	struct ager_pass last;
	struct stuck stuck[STUCK_MAX];
	uint32_t stuck_count;
	ager_listener listener;
	void *listener_context;
};

struct ager *ager_new(const struct tg_table *table, uint32_t max_flows)
{
	struct ager *ager = calloc(1, sizeof(*ager));

	if (!ager)
		return NULL;
	ager->table = *table;
	ager->max_flows = max_flows ? max_flows : 1;
	ager->slice = table->buckets / SLICES + 1;
	if (ager->slice > SLICE_BUCKETS_MAX)
		ager->slice = SLICE_BUCKETS_MAX;
	ager->interval_ms = INTERVAL_FIRST_MS;
	return ager;
}

void ager_free(struct ager *ager)
{
	free(ager);
}

void ager_listen(struct ager *ager, ager_listener listener, void *context)
{
	ager->listener = listener;
	ager->listener_context = context;
}

uint32_t ager_interval_ms(const struct ager *ager)
{
	return ager->interval_ms;
}

uint32_t ager_delay_ms(const struct ager *ager)
{
	uint32_t slices = (ager->table.buckets + ager->slice - 1) / ager->slice;
	uint32_t delay = ager->interval_ms / slices;

	return delay ? delay : 1;
}

const struct ager_pass *ager_last_pass(const struct ager *ager)
{
	return &ager->last;
}

/* Time since the timeout of the present phase began to count. */
static uint32_t waited_ms(const struct tg_slot *slot, uint32_t now_ms)
{
	uint32_t ahead = TG_READ_ONCE(slot->stamp_ms) - now_ms;

	return ahead < CLOCK_AHEAD_MS ? 0 : 0 - ahead;
}

/* As the data path sees it: tg_flow_expired(). */
static bool is_older(const struct tg_slot *slot, uint32_t claim, const struct tg_timeouts *timeouts,
		     uint32_t waited)
{
	if (waited <= timeouts->shortest_ms)
		return false;
	return waited > (claim & TG_CLAIM_SUSPECT ? timeouts->phase_ms[TG_PHASE_ESTABLISHED] :
						    tg_slot_timeout_ms(slot, timeouts));
}

static bool overdue(const struct ager *ager, const struct tg_slot *slot, uint32_t claim, uint32_t waited)
{
	return is_older(slot, claim, &ager->timeouts, waited < AGER_MARGIN_MS ? 0 : waited - AGER_MARGIN_MS);
}

/* Facts of both sides of what most entries are, and what neither may have besides. */
#define PLAIN_FACTS (TG_FACT_SYN | TG_FACT_ACKSYN | TG_FACT_HASACK)
#define UNUSUAL_FACTS (TG_FACT_FIN | TG_FACT_RST)

static enum ager_class class_of(const struct tg_slot *slot)
{
	const struct tg_half *lo = &slot->half[TG_SIDE_LO], *hi = &slot->half[TG_SIDE_HI];

	/* The same answer as below, without its branches: every entry is asked in every pass. */
	if (TG_LIKELY((lo->facts & hi->facts & (PLAIN_FACTS | TG_FACT_OUTSIDE)) == PLAIN_FACTS &&
		      !((lo->facts | hi->facts) & UNUSUAL_FACTS)))
		return AGER_ESTABLISHED;
	switch (tg_flow_phase(lo, hi)) {
	case TG_PHASE_SYN_SENT:
	case TG_PHASE_SYN_RECV:
		return AGER_HANDSHAKE;
	case TG_PHASE_CLOSED:
		return AGER_CLOSED;
	case TG_PHASE_TIME_WAIT:
		return AGER_TIME_WAIT;
	case TG_PHASE_LAST:
		return AGER_LAST;
	case TG_PHASE_HALF_CLOSED:
		return AGER_HALF_CLOSED;
	default:
		return (lo->facts & hi->facts & (TG_FACT_HASACK | TG_FACT_OUTSIDE)) == TG_FACT_HASACK ?
			       AGER_ESTABLISHED :
			       AGER_UNCONFIRMED;
	}
}

/* The copy for the listener is made before the slot can become another flow's. */
static bool free_flow(struct ager *ager, struct tg_slot *slot, uint32_t number, uint32_t claim,
		      bool evicted, uint32_t now_ms)
{
	struct ager_freed freed;

	if (!ager->listener)
		return tg_slot_free(&ager->table, slot, number, claim);
	freed.slot = *slot;
	freed.slot.claim = claim;
	freed.detail = ager->table.detail[number];
	freed.number = number;
	freed.evicted = evicted;
	freed.now_ms = now_ms;
	if (!tg_slot_free(&ager->table, slot, number, claim))
		return false;
	ager->listener(ager->listener_context, &freed);
	return true;
}

/* Of what is freed before its time. */
static void disown(struct ager *ager, const struct tg_slot *slot, uint32_t claim, enum ager_class kind,
		   uint32_t waited)
{
	if (kind < AGER_LAST || is_older(slot, claim, &ager->unscaled, waited) ||
	    !tg_slot_disown(&ager->table, slot))
		return;
	ager->unrefuse = false;
	ager->pass.disowned++;
}

static void sweep_live(struct ager *ager, struct tg_slot *slot, uint32_t number, uint32_t claim,
		       uint32_t now_ms)
{
	uint32_t waited = waited_ms(slot, now_ms);
	enum ager_class kind = class_of(slot);
	bool late = overdue(ager, slot, claim, waited);

	if (!late && !pressure_evicts(&ager->pressure, kind, waited)) {
		ager->pass.seen[kind]++;
		pressure_note(&ager->pressure, kind, waited);
		return;
	}
	disown(ager, slot, claim, kind, waited);
	if (!free_flow(ager, slot, number, claim, !late, now_ms))
		return;
	if (late) {
		ager->pass.expired++;
	} else {
		pressure_took(&ager->pressure, kind);
		ager->pass.evicted++;
	}
}

static struct stuck *find_stuck(struct ager *ager, uint32_t number)
{
	uint32_t i;

	for (i = 0; i < ager->stuck_count; i++)
		if (ager->stuck[i].number == number)
			return &ager->stuck[i];
	if (ager->stuck_count == STUCK_MAX)
		return NULL;
	ager->stuck[ager->stuck_count].number = number;
	ager->stuck[ager->stuck_count].claim = 0;
	return &ager->stuck[ager->stuck_count++];
}

/*
 * Owned and not live: normally for microseconds.  The same claim twice, 10 s apart, means that its
 * owner (a process seeding the table) died.  Not tg_slot_free(): the owner may have died before or
 * after it counted the flow as spilled; not uncounting costs a look-up in two more buckets, uncounting
 * too often would hide flows.
 */
static void sweep_owned(struct ager *ager, struct tg_slot *slot, uint32_t number, uint32_t claim,
			uint64_t now_ms)
{
	struct stuck *stuck = find_stuck(ager, number);

	if (!stuck)
		return;
	stuck->seen = true;
	if (stuck->claim != claim) {
		stuck->claim = claim;
		stuck->since_ms = now_ms;
		return;
	}
	if (now_ms - stuck->since_ms < AGER_STUCK_MS)
		return;
	if (__sync_bool_compare_and_swap(&slot->claim, claim,
					 claim & ~(TG_CLAIM_GENERATION_ONE - 1)))
		ager->pass.recovered++;
	stuck->seen = false;
}

/*
 * Which ways are in use, without a branch: every second one is, at random.  By the way the lines of a
 * bucket of the next pages are asked for: the processor does not look ahead beyond a page.
 */
#define AHEAD_BUCKETS 16

static uint32_t ways_in_use(const struct tg_bucket *bucket)
{
	uint32_t way, used = 0;

	for (way = 0; way < TG_BUCKET_WAYS; way++) {
		/* An address beyond the table is harmless: a prefetch never faults. */
		__builtin_prefetch((const void *)((uintptr_t)bucket +
						  AHEAD_BUCKETS * sizeof(*bucket) +
						  way * sizeof(struct tg_slot)));
		used |= (TG_READ_ONCE(bucket->slot[way].claim) & TG_CLAIM_OWNED) << way;
	}
	return used;
}

static void sweep_bucket(struct ager *ager, uint32_t index, uint64_t now_ms)
{
	struct tg_bucket *bucket = &ager->table.bucket[index];
	uint32_t used = ways_in_use(bucket);

	for (; used; used &= used - 1) {
		uint32_t way = (uint32_t)__builtin_ctz(used);
		struct tg_slot *slot = &bucket->slot[way];
		uint32_t number = index * TG_BUCKET_WAYS + way;
		uint32_t claim = TG_READ_ONCE(slot->claim);

		if (TG_LIKELY(tg_claim_live(claim)))
			sweep_live(ager, slot, number, claim, (uint32_t)now_ms);
		else if (claim & TG_CLAIM_OWNED)
			sweep_owned(ager, slot, number, claim, now_ms);
	}
	if (TG_LIKELY(!(TG_READ_ONCE(ager->table.word[index]) & TG_BUCKET_REFUSED)))
		return;
	if (ager->unrefuse) {
		__sync_fetch_and_and(&ager->table.word[index], ~TG_BUCKET_REFUSED);
		ager->pass.unrefused++;
	} else {
		ager->pass.refused++;
	}
}

/* Nobody was refused for as long as an established flow may be silent. */
static bool is_quiet(const struct ager *ager, const struct tg_settings *settings, uint64_t now_ms)
{
	/* The data path stores its 32-bit clock there; 0 is never. */
	uint32_t refused_ms = (uint32_t)TG_READ_ONCE(settings->refused_ms);

	return (uint32_t)now_ms - refused_ms > ager->unscaled.phase_ms[TG_PHASE_ESTABLISHED];
}

/*
 * Who was refused so long ago, and silent since, would have expired.  Who speaks in the time before the
 * marks go is adopted.
 */
static void plan_unrefusing(struct ager *ager, const struct tg_settings *settings, uint64_t now_ms)
{
	if (!is_quiet(ager, settings, now_ms) || !ager->last.refused)
		ager->adopting_since_ms = 0;
	else if (!ager->adopting_since_ms)
		ager->adopting_since_ms = now_ms;
	ager->pass.adopt = ager->adopting_since_ms == now_ms;
	ager->unrefuse = ager->adopting_since_ms &&
			 now_ms - ager->adopting_since_ms > TG_LEARN_DEFAULT_MS;
}

static void begin_pass(struct ager *ager, const struct tg_settings *settings, uint64_t now_ms)
{
	memset(&ager->pass, 0, sizeof(ager->pass));
	ager->unscaled = tg_active_config(settings)->timeouts;
	ager_scale(&ager->unscaled, ager->last.seen, ager->max_flows, &ager->timeouts);
	pressure_plan(&ager->pressure, ager->last.seen, ager->max_flows);
	plan_unrefusing(ager, settings, now_ms);
}

static void forget_unseen_stuck(struct ager *ager)
{
	uint32_t i, kept = 0;

	for (i = 0; i < ager->stuck_count; i++) {
		if (!ager->stuck[i].seen)
			continue;
		ager->stuck[kept] = ager->stuck[i];
		ager->stuck[kept++].seen = false;
	}
	ager->stuck_count = kept;
}

/* Sooner when much was freed, later when little was. */
static void adapt_interval(struct ager *ager)
{
	uint64_t freed = ager->pass.expired + ager->pass.evicted, all = freed;
	int kind;

	for (kind = 0; kind < AGER_CLASS_MAX; kind++)
		all += ager->pass.seen[kind];
	if (freed * 100 > all * 25 || ager->pass.evicted)
		ager->interval_ms /= 2;
	else if (freed * 100 < all * 5 || !all)
		ager->interval_ms += ager->interval_ms / 2;
	if (ager->interval_ms < INTERVAL_MIN_MS)
		ager->interval_ms = INTERVAL_MIN_MS;
	if (ager->interval_ms > INTERVAL_MAX_MS)
		ager->interval_ms = INTERVAL_MAX_MS;
}

static void end_pass(struct ager *ager)
{
	forget_unseen_stuck(ager);
	adapt_interval(ager);
	ager->last = ager->pass;
	ager->next = 0;
}

bool ager_step(struct ager *ager, struct tg_settings *settings, uint64_t now_ms)
{
	uint64_t disowned;
	uint32_t end;

	if (!ager->next)
		begin_pass(ager, settings, now_ms);
	ager->unrefuse &= is_quiet(ager, settings, now_ms); /* others make marks, too */
	disowned = ager->pass.disowned;
	end = ager->table.buckets - ager->next > ager->slice ? ager->next + ager->slice :
							       ager->table.buckets;
	for (; ager->next < end; ager->next++)
		sweep_bucket(ager, ager->next, now_ms);
	if (ager->pass.disowned != disowned)
		TG_WRITE_ONCE(settings->refused_ms, (uint32_t)now_ms);
	if (end < ager->table.buckets)
		return false;
	end_pass(ager);
	return true;
}

void ager_sweep(struct ager *ager, struct tg_settings *settings, uint64_t now_ms)
{
	while (!ager_step(ager, settings, now_ms))
		;
}
