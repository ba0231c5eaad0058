/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard config check|show|diff|reload|default [FILE]` */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_config.h"
#include "config_apply.h"
#include "config_lists.h"
#include "log.h"
#include "output.h"
#include "output_json_values.h"
#include "settings.h"

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
	size_t block = config_lists_count(config, TG_LIST_BLOCK),
	       allow = config_lists_count(config, TG_LIST_ALLOW);
	char text[512], lists[96] = "", hash[20];
	const struct output_field fields[] = {
		{ .name = "done", .kind = OUTPUT_STRING, .string = done },
		{ .name = "file", .kind = OUTPUT_STRING, .string = path },
		{ .name = "files", .kind = OUTPUT_NUMBER, .number = config->file_count },
		{ .name = "interfaces", .kind = OUTPUT_NUMBER, .number = config->iface_count },
		{ .name = "services", .kind = OUTPUT_NUMBER, .number = config->service_count },
		{ .name = "block", .kind = OUTPUT_NUMBER, .number = block },
		{ .name = "allow", .kind = OUTPUT_NUMBER, .number = allow },
		{ .name = "hash", .kind = OUTPUT_STRING, .string = hash },
		{ .name = NULL },
	};

	snprintf(hash, sizeof(hash), "%016" PRIx64, config->hash);
	if (config->lists)
		snprintf(lists, sizeof(lists), ", %zu prefix%s to block, %zu to allow", block,
			 block == 1 ? "" : "es", allow);
	snprintf(text, sizeof(text), "%s: %s: %u interface%s, %u service%s%s", path, done,
		 config->iface_count, config->iface_count == 1 ? "" : "s", config->service_count,
		 config->service_count == 1 ? "" : "s", lists);
	return say(global, "tcpguard.config/1", text, fields);
}

static int run_check(const struct global_options *global, const char *path)
{
	struct config *config;
	int err, code;

	err = config_read(path, &config);
	if (!err)
		err = config_lists_read(config);
	code = err ? command_exit_code(err) : say_read(global, "valid", path, config);
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
	json_set_text(context, path, value);
}

int config_print_json(const struct global_options *global, json_t *document)
{
	json_dumpf(document, stdout, global->pretty ? JSON_INDENT(2) : JSON_COMPACT);
	putchar('\n');
	json_decref(document);
	return fflush(stdout) || ferror(stdout) ? EXIT_INTERNAL : EXIT_OK;
}

static uint32_t rules_of(const struct tg_list_counts *counts, enum tg_list list, enum tg_list_origin origin)
{
	return counts->rules[list][0][origin] + counts->rules[list][1][origin];
}

/* Rules, not files: those may have changed since. */
static void print_lists(const struct tg_list_counts *counts)
{
	static const char *const names[TG_LIST_MAX] = { "block", "allow" };
	int list;

	for (list = 0; list < TG_LIST_MAX; list++) {
		uint32_t file = rules_of(counts, (enum tg_list)list, TG_LIST_BY_FILE);
		uint32_t cli = rules_of(counts, (enum tg_list)list, TG_LIST_BY_COMMAND);

		if (file || cli)
			printf("# %s list: %u prefix%s of files, %u added by command; 'tcpguard %s list' "
			       "shows them\n",
			       names[list], file, file == 1 ? "" : "es", cli, names[list]);
	}
}

static json_t *lists_json(const struct tg_list_counts *counts)
{
	json_t *document = json_object();
	int list;

	for (list = 0; list < TG_LIST_MAX; list++)
		json_object_set_new(
			document, list == TG_LIST_ALLOW ? "allow" : "block",
			json_pack("{s:I, s:I}", "file",
				  (json_int_t)rules_of(counts, (enum tg_list)list, TG_LIST_BY_FILE), "cli",
				  (json_int_t)rules_of(counts, (enum tg_list)list, TG_LIST_BY_COMMAND)));
	return document;
}

static int print_force(const struct global_options *global, const struct config *config, uint64_t generation,
		       const struct tg_list_counts *counts)
{
	char hash[20];
	json_t *settings;

	snprintf(hash, sizeof(hash), "%016" PRIx64, config->hash);
	if (global->output == OUTPUT_TEXT) {
		if (config->hash)
			printf("# in force, from a file with the hash %s\n", hash);
		else
			puts("# in force, from no file");
		print_lists(counts);
		config_print(stdout, config, false);
		return fflush(stdout) || ferror(stdout) ? EXIT_INTERNAL : EXIT_OK;
	}
	settings = json_object();
	config_visit(config, false, add_json, settings);
	return config_print_json(
		global, json_pack("{s:s, s:I, s:s?, s:o, s:o}", "schema", "tcpguard.config.show/1",
				  "generation", (json_int_t)generation, "hash", config->hash ? hash : NULL,
				  "settings", settings, "lists", lists_json(counts)));
}

int config_read_force(const struct pins *pins, struct config *config)
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
	struct tg_list_counts counts;
	struct pins pins;
	int err, code;

	if (!config)
		return command_exit_code(log_err(-ENOMEM, "cannot show the configuration"));
	err = pins_open(&pins, false);
	if (!err) {
		err = config_read_force(&pins, config);
		if (!err)
			err = lists_count(&pins, &counts);
		code = err ? command_exit_code(err) :
			     print_force(global, config, settings_active(pins.settings)->generation,
					 &counts);
		pins_close(&pins);
	} else {
		code = command_exit_code(err);
	}
	config_free(config);
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
		return config_diff(global, path);
	if (!strcmp(word, "default")) {
		config_print_default(stdout);
		return fflush(stdout) || ferror(stdout) ? EXIT_INTERNAL : EXIT_OK;
	}
	log_err_hint(0, "check, show, diff, reload or default",
		     argc ? "config: no action '%s'" : "config: what?", word);
	return EXIT_USAGE;
}

const struct command command_config = {
	.name = "config",
	.arguments = "check|show|diff|reload|default [FILE]",
	.summary = "Checks, shows, compares and applies the configuration file.",
	.details = "FILE is " CONFIG_PATH " unless given; conf.d/*.yaml beside it belongs to it.\n"
		   "check needs no rights.  show prints what is in force, diff what a reload would change\n"
		   "(exit code 1 if anything).  reload applies all of the file at once; with a fault in it,\n"
		   "exit code 6, nothing changes.  default prints a file with every key.  The keys:\n"
		   "tcpguard.yaml(5).",
	.run = run_config,
};
