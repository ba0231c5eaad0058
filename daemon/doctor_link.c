/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Facts about one interface: what it is, what its driver can, how it is set.  Programs:
 * doctor_hooks.c.
 */
#include "doctor.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#include "netlink.h"

/* The netdev family of Linux 6.3, <linux/netdev.h>, which Debian 12 does not have. */
#define NETDEV_FAMILY "netdev"
#define NETDEV_DEV_GET 1
#define NETDEV_IFINDEX 1
#define NETDEV_XDP_FEATURES 3
#define XDP_BASIC (1ULL << 0)
#define XDP_RX_SG (1ULL << 5)

/* --- rtnetlink ------------------------------------------------------------------------------------ */

/* What the kernel says of one link. */
struct link_answer {
	uint32_t flags;
	uint32_t master;
	uint32_t lower; /* ifindex of IFLA_LINK: of a VLAN its parent, of a veth its peer */
	bool lower_elsewhere; /* in another network namespace */
	char kind[16];
};

static int take_link(const struct nlmsghdr *message, void *context)
{
	struct netlink_attributes all = netlink_attributes(message, sizeof(struct ifinfomsg));
	struct link_answer *out = context;

	memset(out, 0, sizeof(*out));
	out->flags = ((const struct ifinfomsg *)NLMSG_DATA(message))->ifi_flags;
	out->master = netlink_u32(all, IFLA_MASTER);
	out->lower = netlink_u32(all, IFLA_LINK);
	out->lower_elsewhere = netlink_find(all, IFLA_LINK_NETNSID) != NULL;
	netlink_text(netlink_nested(netlink_find(all, IFLA_LINKINFO)), IFLA_INFO_KIND, out->kind,
		     sizeof(out->kind));
	return 0;
}

static int ask_link(unsigned int ifindex, struct link_answer *out)
{
	const struct ifinfomsg header = { .ifi_index = (int)ifindex };
	struct netlink_question question;

	netlink_begin(&question, RTM_GETLINK, 0, &header, sizeof(header));
	return netlink_ask(NETLINK_ROUTE, &question, take_link, out);
}

/* --- ethtool -------------------------------------------------------------------------------------- */

static int ask_ethtool(const char *name, void *command)
{
	struct ifreq request = { .ifr_data = command };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, SIOCETHTOOL, &request))
		err = -errno;
	close(fd);
	return err;
}

/* How many features the kernel has names for; 0 if it does not tell. */
static unsigned int count_features(const char *name)
{
	struct {
		struct ethtool_sset_info info;
		__u32 count;
	} sets = { .info = { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ULL << ETH_SS_FEATURES } };

	return !ask_ethtool(name, &sets) && sets.info.sset_mask ? sets.count : 0;
}

static void match_features(const struct ethtool_gstrings *names,
			   const struct ethtool_gfeatures *bits,
			   struct doctor_iface *iface)
{
	static const char *const wanted[DOCTOR_FEATURE_MAX] = {
		[DOCTOR_LRO] = "rx-lro",
		[DOCTOR_GRO] = "rx-gro",
		[DOCTOR_GRO_HW] = "rx-gro-hw",
		[DOCTOR_TC_OFFLOAD] = "hw-tc-offload",
	};
	unsigned int i, feature;

	for (i = 0; i < names->len; i++)
		for (feature = 0; feature < DOCTOR_FEATURE_MAX; feature++)
			if (!strncmp((const char *)names->data + (size_t)i * ETH_GSTRING_LEN,
				     wanted[feature], ETH_GSTRING_LEN))
				iface->feature[feature] = bits->features[i / 32].active >> i % 32 & 1 ?
								  DOCTOR_YES :
								  DOCTOR_NO;
}

static void read_features(struct doctor_iface *iface)
{
	unsigned int count = count_features(iface->dev.name), blocks = (count + 31) / 32;
	struct ethtool_gstrings *names = calloc(1,
						sizeof(*names) + (size_t)count * ETH_GSTRING_LEN);
	struct ethtool_gfeatures *bits = calloc(1,
						sizeof(*bits) + blocks * sizeof(bits->features[0]));

	if (names && bits && count) {
		names->cmd = ETHTOOL_GSTRINGS;
		names->string_set = ETH_SS_FEATURES;
		names->len = count;
		bits->cmd = ETHTOOL_GFEATURES;
		bits->size = blocks;
		if (!ask_ethtool(iface->dev.name, names) && !ask_ethtool(iface->dev.name, bits) &&
		    names->len <= count && bits->size >= blocks)
			match_features(names, bits, iface);
	}
	free(names);
	free(bits);
}

static void read_channels(struct doctor_iface *iface)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	iface->cpus = cpus > 0 ? (unsigned int)cpus : 1;
	if (ask_ethtool(iface->dev.name, &channels))
		return;
	iface->channels_combined = channels.combined_count > 0;
	iface->channels = iface->channels_combined ? channels.combined_count : channels.rx_count;
	iface->channels_max = iface->channels_combined ? channels.max_combined : channels.max_rx;
}

/* The transmit queues of a veth's other end, which its receive queues must match. */
static void read_peer(const struct link_answer *link, struct doctor_iface *iface)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };

	if (strcmp(iface->kind, "veth") != 0)
		return;
	iface->peer_known = DOCTOR_NO;
	if (link->lower_elsewhere || !if_indextoname(link->lower, iface->peer) ||
	    ask_ethtool(iface->peer, &channels))
		return;
	iface->peer_known = DOCTOR_YES;
	iface->peer_tx = channels.combined_count + channels.tx_count;
}

/* --- native XDP ----------------------------------------------------------------------------------- */

static int take_family(const struct nlmsghdr *message, void *context)
{
	struct netlink_attributes all = netlink_attributes(message, GENL_HDRLEN);
	const struct nlattr *id = netlink_find(all, CTRL_ATTR_FAMILY_ID);

	if (id && netlink_bytes(id) >= sizeof(uint16_t))
		memcpy(context, netlink_value(id), sizeof(uint16_t));
	return 0;
}

static int find_family(const char *name, uint16_t *id)
{
	const struct genlmsghdr header = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 };
	struct netlink_question question;
	int err;

	*id = 0;
	netlink_begin(&question, GENL_ID_CTRL, 0, &header, sizeof(header));
	netlink_add(&question, CTRL_ATTR_FAMILY_NAME, name, strlen(name) + 1);
	err = netlink_ask(NETLINK_GENERIC, &question, take_family, id);
	return err || *id ? err : -ENOENT;
}

static int take_xdp_features(const struct nlmsghdr *message, void *context)
{
	*(uint64_t *)context = netlink_u64(netlink_attributes(message, GENL_HDRLEN), NETDEV_XDP_FEATURES);
	return 0;
}

static int ask_xdp_features(unsigned int ifindex, uint64_t *features)
{
	const struct genlmsghdr header = { .cmd = NETDEV_DEV_GET, .version = 1 };
	const uint32_t index = ifindex;
	struct netlink_question question;
	uint16_t family;
	int err;

	err = find_family(NETDEV_FAMILY, &family);
	if (err)
		return err;
	netlink_begin(&question, family, 0, &header, sizeof(header));
	netlink_add(&question, NETDEV_IFINDEX, &index, sizeof(index));
	return netlink_ask(NETLINK_GENERIC, &question, take_xdp_features, features);
}

/* Drivers with native XDP in a kernel that does not tell: those of Linux 6.1. */
static bool driver_has_native(const char *driver)
{
	static const char *const names[] = {
		"atlantic", "bnxt_en", "bonding", "dpaa2-eth", "ena", "fsl_dpa", "fsl_enetc",
		"hv_netvsc",
		"i40e", "ice", "igb", "igc", "ixgbe", "ixgbevf", "mana", "mlx4_en", "mlx5_core",
		"mvneta",
		"mvpp2", "netsec", "nfp", "nicvf", "qede", "sfc", "st_gmac", "tsnep", "tun", "veth",
		"virtio_net", "xen_netfront"
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(driver, names[i]))
			return true;
	return false;
}

static void read_native(struct doctor_iface *iface)
{
	uint64_t features = 0;

	if (!ask_xdp_features(iface->dev.ifindex, &features)) {
		iface->native = features & XDP_BASIC ? DOCTOR_YES : DOCTOR_NO;
		iface->multi_buffer = features & XDP_RX_SG ? DOCTOR_YES : DOCTOR_NO;
		return;
	}
	iface->native_by_name = true;
	if (iface->dev.driver[0])
		iface->native = driver_has_native(iface->dev.driver) ? DOCTOR_YES : DOCTOR_NO;
}

/* -------------------------------------------------------------------------------------------------- */

static void read_neighbours(const struct link_answer *link, struct doctor_iface *iface)
{
	struct link_answer master;

	if (link->master && if_indextoname(link->master, iface->master) &&
	    !ask_link(link->master, &master))
		memcpy(iface->master_kind, master.kind, sizeof(iface->master_kind));
	if (link->lower && !link->lower_elsewhere && link->lower != iface->dev.ifindex &&
	    !if_indextoname(link->lower, iface->lower))
		iface->lower[0] = '\0';
}

int doctor_read_iface(const char *name, struct doctor_iface *iface)
{
	struct link_answer link;
	int err;

	memset(iface, 0, sizeof(*iface));
	err = netdev_look(name, &iface->dev);
	if (err && err != -EOPNOTSUPP)
		return err;
	iface->type_known = !err;
	if (!ask_link(iface->dev.ifindex, &link)) {
		iface->up = link.flags & IFF_UP;
		memcpy(iface->kind, link.kind, sizeof(iface->kind));
		read_neighbours(&link, iface);
		read_peer(&link, iface);
	}
	read_features(iface);
	read_channels(iface);
	read_native(iface);
	doctor_read_programs(iface);
	return 0;
}
