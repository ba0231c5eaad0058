/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Removes everything below PINS_ROOT.  By descriptors, never through a symbolic link, never out of
 * the file system it lies in: the directories may be another user's (the service's), who could
 * exchange one for a link while root walks.
 */
#include "datapath.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define DEPTH_MAX 8

struct walk {
	dev_t device; /* of PINS_ROOT */
	int err; /* the first one, said */
};

static void failed(struct walk *walk, const char *name)
{
	if (errno != ENOENT && !walk->err)
		walk->err = log_err(-errno, "cannot remove '%s' below " PINS_ROOT, name);
}

static void empty(struct walk *walk, DIR *directory, int depth);

static void empty_child(struct walk *walk, int parent, const char *name, int depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *directory = NULL;
	struct stat st;

	if (fd < 0)
		return; /* whatever it has become: unlinkat() says what is wrong with it */
	if (depth < DEPTH_MAX && !fstat(fd, &st) && st.st_dev == walk->device)
		directory = fdopendir(fd);
	if (!directory) {
		close(fd);
		return;
	}
	empty(walk, directory, depth);
	closedir(directory);
}

/* Children first; one that cannot be removed is said, the rest still goes. */
static void empty(struct walk *walk, DIR *directory, int depth)
{
	int fd = dirfd(directory);
	struct dirent *entry;

	while ((entry = readdir(directory))) {
		bool is_directory = entry->d_type == DT_DIR;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (is_directory)
			empty_child(walk, fd, entry->d_name, depth + 1);
		if (unlinkat(fd, entry->d_name, is_directory ? AT_REMOVEDIR : 0))
			failed(walk, entry->d_name);
	}
}

/* Made for us by somebody with more rights, or mounted for us: it stays, empty. */
static bool may_stay(int reason)
{
	return reason == EACCES || reason == EPERM || reason == EBUSY;
}

int datapath_purge(void)
{
	struct walk walk = { 0 };
	struct stat st;
	DIR *directory;
	int fd;

	fd = open(PINS_ROOT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : log_err(-errno, "cannot open " PINS_ROOT);
	directory = fstat(fd, &st) ? NULL : fdopendir(fd);
	if (!directory) {
		walk.err = log_err(-errno, "cannot read " PINS_ROOT);
		close(fd);
		return walk.err;
	}
	walk.device = st.st_dev;
	empty(&walk, directory, 0);
	closedir(directory);
	if (rmdir(PINS_ROOT) && errno != ENOENT && !may_stay(errno) && !walk.err)
		walk.err = log_err(-errno, "cannot remove " PINS_ROOT);
	return walk.err;
}
