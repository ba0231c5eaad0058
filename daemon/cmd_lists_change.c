/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs of `tcpguard block|allow` that change a list: all of what is given, or nothing. */
#include "cmd_lists.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "format.h"
#include "list_file.h"
#include "log.h"
#include "output.h"

/* --- what is given -------------------------------------------------------------------------------- */

/* All words or none; each that is wrong is said. */
static int read_prefixes(struct lists_job *job, const struct list_guard *guard)
{
	uint32_t until_s = list_until(job->now_s, job->options->for_s);
	char why[PREFIX_WHY_BYTES];
	struct prefix prefix;
	int i, err = 0, wrong = 0;

	if (!until_s) {
		log_err_hint(0, "leave --for out", "--for is longer than the clock can say");
		return -EINVAL;
	}
	for (i = 0; i < job->argc && !err; i++) {
		if (prefix_parse(job->argv[i], &prefix, why)) {
			log_err(0, "%s", why);
			wrong++;
		} else if (guard && list_guard_refuses(guard, &prefix, why)) {
			log_err_hint(0, "--force if you mean it", "refused: %s", why);
			wrong++;
		} else {
			err = list_rules_add(&job->given, &prefix, job->list, until_s,
					     (uint32_t)time(NULL), job->options->reason);
		}
	}
	if (err)
		return log_err(err, "cannot keep the prefixes");
	return wrong ? -EINVAL : 0;
}

static int read_given(struct lists_job *job)
{
	struct list_reader reader = {
		.list = job->list,
		.now_s = job->now_s,
		.added_s = (uint32_t)time(NULL),
		.for_s = job->options->for_s,
		.reason = job->options->reason,
	};
	struct list_guard *guard = NULL;
	int err = 0;

	if (job->list == TG_LIST_BLOCK && !job->options->force &&
	    (job->verb == VERB_ADD || job->verb == VERB_IMPORT))
		err = list_guard_open(&guard);
	reader.guard = guard;
	if (!err)
		err = job->verb == VERB_IMPORT ? list_file_read(job->argv[0], &reader, &job->given) :
						 read_prefixes(job, guard);
	list_guard_close(guard);
	return err;
}

/* --- changes -------------------------------------------------------------------------------------- */

static int add_given(struct lists_job *job)
{
	size_t i;
	int err = 0;

	for (i = 0; i < job->given.count && !err; i++) {
		const struct tg_list_rule *rule = &job->given.rule[i];
		const struct prefix prefix = prefix_of_rule(rule);

		err = list_rules_add(&job->rules, &prefix, job->list, rule->until_s, rule->added_s,
				     list_rules_reason(&job->given, rule));
	}
	job->changed = job->given.count;
	return err ? log_err(err, "cannot keep the prefixes") : 0;
}

static bool is_listed(const struct lists_job *job, const struct prefix *prefix)
{
	enum tg_list_origin origin;

	for (origin = 0; origin < TG_LIST_ORIGIN_MAX; origin++)
		if (list_rules_find(&job->rules, prefix, job->list, origin) >= 0)
			return true;
	return false;
}

/* Whoever listed it. */
static void remove_one(struct lists_job *job, const struct prefix *prefix)
{
	enum tg_list_origin origin;

	for (origin = 0; origin < TG_LIST_ORIGIN_MAX; origin++) {
		long number = list_rules_find(&job->rules, prefix, job->list, origin);

		if (number < 0)
			continue; /* given twice, or listed by the other one */
		list_rules_remove(&job->rules, (size_t)number);
		job->changed++;
		job->of_file += origin == TG_LIST_BY_FILE;
	}
}

/* All or none. */
static int remove_given(struct lists_job *job)
{
	char text[PREFIX_TEXT_BYTES];
	size_t i, missing = 0;

	for (i = 0; i < job->given.count; i++) {
		const struct prefix prefix = prefix_of_rule(&job->given.rule[i]);

		if (is_listed(job, &prefix))
			continue;
		log_info("%s is not on the %s list", prefix_text(text, &prefix), list_name(job->list));
		missing++;
	}
	if (missing)
		return -ESRCH;
	for (i = 0; i < job->given.count; i++) {
		const struct prefix prefix = prefix_of_rule(&job->given.rule[i]);

		remove_one(job, &prefix);
	}
	return 0;
}

static int apply(struct lists_job *job)
{
	int err;

	err = lists_read(&job->pins, &job->rules);
	if (err && (err != -EIO || job->verb != VERB_FLUSH)) /* what is lost can be given up */
		return err;
	err = list_rules_settle(&job->rules, job->now_s, NULL);
	if (err)
		return log_err(err, "cannot put the lists in order");
	switch (job->verb) {
	case VERB_DEL:
		err = remove_given(job);
		break;
	case VERB_FLUSH:
		job->of_file = list_rules_flush(&job->rules, job->list, TG_LIST_BY_FILE);
		job->changed = job->of_file + list_rules_flush(&job->rules, job->list, TG_LIST_BY_COMMAND);
		break;
	default:
		if (job->options->replace)
			list_rules_flush(&job->rules, job->list, TG_LIST_BY_COMMAND);
		err = add_given(job);
	}
	if (err)
		return err;
	err = list_rules_settle(&job->rules, job->now_s, &job->replaced);
	if (err)
		return log_err(err, "cannot put the lists in order");
	return lists_publish(&job->pins, &job->rules);
}

static int report_change(const struct lists_job *job)
{
	const char *name = list_name(job->list);
	bool adds = job->verb == VERB_ADD || job->verb == VERB_IMPORT;
	char number[FORMAT_BYTES], replaced[FORMAT_BYTES], total[FORMAT_BYTES], text[256];
	uint64_t count = 0;
	struct output_field fields[] = {
		{ .name = "list", .kind = OUTPUT_STRING, .string = name },
		{ .name = adds ? "added" : "removed", .kind = OUTPUT_NUMBER, .number = job->changed },
		{ .name = "replaced", .kind = OUTPUT_NUMBER, .number = job->replaced },
		{ .name = "prefixes", .kind = OUTPUT_NUMBER },
		{ .name = NULL },
	};
	const struct output_answer answer = {
		.schema = "tcpguard.lists.change/1",
		.text = text,
		.fields = fields,
	};
	struct output out;
	size_t i;

	for (i = 0; i < job->rules.count; i++)
		count += job->rules.rule[i].list == job->list;
	fields[3].number = count;
	if (job->of_file)
		log_info("%zu of the rules removed are in files the configuration names: the next reload "
			 "brings them back",
			 job->of_file);
	format_grouped(number, sizeof(number), job->changed);
	format_grouped(replaced, sizeof(replaced), job->replaced);
	format_grouped(total, sizeof(total), count);
	if (job->replaced)
		snprintf(text, sizeof(text), "%s list: %s %s, %s in place of an earlier rule; %s now",
			 name, number, adds ? "added" : "removed", replaced, total);
	else
		snprintf(text, sizeof(text), "%s list: %s %s; %s now", name, number,
			 adds ? "added" : "removed", total);
	if (output_open(&out, job->global, false))
		return EXIT_USAGE;
	out.functions->answer(&out, &answer);
	return command_exit_code(output_close(&out));
}

int lists_change(struct lists_job *job)
{
	int lock, err = 0;

	if (job->verb != VERB_FLUSH)
		err = read_given(job);
	if (err)
		return command_exit_code(err);
	lock = lists_lock();
	if (lock < 0)
		return command_exit_code(lock);
	if (pins_still_pinned(&job->pins))
		err = apply(job);
	else
		err = log_err_hint(-ENODEV, "attach with 'tcpguard attach IFACE'",
				   "everything was detached meanwhile");
	close(lock);
	if (err == -ESRCH)
		return EXIT_NO;
	return err ? command_exit_code(err) : report_change(job);
}
