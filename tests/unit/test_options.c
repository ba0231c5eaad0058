/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The option parser over rows, and the readers of single arguments. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/options.h"

struct global {
	bool json;
	uint32_t wait_s;
};

struct own {
	uint32_t count;
	int mode;
	bool all;
};

static int parse_count(const char *name, const char *argument, void *out)
{
	return options_u32(name, argument, 1, 100, out);
}

static int parse_mode(const char *name, const char *argument, void *out)
{
	static const char *const words[] = { "enforce", "monitor", NULL };

	*(int *)out = options_choose(name, argument, words);
	return *(int *)out < 0 ? -EINVAL : 0;
}

static const struct option_row global_rows[] = {
	{ 'j', "json", NULL, "JSON", options_set_true, offsetof(struct global, json) },
	{ 'n', "wait", "TIME", "hidden by -n of the command", options_duration,
	  offsetof(struct global, wait_s) },
	{ 0 },
};

static const struct option_row own_rows[] = {
	{ 'n', "count", "N", "how many", parse_count, offsetof(struct own, count) },
	{ 0, "mode", "MODE", "enforce or monitor", parse_mode, offsetof(struct own, mode) },
	{ 'a', "all", NULL, "everything", options_set_true, offsetof(struct own, all) },
	{ 0 },
};

static struct global global;
static struct own own;

/* Parses words after the command's name; the index of the first word left, or -EINVAL. */
static int parse(const char *const *words, char **argv, bool in_order)
{
	const struct option_group groups[] = { { own_rows, &own }, { global_rows, &global } };
	int argc = 1;

	memset(&global, 0, sizeof(global));
	memset(&own, 0, sizeof(own));
	argv[0] = (char *)"command";
	while (words[argc - 1]) {
		argv[argc] = (char *)words[argc - 1];
		argc++;
	}
	argv[argc] = NULL;
	return options_parse(groups, 2, in_order, argc, argv);
}

#define PARSE(...) parse((const char *const[]){ __VA_ARGS__, NULL }, argv, false)

static void numbers_take_no_tail(void **state)
{
	uint32_t number = 7;

	(void)state;
	assert_int_equal(parse_u32("10abc", 0, 100, &number), -EINVAL);
	assert_int_equal(parse_u32("", 0, 100, &number), -EINVAL);
	assert_int_equal(parse_u32(" 5", 0, 100, &number), -EINVAL);
	assert_int_equal(parse_u32("+5", 0, 100, &number), -EINVAL);
	assert_int_equal(parse_u32("-5", 0, 100, &number), -EINVAL);
	assert_int_equal(parse_u32("0x10", 0, 100, &number), -EINVAL);
	assert_int_equal(parse_u32("5 ", 0, 100, &number), -EINVAL);
	assert_int_equal(number, 7);
}

static void numbers_stay_in_range(void **state)
{
	uint32_t number = 7;

	(void)state;
	assert_int_equal(parse_u32("0", 1, 100, &number), -ERANGE);
	assert_int_equal(parse_u32("101", 1, 100, &number), -ERANGE);
	assert_int_equal(parse_u32("4294967296", 0, UINT32_MAX, &number), -ERANGE);
	assert_int_equal(parse_u32("99999999999999999999999", 0, UINT32_MAX, &number), -ERANGE);
	assert_int_equal(number, 7);
	assert_int_equal(parse_u32("4294967295", 0, UINT32_MAX, &number), 0);
	assert_int_equal(number, UINT32_MAX);
	assert_int_equal(parse_u32("1", 1, 100, &number), 0);
	assert_int_equal(number, 1);
}

static void durations_have_units(void **state)
{
	static const struct {
		const char *text;
		uint32_t seconds;
	} good[] = {
		{ "30s", 30 },
		{ "5m", 300 },
		{ "1h", 3600 },
		{ "1d", 86400 },
		{ "90", 90 },
		{ "0", 0 },
		{ "4294967295", UINT32_MAX },
		{ "49710d", 49710U * 86400U },
	};
	static const char *const bad[] = { "", "s", "5x", "1h30m", "-5s", "5 m", "1.5h", "49711d",
					   "4294967296s", "11111111111111111111111d" };
	uint32_t seconds;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(parse_duration_s(good[i].text, &seconds), 0);
		assert_int_equal(seconds, good[i].seconds);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_not_equal(parse_duration_s(bad[i], &seconds), 0);
}

static void options_and_words_may_mix(void **state)
{
	char *argv[16];
	int words;

	(void)state;
	words = PARSE("eth0", "-n", "5", "eth1", "--mode=monitor", "-j", "--", "-a");
	assert_true(words > 0);
	assert_int_equal(own.count, 5);
	assert_int_equal(own.mode, 1);
	assert_true(global.json);
	assert_false(own.all);
	assert_string_equal(argv[words], "eth0");
	assert_string_equal(argv[words + 1], "eth1");
	assert_string_equal(argv[words + 2], "-a");
}

static void in_order_stops_at_the_command(void **state)
{
	static const char *const line[] = { "-a", "list", "-j", NULL };
	char *argv[16];
	int words;

	(void)state;
	words = parse(line, argv, true);
	assert_int_equal(words, 2);
	assert_true(own.all);
	assert_false(global.json);
}

static void a_command_hides_a_global_letter(void **state)
{
	char *argv[16];

	(void)state;
	assert_true(PARSE("-n", "7", "--wait", "2m") > 0);
	assert_int_equal(own.count, 7);
	assert_int_equal(global.wait_s, 120);
}

static void mistakes_are_refused(void **state)
{
	char *argv[16];

	(void)state;
	assert_int_equal(PARSE("--frobnicate"), -EINVAL);
	assert_int_equal(PARSE("-x"), -EINVAL);
	assert_int_equal(PARSE("-n"), -EINVAL);
	assert_int_equal(PARSE("--count"), -EINVAL);
	assert_int_equal(PARSE("-n", "0"), -EINVAL);
	assert_int_equal(PARSE("-n", "101"), -EINVAL);
	assert_int_equal(PARSE("-n", "10abc"), -EINVAL);
	assert_int_equal(PARSE("--mode", "sideways"), -EINVAL);
	assert_int_equal(PARSE("--all=yes"), -EINVAL);
}

static void the_parser_can_run_again(void **state)
{
	char *argv[16];
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_int_equal(PARSE("-n"), -EINVAL);
		assert_int_equal(PARSE("-an", "3", "word"), 3);
		assert_true(own.all);
		assert_int_equal(own.count, 3);
	}
}

static void help_shows_every_row(void **state)
{
	static const struct command command = {
		.name = "count",
		.arguments = "IFACE",
		.summary = "Counts.",
		.details = "Really.",
		.options = own_rows,
	};
	char text[2048] = "";
	FILE *stream = fmemopen(text, sizeof(text), "w");
	const struct option_row *row;

	(void)state;
	assert_non_null(stream);
	options_print_help(stream, &command);
	fclose(stream);
	assert_non_null(strstr(text, "usage: tcpguard [GLOBAL OPTION...] count [OPTION...] IFACE"));
	assert_non_null(strstr(text, "Counts."));
	assert_non_null(strstr(text, "Really."));
	for (row = own_rows; row->name; row++) {
		assert_non_null(strstr(text, row->name));
		assert_non_null(strstr(text, row->help));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_take_no_tail),
		cmocka_unit_test(numbers_stay_in_range),
		cmocka_unit_test(durations_have_units),
		cmocka_unit_test(options_and_words_may_mix),
		cmocka_unit_test(in_order_stops_at_the_command),
		cmocka_unit_test(a_command_hides_a_global_letter),
		cmocka_unit_test(mistakes_are_refused),
		cmocka_unit_test(the_parser_can_run_again),
		cmocka_unit_test(help_shows_every_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
