/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard config check|show|diff|reload|default [FILE]` */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "command.h"
#include "config.h"
#include "config_apply.h"
#include "log.h"
#include "output.h"
#include "settings.h"

#define LINES_MAX 2048

static int say(const struct global_options *global, const char *schema, const char *text,
	       const struct output_field *fields)
{
	const struct output_answer answer = { .schema = schema, .text = text, .fields = fields };
	struct output out;

	if (output_open(&out, global, false))
		return EXIT_USAGE;
	out.functions->answer(&out, &answer);
	return command_exit_code(output_close(&out));
}

static int say_read(const struct global_options *global, const char *done, const char *path,
		    const struct config *config)
{
	char text[512], hash[20];
	const struct output_field fields[] = {
		{ .name = "done", .kind = OUTPUT_STRING, .string = done },
		{ .name = "file", .kind = OUTPUT_STRING, .string = path },
		{ .name = "files", .kind = OUTPUT_NUMBER, .number = config->file_count },
		{ .name = "interfaces", .kind = OUTPUT_NUMBER, .number = config->iface_count },
		{ .name = "services", .kind = OUTPUT_NUMBER, .number = config->service_count },
		{ .name = "hash", .kind = OUTPUT_STRING, .string = hash },
		{ .name = NULL },
	};

	snprintf(hash, sizeof(hash), "%016" PRIx64, config->hash);
	snprintf(text, sizeof(text), "%s: %s: %u interface%s, %u service%s", path, done, config->iface_count,
		 config->iface_count == 1 ? "" : "s", config->service_count,
		 config->service_count == 1 ? "" : "s");
	return say(global, "tcpguard.config/1", text, fields);
}

static int run_check(const struct global_options *global, const char *path)
{
	struct config *config;
	int err, code;

	err = config_read(path, &config);
	if (err)
		return command_exit_code(err);
	code = say_read(global, "valid", path, config);
	config_free(config);
	return code;
}

static int run_reload(const struct global_options *global, const char *path)
{
	struct config *config;
	struct pins pins;
	int err, code;

	err = pins_open(&pins, true);
	if (err)
		return command_exit_code(err);
	err = config_reload(&pins, path, &config);
	code = err ? command_exit_code(err) : say_read(global, "in force", path, config);
	config_free(config);
	pins_close(&pins);
	return code;
}

static void add_json(void *context, const char *path, const char *value)
{
	json_object_set_new(context, path, json_string(value));
}

static int print_json(const struct global_options *global, json_t *document)
{
	json_dumpf(document, stdout, global->pretty ? JSON_INDENT(2) : JSON_COMPACT);
	putchar('\n');
	json_decref(document);
	return fflush(stdout) || ferror(stdout) ? EXIT_INTERNAL : EXIT_OK;
}

static int print_force(const struct global_options *global, const struct config *config, uint64_t generation)
{
	char hash[20];
	json_t *settings;

	snprintf(hash, sizeof(hash), "%016" PRIx64, config->hash);
	if (global->output == OUTPUT_TEXT) {
		if (config->hash)
			printf("# in force, from a file with the hash %s\n", hash);
		else
			puts("# in force, from no file");
		config_print(stdout, config, false);
		return fflush(stdout) || ferror(stdout) ? EXIT_INTERNAL : EXIT_OK;
	}
	settings = json_object();
	config_visit(config, false, add_json, settings);
	return print_json(global, json_pack("{s:s, s:I, s:s?, s:o}", "schema", "tcpguard.config.show/1",
					    "generation", (json_int_t)generation, "hash",
					    config->hash ? hash : NULL, "settings", settings));
}

/* What the data path has, as a file would say it. */
static int read_force(const struct pins *pins, struct config *config)
{
	uint64_t now_ms;
	int err = pins_now_ms(pins, &now_ms);

	if (!err)
		config_from_pins(pins, now_ms, config);
	return err;
}

static int run_show(const struct global_options *global)
{
	struct config *config = config_new();
	struct pins pins;
	int err, code;

	if (!config)
		return command_exit_code(log_err(-ENOMEM, "cannot show the configuration"));
	err = pins_open(&pins, false);
	if (!err) {
		err = read_force(&pins, config);
		code = err ? command_exit_code(err) : print_force(global, config,
								      settings_active(pins.settings)->generation);
		pins_close(&pins);
	} else {
		code = command_exit_code(err);
	}
	config_free(config);
	return code;
}

/* --- diff ----------------------------------------------------------------------------------------- */

struct line {
	char *path;
	char *value;
};

struct lines {
	struct line line[LINES_MAX];
	uint32_t count;
};

static void add_line(void *context, const char *path, const char *value)
{
	struct lines *lines = context;

	if (lines->count == LINES_MAX)
		return;
	lines->line[lines->count].path = strdup(path);
	lines->line[lines->count++].value = strdup(value);
}

static void free_lines(struct lines *lines)
{
	uint32_t i;

	for (i = 0; lines && i < lines->count; i++) {
		free(lines->line[i].path);
		free(lines->line[i].value);
	}
	free(lines);
}

static const char *value_of(const struct lines *lines, const char *path)
{
	uint32_t i;

	for (i = 0; i < lines->count; i++)
		if (!strcmp(lines->line[i].path, path))
			return lines->line[i].value;
	return NULL;
}

static uint32_t put_difference(const struct global_options *global, json_t *list, const char *path,
			       const char *force, const char *file)
{
	if (force && file && !strcmp(force, file))
		return 0;
	if (global->output == OUTPUT_TEXT) {
		if (force)
			printf("- %s: %s\n", path, force);
		if (file)
			printf("+ %s: %s\n", path, file);
	} else {
		json_array_append_new(list, json_pack("{s:s, s:s?, s:s?}", "key", path, "in_force", force,
						      "file", file));
	}
	return 1;
}

/* "no" if they differ, as diff(1). */
static int print_differences(const struct global_options *global, const struct lines *force,
			     const struct lines *file)
{
	json_t *list = json_array();
	uint32_t i, count = 0;
	int code = EXIT_OK;

	for (i = 0; i < force->count; i++)
		count += put_difference(global, list, force->line[i].path, force->line[i].value,
					value_of(file, force->line[i].path));
	for (i = 0; i < file->count; i++)
		if (!value_of(force, file->line[i].path))
			count += put_difference(global, list, file->line[i].path, NULL, file->line[i].value);
	if (global->output != OUTPUT_TEXT)
		code = print_json(global, json_pack("{s:s, s:O}", "schema", "tcpguard.config.diff/1",
						    "differences", list));
	else if (fflush(stdout) || ferror(stdout))
		code = EXIT_INTERNAL;
	json_decref(list);
	return code || !count ? code : EXIT_NO;
}

/*
 * The file as it would come back from the data path after a reload, so that equal is equal whatever
 * the order of ports.  What it leaves to be found out when attaching is as it was found out.
 */
static int settle(const struct pins *pins, const struct config *force, struct config *file)
{
	struct tg_config *config = malloc(sizeof(*config));
	struct tg_ports *ports = malloc(sizeof(*ports));
	uint32_t i, mode = file->mode;

	if (!config || !ports) {
		free(config);
		free(ports);
		return log_err(-ENOMEM, "cannot compare");
	}
	*config = *settings_active(pins->settings);
	config_fill(file, UINT64_MAX, config, ports);
	config_from(config, ports, file);
	free(config);
	free(ports);
	for (i = 0; i < file->iface_count; i++) {
		struct config_iface *iface = &file->iface[i];
		const struct config_iface *same = config_find_iface(force, iface->name);

		if (iface->mode == CONFIG_NOT_GIVEN)
			iface->mode = mode == CONFIG_NOT_GIVEN ? TG_MODE_ENFORCE : mode;
		if (same && !iface->profile)
			iface->profile = same->profile;
		if (same && !iface->xdp)
			iface->xdp = same->xdp;
	}
	file->mode = CONFIG_NOT_GIVEN;
	if (!file->max_flows)
		file->max_flows = force->max_flows;
	if (!file->daemon_loss_monitor)
		file->daemon_loss_after_s = force->daemon_loss_after_s;
	return 0;
}

static int compare(const struct global_options *global, const struct pins *pins, struct config *file)
{
	struct lines *before = calloc(1, sizeof(*before)), *after = calloc(1, sizeof(*after));
	struct config *force = config_new();
	int err = before && after && force ? 0 : log_err(-ENOMEM, "cannot compare");
	int code;

	if (!err)
		err = read_force(pins, force);
	if (!err)
		err = settle(pins, force, file);
	if (!err) {
		config_visit(force, false, add_line, before);
		config_visit(file, false, add_line, after);
	}
	code = err ? command_exit_code(err) : print_differences(global, before, after);
	free_lines(before);
	free_lines(after);
	config_free(force);
	return code;
}

static int run_diff(const struct global_options *global, const char *path)
{
	struct config *file;
	struct pins pins;
	int err, code;

	err = config_read(path, &file);
	if (err)
		return command_exit_code(err);
	err = pins_open(&pins, false);
	if (!err) {
		code = compare(global, &pins, file);
		pins_close(&pins);
	} else {
		code = command_exit_code(err);
	}
	config_free(file);
	return code;
}

static int run_config(const struct global_options *global, const void *options, int argc, char **argv)
{
	const char *word = argc ? argv[0] : "", *path = argc > 1 ? argv[1] : CONFIG_PATH;
	bool takes_file = strcmp(word, "show") != 0 && strcmp(word, "default") != 0;

	(void)options;
	if (argc > (takes_file ? 2 : 1)) {
		log_err_hint(0, "see 'tcpguard config --help'", "unexpected argument '%s'",
			     argv[takes_file ? 2 : 1]);
		return EXIT_USAGE;
	}
	if (!strcmp(word, "check"))
		return run_check(global, path);
	if (!strcmp(word, "reload"))
		return run_reload(global, path);
	if (!strcmp(word, "show"))
		return run_show(global);
	if (!strcmp(word, "diff"))
		return run_diff(global, path);
	if (!strcmp(word, "default")) {
		config_print_default(stdout);
		return fflush(stdout) || ferror(stdout) ? EXIT_INTERNAL : EXIT_OK;
	}
	log_err_hint(0, "check, show, diff, reload or default", argc ? "config: no action '%s'" : "config: what?",
		     word);
	return EXIT_USAGE;
}

const struct command command_config = {
	.name = "config",
	.arguments = "check|show|diff|reload|default [FILE]",
	.summary = "Checks, shows, compares and applies the configuration file.",
	.details =
		"FILE is " CONFIG_PATH " unless given; conf.d/*.yaml beside it belongs to it.\n"
		"check needs no rights.  show prints what is in force, diff what a reload would change (exit\n"
		"code 1 if anything).  reload applies all of the file at once; with a fault in it, exit code 6,\n"
		"nothing changes.  default prints a file with every key.  The keys: tcpguard.yaml(5).",
	.run = run_config,
};
