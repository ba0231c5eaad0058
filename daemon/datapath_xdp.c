/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The XDP hook by a bpf_link of our own, and whose program sits there if it is not ours. */
#include "datapath_parts.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "tcpguard.skel.h"

#include "log.h"

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

static int say_foreign(const struct job *job, __u32 id)
{
	char name[BPF_OBJ_NAME_LEN] = "", path[256];

	find_pin(id, path, sizeof(path), name, sizeof(name));
	if (!name[0])
		find_name(id, name, sizeof(name));
	log_err_hint(0, "attach beside it with --share, or remove it first",
		     "cannot attach to '%s': another XDP program is there, %s%s%sid %u%s%s",
		     job->dev->name, name[0] ? "'" : "", name, name[0] ? "', " : "", id,
		     path[0] ? ", pinned at " : "", path);
	return -EBUSY;
}

int xdphook_check_free(const struct job *job)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	__u32 id;
	int err;

	err = bpf_xdp_query((int)job->dev->ifindex, 0, &query);
	if (err)
		return log_err(err, "cannot ask for the XDP program of '%s'", job->dev->name);
	if (query.attach_mode == XDP_ATTACHED_NONE || job->options->share)
		return 0;
	id = query.prog_id; /* 0 with several modes at once: then any of them */
	if (!id)
		id = query.drv_prog_id;
	if (!id)
		id = query.skb_prog_id;
	return say_foreign(job, id);
}

int xdphook_create(const struct job *job, enum tg_xdp_mode mode)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .flags = mode == TG_XDP_NATIVE ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);

	return bpf_link_create(bpf_program__fd(job->programs->progs.tg_xdp_ingress),
			       (int)job->dev->ifindex, BPF_XDP, &opts);
}

int xdphook_update(const struct job *job, int program)
{
	char path[DATAPATH_PATH_BYTES];
	int link, err = 0;

	link = bpf_obj_get(slot_path(path, job->slot, "xdp"));
	if (link < 0)
		return log_err(-errno, "cannot open %s", path);
	if (bpf_link_update(link, program, NULL))
		err = log_err(-errno, "cannot exchange the XDP program of '%s'", job->dev->name);
	close(link);
	return err;
}

int xdphook_detach(unsigned int slot, const struct tg_iface *iface)
{
	char path[DATAPATH_PATH_BYTES];
	int link, err;

	if (iface->xdp_mode == TG_XDP_SHARED) {
		err = share_detach(iface);
		if (err)
			return err;
	}
	link = bpf_obj_get(slot_path(path, slot, "xdp"));
	if (link < 0)
		return errno == ENOENT ? 0 : log_err(-errno, "cannot open %s", path);
	/* Now, not when the last descriptor is gone; the interface may have vanished, then it is done. */
	bpf_link_detach(link);
	close(link);
	return unlink(path) && errno != ENOENT ? log_err(-errno, "cannot remove %s", path) : 0;
}
