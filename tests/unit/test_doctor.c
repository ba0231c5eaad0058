/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor concludes, for machines we do not have: from facts alone. */
#include <arpa/inet.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <unistd.h>

#include "unit.h"

#include "daemon/doctor.h"
#include "daemon/netlink.h"

/* A machine on which nothing is wrong. */
struct machine {
	struct doctor_kernel kernel;
	struct doctor_host host;
	struct doctor_iface iface;
	struct doctor_report report;
};

static int make_machine(void **state)
{
	struct machine *m = calloc(1, sizeof(*m));

	if (!m)
		return -1;
	m->kernel = (struct doctor_kernel){
		.release = "6.12.0",
		.syscall = true,
		.btf = true,
		.may_load = true,
		.xdp = DOCTOR_YES,
		.sched_cls = DOCTOR_YES,
		.atomics = DOCTOR_YES,
		.mmapable = DOCTOR_YES,
		.ringbuf = DOCTOR_YES,
		.frags = DOCTOR_YES,
		.tcx = DOCTOR_YES,
		.freplace = DOCTOR_YES,
		.iter_tcp = DOCTOR_YES,
		.cookies = DOCTOR_YES,
		.raw_cookies = DOCTOR_YES,
		.assign_reqsk = DOCTOR_YES,
		.jit = DOCTOR_YES,
		.memcg = DOCTOR_YES,
		.hz = 250,
	};
	m->host = (struct doctor_host){
		.cap_bpf = true,
		.cap_net_admin = true,
		.cap_perfmon = true,
		.available_bytes = 8ULL << 30,
		.table_bytes = 400ULL << 20,
		.max_flows = 1048576,
		.fitting_flows = 10000000,
		.memlock_bytes = 65536,
		.nftables = DOCTOR_YES,
	};
	m->iface = (struct doctor_iface){
		.dev = { .name = "eth0", .ifindex = 2, .driver = "mlx5_core", .mtu = 1500, .queues = 8 },
		.type_known = true,
		.up = true,
		.native = DOCTOR_YES,
		.multi_buffer = DOCTOR_YES,
		.feature = { DOCTOR_NO, DOCTOR_YES, DOCTOR_NO, DOCTOR_NO },
		.channels = 8,
		.channels_max = 8,
		.channels_combined = true,
		.cpus = 8,
		.tcx_asked = DOCTOR_YES,
	};
	*state = m;
	return 0;
}

static int free_machine(void **state)
{
	struct machine *m = *state;

	doctor_release(&m->report);
	free(m);
	return 0;
}

static void examine(struct machine *m)
{
	doctor_release(&m->report);
	doctor_judge_kernel(&m->kernel, &m->report);
	doctor_judge_host(&m->kernel, &m->host, &m->report);
	doctor_judge_iface(&m->kernel, &m->host, &m->iface, &m->report);
	assert_false(m->report.incomplete);
}

/* The gravest finding of a check. */
static const struct doctor_finding *found(const struct machine *m, const char *check)
{
	const struct doctor_finding *worst = NULL;
	size_t i;

	for (i = 0; i < m->report.count; i++) {
		const struct doctor_finding *finding = &m->report.findings[i];

		if (!strcmp(finding->check, check) &&
		    (!worst || finding->severity > worst->severity))
			worst = finding;
	}
	assert_non_null(worst);
	return worst;
}

/* Examines, and expects this finding with this command ("" for none) and no other that is not ok. */
static void expect_only(struct machine *m, const char *check, enum doctor_severity severity,
			const char *command)
{
	size_t i;

	examine(m);
	assert_int_equal(found(m, check)->severity, severity);
	assert_string_equal(found(m, check)->command, command);
	for (i = 0; i < m->report.count; i++)
		if (m->report.findings[i].severity != DOCTOR_OK)
			assert_string_equal(m->report.findings[i].check, check);
}

static void a_healthy_machine_has_no_finding(void **state)
{
	struct machine *m = *state;

	examine(m);
	assert_int_equal(doctor_count(&m->report, DOCTOR_OK), m->report.count);
	assert_true(m->report.count > 25);
}

static void names_are_of_one_kind_and_findings_are_complete(void **state)
{
	struct machine *m = *state;
	size_t i;

	examine(m);
	for (i = 0; i < m->report.count; i++) {
		const struct doctor_finding *finding = &m->report.findings[i];

		assert_non_null(strchr(finding->check, '.'));
		assert_true(finding->text[0]);
		assert_string_equal(finding->iface, strncmp(finding->check, "iface.", 6) ? "" : "eth0");
	}
}

static void every_lack_of_the_kernel_is_found(void **state)
{
	struct machine *m = *state;
	const struct {
		enum doctor_answer *answer;
		const char *check;
		enum doctor_severity severity;
		const char *command;
	} rows[] = {
		{ &m->kernel.xdp, "kernel.xdp", DOCTOR_BLOCKS, "" },
		{ &m->kernel.sched_cls, "kernel.sched_cls", DOCTOR_BLOCKS, "" },
		{ &m->kernel.atomics, "kernel.atomics", DOCTOR_BLOCKS, "" },
		{ &m->kernel.mmapable, "kernel.mmap", DOCTOR_BLOCKS, "" },
		{ &m->kernel.jit, "kernel.jit", DOCTOR_WARNING, "sysctl -w net.core.bpf_jit_enable=1" },
		{ &m->kernel.tcx, "kernel.tcx", DOCTOR_NOTE, "" },
		{ &m->kernel.frags, "kernel.frags", DOCTOR_NOTE, "" },
		{ &m->kernel.iter_tcp, "kernel.iter_tcp", DOCTOR_WARNING, "tcpguard attach IFACE --no-seed" },
		{ &m->kernel.freplace, "kernel.freplace", DOCTOR_NOTE, "" },
		{ &m->kernel.ringbuf, "kernel.ringbuf", DOCTOR_NOTE, "" },
		{ &m->kernel.cookies, "kernel.syncookie", DOCTOR_NOTE, "" },
		{ &m->kernel.raw_cookies, "kernel.raw_syncookie", DOCTOR_NOTE, "" },
		{ &m->kernel.assign_reqsk, "kernel.assign_reqsk", DOCTOR_NOTE, "" },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		*rows[i].answer = DOCTOR_NO;
		expect_only(m, rows[i].check, rows[i].severity, rows[i].command);
		*rows[i].answer = DOCTOR_UNKNOWN;
		expect_only(m, rows[i].check, DOCTOR_UNCHECKED, "");
		*rows[i].answer = DOCTOR_YES;
	}
	m->kernel.btf = false;
	expect_only(m, "kernel.btf", DOCTOR_WARNING, "tcpguard attach IFACE --no-seed");
	m->kernel.btf = true;
	m->kernel.hz = 0;
	expect_only(m, "kernel.clock", DOCTOR_BLOCKS, "");
	m->kernel.hz = 250;
	m->kernel.syscall = false;
	expect_only(m, "kernel.bpf", DOCTOR_BLOCKS, "");
}

static void an_mtu_above_a_page_needs_several_buffers(void **state)
{
	unsigned int most = doctor_one_page_mtu((unsigned int)sysconf(_SC_PAGESIZE));
	struct machine *m = *state;
	char command[64];

	assert_int_equal(doctor_one_page_mtu(4096), 3498);
	snprintf(command, sizeof(command), "ip link set dev eth0 mtu %u", most);
	m->iface.dev.mtu = most + 1;
	expect_only(m, "iface.mtu", DOCTOR_OK, "");
	m->iface.multi_buffer = DOCTOR_NO;
	expect_only(m, "iface.mtu", DOCTOR_WARNING, command);
	m->iface.multi_buffer = DOCTOR_UNKNOWN;
	expect_only(m, "iface.mtu", DOCTOR_WARNING, command);
	m->iface.dev.mtu = most;
	expect_only(m, "iface.mtu", DOCTOR_OK, "");
}

static void the_driver_may_take_several_buffers_and_the_kernel_not(void **state)
{
	struct machine *m = *state;

	m->kernel.frags = DOCTOR_NO;
	m->iface.dev.mtu = 65000;
	examine(m);
	assert_int_equal(found(m, "iface.mtu")->severity, DOCTOR_WARNING);
}

static void offloads_are_found_with_their_switch(void **state)
{
	struct machine *m = *state;
	const struct {
		enum doctor_feature feature;
		const char *check;
		enum doctor_severity severity;
		const char *command;
	} rows[] = {
		{ DOCTOR_LRO, "iface.lro", DOCTOR_WARNING, "ethtool -K eth0 lro off" },
		{ DOCTOR_GRO_HW, "iface.gro", DOCTOR_WARNING, "ethtool -K eth0 rx-gro-hw off" },
		{ DOCTOR_TC_OFFLOAD, "iface.offload", DOCTOR_NOTE, "ethtool -K eth0 hw-tc-offload off" },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		m->iface.feature[rows[i].feature] = DOCTOR_YES;
		expect_only(m, rows[i].check, rows[i].severity, rows[i].command);
		m->iface.feature[rows[i].feature] = DOCTOR_NO;
	}
	m->iface.feature[DOCTOR_LRO] = DOCTOR_UNKNOWN;
	expect_only(m, "iface.lro", DOCTOR_UNCHECKED, "");
}

static void gro_matters_to_generic_xdp_only(void **state)
{
	struct machine *m = *state;

	m->iface.native = DOCTOR_NO;
	examine(m);
	assert_int_equal(found(m, "iface.driver")->severity, DOCTOR_NOTE);
	assert_string_equal(found(m, "iface.gro")->command, "ethtool -K eth0 gro off");
	m->iface.feature[DOCTOR_GRO] = DOCTOR_NO;
	examine(m);
	assert_int_equal(found(m, "iface.gro")->severity, DOCTOR_OK);
}

static void queues_are_counted_against_cpus_peers_and_limits(void **state)
{
	struct machine *m = *state;

	m->iface.channels = 2;
	expect_only(m, "iface.queues", DOCTOR_NOTE, "ethtool -L eth0 combined 8");
	m->iface.channels_combined = false;
	m->iface.cpus = 4;
	expect_only(m, "iface.queues", DOCTOR_NOTE, "ethtool -L eth0 rx 4");
	strcpy(m->iface.dev.driver, "ena");
	m->iface.channels = 5;
	expect_only(m, "iface.queues", DOCTOR_WARNING, "ethtool -L eth0 combined 4");
	m->iface.channels = 4;
	expect_only(m, "iface.queues", DOCTOR_OK, "");

	strcpy(m->iface.kind, "veth");
	m->iface.peer_known = DOCTOR_YES;
	m->iface.peer_tx = 5;
	expect_only(m, "iface.queues", DOCTOR_WARNING, "ethtool -L eth0 rx 5");
	m->iface.peer_tx = 4;
	expect_only(m, "iface.queues", DOCTOR_OK, "");
	m->iface.peer_known = DOCTOR_NO;
	expect_only(m, "iface.queues", DOCTOR_UNCHECKED, "");
}

static void stacked_interfaces_get_advice(void **state)
{
	struct machine *m = *state;

	strcpy(m->iface.master, "bond0");
	strcpy(m->iface.master_kind, "bond");
	expect_only(m, "iface.place", DOCTOR_WARNING, "tcpguard attach bond0");
	strcpy(m->iface.master, "br0");
	strcpy(m->iface.master_kind, "bridge");
	expect_only(m, "iface.place", DOCTOR_NOTE, "tcpguard attach eth0 --profile gateway");
	m->iface.master_kind[0] = '\0';
	strcpy(m->iface.kind, "vlan");
	strcpy(m->iface.lower, "eth1");
	expect_only(m, "iface.place", DOCTOR_NOTE, "tcpguard attach eth1");
}

static void an_unknown_link_type_blocks(void **state)
{
	struct machine *m = *state;

	m->iface.type_known = false;
	m->iface.dev.link_type = 32; /* InfiniBand */
	expect_only(m, "iface.link", DOCTOR_BLOCKS, "");
}

static void add_program(struct machine *m, int hook, const char *name, const char *pin)
{
	struct doctor_program *program = &m->iface.program[m->iface.program_count++];

	program->id = 40 + m->iface.program_count;
	program->hook = hook;
	strcpy(program->who.name, name);
	strcpy(program->who.pin, pin);
}

static void a_foreign_xdp_program_is_taken_off_by_the_way_it_came(void **state)
{
	struct machine *m = *state;

	add_program(m, DOCTOR_HOOK_XDP_OFFLOAD, "theirs", "");
	expect_only(m, "iface.xdp", DOCTOR_BLOCKS, "ip link set dev eth0 xdpoffload off");
	m->iface.program[0].link = 7;
	expect_only(m, "iface.xdp", DOCTOR_BLOCKS, "bpftool link detach id 7");
}

static void a_dispatcher_is_joined_where_functions_can_be_replaced(void **state)
{
	struct machine *m = *state;

	add_program(m, DOCTOR_HOOK_XDP_NATIVE, "xdp_dispatcher", "");
	expect_only(m, "iface.xdp", DOCTOR_WARNING, "tcpguard attach eth0 --share");
	m->kernel.freplace = DOCTOR_NO;
	examine(m);
	assert_int_equal(found(m, "iface.xdp")->severity, DOCTOR_BLOCKS);
}

static void a_program_without_a_name_is_not_called_foreign_without_rights(void **state)
{
	struct machine *m = *state;

	add_program(m, DOCTOR_HOOK_XDP_NATIVE, "", "");
	m->kernel.may_load = false;
	examine(m);
	assert_int_equal(found(m, "iface.xdp")->severity, DOCTOR_UNCHECKED);
}

static void egress_programs_and_what_hides_them(void **state)
{
	struct machine *m = *state;

	add_program(m, DOCTOR_HOOK_TCX, "theirs", "");
	expect_only(m, "iface.egress", DOCTOR_NOTE, "");
	m->iface.program[0].ours = true;
	expect_only(m, "iface.egress", DOCTOR_OK, "");
	m->iface.tcx_asked = DOCTOR_NO;
	expect_only(m, "iface.egress", DOCTOR_UNCHECKED, "");
}

static void names_at_their_longest_fit(void **state)
{
	char name[16], pin[256];
	struct machine *m = *state;

	memset(name, 'n', sizeof(name) - 1);
	name[15] = '\0';
	memset(pin, 'p', sizeof(pin) - 1);
	pin[255] = '\0';
	add_program(m, DOCTOR_HOOK_XDP_NATIVE, name, pin);
	memset(m->iface.dev.name, 'i', 15);
	examine(m);
	assert_string_equal(found(m, "iface.xdp")->command, "ip link set dev iiiiiiiiiiiiiii "
							    "xdpdrv off");
}

static void the_bpffs_and_the_rights_block(void **state)
{
	struct machine *m = *state;

	m->host.bpffs = DOCTOR_BPFFS_NOT_MOUNTED;
	expect_only(m, "host.bpffs", DOCTOR_BLOCKS, "mount -t bpf bpf /sys/fs/bpf");
	m->host.bpffs = DOCTOR_BPFFS_READ_ONLY;
	expect_only(m, "host.bpffs", DOCTOR_BLOCKS, "mount -o remount,rw /sys/fs/bpf");
	m->host.bpffs = DOCTOR_BPFFS_READY;
	m->host.cap_perfmon = false;
	expect_only(m, "host.privileges", DOCTOR_BLOCKS, "sudo tcpguard doctor");
	assert_non_null(strstr(found(m, "host.privileges")->text, "missing CAP_PERFMON:"));
}

static void memory_is_compared_with_the_table(void **state)
{
	struct machine *m = *state;

	m->host.available_bytes = m->host.table_bytes - 1;
	expect_only(m, "host.memory", DOCTOR_BLOCKS, "tcpguard attach IFACE --max-flows 10000000");
	m->host.available_bytes = m->host.table_bytes;
	expect_only(m, "host.memory", DOCTOR_WARNING, "tcpguard attach IFACE --max-flows 10000000");
	m->host.available_bytes = m->host.table_bytes * 2;
	expect_only(m, "host.memory", DOCTOR_OK, "");
	m->host.table_reduced = true;
	expect_only(m, "host.memory", DOCTOR_NOTE, "");
	m->host.available_bytes = 0;
	expect_only(m, "host.memory", DOCTOR_UNCHECKED, "");
	m->host.table_exists = true;
	expect_only(m, "host.memory", DOCTOR_OK, "");
}

static void locked_memory_matters_to_old_kernels_only(void **state)
{
	struct machine *m = *state;

	m->kernel.memcg = DOCTOR_NO;
	expect_only(m, "host.memlock", DOCTOR_BLOCKS, "ulimit -l unlimited");
	m->host.cap_sys_resource = true; /* libbpf raises it */
	expect_only(m, "host.memlock", DOCTOR_OK, "");
	m->host.cap_sys_resource = false;
	m->host.memlock_bytes = UINT64_MAX;
	expect_only(m, "host.memlock", DOCTOR_OK, "");
}

/* --- what nf_tables answers ----------------------------------------------------------------------- */

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_machine, free_machine)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_healthy_machine_has_no_finding),
		TEST(names_are_of_one_kind_and_findings_are_complete),
		TEST(every_lack_of_the_kernel_is_found),
		TEST(an_mtu_above_a_page_needs_several_buffers),
		TEST(the_driver_may_take_several_buffers_and_the_kernel_not),
		TEST(offloads_are_found_with_their_switch),
		TEST(gro_matters_to_generic_xdp_only),
		TEST(queues_are_counted_against_cpus_peers_and_limits),
		TEST(stacked_interfaces_get_advice),
		TEST(an_unknown_link_type_blocks),
		TEST(a_foreign_xdp_program_is_taken_off_by_the_way_it_came),
		TEST(a_dispatcher_is_joined_where_functions_can_be_replaced),
		TEST(a_program_without_a_name_is_not_called_foreign_without_rights),
		TEST(egress_programs_and_what_hides_them),
		TEST(names_at_their_longest_fit),
		TEST(the_bpffs_and_the_rights_block),
		TEST(memory_is_compared_with_the_table),
		TEST(locked_memory_matters_to_old_kernels_only),
		TEST(an_offloaded_flow_table_hides_packets),
		TEST(a_flow_table_in_software_hides_nothing),
		TEST(a_nat_chain_is_a_note),
		TEST(damaged_attributes_are_not_read),
	};

	return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
