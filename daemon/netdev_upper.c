/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose frames come through an interface besides this machine's own: those of a bridge it is a port of, or
 * of a macvlan or ipvlan above it, also by way of a bond, a team or a VLAN.  Machines and containers
 * behind these have their sockets elsewhere.
 */
#include "netdev.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "netlink.h"

#define UPPERS_MAX 8192 /* above one interface: each VLAN there can be, with a bridge of its own */

struct uppers {
	uint32_t ifindex[UPPERS_MAX]; /* the interface itself, then what was found above it */
	unsigned int count;
	bool grew;
	char *name; /* TG_IFNAME_LEN; of the first that hands on */
};

static bool is_one_of(const char *kind, const char *const *kinds)
{
	for (; *kinds; kinds++)
		if (!strcmp(kind, *kinds))
			return true;
	return false;
}

static bool knows(const struct uppers *uppers, uint32_t ifindex)
{
	unsigned int i;

	for (i = 0; i < uppers->count; i++)
		if (uppers->ifindex[i] == ifindex)
			return true;
	return false;
}

/* Twice at most for each pass over all links. */
static void add(struct uppers *uppers, uint32_t ifindex)
{
	if (!ifindex || knows(uppers, ifindex) || uppers->count == UPPERS_MAX)
		return;
	uppers->ifindex[uppers->count++] = ifindex;
	uppers->grew = true;
}

/* IFLA_LINK is what a link sits on for these; of a veth it is the other end, of a tunnel its underlay. */
static bool sits_on(const struct netlink_attributes *all, const char *kind, const struct uppers *uppers)
{
	static const char *const above[] = { "vlan", "macvlan", "macvtap", "ipvlan", "ipvtap", NULL };

	return is_one_of(kind, above) && !netlink_find(*all, IFLA_LINK_NETNSID) &&
	       knows(uppers, netlink_u32(*all, IFLA_LINK));
}

static int visit(const struct nlmsghdr *message, void *context)
{
	static const char *const handing_on[] = { "bridge", "openvswitch", "macvlan", "macvtap",
						  "ipvlan", "ipvtap", NULL };
	uint32_t ifindex = (uint32_t)((const struct ifinfomsg *)NLMSG_DATA(message))->ifi_index;
	struct netlink_attributes all = netlink_attributes(message, sizeof(struct ifinfomsg));
	struct uppers *uppers = context;
	char kind[16];

	if (message->nlmsg_type != RTM_NEWLINK)
		return 0;
	netlink_text(netlink_nested(netlink_find(all, IFLA_LINKINFO)), IFLA_INFO_KIND, kind, sizeof(kind));
	if (sits_on(&all, kind, uppers))
		add(uppers, ifindex);
	if (knows(uppers, ifindex))
		add(uppers, netlink_u32(all, IFLA_MASTER));
	/* The interface itself may be a bridge: what it sees is for this machine. */
	if (!uppers->name[0] && ifindex != uppers->ifindex[0] && knows(uppers, ifindex) &&
	    is_one_of(kind, handing_on))
		netlink_text(all, IFLA_IFNAME, uppers->name, TG_IFNAME_LEN);
	return 0;
}

int netdev_find_upper(unsigned int ifindex, char name[TG_IFNAME_LEN])
{
	struct uppers uppers = { .ifindex = { ifindex }, .count = 1, .grew = true, .name = name };
	const struct ifinfomsg header = { 0 };
	struct netlink_question question;
	int err = 0;

	name[0] = '\0';
	/* Once more as long as something was found: links are listed in any order. */
	while (uppers.grew && !name[0] && !err) {
		uppers.grew = false;
		netlink_begin(&question, RTM_GETLINK, NLM_F_DUMP, &header, sizeof(header));
		err = netlink_ask(NETLINK_ROUTE, &question, visit, &uppers);
	}
	return err;
}
