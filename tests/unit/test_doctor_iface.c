/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor concludes about an interface: MTU, offloads, queues, place, other programs. */
#include <unistd.h>

#include "tests/unit/doctor_machine.h"

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
	expect_only(m, "iface.place", DOCTOR_OK, "");
	m->iface.master_kind[0] = '\0';
	strcpy(m->iface.kind, "vlan");
	strcpy(m->iface.lower, "eth1");
	expect_only(m, "iface.place", DOCTOR_NOTE, "tcpguard attach eth1");
}

static void what_a_command_names_is_quoted(void **state)
{
	struct machine *m = *state;

	strcpy(m->iface.dev.name, "$(reboot)");
	m->iface.up = false;
	expect_only(m, "iface.link", DOCTOR_NOTE, "ip link set dev '$(reboot)' up");
	m->iface.up = true;
	strcpy(m->iface.master, "a;b");
	strcpy(m->iface.master_kind, "bond");
	expect_only(m, "iface.place", DOCTOR_WARNING, "tcpguard attach 'a;b'");
	m->iface.master_kind[0] = '\0';
	strcpy(m->iface.kind, "vlan");
	strcpy(m->iface.lower, "`c`");
	expect_only(m, "iface.place", DOCTOR_NOTE, "tcpguard attach '`c`'");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_mtu_above_a_page_needs_several_buffers),
		TEST(the_driver_may_take_several_buffers_and_the_kernel_not),
		TEST(offloads_are_found_with_their_switch),
		TEST(gro_matters_to_generic_xdp_only),
		TEST(queues_are_counted_against_cpus_peers_and_limits),
		TEST(stacked_interfaces_get_advice),
		TEST(what_a_command_names_is_quoted),
		TEST(an_unknown_link_type_blocks),
		TEST(a_foreign_xdp_program_is_taken_off_by_the_way_it_came),
		TEST(a_dispatcher_is_joined_where_functions_can_be_replaced),
		TEST(a_program_without_a_name_is_not_called_foreign_without_rights),
		TEST(egress_programs_and_what_hides_them),
		TEST(names_at_their_longest_fit),
	};

	return cmocka_run_group_tests_name("doctor iface", tests, NULL, NULL);
}
