/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flow table under many threads: the same few buckets, the same few flows, packets of both
 * directions, newcomers that displace, a sweeper that frees.  What must hold is looked at when all
 * threads stand still.  Built with ThreadSanitizer where it works (races.h).
 */
#include <pthread.h>
#include <stdatomic.h>

#include "tests/unit/native_path.h"
#include "tests/unit/races.h"

#define THREADS 6
#define FLOWS 48
#define NOW_MS 0x10000000U
#define EST_FACTS (TG_FACT_SYN | TG_FACT_HASACK | TG_FACT_ACKSYN)

static _Thread_local uint64_t seed = 1;

#ifdef __SANITIZE_THREAD__
/*
 * Races that are meant: a half is read while its owner raises it, number by number; counters
 * and rate limits are plain (flow.h); a late writer meets the next owner's filling
 * and is caught by tg_flow_check_owner(); a slot is ranked while it changes, and the swap decides.
 */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:^tg_flow_admit$\n"
	       "race:^tg_flow_rules$\n"
	       "race:^tg_flow_advance$\n"
	       "race:^tg_flow_phase$\n"
	       "race:^tg_slot_score$\n"
	       "race:^tg_slot_expired$\n"
	       "race:^tg_fill_slot$\n"
	       "race:^tg_begin_half$\n"
	       "race:^tg_count_first$\n"
	       "race:^tg_add_facts$\n";
}
#endif

/* Failures are counted: an assertion must not jump out of a thread. */
static atomic_uint failures;

static void run_threads(unsigned int count, void *(*body)(void *))
{
	pthread_t thread[THREADS];
	unsigned int i;

	atomic_store(&failures, 0);
	for (i = 0; i < count; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, body, (void *)(uintptr_t)(i + 1)), 0);
	for (i = 0; i < count; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(atomic_load(&failures), 0);
}

/* Flow k uses numbers from k << 24 on, both ways, and none beyond this much. */
#define SPAN 0x100000U

static __u32 base_of(__u32 flow)
{
	return flow << 24;
}

static void packet_of(__u32 flow, bool from_low, struct tg_packet *pkt)
{
	memset(pkt, 0, sizeof(*pkt));
	pkt->ipv4 = true;
	pkt->segments = 1;
	pkt->window = 20; /* an adopted flow takes it for 320 KiB */
	pkt->saddr[2] = pkt->daddr[2] = htonl(0xffff);
	pkt->saddr[3] = htonl(from_low ? 0x0a000001 : 0x0a000002);
	pkt->daddr[3] = htonl(from_low ? 0x0a000002 : 0x0a000001);
	pkt->sport = htons(from_low ? (__u16)(1000 + flow) : 80);
	pkt->dport = htons(from_low ? 80 : (__u16)(1000 + flow));
}

static __u64 tag_of(__u32 flow)
{
	struct tg_packet pkt;

	packet_of(flow, true, &pkt);
	return tg_flow_identify(&tg_program.hash, &pkt).tag;
}

static atomic_uint suspicions; /* segments that met a marked flow */

static enum tg_verdict say(__u32 flow, bool from_low, __u8 flags, __u32 seq, __u32 ack, __u32 payload)
{
	enum tg_verdict verdict;
	struct tg_packet pkt;

	packet_of(flow, from_low, &pkt);
	pkt.flags = flags;
	pkt.seq = base_of(flow) + seq;
	pkt.ack = flags & TG_ACK ? base_of(flow) + ack : 0;
	tg_set_payload(&pkt, payload);
	verdict = native_judge(&pkt, NOW_MS);
	if (verdict == TG_PASS_SUSPECT)
		atomic_fetch_add(&suspicions, 1);
	return verdict;
}

/* All that must be true of a table nobody is using. */
static void check_table(void)
{
	__u32 numbers = tg_program.buckets * TG_BUCKET_WAYS, i, j;
	struct tg_table table = native_table();

	for (i = 0; i < tg_program.buckets; i++) {
		__u64 strangers = 0;

		for (j = 0; j < numbers; j++) {
			const struct tg_slot *slot = native_slot(j);

			strangers += tg_claim_live(slot->claim) && j / TG_BUCKET_WAYS != i &&
				     tg_bucket_of(slot->tag, 0, tg_program.buckets) == i;
		}
		if ((native.word[i] & TG_BUCKET_SPILLED_MASK) != strangers)
			fail_msg("bucket %u counts %llu spilled flows, there are %llu", i,
				 native.word[i] & TG_BUCKET_SPILLED_MASK, strangers);
	}
	for (i = 0; i < numbers; i++) {
		const struct tg_slot *slot = native_slot(i);
		struct tg_ref ref;
		__u64 *word;

		if ((slot->claim & TG_CLAIM_OWNED) && !tg_claim_live(slot->claim))
			fail_msg("slot %u is owned by nobody", i);
		if (!tg_claim_live(slot->claim))
			continue;
		for (j = 0; j < i; j++)
			if (tg_claim_live(native_slot(j)->claim) && native_slot(j)->tag == slot->tag)
				fail_msg("slots %u and %u hold the same flow", i, j);
		if (tg_flow_find(&table, slot->tag, &ref, &word) != TG_FOUND_LIVE || ref.number != i)
			fail_msg("the flow in slot %u is not found", i);
	}
}

static bool in_range(__u32 flow, __u32 number)
{
	return number - base_of(flow) < SPAN;
}

static bool half_is_of(__u32 flow, const struct tg_half *half)
{
	return (!(half->facts & TG_FACT_SYN) || in_range(flow, half->end)) &&
	       (!(half->facts & TG_FACT_HASACK) ||
		(in_range(flow, half->ack) && in_range(flow, half->right))) &&
	       (!tg_half_aux_kind(half) || in_range(flow, half->aux));
}

/* A slot that holds numbers of another flow is marked. */
static void check_ownership(void)
{
	__u32 flow, i;

	for (i = 0; i < tg_program.buckets * TG_BUCKET_WAYS; i++) {
		const struct tg_slot *slot = native_slot(i);

		if (!tg_claim_live(slot->claim))
			continue;
		for (flow = 0; flow < FLOWS && tag_of(flow) != slot->tag; flow++)
			;
		assert_true(flow < FLOWS);
		if (!(slot->claim & TG_CLAIM_SUSPECT) &&
		    !(half_is_of(flow, &slot->half[0]) && half_is_of(flow, &slot->half[1])))
			fail_msg("flow %u holds numbers of another and is not marked: "
				 "%#x %#x %#x aux %#x facts %#x, %#x %#x %#x aux %#x facts %#x",
				 flow,
				 slot->half[0].end, slot->half[0].ack, slot->half[0].right,
				 slot->half[0].aux, slot->half[0].facts, slot->half[1].end,
				 slot->half[1].ack, slot->half[1].right, slot->half[1].aux,
				 slot->half[1].facts);
	}
}

static void put_established(__u32 number, __u64 tag)
{
	struct tg_slot *slot = native_slot(number);

	slot->tag = tag;
	slot->claim = TG_CLAIM_OWNED | TG_CLAIM_LIVE | TG_CLAIM_GENERATION_ONE;
	slot->stamp_ms = NOW_MS;
	slot->half[0].facts = slot->half[1].facts = EST_FACTS;
}

/* Everyone opens the same flows, in the same order, at the same time. */
static pthread_barrier_t barrier;
static atomic_uint verdicts[TG_VERDICT_MAX];
#define OPENINGS 400

static void *open_the_same(void *number)
{
	__u32 i;

	seed = (uintptr_t)number;
	for (i = 0; i < OPENINGS; i++) {
		enum tg_verdict verdict;

		pthread_barrier_wait(&barrier);
		verdict = say(i % FLOWS, true, TG_SYN, 0, 0, 0);
		atomic_fetch_add(&verdicts[verdict], 1);
		pthread_barrier_wait(&barrier);
		/* One sweeps it away again. */
		if ((uintptr_t)number == 1) {
			struct tg_table table = native_table();
			unsigned int live = 0, j;

			for (j = 0; j < tg_program.buckets * TG_BUCKET_WAYS; j++) {
				struct tg_slot *slot = native_slot(j);

				if (!tg_claim_live(slot->claim) || slot->tag != tag_of(i % FLOWS))
					continue;
				live++;
				tg_slot_free(&table, slot, j, slot->claim);
			}
			if (live != 1)
				atomic_fetch_add(&failures, 1);
		}
	}
	return NULL;
}

/* Where places are few, those who race may hold all of them for a moment: TABLE_FULL. */
static void check_openings(void)
{
	__u32 opened = atomic_load(&verdicts[TG_PASS_NEW]), busy = atomic_load(&verdicts[TG_PASS_BUSY]);
	__u32 again = atomic_load(&verdicts[TG_NOUPD_SYN_RETRANS]);
	__u32 full = atomic_load(&verdicts[TG_PASS_TABLE_FULL]);

	print_message("# %u flows, opened by %d threads at once: %u NEW, %u SYN_RETRANS, %u BUSY, "
		      "%u TABLE_FULL, %u SUSPECT\n",
		      4 * OPENINGS, THREADS, opened, again, busy, full,
		      atomic_load(&verdicts[TG_PASS_SUSPECT]));
	/* Nobody displaces the very flow he is opening: it is new once, and nobody writes to it late. */
	assert_int_equal(opened, 4 * OPENINGS);
	assert_int_equal(opened + again + busy + full, 4 * OPENINGS * THREADS);
	assert_true(full < 4 * OPENINGS / 20);
}

static void a_flow_opened_by_all_at_once_exists_once(void **state)
{
	__u32 buckets, i;

	(void)state;
	for (buckets = 1; buckets <= 4; buckets++) {
		native_open(buckets, true);
		/* Half of the places taken for good, so that some homes are full and flows spill. */
		for (i = 0; i < buckets * TG_BUCKET_WAYS; i++)
			if (i % TG_BUCKET_WAYS == 0 || (i / TG_BUCKET_WAYS == 1 && i % TG_BUCKET_WAYS < 7))
				put_established(i, i + 1);
		for (i = 0; i < buckets * TG_BUCKET_WAYS; i++) /* at home, by their made-up tags: not counted */
			if (tg_claim_live(native_slot(i)->claim))
				native_slot(i)->tag |= ((__u64)(i / TG_BUCKET_WAYS) << 32) * (0xffffffff / buckets);
		pthread_barrier_init(&barrier, NULL, THREADS);
		run_threads(THREADS, open_the_same);
		pthread_barrier_destroy(&barrier);
		native_close();
	}
	check_openings();
}

/* Any segment of any flow, as fast as it goes; numbers differ a little so that flows restart. */
#define CHURN 10000

static void *churn(void *number)
{
	struct tg_table table = native_table();
	int i;

	seed = (uintptr_t)number * 7919 + random_u64(&seed);
	for (i = 0; i < CHURN; i++) {
		__u32 flow = random_below(&seed, FLOWS), small = random_below(&seed, 3);
		bool low = random_below(&seed, 2);

		switch (random_below(&seed, 10)) {
		case 0:
		case 1:
			say(flow, low, TG_SYN, small, 0, 0);
			break;
		case 2:
		case 3:
			say(flow, low, TG_SYN | TG_ACK, small, 1 + random_below(&seed, 3), 0);
			break;
		case 4:
			say(flow, low, TG_FIN | TG_ACK, 100, 1 + small, 0);
			break;
		case 5:
			say(flow, low, TG_RST, 1 + small, 0, 0);
			break;
		case 6: { /* the sweeper: frees what it finds, if it is still that */
			__u32 slot = random_below(&seed, tg_program.buckets * TG_BUCKET_WAYS);
			__u32 claim = TG_READ_ONCE(native_slot(slot)->claim);

			if (tg_claim_live(claim))
				tg_slot_free(&table, native_slot(slot), slot, claim);
			break;
		}
		default:
			say(flow, low, TG_ACK, 1 + small, 1 + small, random_below(&seed, 100));
		}
	}
	return NULL;
}

static void churn_leaves_an_exact_table(void **state)
{
	__u32 round;

	(void)state;
	atomic_store(&suspicions, 0);
	for (round = 0; round < 8; round++) {
		native_open(1 + round % 4, true);
		seed = round + 1;
		run_threads(THREADS, churn);
		check_table();
		check_ownership();
		native_close();
	}
	print_message("# %d segments and frees on %d flows in at most 32 slots: %u met a marked flow\n",
		      8 * THREADS * CHURN, FLOWS, atomic_load(&suspicions));
}

/* Who finds a live slot finds it filled: the full key is that of the tag, or the slot has changed. */
static void *look_closely(void *number)
{
	struct tg_table table = native_table();
	int i;

	if ((uintptr_t)number > THREADS / 2)
		return churn(number);
	seed = (uintptr_t)number;
	for (i = 0; i < 2 * CHURN; i++) {
		__u32 flow = random_below(&seed, FLOWS);
		struct tg_flow_key key;
		struct tg_packet pkt;
		struct tg_ref ref;
		__u64 *word;

		packet_of(flow, true, &pkt);
		if (tg_flow_find(&table, tag_of(flow), &ref, &word) != TG_FOUND_LIVE)
			continue;
		memcpy(&key, &native.detail[ref.number].key, sizeof(key));
		__sync_synchronize();
		if (tg_same_generation(TG_READ_ONCE(ref.slot->claim), ref.claim) &&
		    (TG_READ_ONCE(ref.slot->claim) & TG_CLAIM_LIVE) &&
		    !tg_key_is_of_packet(&key, &pkt, TG_SIDE_LO, 0))
			atomic_fetch_add(&failures, 1);
	}
	return NULL;
}

static void a_live_slot_is_a_filled_slot(void **state)
{
	(void)state;
	native_open(2, true);
	run_threads(THREADS, look_closely);
	check_table();
	check_ownership();
	native_close();
}

/* Two CPUs carry each direction of one flow; every segment is inside the window. */
#define RAISES 10000

static void *carry_one_direction(void *number)
{
	uintptr_t who = (uintptr_t)number - 1;
	__u32 i;

	seed = who + 1;
	/* 0 and 1 carry one direction, 2 and 3 the other; odd and even numbers. */
	for (i = (__u32)(who & 1); i < RAISES; i += 2)
		if (tg_verdict_drops(say(0, who < 2, TG_ACK, 1 + i, 1, 1)))
			atomic_fetch_add(&failures, 1);
	return NULL;
}

static void no_raise_is_lost_when_two_cpus_carry_one_direction(void **state)
{
	int round;

	(void)state;
	for (round = 0; round < 10; round++) {
		__u32 i;

		native_open(1, true);
		assert_int_equal(say(0, true, TG_SYN, 0, 0, 0), TG_PASS_NEW);
		assert_int_equal(say(0, false, TG_SYN | TG_ACK, 0, 1, 0), TG_PASS_SYNACK);
		assert_int_equal(say(0, true, TG_ACK, 1, 1, 0), TG_PASS_OK);
		for (i = 0; i < 2; i++) { /* 64 KiB of window each way */
			native_slot((__u32)(tag_of(0) & 7))->half[i].right = base_of(0) + 65536;
			native_slot((__u32)(tag_of(0) & 7))->half[i].maxwin = 65536;
		}
		run_threads(4, carry_one_direction);
		for (i = 0; i < 2; i++)
			assert_int_equal(native_slot((__u32)(tag_of(0) & 7))->half[i].end,
					 base_of(0) + 1 + RAISES);
		check_table();
		native_close();
	}
}

static void *raise_all(void *number)
{
	struct tg_half *half = &native_slot(0)->half[0];
	__u32 i, seen = 0xffff0000;

	seed = (uintptr_t)number;
	for (i = (__u32)(uintptr_t)number; i <= 2 * RAISES; i += 2) {
		__u32 now;

		tg_raise(&half->ack, 0xffff0000 + i, false);
		tg_raise_window(&half->maxwin, i);
		tg_add_facts(half, 1U << (i & 15));
		now = TG_READ_ONCE(half->ack);
		if (tg_seq_before(now, seen))
			atomic_fetch_add(&failures, 1);
		seen = now;
	}
	return NULL;
}

static void numbers_only_grow(void **state)
{
	int round;

	(void)state;
	for (round = 0; round < 10; round++) {
		native_open(1, false);
		native_slot(0)->half[0].ack = 0xffff0000;
		run_threads(2, raise_all);
		assert_int_equal(native_slot(0)->half[0].ack, (__u32)(0xffff0000 + 2 * RAISES));
		assert_int_equal(native_slot(0)->half[0].maxwin, 2 * RAISES);
		assert_int_equal(native_slot(0)->half[0].facts, 0xffff);
		native_close();
	}
}

/* A packet is judged while its slot is given to another flow, again and again. */
static atomic_bool stop;

static void *write_late(void *number)
{
	struct tg_table table = native_table();
	__u32 i;

	seed = (uintptr_t)number;
	if ((uintptr_t)number <= 3) {
		while (!atomic_load(&stop))
			say((__u32)(uintptr_t)number % 2, random_below(&seed, 2), TG_ACK,
			    1 + random_below(&seed, 1000), 1, 1);
		return NULL;
	}
	for (i = 0; i < 40; i++) {
		__u32 slot = random_below(&seed, TG_BUCKET_WAYS), flow = i % 2;
		__u32 claim = TG_READ_ONCE(native_slot(slot)->claim);

		if (tg_claim_live(claim))
			tg_slot_free(&table, native_slot(slot), slot, claim);
		say(flow, true, TG_SYN, 0, 0, 0);
		say(flow, false, TG_SYN | TG_ACK, 0, 1, 0);
		say(flow, true, TG_ACK, 1, 1, 0);
	}
	atomic_store(&stop, true);
	return NULL;
}

static void a_late_writer_leaves_a_mark(void **state)
{
	unsigned int round;

	(void)state;
	atomic_store(&suspicions, 0);
	for (round = 0; round < 400; round++) {
		native_open(1, true);
		atomic_store(&stop, false);
		run_threads(4, write_late);
		check_table();
		check_ownership();
		native_close();
	}
	print_message("# %u segments met a marked flow\n", atomic_load(&suspicions));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_opened_by_all_at_once_exists_once),
		cmocka_unit_test(churn_leaves_an_exact_table),
		cmocka_unit_test(a_live_slot_is_a_filled_slot),
		cmocka_unit_test(no_raise_is_lost_when_two_cpus_carry_one_direction),
		cmocka_unit_test(numbers_only_grow),
		cmocka_unit_test(a_late_writer_leaves_a_mark),
		cmocka_unit_test(threads_are_watched_by_the_sanitizer),
	};

	return cmocka_run_group_tests_name("flow race", tests, NULL, NULL);
}
