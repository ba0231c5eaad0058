/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard enforce|monitor [IFACE|SERVICE...]`: one word of the settings map each. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "log.h"
#include "mode_targets.h"
#include "names.h"
#include "options.h"
#include "output.h"
#include "settings.h"

#define CONFIRM_ON_TERMINAL_S 60
#define CONFIRM_UNSET UINT32_MAX
#define LOOK_NS 100000000L

struct mode_options {
	uint32_t confirm_s; /* 0: for good */
	bool wait;
};

static const struct mode_options defaults = { .confirm_s = CONFIRM_UNSET };

static const struct option_row enforce_rows[] = {
	{ 0, "confirm", "TIME", "go back after this time unless 'tcpguard confirm' comes; 0: for good (60s on a terminal, else 0)",
	  options_duration, offsetof(struct mode_options, confirm_s) },
	{ 0, "wait", NULL, "wait for the answer: exit code 8 if it goes back", options_set_true,
	  offsetof(struct mode_options, wait) },
	{ 0 },
};

/* What the command says and, for programs, its parts. */
static int report(const struct global_options *global, const struct mode_targets *targets,
		  enum tg_mode mode, uint32_t confirm_s)
{
	const char *ifaces[MODE_TARGETS_MAX], *services[MODE_TARGETS_MAX];
	char text[256 + MODE_TARGETS_MAX * (TG_SERVICE_NAME_LEN + 1)], advice[128];
	uint64_t iface_count = 0, service_count = 0;
	struct output out;
	size_t length;
	uint32_t i;

	length = (size_t)snprintf(text, sizeof(text), "%s on",
				  mode == TG_MODE_ENFORCE ? "enforcing" :
							    "monitoring, nothing is dropped,");
	for (i = 0; i < targets->count; i++) {
		const struct mode_target *target = &targets->target[i];

		if (target->service)
			services[service_count++] = target->name;
		else
			ifaces[iface_count++] = target->name;
		length += (size_t)snprintf(text + length, sizeof(text) - length, " %s", target->name);
	}
	if (confirm_s)
		snprintf(advice, sizeof(advice),
			 "Goes back by itself in %u s unless you run:  tcpguard confirm", confirm_s);

	const struct output_field fields[] = {
		{ .name = "mode", .kind = OUTPUT_STRING, .string = names_mode(mode) },
		{ .name = "interfaces", .kind = OUTPUT_STRINGS, .number = iface_count, .strings = ifaces },
		{ .name = "services", .kind = OUTPUT_STRINGS, .number = service_count, .strings = services },
		{ .name = "confirm_seconds", .kind = OUTPUT_NUMBER, .number = confirm_s },
		{ .name = NULL },
	};
	const struct output_answer answer = { .schema = "tcpguard.mode/1",
					      .text = text,
					      .advice = confirm_s ? advice : NULL,
					      .fields = fields };

	if (output_open(&out, global, false))
		return EXIT_USAGE;
	out.functions->answer(&out, &answer);
	return command_exit_code(output_close(&out));
}

/* Some still have a deadline to meet; *reverted if one of them does not enforce any more. */
static bool still_pending(const struct mode_targets *targets, uint64_t now_ms, bool *reverted,
			  uint64_t *left_ms)
{
	bool pending = false;
	uint32_t i;

	for (i = 0; i < targets->count; i++) {
		const struct tg_mode_setting *setting = targets->target[i].setting;
		uint64_t until_ms = TG_READ_ONCE(setting->until_ms);

		if (tg_mode_at(setting, now_ms) != TG_MODE_ENFORCE) {
			*reverted = true;
		} else if (until_ms) {
			pending = true;
			*left_ms = until_ms - now_ms;
		}
	}
	return pending && !*reverted;
}

static int wait_for_answer(const struct pins *pins, const struct mode_targets *targets)
{
	const struct timespec pause = { .tv_nsec = LOOK_NS };
	bool terminal = isatty(STDERR_FILENO), reverted = false;
	uint64_t now_ms, left_ms = 0;

	for (;;) {
		int err = pins_now_ms(pins, &now_ms);

		if (err)
			return command_exit_code(err);
		if (!still_pending(targets, now_ms, &reverted, &left_ms))
			break;
		if (terminal)
			fprintf(stderr, "\r%llu s left\033[K", (unsigned long long)(left_ms + 999) / 1000);
		nanosleep(&pause, NULL);
	}
	if (terminal)
		fputs("\r\033[K", stderr);
	if (reverted)
		log_info("gone back: no 'tcpguard confirm' came");
	return reverted ? EXIT_REVERTED : EXIT_OK;
}

static bool begins_to_enforce(const struct mode_targets *targets, enum tg_mode mode, uint64_t now_ms)
{
	uint32_t i;

	for (i = 0; i < targets->count; i++)
		if (settings_begins_to_enforce(targets->target[i].setting, mode, now_ms))
			return true;
	return false;
}

static int apply(const struct pins *pins, const struct mode_targets *targets, enum tg_mode mode,
		 uint32_t confirm_s)
{
	uint64_t now_ms = 0;
	uint32_t i;
	int err;

	err = mode == TG_MODE_ENFORCE ? pins_now_ms(pins, &now_ms) : 0;
	if (!err && begins_to_enforce(targets, mode, now_ms))
		settings_learn_anew(pins, now_ms);
	for (i = 0; i < targets->count && !err; i++) {
		if (confirm_s)
			mode_target_try(pins, &targets->target[i], mode, now_ms + confirm_s * 1000ULL,
					now_ms);
		else
			mode_target_set(&targets->target[i], mode);
	}
	return err;
}

/*
 * Under the lock, which a reload in progress needs not to lose the change.  To stop dropping nobody
 * waits for long: better done and perhaps undone by the reload, which is said, than not done.
 */
static int find_and_apply(const struct pins *pins, struct mode_targets *targets, enum tg_mode mode,
			  uint32_t confirm_s, int argc, char **argv)
{
	int lock = settings_lock(), err = 0;

	if (lock < 0 && mode == TG_MODE_ENFORCE)
		return log_err_hint(lock, "try again when it is done",
				    "cannot enforce while another tcpguard changes the settings");
	if (lock < 0)
		log_info("another tcpguard changes the settings: look at the mode when it is done");
	if (argc)
		err = mode_targets_named(pins, argc, argv, targets);
	else
		mode_targets_all(pins, mode == TG_MODE_MONITOR, targets);
	if (!err && !targets->count) {
		log_err_hint(0, "attach with 'tcpguard attach IFACE'", "no interface is attached");
		err = -ENODEV;
	}
	if (!err)
		err = apply(pins, targets, mode, confirm_s);
	if (lock >= 0)
		close(lock);
	return err;
}

static int set_mode(const struct global_options *global, const struct mode_options *options,
		    enum tg_mode mode, int argc, char **argv)
{
	struct mode_targets targets = { 0 };
	struct pins pins;
	int err, code;

	err = pins_open(&pins, true);
	if (err)
		return command_exit_code(err);
	err = find_and_apply(&pins, &targets, mode, options->confirm_s, argc, argv);
	if (err == -ENODEV)
		code = EXIT_NOT_ATTACHED;
	else if (err)
		code = command_exit_code(err);
	else
		code = report(global, &targets, mode, options->confirm_s);
	if (!code && options->confirm_s && options->wait) {
		fflush(stdout);
		code = wait_for_answer(&pins, &targets);
	}
	pins_close(&pins);
	return code;
}

static int run_enforce(const struct global_options *global, const void *given, int argc, char **argv)
{
	struct mode_options options = *(const struct mode_options *)given;

	if (options.confirm_s == CONFIRM_UNSET)
		options.confirm_s = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) ? CONFIRM_ON_TERMINAL_S : 0;
	if (options.wait && !options.confirm_s) {
		log_err_hint(0, "for instance --confirm 60s --wait", "--wait: nothing to wait for");
		return EXIT_USAGE;
	}
	return set_mode(global, &options, TG_MODE_ENFORCE, argc, argv);
}

static int run_monitor(const struct global_options *global, const void *given, int argc, char **argv)
{
	const struct mode_options options = { .confirm_s = 0 };

	(void)given;
	return set_mode(global, &options, TG_MODE_MONITOR, argc, argv);
}

const struct command command_enforce = {
	.name = "enforce",
	.arguments = "[IFACE|SERVICE...]",
	.summary = "Drops what belongs to no connection, on these interfaces or services or on all.",
	.details =
		"With --confirm it goes back to what held before unless 'tcpguard confirm' comes in time.\n"
		"The data path keeps the deadline itself: it is met with no process left, and with you\n"
		"locked out.  Services with a mode of their own keep it unless named.",
	.options = enforce_rows,
	.options_size = sizeof(struct mode_options),
	.defaults = &defaults,
	.run = run_enforce,
};

const struct command command_monitor = {
	.name = "monitor",
	.arguments = "[IFACE|SERVICE...]",
	.summary = "Drops nothing and counts what would be dropped, on these or on all.",
	.details =
		"At once and for good.  Without names it holds for services with a mode of their own, too.",
	.run = run_monitor,
};
