/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks the kernel about one interface. */
#include "netdev.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/sockios.h>

#include "log.h"

#ifndef ARPHRD_RAWIP
#define ARPHRD_RAWIP 519
#endif

static int ask(int fd, const struct netdev *dev, unsigned long request, struct ifreq *answer)
{
	snprintf(answer->ifr_name, sizeof(answer->ifr_name), "%s", dev->name);
	return ioctl(fd, request, answer) ? -errno : 0;
}

static int ask_ethtool(int fd, const struct netdev *dev, void *command)
{
	struct ifreq request = { .ifr_data = command };

	return ask(fd, dev, SIOCETHTOOL, &request);
}

/* Drivers that have a parent device and yet hand over packets whose checksum is not computed. */
static bool is_paravirtual(const char *driver)
{
	static const char *const names[] = { "virtio_net", "vif", "xen_netfront", "hv_netvsc",
					     "vmxnet3", "netdevsim", "ena", "gve", "veth", "tun" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(driver, names[i]))
			return true;
	return false;
}

static void read_driver(int fd, struct netdev *dev)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };

	if (!ask_ethtool(fd, dev, &info)) {
		snprintf(dev->driver, sizeof(dev->driver), "%s", info.driver);
		/* The name of the parent device: a bus address where there is hardware. */
		dev->physical = info.bus_info[0] && !is_paravirtual(dev->driver);
	}
	if (!ask_ethtool(fd, dev, &channels))
		dev->queues = channels.combined_count + channels.rx_count;
}

static int read_link_type(int fd, struct netdev *dev)
{
	struct ifreq request = { 0 };
	int err = ask(fd, dev, SIOCGIFHWADDR, &request);

	if (err)
		return err;
	dev->link_type = request.ifr_hwaddr.sa_family;
	switch (dev->link_type) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		memcpy(dev->mac, request.ifr_hwaddr.sa_data, sizeof(dev->mac));
		return 0;
	case ARPHRD_NONE: /* tun, WireGuard */
	case ARPHRD_RAWIP:
	case ARPHRD_PPP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
		dev->no_link_header = true;
		return 0;
	}
	return -EOPNOTSUPP;
}

/* Opened piece by piece: an interface may be called "a.b" or "..": it is one path component. */
static bool read_forwarding(const char *family, const char *name)
{
	char path[96], value = '0';
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/forwarding", family, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, &value, 1) != 1)
		value = '0';
	close(fd);
	return value != '0';
}

int netdev_look(const char *name, struct netdev *dev)
{
	struct ifreq request = { 0 };
	int fd, err, missing;

	memset(dev, 0, sizeof(*dev));
	if (strlen(name) >= sizeof(dev->name) || !if_nametoindex(name))
		return log_err_hint(-ENODEV, "'ip link' lists them", "no interface named '%s'", name);
	dev->ifindex = if_nametoindex(name);
	snprintf(dev->name, sizeof(dev->name), "%s", name);
	dev->netns = netdev_netns();

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return log_err(-errno, "cannot ask about interface '%s'", name);
	if (!ask(fd, dev, SIOCGIFMTU, &request))
		dev->mtu = (unsigned int)request.ifr_mtu;
	read_driver(fd, dev);
	err = read_link_type(fd, dev);
	close(fd);
	if (err && err != -EOPNOTSUPP)
		return log_err(err, "cannot read the link type of '%s'", name);
	dev->forwards = read_forwarding("ipv4", name) || read_forwarding("ipv6", name);
	missing = netdev_find_upper(dev->ifindex, dev->upper);
	return missing ? log_err(missing, "cannot list what is above interface '%s'", name) : err;
}

int netdev_read(const char *name, struct netdev *dev)
{
	int err = netdev_look(name, dev);

	if (err == -EOPNOTSUPP)
		log_err_hint(0, "Ethernet and interfaces without a link header are understood",
			     "cannot attach to '%s': its link type is %u", dev->name, dev->link_type);
	return err;
}

uint64_t netdev_netns(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) ? 0 : st.st_ino;
}

bool netdev_exists(const struct tg_iface *iface)
{
	char name[IF_NAMESIZE];

	/* Who could not ask knows nothing of its end. */
	return iface->netns == netdev_netns() &&
	       (if_indextoname(iface->ifindex, name) || (errno != ENXIO && errno != ENODEV));
}

void netdev_refresh_name(struct tg_iface *iface)
{
	char name[IF_NAMESIZE];

	_Static_assert(sizeof(iface->name) == IF_NAMESIZE, "an interface's name fits");
	iface->name[sizeof(iface->name) - 1] = '\0'; /* whoever wrote to the register */
	if (iface->netns == netdev_netns() && if_indextoname(iface->ifindex, name))
		memcpy(iface->name, name, sizeof(name));
}
