/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tcpguard needs of the running kernel; looked at before anything is loaded. */
#ifndef TCPGUARD_KERNEL_H
#define TCPGUARD_KERNEL_H

/* The oldest Linux that has it all; README.md and docs/kernels.md say the same. */
#define KERNEL_MINIMUM "6.1"

/*
 * 0, or -EOPNOTSUPP (said): features are tried, not the version compared, for distributions port
 * them back.  Kernels that have these and still refuse the programs are told by loading them.
 */
int kernel_check(void);

/* "Linux 5.10.0-46-amd64" */
const char *kernel_name(char *buffer, unsigned long size);

#endif
