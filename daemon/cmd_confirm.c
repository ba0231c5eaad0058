/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard confirm|revert [IFACE|SERVICE...]`: the answer to a pending --confirm. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "command.h"
#include "log.h"
#include "mode_targets.h"
#include "names.h"
#include "output.h"
#include "settings.h"

/* Answers each; those that had a deadline are left in *targets. */
static void answer_all(struct mode_targets *targets, bool confirm, uint64_t now_ms)
{
	uint32_t i, kept = 0;

	for (i = 0; i < targets->count; i++) {
		struct tg_mode_setting *setting = targets->target[i].setting;

		if (confirm ? settings_confirm(setting, now_ms) : settings_revert(setting, now_ms))
			targets->target[kept++] = targets->target[i];
	}
	targets->count = kept;
}

/* To stop dropping, nobody waits for long: see cmd_mode.c. */
static int find_and_answer(const struct pins *pins, struct mode_targets *targets, bool confirm,
			   int argc, char **argv)
{
	int lock = settings_lock(), err = 0;
	uint64_t now_ms;

	if (lock < 0 && confirm)
		return log_err_hint(lock, "try again when it is done, before the deadline",
				    "cannot confirm while another tcpguard changes the settings");
	if (argc)
		err = mode_targets_named(pins, argc, argv, targets);
	else
		mode_targets_all(pins, true, targets);
	if (!err)
		err = pins_now_ms(pins, &now_ms);
	if (!err)
		answer_all(targets, confirm, now_ms);
	if (lock >= 0)
		close(lock);
	return err;
}

static int report(const struct global_options *global, const struct mode_targets *targets, bool confirm)
{
	const char *names[MODE_TARGETS_MAX];
	char text[128 + MODE_TARGETS_MAX * (TG_SERVICE_NAME_LEN + 16)];
	struct output out;
	size_t length;
	uint32_t i;

	length = (size_t)snprintf(text, sizeof(text), confirm ? "confirmed:" : "gone back:");
	for (i = 0; i < targets->count; i++) {
		names[i] = targets->target[i].name;
		length += (size_t)snprintf(text + length, sizeof(text) - length, " %s (%s)", names[i],
					   names_mode(targets->target[i].setting->mode));
	}
	if (!targets->count)
		snprintf(text, sizeof(text), "nothing is waiting to be confirmed");

	const struct output_field fields[] = {
		{ .name = "done", .kind = OUTPUT_STRING, .string = confirm ? "confirm" : "revert" },
		{ .name = "names", .kind = OUTPUT_STRINGS, .number = targets->count, .strings = names },
		{ .name = NULL },
	};
	const struct output_answer answer = {
		.schema = "tcpguard.confirm/1",
		.text = text,
		.fields = fields,
	};

	if (output_open(&out, global, false))
		return EXIT_USAGE;
	out.functions->answer(&out, &answer);
	i = (uint32_t)command_exit_code(output_close(&out));
	return i || targets->count ? (int)i : EXIT_NO;
}

static int run(const struct global_options *global, bool confirm, int argc, char **argv)
{
	struct mode_targets targets;
	struct pins pins;
	int err, code;

	err = pins_open(&pins, true);
	if (err)
		return command_exit_code(err);
	err = find_and_answer(&pins, &targets, confirm, argc, argv);
	if (err == -ENODEV)
		code = EXIT_NOT_ATTACHED;
	else
		code = err ? command_exit_code(err) : report(global, &targets, confirm);
	pins_close(&pins);
	return code;
}

static int run_confirm(const struct global_options *global, const void *options, int argc, char **argv)
{
	(void)options;
	return run(global, true, argc, argv);
}

static int run_revert(const struct global_options *global, const void *options, int argc, char **argv)
{
	(void)options;
	return run(global, false, argc, argv);
}

const struct command command_confirm = {
	.name = "confirm",
	.arguments = "[IFACE|SERVICE...]",
	.summary = "Keeps the mode that 'enforce --confirm' set, of these or of all.",
	.details = "Exit code 1 if no deadline is pending: it has passed, or there was none.",
	.run = run_confirm,
};

const struct command command_revert = {
	.name = "revert",
	.arguments = "[IFACE|SERVICE...]",
	.summary = "Goes back at once to what held before 'enforce --confirm'.",
	.details = "Exit code 1 if no deadline is pending: it has passed, or there was none.",
	.run = run_revert,
};
