/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether what is open is still what is pinned.  An upgrade that carries the flows to another table exchanges
 * that one and leaves all other maps; who goes on for long follows it.
 */
#include "pins.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "pins_path.h"

/* 0 or -errno in silence. */
static int read_id(int fd, __u32 *id)
{
	struct bpf_map_info info = {};
	__u32 bytes = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &bytes))
		return -errno;
	*id = info.id;
	return 0;
}

/* True, too, if it cannot be told. */
static bool is_pinned(const struct pins *p, enum pins_map map)
{
	__u32 ours, pinned;
	char path[128];
	int fd, err;

	snprintf(path, sizeof(path), PINS_MAPS_DIR "/%s", pins_map_name(map));
	fd = pins_path_get(path, 0);
	if (fd < 0)
		return errno != ENOENT;
	err = read_id(fd, &pinned);
	close(fd);
	return err || read_id(p->fd[map], &ours) || ours == pinned;
}

bool pins_still_pinned(const struct pins *p)
{
	return is_pinned(p, PINS_INFO);
}

static void copy_table(struct pins *to, const struct pins *from)
{
	static const enum pins_map maps[] = { PINS_FLOWS, PINS_DETAILS, PINS_BUCKETS, PINS_INFO };
	size_t i;

	for (i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		to->fd[maps[i]] = from->fd[maps[i]];
	to->buckets = from->buckets;
	to->details = from->details;
	to->words = from->words;
	to->info = from->info;
	to->table = from->table;
	to->layout = from->layout;
}

static void exchange_tables(struct pins *p, struct pins *other)
{
	const struct pins former = *p;

	copy_table(p, other);
	copy_table(other, &former);
	pins_refresh(p); /* the timeouts lie in the settings, which are mapped twice */
}

/* As long as a command changes what is pinned, or resources are short, it may not be ours to open. */
static int opened_later(int err)
{
	return err == -EACCES || err == -EPERM || pins_path_passing(err) ? -EAGAIN : err;
}

int pins_follow_table(struct pins *p)
{
	struct pins other;
	__u32 layout;
	int err;

	if (!is_pinned(p, PINS_SETTINGS))
		return -ENOENT;
	layout = pins_layout_at(PINS_MAPS_DIR);
	if (!layout)
		return access(PINS_MAPS_DIR "/tg_info", F_OK) && errno == ENOENT ? -ENOENT : -EAGAIN;
	if (layout != TG_LAYOUT_VERSION)
		return -EPROTO;
	err = opened_later(pins_open(&other, true));
	if (err)
		return err;
	/* Of two tables one half each, if they changed places meanwhile. */
	if (pins_still_pinned(&other))
		exchange_tables(p, &other);
	else
		err = -EAGAIN;
	pins_close(&other);
	return err;
}
