/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard config diff`: what a reload would change, key by key, and prefix by prefix in the lists. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_config.h"
#include "config_apply.h"
#include "config_lists.h"
#include "log.h"
#include "settings.h"

#define LINES_MAX 2048
#define PREFIXES_SAID 20 /* as text */

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

/* What is printed, or collected for JSON. */
struct differences {
	json_t *list; /* NULL: text */
	uint64_t count;
	uint64_t prefixes; /* of the lists, among them */
};

static void put(struct differences *all, const char *path, const char *force, const char *file)
{
	if (force && file && !strcmp(force, file))
		return;
	all->count++;
	if (all->list) {
		json_array_append_new(all->list, json_pack("{s:s, s:s?, s:s?}", "key", path, "in_force",
							   force, "file", file));
		return;
	}
	if (force)
		printf("- %s: %s\n", path, force);
	if (file)
		printf("+ %s: %s\n", path, file);
}

/* A config_lists_visitor.  JSON has all of them. */
static void put_prefix(void *context, const char *path, const char *before, const char *after)
{
	struct differences *all = context;

	if (all->prefixes++ < PREFIXES_SAID || all->list)
		put(all, path, before, after);
	else
		all->count++;
}

static int put_all(struct differences *all, const struct pins *pins, const struct config *config,
		   const struct lines *force, const struct lines *file)
{
	uint32_t i;
	int err;

	for (i = 0; i < force->count; i++)
		put(all, force->line[i].path, force->line[i].value, value_of(file, force->line[i].path));
	for (i = 0; i < file->count; i++)
		if (!value_of(force, file->line[i].path))
			put(all, file->line[i].path, NULL, file->line[i].value);
	err = config_lists_compare(pins, config, put_prefix, all);
	if (!err && !all->list && all->prefixes > PREFIXES_SAID)
		printf("# and %llu more prefixes, which -j shows\n",
		       (unsigned long long)(all->prefixes - PREFIXES_SAID));
	return err;
}

/* "no" if they differ, as diff(1). */
static int print_differences(const struct global_options *global, const struct pins *pins,
			     const struct config *config, const struct lines *force, const struct lines *file)
{
	struct differences all = { .list = global->output == OUTPUT_TEXT ? NULL : json_array() };
	int err = put_all(&all, pins, config, force, file);
	int code = EXIT_OK;

	if (err)
		json_decref(all.list);
	else if (all.list)
		code = config_print_json(global, json_pack("{s:s, s:o}", "schema", "tcpguard.config.diff/1",
							   "differences", all.list));
	else if (fflush(stdout) || ferror(stdout))
		code = EXIT_INTERNAL;
	if (err)
		return command_exit_code(err);
	return code || !all.count ? code : EXIT_NO;
}

/*
 * The file as it would come back from the data path after a reload, so that equal is equal whatever the
 * order of ports.  What it leaves to be found out when attaching is as it was found out.
 */
static void settle(const struct pins *pins, const struct config *force, struct config *file)
{
	struct settings_change change;
	uint32_t i, mode = file->mode;

	settings_begin(pins, &change);
	config_fill(file, UINT64_MAX, &change.config, &change.ports);
	config_from(&change.config, &change.ports, file);
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
}

static int compare(const struct global_options *global, const struct pins *pins, struct config *file)
{
	struct lines *before = calloc(1, sizeof(*before)), *after = calloc(1, sizeof(*after));
	struct config *force = config_new();
	int err = before && after && force ? 0 : -ENOMEM;
	int code;

	if (err)
		log_err(err, "cannot compare");
	else
		err = config_read_force(pins, force);
	if (!err) {
		settle(pins, force, file);
		config_visit(force, false, add_line, before);
		config_visit(file, false, add_line, after);
	}
	code = err ? command_exit_code(err) : print_differences(global, pins, file, before, after);
	free_lines(before);
	free_lines(after);
	config_free(force);
	return code;
}

int config_diff(const struct global_options *global, const char *path)
{
	struct config *file;
	struct pins pins;
	int err, code;

	err = config_read(path, &file);
	if (!err)
		err = config_lists_read(file);
	if (!err)
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
