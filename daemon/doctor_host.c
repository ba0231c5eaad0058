/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the state of the machine means: rights, bpffs, memory. */
#include "doctor.h"

#include <stdio.h>
#include <string.h>

#include "format.h"

static void judge_rights(const struct doctor_host *host, struct doctor_report *report)
{
	if (host->cap_bpf && host->cap_net_admin && host->cap_perfmon) {
		doctor_find(report, "host.privileges", NULL, DOCTOR_OK,
			    "CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON");
		return;
	}
	doctor_mend(doctor_find(report, "host.privileges", NULL, DOCTOR_BLOCKS,
				"missing%s%s%s: attach needs CAP_BPF and CAP_NET_ADMIN, and "
				"CAP_PERFMON for the verifier to allow variable offsets into a "
				"packet",
				host->cap_bpf ? "" : " CAP_BPF",
				host->cap_net_admin ? "" : " CAP_NET_ADMIN",
				host->cap_perfmon ? "" : " CAP_PERFMON"),
		    "sudo tcpguard doctor");
}

static void judge_bpffs(const struct doctor_host *host, struct doctor_report *report)
{
	static const struct {
		const char *text, *command;
	} rows[] = {
		[DOCTOR_BPFFS_NO_DIRECTORY] = { "no directory " PINS_BPFFS " (is /sys mounted?): "
						"programs and maps are pinned there",
						"mount -t sysfs sysfs /sys && " PINS_MOUNT },
		[DOCTOR_BPFFS_NOT_MOUNTED] = { "no bpffs at " PINS_BPFFS ": programs and maps are "
					       "pinned there",
					       PINS_MOUNT },
		[DOCTOR_BPFFS_READ_ONLY] = { "the bpffs at " PINS_BPFFS " is mounted read-only",
					     "mount -o remount,rw " PINS_BPFFS },
		[DOCTOR_BPFFS_NOT_OURS] = { "the bpffs at " PINS_BPFFS " belongs to another user: "
					    "nothing can be pinned there",
					    "sudo tcpguard doctor" },
	};

	if (host->bpffs == DOCTOR_BPFFS_READY)
		doctor_find(report, "host.bpffs", NULL, DOCTOR_OK,
			    PINS_BPFFS " is a writable bpffs");
	else
		doctor_mend(doctor_find(report, "host.bpffs", NULL, DOCTOR_BLOCKS, "%s",
					rows[host->bpffs].text),
			    "%s", rows[host->bpffs].command);
}

static void judge_memory(const struct doctor_host *host, struct doctor_report *report)
{
	const char *reduced = host->table_reduced ? "; fewer than usual: a small machine" : "";
	char flows[FORMAT_BYTES], need[FORMAT_BYTES], have[FORMAT_BYTES];

	format_grouped(flows, sizeof(flows), host->max_flows);
	format_bytes(need, sizeof(need), host->table_bytes);
	format_bytes(have, sizeof(have), host->available_bytes);
	if (host->table_exists)
		doctor_find(report, "host.memory", NULL, DOCTOR_OK,
			    "the flow table exists already; its memory is taken");
	else if (!host->available_bytes)
		doctor_find(report, "host.memory", NULL, DOCTOR_UNCHECKED,
			    "the table for %s flows takes %s; /proc/meminfo does not tell what is "
			    "available",
			    flows, need);
	else if (host->table_bytes > host->available_bytes)
		doctor_mend(doctor_find(report, "host.memory", NULL, DOCTOR_BLOCKS,
					"the table for %s flows takes %s, but %s is available",
					flows, need,
					have),
			    "tcpguard attach IFACE --max-flows %u", host->fitting_flows);
	else if (host->table_bytes > host->available_bytes / 2)
		doctor_mend(doctor_find(report, "host.memory", NULL, DOCTOR_WARNING,
					"the table for %s flows takes %s, more than half of the %s "
					"that is available",
					flows, need, have),
			    "tcpguard attach IFACE --max-flows %u", host->fitting_flows);
	else
		doctor_find(report, "host.memory", NULL,
			    host->table_reduced ? DOCTOR_NOTE : DOCTOR_OK,
			    "the table for %s flows takes %s of the %s available%s", flows, need,
			    have, reduced);
}

/* Before Linux 5.11 maps are charged to RLIMIT_MEMLOCK. */
static void judge_memlock(const struct doctor_kernel *kernel, const struct doctor_host *host,
			  struct doctor_report *report)
{
	char limit[FORMAT_BYTES];

	if (kernel->memcg == DOCTOR_YES)
		doctor_find(report, "host.memlock", NULL, DOCTOR_OK, "maps are not charged to "
								     "RLIMIT_MEMLOCK");
	else if (host->table_exists || host->memlock_bytes >= host->table_bytes || host->cap_sys_resource)
		doctor_find(report, "host.memlock", NULL, DOCTOR_OK, "RLIMIT_MEMLOCK is large "
								     "enough, or can be raised");
	else if (kernel->memcg == DOCTOR_UNKNOWN)
		doctor_find(report, "host.memlock", NULL, DOCTOR_UNCHECKED,
			    "whether maps are charged to RLIMIT_MEMLOCK (before Linux 5.11) is not "
			    "known");
	else
		doctor_mend(doctor_find(report, "host.memlock", NULL, DOCTOR_BLOCKS,
					"RLIMIT_MEMLOCK allows %s, less than the flow table takes, "
					"and this kernel charges maps to it",
					format_bytes(limit, sizeof(limit), host->memlock_bytes)),
			    "ulimit -l unlimited");
}

static void judge_nat(const struct doctor_host *host, struct doctor_report *report)
{
	if (host->nat)
		doctor_find(report, "host.nat", NULL, DOCTOR_NOTE,
			    "a nat chain translates addresses: a connection has others on either "
			    "side of this machine. Attach to the interfaces of one side only");
	else if (host->nftables != DOCTOR_YES)
		doctor_find(report, "host.nat", NULL, DOCTOR_UNCHECKED,
			    "whether addresses are translated here: the packet filter's rules need "
			    "CAP_NET_ADMIN to read");
	else
		doctor_find(report, "host.nat", NULL, DOCTOR_OK, "no nat chain");
}

void doctor_judge_host(const struct doctor_kernel *kernel, const struct doctor_host *host,
		       struct doctor_report *report)
{
	judge_rights(host, report);
	judge_bpffs(host, report);
	judge_memory(host, report);
	judge_memlock(kernel, host, report);
	judge_nat(host, report);
}
