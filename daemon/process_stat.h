/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this process itself costs, from /proc/self. */
#ifndef TCPGUARD_PROCESS_STAT_H
#define TCPGUARD_PROCESS_STAT_H

#include <stdint.h>

struct process_stat {
	double cpu_s;
	double started_s; /* Unix time */
	uint64_t resident_bytes;
	uint64_t virtual_bytes;
	uint64_t open_fds;
	uint64_t max_fds;
};

/* 0 or -errno in silence. */
int process_stat_read(struct process_stat *out);

#endif
