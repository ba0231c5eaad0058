/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image is an array map, found by the data path in tg_lists and by user space under its pin.
 * There are two places for one; the configuration in force names which, and the other is empty.
 */
#include "lists_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "bpf/prefix_memory.h"
#include "bpf/prefix_image.h"

#include "log.h"
#include "pins_path.h"
#include "settings.h"

#define LOCK_TRIES 500
#define LOCK_TRY_NS (20 * 1000 * 1000)
#define READ_TRIES 10

int lists_lock(void)
{
	const struct timespec pause = { .tv_nsec = LOCK_TRY_NS };
	int lock, i;

	for (i = 0; i < LOCK_TRIES; i++) {
		lock = pins_try_lock();
		if (lock != -EBUSY)
			break;
		nanosleep(&pause, NULL);
	}
	return lock >= 0 ? lock : pins_lock(); /* says why */
}

int lists_now_s(const struct pins *pins, uint32_t *now_s)
{
	uint64_t now_ms;
	int err = pins_now_ms(pins, &now_ms);

	if (!err)
		*now_s = (uint32_t)(now_ms / 1000);
	return err;
}

const char *lists_image_path(char *path, uint32_t slot)
{
	snprintf(path, LISTS_PATH_BYTES, LISTS_DIR "/%u", slot);
	return path;
}

int lists_map_image(int fd, uint32_t lines, struct lists_mapping *mapping)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	mapping->bytes = ((size_t)lines * TG_LIST_LINE_BYTES + page - 1) & ~(page - 1);
	mapping->line = mmap(NULL, mapping->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapping->line != MAP_FAILED)
		return 0;
	mapping->line = NULL;
	return -errno;
}

void lists_unmap_image(struct lists_mapping *mapping)
{
	if (mapping->line)
		munmap(mapping->line, mapping->bytes);
	mapping->line = NULL;
}

/* -EAGAIN in silence: the image was exchanged meanwhile. */
static int open_image(const struct tg_list_image *head, struct lists_mapping *mapping)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	char path[LISTS_PATH_BYTES];
	int fd, err = 0;

	fd = pins_path_get(lists_image_path(path, head->slot), 0);
	if (fd < 0)
		return errno == ENOENT ? -EAGAIN : log_err(-errno, "cannot open %s", path);
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		err = log_err(-errno, "cannot examine %s", path);
	else if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size != TG_LIST_LINE_BYTES ||
		 info.max_entries != head->lines)
		err = -EAGAIN;
	if (!err) {
		err = lists_map_image(fd, head->lines, mapping);
		if (err)
			log_err(err, "cannot map %s into memory", path);
	}
	close(fd);
	if (!err && mapping->line && memcmp(mapping->line, head, sizeof(*head)) != 0) {
		lists_unmap_image(mapping);
		err = -EAGAIN;
	}
	return err;
}

static int refuse_image(void)
{
	log_err_hint(0, "'tcpguard block flush' gives both lists up",
		     "the lists' image in " LISTS_DIR " is not what a tcpguard makes");
	return -EIO;
}

/*
 * The service's user can write to the image and to its head in the settings, and root reads both: they
 * are believed nothing.  Lines are looked at when they are read (prefix_memory.h).
 */
static bool is_laid_out(const struct tg_list_image *head)
{
	uint64_t end = (uint64_t)head->lines * TG_LIST_LINE_BYTES;
	uint64_t first = (uint64_t)head->first_rule * TG_LIST_LINE_BYTES;
	uint32_t family, bits;
	int level;

	for (family = 0; family < 2; family++) {
		bits = tg_list_bits(head, family);
		if (bits && (bits < TG_LIST_BITS_MIN || bits > 32))
			return false;
		for (level = 0; level < TG_LIST_LEVELS; level++)
			if (head->level[family][level] > 128)
				return false;
	}
	return head->prefixes <= TG_LIST_RULES_MAX && head->text <= head->lines && first && first <= end &&
	       head->prefixes * sizeof(struct tg_list_rule) <= end - first;
}

/* The image in force; mapping->line NULL if the lists are empty. */
static int open_active(const struct pins *pins, struct tg_list_image *head, struct lists_mapping *mapping)
{
	int err = -EAGAIN, i;

	mapping->line = NULL;
	for (i = 0; i < READ_TRIES && err == -EAGAIN; i++) {
		*head = tg_active_config(pins->settings)->lists;
		__sync_synchronize(); /* what is looked at below is the copy */
		if (!head->prefixes)
			return 0;
		if (!is_laid_out(head))
			return refuse_image();
		err = open_image(head, mapping);
	}
	if (err == -EAGAIN)
		log_err_hint(0, "'tcpguard block flush' gives both lists up",
			     "the lists' image in " LISTS_DIR " is not the one in force");
	return err == -EAGAIN ? -EIO : err;
}

/* What the plan of an image is made of, and what is shown, is as list_file_read() would have it. */
static bool is_rule(const struct list_rules *rules, const struct tg_list_rule *rule)
{
	const struct prefix prefix = prefix_of_rule(rule);

	return rule->list < TG_LIST_MAX && rule->origin < TG_LIST_ORIGIN_MAX && rule->ipv4 <= 1 &&
	       prefix_is_sound(&prefix) && (!rule->reason || rule->reason < rules->text_bytes);
}

static bool are_rules(const struct list_rules *rules)
{
	const char *reason = "";
	size_t i;

	for (i = 0; i < rules->count; i++) {
		if (!is_rule(rules, &rules->rule[i]))
			return false;
		if (reason == list_rules_reason(rules, &rules->rule[i]))
			continue; /* that of the rule before */
		reason = list_rules_reason(rules, &rules->rule[i]);
		if (list_reason_fault(reason))
			return false;
	}
	return true;
}

int lists_read(const struct pins *pins, struct list_rules *rules)
{
	struct tg_list_image head;
	struct lists_mapping mapping;
	size_t text_bytes;
	int err;

	memset(rules, 0, sizeof(*rules));
	err = open_active(pins, &head, &mapping);
	if (err || !mapping.line)
		return err;
	text_bytes = (size_t)(head.lines - head.text) * TG_LIST_LINE_BYTES;
	rules->rule = calloc(head.prefixes, sizeof(*rules->rule));
	rules->text = malloc(text_bytes + 1);
	if (rules->rule && rules->text) {
		memcpy(rules->rule, &mapping.line[head.first_rule],
		       head.prefixes * sizeof(*rules->rule));
		memcpy(rules->text, &mapping.line[head.text], text_bytes);
		rules->count = rules->room = head.prefixes;
		rules->text_bytes = text_bytes;
		rules->text_room = text_bytes + 1;
		rules->text[text_bytes] = '\0';
		if (!are_rules(rules))
			err = refuse_image();
	} else {
		err = log_err(-ENOMEM, "cannot read the lists");
	}
	if (err)
		list_rules_free(rules);
	lists_unmap_image(&mapping);
	return err;
}

int lists_look_up(const struct pins *pins, const struct prefix *address,
		  struct tg_list_moments *moments)
{
	const struct tg_list_address wanted = { address->high, address->low };
	struct tg_list_image head;
	struct lists_mapping mapping;
	struct tg_image image;
	int err;

	memset(moments, 0, sizeof(*moments));
	err = open_active(pins, &head, &mapping);
	if (err || !mapping.line)
		return err;
	image = (struct tg_image){ .line = mapping.line, .lines = head.lines };
	tg_list_find(&image, &head, &wanted, address->ipv4, moments);
	lists_unmap_image(&mapping);
	return 0;
}

int lists_count(const struct pins *pins, struct tg_list_counts *counts)
{
	struct tg_list_image head;
	struct lists_mapping mapping;
	int err;

	memset(counts, 0, sizeof(*counts));
	err = open_active(pins, &head, &mapping);
	if (err || !mapping.line)
		return err;
	*counts = mapping.line[head.first_rule - 1].counts;
	lists_unmap_image(&mapping);
	return 0;
}
