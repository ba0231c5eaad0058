/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard flows list|show|count|delete|trace`: the connections in the table. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_flows_trace.h"
#include "command.h"
#include "filter.h"
#include "log.h"
#include "options.h"
#include "output.h"
#include "pins.h"

enum flows_sort {
	SORT_NONE, /* the order of the table: streams */
	SORT_BYTES,
	SORT_PACKETS,
	SORT_AGE,
};

enum flows_verb {
	VERB_LIST,
	VERB_SHOW,
	VERB_COUNT,
	VERB_DELETE,
	VERB_TRACE,
};

struct flows_options {
	struct filter filter;
	enum flows_sort sort;
	uint32_t limit; /* 0: all */
	bool all;
	struct trace_options trace;
};

/* One flow of a sorted list. */
struct sorted {
	uint64_t key;
	uint32_t number;
	uint32_t claim;
};

struct flows_job {
	const struct pins *pins;
	const struct flows_options *options;
	struct output out;
	uint64_t now_ms;
	uint64_t matched;
	struct flow_counts counts;
	struct sorted *sorted;
	size_t room;
	bool failed;
};

static int parse_sort(const char *name, const char *argument, void *out)
{
	static const char *const words[] = { "none", "bytes", "packets", "age", NULL };
	int choice = options_choose(name, argument, words);

	if (choice < 0)
		return choice;
	*(enum flows_sort *)out = (enum flows_sort)choice;
	return 0;
}

static const struct option_row rows[] = {
	FILTER_OPTION_ROWS(struct flows_options, "source address or prefix: the endpoint that opened"),
	{ 0, "state", "STATE", "phase (established, time_wait...) or state of either end (FIN_WAIT_2...)",
	  filter_parse_state, offsetof(struct flows_options, filter.state) },
	{ 0, "older", "DURATION", "at least this old: 30s, 5m, 1h, 1d", options_duration,
	  offsetof(struct flows_options, filter.older_s) },
	{ 0, "id", "ID", "the one flow of this id", filter_parse_id,
	  offsetof(struct flows_options, filter.id) },
	{ 0, "sort", "bytes|packets|age", "largest or oldest first", parse_sort,
	  offsetof(struct flows_options, sort) },
	{ 'n', "limit", "N", "at most so many", options_count, offsetof(struct flows_options, limit) },
	{ 0, "for", "TIME", "trace: end after this time", options_duration,
	  offsetof(struct flows_options, trace.for_s) },
	{ 'c', "count", "N", "trace: end after so many segments", options_count,
	  offsetof(struct flows_options, trace.count) },
	{ 0, "zone", "N", "trace: of the interface (see attach)", options_zone,
	  offsetof(struct flows_options, trace.zone) },
	{ 0, "socket", "PATH", "trace: of the daemon, as it was told", options_word,
	  offsetof(struct flows_options, trace.socket) },
	{ 0, "all", NULL, "delete: every flow, without a filter", options_set_true,
	  offsetof(struct flows_options, all) },
	{ 0 },
};

static uint64_t sort_key(enum flows_sort sort, const struct flow_record *flow)
{
	const struct tg_half_count *count = flow->detail.count;

	switch (sort) {
	case SORT_BYTES:
		return count[TG_SIDE_LO].bytes + count[TG_SIDE_HI].bytes;
	case SORT_PACKETS:
		return (uint64_t)count[TG_SIDE_LO].packets + count[TG_SIDE_HI].packets;
	default:
		return flow->age_ms;
	}
}

static bool collect(struct flows_job *job, const struct flow_record *flow)
{
	if (job->matched == job->room) {
		size_t room = job->room ? 2 * job->room : 1024;
		struct sorted *grown = reallocarray(job->sorted, room, sizeof(*grown));

		if (!grown) {
			job->failed = true;
			return false;
		}
		job->sorted = grown;
		job->room = room;
	}
	job->sorted[job->matched].key = sort_key(job->options->sort, flow);
	job->sorted[job->matched].number = flow->number;
	job->sorted[job->matched].claim = flow->claim;
	job->matched++;
	return true;
}

static bool list_one(const struct flow_record *flow, void *context)
{
	struct flows_job *job = context;

	if (!filter_matches(&job->options->filter, flow))
		return true;
	if (job->options->sort != SORT_NONE)
		return collect(job, flow);
	job->out.functions->flow(&job->out, flow);
	job->matched++;
	return job->matched != job->options->limit && !ferror(job->out.stream);
}

static int larger_first(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;

	return (x->key < y->key) - (x->key > y->key);
}

/* Reads each flow again: what ended meanwhile is left out. */
static void print_sorted(struct flows_job *job)
{
	struct flow_record flow;
	uint64_t i, printed = 0;

	if (job->matched)
		qsort(job->sorted, job->matched, sizeof(*job->sorted), larger_first);
	for (i = 0; i < job->matched; i++) {
		if (job->options->limit && printed == job->options->limit)
			break;
		if (!flow_table_read(&job->pins->table, job->sorted[i].number, job->now_ms,
				     &flow) ||
		    !tg_same_generation(flow.claim, job->sorted[i].claim))
			continue;
		job->out.functions->flow(&job->out, &flow);
		printed++;
	}
}

static int list(struct flows_job *job)
{
	job->out.functions->flows_begin(&job->out);
	flow_table_visit(&job->pins->table, job->now_ms, list_one, job);
	if (job->failed)
		return log_err(-ENOMEM, "cannot sort the flows");
	if (job->options->sort != SORT_NONE)
		print_sorted(job);
	job->out.functions->flows_end(&job->out);
	return 0;
}

static bool count_one(const struct flow_record *flow, void *context)
{
	struct flows_job *job = context;

	if (filter_matches(&job->options->filter, flow)) {
		job->counts.entries++;
		job->counts.by_phase[flow->phase]++;
	}
	return true;
}

static int count(struct flows_job *job)
{
	flow_table_visit(&job->pins->table, job->now_ms, count_one, job);
	job->out.functions->flows_count(&job->out, &job->counts);
	return 0;
}

static bool delete_one(const struct flow_record *flow, void *context)
{
	struct flows_job *job = context;

	if (filter_matches(&job->options->filter, flow) &&
	    flow_table_free(&job->pins->table, flow))
		job->matched++;
	return !job->options->limit || job->matched != job->options->limit;
}

static int forget(struct flows_job *job)
{
	char text[64];
	struct output_field fields[] = {
		{ .name = "deleted", .kind = OUTPUT_NUMBER },
		{ .name = NULL },
	};
	const struct output_answer answer = {
		.schema = "tcpguard.flows.delete/1",
		.text = text,
		.fields = fields,
	};

	flow_table_visit(&job->pins->table, job->now_ms, delete_one, job);
	fields[0].number = job->matched;
	snprintf(text, sizeof(text), "%llu flow%s deleted", (unsigned long long)job->matched,
		 job->matched == 1 ? "" : "s");
	job->out.functions->answer(&job->out, &answer);
	return 0;
}

/* Exit code 1 when a flow was named and there is none. */
static int run_verb(struct flows_job *job, enum flows_verb verb)
{
	bool wanted_some = job->options->filter.id.given || verb == VERB_SHOW ||
			   verb == VERB_DELETE;
	int err;

	job->out.detailed = verb == VERB_SHOW;
	if (verb == VERB_COUNT)
		err = count(job);
	else if (verb == VERB_DELETE)
		err = forget(job);
	else
		err = list(job);
	free(job->sorted);
	if (!err)
		err = output_close(&job->out);
	if (err)
		return command_exit_code(err);
	if (!wanted_some || verb == VERB_COUNT || job->matched)
		return EXIT_OK;
	log_info("no such flow");
	return EXIT_NO;
}

static int say_trace_usage(void)
{
	log_err_hint(0, "say 192.0.2.1:40000-192.0.2.2:80", "flows trace: which connection?");
	return -EINVAL;
}

/* The verb, or -EINVAL (said).  show and delete also take the id as a word. */
static int read_words(struct flows_options *options, int argc, char **argv)
{
	static const char *const verbs[] = { "list", "show", "count", "delete", "trace", NULL };
	int verb;

	for (verb = 0; argc && verbs[verb]; verb++)
		if (!strcmp(argv[0], verbs[verb]))
			break;
	if (!argc || !verbs[verb]) {
		log_err_hint(0, "say list, show, count, delete or trace", "flows: %s%s%s",
			     argc ? "unknown word '" : "what to do with them?", argc ? argv[0] : "",
			     argc ? "'" : "");
		return -EINVAL;
	}
	argc--;
	argv++;
	if (verb == VERB_TRACE)
		return argc == 1 ? verb : say_trace_usage();
	if (argc && (verb == VERB_SHOW || verb == VERB_DELETE) && !options->filter.id.given) {
		if (filter_parse_id("flows", argv[0], &options->filter.id))
			return -EINVAL;
		argc--;
		argv++;
	}
	if (options_no_words(argc, argv))
		return -EINVAL;
	if (verb == VERB_DELETE && filter_is_empty(&options->filter) && !options->all) {
		log_err_hint(0, "say --all if you mean it",
			     "flows delete: without a filter every connection would be forgotten");
		return -EINVAL;
	}
	return verb;
}

static int run_flows(const struct global_options *global, const void *given, int argc, char **argv)
{
	struct flows_options options = *(const struct flows_options *)given;
	struct flows_job job = { .options = &options };
	struct pins pins;
	int verb, err, code;

	verb = read_words(&options, argc, argv);
	if (verb < 0 || output_open(&job.out, global, verb == VERB_LIST || verb == VERB_SHOW))
		return EXIT_USAGE;
	if (verb == VERB_TRACE)
		return flows_trace(&job.out, global->output == OUTPUT_TEXT, &options.trace, argv[1]);
	err = pins_open(&pins, verb == VERB_DELETE);
	if (err)
		return command_exit_code(err);
	job.pins = &pins;
	err = pins_now_ms(&pins, &job.now_ms);
	code = err ? command_exit_code(err) : run_verb(&job, (enum flows_verb)verb);
	pins_close(&pins);
	return code;
}

const struct command command_flows = {
	.name = "flows",
	.arguments = "list|show|count|delete [ID] | trace SRC:PORT-DST:PORT",
	.summary = "Lists, shows in detail, counts, forgets or traces connections.",
	.details =
		"The source of a flow is the endpoint that opened it; where that is not known\n"
		"(<->), the one seen first.  '-o ndjson' prints one object a line, '-o conntrack'\n"
		"lines like those of 'conntrack -L'.  trace shows each segment with its verdict as it\n"
		"comes, also of a connection that is yet to begin.",
	.options = rows,
	.options_size = sizeof(struct flows_options),
	.run = run_flows,
};
