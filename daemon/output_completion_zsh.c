/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For zsh's own completion system: the specifications of _arguments, one list a command. */
#include "output_completion.h"

#include <stdio.h>
#include <string.h>

#include "command.h"
#include "completion.h"

/* Inside '...[text]...:text:action'. */
static void print_escaped(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\'", stdout);
		else if (strchr(":[]\\", *text))
			putchar('\\');
		putchar(*text);
	}
}

static void print_action(const struct completion *completion)
{
	if (completion->words[0] && completion->interfaces)
		printf("{ compadd %s; _tcpguard_interfaces }", completion->words);
	else if (completion->words[0])
		printf("(%s)", completion->words);
	else if (completion->interfaces)
		fputs("_tcpguard_interfaces", stdout);
	else if (completion->files)
		fputs("_files", stdout);
	else
		putchar(' ');
}

static void print_value(const char *value)
{
	struct completion completion;

	if (!value)
		return;
	completion_of_value(value, &completion);
	putchar(':');
	print_escaped(value);
	putchar(':');
	print_action(&completion);
}

static bool in_rows(const struct option_row *rows, char letter)
{
	for (; rows && rows->name; rows++)
		if (rows->letter == letter)
			return true;
	return false;
}

/* A letter that the command's own rows have already is not the global option's. */
static void print_rows(const struct option_row *row, const struct option_row *earlier)
{
	for (; row && row->name; row++) {
		bool letter = row->letter && !in_rows(earlier, row->letter);

		fputs("\t\t\t", stdout);
		if (letter)
			printf("'(-%c --%s)'{-%c,--%s%s}'[", row->letter, row->name, row->letter,
			       row->name, row->value ? "=" : "");
		else
			printf("'--%s%s[", row->name, row->value ? "=" : "");
		print_escaped(row->help);
		putchar(']');
		print_value(row->value);
		puts("' \\");
	}
}

static void print_positions(const struct command *command)
{
	const char *rest = command->arguments;
	struct completion completion;
	int position;

	for (position = 1; (rest = completion_of_position(rest, &completion)); position++) {
		if (completion.repeats)
			fputs("\t\t\t'*:", stdout);
		else
			printf("\t\t\t'%d:", position);
		fputs("argument:", stdout);
		print_action(&completion);
		puts("' \\");
	}
}

static void print_command(const struct command *command)
{
	printf("\t\t%s)\n\t\t\t_arguments -s \\\n", command->name);
	print_rows(command->options, NULL);
	print_rows(command_global_rows, command->options);
	print_positions(command);
	puts("\t\t\t&& return\n\t\t\t;;");
}

static void print_descriptions(void)
{
	const struct command *const *command;

	puts("\tcommands=(");
	for (command = command_table; *command; command++) {
		printf("\t\t'%s:", (*command)->name);
		print_escaped((*command)->summary);
		puts("'");
	}
	puts("\t\t'help:Explains a command.'\n\t)");
}

void output_completion_zsh(void)
{
	const struct command *const *command;

	puts("#compdef tcpguard\n# zsh completion of tcpguard, written by 'tcpguard completion zsh'\n\n"
	     "_tcpguard_interfaces()\n{\n\tlocal -a names\n\n"
	     "\tnames=(" COMPLETION_INTERFACES "/*/ifindex(N:h:t))\n\tcompadd -a names\n}\n\n"
	     "_tcpguard()\n{\n\tlocal curcontext=$curcontext state line\n\tlocal -a commands\n"
	     "\ttypeset -A opt_args\n");
	print_descriptions();
	puts("\n\t_arguments -s -C \\");
	print_rows(command_global_rows, NULL);
	puts("\t\t\t'1:command:->command' \\\n\t\t\t'*::argument:->argument' && return\n\n"
	     "\tcase $state in\n\tcommand)\n\t\t_describe command commands\n\t\t;;\n"
	     "\targument)\n\t\tcase $words[1] in");
	for (command = command_table; *command; command++)
		print_command(*command);
	puts("\t\thelp)\n\t\t\t_describe command commands\n\t\t\t;;\n\t\tesac\n\t\t;;\n\tesac\n}\n\n"
	     "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n\t_tcpguard \"$@\"\nelse\n"
	     "\tcompdef _tcpguard tcpguard\nfi");
}
