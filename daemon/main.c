/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the words of the command line to a command and its exit code. */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "log.h"
#include "options.h"

enum colour_when {
	COLOUR_AUTO,
	COLOUR_ALWAYS,
	COLOUR_NEVER,
};

struct main_options {
	struct global_options global;
	enum colour_when colour;
	enum log_level level;
	bool help;
};

static int parse_json(const char *name, const char *argument, void *out)
{
	(void)name;
	(void)argument;
	((struct global_options *)out)->output = OUTPUT_JSON;
	return 0;
}

static int parse_pretty(const char *name, const char *argument, void *out)
{
	struct global_options *global = out;

	(void)name;
	(void)argument;
	global->pretty = 1;
	if (global->output == OUTPUT_TEXT)
		global->output = OUTPUT_JSON;
	return 0;
}

static int parse_output(const char *name, const char *argument, void *out)
{
	static const char *const words[] = { "text", "json", "ndjson", "conntrack", NULL };
	int choice = options_choose(name, argument, words);

	if (choice < 0)
		return choice;
	((struct global_options *)out)->output = choice;
	return 0;
}

static int parse_colour(const char *name, const char *argument, void *out)
{
	static const char *const words[] = { "auto", "always", "never", NULL };
	int choice = options_choose(name, argument, words);

	if (choice < 0)
		return choice;
	*(enum colour_when *)out = (enum colour_when)choice;
	return 0;
}

static int parse_quiet(const char *name, const char *argument, void *out)
{
	(void)name;
	(void)argument;
	*(enum log_level *)out = LOG_LEVEL_QUIET;
	return 0;
}

static int parse_verbose(const char *name, const char *argument, void *out)
{
	(void)name;
	(void)argument;
	*(enum log_level *)out = LOG_LEVEL_VERBOSE;
	return 0;
}

/* Understood before the command and after it. */
const struct option_row command_global_rows[] = {
	{ 'j', "json", NULL, "answer in JSON", parse_json, offsetof(struct main_options, global) },
	{ 'p', "pretty", NULL, "JSON with indentation", parse_pretty,
	  offsetof(struct main_options, global) },
	{ 'o', "output", "text|json|ndjson|conntrack", "form of the answer; conntrack: flows list",
	  parse_output, offsetof(struct main_options, global) },
	{ 0, "color", "auto|always|never", "colours in the text", parse_colour,
	  offsetof(struct main_options, colour) },
	{ 'q', "quiet", NULL, "errors only", parse_quiet, offsetof(struct main_options, level) },
	{ 'v', "verbose", NULL, "also what libbpf and libxdp say", parse_verbose,
	  offsetof(struct main_options, level) },
	{ 'h', "help", NULL, "this help, or that of the command", options_set_true,
	  offsetof(struct main_options, help) },
	{ 0 },
};

const struct command *const command_table[] = {
	&command_attach,
	&command_detach,
	&command_upgrade,
	&command_status,
	&command_stats,
	&command_top,
	&command_flows,
	&command_enforce,
	&command_monitor,
	&command_confirm,
	&command_revert,
	&command_bypass,
	&command_block,
	&command_allow,
	&command_secret,
	&command_config,
	&command_replay,
	&command_explain,
	&command_doctor,
	&command_capture,
	&command_events,
	&command_metrics,
	&command_daemon,
	&command_completion,
	&command_version,
	NULL,
};

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; command_table[i]; i++)
		if (!strcmp(command_table[i]->name, name))
			return command_table[i];
	log_err_hint(0, "see 'tcpguard help'", "no command '%s'", name);
	return NULL;
}

static int print_overview(void)
{
	size_t i;

	puts("usage: tcpguard [OPTION...] COMMAND [ARGUMENT...]\n\n"
	     "Tracks TCP connections in XDP and TC and drops what belongs to none.\n\nCommands:");
	for (i = 0; command_table[i]; i++)
		printf("  %-10s %s\n", command_table[i]->name, command_table[i]->summary);
	puts("  help       Explains a command: tcpguard help COMMAND\n\nOptions:");
	options_print_rows(stdout, command_global_rows);
	return EXIT_OK;
}

static int print_help(const struct command *command)
{
	options_print_help(stdout, command);
	puts("\nGlobal options:");
	options_print_rows(stdout, command_global_rows);
	return EXIT_OK;
}

static int run_help(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2)
		return print_overview();
	command = find_command(argv[1]);
	return command ? print_help(command) : EXIT_USAGE;
}

/* NO_COLOR: any value but the empty one (no-color.org). */
static bool want_colour(enum colour_when when)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (when != COLOUR_AUTO)
		return when == COLOUR_ALWAYS;
	if ((no_color && no_color[0]) || !term || !strcmp(term, "dumb"))
		return false;
	return isatty(STDOUT_FILENO);
}

static int run_command(const struct command *command, struct main_options *options, int argc,
		       char **argv)
{
	void *own = calloc(1, command->options_size ? command->options_size : 1);
	const struct option_group groups[] = {
		{ .rows = command->options, .out = own },
		{ .rows = command_global_rows, .out = options },
	};
	int words, code = EXIT_USAGE;

	if (!own)
		return command_exit_code(log_err(-ENOMEM, "cannot run '%s'", command->name));
	if (command->defaults)
		memcpy(own, command->defaults, command->options_size);
	words = options_parse(groups, 2, false, argc, argv);
	if (words > 0) {
		log_set_level(options->level);
		options->global.colour = want_colour(options->colour);
		code = options->help ?
			       print_help(command) :
			       command->run(&options->global, own, argc - words, argv + words);
	}
	free(own);
	return code;
}

static int run(int argc, char **argv)
{
	struct main_options options = { .level = LOG_LEVEL_NORMAL };
	const struct option_group group = { .rows = command_global_rows, .out = &options };
	const struct command *command;
	int word;

	log_capture_libraries();
	word = options_parse(&group, 1, true, argc, argv);
	if (word < 0)
		return EXIT_USAGE;
	if (options.help)
		return print_overview();
	if (word >= argc) {
		log_err_hint(0, "see 'tcpguard help'", "no command given");
		return EXIT_USAGE;
	}
	if (!strcmp(argv[word], "help"))
		return run_help(argc - word, argv + word);
	command = find_command(argv[word]);
	return command ? run_command(command, &options, argc - word, argv + word) : EXIT_USAGE;
}

/* Whoever runs out of room while answering must not take half an answer for the whole. */
static int finish_answer(int code)
{
	if (fflush(stdout) || ferror(stdout))
		return code ? code : command_exit_code(log_err(-EIO, "cannot write the answer"));
	return code;
}

int main(int argc, char **argv)
{
	return finish_answer(run(argc, argv));
}
