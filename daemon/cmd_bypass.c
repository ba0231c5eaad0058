/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard bypass on|off`: the emergency exit, one word of the settings map. */
#include <string.h>

#include "command.h"
#include "log.h"
#include "options.h"
#include "output.h"
#include "pins.h"
#include "settings.h"

static int report(const struct global_options *global, bool on)
{
	const struct output_field fields[] = {
		{ .name = "bypass", .kind = OUTPUT_BOOLEAN, .number = on },
		{ .name = NULL },
	};
	const struct output_answer answer = {
		.schema = "tcpguard.bypass/1",
		.text = on ? "bypass is on: nothing is dropped; back with 'tcpguard bypass off'" :
			     "bypass is off: every interface follows its own mode",
		.fields = fields,
	};
	struct output out;

	if (output_open(&out, global, false))
		return EXIT_USAGE;
	out.functions->answer(&out, &answer);
	return command_exit_code(output_close(&out));
}

/* 1, 0, or -1 after having said what is wrong. */
static int read_words(int argc, char **argv)
{
	if (argc < 1) {
		log_err_hint(0, "say 'tcpguard bypass on|off'", "bypass what?");
		return -1;
	}
	if (argc > 1)
		return options_no_words(argc - 1, argv + 1) ? -1 : 0;
	if (!strcmp(argv[0], "on"))
		return 1;
	if (!strcmp(argv[0], "off"))
		return 0;
	log_err_hint(0, "say 'tcpguard bypass on|off'", "bypass: '%s' is neither on nor off",
		     argv[0]);
	return -1;
}

static int run_bypass(const struct global_options *global, const void *options, int argc,
		      char **argv)
{
	int on = read_words(argc, argv);
	struct pins pins;
	uint64_t now_ms;
	int err;

	(void)options;
	if (on < 0)
		return EXIT_USAGE;
	err = pins_open(&pins, true);
	if (err)
		return command_exit_code(err);
	if (!on && TG_READ_ONCE(pins.settings->bypass)) {
		err = pins_now_ms(&pins, &now_ms);
		if (!err)
			settings_learn_anew(&pins, now_ms);
	}
	if (!err)
		TG_WRITE_ONCE(pins.settings->bypass, (__u32)on);
	pins_close(&pins);
	return err ? command_exit_code(err) : report(global, on);
}

const struct command command_bypass = {
	.name = "bypass",
	.arguments = "on|off",
	.summary = "For emergencies: on, nothing is dropped on any interface, whatever its mode.",
	.run = run_bypass,
};
