/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor reads in the answers of nf_tables: flow tables, NAT. */
#include <arpa/inet.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "tests/unit/doctor_machine.h"

#include "daemon/netlink.h"

static void add_word(struct netlink_question *message, uint16_t type, const char *word)
{
	netlink_add(message, type, word, strlen(word) + 1);
}

/* Opens a nest; close_nest() ends it where the message ends then. */
static struct nlattr *open_nest(struct netlink_question *message, uint16_t type)
{
	struct nlattr *nest = (struct nlattr *)((char *)message + message->header.nlmsg_len);

	netlink_add(message, type, "", 0);
	return nest;
}

static void close_nest(struct netlink_question *message, struct nlattr *nest)
{
	nest->nla_len = (uint16_t)((char *)message + message->header.nlmsg_len - (char *)nest);
}

static void make_flowtable(struct netlink_question *message, uint32_t flags)
{
	const struct nfgenmsg header = { .nfgen_family = NFPROTO_INET };
	const uint32_t value = htonl(flags);
	struct nlattr *hook, *devices;

	netlink_begin(message, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWFLOWTABLE, 0, &header,
		      sizeof(header));
	add_word(message, NFTA_FLOWTABLE_TABLE, "filter");
	add_word(message, NFTA_FLOWTABLE_NAME, "fast");
	hook = open_nest(message, NFTA_FLOWTABLE_HOOK | NLA_F_NESTED);
	devices = open_nest(message, NFTA_FLOWTABLE_HOOK_DEVS | NLA_F_NESTED);
	add_word(message, NFTA_DEVICE_NAME, "eth1");
	add_word(message, NFTA_DEVICE_NAME, "eth0");
	close_nest(message, devices);
	close_nest(message, hook);
	netlink_add(message, NFTA_FLOWTABLE_FLAGS, &value, sizeof(value));
}

static void an_offloaded_flow_table_hides_packets(void **state)
{
	struct netlink_question message;
	struct machine *m = *state;

	make_flowtable(&message, NFT_FLOWTABLE_HW_OFFLOAD);
	assert_int_equal(doctor_take_flowtable(&message.header, &m->host), 0);
	assert_int_equal(m->host.flowtable_count, 1);
	assert_int_equal(m->host.flowtable[0].device_count, 2);
	expect_only(m, "iface.offload", DOCTOR_WARNING, "nft delete flowtable inet filter fast");
	strcpy(m->iface.dev.name, "eth2");
	expect_only(m, "iface.offload", DOCTOR_OK, "");
}

static void a_flow_table_in_software_hides_nothing(void **state)
{
	struct netlink_question message;
	struct machine *m = *state;

	make_flowtable(&message, NFT_FLOWTABLE_COUNTER);
	doctor_take_flowtable(&message.header, &m->host);
	assert_int_equal(m->host.flowtable_count, 1);
	expect_only(m, "iface.offload", DOCTOR_OK, "");
}

static void a_nat_chain_is_a_note(void **state)
{
	const struct nfgenmsg header = { .nfgen_family = NFPROTO_IPV4 };
	struct netlink_question message;
	struct machine *m = *state;

	netlink_begin(&message, 0, 0, &header, sizeof(header));
	add_word(&message, NFTA_CHAIN_TYPE, "filter");
	doctor_take_chain(&message.header, &m->host);
	assert_false(m->host.nat);
	netlink_begin(&message, 0, 0, &header, sizeof(header));
	add_word(&message, NFTA_CHAIN_TYPE, "nat");
	doctor_take_chain(&message.header, &m->host);
	expect_only(m, "host.nat", DOCTOR_NOTE, "");
	m->host.nat = false;
	m->host.nftables = DOCTOR_UNKNOWN;
	examine(m);
	assert_int_equal(found(m, "host.nat")->severity, DOCTOR_UNCHECKED);
}

static void damaged_attributes_are_not_read(void **state)
{
	const struct nfgenmsg header = { 0 };
	struct netlink_question message;
	struct netlink_attributes all;
	char text[4];

	(void)state;
	netlink_begin(&message, 0, 0, &header, sizeof(header));
	add_word(&message, 1, "abcdef");
	all = netlink_attributes(&message.header, sizeof(header));
	netlink_text(all, 1, text, sizeof(text));
	assert_string_equal(text, "abc");
	netlink_text(all, 2, text, sizeof(text));
	assert_string_equal(text, "");
	((struct nlattr *)all.start)->nla_len = 200; /* beyond the message */
	assert_null(netlink_find(all, 1));
	((struct nlattr *)all.start)->nla_len = 2; /* less than its own header */
	assert_null(netlink_find(all, 1));
	assert_int_equal(netlink_u32(all, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_offloaded_flow_table_hides_packets),
		TEST(a_flow_table_in_software_hides_nothing),
		TEST(a_nat_chain_is_a_note),
		TEST(damaged_attributes_are_not_read),
	};

	return cmocka_run_group_tests_name("doctor filter", tests, NULL, NULL);
}
