/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel says about one interface of this network namespace.  Everything by ioctl, netlink and
 * /proc/sys/net: /sys/class/net shows the namespace that mounted it, which need not be ours.
 */
#ifndef TCPGUARD_NETDEV_H
#define TCPGUARD_NETDEV_H

#include <stdbool.h>
#include <stdint.h>

#include "tcpguard/config.h"

struct netdev {
	char name[TG_IFNAME_LEN];
	unsigned int ifindex;
	char driver[32]; /* "" if the driver does not tell */
	unsigned int mtu;
	uint8_t mac[6]; /* zero without a link header */
	unsigned int queues; /* receive queues; 0 = unknown */
	unsigned int link_type; /* ARPHRD_* */
	bool no_link_header; /* frames begin at the IP header */
	bool physical; /* hardware computes and checks checksums: none arrives half done */
	bool forwards; /* IPv4 or IPv6 forwarding is on */
	char upper[TG_IFNAME_LEN]; /* a bridge, macvlan... above it, which hands frames on; "" if none */
	uint64_t netns;
};

/* Errors are said: -ENODEV no such interface, -EOPNOTSUPP its link type is not understood. */
int netdev_read(const char *name, struct netdev *dev);

/* The same, but a link type that is not understood is left to the caller to say. */
int netdev_look(const char *name, struct netdev *dev);

/* The first above it that hands frames on to others, "" if none; 0 or -errno. */
int netdev_find_upper(unsigned int ifindex, char name[TG_IFNAME_LEN]);

/* Inode of this process's network namespace; 0 if unknown. */
uint64_t netdev_netns(void);

/* True if the registered interface belongs to this network namespace and still exists. */
bool netdev_exists(const struct tg_iface *iface);

/* Into a copy of a register entry: the name it has now, if it was renamed since it was attached. */
void netdev_refresh_name(struct tg_iface *iface);

#endif
