/* SPDX-License-Identifier: GPL-2.0-or-later */
/* getopt_long over option rows; the rows are also the help. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "log.h"

#define OPTIONS_MAX 48
#define FIRST_VALUE (UCHAR_MAX + 1) /* of getopt's results: above every letter */

/* What getopt_long wants, made from the rows. */
struct option_plan {
	struct option longs[OPTIONS_MAX + 1];
	const struct option_row *row[OPTIONS_MAX];
	void *out[OPTIONS_MAX];
	char letters[2 * OPTIONS_MAX + 3];
	size_t count;
};

static bool name_taken(const struct option_plan *plan, const char *name)
{
	size_t i;

	for (i = 0; i < plan->count; i++)
		if (!strcmp(plan->row[i]->name, name))
			return true;
	return false;
}

static void plan_row(struct option_plan *plan, const struct option_row *row, void *out)
{
	size_t i = plan->count, length = strlen(plan->letters);

	if (i == OPTIONS_MAX || name_taken(plan, row->name))
		return;
	plan->longs[i].name = row->name;
	plan->longs[i].has_arg = row->value ? required_argument : no_argument;
	plan->longs[i].val = FIRST_VALUE + (int)i;
	plan->row[i] = row;
	plan->out[i] = (char *)out + row->offset;
	plan->count++;
	if (!row->letter || strchr(plan->letters, row->letter))
		return;
	plan->letters[length++] = row->letter;
	if (row->value)
		plan->letters[length++] = ':';
	plan->letters[length] = '\0';
}

static void make_plan(struct option_plan *plan, const struct option_group *groups, size_t count,
		      bool in_order)
{
	const struct option_row *row;
	size_t i;

	memset(plan, 0, sizeof(*plan));
	/* ':' tells a missing argument from an unknown option; '+' stops at the first word. */
	snprintf(plan->letters, sizeof(plan->letters), "%s:", in_order ? "+" : "");
	for (i = 0; i < count; i++)
		for (row = groups[i].rows; row && row->name; row++)
			plan_row(plan, row, groups[i].out);
}

/* Index into the plan of what getopt_long returned. */
static size_t find_row(const struct option_plan *plan, int result)
{
	size_t i;

	if (result >= FIRST_VALUE)
		return (size_t)(result - FIRST_VALUE);
	for (i = 0; i < plan->count; i++)
		if (plan->row[i]->letter == result)
			break;
	return i;
}

static int refuse(int result, char *const *argv)
{
	const char *word = argv[optind - 1];
	char letter[3] = { '-', (char)optopt, '\0' };
	bool is_long = !optopt || optopt >= FIRST_VALUE;

	log_err_hint(0, "see 'tcpguard help'", "%s option '%s'",
		     result == ':' ? "no value for" : "unknown or ambiguous",
		     is_long ? word : letter);
	return -EINVAL;
}

int options_parse(const struct option_group *groups, size_t count, bool in_order, int argc,
		  char **argv)
{
	struct option_plan plan;
	int result, err;

	make_plan(&plan, groups, count, in_order);
	optind = 0; /* GNU: start anew */
	opterr = 0;
	for (;;) {
		const struct option_row *row;
		size_t i;

		optopt = 0;
		result = getopt_long(argc, argv, plan.letters, plan.longs, NULL);
		if (result < 0)
			return optind;
		if (result == '?' || result == ':')
			return refuse(result, argv);
		i = find_row(&plan, result);
		if (i >= plan.count)
			return -EINVAL;
		row = plan.row[i];
		err = row->parse(row->name, row->value ? optarg : NULL, plan.out[i]);
		if (err)
			return -EINVAL;
	}
}

void options_print_rows(FILE *stream, const struct option_row *rows)
{
	const struct option_row *row;

	for (row = rows; row && row->name; row++) {
		char words[80], letter[5] = "    ";
		int width;

		if (row->letter)
			snprintf(letter, sizeof(letter), "-%c, ", row->letter);
		snprintf(words, sizeof(words), "%s--%s%s%s", letter, row->name,
			 row->value ? " " : "", row->value ? row->value : "");
		/* What is too long for its column has a line to itself. */
		width = fprintf(stream, "  %-30s", words);
		fprintf(stream, width > 2 + 30 ? "\n%33s%s\n" : "%s%s\n", width > 2 + 30 ? "" : " ",
			row->help);
	}
}

void options_print_help(FILE *stream, const struct command *command)
{
	bool has_options = command->options && command->options->name;

	fprintf(stream, "usage: tcpguard [GLOBAL OPTION...] %s%s%s%s\n\n%s\n", command->name,
		has_options ? " [OPTION...]" : "", command->arguments[0] ? " " : "",
		command->arguments, command->summary);
	if (command->details)
		fprintf(stream, "\n%s\n", command->details);
	if (has_options) {
		fputs("\nOptions:\n", stream);
		options_print_rows(stream, command->options);
	}
}

int parse_u32(const char *argument, uint32_t min, uint32_t max, uint32_t *out)
{
	unsigned long long number;
	char *end;

	/* strtoull skips blanks and takes a sign: neither is a number here. */
	if (argument[0] < '0' || argument[0] > '9')
		return -EINVAL;
	errno = 0;
	number = strtoull(argument, &end, 10);
	if (*end)
		return -EINVAL;
	if (errno || number < min || number > max)
		return -ERANGE;
	*out = (uint32_t)number;
	return 0;
}

int parse_duration_s(const char *argument, uint32_t *out)
{
	static const struct {
		char letter;
		uint32_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t length = strlen(argument), i;
	uint32_t number, unit = 1;
	char digits[16];
	int err;

	if (!length || length >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, argument, length + 1);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (digits[length - 1] == units[i].letter) {
			unit = units[i].seconds;
			digits[length - 1] = '\0';
			break;
		}
	}
	err = parse_u32(digits, 0, UINT32_MAX / unit, &number);
	if (!err)
		*out = number * unit;
	return err;
}

int options_choose(const char *name, const char *argument, const char *const *words)
{
	char list[256] = "";
	int i;

	for (i = 0; words[i]; i++)
		if (!strcasecmp(words[i], argument))
			return i;
	for (i = 0; words[i]; i++) {
		size_t length = strlen(list);

		snprintf(list + length, sizeof(list) - length, "%s%s", i ? ", " : "", words[i]);
	}
	log_err(0, "--%s: '%s' is none of %s", name, argument, list);
	return -EINVAL;
}

int options_no_words(int argc, char **argv)
{
	if (!argc)
		return 0;
	log_err_hint(0, "see 'tcpguard help'", "unexpected argument '%s'", argv[0]);
	return -EINVAL;
}

int options_set_true(const char *name, const char *argument, void *out)
{
	(void)name;
	(void)argument;
	*(bool *)out = true;
	return 0;
}

int options_word(const char *name, const char *argument, void *out)
{
	(void)name;
	*(const char **)out = argument;
	return 0;
}

int options_duration(const char *name, const char *argument, void *out)
{
	if (!parse_duration_s(argument, out))
		return 0;
	log_err(0, "--%s: '%s' is no duration such as 30s, 5m, 1h or 1d", name, argument);
	return -EINVAL;
}

int options_u32(const char *name, const char *argument, uint32_t min, uint32_t max, uint32_t *out)
{
	int err = parse_u32(argument, min, max, out);

	if (err == -ERANGE)
		log_err(0, "--%s: '%s' is not between %u and %u", name, argument, min, max);
	else if (err)
		log_err(0, "--%s: '%s' is not a whole number", name, argument);
	return err ? -EINVAL : 0;
}

int options_count(const char *name, const char *argument, void *out)
{
	return options_u32(name, argument, 1, UINT32_MAX, out);
}

int options_zone(const char *name, const char *argument, void *out)
{
	return options_u32(name, argument, 0, UINT16_MAX, out);
}
