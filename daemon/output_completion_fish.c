/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For fish 3 and later: one `complete` a command, an option, a position. */
#include "output_completion.h"

#include <stdio.h>

#include "command.h"
#include "completion.h"

/* fish skips the options for us only if it knows which take a value; the words are counted here. */
static const char walk[] =
	"# The command on the line, then the words behind it that are no options.\n"
	"function __tcpguard_words\n"
	"    set -l valued $__tcpguard_valued_\n"
	"    set -l before\n"
	"    set -l words\n"
	"    for word in (commandline -opc)[2..]\n"
	"        if set -q before[1]\n"
	"            set -e before\n"
	"        else if contains -- $word $valued\n"
	"            set before $word\n"
	"        else if not string match -q -- '-?*' $word\n"
	"            set -a words $word\n"
	"            set -q words[2]; and continue\n"
	"            set -l name __tcpguard_valued_$word\n"
	"            set valued $$name $__tcpguard_valued_\n"
	"        end\n"
	"    end\n"
	"    set -q words[1]; and printf '%s\\n' $words\n"
	"end\n"
	"\n"
	"function __tcpguard_no_command\n"
	"    not count (__tcpguard_words) > /dev/null\n"
	"end\n"
	"\n"
	"function __tcpguard_in\n"
	"    set -l words (__tcpguard_words)\n"
	"    set -q words[1]; and test $words[1] = $argv[1]\n"
	"end\n"
	"\n"
	"# COMMAND POSITION [repeats]\n"
	"function __tcpguard_at\n"
	"    set -l words (__tcpguard_words)\n"
	"    __tcpguard_in $argv[1]; or return\n"
	"    set -l position (math (count $words) - 1)\n"
	"    test $position -eq $argv[2]; or begin\n"
	"        set -q argv[3]; and test $position -gt $argv[2]\n"
	"    end\n"
	"end\n"
	"\n"
	"function __tcpguard_interfaces\n"
	"    for path in " COMPLETION_INTERFACES "/*\n"
	"        test -e $path/ifindex; and string replace -r '.*/' '' $path\n"
	"    end\n"
	"end\n"
	"\n"
	"complete -c tcpguard -f\n";

static void print_quoted(const char *text)
{
	putchar('\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('\'');
}

static void print_values(const struct completion *completion)
{
	if (completion->words[0] || completion->interfaces)
		printf(" -a '%s%s%s'", completion->words,
		       completion->words[0] && completion->interfaces ? " " : "",
		       completion->interfaces ? "(__tcpguard_interfaces)" : "");
}

static void print_rows(const char *condition, const struct option_row *row)
{
	struct completion completion;

	for (; row && row->name; row++) {
		printf("complete -c tcpguard%s", condition);
		if (row->letter)
			printf(" -s %c", row->letter);
		printf(" -l %s -d ", row->name);
		print_quoted(row->help);
		if (row->value) {
			completion_of_value(row->value, &completion);
			printf(completion.files ? " -r -F" : " -x");
			print_values(&completion);
		}
		putchar('\n');
	}
}

static void print_positions(const struct command *command)
{
	const char *rest = command->arguments;
	struct completion completion;
	int position;

	for (position = 0; (rest = completion_of_position(rest, &completion)); position++) {
		if (completion_is_empty(&completion))
			continue;
		printf("complete -c tcpguard -n '__tcpguard_at %s %d%s'%s", command->name, position,
		       completion.repeats ? " repeats" : "", completion.files ? " -F" : "");
		print_values(&completion);
		putchar('\n');
	}
}

static void print_valued(const char *command, const struct option_row *row)
{
	printf("set -g __tcpguard_valued_%s", command);
	for (; row && row->name; row++) {
		if (!row->value)
			continue;
		printf(" --%s", row->name);
		if (row->letter)
			printf(" -%c", row->letter);
	}
	putchar('\n');
}

static void print_command(const struct command *command)
{
	char condition[96];

	printf("complete -c tcpguard -n __tcpguard_no_command -a %s -d ", command->name);
	print_quoted(command->summary);
	putchar('\n');
	snprintf(condition, sizeof(condition), " -n '__tcpguard_in %s'", command->name);
	print_rows(condition, command->options);
	print_positions(command);
	printf("complete -c tcpguard -n '__tcpguard_at help 0' -a %s\n", command->name);
}

void output_completion_fish(void)
{
	const struct command *const *command;

	puts("# fish completion of tcpguard, written by 'tcpguard completion fish'\n");
	print_valued("", command_global_rows);
	for (command = command_table; *command; command++)
		print_valued((*command)->name, (*command)->options);
	putchar('\n');
	fputs(walk, stdout);
	print_rows("", command_global_rows);
	for (command = command_table; *command; command++)
		print_command(*command);
	puts("complete -c tcpguard -n __tcpguard_no_command -a help -d 'Explains a command.'");
}
