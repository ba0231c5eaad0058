/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules computed by their number, so that the programs know which sources are listed. */
#include "tests/bench/rules.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "daemon/list_image.h"
#include "daemon/list_rules.h"

static uint8_t length_of(uint32_t number, bool ipv4, enum bench_lengths lengths)
{
	static const uint8_t usual[2][8] = { { 64, 64, 64, 64, 128, 128, 48, 48 },
					     { 128, 128, 128, 120, 120, 120, 124, 116 } };

	if (lengths == BENCH_EVERY)
		return (uint8_t)(ipv4 ? 113 + number % 16 : 20 + number % 109);
	return usual[ipv4][number % 8];
}

static struct prefix rule_of(uint32_t number, bool ipv4, const struct list_mix *mix)
{
	struct prefix prefix = { .length = length_of(number, ipv4, mix->lengths), .ipv4 = ipv4 };

	if (ipv4)
		prefix.low = 0xffff00000000ULL | bench_ipv4(number, mix->spread);
	else
		prefix = (struct prefix){ bench_ipv6_high(number, mix->spread),
					  bench_scramble(~(uint64_t)number), prefix.length, false };
	if (prefix.length <= 64)
		prefix.low = 0;
	else if (prefix.length < 128)
		prefix.low &= ~0ULL << (128 - prefix.length);
	if (prefix.length < 64)
		prefix.high &= ~0ULL << (64 - prefix.length);
	return prefix;
}

/* The map that holds what was planned. */
static int make_map(const struct list_plan *plan)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	uint32_t lines = list_plan_head(plan)->lines;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t bytes = ((size_t)lines * TG_LIST_LINE_BYTES + page - 1) / page * page;
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "image", 4, TG_LIST_LINE_BYTES, lines, &opts);
	void *memory;

	if (fd < 0)
		return -1;
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		close(fd);
		return -1;
	}
	list_plan_write(plan, 0, memory);
	munmap(memory, bytes);
	return fd;
}

int bench_image(uint32_t count, bool ipv4, const struct list_mix *mix, struct tg_list_image *head)
{
	struct list_rules rules = { .rule = NULL };
	struct list_plan *plan = NULL;
	int err = 0, fd = -1;
	uint32_t i;

	for (i = 0; i < count && !err; i++) {
		const struct prefix prefix = rule_of(i, ipv4, mix);

		err = list_rules_add(&rules, &prefix, TG_LIST_BLOCK, mix->until_s, 0, "");
	}
	if (!err)
		err = list_rules_settle(&rules, 0, NULL);
	if (!err)
		err = list_plan_make(rules.rule, rules.count, rules.text, rules.text_bytes, 12345, &plan);
	if (!err) {
		*head = *list_plan_head(plan);
		fd = make_map(plan);
	} else {
		errno = -err;
	}
	list_plan_free(plan);
	list_rules_free(&rules);
	return fd;
}
