/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of prefixes of any bytes: up to four, separated by form feeds, are the block and the allow list
 * of commands and of the configuration.  What is refused is refused whole, with its line; what is accepted
 * makes an image that answers as a search through all rules does, and is read back from its export.  The
 * other kind of input goes on with changes to that image, which the service's user can make: reading it
 * must be harmless.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/pinned_image.h"
#include "tests/fuzz/quiet_log.h"

#include "daemon/list_file.h"
#include "daemon/list_image.h"
#include "daemon/lists.h"
#include "daemon/plain.h"

#include "bpf/prefix_memory.h"
#include "bpf/prefix_image.h"

#define SECTIONS 4
#define RULES_CHECKED 48
#define PATCHES_MAX 24

static char file_path[64];
static int file_fd = -1;
static struct list_guard *guard;

static void put_file(const void *bytes, size_t size)
{
	if (file_fd < 0) {
		file_fd = memfd_create("list", MFD_CLOEXEC);
		snprintf(file_path, sizeof(file_path), "/proc/self/fd/%d", file_fd);
	}
	FUZZ_CHECK(!ftruncate(file_fd, 0) && pwrite(file_fd, bytes, size, 0) == (ssize_t)size);
}

/* --- reading -------------------------------------------------------------------------------------- */

static size_t file_lines, faults;

/* "FILE:LINE: why", and at the end one that counts them. */
static void hear_fault(const char *message)
{
	unsigned int line;

	FUZZ_CHECK(!strncmp(message, file_path, strlen(file_path)));
	if (sscanf(message + strlen(file_path), ":%u: ", &line) != 1)
		return;
	FUZZ_CHECK(line >= 1 && line <= file_lines);
	faults++;
}

static void hear_refusal(const char *message)
{
	FUZZ_FAIL("what was exported is refused: %s", message);
}

/* What a list of this reader can hold. */
static void check_rules(const struct list_rules *rules, const struct list_reader *reader, size_t first)
{
	size_t i;

	for (i = first; i < rules->count; i++) {
		const struct prefix prefix = prefix_of_rule(&rules->rule[i]);
		char why[PREFIX_WHY_BYTES];

		FUZZ_CHECK(prefix.length <= 128 && (!prefix.ipv4 || prefix.length >= PREFIX_IPV4_OFFSET));
		FUZZ_CHECK(rules->rule[i].until_s > reader->now_s);
		FUZZ_CHECK(!list_reason_fault(list_rules_reason(rules, &rules->rule[i])));
		FUZZ_CHECK(!reader->guard || !list_guard_refuses(reader->guard, &prefix, why));
	}
}

static void read_section(const uint8_t *bytes, size_t size, const struct list_reader *reader,
			 struct list_rules *rules)
{
	size_t before = rules->count, i;
	int err;

	for (i = 0, file_lines = 1; i < size; i++)
		file_lines += bytes[i] == '\n';
	put_file(bytes, size);
	faults = 0;
	quiet_log_hear = hear_fault;
	err = list_file_read(file_path, reader, rules);
	quiet_log_hear = NULL;
	FUZZ_CHECK(err == 0 || err == -EINVAL);
	FUZZ_CHECK(!err == !faults);
	FUZZ_CHECK(!err || rules->count == before);
	check_rules(rules, reader, before);
}

/* --- the image ------------------------------------------------------------------------------------ */

/* With nothing of prefix.c or prefix_image.h. */
static bool is_around(const struct tg_list_rule *rule, const struct prefix *address)
{
	uint64_t high = rule->high ^ address->high, low = rule->low ^ address->low;
	unsigned int beyond = 128 - rule->length;

	if (rule->ipv4 != address->ipv4)
		return false;
	if (beyond >= 64)
		return beyond == 128 || !(high >> (beyond - 64));
	return !high && !(low >> beyond);
}

static void check_address(const struct list_rules *rules, const struct list_plan *plan,
			  const struct tg_list_line *line, const struct prefix *address)
{
	const struct tg_list_image *head = list_plan_head(plan);
	const struct tg_list_address wanted = { address->high, address->low };
	const struct tg_image image = { .line = line, .lines = head->lines };
	struct tg_list_moments found, latest = { { 0 } };
	size_t i;
	int list;

	for (i = 0; i < rules->count; i++)
		if (is_around(&rules->rule[i], address) &&
		    rules->rule[i].until_s > latest.until_s[rules->rule[i].list])
			latest.until_s[rules->rule[i].list] = rules->rule[i].until_s;
	tg_list_find(&image, head, &wanted, address->ipv4, &found);
	for (list = 0; list < TG_LIST_MAX; list++) {
		FUZZ_CHECK(found.until_s[list] == latest.until_s[list]);
		FUZZ_CHECK(!list_rules_covering(rules, address, (enum tg_list)list, 0) ==
			   !latest.until_s[list]);
	}
}

/* An IPv4 address stays one. */
static struct prefix move(struct prefix address, bool up)
{
	uint64_t low = up ? address.low + 1 : address.low - 1;

	address.length = 128;
	if (address.ipv4)
		low = (low & 0xffffffffU) | 0xffff00000000ULL;
	else if (up ? !low : !address.low)
		address.high += up ? 1 : -1ULL;
	address.low = low;
	return address;
}

/* The first and the last address of each prefix, and their neighbours. */
static void check_addresses(const struct list_rules *rules, const struct list_plan *plan,
			    const struct tg_list_line *line)
{
	size_t i;

	for (i = 0; i < rules->count && i < RULES_CHECKED; i++) {
		struct prefix first = prefix_of_rule(&rules->rule[i]), last = first, next;
		unsigned int beyond = 128 - first.length;

		first.length = last.length = 128;
		last.low |= beyond >= 64 ? ~0ULL : (1ULL << beyond) - 1;
		if (beyond > 64)
			last.high |= beyond == 128 ? ~0ULL : (1ULL << (beyond - 64)) - 1;
		check_address(rules, plan, line, &first);
		check_address(rules, plan, line, &last);
		next = move(first, false);
		check_address(rules, plan, line, &next);
		next = move(last, true);
		check_address(rules, plan, line, &next);
	}
}

/* --- export --------------------------------------------------------------------------------------- */

static void compare(const struct list_rules *one, enum tg_list list, enum tg_list_origin origin,
		    const struct list_rules *other)
{
	size_t i, at = 0;

	for (i = 0; i < one->count; i++) {
		const struct tg_list_rule *rule = &one->rule[i], *again;

		if (rule->list != list || rule->origin != origin)
			continue;
		FUZZ_CHECK(at < other->count);
		again = &other->rule[at++];
		FUZZ_CHECK(!list_rules_compare(rule, again));
		FUZZ_CHECK(rule->until_s == again->until_s);
		FUZZ_CHECK(!strcmp(list_rules_reason(one, rule), list_rules_reason(other, again)));
	}
	FUZZ_CHECK(at == other->count);
}

static void write_rules(const struct list_rules *rules, enum tg_list list, enum tg_list_origin origin,
			uint32_t now_s)
{
	char *text = NULL;
	size_t size = 0, i;
	FILE *stream = open_memstream(&text, &size);

	FUZZ_CHECK(stream);
	for (i = 0; i < rules->count; i++)
		if (rules->rule[i].list == list && rules->rule[i].origin == origin)
			list_file_write_rule(stream, rules, &rules->rule[i], now_s);
	FUZZ_CHECK(!fclose(stream));
	for (i = 0; i < size; i += text[i] == '\n' ? 1 : plain_character(text + i))
		FUZZ_CHECK(text[i] == '\n' || (plain_character(text + i) && !plain_is_control(text + i)));
	put_file(text, size);
	free(text);
}

static void export_and_import(const struct list_rules *rules, enum tg_list list,
			      enum tg_list_origin origin, uint32_t now_s)
{
	const struct list_reader reader = { .list = list, .now_s = now_s, .reason = "" };
	struct list_rules again = { .origin = origin };

	write_rules(rules, list, origin, now_s);
	quiet_log_hear = hear_refusal;
	FUZZ_CHECK(!list_file_read(file_path, &reader, &again));
	quiet_log_hear = NULL;
	FUZZ_CHECK(!list_rules_settle(&again, now_s, NULL));
	compare(rules, list, origin, &again);
	list_rules_free(&again);
}

/* --- an image from another hand ------------------------------------------------------------------- */

/* Every rule, or every second one. */
static void change_rules(const struct tg_list_image *head, struct tg_list_line *line, uint32_t step, uint8_t at,
			 uint8_t value)
{
	uint8_t *rules = (uint8_t *)&line[head->first_rule];
	uint32_t i;

	for (i = 0; i < head->prefixes; i += step)
		rules[i * sizeof(struct tg_list_rule) + at % sizeof(struct tg_list_rule)] = value;
}

/* Lines of the tables, nodes, slots and rules are all near one of these places. */
static void change_image(struct fuzz_input *input, const struct list_plan *plan, struct tg_list_line *line)
{
	const struct tg_list_image *head = list_plan_head(plan);
	const uint32_t near[8] = { 0, tg_list_first(head, 0), tg_list_first(head, 1), head->nodes,
				   head->slots, head->first_rule, head->text, head->lines / 2 };
	const uint64_t bytes = (uint64_t)head->lines * TG_LIST_LINE_BYTES;
	int patches;

	for (patches = 0; patches < PATCHES_MAX && input->left; patches++) {
		uint8_t where = fuzz_u8(input), behind = fuzz_u8(input), count = where >> 3 & 7;
		uint64_t at = ((uint64_t)near[where & 7] * TG_LIST_LINE_BYTES + behind) % bytes;

		if (where >= 0xc0)
			change_rules(head, line, where < 0xe0 ? 1 : 2, behind, fuzz_u8(input));
		for (; where < 0xc0 && count && at < bytes; count--, at++)
			((uint8_t *)line)[at] = fuzz_u8(input);
	}
}

/* As a command that adds a rule does next; and, before that, what nobody should do. */
static void plan_again(struct list_rules *rules)
{
	struct list_plan *plan;
	int err;

	err = list_plan_make(rules->rule, rules->count, rules->text, rules->text_bytes, 1, &plan);
	FUZZ_CHECK(err == 0 || (err == -EINVAL && !plan));
	list_plan_free(plan);
	FUZZ_CHECK(!list_rules_settle(rules, 1, NULL));
	FUZZ_CHECK(!list_plan_make(rules->rule, rules->count, rules->text, rules->text_bytes, 1, &plan));
	list_plan_free(plan);
}

static void use_image(const struct pins *pins, const struct list_rules *asked)
{
	struct tg_list_moments moments;
	struct tg_list_counts counts;
	struct list_rules rules;
	size_t i;
	int err, list;

	err = lists_read(pins, &rules);
	FUZZ_CHECK(err == 0 || (err == -EIO && !rules.rule && !rules.text));
	for (list = 0; list < TG_LIST_MAX; list++) {
		write_rules(&rules, (enum tg_list)list, TG_LIST_BY_COMMAND, 1);
		write_rules(&rules, (enum tg_list)list, TG_LIST_BY_FILE, 1);
	}
	err = lists_count(pins, &counts);
	FUZZ_CHECK(err == 0 || err == -EIO);
	fuzz_touch(&counts, sizeof(counts));
	for (i = 0; i < asked->count && i < RULES_CHECKED; i++) {
		const struct prefix address = prefix_of_rule(&asked->rule[i]);

		err = lists_look_up(pins, &address, &moments);
		FUZZ_CHECK(err == 0 || err == -EIO);
		fuzz_sink = moments.until_s[0];
		list_rules_covering(&rules, &address, TG_LIST_BLOCK, 1);
		list_rules_find(&rules, &address, TG_LIST_ALLOW, TG_LIST_BY_COMMAND);
	}
	plan_again(&rules);
	list_rules_free(&rules);
}

/* --- inputs --------------------------------------------------------------------------------------- */

static void build(const struct list_rules *rules, uint64_t seed, struct fuzz_input *changes)
{
	struct tg_list_line *line;
	struct list_plan *plan;
	struct pins pins;

	FUZZ_CHECK(!list_plan_make(rules->rule, rules->count, rules->text, rules->text_bytes, seed, &plan));
	line = pinned_image_new(list_plan_head(plan)->lines);
	list_plan_write(plan, 0, line);
	if (changes) {
		change_image(changes, plan, line);
		pins = pinned_image_pins(line);
		use_image(&pins, rules);
	} else {
		check_addresses(rules, plan, line);
	}
	pinned_image_free();
	list_plan_free(plan);
}

static void read_sections(struct fuzz_input *input, struct list_reader *reader, bool guarded,
			  struct list_rules *rules)
{
	int section;

	for (section = 0; section < SECTIONS && input->left; section++) {
		const uint8_t *end = memchr(input->next, '\f', input->left);
		size_t size = end ? (size_t)(end - input->next) : input->left;

		reader->list = section & 1 ? TG_LIST_ALLOW : TG_LIST_BLOCK;
		reader->guard = guarded && reader->list == TG_LIST_BLOCK ? guard : NULL;
		rules->origin = section & 2 ? TG_LIST_BY_FILE : TG_LIST_BY_COMMAND;
		read_section(input->next, size, reader, rules);
		input->next += size + !!end;
		input->left -= size + !!end;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	uint8_t kind = fuzz_u8(&input), moment = fuzz_u8(&input);
	struct list_reader reader = {
		.now_s = moment & 0x80 ? TG_LIST_FOREVER - 1 - moment : moment,
		.for_s = kind & 2 ? fuzz_u8(&input) : 0,
		.age_s = kind & 4 ? fuzz_u8(&input) : 0,
		.reason = kind & 8 ? "by hand" : "",
	};
	struct list_rules rules = { .rule = NULL };
	int list, origin;

	if (!guard)
		FUZZ_CHECK(!list_guard_open(&guard)); /* of wherever this runs */
	read_sections(&input, &reader, kind & 16, &rules);
	FUZZ_CHECK(!list_rules_settle(&rules, reader.now_s, NULL));
	if (rules.count)
		build(&rules, kind >> 5, kind & 1 ? &input : NULL);
	for (list = 0; list < TG_LIST_MAX; list++)
		for (origin = 0; origin < TG_LIST_ORIGIN_MAX; origin++)
			export_and_import(&rules, (enum tg_list)list, (enum tg_list_origin)origin,
					  reader.now_s);
	list_rules_free(&rules);
	return 0;
}
