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
#include <unistd.h>

#include "log.h"

#define BACKLOG 1024
#define GROUPS_MAX 256

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

static int new_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

static int try_connect(const char *path)
{
	struct sockaddr_un address = address_of(path);
	int fd = new_socket(), err;

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
	int fd = try_connect(path);

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

/* The directory of path, made if absent, open and locked: two daemons do not look at once. */
static int open_directory(const char *path)
{
	char directory[EVENT_SOCKET_BYTES];
	const char *slash = strrchr(path, '/');
	int fd, err;

	snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - path) : 1,
		 slash ? path : ".");
	if (!directory[0])
		snprintf(directory, sizeof(directory), "/");
	if (!mkdir(directory, 0750))
		give_to_group(directory);
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return log_err(-errno, "cannot listen at '%s'", path);
	if (!flock(fd, LOCK_EX))
		return fd;
	err = log_err(-errno, "cannot lock '%s'", directory);
	close(fd);
	return err;
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
	fd = try_connect(path);
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
	int fd = new_socket(), err;
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
	int directory = open_directory(path), err;

	if (directory < 0)
		return directory;
	err = make_room(path);
	if (!err)
		err = bind_and_listen(path);
	close(directory);
	return err;
}

void event_socket_close(int fd, const char *path)
{
	if (fd < 0)
		return;
	unlink(path);
	close(fd);
}

bool event_socket_may_read(int fd)
{
	gid_t group = readers_group(), groups[GROUPS_MAX];
	struct ucred peer;
	socklen_t size = sizeof(peer);
	size_t i;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		return false;
	if (!peer.uid || peer.uid == geteuid())
		return true;
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
