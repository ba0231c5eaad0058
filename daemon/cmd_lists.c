/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `tcpguard block|allow add|del|list|test|import|export|flush`: who may not talk to us, and who
 * always may.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd_lists.h"
#include "format.h"
#include "list_file.h"
#include "log.h"
#include "names.h"
#include "options.h"
#include "output.h"

static const struct lists_options defaults = { .reason = "" };

/* --- options -------------------------------------------------------------------------------------- */

static int parse_for(const char *name, const char *argument, void *out)
{
	int err = options_duration(name, argument, out);

	if (err || *(uint32_t *)out)
		return err;
	log_err_hint(0, "leave it out for ever", "--%s: the duration must be at least 1s", name);
	return -EINVAL;
}

static int parse_reason(const char *name, const char *argument, void *out)
{
	const char *fault = list_reason_fault(argument);

	if (fault) {
		log_err(0, "--%s: %s", name, fault);
		return -EINVAL;
	}
	*(const char **)out = argument;
	return 0;
}

static int parse_origin(const char *name, const char *argument, void *out)
{
	int choice = options_choose(name, argument, names_list_origins);

	if (choice < 0)
		return choice;
	*(uint32_t *)out = (uint32_t)choice + 1;
	return 0;
}

static int parse_limit(const char *name, const char *argument, void *out)
{
	return options_u32(name, argument, 1, UINT32_MAX, out);
}

static const struct option_row rows[] = {
	{ 0, "for", "DURATION", "add, import: only so long: 30s, 10m, 1h, 1d", parse_for,
	  offsetof(struct lists_options, for_s) },
	{ 0, "reason", "TEXT", "add, import: why, for whoever lists it", parse_reason,
	  offsetof(struct lists_options, reason) },
	{ 0, "force", NULL, "block add, import: this host, its gateway, your ssh, wide prefixes, too",
	  options_set_true, offsetof(struct lists_options, force) },
	{ 0, "replace", NULL, "import: in place of everything added before", options_set_true,
	  offsetof(struct lists_options, replace) },
	{ 'n', "limit", "N", "list: at most so many", parse_limit,
	  offsetof(struct lists_options, limit) },
	{ 0, "origin", "cli|file", "list, export: only what was added, or what the configuration's files say",
	  parse_origin, offsetof(struct lists_options, origin) },
	{ 0 },
};

/* --- questions ------------------------------------------------------------------------------------ */

/* Of this list, alive, and of the origin that was asked for. */
static bool is_wanted(const struct lists_job *job, const struct tg_list_rule *rule)
{
	return rule->list == job->list && rule->until_s > job->now_s &&
	       (!job->options->origin || rule->origin == job->options->origin - 1);
}

static void list_one(struct output *out, const struct lists_job *job, const struct tg_list_rule *rule)
{
	const struct prefix prefix = prefix_of_rule(rule);
	char text[PREFIX_TEXT_BYTES];
	const struct output_rule shown = {
		.list = list_name(rule->list),
		.prefix = prefix_text(text, &prefix),
		.reason = list_rules_reason(&job->rules, rule),
		.left_s = list_left_s(rule, job->now_s),
		.added_s = rule->added_s,
		.origin = names_list_origins[rule->origin],
	};

	out->functions->rule(out, &shown);
}

static int list(struct lists_job *job)
{
	const struct lists_options *options = job->options;
	struct output out;
	size_t i;

	if (output_open(&out, job->global, false))
		return EXIT_USAGE;
	out.functions->rules_begin(&out);
	for (i = 0; i < job->rules.count && !ferror(out.stream); i++) {
		if (!is_wanted(job, &job->rules.rule[i]))
			continue;
		if (options->limit && out.flows == options->limit)
			break;
		list_one(&out, job, &job->rules.rule[i]);
	}
	out.functions->rules_end(&out);
	return command_exit_code(output_close(&out));
}

static int export(struct lists_job *job)
{
	size_t i;

	for (i = 0; i < job->rules.count && !ferror(stdout); i++)
		if (is_wanted(job, &job->rules.rule[i]))
			list_file_write_rule(stdout, &job->rules, &job->rules.rule[i], job->now_s);
	if (fflush(stdout) || ferror(stdout))
		return command_exit_code(log_err(errno ? -errno : -EIO, "cannot write the list"));
	return EXIT_OK;
}

/* "by 192.0.2.0/24 (spam), 9.0 s left" */
static void describe(const struct lists_job *job, const struct tg_list_rule *rule, char *text,
		     size_t size)
{
	const struct prefix prefix = prefix_of_rule(rule);
	const char *reason = list_rules_reason(&job->rules, rule);
	char name[PREFIX_TEXT_BYTES], left[FORMAT_BYTES];

	format_duration(left, sizeof(left), list_left_s(rule, job->now_s) * 1000ULL);
	snprintf(text, size, "by %s%s%s%s, %s%s", prefix_text(name, &prefix), *reason ? " (" : "",
		 reason, *reason ? ")" : "", rule->until_s == TG_LIST_FOREVER ? "for ever" : "for another ",
		 rule->until_s == TG_LIST_FOREVER ? "" : left);
}

static int report_test(const struct lists_job *job, const struct prefix *address, bool blocked,
		       bool allowed)
{
	const char *verdict = allowed ? "allowed" : blocked ? "blocked" :
							      "not listed";
	const struct tg_list_rule *rule = list_rules_covering(
		&job->rules, address, allowed ? TG_LIST_ALLOW : TG_LIST_BLOCK, job->now_s);
	char name[PREFIX_TEXT_BYTES], by[PREFIX_TEXT_BYTES], text[512], how[384] = "";
	struct prefix covering;
	struct output_field fields[] = {
		{ .name = "address", .kind = OUTPUT_STRING, .string = prefix_text(name, address) },
		{ .name = "verdict", .kind = OUTPUT_STRING, .string = verdict },
		{ .name = "prefix", .kind = OUTPUT_STRING },
		{ .name = "reason", .kind = OUTPUT_STRING },
		{ .name = "over_block", .kind = OUTPUT_BOOLEAN, .number = allowed && blocked },
		{ .name = NULL },
	};
	const struct output_answer answer = {
		.schema = "tcpguard.lists.test/1",
		.text = text,
		.fields = fields,
	};
	struct output out;

	if (rule) {
		covering = prefix_of_rule(rule);
		fields[2].string = prefix_text(by, &covering);
		fields[3].string = rule->reason ? list_rules_reason(&job->rules, rule) : NULL;
		describe(job, rule, how, sizeof(how));
	}
	snprintf(text, sizeof(text), "%s: %s%s%s%s", name, verdict, rule ? " " : "", how,
		 allowed && blocked ? "; on the block list, too: allow wins" : "");
	if (output_open(&out, job->global, false))
		return EXIT_USAGE;
	out.functions->answer(&out, &answer);
	return command_exit_code(output_close(&out));
}

/* Exit code 1: not what the command is called. */
static int test(struct lists_job *job)
{
	struct tg_list_moments moments;
	char why[PREFIX_WHY_BYTES];
	struct prefix address;
	bool blocked, allowed;
	int err, code;

	err = prefix_parse(job->argv[0], &address, why);
	if (!err && address.length != 128) {
		snprintf(why, sizeof(why), "'%.64s' is no single address", job->argv[0]);
		err = -EINVAL;
	}
	if (err) {
		log_err(0, "%s", why);
		return EXIT_USAGE;
	}
	err = lists_look_up(&job->pins, &address, &moments);
	if (err)
		return command_exit_code(err);
	blocked = job->now_s < moments.until_s[TG_LIST_BLOCK];
	allowed = job->now_s < moments.until_s[TG_LIST_ALLOW];
	code = report_test(job, &address, blocked, allowed);
	if (code != EXIT_OK)
		return code;
	return (job->list == TG_LIST_ALLOW ? allowed : blocked && !allowed) ? EXIT_OK : EXIT_NO;
}

static int ask(struct lists_job *job)
{
	int err = lists_read(&job->pins, &job->rules);

	if (err)
		return command_exit_code(err);
	if (job->verb == VERB_LIST)
		return list(job);
	return job->verb == VERB_EXPORT ? export(job) : test(job);
}

/* --- the command ---------------------------------------------------------------------------------- */

/* How many words each verb takes. */
static const struct {
	const char *name;
	int least;
	int most; /* -1: any number */
	const char *usage;
} verbs[] = {
	[VERB_ADD] = { "add", 1, -1, "add PREFIX..." },
	[VERB_DEL] = { "del", 1, -1, "del PREFIX..." },
	[VERB_LIST] = { "list", 0, 0, "list" },
	[VERB_TEST] = { "test", 1, 1, "test ADDRESS" },
	[VERB_IMPORT] = { "import", 1, 1, "import FILE|-" },
	[VERB_EXPORT] = { "export", 0, 0, "export" },
	[VERB_FLUSH] = { "flush", 0, 0, "flush" },
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static int read_words(struct lists_job *job, int argc, char **argv)
{
	const char *name = list_name(job->list);
	size_t verb;
	int words = argc - 1;

	for (verb = 0; argc && verb < VERBS; verb++)
		if (!strcmp(argv[0], verbs[verb].name))
			break;
	if (!argc || verb == VERBS) {
		log_err_hint(0, "say add, del, list, test, import, export or flush", "%s: %s%s%s", name,
			     argc ? "unknown word '" : "what to do?", argc ? argv[0] : "",
			     argc ? "'" : "");
		return -EINVAL;
	}
	if (words < verbs[verb].least || (verbs[verb].most >= 0 && words > verbs[verb].most)) {
		log_err(0, "usage: tcpguard %s %s", name, verbs[verb].usage);
		return -EINVAL;
	}
	job->verb = (enum lists_verb)verb;
	job->argc = words;
	job->argv = argv + 1;
	return 0;
}

static int run(const struct global_options *global, enum tg_list list, const void *options, int argc,
	       char **argv)
{
	struct lists_job job = { .global = global, .options = options, .list = list };
	bool asks;
	int err, code;

	if (read_words(&job, argc, argv))
		return EXIT_USAGE;
	asks = job.verb == VERB_LIST || job.verb == VERB_TEST || job.verb == VERB_EXPORT;
	err = pins_open(&job.pins, !asks);
	if (err)
		return command_exit_code(err);
	err = lists_now_s(&job.pins, &job.now_s);
	if (err)
		code = command_exit_code(err);
	else
		code = asks ? ask(&job) : lists_change(&job);
	list_rules_free(&job.given);
	list_rules_free(&job.rules);
	pins_close(&job.pins);
	return code;
}

static int run_block(const struct global_options *global, const void *options, int argc, char **argv)
{
	return run(global, TG_LIST_BLOCK, options, argc, argv);
}

static int run_allow(const struct global_options *global, const void *options, int argc, char **argv)
{
	return run(global, TG_LIST_ALLOW, options, argc, argv);
}

#define DETAILS \
	"A PREFIX is 192.0.2.0/24, 2001:db8::/32 or an address alone.  A change is one step: packets\n" \
	"see the lists before it or after it.  A file has one prefix a line, then, if you like, a\n" \
	"duration (or -) and a reason; # begins a comment; a bad line is said with its number, and\n" \
	"then nothing is changed.  'test' asks what the data path would do; exit code 1: the address\n"

const struct command command_block = {
	.name = "block",
	.arguments = "add|del|list|test|import|export|flush [PREFIX...|FILE]",
	.summary = "Drops every packet from these addresses, TCP or not, unless they are allowed, too.",
	.details = DETAILS "is not blocked.",
	.options = rows,
	.options_size = sizeof(struct lists_options),
	.defaults = &defaults,
	.run = run_block,
};

const struct command command_allow = {
	.name = "allow",
	.arguments = "add|del|list|test|import|export|flush [PREFIX...|FILE]",
	.summary = "Never drops for the block list what comes from these addresses.",
	.details = DETAILS "is not allowed.",
	.options = rows,
	.options_size = sizeof(struct lists_options),
	.defaults = &defaults,
	.run = run_allow,
};
