/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sweep beside threads that open, renew and end flows as the data path does: afterwards every
 * slot and every count of spilled flows must agree.  Built with ThreadSanitizer where it works
 * (races.h), and the ager with it.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "bpf/flow_table.h"
#include "daemon/ager.h"
#include "tests/unit/races.h"

#define BUCKETS 32 /* small, so that buckets overflow and threads meet */
#define SLOTS (BUCKETS * TG_BUCKET_WAYS)
#define TAGS 1024
#define ROUNDS 60000
#define OPENERS 3
#define OPERATIONS_PER_MS 32 /* 5.6 s in all: nobody may seem stuck for AGER_STUCK_MS */
#define BEGIN_MS 0x1fffff800ULL /* the low 32 bits wrap after two seconds */
#define TIMEOUT_MS 20

static struct tg_settings settings;
static struct tg_bucket buckets[BUCKETS];
static struct tg_detail details[SLOTS];
static __u64 words[BUCKETS];
static const struct tg_table table = { .buckets = BUCKETS,
				       .timeouts = &settings.config[0].timeouts,
				       .bucket = buckets,
				       .detail = details,
				       .word = words };
static atomic_ulong operations;
static atomic_int openers_at_work;
static atomic_ulong opened;

static uint64_t now_ms(void)
{
	return BEGIN_MS + operations / OPERATIONS_PER_MS;
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static __u64 tag_of(uint32_t number)
{
	__u64 tag = (number + 1) * 0x9e3779b97f4a7c15ULL;

	return tag ^ tag >> 29;
}

static void fill(const struct tg_ref *ref, uint32_t kind)
{
	struct tg_half *half = ref->slot->half;

	TG_WRITE_ONCE(ref->slot->stamp_ms, (__u32)now_ms());
	TG_WRITE_ONCE(half[TG_SIDE_LO].facts, kind % 2 ? TG_FACT_SYN : TG_FACT_RST | TG_FACT_SYN);
	TG_WRITE_ONCE(half[TG_SIDE_HI].facts, 0);
	tg_flow_publish(ref);
	opened++;
}

static void *open_and_renew(void *argument)
{
	uint32_t seed = (uint32_t)(uintptr_t)argument, i;

	for (i = 0; i < ROUNDS; i++) {
		uint32_t random = next_random(&seed);
		struct tg_ref ref = { 0 };
		__u64 tag = tag_of(random % TAGS);
		int found = tg_flow_claim(&table, tag, 0, (__u32)now_ms(), &ref);

		if (found == TG_FOUND_NONE && ref.slot)
			fill(&ref, random >> 16);
		else if (ref.slot && !tg_slot_expired(ref.slot, table.timeouts, (__u32)now_ms()))
			TG_WRITE_ONCE(ref.slot->stamp_ms, (__u32)now_ms());
		operations++;
	}
	openers_at_work--;
	return NULL;
}

static void *sweep(void *argument)
{
	while (openers_at_work)
		ager_sweep(argument, &settings, now_ms());
	return NULL;
}

/* What the bucket words say about flows outside their home, against what is there. */
static void check_spilled(void)
{
	uint32_t spilled[BUCKETS] = { 0 }, index, way;

	for (index = 0; index < BUCKETS; index++) {
		for (way = 0; way < TG_BUCKET_WAYS; way++) {
			const struct tg_slot *slot = &buckets[index].slot[way];
			uint32_t home = tg_bucket_of(slot->tag, 0, BUCKETS);

			if (!(slot->claim & TG_CLAIM_OWNED))
				continue;
			assert_true(tg_claim_live(slot->claim));
			if (home != index)
				spilled[home]++;
		}
	}
	for (index = 0; index < BUCKETS; index++)
		assert_int_equal(words[index] & TG_BUCKET_SPILLED_MASK, spilled[index]);
}

static void gc_race_leaves_counts_that_agree(void **state)
{
	struct ager *ager = ager_new(&table, SLOTS / TG_SLOTS_PER_FLOW);
	pthread_t sweeper, openers[OPENERS];
	uintptr_t i;

	(void)state;
	assert_non_null(ager);
	for (i = 0; i < TG_PHASE_MAX; i++)
		settings.config[0].timeouts.phase_ms[i] = TIMEOUT_MS;
	settings.config[0].timeouts.unconfirmed_ms = settings.config[0].timeouts.shortest_ms = TIMEOUT_MS;
	openers_at_work = OPENERS;
	for (i = 0; i < OPENERS; i++)
		assert_false(pthread_create(&openers[i], NULL, open_and_renew, (void *)(i + 1)));
	assert_false(pthread_create(&sweeper, NULL, sweep, ager));
	for (i = 0; i < OPENERS; i++)
		pthread_join(openers[i], NULL);
	pthread_join(sweeper, NULL);
	assert_true(opened > SLOTS);
	check_spilled();
	ager_sweep(ager, &settings, now_ms() + AGER_STUCK_MS);
	check_spilled();
	for (i = 0; i < SLOTS; i++)
		assert_false(buckets[i / TG_BUCKET_WAYS].slot[i % TG_BUCKET_WAYS].claim &
			     TG_CLAIM_OWNED);
	ager_free(ager);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gc_race_leaves_counts_that_agree),
		cmocka_unit_test(threads_are_watched_by_the_sanitizer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
