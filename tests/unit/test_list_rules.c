/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules in memory, prefixes and reasons as text. */
#include "tests/unit/unit.h"

#include <errno.h>

#include "daemon/list_rules.h"

static struct prefix prefix_from(const char *text)
{
	char why[PREFIX_WHY_BYTES];
	struct prefix prefix;

	if (prefix_parse(text, &prefix, why))
		fail_msg("%s", why);
	return prefix;
}

static void add(struct list_rules *rules, const char *text, enum tg_list list, uint32_t until_s,
		const char *reason)
{
	const struct prefix prefix = prefix_from(text);

	assert_int_equal(list_rules_add(rules, &prefix, list, until_s, 1, reason), 0);
}

static void settle(struct list_rules *rules, uint32_t now_s, size_t replaced)
{
	size_t got;

	assert_int_equal(list_rules_settle(rules, now_s, &got), 0);
	assert_int_equal(got, replaced);
}

static const struct tg_list_rule *rule_for(const struct list_rules *rules, const char *text,
					   enum tg_list list)
{
	const struct prefix prefix = prefix_from(text);
	long number = list_rules_find(rules, &prefix, list, rules->origin);

	return number < 0 ? NULL : &rules->rule[number];
}

static void prefixes_survive_the_way_to_text_and_back(void **state)
{
	static const char *const texts[] = { "0.0.0.0/0", "10.0.0.0/8", "192.0.2.128/25", "255.255.255.255",
					     "::/0", "2000::/3", "2001:db8::/64", "2001:db8:0:0:8000::/65",
					     "2001:db8::1/128", "fe80::1:2:3" };
	char text[PREFIX_TEXT_BYTES];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		const struct prefix prefix = prefix_from(texts[i]);

		prefix_text(text, &prefix);
		if (i != 8)
			assert_string_equal(text, texts[i]);
		else
			assert_string_equal(text, "2001:db8::1");
	}
}

static void what_is_no_prefix_is_refused(void **state)
{
	static const char *const texts[] = { "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8",
					     "::/129", "10.0.0.1/8", "2001:db8::1/64", "10.0.0.0/-1", "10.0.0.0/8x",
					     "10.0.0.0/ 8", "1.2.3.4.5", "::ffff:1.2.3.4",
					     "::ffff:0:0/96", "localhost" };
	char why[PREFIX_WHY_BYTES];
	struct prefix prefix;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		why[0] = '\0';
		if (prefix_parse(texts[i], &prefix, why) != -EINVAL || !why[0])
			fail_msg("'%s' is taken for a prefix", texts[i]);
	}
	/* Not of the mapped addresses alone. */
	assert_int_equal(prefix_parse("::/95", &prefix, why), 0);
}

static void the_later_rule_for_a_prefix_counts(void **state)
{
	struct list_rules rules = { .rule = NULL };

	(void)state;
	add(&rules, "10.0.0.0/8", TG_LIST_BLOCK, 100, "first");
	add(&rules, "2001:db8::/32", TG_LIST_BLOCK, 100, "");
	add(&rules, "10.0.0.0/8", TG_LIST_ALLOW, 100, "other list");
	add(&rules, "10.0.0.0/9", TG_LIST_BLOCK, 100, "");
	add(&rules, "10.0.0.0/8", TG_LIST_BLOCK, 200, "second");
	add(&rules, "10.0.0.0/8", TG_LIST_BLOCK, 150, "third");
	settle(&rules, 0, 2);
	assert_int_equal(rules.count, 4);
	assert_int_equal(rule_for(&rules, "10.0.0.0/8", TG_LIST_BLOCK)->until_s, 150);
	assert_string_equal(list_rules_reason(&rules, rule_for(&rules, "10.0.0.0/8", TG_LIST_BLOCK)), "third");
	assert_string_equal(list_rules_reason(&rules, rule_for(&rules, "10.0.0.0/8", TG_LIST_ALLOW)), "other list");
	assert_string_equal(list_rules_reason(&rules, rule_for(&rules, "10.0.0.0/9", TG_LIST_BLOCK)), "");
	settle(&rules, 0, 0);
	list_rules_free(&rules);
}

static void expired_rules_and_their_reasons_go(void **state)
{
	struct list_rules rules = { .rule = NULL };
	size_t bytes;

	(void)state;
	add(&rules, "10.0.0.2", TG_LIST_BLOCK, 50, "gone");
	add(&rules, "10.0.0.1", TG_LIST_BLOCK, 51, "a");
	add(&rules, "10.0.0.3", TG_LIST_BLOCK, TG_LIST_FOREVER, "b");
	settle(&rules, 0, 0);
	bytes = rules.text_bytes;
	settle(&rules, 50, 0);
	assert_int_equal(rules.count, 2);
	assert_int_equal(rules.text_bytes, bytes - sizeof("gone"));
	assert_string_equal(list_rules_reason(&rules, rule_for(&rules, "10.0.0.1", TG_LIST_BLOCK)), "a");
	assert_string_equal(list_rules_reason(&rules, rule_for(&rules, "10.0.0.3", TG_LIST_BLOCK)), "b");
	assert_null(rule_for(&rules, "10.0.0.2", TG_LIST_BLOCK));
	settle(&rules, TG_LIST_FOREVER - 1, 0);
	assert_int_equal(rules.count, 1);
	list_rules_free(&rules);
}

static void order_holds_for_many(void **state)
{
	struct list_rules rules = { .rule = NULL };
	uint64_t random = 9;
	size_t i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		struct prefix prefix = { .low = 0xffff00000000ULL | random_below(&random, 3000),
					 .length = 128,
					 .ipv4 = true };

		assert_int_equal(list_rules_add(&rules, &prefix, TG_LIST_BLOCK, 1 + (uint32_t)i, 0, ""), 0);
	}
	assert_int_equal(list_rules_settle(&rules, 0, NULL), 0);
	for (i = 1; i < rules.count; i++)
		assert_true(rules.rule[i - 1].low < rules.rule[i].low);
	list_rules_free(&rules);
}

static void the_longest_covering_rule_is_named(void **state)
{
	struct list_rules rules = { .rule = NULL };
	const struct prefix address = prefix_from("10.1.2.3");

	(void)state;
	add(&rules, "10.0.0.0/8", TG_LIST_BLOCK, TG_LIST_FOREVER, "");
	add(&rules, "10.1.0.0/16", TG_LIST_BLOCK, 50, "");
	add(&rules, "10.1.2.0/24", TG_LIST_ALLOW, TG_LIST_FOREVER, "");
	add(&rules, "10.2.0.0/16", TG_LIST_BLOCK, TG_LIST_FOREVER, "");
	settle(&rules, 0, 0);
	assert_int_equal(list_rules_covering(&rules, &address, TG_LIST_BLOCK, 49)->length, 96 + 16);
	assert_int_equal(list_rules_covering(&rules, &address, TG_LIST_BLOCK, 50)->length, 96 + 8);
	assert_int_equal(list_rules_covering(&rules, &address, TG_LIST_ALLOW, 50)->length, 96 + 24);
	assert_int_equal(list_rules_flush(&rules, TG_LIST_BLOCK, TG_LIST_ORIGIN_MAX), 3);
	assert_null(list_rules_covering(&rules, &address, TG_LIST_BLOCK, 0));
	list_rules_free(&rules);
}

static void each_origin_has_rules_of_its_own(void **state)
{
	struct list_rules rules = { .rule = NULL };
	const struct prefix both = prefix_from("192.0.2.1");

	(void)state;
	add(&rules, "192.0.2.1", TG_LIST_BLOCK, 50, "by hand");
	add(&rules, "198.51.100.0/24", TG_LIST_BLOCK, TG_LIST_FOREVER, "");
	rules.origin = TG_LIST_BY_FILE;
	add(&rules, "192.0.2.1", TG_LIST_BLOCK, TG_LIST_FOREVER, "of the file");
	add(&rules, "192.0.2.1", TG_LIST_BLOCK, 70, "of the file, later");
	settle(&rules, 0, 1);
	assert_int_equal(rules.count, 3);
	assert_string_equal(list_rules_reason(&rules, rule_for(&rules, "192.0.2.1", TG_LIST_BLOCK)),
			    "of the file, later");
	assert_int_equal(list_rules_covering(&rules, &both, TG_LIST_BLOCK, 60)->until_s, 70);
	assert_int_equal(list_rules_flush(&rules, TG_LIST_BLOCK, TG_LIST_BY_FILE), 1);
	rules.origin = TG_LIST_BY_COMMAND;
	assert_string_equal(list_rules_reason(&rules, rule_for(&rules, "192.0.2.1", TG_LIST_BLOCK)), "by hand");
	assert_int_equal(list_rules_flush(&rules, TG_LIST_BLOCK, TG_LIST_BY_COMMAND), 2);
	list_rules_free(&rules);
}

static void reasons_are_plain_text(void **state)
{
	static const char *const good[] = { "", "spam", "a # inside", "\xc3\xa9t\xc3\xa9", "x; y" };
	static const char *const bad[] = { "#x", ";x", " x", "x ", "a\tb", "a\nb", "\x1b[31m", "\x7f", "\xff",
					   "\xc2\x9b"
					   "31m",
					   "\xc3" };
	char longest[TG_LIST_REASON_MAX + 2];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++)
		assert_null(list_reason_fault(good[i]));
	for (i = 0; i < COUNT(bad); i++)
		assert_non_null(list_reason_fault(bad[i]));
	memset(longest, 'x', sizeof(longest));
	longest[TG_LIST_REASON_MAX + 1] = '\0';
	assert_non_null(list_reason_fault(longest));
	longest[TG_LIST_REASON_MAX] = '\0';
	assert_null(list_reason_fault(longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_survive_the_way_to_text_and_back),
		cmocka_unit_test(what_is_no_prefix_is_refused),
		cmocka_unit_test(the_later_rule_for_a_prefix_counts),
		cmocka_unit_test(expired_rules_and_their_reasons_go),
		cmocka_unit_test(order_holds_for_many),
		cmocka_unit_test(the_longest_covering_rule_is_named),
		cmocka_unit_test(each_origin_has_rules_of_its_own),
		cmocka_unit_test(reasons_are_plain_text),
	};

	return cmocka_run_group_tests_name("list_rules", tests, NULL, NULL);
}
