/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compares the capabilities tcpguard needs with those the process has. */
#include "privilege.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

bool privilege_has(unsigned int capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, data))
		return false;
	return data[capability / 32].effective >> capability % 32 & 1;
}

const char *privilege_remedy(int err, char *buffer, size_t size)
{
	bool bpf, net_admin;

	if (err != -EPERM && err != -EACCES)
		return NULL;
	bpf = privilege_has(CAP_BPF);
	net_admin = privilege_has(CAP_NET_ADMIN);
	if (bpf && net_admin)
		return err == -EACCES && geteuid() ?
			       "the pins belong to root: run it as root" :
			       "no capability is missing: a security module or lockdown forbids it";
	snprintf(buffer, size, "missing capability %s%s%s: run it as root",
		 bpf ? "" : "CAP_BPF", bpf || net_admin ? "" : " and ",
		 net_admin ? "" : "CAP_NET_ADMIN");
	return buffer;
}

const char *privilege_missing(void)
{
	bool admin = privilege_has(CAP_SYS_ADMIN); /* stands for CAP_BPF and CAP_PERFMON */

	if (!admin && !privilege_has(CAP_BPF))
		return "CAP_BPF";
	if (!privilege_has(CAP_NET_ADMIN))
		return "CAP_NET_ADMIN";
	return !admin && !privilege_has(CAP_PERFMON) ? "CAP_PERFMON" : NULL;
}
