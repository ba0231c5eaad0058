/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command is one row in its own file: name, arguments, options and function.  The same rows
 * parse, print --help and make the shell completion.
 */
#ifndef TCPGUARD_COMMAND_H
#define TCPGUARD_COMMAND_H

#include <stddef.h>

/* Exit codes, docs/tcpguard.8.scd. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_NO = 1, /* the answer is "no" */
	EXIT_USAGE = 2,
	EXIT_NOT_ATTACHED = 3, /* not attached, or no daemon */
	EXIT_PERMISSION = 4,
	EXIT_CANNOT = 5, /* kernel or driver cannot */
	EXIT_CONFIG = 6,
	EXIT_BUSY = 7, /* another XDP program, or another tcpguard at work */
	EXIT_REVERTED = 8,
	EXIT_PARTLY = 9,
	EXIT_INTERNAL = 70,
	EXIT_INTERRUPTED = 130,
};

/* Options before the command; every command receives them. */
struct global_options {
	enum {
		OUTPUT_TEXT,
		OUTPUT_JSON,
		OUTPUT_NDJSON,
		OUTPUT_CONNTRACK
	} output;
	int pretty; /* JSON with indentation */
	int colour; /* decided: terminal, NO_COLOR, TERM and --color */
};

/*
 * One option of one command.  value is NULL for a switch, else the word shown in the help; it is
 * what the completion knows, too: "auto|native|generic" names the values, see completion.h for the
 * rest.
 */
struct option_row {
	char letter; /* 0: none */
	const char *name;
	const char *value;
	const char *help;
	/* Stores the argument (NULL for a switch) at out; 0 or -EINVAL after having said why. */
	int (*parse)(const char *name, const char *argument, void *out);
	size_t offset; /* of the member in the command's own options struct */
};

struct command {
	const char *name;
	const char *arguments; /* for the usage line, "" for none */
	const char *summary;
	const char *details; /* a paragraph for --help, or NULL */
	const struct option_row *options; /* ends with a row without name; may be NULL */
	size_t options_size; /* of the command's options struct; zeroed before parsing unless defaults */
	const void *defaults; /* initial value of the options struct, or NULL */
	/* argv holds the words left after the options.  Returns an enum exit_code. */
	int (*run)(const struct global_options *global, const void *options, int argc, char **argv);
};

extern const struct command command_attach;
extern const struct command command_detach;
extern const struct command command_upgrade;
extern const struct command command_status;
extern const struct command command_stats;
extern const struct command command_top;
extern const struct command command_flows;
extern const struct command command_enforce;
extern const struct command command_monitor;
extern const struct command command_confirm;
extern const struct command command_revert;
extern const struct command command_bypass;
extern const struct command command_block;
extern const struct command command_allow;
extern const struct command command_secret;
extern const struct command command_config;
extern const struct command command_replay;
extern const struct command command_explain;
extern const struct command command_doctor;
extern const struct command command_capture;
extern const struct command command_events;
extern const struct command command_metrics;
extern const struct command command_daemon;
extern const struct command command_completion;
extern const struct command command_version;

/* Every command, ends with NULL; and the options all of them share.  In main.c. */
extern const struct command *const command_table[];
extern const struct option_row command_global_rows[];

/* Exit code for an error that has been reported already. */
int command_exit_code(int err);

#endif
