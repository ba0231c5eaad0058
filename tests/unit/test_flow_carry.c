/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows carried from one table to another of another size, or another layout, while packets pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/flow_table.h"
#include "daemon/flow_carry.h"

#define NOW_MS 5000000U

static const struct tg_timeouts timeouts = TG_TIMEOUTS_DEFAULT;

static void make_table(struct tg_table *table, __u32 buckets)
{
	table->buckets = buckets;
	table->timeouts = &timeouts;
	table->bucket = calloc(buckets, sizeof(*table->bucket));
	table->detail = calloc((size_t)buckets * TG_BUCKET_WAYS, sizeof(*table->detail));
	table->word = calloc(buckets, sizeof(*table->word));
	assert_true(table->bucket && table->detail && table->word);
}

static void free_table(struct tg_table *table)
{
	free(table->bucket);
	free(table->detail);
	free(table->word);
}

static struct flow_carry_source source_of(const struct tg_table *table)
{
	return (struct flow_carry_source){ layout_own(), table->bucket, table->detail,
					   (uint64_t)table->buckets * TG_BUCKET_WAYS, table->word };
}

static __u64 tag_of(uint32_t number)
{
	__u64 tag = (number + 1) * 0x9e3779b97f4a7c15ULL;

	return tag ^ tag >> 29;
}

static struct tg_flow_key key_of(uint32_t number)
{
	return (struct tg_flow_key){ .lo_addr = { 0, 0, 0, number }, .hi_port = 80 };
}

/* An established flow, each number telling whose it is. */
static struct tg_ref open_flow(const struct tg_table *table, uint32_t number)
{
	struct tg_ref ref = { 0 };
	struct tg_detail *detail;
	int side;

	assert_int_equal(tg_flow_claim(table, tag_of(number), TG_CLAIM_OPENER_HI, NOW_MS, &ref), TG_FOUND_NONE);
	assert_non_null(ref.slot);
	detail = tg_detail_at(table, ref.number);
	*detail = (struct tg_detail){ .key = key_of(number), .created_ms = NOW_MS - 1000 };
	for (side = 0; side < TG_SIDE_MAX; side++) {
		ref.slot->half[side] = (struct tg_half){
			.end = 1000 * number + 100,
			.ack = 1000 * number + 100,
			.right = 1000 * number + 600,
			.maxwin = 500,
			.facts = TG_FACT_SYN | TG_FACT_ACKSYN | TG_FACT_HASACK | 7 << TG_WSCALE_SHIFT,
		};
		detail->count[side].packets = 10;
		detail->count[side].bytes = 1000;
	}
	ref.slot->stamp_ms = NOW_MS - 10;
	assert_true(tg_flow_publish(&ref));
	return ref;
}

static struct tg_ref find_flow(const struct tg_table *table, uint32_t number)
{
	struct tg_ref ref = { 0 };
	__u64 *word;

	assert_int_equal(tg_flow_find(table, tag_of(number), &ref, &word), TG_FOUND_LIVE);
	return ref;
}

/* A segment of side, as the data path would follow it. */
static void segment(const struct tg_table *table, uint32_t number, int side, __u32 bytes)
{
	struct tg_ref ref = find_flow(table, number);
	struct tg_half *half = &ref.slot->half[side];
	struct tg_half_count *count = &tg_detail_at(table, ref.number)->count[side];

	half->end += bytes;
	half->ack += bytes;
	half->right += bytes;
	count->packets++;
	count->bytes += bytes;
}

static struct flow_carry_counts carry(const struct tg_table *from, const struct tg_table *to,
				      enum flow_carry_step step)
{
	struct flow_carry_source source = source_of(from);
	struct flow_carry_counts counts;

	flow_carry(&source, to, NOW_MS, step, &counts);
	return counts;
}

static void carries_every_flow_to_a_table_of_another_size(void **state)
{
	static const __u32 sizes[][2] = { { 64, 1000 }, { 1000, 64 }, { 64, 65 } };
	struct tg_table from, to;
	uint32_t number;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		make_table(&from, sizes[i][0]);
		make_table(&to, sizes[i][1]);
		for (number = 0; number < 200; number++)
			open_flow(&from, number);
		assert_int_equal(carry(&from, &to, FLOW_CARRY_BEFORE).flows, 200);
		assert_int_equal(carry(&from, &to, FLOW_CARRY_AFTER).flows, 200);
		for (number = 0; number < 200; number++) {
			struct tg_ref a = find_flow(&from, number), b = find_flow(&to, number);

			assert_memory_equal(a.slot->half, b.slot->half, sizeof(a.slot->half));
			assert_int_equal(a.slot->stamp_ms, b.slot->stamp_ms);
			assert_true(b.claim & TG_CLAIM_OPENER_HI);
			assert_memory_equal(tg_detail_at(&from, a.number), tg_detail_at(&to, b.number),
					    sizeof(struct tg_detail));
		}
		free_table(&from);
		free_table(&to);
	}
}

static void what_moves_in_between_is_known_afterwards(void **state)
{
	struct tg_table from, to;
	struct tg_ref ref;

	(void)state;
	make_table(&from, 16);
	make_table(&to, 32);
	open_flow(&from, 1);
	carry(&from, &to, FLOW_CARRY_BEFORE);
	segment(&from, 1, TG_SIDE_LO, 40); /* both hooks have the former programs */
	segment(&from, 1, TG_SIDE_HI, 70); /* one of them still */
	segment(&to, 1, TG_SIDE_LO, 45); /* the other has the new one, which saw less before */
	open_flow(&from, 2);
	carry(&from, &to, FLOW_CARRY_AFTER);
	ref = find_flow(&to, 1);
	assert_int_equal(ref.slot->half[TG_SIDE_LO].end, 1145);
	assert_int_equal(ref.slot->half[TG_SIDE_HI].end, 1170);
	assert_int_equal(ref.slot->half[TG_SIDE_HI].right, 1670);
	assert_int_equal(tg_detail_at(&to, ref.number)->count[TG_SIDE_LO].packets, 12);
	assert_int_equal(tg_detail_at(&to, ref.number)->count[TG_SIDE_LO].bytes, 1085);
	assert_int_equal(tg_detail_at(&to, ref.number)->count[TG_SIDE_HI].packets, 11);
	find_flow(&to, 2);
	free_table(&from);
	free_table(&to);
}

static void facts_of_an_untouched_half_are_replaced(void **state)
{
	struct tg_table from, to;
	struct tg_ref ref;

	(void)state;
	make_table(&from, 16);
	make_table(&to, 16);
	ref = open_flow(&from, 1);
	ref.slot->half[TG_SIDE_LO].facts |= TG_FACT_RST;
	ref.slot->half[TG_SIDE_HI].facts |= TG_FACT_RST;
	carry(&from, &to, FLOW_CARRY_BEFORE);
	/* Both disproved; one side has spoken since, where its new fact is seen. */
	ref.slot->half[TG_SIDE_LO].facts &= ~(__u32)TG_FACT_RST;
	ref.slot->half[TG_SIDE_HI].facts &= ~(__u32)TG_FACT_RST;
	segment(&to, 1, TG_SIDE_HI, 5);
	find_flow(&to, 1).slot->half[TG_SIDE_HI].facts |= TG_FACT_FIN;
	carry(&from, &to, FLOW_CARRY_AFTER);
	assert_false(find_flow(&to, 1).slot->half[TG_SIDE_LO].facts & TG_FACT_RST);
	assert_true(find_flow(&to, 1).slot->half[TG_SIDE_HI].facts & TG_FACT_FIN);
	free_table(&from);
	free_table(&to);
}

static void a_flow_adopted_in_between_becomes_exact(void **state)
{
	struct tg_table from, to;
	struct tg_half *half;
	struct tg_ref ref;
	int side;

	(void)state;
	make_table(&from, 16);
	make_table(&to, 16);
	open_flow(&from, 1);
	ref = open_flow(&to, 1);
	tg_detail_at(&to, ref.number)->created_ms = NOW_MS;
	for (side = 0; side < TG_SIDE_MAX; side++)
		ref.slot->half[side].facts = TG_FACT_PICKUP | TG_WSCALE_MASK;
	segment(&to, 1, TG_SIDE_LO, 10);
	carry(&from, &to, FLOW_CARRY_AFTER);
	half = find_flow(&to, 1).slot->half;
	assert_int_equal(half[TG_SIDE_LO].end, 1110);
	assert_false((half[TG_SIDE_LO].facts | half[TG_SIDE_HI].facts) & TG_FACT_PICKUP);
	assert_int_equal(tg_half_wscale(&half[TG_SIDE_LO]), 7);
	assert_int_equal(tg_half_wscale(&half[TG_SIDE_HI]), 7);
	assert_int_equal(tg_detail_at(&to, ref.number)->created_ms, NOW_MS - 1000);
	free_table(&from);
	free_table(&to);
}

static void of_two_connections_with_one_key_the_later_counts(void **state)
{
	struct tg_table from, to;
	struct tg_ref ref;

	(void)state;
	make_table(&from, 16);
	make_table(&to, 16);
	ref = open_flow(&from, 1);
	carry(&from, &to, FLOW_CARRY_BEFORE);
	/* Opened anew in the former table: far away in sequence space. */
	tg_detail_at(&from, ref.number)->created_ms = NOW_MS - 500;
	ref.slot->half[TG_SIDE_LO].end = 1100 - (1U << 30);
	carry(&from, &to, FLOW_CARRY_AFTER);
	assert_int_equal(find_flow(&to, 1).slot->half[TG_SIDE_LO].end, 1100 - (1U << 30));
	/* And in the new one. */
	ref = find_flow(&to, 1);
	tg_detail_at(&to, ref.number)->created_ms = NOW_MS - 100;
	ref.slot->half[TG_SIDE_LO].end = 7;
	carry(&from, &to, FLOW_CARRY_AFTER);
	assert_int_equal(find_flow(&to, 1).slot->half[TG_SIDE_LO].end, 7);
	free_table(&from);
	free_table(&to);
}

static void what_has_expired_and_what_is_being_filled_stays_behind(void **state)
{
	struct tg_table from, to;
	struct tg_ref ref = { 0 };

	(void)state;
	make_table(&from, 16);
	make_table(&to, 16);
	open_flow(&from, 1).slot->stamp_ms = NOW_MS - 86400 * 1000 - 1;
	assert_int_equal(tg_flow_claim(&from, tag_of(2), 0, NOW_MS, &ref), TG_FOUND_NONE);
	assert_int_equal(carry(&from, &to, FLOW_CARRY_BEFORE).flows, 0);
	free_table(&from);
	free_table(&to);
}

static void no_established_flow_is_displaced_in_a_table_too_small(void **state)
{
	struct flow_carry_counts counts;
	struct tg_table from, to;
	uint32_t number;

	(void)state;
	make_table(&from, 64);
	make_table(&to, 2);
	for (number = 0; number < 40; number++)
		open_flow(&from, number);
	counts = carry(&from, &to, FLOW_CARRY_BEFORE);
	assert_int_equal(counts.flows, 2 * TG_BUCKET_WAYS);
	assert_int_equal(counts.no_room, 40 - 2 * TG_BUCKET_WAYS);
	/* What they say later is let through: both buckets say so. */
	assert_true(to.word[0] & to.word[1] & TG_BUCKET_REFUSED);
	free_table(&from);
	free_table(&to);
}

static __u64 *home_of(const struct tg_table *table, uint32_t number)
{
	return tg_bucket_word_at(table, tg_bucket_of(tag_of(number), 0, table->buckets));
}

/* Whoever found no room in the former table, and may go on. */
static void who_found_no_room_is_let_through_afterwards_too(void **state)
{
	static const __u32 sizes[][2] = { { 8, 1000 }, { 7, 8 }, { 1000, 8 }, { 1000, 999 }, { 16, 16 } };
	const __u32 unlucky = 12345;
	struct tg_table from, to;
	uint32_t number, marked;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		make_table(&from, sizes[i][0]);
		make_table(&to, sizes[i][1]);
		*home_of(&from, unlucky) |= TG_BUCKET_REFUSED;
		carry(&from, &to, FLOW_CARRY_AFTER);
		assert_true(*home_of(&to, unlucky) & TG_BUCKET_REFUSED);
		marked = 0;
		for (number = 0; number < 4000; number++) {
			if (*home_of(&from, number) & TG_BUCKET_REFUSED)
				assert_true(*home_of(&to, number) & TG_BUCKET_REFUSED);
			marked += (*home_of(&to, number) & TG_BUCKET_REFUSED) != 0;
		}
		assert_in_range(marked, 0, 4000 / 3); /* and not everybody: two buckets of eight */
		free_table(&from);
		free_table(&to);
	}
}

static void a_suspect_flow_is_carried_as_long_as_an_established_one(void **state)
{
	struct tg_table from, to;
	struct tg_ref ref;
	int side;

	(void)state;
	make_table(&from, 16);
	make_table(&to, 16);
	ref = open_flow(&from, 1);
	for (side = 0; side < TG_SIDE_MAX; side++)
		ref.slot->half[side].facts |= TG_FACT_RST; /* of another connection, written late */
	ref.slot->stamp_ms = NOW_MS - 3600 * 1000;
	assert_int_equal(carry(&from, &to, FLOW_CARRY_BEFORE).flows, 0);
	ref.slot->claim |= TG_CLAIM_SUSPECT;
	assert_int_equal(carry(&from, &to, FLOW_CARRY_BEFORE).flows, 1);
	assert_true(find_flow(&to, 1).claim & TG_CLAIM_SUSPECT);
	free_table(&from);
	free_table(&to);
}

static void taking_back_keeps_what_the_new_table_learnt(void **state)
{
	struct tg_table from, to;

	(void)state;
	make_table(&from, 16);
	make_table(&to, 32);
	open_flow(&from, 1);
	carry(&from, &to, FLOW_CARRY_BEFORE);
	segment(&to, 1, TG_SIDE_LO, 30);
	open_flow(&to, 2);
	carry(&to, &from, FLOW_CARRY_BACK);
	assert_int_equal(find_flow(&from, 1).slot->half[TG_SIDE_LO].end, 1130);
	assert_int_equal(tg_detail_at(&from, find_flow(&from, 1).number)->count[TG_SIDE_LO].packets, 10);
	assert_int_equal(find_flow(&from, 2).slot->half[TG_SIDE_LO].end, 2100);
	free_table(&from);
	free_table(&to);
}

/* A segment beyond what the table knows of the flow. */
static void out_of_window(const struct tg_table *table, uint32_t number, int side)
{
	struct tg_half_count *count = &tg_detail_at(table, find_flow(table, number).number)->count[side];

	count->drops++;
	count->last_verdict = TG_DROP_SEQ_ABOVE;
}

static void expect_loose(const struct tg_table *table, uint32_t number, bool loose)
{
	const struct tg_half *half = find_flow(table, number).slot->half;
	int side;

	for (side = 0; side < TG_SIDE_MAX; side++) {
		assert_int_equal(!!(half[side].facts & TG_FACT_PICKUP), loose);
		assert_int_equal(half[side].right - half[side].ack, loose ? 1U << 30 : 500);
	}
}

static void a_flow_the_exchange_left_behind_is_judged_loosely(void **state)
{
	struct tg_table from, to;

	(void)state;
	make_table(&from, 16);
	make_table(&to, 16);
	open_flow(&from, 1);
	open_flow(&from, 2);
	out_of_window(&from, 2, TG_SIDE_LO); /* an attack of before */
	carry(&from, &to, FLOW_CARRY_BEFORE);
	segment(&from, 1, TG_SIDE_LO, 100000);
	out_of_window(&to, 1, TG_SIDE_LO);
	carry(&from, &to, FLOW_CARRY_AFTER);
	expect_loose(&to, 1, true);
	assert_int_equal(find_flow(&to, 1).slot->half[TG_SIDE_LO].end, 101100);
	expect_loose(&to, 2, false);
	/* And taken back. */
	open_flow(&from, 3);
	open_flow(&to, 3);
	out_of_window(&from, 3, TG_SIDE_HI);
	carry(&to, &from, FLOW_CARRY_BACK);
	expect_loose(&from, 1, true);
	expect_loose(&from, 3, true);
	free_table(&from);
	free_table(&to);
}

static void set_last(const struct tg_table *table, uint32_t number, __u32 last_ms)
{
	struct tg_detail *detail = tg_detail_at(table, find_flow(table, number).number);

	detail->count[TG_SIDE_LO].last_ms = detail->count[TG_SIDE_HI].last_ms = last_ms;
}

static void taken_back_long_after_the_table_that_saw_it_last_is_right(void **state)
{
	struct tg_table from, to;

	(void)state;
	make_table(&from, 16);
	make_table(&to, 16);
	open_flow(&from, 1);
	open_flow(&from, 2);
	set_last(&from, 1, NOW_MS - 60000);
	set_last(&from, 2, NOW_MS - 60000);
	carry(&from, &to, FLOW_CARRY_BEFORE);
	segment(&to, 1, TG_SIDE_LO, 3U << 30);
	set_last(&to, 1, NOW_MS);
	carry(&to, &from, FLOW_CARRY_BACK);
	assert_int_equal(find_flow(&from, 1).slot->half[TG_SIDE_LO].end, 1100 + (3U << 30));
	/* Taken back once more, when the other has gone on. */
	segment(&from, 2, TG_SIDE_LO, 3U << 30);
	set_last(&from, 2, NOW_MS);
	carry(&to, &from, FLOW_CARRY_BACK);
	assert_int_equal(find_flow(&from, 2).slot->half[TG_SIDE_LO].end, 2100 + (3U << 30));
	free_table(&from);
	free_table(&to);
}

/* The SYN of number, and nothing else. */
static struct tg_ref open_handshake(const struct tg_table *table, uint32_t number)
{
	struct tg_ref ref = open_flow(table, number);

	ref.slot->half[TG_SIDE_LO].facts = TG_FACT_SYN;
	ref.slot->half[TG_SIDE_HI].facts = 0;
	return ref;
}

static void what_went_on_elsewhere_is_judged_loosely(void **state)
{
	const struct layout *own = layout_own();
	struct tg_table table;
	struct tg_half *half;
	struct tg_ref ref;
	__u64 *word;
	int side;

	(void)state;
	make_table(&table, 16);
	open_flow(&table, 1);
	open_handshake(&table, 2);
	for (side = 0; side < 2; side++) /* once more changes nothing */
		flow_loosen(own, table.bucket, table.detail, 16 * TG_BUCKET_WAYS);
	half = find_flow(&table, 1).slot->half;
	for (side = 0; side < TG_SIDE_MAX; side++) {
		assert_int_equal(half[side].facts, TG_FACT_SYN | TG_FACT_ACKSYN | TG_FACT_HASACK | TG_FACT_PICKUP |
							   7 << TG_WSCALE_SHIFT);
		assert_int_equal(half[side].end, 1100);
		assert_int_equal(half[side].ack, 1100);
		assert_int_equal(half[side].right, 1100 + (1U << 30));
	}
	assert_int_equal(tg_flow_phase(&half[TG_SIDE_LO], &half[TG_SIDE_HI]), TG_PHASE_ESTABLISHED);
	assert_int_equal(tg_flow_find(&table, tag_of(2), &ref, &word), TG_FOUND_NONE);
	free_table(&table);
}

/* A layout with four slots a bucket, other sizes and another order, as a version before this might have had. */
struct old_slot {
	struct tg_half half[TG_SIDE_MAX];
	__u32 live, stamp_ms;
	__u64 tag;
	__u64 more[3];
};

struct old_detail {
	struct tg_flow_key key;
	__u32 created_ms;
	__u64 packets[TG_SIDE_MAX];
};

static bool read_old(const void *slot, const void *detail, struct layout_flow *flow)
{
	const struct old_slot *from = slot;
	const struct old_detail *more = detail;

	if (!from->live)
		return false;
	*flow = (struct layout_flow){
		.slot = { .tag = from->tag,
			  .claim = TG_ORIGIN_SEED << TG_CLAIM_ORIGIN_SHIFT,
			  .stamp_ms = from->stamp_ms },
		.detail = { .key = more->key, .created_ms = more->created_ms },
	};
	memcpy(flow->slot.half, from->half, sizeof(from->half));
	flow->detail.count[TG_SIDE_LO].packets = (__u32)more->packets[TG_SIDE_LO];
	flow->detail.count[TG_SIDE_HI].packets = (__u32)more->packets[TG_SIDE_HI];
	return true;
}

static const struct layout old_layout = { 77, 4, sizeof(struct old_slot), sizeof(struct old_detail), { 0 }, read_old };

static void carries_from_another_layout(void **state)
{
	static struct old_slot slots[64];
	static struct old_detail details[64];
	static const __u64 words[64]; /* no bucket has a mark */
	struct flow_carry_source source = { &old_layout, slots, details, 64, words };
	struct flow_carry_counts counts;
	struct tg_table to;
	struct tg_ref ref;
	uint32_t number;

	(void)state;
	make_table(&to, 32);
	for (number = 0; number < 64; number += 2) {
		slots[number] = (struct old_slot){ .tag = tag_of(number), .live = 1, .stamp_ms = NOW_MS };
		slots[number].half[TG_SIDE_HI].end = number;
		slots[number].half[TG_SIDE_HI].facts = TG_FACT_SYN;
		details[number] = (struct old_detail){ .key = key_of(number),
						       .created_ms = NOW_MS,
						       .packets = { 3, 4 } };
	}
	assert_int_equal(flow_carry_live(&source), 32);
	flow_carry(&source, &to, NOW_MS, FLOW_CARRY_BEFORE, &counts);
	flow_carry(&source, &to, NOW_MS, FLOW_CARRY_AFTER, &counts);
	assert_int_equal(counts.flows, 32);
	for (number = 0; number < 64; number += 2) {
		ref = find_flow(&to, number);
		assert_int_equal(ref.slot->half[TG_SIDE_HI].end, number);
		assert_int_equal(tg_claim_origin(ref.claim), TG_ORIGIN_SEED);
		assert_int_equal(tg_detail_at(&to, ref.number)->count[TG_SIDE_HI].packets, 4);
	}
	free_table(&to);
}

static void knows_its_own_layout_and_the_first(void **state)
{
	(void)state;
	assert_ptr_equal(layout_find(TG_LAYOUT_VERSION), layout_own());
	assert_non_null(layout_find(1));
	assert_null(layout_find(0));
	assert_null(layout_find(TG_LAYOUT_VERSION + 1));
	assert_int_equal(layout_own()->slot_bytes * layout_own()->ways, sizeof(struct tg_bucket));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_every_flow_to_a_table_of_another_size),
		cmocka_unit_test(what_moves_in_between_is_known_afterwards),
		cmocka_unit_test(facts_of_an_untouched_half_are_replaced),
		cmocka_unit_test(a_flow_adopted_in_between_becomes_exact),
		cmocka_unit_test(of_two_connections_with_one_key_the_later_counts),
		cmocka_unit_test(what_has_expired_and_what_is_being_filled_stays_behind),
		cmocka_unit_test(no_established_flow_is_displaced_in_a_table_too_small),
		cmocka_unit_test(who_found_no_room_is_let_through_afterwards_too),
		cmocka_unit_test(a_suspect_flow_is_carried_as_long_as_an_established_one),
		cmocka_unit_test(taking_back_keeps_what_the_new_table_learnt),
		cmocka_unit_test(a_flow_the_exchange_left_behind_is_judged_loosely),
		cmocka_unit_test(taken_back_long_after_the_table_that_saw_it_last_is_right),
		cmocka_unit_test(what_went_on_elsewhere_is_judged_loosely),
		cmocka_unit_test(carries_from_another_layout),
		cmocka_unit_test(knows_its_own_layout_and_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
