/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For bash 4 and later; needs nothing of the package bash-completion. */
#include "output_completion.h"

#include <stdio.h>

#include "command.h"
#include "completion.h"

/* The walk over the words is the same for every command; what differs is the three tables. */
static const char walk[] =
	"_tcpguard()\n"
	"{\n"
	"\tlocal current=${COMP_WORDS[COMP_CWORD]} command=\"\" before=\"\" word position=0 i\n"
	"\tlocal options valued\n"
	"\n"
	"\t# bash takes \"--mode=enforce\" for three words.\n"
	"\t[[ $current != = ]] || current=\n"
	"\t_tcpguard_options \"\"\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\t[[ $word != = ]] || continue\n"
	"\t\tif [[ -n $before ]]; then\n"
	"\t\t\tbefore=\n"
	"\t\telif [[ $valued == *\" $word \"* ]]; then\n"
	"\t\t\tbefore=$word\n"
	"\t\telif [[ $word == -?* ]]; then\n"
	"\t\t\tcontinue\n"
	"\t\telif [[ -z $command ]]; then\n"
	"\t\t\tcommand=$word\n"
	"\t\t\t_tcpguard_options \"$command\"\n"
	"\t\telse\n"
	"\t\t\tposition=$((position + 1))\n"
	"\t\tfi\n"
	"\tdone\n"
	"\tCOMPREPLY=()\n"
	"\tif [[ -n $before ]]; then\n"
	"\t\t_tcpguard_value \"$command $before\"\n"
	"\telif [[ $current == -* ]]; then\n"
	"\t\t_tcpguard_words \"$options\"\n"
	"\telif [[ -z $command ]]; then\n"
	"\t\t_tcpguard_position \"help 0\"\n"
	"\telse\n"
	"\t\t_tcpguard_position \"$command $position\"\n"
	"\tfi\n"
	"}\n"
	"\n"
	"_tcpguard_words()\n"
	"{\n"
	"\tmapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W \"$1\" -- \"$current\")\n"
	"}\n"
	"\n"
	"_tcpguard_interfaces()\n"
	"{\n"
	"\tlocal path name\n"
	"\n"
	"\t# A name may hold what the shell would carry out.\n"
	"\tfor path in " COMPLETION_INTERFACES "/*; do\n"
	"\t\tprintf -v name %q \"${path##*/}\"\n"
	"\t\t[[ ! -e $path/ifindex || ${path##*/} != \"$current\"* ]] || COMPREPLY+=(\"$name\")\n"
	"\tdone\n"
	"}\n"
	"\n"
	"_tcpguard_files()\n"
	"{\n"
	"\tcompopt -o filenames 2> /dev/null\n"
	"\tmapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$current\")\n"
	"}\n";

static void print_actions(const struct completion *completion)
{
	if (completion->words[0])
		printf(" _tcpguard_words \"%s\";", completion->words);
	if (completion->interfaces)
		printf(" _tcpguard_interfaces;");
	if (completion->files)
		printf(" _tcpguard_files;");
	puts(";");
}

static void print_names(const struct option_row *row, bool only_valued)
{
	for (; row && row->name; row++) {
		if (only_valued && !row->value)
			continue;
		printf("--%s ", row->name);
		if (row->letter)
			printf("-%c ", row->letter);
	}
}

/* An option of a command hides a global one of the same letter, in the parser as here: it is first. */
static void print_options(const char *command, const struct option_row *rows)
{
	printf("\t\"%s\")\n\t\toptions=\"", command);
	print_names(rows, false);
	print_names(command_global_rows, false);
	printf("\"\n\t\tvalued=\" ");
	print_names(rows, true);
	print_names(command_global_rows, true);
	puts("\"\n\t\t;;");
}

static void print_values(const char *command, const struct option_row *row)
{
	struct completion completion;

	for (; row && row->name; row++) {
		completion_of_value(row->value, &completion);
		if (completion_is_empty(&completion))
			continue;
		printf("\t%s\" --%s\"", command, row->name);
		if (row->letter)
			printf(" | %s\" -%c\"", command, row->letter);
		putchar(')');
		print_actions(&completion);
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
		printf("\t\"%s %d\"", command->name, position);
		if (completion.repeats)
			printf(" | \"%s \"*", command->name);
		putchar(')');
		print_actions(&completion);
	}
}

static void print_commands(void)
{
	const struct command *const *command;

	for (command = command_table; *command; command++)
		printf("%s ", (*command)->name);
}

void output_completion_bash(void)
{
	const struct command *const *command;

	puts("# bash completion of tcpguard, written by 'tcpguard completion bash'\n");
	printf("_tcpguard_options()\n{\n\tcase $1 in\n");
	for (command = command_table; *command; command++)
		print_options((*command)->name, (*command)->options);
	printf("\t*)\n\t\toptions=\"");
	print_names(command_global_rows, false);
	printf("\"\n\t\tvalued=\" ");
	print_names(command_global_rows, true);
	puts("\"\n\t\t;;\n\tesac\n}\n");

	printf("_tcpguard_value()\n{\n\tcase $1 in\n");
	for (command = command_table; *command; command++)
		print_values((*command)->name, (*command)->options);
	print_values("*", command_global_rows);
	puts("\tesac\n}\n");

	printf("_tcpguard_position()\n{\n\tcase $1 in\n");
	for (command = command_table; *command; command++)
		print_positions(*command);
	printf("\t\"help 0\") _tcpguard_words \"");
	print_commands();
	puts("help\";;\n\tesac\n}\n");

	fputs(walk, stdout);
	puts("\ncomplete -F _tcpguard tcpguard");
}
