/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A path may be taken, stale or a trap; only a socket that nobody answers is removed. */
#include "event_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define BACKLOG 1024
#define GROUPS_MAX 256
#define LOCK_BYTES (EVENT_SOCKET_BYTES + sizeof(".lock"))
#define LOCK_TRIES 100
#define LOCK_TRY_NS (20 * 1000 * 1000)

int event_socket_path(const char *given, char path[EVENT_SOCKET_BYTES])
{
	size_t length = strlen(given);
	bool directory;
	struct stat st;
	int written;

	directory = length && (given[length - 1] == '/' || (!stat(given, &st) && S_ISDIR(st.st_mode)));
	while (directory && length > 1 && given[length - 1] == '/')
		length--;
	written = snprintf(path, EVENT_SOCKET_BYTES, "%.*s%s", (int)length, given,
			   directory ? "/" EVENT_SOCKET_NAME : "");
	if (length && written < EVENT_SOCKET_BYTES)
		return 0;
	log_err(0, "'%s' cannot be the path of a socket: %s", given, length ? "too long" : "empty");
	return -EINVAL;
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return address;
}

static int new_socket(int flags)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);

	return fd < 0 ? -errno : fd;
}

static int try_connect(const char *path, int flags)
{
	struct sockaddr_un address = address_of(path);
	int fd = new_socket(flags), err;

	if (fd < 0)
		return fd;
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int event_socket_connect(const char *path)
{
	int fd = try_connect(path, 0);

	if (fd >= 0)
		return fd;
	if (fd == -ENOENT || fd == -ECONNREFUSED) {
		log_err_hint(0, "start it with 'tcpguard daemon', or attach an interface",
			     "no daemon listens at '%s'", path);
		return -ENOENT;
	}
	if (fd == -EACCES)
		return log_err_hint(fd, "be root, or in the group '" EVENT_SOCKET_GROUP "'",
				    "cannot read events from '%s'", path);
	return log_err(fd, "cannot read events from '%s'", path);
}

static gid_t readers_group(void)
{
	const struct group *group = getgrnam(EVENT_SOCKET_GROUP);

	return group ? group->gr_gid : (gid_t)-1;
}

/* Root reads without it, so that it fails is no reason to serve nobody. */
static void give_to_group(const char *path)
{
	gid_t group = readers_group();

	if (group == (gid_t)-1 || group == getegid())
		return;
	if (lchown(path, (uid_t)-1, group))
		log_info("cannot give '%s' to the group " EVENT_SOCKET_GROUP ": %s", path,
			 strerror(errno));
}

/* The directory of path, made if absent. */
static void make_directory(const char *path)
{
	char directory[EVENT_SOCKET_BYTES];
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return;
	snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path), path);
	if (!mkdir(directory, 0750))
		give_to_group(directory);
}

static int refuse_lock(int err, const char *name)
{
	return log_err_hint(err, "remove it, or say another path with --socket", "cannot lock '%s'", name);
}

/* -EAGAIN: whoever held it has removed it, this is another file now. */
static int take_lock(int fd, const char *name)
{
	const struct timespec pause = { .tv_nsec = LOCK_TRY_NS };
	struct stat ours, named;
	int i;

	if (fstat(fd, &ours))
		return -errno;
	if (!S_ISREG(ours.st_mode) || ours.st_mode & 077 || (ours.st_uid != geteuid() && geteuid()))
		return -EPERM;
	for (i = 0; flock(fd, LOCK_EX | LOCK_NB); i++) {
		if (errno != EWOULDBLOCK || i == LOCK_TRIES)
			return -errno;
		nanosleep(&pause, NULL);
	}
	if (stat(name, &named) || named.st_dev != ours.st_dev || named.st_ino != ours.st_ino)
		return -EAGAIN;
	return 0;
}

/*
 * Two daemons do not look at once.  The lock is a file that nobody else can open: a lock on the
 * directory could be held, for ever, by everybody who may list it.
 */
static int lock_beside(const char *path, char name[LOCK_BYTES])
{
	int fd, err;

	snprintf(name, LOCK_BYTES, "%s.lock", path);
	do {
		fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0)
			return refuse_lock(errno == ELOOP ? -EPERM : -errno, name);
		err = take_lock(fd, name);
		if (!err)
			return fd;
		close(fd);
	} while (err == -EAGAIN);
	return refuse_lock(err, name);
}

static int make_room(const char *path)
{
	struct stat st;
	int fd;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : log_err(-errno, "cannot listen at '%s'", path);
	if (!S_ISSOCK(st.st_mode)) {
		log_err_hint(0, "remove it, or say another path with --socket",
			     "cannot listen at '%s': something that is no socket is there", path);
		return -EEXIST;
	}
	/* Somebody may listen who accepts nobody: that is no reason to wait. */
	fd = try_connect(path, SOCK_NONBLOCK);
	if (fd == -ECONNREFUSED)
		return unlink(path) && errno != ENOENT ?
			       log_err(-errno, "cannot remove the stale socket '%s'", path) :
			       0;
	if (fd >= 0)
		close(fd);
	log_err_hint(0, "say another path with --socket",
		     "cannot listen at '%s': another process does", path);
	return -EADDRINUSE;
}

static int bind_and_listen(const char *path)
{
	struct sockaddr_un address = address_of(path);
	int fd = new_socket(0), err;
	mode_t mask;

	if (fd < 0)
		return log_err(fd, "cannot listen at '%s'", path);
	mask = umask(0117);
	err = bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
	umask(mask);
	if (!err)
		give_to_group(path);
	if (!err && listen(fd, BACKLOG))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return log_err(err, "cannot listen at '%s'", path);
}

int event_socket_listen(const char *path)
{
	char name[LOCK_BYTES];
	int lock, err;

	make_directory(path);
	lock = lock_beside(path, name);
	if (lock < 0)
		return lock;
	err = make_room(path);
	if (!err)
		err = bind_and_listen(path);
	unlink(name);
	close(lock);
	return err;
}

void event_socket_close(int fd, const char *path)
{
	if (fd < 0)
		return;
	unlink(path);
	close(fd);
}

bool event_socket_may_read(int fd, uid_t *who)
{
	gid_t group, groups[GROUPS_MAX];
	struct ucred peer;
	socklen_t size = sizeof(peer);
	size_t i;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		return false;
	*who = peer.uid;
	if (!peer.uid || peer.uid == geteuid())
		return true;
	group = readers_group();
	if (group == (gid_t)-1)
		return false;
	if (peer.gid == group)
		return true;
	size = sizeof(groups);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size))
		return false;
	for (i = 0; i < size / sizeof(groups[0]); i++)
		if (groups[i] == group)
			return true;
	return false;
}
