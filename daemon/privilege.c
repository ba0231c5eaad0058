/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compares the capabilities tcpguard needs with those the process has; gives up the others. */
#include "privilege.h"

#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "log.h"

#define NOBODY 65534
#define CAPABILITIES_MAX 64

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

static uint64_t both_words(__u32 low, __u32 high)
{
	return (uint64_t)high << 32 | low;
}

/* Where CAP_BPF and CAP_PERFMON were not given, CAP_SYS_ADMIN stands for them. */
static uint64_t stand_ins(uint64_t wanted, uint64_t held)
{
	const uint64_t either = PRIVILEGE_BIT(CAP_BPF) | PRIVILEGE_BIT(CAP_PERFMON);

	return wanted & either & ~held ? wanted | PRIVILEGE_BIT(CAP_SYS_ADMIN) : wanted;
}

/* Of the bounding set; needs CAP_SETPCAP, and who lacks that can gain nothing by what stays there. */
static void shrink_bounds(uint64_t wanted)
{
	unsigned long capability;

	for (capability = 0; capability < CAPABILITIES_MAX; capability++)
		if (!(wanted >> capability & 1))
			prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

int privilege_keep(uint64_t capabilities)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	uint64_t held;
	int i;

	if (syscall(SYS_capget, &header, data))
		return log_err(-errno, "cannot read the capabilities of this process");
	held = both_words(data[0].permitted, data[1].permitted);
	capabilities = stand_ins(capabilities, held) & held;
	shrink_bounds(capabilities);
	for (i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted = (__u32)(capabilities >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	/* The unit's filter forbids it, and leaves nothing to give up.  Ambient ones go with the inheritable. */
	if (held != capabilities && syscall(SYS_capset, &header, data))
		return log_err(-errno, "cannot give up capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return log_err(-errno, "cannot give up capabilities");
	return 0;
}

/* False where there is no such user to become, or no right to: in some containers. */
static bool become_nobody(void)
{
	bool done;

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY))
		return false;
	done = !setresuid(NOBODY, NOBODY, NOBODY);
	/* Who may trace it: other processes of nobody's that have its capabilities; that is none. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return done;
}

int privilege_keep_as_nobody(uint64_t capabilities)
{
	shrink_bounds(capabilities); /* root still can */
	if (!geteuid() && !become_nobody())
		log_info("cannot become another user: what is read is parsed as root, without its "
			 "capabilities");
	return privilege_keep(capabilities);
}
