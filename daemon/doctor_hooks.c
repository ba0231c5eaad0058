/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about one interface: the BPF programs that sit at its XDP and egress hooks. */
#include "doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "netlink.h"

/* Younger than the headers of libbpf 1.1, which passes them on all the same. */
#define ATTACH_TCX_EGRESS ((enum bpf_attach_type)47)

#define LINKS_SEARCHED_MAX 4096
#define OUR_NAMES "tg_" /* of programs */

static struct doctor_program *add_program(struct doctor_iface *iface, uint32_t id, int hook)
{
	struct doctor_program *program;

	if (!id || iface->program_count == DOCTOR_PROGRAMS_MAX)
		return NULL;
	program = &iface->program[iface->program_count++];
	memset(program, 0, sizeof(*program));
	program->id = id;
	program->hook = hook;
	program_identify(id, &program->who);
	program->ours = !strncmp(program->who.name, OUR_NAMES, strlen(OUR_NAMES)) &&
			!strncmp(program->who.pin, PINS_ROOT, strlen(PINS_ROOT));
	return program;
}

static bool is_link_of(int fd, unsigned int ifindex, uint32_t program)
{
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &size) && info.type == BPF_LINK_TYPE_XDP &&
	       info.xdp.ifindex == ifindex && info.prog_id == program;
}

/* Looking links up by their ids needs CAP_SYS_ADMIN: without it this stays 0. */
static uint32_t find_xdp_link(unsigned int ifindex, uint32_t program)
{
	unsigned int seen = 0;
	__u32 id = 0;

	while (seen++ < LINKS_SEARCHED_MAX && !bpf_link_get_next_id(id, &id)) {
		int fd = bpf_link_get_fd_by_id(id);
		bool found = fd >= 0 && is_link_of(fd, ifindex, program);

		if (fd >= 0)
			close(fd);
		if (found)
			return id;
	}
	return 0;
}

static void add_xdp(struct doctor_iface *iface, uint32_t id, int hook)
{
	struct doctor_program *program = add_program(iface, id, hook);

	if (program && !program->ours)
		program->link = find_xdp_link(iface->dev.ifindex, id);
}

static int take_xdp(const struct nlmsghdr *message, void *context)
{
	struct netlink_attributes all = netlink_attributes(message, sizeof(struct ifinfomsg));
	struct netlink_attributes xdp = netlink_nested(netlink_find(all, IFLA_XDP));

	add_xdp(context, netlink_u32(xdp, IFLA_XDP_DRV_PROG_ID), DOCTOR_HOOK_XDP_NATIVE);
	add_xdp(context, netlink_u32(xdp, IFLA_XDP_SKB_PROG_ID), DOCTOR_HOOK_XDP_GENERIC);
	add_xdp(context, netlink_u32(xdp, IFLA_XDP_HW_PROG_ID), DOCTOR_HOOK_XDP_OFFLOAD);
	return 0;
}

static void read_xdp(struct doctor_iface *iface)
{
	const struct ifinfomsg header = { .ifi_index = (int)iface->dev.ifindex };
	struct netlink_question question;

	netlink_begin(&question, RTM_GETLINK, 0, &header, sizeof(header));
	iface->xdp_error = netlink_ask(NETLINK_ROUTE, &question, take_xdp, iface);
}

static void read_tcx(struct doctor_iface *iface)
{
	__u32 ids[DOCTOR_PROGRAMS_MAX] = { 0 }, count = DOCTOR_PROGRAMS_MAX, i;

	if (bpf_prog_query((int)iface->dev.ifindex, ATTACH_TCX_EGRESS, 0, NULL, ids, &count) &&
	    errno != ENOSPC) {
		iface->tcx_asked = errno == EPERM || errno == EACCES ? DOCTOR_NO : DOCTOR_UNKNOWN;
		return;
	}
	iface->tcx_asked = DOCTOR_YES;
	for (i = 0; i < count && i < DOCTOR_PROGRAMS_MAX; i++)
		add_program(iface, ids[i], DOCTOR_HOOK_TCX);
}

static int take_filter(const struct nlmsghdr *message, void *context)
{
	struct netlink_attributes all = netlink_attributes(message, sizeof(struct tcmsg));
	struct netlink_attributes options = netlink_nested(netlink_find(all, TCA_OPTIONS));
	char kind[8];

	netlink_text(all, TCA_KIND, kind, sizeof(kind));
	if (message->nlmsg_type == RTM_NEWTFILTER && !strcmp(kind, "bpf"))
		add_program(context, netlink_u32(options, TCA_BPF_ID), DOCTOR_HOOK_CLSACT);
	return 0;
}

static void read_clsact(struct doctor_iface *iface)
{
	const struct tcmsg header = {
		.tcm_ifindex = (int)iface->dev.ifindex,
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS),
	};
	struct netlink_question question;

	netlink_begin(&question, RTM_GETTFILTER, NLM_F_DUMP, &header, sizeof(header));
	iface->clsact_error = netlink_ask(NETLINK_ROUTE, &question, take_filter, iface);
}

void doctor_read_programs(struct doctor_iface *iface)
{
	read_xdp(iface);
	read_tcx(iface);
	read_clsact(iface);
}
