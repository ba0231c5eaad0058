/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was measured, for people on stdout and for programs in a file. */
#include "tests/bench/bench.h"

#include <math.h>
#include <string.h>

#include <jansson.h>

/* Contended additions, in millions a second: more means that the host runs the processors in turn. */
#define CANARY_MAX 200

static void print_rows(const struct bench *bench)
{
	const char *group = "";
	size_t i;

	for (i = 0; i < bench->row_count; i++) {
		const struct row *row = &bench->rows[i];

		if (strcmp(row->group, group) || (i && bench->rows[i - 1].flows != row->flows)) {
			group = row->group;
			printf("\n%s, %llu flow%s%*s min   median      max\n", group,
			       (unsigned long long)row->flows, row->flows == 1 ? "" : "s",
			       (int)(46 - strlen(group)), "");
		}
		if (row->valid)
			printf("  %-56s %8.1f %8.1f %8.1f %s\n", row->name, row->min, row->median,
			       row->max, row->unit);
		else
			printf("  %-56s INVALID: %s\n", row->name, row->why);
	}
}

static bool goal_met(const struct goal *goal, double limit)
{
	return goal->at_least ? goal->value >= limit : goal->value <= limit;
}

static const char *goal_grade(const struct goal *goal)
{
	if (!goal->measured)
		return "not measured";
	if (!goal_met(goal, goal->must))
		return "MISSED";
	return goal->stretch && goal_met(goal, goal->stretch) ? "stretch" : "must";
}

static void print_goals(const struct bench *bench)
{
	size_t i;

	printf("\ngoals (ratios of minima)\n");
	for (i = 0; i < bench->goal_count; i++) {
		const struct goal *goal = &bench->goals[i];

		printf("  %-6s %-12s %8.3f  %s %g", goal->id, goal_grade(goal), goal->value,
		       goal->at_least ? ">=" : "<=", goal->must);
		if (goal->stretch)
			printf(" (%g)", goal->stretch);
		printf("  %s\n", goal->text);
	}
	printf("  G6 to G9, G11, G12: make bench-peers; G17: make bench-product\n");
}

void report_text(const struct bench *bench)
{
	machine_text(stdout);
	printf("canary: %.0f and %.0f million contended additions a second: %s\n",
	       bench->canary_before, bench->canary_after,
	       bench->canary_before < CANARY_MAX && bench->canary_after < CANARY_MAX ?
		       "the processors run at the same time" :
		       "the processors run in turn, so nothing is said about two of them");
	print_rows(bench);
	print_goals(bench);
}

static json_t *rows_json(const struct bench *bench)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < bench->row_count; i++) {
		const struct row *row = &bench->rows[i];
		json_t *object = json_pack("{s:s, s:s, s:I, s:s, s:b, s:I}", "group", row->group,
					   "name", row->name, "flows", (json_int_t)row->flows, "unit",
					   row->unit, "valid", row->valid, "rounds",
					   (json_int_t)row->rounds);

		if (row->valid)
			json_object_update_new(object,
					       json_pack("{s:f, s:f, s:f}", "min", row->min, "median",
							 row->median, "max", row->max));
		else
			json_object_set_new(object, "why", json_string(row->why));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *goals_json(const struct bench *bench)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < bench->goal_count; i++) {
		const struct goal *goal = &bench->goals[i];
		json_t *object = json_pack("{s:s, s:s, s:f, s:b, s:s}", "id", goal->id, "text",
					   goal->text, "must", goal->must, "at_least",
					   goal->at_least, "grade", goal_grade(goal));

		json_object_set_new(object, "value",
				    goal->measured ? json_real(goal->value) : json_null());
		json_object_set_new(object, "stretch",
				    goal->stretch ? json_real(goal->stretch) : json_null());
		json_array_append_new(array, object);
	}
	return array;
}

int report_json(const struct bench *bench, const char *path)
{
	json_t *document = json_pack("{s:s, s:o, s:{s:f, s:f}, s:o, s:o}", "schema",
				     "tcpguard.bench/1", "machine", machine_json(), "canary_millions",
				     "before", bench->canary_before, "after", bench->canary_after,
				     "rows", rows_json(bench), "goals", goals_json(bench));
	int err = json_dump_file(document, path, JSON_INDENT(1) | JSON_REAL_PRECISION(6));

	json_decref(document);
	return err;
}
