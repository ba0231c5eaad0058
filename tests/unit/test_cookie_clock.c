/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SYN cookies live by the wall clock, which may be set while the daemon runs. */
#include "tests/unit/unit.h"

#include "daemon/cookie.h"

#define NOW_MS 1000000

static void a_clock_that_was_set_is_followed(void **state)
{
	static const int64_t steps_ms[] = { 3600 * 1000, -3600 * 1000, 5000, -5000 };
	struct tg_cookies cookies = { .newest = 0 };
	uint64_t offset_ms;
	size_t i;

	(void)state;
	cookie_set_wall_clock(&cookies, NOW_MS);
	offset_ms = cookies.wall_offset_ms;
	for (i = 0; i < COUNT(steps_ms); i++) {
		cookies.wall_offset_ms = offset_ms + (uint64_t)steps_ms[i];
		assert_true(cookie_follow_wall_clock(&cookies, NOW_MS));
		/* The table's clock stands still in this test, the wall clock does not. */
		assert_true(cookies.wall_offset_ms >= offset_ms);
		assert_true(cookies.wall_offset_ms < offset_ms + 600 * 1000);
	}
}

static void readings_that_differ_a_little_are_not(void **state)
{
	struct tg_cookies cookies = { .newest = 0 };
	uint64_t before;
	bool followed;
	int tries = 0;

	(void)state;
	do { /* not while this process stands still for half a second between the two */
		cookie_set_wall_clock(&cookies, NOW_MS);
		before = cookies.wall_offset_ms -= 500;
		followed = cookie_follow_wall_clock(&cookies, NOW_MS);
	} while (followed && ++tries < 100);
	assert_false(followed);
	assert_int_equal(cookies.wall_offset_ms, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_that_was_set_is_followed),
		cmocka_unit_test(readings_that_differ_a_little_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
