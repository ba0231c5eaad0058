/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose the pins are.  The service runs as a user of its own, who owns PINS_ROOT and nothing else
 * of the bpffs; what root pins below it must not shut that user out.
 */
#include "pins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define DEPTH_MAX 4

/*
 * By descriptors, never through a symbolic link, never out of the bpffs: the directories are
 * another user's, who could exchange one for a link while root walks.
 */
static int hand_over(int parent, const char *name, const struct stat *owner, int depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *entry;
	struct stat st;
	DIR *directory;
	int err = 0;

	if (fd < 0)
		return errno == ENOTDIR || errno == ELOOP || errno == ENOENT ? 0 : -errno;
	directory = fstat(fd, &st) || st.st_dev != owner->st_dev ? NULL : fdopendir(fd);
	if (!directory) {
		close(fd);
		return -EXDEV;
	}
	while (!err && (entry = readdir(directory))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (fchownat(fd, entry->d_name, owner->st_uid, owner->st_gid, AT_SYMLINK_NOFOLLOW) &&
		    errno != ENOENT)
			err = -errno;
		else if (entry->d_type == DT_DIR && depth < DEPTH_MAX)
			err = hand_over(fd, entry->d_name, owner, depth + 1);
	}
	closedir(directory);
	return err;
}

int pins_hand_over(void)
{
	struct stat owner;
	int err;

	if (geteuid() || lstat(PINS_ROOT, &owner) || !owner.st_uid)
		return 0;
	err = hand_over(AT_FDCWD, PINS_ROOT, &owner, 0);
	return err ? log_err(err, "cannot give the pins to the owner of " PINS_ROOT) : 0;
}
