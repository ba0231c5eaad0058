/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One image takes the place of another.  It is made and placed where no packet looks yet, the
 * configuration that names it is committed, and the former one goes when no packet can be in it.
 */
#include "lists_parts.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "list_format.h"
#include "list_image.h"
#include "log.h"
#include "pins_path.h"
#include "settings.h"

/* A new map with the image in it; a descriptor, or -errno (said). */
static int make_image(const struct list_plan *plan, uint32_t slot)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	uint32_t lines = list_plan_head(plan)->lines;
	struct lists_mapping mapping;
	int fd, err;

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "tg_list_image", sizeof(__u32), TG_LIST_LINE_BYTES,
			    lines, &opts);
	if (fd < 0)
		return log_err(-errno, "cannot make an image of the lists of %zu MiB",
			       (size_t)lines * TG_LIST_LINE_BYTES >> 20);
	err = lists_map_image(fd, lines, &mapping);
	if (err) {
		close(fd);
		return log_err(err, "cannot map an image of the lists into memory");
	}
	list_plan_write(plan, slot, mapping.line);
	mapping.line[list_plan_head(plan)->first_rule - 1].counts.made_s = (__u64)time(NULL);
	lists_unmap_image(&mapping);
	return fd;
}

/* Under the pin of its place, where a killed writer may have left something. */
static int pin_image(int fd, uint32_t slot)
{
	char path[LISTS_PATH_BYTES];

	if (pins_path_make(LISTS_DIR) && errno != EEXIST)
		return log_err(-errno, "cannot make " LISTS_DIR);
	pins_path_unlink(lists_image_path(path, slot));
	if (pins_path_pin(fd, path))
		return log_err(-errno, "cannot pin %s", path);
	return 0;
}

/* The kernel returns from this when no program that began before is still at work. */
static int place_image(const struct pins *pins, int fd, uint32_t slot)
{
	if (bpf_map_update_elem(pins->fd[PINS_LISTS], &slot, &fd, BPF_ANY))
		return log_err(-errno, "cannot hand an image of the lists to the data path");
	return 0;
}

static void drop_image(const struct pins *pins, uint32_t slot)
{
	char path[LISTS_PATH_BYTES];

	bpf_map_delete_elem(pins->fd[PINS_LISTS], &slot); /* absent where the lists were empty */
	pins_path_unlink(lists_image_path(path, slot));
}

static int place(struct pins *pins, const struct list_plan *plan, struct lists_exchange *exchange)
{
	uint32_t slot = !exchange->former;
	int fd, err;

	fd = make_image(plan, slot);
	if (fd < 0)
		return fd;
	err = pin_image(fd, slot);
	if (!err)
		err = place_image(pins, fd, slot);
	if (err) {
		drop_image(pins, slot);
		close(fd);
		return err;
	}
	exchange->head = *list_plan_head(plan);
	exchange->head.slot = (__u8)slot;
	exchange->fd = fd;
	return 0;
}

static int prepare(struct pins *pins, const struct list_rules *rules, struct lists_exchange *exchange)
{
	struct list_plan *plan;
	uint64_t seed;
	int err;

	exchange->former = tg_active_config(pins->settings)->lists.slot & 1;
	exchange->head = (struct tg_list_image){ .slot = (__u8)exchange->former };
	exchange->fd = -1;
	if (!rules->count)
		return 0;
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return log_err(-errno, "cannot get a random number for the lists");
	err = list_plan_make(rules->rule, rules->count, rules->text, rules->text_bytes, seed, &plan);
	if (err == -E2BIG) {
		log_err_hint(0, "aggregate them, or leave some out",
			     "the lists would have %zu prefixes: at most %u fit", rules->count,
			     TG_LIST_RULES_MAX);
		return -ERANGE;
	}
	if (err)
		return log_err(err, "cannot build an image of the lists");
	err = place(pins, plan, exchange);
	list_plan_free(plan);
	return err;
}

static int say_other(const struct tg_iface *iface)
{
	return log_err_hint(-EOPNOTSUPP, "'tcpguard upgrade' puts this version's there",
			    "the programs of '%.*s' read no lists of this version's format", TG_IFNAME_LEN,
			    iface->name);
}

int lists_prepare(struct pins *pins, const struct list_rules *rules, struct lists_exchange *exchange)
{
	const struct tg_iface *other = rules->count ? list_format_other(pins) : NULL;

	return other ? say_other(other) : prepare(pins, rules, exchange);
}

/* The image is placed once more, for the wait: who read the old configuration is done with its lists. */
void lists_finish(struct pins *pins, struct lists_exchange *exchange)
{
	uint32_t slot = exchange->head.slot;
	char path[LISTS_PATH_BYTES];
	int fd = exchange->fd;

	if (fd < 0)
		fd = pins_path_get(lists_image_path(path, exchange->former), 0);
	if (fd >= 0) {
		place_image(pins, fd, slot);
		close(fd);
	}
	drop_image(pins, !slot);
	if (exchange->fd < 0) {
		drop_image(pins, slot);
		pins_path_rmdir(LISTS_DIR);
	}
	exchange->fd = -1;
}

void lists_abandon(struct pins *pins, struct lists_exchange *exchange)
{
	if (exchange->fd < 0)
		return;
	drop_image(pins, exchange->head.slot);
	close(exchange->fd);
	exchange->fd = -1;
}

static void commit(struct pins *pins, struct lists_exchange *exchange)
{
	struct settings_change change;

	settings_begin(pins, &change);
	change.config.lists = exchange->head;
	settings_commit(pins, &change);
	lists_finish(pins, exchange);
}

int lists_publish(struct pins *pins, const struct list_rules *rules)
{
	struct lists_exchange exchange = { .fd = -1 };
	int err = lists_prepare(pins, rules, &exchange);

	if (!err)
		commit(pins, &exchange);
	return err;
}

static int settle(struct list_rules *rules, uint32_t now_s)
{
	int err = list_rules_settle(rules, now_s, NULL);

	return err ? log_err(err, "cannot put the rules of the lists in order") : 0;
}

int lists_renew(struct pins *pins)
{
	const struct tg_list_image *head = &tg_active_config(pins->settings)->lists;
	struct lists_exchange exchange = { .fd = -1 };
	struct list_rules rules;
	uint32_t now_s;
	int err;

	if (!head->prefixes || head->format == TG_LIST_FORMAT)
		return 0;
	err = lists_read(pins, &rules);
	if (!err)
		err = lists_now_s(pins, &now_s);
	if (!err) /* whoever can write to the image can put them in any order */
		err = settle(&rules, now_s);
	if (!err)
		err = prepare(pins, &rules, &exchange);
	if (!err)
		commit(pins, &exchange);
	list_rules_free(&rules);
	return err;
}

int lists_settle(struct pins *pins)
{
	const struct tg_list_image *head = &tg_active_config(pins->settings)->lists;
	const struct tg_iface *other = head->prefixes ? list_format_other(pins) : NULL;

	return other ? say_other(other) : lists_renew(pins);
}
