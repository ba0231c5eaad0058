/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TC hooks: egress always, ingress where SYN cookies need it; each a tcx link (kernel 6.6), else a
 * filter of a clsact qdisc at a fixed place.
 * A qdisc that was there before is never removed, nor one that others use by now.
 */
#include "datapath_parts.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "tcpguard.skel.h"

#include "log.h"

/* Younger than the headers of libbpf 1.1, which passes them on all the same. */
#define ATTACH_TCX_INGRESS ((enum bpf_attach_type)46)
#define ATTACH_TCX_EGRESS ((enum bpf_attach_type)47)
#define MPROG_BEFORE (1U << 3)

/* First of all filters: one that ends the walk would hide segments from us. */
#define FILTER_PRIORITY 1
#define FILTER_HANDLE 0x7467 /* "tg" */

/* One side of the interface. */
struct side {
	const char *name;
	enum bpf_attach_type tcx;
	enum bpf_tc_attach_point point;
	const char *link; /* pins */
	const char *program;
};

static const struct side egress = { "egress", ATTACH_TCX_EGRESS, BPF_TC_EGRESS, "tc", "prog_tc" };
static const struct side ingress = { "ingress", ATTACH_TCX_INGRESS, BPF_TC_INGRESS, "tc_in",
				     "prog_tc_in" };

/* A descriptor of the link, or -errno in silence. */
static int create_tcx(const struct side *side, __u32 ifindex, int program)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = MPROG_BEFORE);

	return bpf_link_create(program, (int)ifindex, side->tcx, &opts);
}

static void hook_of(const struct side *side, struct bpf_tc_hook *hook, __u32 ifindex)
{
	memset(hook, 0, sizeof(*hook));
	hook->sz = sizeof(*hook);
	hook->ifindex = (int)ifindex;
	hook->attach_point = side->point;
}

static int set_filter(const struct side *side, __u32 ifindex, int program, __u32 flags)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program, .flags = flags, .handle = FILTER_HANDLE,
		    .priority = FILTER_PRIORITY);
	struct bpf_tc_hook hook;

	hook_of(side, &hook, ifindex);
	return bpf_tc_attach(&hook, &opts);
}

/* Which of the kernel's answers to a dump are counted. */
struct wanted {
	__u16 type; /* RTM_NEW... */
	int ifindex;
	__u32 parent;
};

static bool is_wanted(const struct nlmsghdr *message, const struct wanted *wanted)
{
	const struct tcmsg *tc = NLMSG_DATA(message);

	return message->nlmsg_type == wanted->type && tc->tcm_ifindex == wanted->ifindex &&
	       tc->tcm_parent == wanted->parent;
}

static int count_answers(int fd, const struct wanted *wanted)
{
	char buffer[16384] __attribute__((aligned(8)));
	int count = 0;

	for (;;) {
		ssize_t got = recv(fd, buffer, sizeof(buffer), 0);
		struct nlmsghdr *message = (struct nlmsghdr *)buffer;
		unsigned int left = (unsigned int)got;

		if (got < 0)
			return -errno;
		for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
			if (message->nlmsg_type == NLMSG_DONE)
				return count;
			if (message->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(message))->error;
			count += is_wanted(message, wanted);
		}
	}
}

/* Asks for what RTM_GETQDISC or RTM_GETTFILTER lists under parent; -errno if that cannot be counted. */
static int count_under(__u16 get, __u16 new, __u32 ifindex, __u32 parent)
{
	const struct wanted wanted = { .type = new, .ifindex = (int)ifindex, .parent = parent };
	struct {
		struct nlmsghdr header;
		struct tcmsg tc;
	} request = {
		.header.nlmsg_len = sizeof(request),
		.header.nlmsg_type = get,
		.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.tc = { .tcm_ifindex = (int)ifindex, .tcm_parent = parent },
	};
	int fd, count;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	count = send(fd, &request, sizeof(request), 0) < 0 ? -errno : count_answers(fd, &wanted);
	close(fd);
	return count;
}

static int count_filters(__u32 ifindex, __u32 side)
{
	return count_under(RTM_GETTFILTER, RTM_NEWTFILTER, ifindex, TC_H_MAKE(TC_H_CLSACT, side));
}

static int count_qdiscs(__u32 ifindex)
{
	return count_under(RTM_GETQDISC, RTM_NEWQDISC, ifindex, TC_H_CLSACT);
}

/*
 * Removes the qdisc we made, unless somebody has put filters there meanwhile.  Or were about to make:
 * an attach that was killed then has registered one that is not there.
 */
static int remove_qdisc(__u32 ifindex)
{
	struct bpf_tc_hook hook;

	if (count_qdiscs(ifindex) < 1 || count_filters(ifindex, TC_H_MIN_INGRESS) ||
	    count_filters(ifindex, TC_H_MIN_EGRESS))
		return 0;
	hook_of(&egress, &hook, ifindex);
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS; /* both: the qdisc itself */
	return bpf_tc_hook_destroy(&hook);
}

/* That the qdisc will be ours is registered before it is made: a killed attach can be taken back. */
static int make_qdisc(struct job *job)
{
	struct bpf_tc_hook hook;
	int found, err;

	found = count_qdiscs(job->dev->ifindex);
	if (found < 0)
		return found;
	if (!found)
		job->made_qdisc = true;
	TG_WRITE_ONCE(job->pins.ifaces[job->slot].made_qdisc, job->made_qdisc);
	if (found)
		return 0;
	hook_of(&egress, &hook, job->dev->ifindex);
	err = bpf_tc_hook_create(&hook);
	if (err == -EEXIST) { /* somebody else's, since we looked */
		job->made_qdisc = false;
		err = 0;
	}
	return err;
}

/* What fails is taken back by undo_new(). */
static int attach_clsact(struct job *job, const struct side *side, int program)
{
	int err;

	err = make_qdisc(job);
	if (!err)
		err = set_filter(side, job->dev->ifindex, program, 0);
	if (!err)
		job->result->tc = TG_TC_CLSACT;
	return err;
}

/* The kernel's "no such attach type". */
static bool lacks_tcx(int err)
{
	return err == -EINVAL || err == -EOPNOTSUPP;
}

static int attach_side(struct job *job, const struct side *side, int program)
{
	int wanted = job->options->tc, link = -EOPNOTSUPP, err;

	if (wanted != TG_TC_CLSACT)
		link = create_tcx(side, job->dev->ifindex, program);
	if (link >= 0) {
		job->result->tc = TG_TC_TCX;
		return slot_keep_link(job, link, side->link);
	}
	if (wanted == TG_TC_TCX && lacks_tcx(link))
		return log_err_hint(-EOPNOTSUPP, "--tc clsact does without",
				    "cannot attach to '%s' by tcx, which kernel 6.6 introduced",
				    job->dev->name);
	err = wanted != TG_TC_TCX && lacks_tcx(link) ? attach_clsact(job, side, program) : link;
	return err ? log_err(err, "cannot attach to the %s of '%s'", side->name, job->dev->name) : 0;
}

int tchook_attach(struct job *job)
{
	int err = attach_side(job, &egress, bpf_program__fd(job->programs->progs.tg_tc_egress));

	if (err || accept_program(job) < 0)
		return err;
	return attach_side(job, &ingress, accept_program(job));
}

int tchook_update(unsigned int slot, const struct tg_iface *iface, bool at_ingress, int program)
{
	const struct side *side = at_ingress ? &ingress : &egress;
	char path[DATAPATH_PATH_BYTES];
	int link, err = 0;

	if (iface->tc_kind == TG_TC_CLSACT) {
		err = set_filter(side, iface->ifindex, program, BPF_TC_F_REPLACE);
	} else {
		link = pins_path_get(slot_path(path, slot, side->link), 0);
		if (link < 0)
			return log_err(-errno, "cannot open %s", path);
		if (bpf_link_update(link, program, NULL))
			err = -errno;
		close(link);
	}
	return err ? log_err(err, "cannot exchange the %s program of '%.*s'", side->name,
			     TG_IFNAME_LEN, iface->name) :
		     0;
}

/* What passes is an error, everything else the answer no. */
static int no_or_error(int err)
{
	return err == -EACCES || err == -EPERM || pins_path_passing(err) ? err : 0;
}

/* 1, 0 or -errno.  Takes the descriptor. */
static int has_id(int program, __u32 id)
{
	struct bpf_prog_info info = {};
	__u32 bytes = sizeof(info);
	int err;

	if (program < 0)
		return no_or_error(program);
	err = bpf_obj_get_info_by_fd(program, &info, &bytes) ? -errno : 0;
	close(program);
	return err ? no_or_error(err) : info.id == id;
}

/*
 * Ours is the filter at our place that runs our pinned program; or, when an exchange was interrupted,
 * the one that was to be replaced.
 */
static int holds_filter(const struct side *side, unsigned int slot, __u32 ifindex)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);
	struct bpf_tc_hook hook;
	uint32_t id;
	int held;

	hook_of(side, &hook, ifindex);
	held = bpf_tc_query(&hook, &opts);
	if (held) /* no such filter, no such qdisc, no such device; or it could not be asked */
		return held == -ENOENT || held == -EINVAL || held == -ENODEV ? 0 : held;
	held = has_id(slot_pinned_program(slot, side->program, &id), opts.prog_id);
	if (held)
		return held;
	return has_id(exchange_open_journal(slot, side == &ingress ? EXCHANGE_TC_IN : EXCHANGE_TC),
		      opts.prog_id);
}

static int holds_side(const struct side *side, unsigned int slot, const struct tg_iface *iface)
{
	return iface->tc_kind == TG_TC_CLSACT ? holds_filter(side, slot, iface->ifindex) :
						slot_holds_link(slot, side->link);
}

int tchook_has_ingress(unsigned int slot)
{
	uint32_t id;
	int fd = slot_pinned_program(slot, ingress.program, &id);

	if (fd < 0)
		return no_or_error(fd);
	close(fd);
	return 1;
}

int tchook_holds(unsigned int slot, const struct tg_iface *iface)
{
	int held = holds_side(&egress, slot, iface);

	if (held <= 0)
		return held;
	held = tchook_has_ingress(slot);
	if (held > 0)
		return holds_side(&ingress, slot, iface);
	return held < 0 ? held : 1;
}

static int detach_filter(const struct side *side, unsigned int slot, const struct tg_iface *iface)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);
	struct bpf_tc_hook hook;
	int held = holds_filter(side, slot, iface->ifindex);

	if (held <= 0)
		return held;
	hook_of(side, &hook, iface->ifindex);
	return bpf_tc_detach(&hook, &opts);
}

static int detach_clsact(unsigned int slot, const struct tg_iface *iface)
{
	int err;

	if (!netdev_exists(iface))
		return 0; /* gone, and its qdiscs with it */
	err = detach_filter(&ingress, slot, iface);
	if (!err)
		err = detach_filter(&egress, slot, iface);
	if (!err && iface->made_qdisc)
		err = remove_qdisc(iface->ifindex);
	return err ? log_err(err, "cannot remove the TC filters of '%.*s'", TG_IFNAME_LEN, iface->name) : 0;
}

static int detach_link(const struct side *side, unsigned int slot)
{
	char path[DATAPATH_PATH_BYTES];
	int link = pins_path_get(slot_path(path, slot, side->link), 0);

	if (link < 0)
		return errno == ENOENT ? 0 : log_err(-errno, "cannot open %s", path);
	bpf_link_detach(link);
	close(link);
	return pins_path_unlink(path) && errno != ENOENT ? log_err(-errno, "cannot remove %s", path) : 0;
}

int tchook_detach(unsigned int slot, const struct tg_iface *iface)
{
	int err;

	/* Of an attach that was killed the kind is not known. */
	if (iface->tc_kind != TG_TC_TCX) {
		err = detach_clsact(slot, iface);
		if (err || iface->tc_kind == TG_TC_CLSACT)
			return err;
	}
	err = detach_link(&ingress, slot);
	return err ? err : detach_link(&egress, slot);
}
