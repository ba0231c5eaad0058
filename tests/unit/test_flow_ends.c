/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a freed flow counts as, and in which bucket its life falls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/flow_ends.h"

#define BOTH_HEARD (TG_FACT_SYN | TG_FACT_HASACK | TG_FACT_ACKSYN)

static struct ager_freed flow(uint32_t lo, uint32_t hi, uint32_t life_ms)
{
	struct ager_freed freed;

	memset(&freed, 0, sizeof(freed));
	freed.detail.created_ms = UINT32_MAX - 10; /* the clock wraps meanwhile */
	freed.slot.stamp_ms = freed.detail.created_ms + life_ms;
	freed.slot.half[TG_SIDE_LO].facts = (uint16_t)lo;
	freed.slot.half[TG_SIDE_HI].facts = (uint16_t)hi;
	return freed;
}

static void test_causes(void **state)
{
	struct {
		struct ager_freed freed;
		enum flow_end end;
	} rows[] = {
		{ flow(TG_FACT_SYN, 0, 0), FLOW_END_HANDSHAKE },
		{ flow(TG_FACT_SYN, TG_FACT_SYN | TG_FACT_HASACK | TG_FACT_ACKSYN, 0), FLOW_END_HANDSHAKE },
		{ flow(BOTH_HEARD, BOTH_HEARD, 5000), FLOW_END_TIMEOUT },
		{ flow(BOTH_HEARD | TG_FACT_FIN, BOTH_HEARD, 5000), FLOW_END_TIMEOUT },
		{ flow(BOTH_HEARD | TG_FACT_FIN, BOTH_HEARD | TG_FACT_FIN, 5000), FLOW_END_FIN },
		{ flow(BOTH_HEARD | TG_FACT_RST, BOTH_HEARD, 5000), FLOW_END_RST },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flow_ends ends = { 0 };
		int end;

		flow_ends_add(&ends, &rows[i].freed);
		for (end = 0; end < FLOW_END_MAX; end++)
			if (ends.count[end] != ((enum flow_end)end == rows[i].end))
				fail_msg("row %zu: cause %d counts %llu", i, end,
					 (unsigned long long)ends.count[end]);
		assert_int_equal(ends.lives_ms, rows[i].end == FLOW_END_HANDSHAKE ? 0 : 5000);
	}
}

static void test_last_ack_missing(void **state)
{
	struct ager_freed freed = flow(BOTH_HEARD | TG_FACT_FIN, BOTH_HEARD | TG_FACT_FIN, 5000);
	struct flow_ends ends = { 0 };

	(void)state;
	freed.slot.half[TG_SIDE_LO].end = 5;
	flow_ends_add(&ends, &freed);
	assert_int_equal(ends.count[FLOW_END_FIN], 1);
}

/* Early, for lack of room: only what had not ended by itself. */
static void test_evicted(void **state)
{
	struct ager_freed live = flow(BOTH_HEARD, BOTH_HEARD, 1), over = flow(TG_FACT_RST, BOTH_HEARD, 1);
	struct flow_ends ends = { 0 };

	(void)state;
	live.evicted = over.evicted = true;
	flow_ends_add(&ends, &live);
	flow_ends_add(&ends, &over);
	assert_int_equal(ends.count[FLOW_END_EVICTED], 1);
	assert_int_equal(ends.count[FLOW_END_RST], 1);
}

static void test_lives(void **state)
{
	static const double bounds_s[FLOW_LIVES_BOUNDS] = FLOW_LIVES;
	struct flow_ends ends = { 0 };
	struct ager_freed freed;
	uint64_t sum = 0;
	int i;

	(void)state;
	for (i = 0; i < FLOW_LIVES_BOUNDS; i++) {
		uint32_t bound_ms = (uint32_t)(bounds_s[i] * 1000);

		freed = flow(BOTH_HEARD, BOTH_HEARD, bound_ms);
		flow_ends_add(&ends, &freed);
		freed = flow(BOTH_HEARD, BOTH_HEARD, bound_ms + 1);
		flow_ends_add(&ends, &freed);
		sum += 2 * bound_ms + 1;
	}
	assert_int_equal(ends.lives[0], 1);
	for (i = 1; i < FLOW_LIVES_BOUNDS; i++)
		assert_int_equal(ends.lives[i], 2);
	assert_int_equal(ends.lives[FLOW_LIVES_BOUNDS], 1);
	assert_int_equal(ends.lives_ms, sum);
}

/* Another CPU's clock was read a moment earlier: no life of 49 days. */
static void test_stamped_before_created(void **state)
{
	struct ager_freed freed = flow(BOTH_HEARD, BOTH_HEARD, (uint32_t)-3);
	struct flow_ends ends = { 0 };

	(void)state;
	flow_ends_add(&ends, &freed);
	assert_int_equal(ends.lives[0], 1);
	assert_int_equal(ends.lives_ms, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_last_ack_missing),
		cmocka_unit_test(test_evicted),
		cmocka_unit_test(test_lives),
		cmocka_unit_test(test_stamped_before_created),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
