/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The locks, and which interface is meant by a name.  flock on directories of the bpffs: a lock
 * dies with its holder, whatever kills it.
 */
#include "pins.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <linux/magic.h>

#include "log.h"
#include "pins_path.h"
#include "netdev.h"
#include "privilege.h"

#define DAEMON_DIR PINS_DIR "/daemon"
#define CAPTURE_DIR PINS_DIR "/capture"
#define LOCK_TRIES 10
#define LOCK_TRY_NS (20 * 1000 * 1000)

/* root, ourselves, or the user that the service runs as (packaging/systemd). */
static bool is_one_of_us(uid_t owner)
{
	const struct passwd *service;

	if (!owner || owner == geteuid())
		return true;
	service = getpwnam("tcpguard");
	return service && owner == service->pw_uid;
}

static int open_directory(const char *path)
{
	int fd = pins_path_open(path, O_RDONLY | O_DIRECTORY);

	return fd < 0 ? -errno : fd;
}

static bool is_ours(int fd)
{
	struct stat found;

	return !fstat(fd, &found) && !(found.st_mode & (S_IWGRP | S_IWOTH)) && is_one_of_us(found.st_uid);
}

/*
 * Its descriptor.  A directory that was there must be one that only its owner can change, and he one of us: where
 * everybody may write to the bpffs, somebody may have made it first, or a link to elsewhere.
 */
static int make_directory(const char *path)
{
	int fd;

	if (pins_path_make(path) && errno != EEXIST)
		return -errno;
	fd = open_directory(path);
	if (fd >= 0 && is_ours(fd))
		return fd;
	if (fd >= 0)
		close(fd);
	else if (fd != -ENOTDIR && fd != -ELOOP)
		return fd;
	log_err_hint(0, "whoever made it could exchange what is pinned there: remove it",
		     "%s is no directory that only root can write to", path);
	return -EPERM;
}

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == BPF_FS_MAGIC;
}

bool pins_on_bpffs(void)
{
	/* A service may see no more of the bpffs than our directory, mounted alone. */
	return is_bpffs(PINS_ROOT) || is_bpffs(PINS_BPFFS);
}

static int say_lock_error(int err)
{
	char buffer[96];

	return log_err_hint(err, privilege_remedy(err, buffer, sizeof(buffer)),
			    "cannot lock " PINS_DIR);
}

int pins_lock(void)
{
	int root, fd, err;

	if (!pins_on_bpffs()) {
		log_err_hint(0, "mount it with '" PINS_MOUNT "'",
			     "cannot pin anything: no bpffs is mounted at " PINS_BPFFS);
		return -EOPNOTSUPP;
	}
	root = make_directory(PINS_ROOT);
	fd = root < 0 ? root : make_directory(PINS_DIR);
	if (root >= 0)
		close(root);
	if (fd < 0)
		return fd == -EPERM ? fd : say_lock_error(fd);
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	err = errno == EWOULDBLOCK ? -EBUSY : -errno;
	close(fd);
	if (err != -EBUSY)
		return say_lock_error(err);
	log_err_hint(0, "try again when it is done",
		     "another tcpguard is attaching or detaching (it holds the lock on " PINS_DIR
		     ")");
	return err;
}

int pins_try_lock(void)
{
	int fd = open_directory(PINS_DIR);

	if (fd < 0 || !flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	close(fd);
	return -EBUSY;
}

/* In silence; -EBUSY when another process holds it. */
static int lock_directory(const char *path)
{
	const struct timespec pause = { .tv_nsec = LOCK_TRY_NS };
	int fd, err, i;

	fd = make_directory(path);
	if (fd < 0)
		return fd;
	/* is_locked() of another process holds the lock for a moment: try again. */
	for (i = 0; i < LOCK_TRIES; i++) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return fd;
		if (errno != EWOULDBLOCK)
			break;
		nanosleep(&pause, NULL);
	}
	err = errno == EWOULDBLOCK ? -EBUSY : -errno;
	close(fd);
	return err;
}

static bool is_locked(const char *path)
{
	bool locked;
	int fd;

	fd = open_directory(path);
	if (fd < 0)
		return false;
	locked = flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
	close(fd); /* and with it the lock, if we got it */
	return locked;
}

int pins_lock_daemon(void)
{
	return lock_directory(DAEMON_DIR);
}

bool pins_daemon_runs(void)
{
	return is_locked(DAEMON_DIR);
}

/* As the kernel lists it: "3: FLOCK  ADVISORY  WRITE 1234 00:1c:5678 0 EOF". */
static pid_t holder_in(const char *line, const struct stat *locked)
{
	unsigned int at_major, at_minor;
	unsigned long inode;
	int pid;

	if (sscanf(line, "%*d: FLOCK ADVISORY WRITE %d %x:%x:%lu", &pid, &at_major, &at_minor, &inode) != 4)
		return 0;
	if (at_major != major(locked->st_dev) || at_minor != minor(locked->st_dev) || inode != locked->st_ino)
		return 0;
	return pid;
}

pid_t pins_daemon_holder(void)
{
	int fd = open_directory(DAEMON_DIR);
	FILE *file = NULL;
	struct stat locked;
	char line[256];
	pid_t pid = 0;

	if (fd >= 0 && !fstat(fd, &locked))
		file = fopen("/proc/locks", "re");
	while (file && !pid && fgets(line, sizeof(line), file))
		pid = holder_in(line, &locked);
	if (file)
		fclose(file);
	if (fd >= 0)
		close(fd);
	return pid;
}

int pins_lock_capture(void)
{
	return lock_directory(CAPTURE_DIR);
}

bool pins_capture_runs(void)
{
	return is_locked(CAPTURE_DIR);
}

int pins_iface_slot(const struct pins *p, const char *name)
{
	unsigned int ifindex = if_nametoindex(name);
	int slot, by_name = -ENODEV;
	struct stat ns;

	if (stat("/proc/self/ns/net", &ns))
		return -ENODEV;
	for (slot = 0; slot < TG_IFACES_MAX; slot++) {
		const struct tg_iface *iface = &p->ifaces[slot];

		if (!iface->ifindex || iface->netns != ns.st_ino)
			continue;
		if (iface->ifindex == ifindex) /* renamed since, perhaps */
			return slot;
		/* One that was renamed is not meant by its former name, which may be another's now. */
		if (!strncmp(iface->name, name, sizeof(iface->name)) && !netdev_exists(iface))
			by_name = slot;
	}
	return by_name;
}
