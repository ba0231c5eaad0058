/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Name and pin of a BPF program.  Best effort: nothing here is an error. */
#include "program.h"

#include <errno.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "pins.h"

#define PINS_SEARCHED_MAX 4096

/* What a descriptor from bpf_obj_get() is; -EINVAL if it is no program. */
static int program_info(int fd, struct bpf_prog_info *info)
{
	char link[32], target[32] = "";
	__u32 bytes = sizeof(*info);

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, target, sizeof(target) - 1) < 0 ||
	    strcmp(target, "anon_inode:bpf-prog") != 0)
		return -EINVAL;
	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &bytes) ? -errno : 0;
}

static bool is_pin_of(const char *path, __u32 id, char *name, size_t name_bytes)
{
	struct bpf_prog_info info;
	int fd, err;

	fd = bpf_obj_get(path);
	if (fd < 0)
		return false;
	err = program_info(fd, &info);
	close(fd);
	if (err || info.id != id)
		return false;
	snprintf(name, name_bytes, "%s", info.name);
	return true;
}

/* Best effort: the pin of a program, and by it its name, without a right to look up ids. */
static void find_pin(__u32 id, char *path, size_t path_bytes, char *name, size_t name_bytes)
{
	char *const roots[] = { (char *)PINS_BPFFS, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	unsigned int seen = 0;
	FTSENT *entry;

	path[0] = '\0';
	while (tree && !path[0] && seen++ < PINS_SEARCHED_MAX && (entry = fts_read(tree)))
		if (entry->fts_info == FTS_F && is_pin_of(entry->fts_path, id, name, name_bytes))
			snprintf(path, path_bytes, "%s", entry->fts_path);
	if (tree)
		fts_close(tree);
}

/* Looking a program up by its id needs CAP_SYS_ADMIN: without it the name may stay unknown. */
static void find_name(__u32 id, char *name, size_t name_bytes)
{
	struct bpf_prog_info info;
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd < 0)
		return;
	if (!program_info(fd, &info))
		snprintf(name, name_bytes, "%s", info.name);
	close(fd);
}

void program_identify(uint32_t id, struct program_identity *out)
{
	memset(out, 0, sizeof(*out));
	find_pin(id, out->pin, sizeof(out->pin), out->name, sizeof(out->name));
	if (!out->name[0])
		find_name(id, out->name, sizeof(out->name));
}
