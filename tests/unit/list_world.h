/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of the lists, the image made of them, and a search through all rules to compare with. */
#ifndef TESTS_LIST_WORLD_H
#define TESTS_LIST_WORLD_H

#include "tests/unit/unit.h"

#include "daemon/list_image.h"
#include "daemon/list_rules.h"

#include "bpf/prefix_memory.h"
#include "bpf/prefix_image.h"

#define NOW_S 50

/* Rules, their image, and a way to ask both. */
struct world {
	struct list_rules rules;
	struct list_plan *plan;
	struct tg_list_line *line;
	struct tg_image image;
	uint64_t random;
};

static inline void begin(struct world *world, uint64_t seed)
{
	memset(world, 0, sizeof(*world));
	world->random = seed * 0x9e3779b97f4a7c15ULL + 1;
}

static inline void end(struct world *world)
{
	list_rules_free(&world->rules);
	list_plan_free(world->plan);
	free(world->line);
}

static inline void build(struct world *world)
{
	uint32_t lines;

	assert_int_equal(list_rules_settle(&world->rules, 0, NULL), 0);
	assert_int_equal(list_plan_make(world->rules.rule, world->rules.count, world->rules.text,
					world->rules.text_bytes, random_u64(&world->random),
					&world->plan),
			 0);
	lines = list_plan_head(world->plan)->lines;
	world->line = aligned_alloc(TG_LIST_LINE_BYTES, (size_t)lines * TG_LIST_LINE_BYTES);
	assert_non_null(world->line);
	memset(world->line, 0, (size_t)lines * TG_LIST_LINE_BYTES);
	list_plan_write(world->plan, 0, world->line);
	world->image = (struct tg_image){ .line = world->line, .lines = lines };
}

static inline uint32_t bit_of(uint64_t high, uint64_t low, unsigned int number)
{
	return (number < 64 ? high >> (63 - number) : low >> (127 - number)) & 1;
}

/* Bit by bit: nothing of prefix.c or prefix_image.h. */
static inline bool inside(const struct tg_list_rule *rule, const struct prefix *address)
{
	unsigned int i;

	if (rule->ipv4 != address->ipv4)
		return false;
	for (i = 0; i < rule->length; i++)
		if (bit_of(rule->high, rule->low, i) != bit_of(address->high, address->low, i))
			return false;
	return true;
}

static inline bool live_in_list(const struct world *world, const struct prefix *address, enum tg_list list,
				uint32_t now_s)
{
	size_t i;

	for (i = 0; i < world->rules.count; i++) {
		const struct tg_list_rule *rule = &world->rules.rule[i];

		if (rule->list == list && now_s < rule->until_s && inside(rule, address))
			return true;
	}
	return false;
}

static inline struct tg_list_moments found(const struct world *world, const struct prefix *address)
{
	const struct tg_list_address wanted = { address->high, address->low };
	struct tg_list_moments moments;

	tg_list_find(&world->image, list_plan_head(world->plan), &wanted, address->ipv4, &moments);
	return moments;
}

static inline void check(const struct world *world, const struct prefix *address, uint32_t now_s)
{
	struct tg_list_moments moments = found(world, address);
	char text[PREFIX_TEXT_BYTES];
	int list;

	for (list = 0; list < TG_LIST_MAX; list++) {
		bool want = live_in_list(world, address, (enum tg_list)list, now_s);

		if ((now_s < moments.until_s[list]) != want)
			fail_msg("%s at %u s, list %d: want %d, found until %u",
				 prefix_text(text, address), now_s, list, want,
				 moments.until_s[list]);
	}
}

static inline void mask(struct prefix *prefix, unsigned int length)
{
	prefix->length = (uint8_t)length;
	prefix->high &= length >= 64 ? ~0ULL : length ? ~0ULL << (64 - length) :
							0;
	prefix->low &= length <= 64 ? 0 : ~0ULL << (128 - length);
}

static inline void add(struct world *world, const struct prefix *prefix, enum tg_list list, uint32_t until_s)
{
	assert_int_equal(list_rules_add(&world->rules, prefix, list, until_s, 0, ""), 0);
}

#endif
