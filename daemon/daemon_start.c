/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A detached child that is this very program; a pipe tells when it is ready. */
#include "daemon_start.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "pins.h"
#include "service.h"

#define READY_MS 10000
#define STOP_MS 10000
#define FIND_MS 2000
#define STOP_STEP_MS 20

/* In the grandchild: no terminal, no files but the pipe. */
static void become_daemon(int ready, const char *config)
{
	char number[16], path[PATH_MAX];
	sigset_t none;
	int null;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	service_forget();
	/* Before the directory it may be relative to is left. */
	if (config && !realpath(config, path))
		_exit(1);
	if (chdir("/"))
		_exit(1);
	null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		_exit(1);
	/* Without close-on-exec, at a number that is free. */
	ready = fcntl(ready, F_DUPFD, 3);
	if (ready < 0)
		_exit(1);
	snprintf(number, sizeof(number), "%d", ready);
	execl("/proc/self/exe", "tcpguard", "daemon", "--log", "syslog", "--ready-fd", number,
	      config ? "--config" : (char *)NULL, path, (char *)NULL);
	_exit(1);
}

/* Twice, so that the daemon is nobody's child and never a zombie of a long-lived caller. */
static int spawn(int ready, const char *config)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		if (setsid() < 0)
			_exit(1);
		pid = fork();
		if (!pid)
			become_daemon(ready, config);
		_exit(pid < 0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status ? -EAGAIN : 0;
}

static int wait_ready(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	char byte;
	int got;

	do {
		got = poll(&poll_fd, 1, READY_MS);
	} while (got < 0 && errno == EINTR);
	if (!got)
		return -ETIMEDOUT;
	return read(fd, &byte, 1) == 1 ? 0 : -EPIPE;
}

int daemon_start(const char *config)
{
	int ends[2], err;

	if (pins_daemon_runs())
		return 0;
	err = daemon_start_unit();
	if (!err && pins_daemon_runs())
		return 0;
	if (err != -ENOENT)
		log_info("systemd cannot start tcpguard.service ('systemctl status tcpguard' says why): "
			 "starting a daemon without it");
	if (pipe2(ends, O_CLOEXEC))
		return log_err(-errno, "cannot start the daemon");
	err = spawn(ends[1], config);
	close(ends[1]);
	if (!err)
		err = wait_ready(ends[0]);
	close(ends[0]);
	/* Somebody else's may have been quicker. */
	if (!err || pins_daemon_runs())
		return 0;
	log_err_hint(0, "the system log says why; 'tcpguard daemon' runs it in the foreground",
		     "attached, but the daemon did not start%s: nothing ages the flow table",
		     err == -ETIMEDOUT ? " in time" : "");
	return err;
}

/* The pid was written by a daemon that holds the lock; that it is a tcpguard still is checked. */
static bool is_tcpguard(pid_t pid)
{
	char path[32], name[32] = "", own[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = '\0';
	fclose(file);
	file = fopen("/proc/self/comm", "re");
	if (!file)
		return false;
	if (!fgets(own, sizeof(own), file))
		own[0] = '\0';
	fclose(file);
	/* Started through /proc/self/exe it is called "exe". */
	return !strcmp(name, own) || !strncmp(name, "tcpguard", 8) || !strcmp(name, "exe\n");
}

int daemon_stop(const __u32 *pid_word)
{
	const struct timespec pause = { .tv_nsec = STOP_STEP_MS * 1000000L };
	const __u32 nobody = 0;
	pid_t asked = 0;
	int waited;

	if (!pid_word)
		pid_word = &nobody;
	/* Another one may be starting at this moment, or be started by systemd: it writes its pid soon. */
	for (waited = 0; waited < (asked ? STOP_MS : FIND_MS); waited += STOP_STEP_MS) {
		pid_t pid = (pid_t)TG_READ_ONCE(*pid_word);

		if (!pins_daemon_runs())
			return 0;
		if (pid > 1 && pid != asked && is_tcpguard(pid) && !kill(pid, SIGTERM))
			asked = pid;
		nanosleep(&pause, NULL);
	}
	if (asked)
		return log_err(-ETIMEDOUT, "cannot stop the daemon, process %d", (int)asked);
	log_err_hint(0, "stop it where it runs", "cannot stop the daemon: process %d is not it",
		     (int)TG_READ_ONCE(*pid_word));
	return -ESRCH;
}
