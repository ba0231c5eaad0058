/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The XDP hook by a bpf_link of our own, and whose program sits there if it is not ours. */
#include "datapath_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "tcpguard.skel.h"

#include "log.h"
#include "program.h"

/* Our own program without our pins belongs to another version, or to a bpffs that is hidden. */
static const char *foreign_remedy(const char *name, const char *path)
{
	if (strcmp(name, "tg_xdp_ingress") != 0)
		return "attach beside it with --share, or remove it first";
	return path[0] ? "that is another tcpguard's: detach it with the version that attached it, or remove "
			 "its pins" :
			 "that is tcpguard's own, from another bpffs: a mount over " PINS_BPFFS
			 " hides it, or a process keeps the unmounted one";
}

static int say_foreign(const struct job *job, __u32 id)
{
	struct program_identity who;

	program_identify(id, &who);
	log_err_hint(0, foreign_remedy(who.name, who.pin),
		     "cannot attach to '%s': another XDP program is there, %s%s%sid %u%s%s",
		     job->dev->name, who.name[0] ? "'" : "", who.name, who.name[0] ? "', " : "", id,
		     who.pin[0] ? ", pinned at " : "", who.pin);
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

int xdphook_update(unsigned int slot, const struct tg_iface *iface, int program)
{
	char path[DATAPATH_PATH_BYTES];
	int link, err = 0;

	link = pins_path_get(slot_path(path, slot, "xdp"), 0);
	if (link < 0)
		return log_err(-errno, "cannot open %s", path);
	if (bpf_link_update(link, program, NULL))
		err = log_err(-errno, "cannot exchange the XDP program of '%.*s'", TG_IFNAME_LEN,
			      iface->name);
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
	link = pins_path_get(slot_path(path, slot, "xdp"), 0);
	if (link < 0)
		return errno == ENOENT ? 0 : log_err(-errno, "cannot open %s", path);
	/* Now, not when the last descriptor is gone; the interface may have vanished, then it is done. */
	bpf_link_detach(link);
	close(link);
	return pins_path_unlink(path) && errno != ENOENT ? log_err(-errno, "cannot remove %s", path) : 0;
}
