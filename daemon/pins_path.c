/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directory by directory, by descriptors; what the kernel wants a name for is reached through /proc/self/fd. */
#include "pins_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "pins.h"

#define NAME_BYTES 64
#define DIRECTORY (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define PROC_BYTES (sizeof("/proc/self/fd/") + 16 + NAME_BYTES)

static void close_quietly(int fd)
{
	int reason = errno;

	if (fd >= 0)
		close(fd);
	errno = reason;
}

/* The directory of path, PINS_ROOT or below it, and the rest of path, its name in there. */
static int open_parent(const char *path, const char **name)
{
	const char *at = path + strlen(PINS_BPFFS "/"), *slash;
	int fd = open(PINS_BPFFS, DIRECTORY), next;
	char step[NAME_BYTES];

	while (fd >= 0 && (slash = strchr(at, '/'))) {
		snprintf(step, sizeof(step), "%.*s", (int)(slash - at), at);
		next = openat(fd, step, DIRECTORY);
		close_quietly(fd);
		fd = next;
		at = slash + 1;
	}
	*name = at;
	return fd;
}

int pins_path_open(const char *path, int flags)
{
	const char *name;
	int parent = open_parent(path, &name), fd;

	if (parent < 0)
		return -1;
	fd = openat(parent, name, flags | O_NOFOLLOW | O_CLOEXEC);
	close_quietly(parent);
	return fd;
}

/* The pin itself, whatever its name stands for from now on. */
static int open_pin(const char *path)
{
	struct stat st;
	int fd = pins_path_open(path, O_PATH);

	if (fd < 0)
		return -1;
	if (!fstat(fd, &st) && !S_ISLNK(st.st_mode))
		return fd;
	close(fd);
	errno = ELOOP;
	return -1;
}

int pins_path_get(const char *path, uint32_t flags)
{
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = flags);
	int pin = open_pin(path), fd;
	char through[PROC_BYTES];

	if (pin < 0)
		return -1;
	snprintf(through, sizeof(through), "/proc/self/fd/%d", pin);
	fd = bpf_obj_get_opts(through, &opts);
	close_quietly(pin);
	return fd < 0 ? -1 : fd;
}

int pins_path_pin(int fd, const char *path)
{
	const char *name;
	int parent = open_parent(path, &name), err;
	char through[PROC_BYTES];

	if (parent < 0)
		return -1;
	snprintf(through, sizeof(through), "/proc/self/fd/%d/%s", parent, name);
	err = bpf_obj_pin(fd, through);
	close_quietly(parent);
	return err ? -1 : 0;
}

int pins_path_note(const char *text, const char *path)
{
	const char *name;
	int parent = open_parent(path, &name), err;

	if (parent < 0)
		return -1;
	err = symlinkat(text, parent, name);
	close_quietly(parent);
	return err;
}

int pins_path_make(const char *path)
{
	const char *name;
	int parent = open_parent(path, &name), err;

	if (parent < 0)
		return -1;
	err = mkdirat(parent, name, 0700);
	close_quietly(parent);
	return err;
}

static int remove_at(const char *path, int flags)
{
	const char *name;
	int parent = open_parent(path, &name), err;

	if (parent < 0)
		return -1;
	err = unlinkat(parent, name, flags);
	close_quietly(parent);
	return err;
}

int pins_path_unlink(const char *path)
{
	return remove_at(path, 0);
}

int pins_path_rmdir(const char *path)
{
	return remove_at(path, AT_REMOVEDIR);
}

int pins_path_rename(const char *from, const char *to, unsigned int flags)
{
	const char *old, *fresh;
	int source = open_parent(from, &old), target = open_parent(to, &fresh), err = -1;

	if (source >= 0 && target >= 0)
		err = renameat2(source, old, target, fresh, flags);
	close_quietly(source);
	close_quietly(target);
	return err;
}

bool pins_path_passing(int err)
{
	return err == -ENOMEM || err == -ENOBUFS || err == -EMFILE || err == -ENFILE || err == -EINTR ||
	       err == -EAGAIN;
}
