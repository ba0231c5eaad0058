/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where systemd manages the machine and knows our unit, the daemon is its business: it then runs as the
 * unit's user, is restarted when it dies and exchanged by an upgrade.
 */
#include "daemon_start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNIT "tcpguard.service"
#define SYSTEMCTL "/usr/bin/systemctl"

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

static bool same(const char *one, const char *other)
{
	struct stat a, b;

	return !stat(one, &a) && !stat(other, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Its services see the bpffs and the interfaces of process 1, which need not be ours. */
static bool systemd_is_ours(void)
{
	return !geteuid() && exists("/run/systemd/system") && exists(SYSTEMCTL) &&
	       same("/proc/self/ns/net", "/proc/1/ns/net") &&
	       same("/proc/self/ns/mnt", "/proc/1/ns/mnt");
}

static bool unit_is_known(void)
{
	return exists("/etc/systemd/system/" UNIT) || exists("/usr/lib/systemd/system/" UNIT) ||
	       exists("/lib/systemd/system/" UNIT);
}

static void become_systemctl(void)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		_exit(1);
	execl(SYSTEMCTL, "systemctl", "start", UNIT, (char *)NULL);
	_exit(1);
}

int daemon_start_unit(void)
{
	int status;
	pid_t pid;

	if (!systemd_is_ours() || !unit_is_known())
		return -ENOENT;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		become_systemctl();
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status ? -EIO : 0;
}
