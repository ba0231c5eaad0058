/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files and directories of prefixes become rules, these an image beside the configuration. */
#include "config_lists.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "format.h"
#include "list_file.h"
#include "log.h"

#define PATH_BYTES (CONFIG_PATH_BYTES + 256)
#define SAME_S 3 /* moments of one rule, told by two clocks */

/* --- reading -------------------------------------------------------------------------------------- */

/* A file that was written a while ago promises its durations from then on. */
static uint32_t age_of(const struct stat *status, time_t now)
{
	return status->st_mtime < now ? (uint32_t)(now - status->st_mtime) : 0;
}

static int read_one(const char *path, const struct stat *status, struct list_reader *reader,
		    struct list_rules *rules)
{
	reader->age_s = age_of(status, time(NULL));
	return list_file_read(path, reader, rules);
}

/* Not what editors and package managers leave behind. */
static int is_for_us(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && entry->d_name[length - 1] != '~';
}

/* Its files, in the order of their names; all of them, to say all that is wrong. */
static int read_directory(const char *path, struct list_reader *reader, struct list_rules *rules)
{
	struct dirent **entries;
	int count = scandir(path, &entries, is_for_us, alphasort), i, err = 0, failed = 0;
	char file[PATH_BYTES];
	struct stat status;

	if (count < 0)
		return log_err(-errno, "cannot read the directory %s", path);
	for (i = 0; i < count; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		free(entries[i]);
		if (stat(file, &status))
			err = log_err(-errno, "cannot read %s", file);
		else if (S_ISREG(status.st_mode))
			err = read_one(file, &status, reader, rules);
		if (err)
			failed = err;
		err = 0;
	}
	free(entries);
	return failed;
}

static int read_path(const char *path, const struct config_place *place, struct list_reader *reader,
		     struct list_rules *rules)
{
	struct stat status;

	if (stat(path, &status)) {
		config_say(place, "correct the path, or make the file", "cannot read '%s': %s", path,
			   strerror(errno));
		return -EBADMSG;
	}
	if (S_ISDIR(status.st_mode))
		return read_directory(path, reader, rules);
	if (S_ISREG(status.st_mode))
		return read_one(path, &status, reader, rules);
	config_say(place, "name a file of prefixes or a directory of such",
		   "'%s' is neither file nor directory", path);
	return -EBADMSG;
}

/* 0, -ENOMEM, or -EBADMSG when all has been read and said. */
static int read_paths(const struct config_paths *paths, const struct config_place *place,
		      struct list_reader *reader, struct list_rules *rules)
{
	uint32_t i;
	int err, failed = 0;

	for (i = 0; i < paths->count; i++) {
		err = read_path(paths->path[i], place, reader, rules);
		if (err == -ENOMEM)
			return err;
		if (err)
			failed = -EBADMSG;
	}
	return failed;
}

static int read_both(struct config *config, struct list_reader *reader, struct list_rules *rules)
{
	struct list_guard *guard = NULL;
	int allow, block = 0;

	reader->list = TG_LIST_ALLOW;
	allow = read_paths(&config->allow, &config->allow_place, reader, rules);
	reader->list = TG_LIST_BLOCK;
	if (config->block.count && !config->lists_force)
		block = list_guard_open(&guard);
	reader->guard = guard;
	if (!block)
		block = read_paths(&config->block, &config->block_place, reader, rules);
	list_guard_close(guard);
	return allow ? allow : block;
}

static uint64_t monotonic_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

int config_lists_read(struct config *config)
{
	struct list_reader reader = {
		.added_s = (uint32_t)time(NULL),
		.reason = "",
		.remedy = "correct them ('force: true' under 'lists' for what is refused, not wrong)",
	};
	struct list_rules *rules;
	int err;

	if (!config->allow.count && !config->block.count)
		return 0;
	rules = calloc(1, sizeof(*rules));
	if (!rules)
		return log_err(-ENOMEM, "cannot read the lists");
	config->lists = rules;
	config->lists_at_s = monotonic_s();
	rules->origin = TG_LIST_BY_FILE;
	err = read_both(config, &reader, rules);
	return err ? err : list_rules_settle(rules, 0, NULL);
}

size_t config_lists_count(const struct config *config, enum tg_list list)
{
	size_t i, count = 0;

	for (i = 0; config->lists && i < config->lists->count; i++)
		count += config->lists->rule[i].list == list;
	return count;
}

/* --- taking effect -------------------------------------------------------------------------------- */

/* On the table's clock: what counts from the moment of reading. */
static uint32_t until(const struct config *config, const struct tg_list_rule *rule, uint32_t now_s)
{
	uint64_t since_s = monotonic_s() - config->lists_at_s, moment_s = (uint64_t)now_s + rule->until_s;

	if (rule->until_s == TG_LIST_FOREVER || moment_s - since_s >= TG_LIST_FOREVER)
		return TG_LIST_FOREVER;
	return moment_s > since_s ? (uint32_t)(moment_s - since_s) : 0;
}

/* In place of those of the files before; what commands added stays. */
static int merge(const struct config *config, uint32_t now_s, struct list_rules *rules)
{
	size_t i;
	int list, err = 0;

	for (list = 0; list < TG_LIST_MAX; list++)
		list_rules_flush(rules, (enum tg_list)list, TG_LIST_BY_FILE);
	rules->origin = TG_LIST_BY_FILE;
	for (i = 0; config->lists && i < config->lists->count && !err; i++) {
		const struct tg_list_rule *rule = &config->lists->rule[i];
		const struct prefix prefix = prefix_of_rule(rule);

		err = list_rules_add(rules, &prefix, (enum tg_list)rule->list, until(config, rule, now_s),
				     rule->added_s, list_rules_reason(config->lists, rule));
	}
	if (!err)
		err = list_rules_settle(rules, now_s, NULL);
	return err ? log_err(err, "cannot put the lists in order") : 0;
}

static bool has_file_rules(const struct tg_list_counts *counts)
{
	int list, family;

	for (list = 0; list < TG_LIST_MAX; list++)
		for (family = 0; family < 2; family++)
			if (counts->rules[list][family][TG_LIST_BY_FILE])
				return true;
	return false;
}

int config_lists_prepare(struct pins *pins, const struct config *config, struct lists_exchange *exchange,
			 bool *changes)
{
	struct tg_list_counts counts;
	struct list_rules rules;
	uint32_t now_s;
	int err;

	*changes = false;
	err = lists_count(pins, &counts);
	if (err || (!config->lists && !has_file_rules(&counts)))
		return err;
	err = lists_now_s(pins, &now_s);
	if (err)
		return err;
	err = lists_read(pins, &rules);
	if (!err)
		err = merge(config, now_s, &rules);
	if (!err)
		err = lists_prepare(pins, &rules, exchange);
	*changes = !err;
	list_rules_free(&rules);
	return err;
}

/* --- comparing ------------------------------------------------------------------------------------ */

static void describe(const struct list_rules *rules, const struct tg_list_rule *rule, uint32_t now_s,
		     char *text, size_t size)
{
	const char *reason = list_rules_reason(rules, rule);
	char left[FORMAT_BYTES];

	snprintf(text, size, "%s%s%s%s",
		 rule->until_s == TG_LIST_FOREVER ?
			 "for ever" :
			 format_duration(left, sizeof(left), list_left_s(rule, now_s) * 1000ULL),
		 *reason ? " (" : "", reason, *reason ? ")" : "");
}

static bool differ(const struct list_rules *a, const struct tg_list_rule *one, const struct list_rules *b,
		   const struct tg_list_rule *other)
{
	uint32_t first = one->until_s, second = other->until_s;

	if (strcmp(list_rules_reason(a, one), list_rules_reason(b, other)) != 0)
		return true;
	if (first == TG_LIST_FOREVER || second == TG_LIST_FOREVER)
		return first != second;
	return (first > second ? first - second : second - first) > SAME_S;
}

/* One of old and new may be NULL; any is the other, or either. */
static void visit_rule(const struct tg_list_rule *any, const struct list_rules *before,
		       const struct tg_list_rule *old, const struct list_rules *after,
		       const struct tg_list_rule *new, uint32_t now_s, config_lists_visitor visit,
		       void *context)
{
	const struct prefix prefix = prefix_of_rule(any);
	char path[PREFIX_TEXT_BYTES + 16], text[PREFIX_TEXT_BYTES], was[256], is[256];

	if (old && new && !differ(before, old, after, new))
		return;
	snprintf(path, sizeof(path), "lists.%s.%s", any->list == TG_LIST_ALLOW ? "allow" : "block",
		 prefix_text(text, &prefix));
	if (old)
		describe(before, old, now_s, was, sizeof(was));
	if (new)
		describe(after, new, now_s, is, sizeof(is));
	visit(context, path, old ? was : NULL, new ? is : NULL);
}

/* Both are in order: what is in one alone is met on the way. */
static void compare_rules(const struct list_rules *before, const struct list_rules *after, uint32_t now_s,
			  config_lists_visitor visit, void *context)
{
	size_t a = 0, b = 0;

	while (a < before->count || b < after->count) {
		const struct tg_list_rule *old = &before->rule[a], *new = &after->rule[b];
		int order = a == before->count ? 1 : b == after->count ? -1 :
									 list_rules_compare(old, new);

		visit_rule(order <= 0 ? old : new, before, order <= 0 ? old : NULL, after,
			   order >= 0 ? new : NULL, now_s, visit, context);
		a += order <= 0;
		b += order >= 0;
	}
}

int config_lists_compare(const struct pins *pins, const struct config *config, config_lists_visitor visit,
			 void *context)
{
	struct list_rules before, after = { .rule = NULL };
	uint32_t now_s;
	int list, err;

	err = lists_now_s(pins, &now_s);
	if (err)
		return err;
	err = lists_read(pins, &before);
	for (list = 0; list < TG_LIST_MAX && !err; list++)
		list_rules_flush(&before, (enum tg_list)list, TG_LIST_BY_COMMAND);
	if (!err)
		err = list_rules_settle(&before, now_s, NULL);
	if (!err)
		err = merge(config, now_s, &after);
	if (!err)
		compare_rules(&before, &after, now_s, visit, context);
	list_rules_free(&before);
	list_rules_free(&after);
	return err;
}
