/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every cell of the transition table: phase x direction x class of segment, and RSTs by their
 * number, through the whole path from frame to verdict.  Each row begins with a flow of its own, in
 * IPv4 and IPv6, opened by the lower and the higher endpoint, with numbers that wrap.
 */
#include "tests/unit/transition_rows.h"

static const char *state_name(int state)
{
	static const char *const names[] = {
#define X(name) #name,
		TG_TCP_STATES(X)
#undef X
			"no flow",
		"as before",
	};

	return names[state];
}

static void check_state(size_t row, enum who who, int before, int after, int want)
{
	if (want == AS_BEFORE)
		want = before;
	if (after != want)
		fail_msg("row %zu: %s: %s, want %s", row, who == OPENER ? "opener" : "other",
			 state_name(after), state_name(want));
}

/*
 * Owner-writes: as long as it is the same flow, the receiver's half is as before.  A drop leaves
 * everything as it was; a NOUPD leaves all but .aux, except after a RST, where numbers are
 * followed.
 */
static void check_writes(size_t i, const struct setting *world, const struct tg_slot *before,
			 const struct tg_slot *after)
{
	const struct line *line = &rows[i].line;
	enum tg_side side = ((line->who == OPENER) == world->opener_high) ? TG_SIDE_HI : TG_SIDE_LO;
	const struct tg_half *was = &before->half[side], *is = &after->half[side];

	if (before->claim != after->claim) {
		assert_true((before->claim ^ after->claim) >> TG_CLAIM_GENERATION_SHIFT);
		return;
	}
	if (memcmp(&before->half[!side], &after->half[!side], sizeof(struct tg_half)))
		fail_msg("row %zu: the receiver's half was written", i);
	if (tg_verdict_drops(line->want) && memcmp(before, after, sizeof(*before)))
		fail_msg("row %zu: a dropped segment left a trace", i);
	if (tg_verdict_action(line->want) != TG_ACTION_NOUPD || rows[i].stage == CLOSED)
		return;
	if (was->end != is->end || was->ack != is->ack || was->right != is->right ||
	    was->maxwin != is->maxwin || ((was->facts ^ is->facts) & TG_FACT_MASK) ||
	    tg_half_wscale(was) != tg_half_wscale(is) || before->stamp_ms != after->stamp_ms)
		fail_msg("row %zu: a segment passed without effect had one", i);
}

static void play_row(size_t i, const struct setting *world)
{
	const struct row *row = &rows[i];
	struct tg_slot before = {}, *slot;
	int opener = ABSENT, other = ABSENT;
	struct setting later = *world;
	enum tg_verdict got;

	native_open(BUCKETS, true);
	play(world, row->stage);
	slot = find_slot(world, NULL);
	assert_int_equal(!slot, row->stage == NONE);
	if (slot) {
		before = *slot;
		opener = state_of(world, slot, OPENER);
		other = state_of(world, slot, OTHER);
	}
	if (row->learns)
		native.settings.iface[0].learn_until_ms = ~0ULL;
	later.now_ms += 1000;
	got = say(&later, &row->line);
	if (got != row->line.want)
		fail_msg("row %zu (stage %d, %s, flags %#x): %s, want %s", i, row->stage,
			 row->line.who == OPENER ? "opener" : "other", row->line.flags,
			 verdict_name(got), verdict_name(row->line.want));
	slot = find_slot(&later, NULL);
	check_state(i, OPENER, opener, slot ? (int)state_of(&later, slot, OPENER) : ABSENT, row->opener);
	check_state(i, OTHER, other, slot ? (int)state_of(&later, slot, OTHER) : ABSENT, row->other);
	if (slot && row->stage != NONE)
		check_writes(i, &later, &before, slot);
	native_close();
}

/* Numbers that wrap at the SYN, in the data, at the FIN; and none that do. */
static const __u32 isns[][2] = {
	{ 1000, 5000 },
	{ 0xffffffff, 0xfffffffe },
	{ 0xffffffff - 50, 0xffffffff - 100 },
	{ 0xffffffff - 101, 7 },
	{ 9, 0xffffffff - 201 },
	{ 0x7fffffff, 0x80000000 },
	{ 0xffffffff - 100, 0x7ffffff0 },
};

static void every_cell_of_the_transition_table(void **state)
{
	struct setting world = { .now_ms = NOW_MS };
	size_t i, n;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		for (n = 0; n < COUNT(isns); n++) {
			world.ipv6 = n & 1;
			for (int high = 0; high < 2; high++) {
				world.opener_high = high;
				world.isn[OPENER] = isns[n][0];
				world.isn[OTHER] = isns[n][1];
				play_row(i, &world);
			}
		}
	}
	print_message("# %zu rows, %zu runs\n", COUNT(rows), COUNT(rows) * COUNT(isns) * 2);
}

/* Each phase has rows for SYN, SYN-ACK, ACK, data, FIN and RST from both sides. */
static void the_table_has_no_empty_cell(void **state)
{
	static const __u8 classes[] = { S, S | A, A, F | A, R };
	int stage, who;
	size_t c, i;

	(void)state;
	for (stage = NONE; stage < STAGES; stage++) {
		for (who = OPENER; who <= OTHER; who++) {
			for (c = 0; c < COUNT(classes); c++) {
				bool found = false;

				for (i = 0; i < COUNT(rows); i++) {
					__u8 flags = rows[i].line.flags;

					flags &= (__u8)(flags & R ? R : 0xff);
					found |= rows[i].stage == (enum stage)stage &&
						 rows[i].line.who == (enum who)who &&
						 flags == classes[c];
				}
				if (!found)
					fail_msg("stage %d, who %d, flags %#x: no row", stage, who,
						 classes[c]);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_has_no_empty_cell),
		cmocka_unit_test(every_cell_of_the_transition_table),
	};

	return cmocka_run_group_tests_name("transitions", tests, NULL, NULL);
}
