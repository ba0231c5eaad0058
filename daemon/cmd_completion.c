/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcpguard completion: the option tables, for a shell. */
#include "command.h"

#include <errno.h>
#include <string.h>

#include "log.h"
#include "output_completion.h"

static const struct shell {
	const char *name;
	void (*write)(void);
} shells[] = {
	{ "bash", output_completion_bash },
	{ "zsh", output_completion_zsh },
	{ "fish", output_completion_fish },
};

static int run(const struct global_options *global, const void *options, int argc, char **argv)
{
	size_t i;

	(void)global;
	(void)options;
	for (i = 0; argc == 1 && i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(argv[0], shells[i].name) != 0)
			continue;
		shells[i].write();
		return EXIT_OK;
	}
	log_err_hint(0, "usage: tcpguard completion bash|zsh|fish",
		     argc == 1 ? "no completion for a shell named '%s'" : "which shell?", argv[0]);
	return EXIT_USAGE;
}

const struct command command_completion = {
	.name = "completion",
	.arguments = "bash|zsh|fish",
	.summary = "Prints what a shell needs to complete commands, options and values.",
	.details = "bash:  eval \"$(tcpguard completion bash)\"\n"
		   "zsh:   eval \"$(tcpguard completion zsh)\", after compinit\n"
		   "fish:  tcpguard completion fish | source\n"
		   "The packages and 'make install' put it where the shells look by themselves.",
	.run = run,
};
