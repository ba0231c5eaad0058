/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The best of many: the heap from which `top` takes its rows. */
#include "tests/unit/unit.h"

#include "daemon/top_heap.h"

static int by_score(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return left < right ? 1 : left > right ? -1 :
						 0;
}

static void the_best_of_many_are_kept(void **state)
{
	static double all[5000], kept[32];
	struct top_heap_entry entry[COUNT(kept)];
	struct top_heap heap = { .entry = entry, .room = COUNT(kept) };
	uint64_t seed = 7;
	uint32_t row;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(all); i++) {
		all[i] = random_below(&seed, 100000);
		if (top_heap_offer(&heap, all[i], &row)) {
			assert_true(row < COUNT(kept));
			kept[row] = all[i];
		}
	}
	qsort(all, COUNT(all), sizeof(all[0]), by_score);
	qsort(kept, COUNT(kept), sizeof(kept[0]), by_score);
	for (i = 0; i < COUNT(kept); i++)
		assert_true(all[i] == kept[i]);
}

static void a_heap_without_room_takes_nothing(void **state)
{
	struct top_heap heap = { 0 };
	uint32_t row;

	(void)state;
	assert_false(top_heap_offer(&heap, 1, &row));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_of_many_are_kept),
		cmocka_unit_test(a_heap_without_room_takes_nothing),
	};

	return cmocka_run_group_tests_name("top heap", tests, NULL, NULL);
}
