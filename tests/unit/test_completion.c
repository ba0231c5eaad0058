/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the words of usage and help lines mean to the completion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/command.h"
#include "daemon/completion.h"

static const struct command first = { .name = "first" }, second = { .name = "second" };
const struct command *const command_table[] = { &first, &second, NULL };

static void expect_meaning(const char *value, const char *words, bool interfaces, bool files)
{
	struct completion completion;

	completion_of_value(value, &completion);
	assert_string_equal(completion.words, words);
	assert_int_equal(completion.interfaces, interfaces);
	assert_int_equal(completion.files, files);
	assert_int_equal(completion_is_empty(&completion), !*words && !interfaces && !files);
}

static void test_words_and_kinds(void **state)
{
	(void)state;
	expect_meaning(NULL, "", false, false);
	expect_meaning("N", "", false, false);
	expect_meaning("enforce|monitor", "enforce monitor", false, false);
	expect_meaning("FILE", "", false, true);
	expect_meaning("FILE#N", "", false, true);
	expect_meaning("FILE|-", "", false, true);
	expect_meaning("IFACE", "", true, false);
	expect_meaning("IFACES", "", false, false);
	expect_meaning("COMMAND", "first second", false, false);
	expect_meaning("CIDR[,CIDR]", "", false, false);
	expect_meaning("['pcap filter']", "", false, false);
}

static void test_states_and_reasons_come_from_their_tables(void **state)
{
	struct completion completion;

	(void)state;
	completion_of_value("STATE", &completion);
	assert_non_null(strstr(completion.words, " established "));
	assert_non_null(strstr(completion.words, " FIN_WAIT_2 "));
	completion_of_value("REASON[,REASON]", &completion);
	assert_non_null(strstr(completion.words, " no_flow "));
	/* Several rows share it. */
	assert_non_null(strstr(completion.words, " seq_old "));
	assert_null(strstr(strstr(completion.words, " seq_old ") + 1, " seq_old "));
}

static void test_positions_of_a_usage_line(void **state)
{
	struct completion completion;
	const char *rest;

	(void)state;
	rest = completion_of_position("add|del|list [IFACE|SERVICE] ADDR[/LEN]... 'free text'", &completion);
	assert_string_equal(completion.words, "add del list");
	assert_false(completion.repeats);
	rest = completion_of_position(rest, &completion);
	assert_true(completion.interfaces);
	assert_string_equal(completion.words, "");
	rest = completion_of_position(rest, &completion);
	assert_true(completion.repeats);
	assert_true(completion_is_empty(&completion));
	rest = completion_of_position(rest, &completion);
	assert_true(completion_is_empty(&completion));
	rest = completion_of_position(rest, &completion);
	assert_true(completion_is_empty(&completion));
	assert_null(completion_of_position(rest, &completion));
	assert_null(completion_of_position("", &completion));
}

static void test_options_and_second_forms_are_no_positions(void **state)
{
	struct completion completion;
	const char *rest;

	(void)state;
	rest = completion_of_position("IFACE...|--all", &completion);
	assert_true(completion.interfaces);
	assert_true(completion.repeats);
	assert_string_equal(completion.words, "");
	assert_null(completion_of_position(rest, &completion));
	rest = completion_of_position("SRC:PORT-DST:PORT | --pcap FILE#N", &completion);
	assert_true(completion_is_empty(&completion));
	assert_null(completion_of_position(rest, &completion));
}

/* More words than there is room for are left out whole. */
static void test_a_long_list_is_cut_between_words(void **state)
{
	char value[2048] = "abcdefg";
	struct completion completion;
	size_t i;

	(void)state;
	for (i = 7; i + 8 < sizeof(value); i += 8)
		memcpy(value + i, "|abcdefg", 9);
	completion_of_value(value, &completion);
	assert_in_range(strlen(completion.words), 1000, sizeof(completion.words) - 1);
	assert_int_equal((strlen(completion.words) + 1) % 8, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_and_kinds),
		cmocka_unit_test(test_states_and_reasons_come_from_their_tables),
		cmocka_unit_test(test_positions_of_a_usage_line),
		cmocka_unit_test(test_options_and_second_forms_are_no_positions),
		cmocka_unit_test(test_a_long_list_is_cut_between_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
