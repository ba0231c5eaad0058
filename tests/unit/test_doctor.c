/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor concludes about kernel and host, for machines we do not have. */
#include "tests/unit/doctor_machine.h"

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

static void the_bpffs_and_the_rights_block(void **state)
{
	struct machine *m = *state;

	m->host.bpffs = DOCTOR_BPFFS_NOT_MOUNTED;
	expect_only(m, "host.bpffs", DOCTOR_BLOCKS, "mount -t bpf -o mode=0700 bpf /sys/fs/bpf");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_healthy_machine_has_no_finding),
		TEST(names_are_of_one_kind_and_findings_are_complete),
		TEST(every_lack_of_the_kernel_is_found),
		TEST(the_bpffs_and_the_rights_block),
		TEST(memory_is_compared_with_the_table),
		TEST(locked_memory_matters_to_old_kernels_only),
	};

	return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
