/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sweep: what it frees, what it leaves alone, and how pressure changes that.  Time is a number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/flow_table.h"
#include "daemon/ager.h"

#define BUCKETS 1000
#define SLOTS (BUCKETS * TG_BUCKET_WAYS)
#define FLOWS (SLOTS / TG_SLOTS_PER_FLOW)
#define NOW_MS 0x500000000ULL /* well beyond 32 bits */
#define BOTH_HEARD (TG_FACT_SYN | TG_FACT_HASACK | TG_FACT_ACKSYN)

struct world {
	struct tg_settings settings;
	struct tg_table table;
	struct ager *ager;
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->settings.config[0].timeouts = (struct tg_timeouts)TG_TIMEOUTS_DEFAULT;
	world->table.buckets = BUCKETS;
	world->table.timeouts = &world->settings.config[0].timeouts;
	world->table.bucket = calloc(BUCKETS, sizeof(struct tg_bucket));
	world->table.detail = calloc(SLOTS, sizeof(struct tg_detail));
	world->table.word = calloc(BUCKETS, sizeof(__u64));
	world->ager = ager_new(&world->table, FLOWS);
	assert_non_null(world->ager);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	ager_free(world->ager);
	free(world->table.bucket);
	free(world->table.detail);
	free(world->table.word);
	free(world);
	return 0;
}

static struct tg_slot *slot_at(struct world *world, uint32_t number)
{
	return &world->table.bucket[number / TG_BUCKET_WAYS].slot[number % TG_BUCKET_WAYS];
}

/* A tag whose home is this bucket. */
static __u64 tag_of_bucket(uint32_t index)
{
	return (((__u64)index << 32) / BUCKETS + 1) << 32;
}

/* Facts of both halves that make a flow of this phase. */
static void set_phase(struct tg_slot *slot, enum tg_phase phase)
{
	struct tg_half *lo = &slot->half[TG_SIDE_LO], *hi = &slot->half[TG_SIDE_HI];

	*lo = (struct tg_half){
		.end = 100,
		.ack = 100,
		.right = 1000,
		.maxwin = 900,
		.facts = BOTH_HEARD,
	};
	*hi = *lo;
	switch (phase) {
	case TG_PHASE_SYN_SENT:
		lo->facts = TG_FACT_SYN;
		hi->facts = 0;
		break;
	case TG_PHASE_SYN_RECV:
		lo->facts = TG_FACT_SYN;
		break;
	case TG_PHASE_HALF_CLOSED:
		lo->facts |= TG_FACT_FIN;
		break;
	case TG_PHASE_LAST:
		lo->facts |= TG_FACT_FIN;
		hi->facts |= TG_FACT_FIN;
		hi->ack = 99;
		break;
	case TG_PHASE_TIME_WAIT:
		lo->facts |= TG_FACT_FIN;
		hi->facts |= TG_FACT_FIN;
		break;
	case TG_PHASE_CLOSED:
		lo->facts |= TG_FACT_RST;
		break;
	default:
		break;
	}
	assert_int_equal(tg_flow_phase(lo, hi), phase);
}

static struct tg_slot *put(struct world *world, uint32_t number, enum tg_phase phase,
			   uint32_t idle_ms)
{
	struct tg_slot *slot = slot_at(world, number);

	set_phase(slot, phase);
	slot->tag = tag_of_bucket(number / TG_BUCKET_WAYS);
	slot->stamp_ms = (__u32)NOW_MS - idle_ms;
	slot->claim = TG_CLAIM_GENERATION_ONE | TG_CLAIM_OWNED | TG_CLAIM_LIVE;
	assert_int_equal(tg_bucket_of(slot->tag, 0, BUCKETS), number / TG_BUCKET_WAYS);
	return slot;
}

static bool is_live(const struct tg_slot *slot)
{
	return tg_claim_live(slot->claim);
}

static void sweep(struct world *world, uint64_t now_ms)
{
	ager_sweep(world->ager, &world->settings, now_ms);
}

static void each_phase_has_its_timeout(void **state)
{
	struct world *world = *state;
	const struct tg_timeouts *timeouts = &world->settings.config[0].timeouts;
	uint32_t phase;

	for (phase = 0; phase < TG_PHASE_MAX; phase++) {
		put(world, 8 * phase, phase, timeouts->phase_ms[phase] + AGER_MARGIN_MS);
		put(world, 8 * phase + 1, phase, timeouts->phase_ms[phase] + AGER_MARGIN_MS + 1);
		put(world, 8 * phase + 2, phase, timeouts->phase_ms[phase] + 1);
		put(world, 8 * phase + 3, phase, 0);
	}
	sweep(world, NOW_MS);
	for (phase = 0; phase < TG_PHASE_MAX; phase++) {
		assert_true(is_live(slot_at(world, 8 * phase)));
		assert_false(is_live(slot_at(world, 8 * phase + 1)));
		assert_true(is_live(slot_at(world, 8 * phase + 2)));
		assert_true(is_live(slot_at(world, 8 * phase + 3)));
	}
	assert_int_equal(ager_last_pass(world->ager)->expired, TG_PHASE_MAX);
}

static void time_wait_ends_after_240_seconds(void **state)
{
	struct world *world = *state;
	struct tg_slot *slot = put(world, 5, TG_PHASE_TIME_WAIT, 0);

	sweep(world, NOW_MS + 240 * 1000);
	assert_true(is_live(slot));
	sweep(world, NOW_MS + 240 * 1000 + AGER_MARGIN_MS + 1);
	assert_false(is_live(slot));
}

static void unacknowledged_data_shortens_the_wait(void **state)
{
	struct world *world = *state;
	struct tg_slot *slot = put(world, 5, TG_PHASE_ESTABLISHED, 303 * 1000);

	sweep(world, NOW_MS);
	assert_true(is_live(slot));
	slot->half[TG_SIDE_LO].end = 200;
	sweep(world, NOW_MS);
	assert_false(is_live(slot));
}

static void a_stamp_ahead_of_our_clock_is_young(void **state)
{
	struct world *world = *state;
	struct tg_slot *slot = put(world, 5, TG_PHASE_CLOSED, 0);

	/* The process was stopped for ten minutes between reading the clock and the sweep. */
	slot->stamp_ms = (__u32)NOW_MS + 600 * 1000;
	sweep(world, NOW_MS);
	assert_true(is_live(slot));
}

static void the_clock_may_wrap(void **state)
{
	struct world *world = *state;
	uint64_t now_ms = 0x600000000ULL + 1000; /* the low 32 bits began anew a second ago */
	struct tg_slot *young = put(world, 5, TG_PHASE_CLOSED, 0);
	struct tg_slot *old = put(world, 6, TG_PHASE_CLOSED, 0);

	young->stamp_ms = (__u32)(now_ms - 100 * 1000);
	old->stamp_ms = (__u32)(now_ms - 200 * 1000);
	sweep(world, now_ms);
	assert_true(is_live(young));
	assert_false(is_live(old));
}

static void an_entry_forgotten_for_weeks_is_freed(void **state)
{
	struct world *world = *state;
	struct tg_slot *slot = put(world, 5, TG_PHASE_ESTABLISHED, 0);

	sweep(world, NOW_MS + 30ULL * 86400 * 1000);
	assert_false(is_live(slot));
}

static void freeing_keeps_the_generation(void **state)
{
	struct world *world = *state;
	struct tg_slot *slot = put(world, 5, TG_PHASE_CLOSED, 300 * 1000);

	sweep(world, NOW_MS);
	assert_int_equal(slot->claim, TG_CLAIM_GENERATION_ONE);
}

static void a_spilled_flow_is_uncounted_at_home(void **state)
{
	struct world *world = *state;
	struct tg_slot *slot = put(world, 5, TG_PHASE_CLOSED, 300 * 1000);
	uint32_t home = 777;

	slot->tag = tag_of_bucket(home);
	world->table.word[home] = 3 * TG_BUCKET_SPILLED_ONE | TG_BUCKET_REFUSED;
	sweep(world, NOW_MS);
	assert_int_equal(world->table.word[home] & TG_BUCKET_SPILLED_MASK, 2);
	assert_int_equal(world->table.word[0], 0);
}

static void slots_without_an_owner_come_back(void **state)
{
	struct world *world = *state;
	struct tg_slot *slot = put(world, 5, TG_PHASE_ESTABLISHED, 0);

	slot->claim = 3 * TG_CLAIM_GENERATION_ONE | TG_CLAIM_OWNED;
	sweep(world, NOW_MS);
	sweep(world, NOW_MS + AGER_STUCK_MS - 1);
	assert_int_equal(slot->claim, 3 * TG_CLAIM_GENERATION_ONE | TG_CLAIM_OWNED);
	sweep(world, NOW_MS + AGER_STUCK_MS);
	assert_int_equal(slot->claim, 3 * TG_CLAIM_GENERATION_ONE);
	assert_int_equal(ager_last_pass(world->ager)->recovered, 1);
}

static void a_new_owner_begins_anew(void **state)
{
	struct world *world = *state;
	struct tg_slot *slot = put(world, 5, TG_PHASE_ESTABLISHED, 0);

	slot->claim = 3 * TG_CLAIM_GENERATION_ONE | TG_CLAIM_OWNED;
	sweep(world, NOW_MS);
	slot->claim = 4 * TG_CLAIM_GENERATION_ONE | TG_CLAIM_OWNED;
	sweep(world, NOW_MS + 2 * AGER_STUCK_MS);
	assert_true(slot->claim & TG_CLAIM_OWNED);
	/* Published and claimed again between two looks. */
	slot->claim |= TG_CLAIM_LIVE;
	sweep(world, NOW_MS + 3 * AGER_STUCK_MS);
	slot->claim &= ~TG_CLAIM_LIVE;
	sweep(world, NOW_MS + 4 * AGER_STUCK_MS);
	assert_true(slot->claim & TG_CLAIM_OWNED);
}

static void refused_marks_go_after_a_quiet_day_and_adoption(void **state)
{
	struct world *world = *state;
	uint32_t day_ms = world->settings.config[0].timeouts.phase_ms[TG_PHASE_ESTABLISHED];
	uint64_t adopted_ms = NOW_MS + day_ms + 1 + TG_LEARN_DEFAULT_MS;

	world->table.word[7] = TG_BUCKET_REFUSED | 5 * TG_BUCKET_SPILLED_ONE | TG_BUCKET_SERIAL_ONE;
	world->settings.refused_ms = (__u32)NOW_MS;
	sweep(world, NOW_MS + day_ms);
	assert_true(world->table.word[7] & TG_BUCKET_REFUSED);
	assert_int_equal(ager_last_pass(world->ager)->refused, 1);
	assert_false(ager_last_pass(world->ager)->adopt);
	/* Who has spoken all the while, untracked, is adopted first; said once. */
	sweep(world, NOW_MS + day_ms + 1);
	assert_true(ager_last_pass(world->ager)->adopt);
	sweep(world, adopted_ms);
	assert_false(ager_last_pass(world->ager)->adopt);
	assert_true(world->table.word[7] & TG_BUCKET_REFUSED);
	sweep(world, adopted_ms + 1);
	assert_int_equal(world->table.word[7], 5 * TG_BUCKET_SPILLED_ONE | TG_BUCKET_SERIAL_ONE);
	assert_int_equal(ager_last_pass(world->ager)->unrefused, 1);
	/* No marks, no adoption. */
	sweep(world, adopted_ms + day_ms);
	assert_false(ager_last_pass(world->ager)->adopt);
}

static void refused_marks_stay_when_somebody_is_refused_while_others_are_adopted(void **state)
{
	struct world *world = *state;
	uint32_t day_ms = world->settings.config[0].timeouts.phase_ms[TG_PHASE_ESTABLISHED];

	world->table.word[7] = TG_BUCKET_REFUSED;
	world->settings.refused_ms = (__u32)NOW_MS;
	sweep(world, NOW_MS + 1);
	sweep(world, NOW_MS + day_ms + 1);
	assert_true(ager_last_pass(world->ager)->adopt);
	world->settings.refused_ms = (__u32)NOW_MS + day_ms + 2;
	sweep(world, NOW_MS + day_ms + 3);
	sweep(world, NOW_MS + day_ms + 2 + TG_LEARN_DEFAULT_MS + 1);
	assert_true(world->table.word[7] & TG_BUCKET_REFUSED);
	sweep(world, NOW_MS + 2 * (uint64_t)day_ms + 3);
	assert_true(ager_last_pass(world->ager)->adopt);
	assert_true(world->table.word[7] & TG_BUCKET_REFUSED);
}

static void a_pass_takes_sixteen_slices(void **state)
{
	struct world *world = *state;
	int steps = 1;

	put(world, SLOTS - 1, TG_PHASE_CLOSED, 300 * 1000);
	while (!ager_step(world->ager, &world->settings, NOW_MS))
		steps++;
	assert_int_equal(steps, 16);
	assert_false(is_live(slot_at(world, SLOTS - 1)));
	assert_int_equal(ager_delay_ms(world->ager), ager_interval_ms(world->ager) / 16);
}

static void an_idle_table_is_swept_once_a_minute(void **state)
{
	struct world *world = *state;
	int i;

	for (i = 0; i < 20; i++)
		sweep(world, NOW_MS);
	assert_int_equal(ager_interval_ms(world->ager), 60000);
}

static void a_busy_table_is_swept_each_second(void **state)
{
	struct world *world = *state;
	int i, n;

	for (i = 0; i < 20; i++) {
		for (n = 0; n < 100; n++)
			put(world, n, TG_PHASE_CLOSED, n < 30 ? 300 * 1000 : 0);
		sweep(world, NOW_MS);
	}
	assert_int_equal(ager_interval_ms(world->ager), 1000);
}

static void between_5_and_25_per_cent_nothing_changes(void **state)
{
	struct world *world = *state;
	uint32_t before = ager_interval_ms(world->ager);
	int n;

	for (n = 0; n < 100; n++)
		put(world, n, TG_PHASE_CLOSED, n < 15 ? 300 * 1000 : 0);
	sweep(world, NOW_MS);
	assert_int_equal(ager_interval_ms(world->ager), before);
}

/* --- pressure ------------------------------------------------------------------------------------- */

static void timeouts_shrink_above_60_per_cent(void **state)
{
	struct world *world = *state;
	const struct tg_timeouts *timeouts = &world->settings.config[0].timeouts;
	uint64_t seen[AGER_CLASS_MAX] = { 0 };
	struct tg_timeouts scaled;

	seen[AGER_TIME_WAIT] = 60;
	ager_scale(timeouts, seen, 100, &scaled);
	assert_memory_equal(&scaled, timeouts, sizeof(scaled));

	seen[AGER_TIME_WAIT] = 90; /* half way from 60 to 120 */
	ager_scale(timeouts, seen, 100, &scaled);
	assert_int_equal(scaled.phase_ms[TG_PHASE_TIME_WAIT], 120 * 1000);
	assert_int_equal(scaled.phase_ms[TG_PHASE_CLOSED], 60 * 1000);
	assert_int_equal(scaled.phase_ms[TG_PHASE_SYN_SENT], 30 * 1000);
	assert_int_equal(scaled.shortest_ms, 30 * 1000);
	/* What is harder to displace is not pressed by TIME_WAIT. */
	assert_int_equal(scaled.phase_ms[TG_PHASE_HALF_CLOSED],
			 timeouts->phase_ms[TG_PHASE_HALF_CLOSED]);
	assert_int_equal(scaled.phase_ms[TG_PHASE_ESTABLISHED],
			 timeouts->phase_ms[TG_PHASE_ESTABLISHED]);
}

static void established_flows_shrink_above_90_per_cent_only(void **state)
{
	struct world *world = *state;
	const struct tg_timeouts *timeouts = &world->settings.config[0].timeouts;
	uint64_t seen[AGER_CLASS_MAX] = { 0 };
	struct tg_timeouts scaled;

	seen[AGER_ESTABLISHED] = 90;
	ager_scale(timeouts, seen, 100, &scaled);
	assert_int_equal(scaled.phase_ms[TG_PHASE_ESTABLISHED],
			 timeouts->phase_ms[TG_PHASE_ESTABLISHED]);
	seen[AGER_ESTABLISHED] = 96; /* (120 - 96) / 60 */
	ager_scale(timeouts, seen, 100, &scaled);
	assert_int_equal(scaled.phase_ms[TG_PHASE_ESTABLISHED],
			 timeouts->phase_ms[TG_PHASE_ESTABLISHED] / 5 * 2);
	seen[AGER_ESTABLISHED] = 500;
	ager_scale(timeouts, seen, 100, &scaled);
	assert_int_equal(scaled.phase_ms[TG_PHASE_ESTABLISHED], 300 * 1000);
	assert_int_equal(scaled.phase_ms[TG_PHASE_TIME_WAIT], 5000);
}

static void handshakes_press_nothing_but_handshakes(void **state)
{
	struct world *world = *state;
	struct tg_slot *last;
	int n, i;

	/* 30 % of the flows connected and nearly a day idle, and handshakes in every other slot. */
	for (n = 0; n < SLOTS; n++)
		put(world, n, n < FLOWS * 30 / 100 ? TG_PHASE_ESTABLISHED : TG_PHASE_SYN_RECV,
		    n < FLOWS * 30 / 100 ? 23 * 3600 * 1000 : 1000);
	last = put(world, SLOTS - 1, TG_PHASE_HALF_CLOSED, 3000 * 1000);
	for (i = 0; i < 5; i++)
		sweep(world, NOW_MS);
	assert_int_equal(ager_last_pass(world->ager)->seen[AGER_ESTABLISHED], FLOWS * 30 / 100);
	assert_int_equal(ager_last_pass(world->ager)->evicted, 0);
	assert_true(is_live(last));
	/* Their own life is shortened: five seconds instead of sixty. */
	sweep(world, NOW_MS + 10 * 1000);
	assert_int_equal(ager_last_pass(world->ager)->seen[AGER_HANDSHAKE], 0);
	assert_int_equal(ager_last_pass(world->ager)->seen[AGER_ESTABLISHED], FLOWS * 30 / 100);
}

static void above_90_per_cent_the_cheapest_go_first(void **state)
{
	struct world *world = *state;
	const struct ager_pass *pass = ager_last_pass(world->ager);
	int n, tenth = FLOWS / 10;

	for (n = 0; n < tenth / 2; n++)
		put(world, n, TG_PHASE_CLOSED, 1000);
	for (; n < tenth; n++)
		put(world, n, TG_PHASE_TIME_WAIT, 1000);
	for (; n < 2 * tenth; n++)
		put(world, n, TG_PHASE_HALF_CLOSED, 1000);
	for (; n < FLOWS; n++)
		put(world, n, TG_PHASE_ESTABLISHED, 3600 * 1000);
	sweep(world, NOW_MS); /* counts */
	assert_int_equal(pass->evicted, 0);
	sweep(world, NOW_MS); /* 100 % down to 90 % */
	assert_int_equal(pass->evicted, tenth);
	assert_int_equal(pass->seen[AGER_CLOSED], 0);
	assert_int_equal(pass->seen[AGER_TIME_WAIT], 0);
	assert_int_equal(pass->seen[AGER_HALF_CLOSED], tenth);
	assert_int_equal(pass->seen[AGER_ESTABLISHED], FLOWS - 2 * tenth);
	sweep(world, NOW_MS);
	assert_int_equal(pass->evicted, 0);
}

static void the_longest_idle_go_first(void **state)
{
	struct world *world = *state;
	const struct ager_pass *pass = ager_last_pass(world->ager);
	int n, tenth = FLOWS / 10;

	for (n = 0; n < FLOWS; n++)
		put(world, n, TG_PHASE_ESTABLISHED, n % 2 ? 1000 : 2 * 3600 * 1000);
	sweep(world, NOW_MS);
	sweep(world, NOW_MS);
	assert_int_equal(pass->evicted, tenth);
	for (n = 1; n < FLOWS; n += 2)
		assert_true(is_live(slot_at(world, n)));
}

/* On a router nobody else knows of them: what they say later must not be dropped as of no connection. */
static void connections_that_lost_their_room_may_go_on(void **state)
{
	struct world *world = *state;
	int n, tenth = FLOWS / 10;

	for (n = 0; n < FLOWS; n++)
		put(world, n, TG_PHASE_ESTABLISHED, n < tenth ? 2 * 3600 * 1000 : 1000);
	sweep(world, NOW_MS);
	assert_int_equal(world->settings.refused_ms, 0);
	sweep(world, NOW_MS);
	assert_int_equal(ager_last_pass(world->ager)->disowned, tenth);
	assert_int_equal(world->settings.refused_ms, (__u32)NOW_MS);
	for (n = 0; n < BUCKETS; n++)
		assert_int_equal(world->table.word[n] & TG_BUCKET_REFUSED,
				 n < tenth / TG_BUCKET_WAYS ? TG_BUCKET_REFUSED : 0);
}

static void what_has_ended_or_was_forged_lost_nothing(void **state)
{
	struct world *world = *state;
	int n, tenth = FLOWS / 10;

	for (n = 0; n < FLOWS; n++) {
		struct tg_slot *slot = put(world, n, n < tenth / 2 ? TG_PHASE_TIME_WAIT : TG_PHASE_ESTABLISHED, 1000);

		if (n >= tenth / 2 && n < tenth) {
			slot->half[TG_SIDE_LO].facts |= TG_FACT_OUTSIDE;
			slot->half[TG_SIDE_HI].facts |= TG_FACT_OUTSIDE;
		}
	}
	put(world, SLOTS - 1, TG_PHASE_ESTABLISHED, 86400 * 1000 + AGER_MARGIN_MS + 1); /* over, by the data path's rule */
	sweep(world, NOW_MS);
	sweep(world, NOW_MS);
	assert_int_equal(ager_last_pass(world->ager)->evicted, tenth);
	assert_int_equal(ager_last_pass(world->ager)->disowned, 0);
	assert_int_equal(world->settings.refused_ms, 0);
	for (n = 0; n < BUCKETS; n++)
		assert_int_equal(world->table.word[n], 0);
}

static void young_half_closed_flows_are_spared(void **state)
{
	struct world *world = *state;
	const struct ager_pass *pass = ager_last_pass(world->ager);
	int n, half = FLOWS / 2;

	for (n = 0; n < FLOWS; n++)
		put(world, n, n < half ? TG_PHASE_HALF_CLOSED : TG_PHASE_ESTABLISHED, 50 * 1000);
	sweep(world, NOW_MS);
	sweep(world, NOW_MS);
	assert_int_equal(pass->seen[AGER_HALF_CLOSED], half);
	assert_int_equal(pass->evicted, FLOWS / 10);
}

struct told {
	struct ager_freed last;
	int count;
};

static void note_freed(void *context, const struct ager_freed *freed)
{
	struct told *told = context;

	told->last = *freed;
	told->count++;
}

static void a_listener_gets_the_flow_as_it_was(void **state)
{
	struct world *world = *state;
	struct told told = { .count = 0 };

	put(world, 40, TG_PHASE_ESTABLISHED, 86400 * 1000 + 5000);
	put(world, 41, TG_PHASE_ESTABLISHED, 1000);
	world->table.detail[40].count[TG_SIDE_LO].bytes = 777;
	ager_listen(world->ager, note_freed, &told);
	sweep(world, NOW_MS);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.last.number, 40);
	assert_int_equal(told.last.slot.half[TG_SIDE_LO].maxwin, 900);
	assert_int_equal(told.last.slot.claim >> TG_CLAIM_GENERATION_SHIFT, 1);
	assert_int_equal(told.last.detail.count[TG_SIDE_LO].bytes, 777);
	assert_false(told.last.evicted);
	put(world, 40, TG_PHASE_ESTABLISHED, 86400 * 1000 + 5000);
	ager_listen(world->ager, NULL, NULL);
	sweep(world, NOW_MS);
	assert_int_equal(told.count, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(each_phase_has_its_timeout),
		TEST(a_listener_gets_the_flow_as_it_was),
		TEST(time_wait_ends_after_240_seconds),
		TEST(unacknowledged_data_shortens_the_wait),
		TEST(a_stamp_ahead_of_our_clock_is_young),
		TEST(the_clock_may_wrap),
		TEST(an_entry_forgotten_for_weeks_is_freed),
		TEST(freeing_keeps_the_generation),
		TEST(a_spilled_flow_is_uncounted_at_home),
		TEST(slots_without_an_owner_come_back),
		TEST(a_new_owner_begins_anew),
		TEST(refused_marks_go_after_a_quiet_day_and_adoption),
		TEST(refused_marks_stay_when_somebody_is_refused_while_others_are_adopted),
		TEST(a_pass_takes_sixteen_slices),
		TEST(an_idle_table_is_swept_once_a_minute),
		TEST(a_busy_table_is_swept_each_second),
		TEST(between_5_and_25_per_cent_nothing_changes),
		TEST(timeouts_shrink_above_60_per_cent),
		TEST(established_flows_shrink_above_90_per_cent_only),
		TEST(handshakes_press_nothing_but_handshakes),
		TEST(above_90_per_cent_the_cheapest_go_first),
		TEST(the_longest_idle_go_first),
		TEST(connections_that_lost_their_room_may_go_on),
		TEST(what_has_ended_or_was_forged_lost_nothing),
		TEST(young_half_closed_flows_are_spared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
