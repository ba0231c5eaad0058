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
#define WORDS_MAX 32
#define READY_FD 3 /* of the daemon */
#define TRIES 3 /* while it is killed: the next one need not be */

enum start {
	START_READY,
	START_FAILED,
	START_KILLED, /* before it was ready */
	START_LATE,
};

static bool keep_quiet(void)
{
	int null = open("/dev/null", O_RDWR);

	return null >= 0 && dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(null, 2) == 2;
}

/* In the grandchild: no terminal, no files but the pipe. */
static void become_daemon(int ready, char *words)
{
	char number[16], *at = NULL;
	char *argv[WORDS_MAX] = { "tcpguard", "daemon", "--log", "syslog", "--ready-fd", number };
	int count = 6;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	service_forget();
	if (chdir("/") || !keep_quiet())
		_exit(1);
	/*
	 * Nor those its caller's caller left open: a lock of a script, a file of root's.  Without
	 * close-on-exec, and dup2() leaves nothing of what was there before.
	 */
	if ((ready == READY_FD ? fcntl(ready, F_SETFD, 0) : dup2(ready, READY_FD)) < 0 ||
	    close_range(READY_FD + 1, UINT_MAX, 0))
		_exit(1);
	snprintf(number, sizeof(number), "%d", READY_FD);
	for (words = strtok_r(words, "\n", &at); words && count < WORDS_MAX - 1;
	     words = strtok_r(NULL, "\n", &at))
		argv[count++] = words;
	execv("/proc/self/exe", argv);
	_exit(1);
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

/* Not by a fault of its own: that is another signal, or an exit code. */
static bool was_killed(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
	       (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTERM);
}

/* In the child: the daemon's parent until it is ready, so as to see how it dies.  An exit code. */
static int attend(char *words)
{
	int ends[2], err;
	pid_t pid;

	if (setsid() < 0 || pipe2(ends, O_CLOEXEC))
		return START_FAILED;
	pid = fork();
	if (pid < 0)
		return START_FAILED;
	if (!pid)
		become_daemon(ends[1], words);
	close(ends[1]);
	err = wait_ready(ends[0]);
	if (err == -ETIMEDOUT)
		return START_LATE;
	if (!err)
		return START_READY;
	return was_killed(pid) ? START_KILLED : START_FAILED;
}

/* In two steps, so that the daemon is nobody's child and never a zombie of a long-lived caller. */
static int spawn(const char *words)
{
	char copy[PINS_NOTE_BYTES];
	int status;
	pid_t pid;

	snprintf(copy, sizeof(copy), "%s", words ? words : "");
	pid = fork();
	if (pid < 0)
		return START_FAILED;
	if (!pid)
		_exit(attend(copy));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return START_FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : START_FAILED;
}

int daemon_start(const char *words)
{
	int err, started = START_KILLED, tries;

	if (pins_daemon_runs())
		return 0;
	err = daemon_start_unit();
	if (!err && pins_daemon_runs())
		return 0;
	if (err != -ENOENT)
		log_info("systemd cannot start tcpguard.service ('systemctl status tcpguard' says why): "
			 "starting a daemon without it");
	for (tries = 0; tries < TRIES && started == START_KILLED; tries++) {
		started = spawn(words);
		/* Somebody else's may have been quicker. */
		if (started == START_READY || pins_daemon_runs())
			return 0;
	}
	log_err_hint(0, "the system log says why; 'tcpguard daemon' runs it in the foreground",
		     "attached, but the daemon did not start%s: nothing ages the flow table",
		     started == START_LATE ? " in time" : started == START_KILLED ? ", somebody kills it" :
										    "");
	return started == START_LATE ? -ETIMEDOUT : -EPIPE;
}

/*
 * Who holds the lock is the daemon; that it is a tcpguard is checked all the same, for the pins are another
 * user's, and so is the pid in the settings, which is only shown.
 */
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
	return !strcmp(name, own) || !strcmp(name, DAEMON_NAME "\n");
}

int daemon_stop(void)
{
	const struct timespec pause = { .tv_nsec = STOP_STEP_MS * 1000000L };
	pid_t asked = 0, pid = 0;
	int waited;

	/* Another one may be starting at this moment, or be started by systemd: it takes the lock soon. */
	for (waited = 0; waited < (asked ? STOP_MS : FIND_MS); waited += STOP_STEP_MS) {
		if (!pins_daemon_runs())
			return 0;
		pid = pins_daemon_holder();
		if (pid > 1 && pid != asked && is_tcpguard(pid) && !kill(pid, SIGTERM))
			asked = pid;
		nanosleep(&pause, NULL);
	}
	if (asked)
		return log_err(-ETIMEDOUT, "cannot stop the daemon, process %d", (int)asked);
	log_err_hint(0, "stop it where it runs", "cannot stop the daemon: process %d is not it", (int)pid);
	return -ESRCH;
}
