/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the packet filter: chains that translate, flow tables that take packets out of sight. */
#include "doctor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "netlink.h"

static const char *family_word(unsigned int family)
{
	switch (family) {
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	}
	return "?";
}

static unsigned int family_of(const struct nlmsghdr *message)
{
	return ((const struct nfgenmsg *)NLMSG_DATA(message))->nfgen_family;
}

static void take_devices(struct netlink_attributes devices, struct doctor_flowtable *out)
{
	const struct nlattr *device = NULL;
	size_t room = sizeof(out->device) / sizeof(out->device[0]);

	while (out->device_count < room && (device = netlink_next(devices, device))) {
		size_t length = strnlen(netlink_value(device), netlink_bytes(device));

		if ((device->nla_type & NLA_TYPE_MASK) != NFTA_DEVICE_NAME || length >= TG_IFNAME_LEN)
			continue;
		memcpy(out->device[out->device_count++], netlink_value(device), length);
	}
}

int doctor_take_flowtable(const struct nlmsghdr *message, void *context)
{
	struct netlink_attributes all = netlink_attributes(message, sizeof(struct nfgenmsg)), hook;
	struct doctor_host *host = context;
	struct doctor_flowtable *out;

	if (host->flowtable_count == DOCTOR_FLOWTABLES_MAX)
		return 0;
	out = &host->flowtable[host->flowtable_count++];
	memset(out, 0, sizeof(*out));
	snprintf(out->family, sizeof(out->family), "%s", family_word(family_of(message)));
	netlink_text(all, NFTA_FLOWTABLE_TABLE, out->table, sizeof(out->table));
	netlink_text(all, NFTA_FLOWTABLE_NAME, out->name, sizeof(out->name));
	out->hardware = ntohl(netlink_u32(all, NFTA_FLOWTABLE_FLAGS)) & NFT_FLOWTABLE_HW_OFFLOAD;
	hook = netlink_nested(netlink_find(all, NFTA_FLOWTABLE_HOOK));
	take_devices(netlink_nested(netlink_find(hook, NFTA_FLOWTABLE_HOOK_DEVS)), out);
	return 0;
}

int doctor_take_chain(const struct nlmsghdr *message, void *context)
{
	struct netlink_attributes all = netlink_attributes(message, sizeof(struct nfgenmsg));
	struct doctor_host *host = context;
	char type[16];

	netlink_text(all, NFTA_CHAIN_TYPE, type, sizeof(type));
	if (!strcmp(type, "nat"))
		host->nat = true;
	return 0;
}

static int ask_nftables(uint16_t what, netlink_visitor visit, struct doctor_host *host)
{
	const struct nfgenmsg header = { .nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0 };
	struct netlink_question question;

	netlink_begin(&question, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | what), NLM_F_DUMP, &header,
		      sizeof(header));
	return netlink_ask(NETLINK_NETFILTER, &question, visit, host);
}

/* In the kernel now: asking must not be what loads a module. */
static bool nftables_loaded(void)
{
	return !access("/sys/module/nf_tables", F_OK) || access("/proc/modules", F_OK);
}

static void read_nftables(struct doctor_host *host)
{
	int err;

	if (!host->cap_net_admin)
		return;
	err = nftables_loaded() ? ask_nftables(NFT_MSG_GETCHAIN, doctor_take_chain, host) : 0;
	if (!err && nftables_loaded())
		err = ask_nftables(NFT_MSG_GETFLOWTABLE, doctor_take_flowtable, host);
	/* A kernel that has no nf_tables, or no flow tables in it, hides nothing in them. */
	if (!err || err == -EINVAL || err == -EOPNOTSUPP || err == -EPROTONOSUPPORT || err == -ENOENT)
		host->nftables = DOCTOR_YES;
}

/* iptables-legacy: the file is the superuser's. */
static void read_iptables(struct doctor_host *host)
{
	static const char *const files[] = { "/proc/net/ip_tables_names",
					     "/proc/net/ip6_tables_names" };
	char line[64];
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		FILE *file = fopen(files[i], "re");

		while (file && fgets(line, sizeof(line), file))
			if (!strcmp(line, "nat\n"))
				host->nat = true;
		if (file)
			fclose(file);
	}
}

void doctor_read_filter(struct doctor_host *host)
{
	read_nftables(host);
	read_iptables(host);
}
