/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists for a guard: rules as the command line has them become the image its programs read. */
#ifndef TESTS_GUARD_LISTS_H
#define TESTS_GUARD_LISTS_H

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "daemon/list_image.h"
#include "daemon/list_rules.h"
#include "tests/bpf/harness.h"

struct listed {
	const char *prefix;
	enum tg_list list;
	uint32_t until_s;
};

static inline void guard_publish(struct guard *guard, struct list_rules *rules)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	struct tg_list_image *head = &guard_settings(guard)->config[0].lists;
	uint32_t slot = 1, lines;
	struct list_plan *plan;
	size_t bytes;
	void *memory;
	int fd;

	assert_int_equal(list_rules_settle(rules, 0, NULL), 0);
	assert_int_equal(list_plan_make(rules->rule, rules->count, rules->text, rules->text_bytes,
					0x123456789abcdefULL, &plan),
			 0);
	lines = list_plan_head(plan)->lines;
	bytes = ((size_t)lines * TG_LIST_LINE_BYTES + 4095) & ~(size_t)4095;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "image", 4, TG_LIST_LINE_BYTES, lines, &opts);
	assert_true(fd >= 0);
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(memory != MAP_FAILED);
	list_plan_write(plan, slot, memory);
	munmap(memory, bytes);
	assert_int_equal(bpf_map_update_elem(guard_map_fd(guard, "tg_lists"), &slot, &fd, BPF_ANY), 0);
	close(fd);
	*head = *list_plan_head(plan);
	head->slot = slot;
	list_plan_free(plan);
}

static inline void guard_list_all(struct guard *guard, const struct listed *listed, size_t count)
{
	struct list_rules rules = { .rule = NULL };
	char why[PREFIX_WHY_BYTES];
	struct prefix prefix;
	size_t i;

	for (i = 0; i < count; i++) {
		assert_int_equal(prefix_parse(listed[i].prefix, &prefix, why), 0);
		assert_int_equal(list_rules_add(&rules, &prefix, listed[i].list,
						listed[i].until_s, 0, ""),
				 0);
	}
	guard_publish(guard, &rules);
	list_rules_free(&rules);
}

#define guard_lists(guard, ...) \
	guard_list_all(guard, (const struct listed[]){ __VA_ARGS__ }, \
		       sizeof((const struct listed[]){ __VA_ARGS__ }) / sizeof(struct listed))

#endif
