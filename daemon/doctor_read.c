/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the machine: rights, bpffs, memory.  The packet filter: doctor_filter.c. */
#include "doctor.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "datapath.h"
#include "privilege.h"

static uint64_t available_memory(void)
{
	unsigned long long kib = 0;
	char line[128];
	FILE *file = fopen("/proc/meminfo", "re");

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
			break;
	fclose(file);
	return kib * 1024;
}

/* With room to spare: what is available changes all the time. */
static uint32_t flows_that_fit(uint64_t available_bytes)
{
	uint64_t flows = available_bytes / 8 * 3 / (datapath_table_bytes(1U << 20) >> 20);

	return flows < DATAPATH_MAX_FLOWS_LIMIT ? (uint32_t)flows : DATAPATH_MAX_FLOWS_LIMIT;
}

static void read_memory(struct doctor_host *host, uint32_t max_flows)
{
	struct rlimit limit;

	host->max_flows = max_flows ? max_flows : datapath_default_max_flows(&host->table_reduced);
	host->table_bytes = datapath_table_bytes(host->max_flows);
	host->table_exists = !access(PINS_DIR "/maps/tg_info", F_OK);
	host->available_bytes = available_memory();
	host->fitting_flows = flows_that_fit(host->available_bytes);
	host->memlock_bytes = UINT64_MAX;
	if (!getrlimit(RLIMIT_MEMLOCK, &limit) && limit.rlim_max != RLIM_INFINITY)
		host->memlock_bytes = limit.rlim_max; /* libbpf raises the soft one */
}

static void read_bpffs(struct doctor_host *host)
{
	struct statvfs flags;
	struct statfs fs;

	if (statfs(PINS_BPFFS, &fs))
		host->bpffs = DOCTOR_BPFFS_NO_DIRECTORY;
	else if ((unsigned long)fs.f_type != BPF_FS_MAGIC)
		host->bpffs = DOCTOR_BPFFS_NOT_MOUNTED;
	else if (!statvfs(PINS_BPFFS, &flags) && flags.f_flag & ST_RDONLY)
		host->bpffs = DOCTOR_BPFFS_READ_ONLY;
	else if (access(PINS_BPFFS, R_OK | W_OK | X_OK))
		host->bpffs = DOCTOR_BPFFS_NOT_OURS;
	else
		host->bpffs = DOCTOR_BPFFS_READY;
}

void doctor_read_host(struct doctor_host *host, uint32_t max_flows)
{
	bool admin = privilege_has(CAP_SYS_ADMIN); /* stands for CAP_BPF and CAP_PERFMON */

	memset(host, 0, sizeof(*host));
	host->uid = geteuid();
	host->cap_bpf = admin || privilege_has(CAP_BPF);
	host->cap_perfmon = admin || privilege_has(CAP_PERFMON);
	host->cap_net_admin = privilege_has(CAP_NET_ADMIN);
	host->cap_sys_resource = privilege_has(CAP_SYS_RESOURCE);
	read_bpffs(host);
	read_memory(host, max_flows);
	doctor_read_filter(host);
}
