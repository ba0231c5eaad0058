/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flow table alone: find, claim, publish, free, reclaim; what a newcomer may displace and in
 * which order; the count of flows that live outside their home; and whether the stated number of
 * flows fits.
 */
#include <math.h>

#include "tests/unit/unit.h"

#include "bpf/flow_table.h"
#include "tests/unit/tuples.h"

#define NOW 0x10000000U
#define EST_FACTS (TG_FACT_SYN | TG_FACT_HASACK | TG_FACT_ACKSYN)

static struct tg_timeouts timeouts = TG_TIMEOUTS_DEFAULT;

static struct tg_table make_table(__u32 buckets)
{
	struct tg_table table = { .buckets = buckets, .timeouts = &timeouts };

	table.bucket = aligned_alloc(sizeof(struct tg_bucket), buckets * sizeof(struct tg_bucket));
	table.word = calloc(buckets, sizeof(__u64));
	assert_true(table.bucket && table.word);
	memset(table.bucket, 0, buckets * sizeof(struct tg_bucket));
	return table;
}

static void free_table(struct tg_table *table)
{
	free(table->bucket);
	free(table->word);
}

static struct tg_slot *slot_at(const struct tg_table *table, __u32 number)
{
	return &table->bucket[number / TG_BUCKET_WAYS].slot[number % TG_BUCKET_WAYS];
}

static __u64 spilled(const struct tg_table *table, __u32 bucket)
{
	return table->word[bucket] & TG_BUCKET_SPILLED_MASK;
}

/* What a flow can be when a newcomer looks for room. */
enum kind {
	EXPIRED_ESTABLISHED,
	SYN_SENT,
	SYN_RECEIVED,
	CLOSED,
	TIME_WAIT,
	LAST,
	UNCONFIRMED,
	ESTABLISHED,
	HALF_CLOSED,
	CLOSE_WAIT,
	KINDS
};

static void set_facts(struct tg_slot *slot, __u32 lo, __u32 hi)
{
	slot->half[TG_SIDE_LO] = (struct tg_half){ .end = 100, .ack = 200, .maxwin = 1, .facts = lo };
	slot->half[TG_SIDE_HI] = (struct tg_half){ .end = 200, .ack = 100, .maxwin = 1, .facts = hi };
}

static void make(struct tg_slot *slot, enum kind kind, __u32 stamp_ms)
{
	slot->stamp_ms = stamp_ms;
	set_facts(slot, EST_FACTS, EST_FACTS);
	switch (kind) {
	case EXPIRED_ESTABLISHED:
		slot->stamp_ms = NOW - 86400001;
		break;
	case SYN_SENT:
		set_facts(slot, TG_FACT_SYN, 0);
		break;
	case SYN_RECEIVED:
		set_facts(slot, TG_FACT_SYN, EST_FACTS);
		break;
	case CLOSED:
		set_facts(slot, EST_FACTS | TG_FACT_RST, EST_FACTS);
		break;
	case TIME_WAIT:
		set_facts(slot, EST_FACTS | TG_FACT_FIN, EST_FACTS | TG_FACT_FIN);
		break;
	case LAST:
		set_facts(slot, EST_FACTS | TG_FACT_FIN, EST_FACTS | TG_FACT_FIN);
		slot->half[TG_SIDE_LO].ack--; /* has not acknowledged the other's FIN */
		break;
	case UNCONFIRMED:
		set_facts(slot, EST_FACTS | TG_FACT_PICKUP, TG_FACT_SYN | TG_FACT_PICKUP);
		break;
	case HALF_CLOSED: /* FIN_WAIT_1 */
		slot->half[TG_SIDE_LO].facts |= TG_FACT_FIN;
		slot->half[TG_SIDE_HI].ack--;
		break;
	case CLOSE_WAIT:
		slot->half[TG_SIDE_LO].facts |= TG_FACT_FIN;
		break;
	default:
		break;
	}
}

/* Opens a flow and makes it live; ref->slot is NULL if there was no room. */
static enum tg_found open_flow(const struct tg_table *table, __u64 tag, enum kind kind, __u32 stamp_ms,
			       __u32 now, struct tg_ref *ref)
{
	enum tg_found found = tg_flow_claim(table, tag, 0, now, ref);

	if (found || !ref->slot)
		return found;
	make(ref->slot, kind, stamp_ms);
	tg_flow_publish(ref);
	return found;
}

static bool is_there(const struct tg_table *table, __u64 tag)
{
	struct tg_ref ref = {};
	__u64 *word;

	if (tg_flow_find(table, tag, &ref, &word) != TG_FOUND_LIVE)
		return false;
	assert_true(ref.slot->tag == tag);
	assert_ptr_equal(slot_at(table, ref.number), ref.slot);
	return true;
}

/* A random tag whose three buckets are these; -1: any, but neither of the others. */
static __u64 tag_for(const struct tg_table *table, uint64_t *seed, int home, int second, int third)
{
	for (;;) {
		__u64 tag = random_u64(seed);
		int h = (int)tg_bucket_of(tag, 0, table->buckets);
		int s = (int)tg_bucket_of(tag, 1, table->buckets);
		int t = (int)tg_bucket_of(tag, 2, table->buckets);

		if ((home < 0 || h == home) && (second < 0 || s == second) && (third < 0 || t == third) &&
		    h != s && h != t && s != t)
			return tag;
	}
}

static void a_slot_goes_through_its_life(void **state)
{
	struct tg_table table = make_table(31);
	__u32 flags = tg_claim_flags(TG_SIDE_HI, TG_ORIGIN_SEED);
	struct tg_ref ref = {}, other = {};
	__u64 tag = 0x123456789abcdef0, *word;
	__u32 claim;

	(void)state;
	assert_int_equal(tg_flow_find(&table, tag, &ref, &word), TG_FOUND_NONE);
	assert_ptr_equal(word, &table.word[tg_bucket_of(tag, 0, 31)]);
	assert_int_equal(tg_flow_claim(&table, tag, flags, NOW, &ref), TG_FOUND_NONE);
	assert_non_null(ref.slot);
	/* Owned: others see that somebody fills it. */
	assert_int_equal(tg_flow_find(&table, tag, &other, &word), TG_FOUND_BUSY);
	assert_int_equal(tg_flow_claim(&table, tag, flags, NOW, &other), TG_FOUND_BUSY);
	assert_false(tg_claim_live(ref.slot->claim));
	make(ref.slot, ESTABLISHED, NOW);
	tg_flow_publish(&ref);
	assert_true(tg_claim_live(ref.slot->claim));
	assert_int_equal(ref.slot->claim & TG_CLAIM_OPENER_HI, TG_CLAIM_OPENER_HI);
	assert_int_equal(tg_claim_origin(ref.slot->claim), TG_ORIGIN_SEED);
	assert_int_equal(tg_flow_claim(&table, tag, flags, NOW, &other), TG_FOUND_LIVE);
	assert_ptr_equal(other.slot, ref.slot);
	assert_int_equal(other.number, ref.number);

	/* Taken over: the same place, another generation; what was found before no longer holds. */
	claim = other.claim;
	assert_true(tg_flow_reclaim(&other, tg_claim_flags(TG_SIDE_LO, TG_ORIGIN_SYN)));
	assert_false(tg_same_generation(claim, other.claim));
	assert_false(tg_claim_live(ref.slot->claim));
	tg_flow_publish(&other);
	ref.claim = claim;
	assert_false(tg_flow_reclaim(&ref, 0));
	assert_false(tg_slot_free(&table, ref.slot, ref.number, claim));
	assert_int_equal(ref.slot->claim & TG_CLAIM_OPENER_HI, 0);
	assert_int_equal(tg_claim_origin(ref.slot->claim), TG_ORIGIN_SYN);

	assert_true(tg_slot_free(&table, ref.slot, ref.number, ref.slot->claim));
	assert_int_equal(tg_flow_find(&table, tag, &ref, &word), TG_FOUND_NONE);
	assert_int_equal(spilled(&table, tg_bucket_of(tag, 0, 31)), 0);
	free_table(&table);
}

/* A packet that still writes to a slot of another flow marks it; nothing takes the mark away. */
static void a_late_writer_marks_the_slot(void **state)
{
	struct tg_table table = make_table(1);
	struct tg_ref old = {}, young = {};

	(void)state;
	open_flow(&table, 7, ESTABLISHED, NOW, NOW, &old);
	old.claim = old.slot->claim;
	tg_flow_check_owner(&old);
	assert_false(old.slot->claim & TG_CLAIM_SUSPECT);

	/* While the next owner fills it ... */
	assert_true(tg_slot_free(&table, old.slot, old.number, old.claim));
	assert_int_equal(tg_flow_claim(&table, 7, 0, NOW, &young), TG_FOUND_NONE);
	assert_ptr_equal(young.slot, old.slot);
	tg_flow_check_owner(&old);
	make(young.slot, ESTABLISHED, NOW);
	tg_flow_publish(&young);
	assert_true(tg_claim_live(young.slot->claim));
	assert_true(young.slot->claim & TG_CLAIM_SUSPECT);

	/* ... or when it is live.  The next generation is clean. */
	young.claim = young.slot->claim;
	assert_true(tg_flow_reclaim(&young, 0));
	assert_false(young.slot->claim & TG_CLAIM_SUSPECT);
	tg_flow_publish(&young);
	tg_flow_check_owner(&old);
	assert_true(young.slot->claim & TG_CLAIM_SUSPECT);
	free_table(&table);
}

/* 24 bits of generation turn over without touching the flags. */
static void the_generation_wraps(void **state)
{
	struct tg_table table = make_table(1);
	struct tg_ref ref = {};

	(void)state;
	open_flow(&table, 7, ESTABLISHED, NOW, NOW, &ref);
	ref.slot->claim |= ~(TG_CLAIM_GENERATION_ONE - 1);
	ref.claim = ref.slot->claim;
	assert_true(tg_flow_reclaim(&ref, tg_claim_flags(TG_SIDE_HI, TG_ORIGIN_PICKUP)));
	assert_int_equal(ref.slot->claim, TG_CLAIM_OWNED | TG_CLAIM_OPENER_HI |
						  TG_ORIGIN_PICKUP << TG_CLAIM_ORIGIN_SHIFT);
	free_table(&table);
}

static void fill_bucket(const struct tg_table *table, uint64_t *seed, int bucket, enum kind kind)
{
	struct tg_ref ref;
	int i;

	for (i = 0; i < TG_BUCKET_WAYS; i++) {
		open_flow(table, tag_for(table, seed, bucket, -1, -1), kind, NOW, NOW, &ref);
		assert_non_null(ref.slot);
		assert_int_equal(ref.number / TG_BUCKET_WAYS, bucket);
	}
}

static void a_full_home_spills_into_the_second_and_third_bucket(void **state)
{
	struct tg_table table = make_table(13);
	struct tg_ref second[TG_BUCKET_WAYS], third, none;
	uint64_t seed = 1;
	__u64 tag, serial;
	int i;

	(void)state;
	fill_bucket(&table, &seed, 4, ESTABLISHED);
	serial = table.word[4] & TG_BUCKET_SERIAL_MASK;
	assert_int_equal(serial, TG_BUCKET_WAYS * TG_BUCKET_SERIAL_ONE);
	for (i = 0; i < TG_BUCKET_WAYS; i++) {
		tag = tag_for(&table, &seed, 4, 9, 2);
		open_flow(&table, tag, ESTABLISHED, NOW, NOW, &second[i]);
		assert_int_equal(second[i].number / TG_BUCKET_WAYS, 9);
		assert_true(is_there(&table, tag));
		assert_int_equal(spilled(&table, 4), i + 1);
	}
	tag = tag_for(&table, &seed, 4, 9, 2);
	open_flow(&table, tag, ESTABLISHED, NOW, NOW, &third);
	assert_int_equal(third.number / TG_BUCKET_WAYS, 2);
	assert_true(is_there(&table, tag));
	assert_int_equal(spilled(&table, 4), TG_BUCKET_WAYS + 1);
	assert_int_equal(spilled(&table, 9) + spilled(&table, 2), 0);
	assert_false(table.word[4] & TG_BUCKET_REFUSED);

	/* All three full: refused, and only the home says so. */
	for (i = 0; i < TG_BUCKET_WAYS - 1; i++)
		open_flow(&table, tag_for(&table, &seed, 2, -1, -1), ESTABLISHED, NOW, NOW, &none);
	tag = tag_for(&table, &seed, 4, 9, 2);
	assert_int_equal(open_flow(&table, tag, ESTABLISHED, NOW, NOW, &none), TG_FOUND_NONE);
	assert_null(none.slot);
	assert_false(is_there(&table, tag));
	assert_true(table.word[4] & TG_BUCKET_REFUSED);
	assert_false((table.word[9] | table.word[2]) & TG_BUCKET_REFUSED);

	/* Freed or displaced, each spilled flow is taken off the count. */
	for (i = 0; i < TG_BUCKET_WAYS / 2; i++)
		assert_true(tg_slot_free(&table, second[i].slot, second[i].number, second[i].slot->claim));
	assert_int_equal(spilled(&table, 4), TG_BUCKET_WAYS / 2 + 1);
	for (i = 0; i < TG_BUCKET_WAYS / 2; i++) /* the free ones again, by others that live there */
		open_flow(&table, tag_for(&table, &seed, 9, -1, -1), ESTABLISHED, NOW, NOW, &none);
	for (; i < TG_BUCKET_WAYS; i++) {
		make(second[i].slot, SYN_SENT, NOW - TG_HANDSHAKE_SILENT_MS);
		open_flow(&table, tag_for(&table, &seed, 9, -1, -1), ESTABLISHED, NOW, NOW, &none);
		assert_ptr_equal(none.slot, second[i].slot);
		assert_int_equal(spilled(&table, 4), TG_BUCKET_WAYS - i);
	}
	assert_true(tg_slot_free(&table, third.slot, third.number, third.slot->claim));
	assert_int_equal(spilled(&table, 4), 0);
	assert_int_equal(table.word[4] & TG_BUCKET_SERIAL_MASK,
			 serial + (TG_BUCKET_WAYS + 1) * TG_BUCKET_SERIAL_ONE);
	free_table(&table);
}

/*
 * A print of the tag is always named, whatever the others are; of prints that are not the tag's, few
 * are (by a borrow).  An insertion changes the serial, one print or the count of spilled flows, and
 * nothing else.
 */
static void prints_name_every_way_that_may_hold_the_tag(void **state)
{
	const __u64 prints = ~0ULL << TG_BUCKET_PRINTS_SHIFT;
	uint64_t seed = 11, named = 0, others = 0;
	int round;

	(void)state;
	for (round = 0; round < 100000; round++) {
		__u64 word = random_u64(&seed), tag = random_u64(&seed), after, spilled;
		__u32 way = random_below(&seed, TG_BUCKET_WAYS), other;

		word &= ~(TG_BUCKET_SPILLED_MASK & ~1ULL); /* not full */
		after = tg_word_inserted(word, tag, way);
		for (other = 0; other < TG_BUCKET_WAYS; other++) {
			__u32 at = TG_BUCKET_PRINTS_SHIFT + TG_PRINT_BITS * other;
			bool same = (after >> at & TG_PRINT_MASK) == tg_print_of(tag);
			bool found = tg_prints_matching(after, tag) >>
					     (TG_PRINT_BITS * other + TG_PRINT_BITS - 1) &
				     1;

			assert_true(found || !same);
			named += found && !same;
			others += !same;
			assert_true(other == way ? same :
						   !((after ^ word) >> at & TG_PRINT_MASK));
		}
		assert_int_equal((after - word) & TG_BUCKET_SERIAL_MASK, TG_BUCKET_SERIAL_ONE);
		assert_int_equal((after ^ word) & (TG_BUCKET_SERIAL_ONE - 1), 0);
		spilled = tg_word_spilled(word);
		assert_int_equal((spilled ^ word) & prints, 0);
		assert_int_equal(spilled & TG_BUCKET_SPILLED_MASK,
				 (word & TG_BUCKET_SPILLED_MASK) + TG_BUCKET_SPILLED_ONE);
		assert_int_equal((spilled - word) & TG_BUCKET_SERIAL_MASK, TG_BUCKET_SERIAL_ONE);
	}
	assert_true(named * 100 < others);
	assert_int_equal(tg_prints_matching(0, 0), 0); /* ways never used are never named */
}

/* Where two of the choices are one bucket, nothing is counted as spilled that lies at home. */
static void tables_of_few_buckets_count_right(void **state)
{
	__u32 buckets, round;
	uint64_t seed = 5;

	(void)state;
	for (buckets = 1; buckets <= 4; buckets++) {
		struct tg_table table = make_table(buckets);
		__u32 i, left = 0;

		for (round = 0; round < 20000; round++) {
			struct tg_ref ref;
			struct tg_slot *slot = slot_at(&table, random_below(&seed, buckets * TG_BUCKET_WAYS));

			open_flow(&table, random_u64(&seed), random_below(&seed, KINDS), NOW, NOW, &ref);
			if (random_below(&seed, 2) && (slot->claim & TG_CLAIM_LIVE))
				assert_true(tg_slot_free(&table, slot, (__u32)(slot - table.bucket[0].slot),
							 slot->claim));
		}
		for (i = 0; i < buckets * TG_BUCKET_WAYS; i++) {
			struct tg_slot *slot = slot_at(&table, i);

			if (slot->claim & TG_CLAIM_LIVE)
				assert_true(tg_slot_free(&table, slot, i, slot->claim));
		}
		for (i = 0; i < buckets; i++)
			left += spilled(&table, i) != 0;
		assert_int_equal(left, 0);
		free_table(&table);
	}
}

/* At the most the counter can hold, a newcomer is refused rather than miscounted. */
static void a_full_count_of_spilled_flows_refuses(void **state)
{
	struct tg_table table = make_table(13);
	uint64_t seed = 3;
	struct tg_ref ref;

	(void)state;
	fill_bucket(&table, &seed, 4, ESTABLISHED);
	table.word[4] |= TG_BUCKET_SPILLED_MASK - 1;
	open_flow(&table, tag_for(&table, &seed, 4, -1, -1), ESTABLISHED, NOW, NOW, &ref);
	assert_non_null(ref.slot);
	assert_int_equal(spilled(&table, 4), TG_BUCKET_SPILLED_MASK);
	open_flow(&table, tag_for(&table, &seed, 4, -1, -1), ESTABLISHED, NOW, NOW, &ref);
	assert_null(ref.slot);
	assert_int_equal(spilled(&table, 4), TG_BUCKET_SPILLED_MASK);
	assert_true(table.word[4] & TG_BUCKET_REFUSED);
	free_table(&table);
}

/* One bucket of eight: newcomers take them class by class, and of one class the oldest first. */
static void newcomers_displace_the_cheapest_first(void **state)
{
	static const struct {
		enum kind kind;
		__u32 age_ms;
	} order[TG_BUCKET_WAYS] = {
		{ EXPIRED_ESTABLISHED, 0 },
		{ SYN_SENT, 59000 },
		{ SYN_RECEIVED, 58000 },
		{ SYN_SENT, 1 },
		{ CLOSED, 5000 },
		{ TIME_WAIT, 239000 },
		{ LAST, 100000 },
		{ UNCONFIRMED, 9000 },
	};
	int rotation, i;

	(void)state;
	for (rotation = 0; rotation < TG_BUCKET_WAYS; rotation++) {
		struct tg_table table = make_table(1);
		__u64 tag[TG_BUCKET_WAYS];
		uint64_t seed = (uint64_t)rotation + 1;
		struct tg_ref ref;

		for (i = 0; i < TG_BUCKET_WAYS; i++) {
			int which = (i * 3 + rotation) % TG_BUCKET_WAYS;

			tag[which] = random_u64(&seed);
			/* Opened at a time when none of them is old. */
			open_flow(&table, tag[which], ESTABLISHED, NOW, NOW, &ref);
			make(ref.slot, order[which].kind, NOW - order[which].age_ms);
		}
		for (i = 0; i < TG_BUCKET_WAYS; i++) {
			assert_true(is_there(&table, tag[i]));
			open_flow(&table, random_u64(&seed), ESTABLISHED, NOW, NOW, &ref);
			assert_non_null(ref.slot);
			if (is_there(&table, tag[i]))
				fail_msg("newcomer %d did not displace the one whose turn it was", i);
		}
		open_flow(&table, random_u64(&seed), ESTABLISHED, NOW, NOW, &ref);
		assert_null(ref.slot);
		assert_true(table.word[0] & TG_BUCKET_REFUSED);
		free_table(&table);
	}
}

static void established_and_half_closed_flows_are_never_displaced(void **state)
{
	static const enum kind kinds[] = { ESTABLISHED, HALF_CLOSED, CLOSE_WAIT };
	struct tg_table table = make_table(3);
	__u64 tags[3 * TG_BUCKET_WAYS];
	uint64_t seed = 7;
	struct tg_ref ref;
	size_t count = 0, i;

	(void)state;
	for (i = 0; i < 10000 && count < COUNT(tags); i++) {
		tags[count] = random_u64(&seed);
		/* As old as a half-closed flow gets without expiring. */
		open_flow(&table, tags[count], kinds[count % COUNT(kinds)], NOW - 3600000, NOW, &ref);
		count += !!ref.slot;
	}
	assert_int_equal(count, COUNT(tags));
	for (i = 0; i < 100000; i++) {
		open_flow(&table, random_u64(&seed), SYN_SENT, NOW, NOW, &ref);
		assert_null(ref.slot);
	}
	for (i = 0; i < count; i++)
		assert_true(is_there(&table, tags[i]));
	/* A slot that is being filled is not anybody's either. */
	ref.slot = slot_at(&table, 5);
	ref.slot->claim &= ~TG_CLAIM_LIVE;
	make(ref.slot, SYN_SENT, NOW);
	open_flow(&table, random_u64(&seed), SYN_SENT, NOW, NOW, &ref);
	assert_null(ref.slot);
	free_table(&table);
}

/* A flood displaces the oldest handshake, so a new one has as long as the bucket allows. */
static void a_flood_displaces_handshakes_oldest_first(void **state)
{
	struct tg_table table = make_table(1);
	__u64 tag[100];
	uint64_t seed = 9;
	struct tg_ref ref;
	__u32 i, j;

	(void)state;
	for (i = 0; i < COUNT(tag); i++) {
		tag[i] = random_u64(&seed);
		open_flow(&table, tag[i], SYN_SENT, NOW + i, NOW + i, &ref);
		assert_non_null(ref.slot);
		for (j = 0; j <= i; j++)
			assert_int_equal(is_there(&table, tag[j]), i - j < TG_BUCKET_WAYS);
	}
	free_table(&table);
}

/*
 * Another CPU that read the clock a moment later has stamped a slot: a stamp ahead of now is age 0,
 * the youngest, not the oldest.
 */
/* Room in another bucket is taken first: an honest client's handshake lasts a round trip. */
static void a_handshake_in_progress_is_displaced_last(void **state)
{
	static const struct {
		__u32 age_ms;
		bool stays;
	} cases[] = {
		{ 0, true },
		{ TG_HANDSHAKE_SILENT_MS - 1, true },
		{ TG_HANDSHAKE_SILENT_MS, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tg_table table = make_table(31);
		struct tg_ref handshake, newcomer;
		uint64_t seed = 3;
		__u64 tag;

		fill_bucket(&table, &seed, 4, ESTABLISHED);
		handshake.slot = &table.bucket[4].slot[5];
		tag = handshake.slot->tag;
		make(handshake.slot, SYN_RECEIVED, NOW - cases[i].age_ms);
		open_flow(&table, tag_for(&table, &seed, 4, 9, 2), SYN_SENT, NOW, NOW, &newcomer);
		assert_non_null(newcomer.slot);
		assert_int_equal(is_there(&table, tag), cases[i].stays);
		assert_int_equal(newcomer.number / TG_BUCKET_WAYS, cases[i].stays ? 9 : 4);
		assert_int_equal(spilled(&table, 4), cases[i].stays);
		free_table(&table);
	}
}

static void a_stamp_ahead_of_now_is_the_youngest(void **state)
{
	static const __u32 ahead_ms[] = { 1, 4, 10, 999 };
	size_t i;
	int j;

	(void)state;
	for (i = 0; i < COUNT(ahead_ms); i++) {
		struct tg_table table = make_table(1);
		uint64_t seed = 11;
		struct tg_ref ref, young = {}, oldest = {};

		for (j = 0; j < TG_BUCKET_WAYS; j++) {
			open_flow(&table, random_u64(&seed), SYN_SENT, NOW - 1000, NOW, &ref);
			oldest = j == 3 ? ref : oldest;
			young = j == 5 ? ref : young;
		}
		oldest.slot->stamp_ms = NOW - 5000;
		young.slot->stamp_ms = NOW + ahead_ms[i];
		open_flow(&table, random_u64(&seed), SYN_SENT, NOW, NOW, &ref);
		if (ref.slot == young.slot)
			fail_msg("%u ms ahead: the youngest handshake was displaced", ahead_ms[i]);
		assert_ptr_equal(ref.slot, oldest.slot);
		free_table(&table);
	}
}

static void ages_survive_the_wrap_of_the_clock(void **state)
{
	static const struct {
		__u32 stamp, now;
		bool expired;
	} rows[] = {
		{ 0xffffffff, 0, false }, { 0xffffff00, 59743, false }, { 0xffffff00, 59744, false }, { 0xffffff00, 59745, true }, { 0, 60000, false }, { 0, 60001, true }, { 5, 4, false }, /* ahead of now: another CPU's clock */
		{ 1000, 1, false },
		{ 0, 0x7fffffff, true },
		{ 0, 0x80000000, true },
		{ 60000, 1, false },
		{ 60001, 1, true }, /* 49.7 days silent, not a minute ahead */
	};
	struct tg_slot slot = {};
	size_t i;

	(void)state;
	set_facts(&slot, TG_FACT_SYN, 0);
	for (i = 0; i < COUNT(rows); i++) {
		slot.stamp_ms = rows[i].stamp;
		if (tg_slot_expired(&slot, &timeouts, rows[i].now) != rows[i].expired)
			fail_msg("stamp %#x, now %#x", rows[i].stamp, rows[i].now);
	}
}

/* Timeouts of 2.12, at the millisecond; unacknowledged data and silent peers have 300 s. */
static void timeouts_by_phase(void **state)
{
	static const struct {
		enum kind kind;
		__u32 timeout_s;
	} rows[] = {
		{ SYN_SENT, 60 },
		{ SYN_RECEIVED, 60 },
		{ CLOSED, 120 },
		{ TIME_WAIT, 240 },
		{ LAST, 120 },
		{ UNCONFIRMED, 300 },
		{ ESTABLISHED, 86400 },
		{ HALF_CLOSED, 3600 },
		{ CLOSE_WAIT, 3600 },
	};
	struct tg_slot slot = {};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		make(&slot, rows[i].kind, NOW);
		assert_false(tg_slot_expired(&slot, &timeouts, NOW + rows[i].timeout_s * 1000));
		assert_true(tg_slot_expired(&slot, &timeouts, NOW + rows[i].timeout_s * 1000 + 1));
	}
	make(&slot, ESTABLISHED, NOW);
	slot.half[TG_SIDE_LO].end++; /* sent, not acknowledged */
	assert_false(tg_slot_expired(&slot, &timeouts, NOW + 300000));
	assert_true(tg_slot_expired(&slot, &timeouts, NOW + 300001));
	slot.half[TG_SIDE_HI].ack++;
	slot.half[TG_SIDE_HI].end++;
	assert_true(tg_slot_expired(&slot, &timeouts, NOW + 300001));
}

/* The number of buckets the daemon makes for --max-flows. */
static __u32 buckets_for(__u32 flows)
{
	return (flows * TG_SLOTS_PER_FLOW + TG_BUCKET_WAYS - 1) / TG_BUCKET_WAYS;
}

struct capacity {
	__u32 refused, elsewhere; /* found no slot; live in their second or third bucket */
};

static struct capacity fill_with_established(const struct tuple_family *family, __u64 hash_seed,
					     __u32 flows)
{
	struct tg_table table = make_table(buckets_for(flows));
	struct capacity result = {};
	struct tg_hash_key hash;
	struct tg_packet pkt;
	__u32 i, lost = 0;

	random_hash_key(hash_seed, 0, &hash);
	for (i = 0; i < flows; i++) {
		struct tg_ref ref;

		family->make(i, &pkt);
		assert_int_equal(open_flow(&table, tg_flow_identify(&hash, &pkt).tag, ESTABLISHED, NOW, NOW,
					   &ref),
				 TG_FOUND_NONE);
		result.refused += !ref.slot;
	}
	for (i = 0; i < table.buckets; i++)
		result.elsewhere += spilled(&table, i);
	for (i = 0; i < flows; i++) {
		family->make(i, &pkt);
		lost += !is_there(&table, tg_flow_identify(&hash, &pkt).tag);
	}
	assert_int_equal(lost, result.refused);
	free_table(&table);
	return result;
}

/* design.md 3: at the number of flows stated, fewer than one in 10,000 finds no slot. */
static void the_stated_number_of_flows_fits(void **state)
{
	static const __u32 sizes[] = { 1 << 20, 700001, 1 << 20, 65536, 1024 };
	bool good = true;
	size_t f, s;

	(void)state;
	for (f = 0; f < TUPLE_FAMILIES; f++) {
		for (s = f % 2; s < COUNT(sizes); s += 2) {
			struct capacity got = fill_with_established(&tuple_families[f], s + f, sizes[s]);

			print_message("# %7u flows, %-24s %5.2f %% not at home, %u without a slot (1 in %.0f)\n",
				      sizes[s], tuple_families[f].name, got.elsewhere * 100.0 / sizes[s],
				      got.refused, got.refused ? sizes[s] / (double)got.refused : INFINITY);
			/* A small table may have one by chance. */
			good &= got.refused <= (sizes[s] < 100000 ? 1 : 0) + (sizes[s] - 1) / 10000;
		}
	}
	assert_true(good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slot_goes_through_its_life),
		cmocka_unit_test(a_late_writer_marks_the_slot),
		cmocka_unit_test(the_generation_wraps),
		cmocka_unit_test(a_full_home_spills_into_the_second_and_third_bucket),
		cmocka_unit_test(prints_name_every_way_that_may_hold_the_tag),
		cmocka_unit_test(tables_of_few_buckets_count_right),
		cmocka_unit_test(a_full_count_of_spilled_flows_refuses),
		cmocka_unit_test(newcomers_displace_the_cheapest_first),
		cmocka_unit_test(established_and_half_closed_flows_are_never_displaced),
		cmocka_unit_test(a_flood_displaces_handshakes_oldest_first),
		cmocka_unit_test(a_handshake_in_progress_is_displaced_last),
		cmocka_unit_test(a_stamp_ahead_of_now_is_the_youngest),
		cmocka_unit_test(ages_survive_the_wrap_of_the_clock),
		cmocka_unit_test(timeouts_by_phase),
		cmocka_unit_test(the_stated_number_of_flows_fits),
	};

	return cmocka_run_group_tests_name("flow table", tests, NULL, NULL);
}
