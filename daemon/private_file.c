/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What people send is nobody else's business.  In a directory that others write to, the name may be
 * somebody's link to a file of root's, a file of his that he reads afterwards, or a pipe of his that he
 * reads from at once.  Nothing is truncated before it is known to be ours.
 */
#include "private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

static int refuse(const char *path, const char *why)
{
	return log_err_hint(-EPERM, "remove it, or name another file", "cannot write '%s', %s", path, why);
}

static int make_private(int fd, const char *path)
{
	struct stat file;

	if (fstat(fd, &file))
		return log_err(-errno, "cannot examine '%s'", path);
	/* Terminals belong to who uses them; nobody but root makes devices. */
	if (S_ISCHR(file.st_mode) || S_ISBLK(file.st_mode))
		return 0;
	if (file.st_uid != geteuid())
		return refuse(path, "which belongs to another user, who would read it");
	if (!S_ISREG(file.st_mode))
		return 0;
	if (file.st_nlink > 1)
		return refuse(path, "which has other names, too");
	if ((file.st_mode & 077 && fchmod(fd, 0600)) || ftruncate(fd, 0))
		return log_err(-errno, "cannot write '%s'", path);
	return 0;
}

static int open_path(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0600);

	if (fd < 0 && errno == ELOOP)
		log_err_hint(0, "name the file itself", "cannot write '%s', a symbolic link", path);
	else if (fd < 0)
		log_err(-errno, "cannot write '%s'", path);
	else if (make_private(fd, path)) {
		close(fd);
		return -1;
	}
	return fd;
}

FILE *private_file_open(const char *path)
{
	int fd = strcmp(path, "-") ? open_path(path) : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	FILE *file;

	if (fd < 0)
		return NULL;
	file = fdopen(fd, "wb");
	if (!file) {
		log_err(-errno, "cannot write '%s'", path);
		close(fd);
	}
	return file;
}
