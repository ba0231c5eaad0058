/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verdict list is an interface: order, codes and names. */
#include <ctype.h>

#include "tests/unit/unit.h"

#include "tcpguard/verdict.h"

struct row {
	enum tg_verdict verdict;
	const char *id;
	enum tg_action action;
	int code;
	const char *reason;
	enum tg_class class;
	const char *text;
};

static const struct row rows[] = {
#define X(id, action, code, reason, class, text) \
	{ TG_##id, #id, TG_ACTION_##action, code, reason, TG_CLASS_##class, text },
	TG_VERDICTS(X)
#undef X
};

static void undecided_is_zero_and_no_row(void **state)
{
	(void)state;
	assert_int_equal(TG_UNDECIDED, 0);
	assert_int_equal(COUNT(rows) + 1, TG_VERDICT_MAX);
	/* A verdict is stored in a byte: struct tg_half_count.last_verdict. */
	assert_true(TG_VERDICT_MAX <= 256);
}

static void rows_stand_in_the_order_of_the_actions(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(rows[i].verdict, i + 1);
		if (i && rows[i].action < rows[i - 1].action)
			fail_msg("%s stands behind %s", rows[i].id, rows[i - 1].id);
	}
}

static void the_action_is_the_one_of_the_row(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		if (tg_verdict_action(rows[i].verdict) != rows[i].action)
			fail_msg("%s: another action", rows[i].id);
		assert_int_equal(tg_verdict_drops(rows[i].verdict), rows[i].action == TG_ACTION_DROP);
	}
	assert_int_equal(tg_verdict_action(TG_UNDECIDED), TG_ACTION_PASS);
	assert_false(tg_verdict_drops(TG_UNDECIDED));
}

/* The name of the enum value says the action and the reason: PASS_OK is "ok". */
static void the_identifier_is_action_and_reason(void **state)
{
	static const char *const actions[] = { "PASS_", "NOUPD_", "CHALLENGE_", "DROP_" };
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		const char *prefix = actions[rows[i].action], *rest = rows[i].id + strlen(prefix);

		assert_memory_equal(rows[i].id, prefix, strlen(prefix));
		assert_int_equal(strlen(rest), strlen(rows[i].reason));
		for (j = 0; rest[j]; j++)
			assert_int_equal(tolower(rest[j]), rows[i].reason[j]);
	}
}

static void a_code_belongs_to_one_reason(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_in_range(rows[i].code, 1, 255);
		for (j = 0; j < i; j++) {
			bool same_code = rows[i].code == rows[j].code;
			bool same_reason = !strcmp(rows[i].reason, rows[j].reason);

			if (same_code != same_reason)
				fail_msg("%s and %s: code and reason disagree", rows[i].id, rows[j].id);
		}
	}
}

static void a_reason_occurs_once_per_action(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		for (j = 0; j < i; j++)
			if (rows[i].action == rows[j].action &&
			    !strcmp(rows[i].reason, rows[j].reason))
				fail_msg("%s and %s are the same", rows[i].id, rows[j].id);
}

/* Codes are interface: they keep their numbers. */
static void codes_of_the_specification(void **state)
{
	static const struct {
		int code;
		const char *reason;
	} fixed[] = {
		{ 1, "bad_hdr" },
		{ 2, "bad_flags" },
		{ 3, "land" },
		{ 4, "tiny_frag" },
		{ 5, "bad_csum" },
		{ 6, "ext_depth" },
		{ 7, "frag" },
		{ 10, "no_flow" },
		{ 11, "rst_no_flow" },
		{ 13, "table_full" },
		{ 14, "syn_rate" },
		{ 15, "rst_rate" },
		{ 20, "ack_before_synack" },
		{ 21, "synack_wrong_dir" },
		{ 22, "hs_bad_ack" },
		{ 23, "data_before_synack" },
		{ 24, "synack_bad_ack" },
		{ 25, "synack_unexpected" },
		{ 26, "challenge_ack" },
		{ 27, "early_seg" },
		{ 28, "syn_challenge" },
		{ 29, "syn_new_isn" },
		{ 30, "seq_above" },
		{ 31, "ack_above" },
		{ 32, "data_after_fin" },
		{ 33, "seq_below" },
		{ 34, "ack_below" },
		{ 35, "seq_old" },
		{ 36, "ack_old" },
		{ 37, "paws" },
		{ 40, "rst_old" },
		{ 41, "rst_above" },
		{ 42, "rst_syn_sent" },
		{ 43, "rst_inexact" },
		{ 44, "rst_closing" },
		{ 45, "rst_to_challenge" },
		{ 46, "rst_late" },
		{ 50, "tw_syn_old" },
		{ 51, "icmp_bad_seq" },
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(fixed); i++) {
		bool found = false;

		for (j = 0; j < COUNT(rows); j++)
			found |= rows[j].code == fixed[i].code &&
				 !strcmp(rows[j].reason, fixed[i].reason);
		if (!found)
			fail_msg("no row %d %s", fixed[i].code, fixed[i].reason);
	}
}

/* Reasons become metric labels and arguments of filters: small letters, digits, underscores. */
static void names_and_texts_are_printable(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(strspn(rows[i].reason, "abcdefghijklmnopqrstuvwxyz0123456789_"),
				 strlen(rows[i].reason));
		assert_in_range(strlen(rows[i].reason), 2, 20);
		assert_in_range(strlen(rows[i].text), 5, 80);
		assert_null(strchr(rows[i].text, '"'));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(undecided_is_zero_and_no_row),
		cmocka_unit_test(rows_stand_in_the_order_of_the_actions),
		cmocka_unit_test(the_action_is_the_one_of_the_row),
		cmocka_unit_test(the_identifier_is_action_and_reason),
		cmocka_unit_test(a_code_belongs_to_one_reason),
		cmocka_unit_test(a_reason_occurs_once_per_action),
		cmocka_unit_test(codes_of_the_specification),
		cmocka_unit_test(names_and_texts_are_printable),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
