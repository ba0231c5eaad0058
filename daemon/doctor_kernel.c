/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel's abilities mean for tcpguard: one row a feature. */
#include "doctor.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct feature_row {
	const char *check;
	size_t offset; /* of the answer in struct doctor_kernel */
	enum doctor_severity lacking;
	const char *have;
	const char *lack; /* what, why it matters */
	const char *command; /* NULL: only another kernel helps */
};

#define ANSWER(member) offsetof(struct doctor_kernel, member)

static const struct feature_row features[] = {
	{ "kernel.xdp", ANSWER(xdp), DOCTOR_BLOCKS, "XDP programs load",
	  "this kernel loads no XDP programs: ingress cannot be followed",
	  NULL },
	{ "kernel.sched_cls", ANSWER(sched_cls), DOCTOR_BLOCKS, "TC programs load",
	  "no TC programs in this kernel (CONFIG_NET_CLS_BPF): egress cannot be followed", NULL },
	{ "kernel.atomics", ANSWER(atomics), DOCTOR_BLOCKS, "compare-and-exchange in BPF",
	  "no compare-and-exchange in BPF (Linux 5.12): two CPUs could not share a flow", NULL },
	{ "kernel.mmap", ANSWER(mmapable), DOCTOR_BLOCKS, "maps can be mapped into memory",
	  "maps cannot be mapped into memory (Linux 5.5): the daemon could not read the table",
	  NULL },
	{ "kernel.jit", ANSWER(jit), DOCTOR_WARNING, "programs are compiled (JIT)",
	  "programs are interpreted, many times slower a packet: the JIT is off",
	  "sysctl -w net.core.bpf_jit_enable=1" },
	{ "kernel.tcx", ANSWER(tcx), DOCTOR_NOTE, "tcx links for egress",
	  "no tcx (Linux 6.6): egress is a filter of a clsact qdisc, which other tools can remove",
	  NULL },
	{ "kernel.frags", ANSWER(frags), DOCTOR_NOTE, "XDP over frames of several pages",
	  "XDP sees frames of one page only (multi-buffer came with Linux 5.18): no jumbo frames "
	  "with native XDP",
	  NULL },
	{ "kernel.iter_tcp", ANSWER(iter_tcp), DOCTOR_WARNING, "sockets can be read (iter/tcp)",
	  "live connections cannot be read from the sockets (needs Linux 5.9 and "
	  "CONFIG_DEBUG_INFO_BTF); adopt them in mid-stream instead",
	  "tcpguard attach IFACE --no-seed" },
	{ "kernel.freplace", ANSWER(freplace), DOCTOR_NOTE, "--share works (freplace)",
	  "no --share: this kernel refuses to replace functions (freplace), so libxdp's dispatcher "
	  "cannot run two XDP programs on one interface",
	  NULL },
	{ "kernel.ringbuf", ANSWER(ringbuf), DOCTOR_NOTE, "BPF ring buffer",
	  "no BPF ring buffer (Linux 5.8): no events from the data path", NULL },
	{ "kernel.syncookie", ANSWER(cookies), DOCTOR_NOTE, "SYN cookies of a listener (bpf_tcp_gen_syncookie)",
	  "no bpf_tcp_gen_syncookie (Linux 5.3): XDP cannot answer for a listener", NULL },
	{ "kernel.raw_syncookie", ANSWER(raw_cookies), DOCTOR_NOTE,
	  "SYN cookies without a socket (bpf_tcp_raw_gen_syncookie)",
	  "no bpf_tcp_raw_gen_syncookie (Linux 6.0): XDP cannot answer for other machines", NULL },
	{ "kernel.assign_reqsk", ANSWER(assign_reqsk), DOCTOR_NOTE,
	  "own SYN cookies become sockets (bpf_sk_assign_tcp_reqsk)",
	  "no bpf_sk_assign_tcp_reqsk (Linux 6.9): the kernel takes no cookies but its own", NULL },
};

static void judge_feature(const struct doctor_kernel *kernel, const struct feature_row *row,
			  struct doctor_report *report)
{
	enum doctor_answer answer = *(const enum doctor_answer *)((const char *)kernel + row->offset);
	struct doctor_finding *finding;

	switch (answer) {
	case DOCTOR_YES:
		doctor_find(report, row->check, NULL, DOCTOR_OK, "%s", row->have);
		return;
	case DOCTOR_NO:
		finding = doctor_find(report, row->check, NULL, row->lacking, "%s", row->lack);
		if (row->command)
			doctor_mend(finding, "%s", row->command);
		return;
	default:
		doctor_find(report, row->check, NULL, DOCTOR_UNCHECKED, "not known%s: %s",
			    kernel->may_load ? "" : " without the right to load a program",
			    row->have);
	}
}

void doctor_judge_kernel(const struct doctor_kernel *kernel, struct doctor_report *report)
{
	size_t i;

	doctor_find(report, "kernel.version", NULL, DOCTOR_OK, "Linux %s", kernel->release);
	if (!kernel->syscall) {
		doctor_find(report, "kernel.bpf", NULL, DOCTOR_BLOCKS,
			    "no bpf system call: this kernel was built without CONFIG_BPF_SYSCALL, "
			    "or a seccomp filter hides it");
		return;
	}
	doctor_find(report, "kernel.bpf", NULL, DOCTOR_OK, "bpf system call");
	if (kernel->btf)
		doctor_find(report, "kernel.btf", NULL, DOCTOR_OK, "BTF of the kernel "
								   "(/sys/kernel/btf/vmlinux)");
	else
		doctor_mend(doctor_find(report, "kernel.btf", NULL, DOCTOR_WARNING,
					"no BTF of the kernel (CONFIG_DEBUG_INFO_BTF, or /sys is "
					"not mounted): connections cannot be copied from sockets"),
			    "tcpguard attach IFACE --no-seed");
	for (i = 0; i < COUNT(features); i++)
		judge_feature(kernel, &features[i], report);
	if (!kernel->hz)
		doctor_find(report, "kernel.clock", NULL, DOCTOR_BLOCKS,
			    "the kernel's tick rate cannot be read: the table would have no clock");
	else
		doctor_find(report, "kernel.clock", NULL, DOCTOR_OK,
			    "the table's clock advances every %u ms (HZ %u)",
			    1000 / kernel->hz ? 1000 / kernel->hz : 1, kernel->hz);
}
