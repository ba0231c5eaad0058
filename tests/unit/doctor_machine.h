/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine for doctor to examine, made of facts; nothing is wrong with it until a test says so. */
#ifndef TESTS_DOCTOR_MACHINE_H
#define TESTS_DOCTOR_MACHINE_H

#include "tests/unit/unit.h"

#include "daemon/doctor.h"

struct machine {
	struct doctor_kernel kernel;
	struct doctor_host host;
	struct doctor_iface iface;
	struct doctor_report report;
};

/* cmocka set-up and tear-down. */
static inline int make_machine(void **state)
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

static inline int free_machine(void **state)
{
	struct machine *m = *state;

	doctor_release(&m->report);
	free(m);
	return 0;
}

static inline void examine(struct machine *m)
{
	doctor_release(&m->report);
	doctor_judge_kernel(&m->kernel, &m->report);
	doctor_judge_host(&m->kernel, &m->host, &m->report);
	doctor_judge_iface(&m->kernel, &m->host, &m->iface, &m->report);
	assert_false(m->report.incomplete);
}

/* The gravest finding of a check. */
static inline const struct doctor_finding *found(const struct machine *m, const char *check)
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
static inline void expect_only(struct machine *m, const char *check, enum doctor_severity severity,
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_machine, free_machine)

#endif
