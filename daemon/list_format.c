/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A note is a symbolic link to nowhere, as those in pins_note.c. */
#include "list_format.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "log.h"
#include "pins_path.h"

#define FORMATS_DIR PINS_DIR "/formats"
#define PATH_BYTES 96
#define NUMBER_BYTES 4

static int note_path(char *path, int program)
{
	struct bpf_prog_info info = {};
	__u32 bytes = sizeof(info);
	int at, i;

	if (bpf_obj_get_info_by_fd(program, &info, &bytes))
		return -errno;
	at = snprintf(path, PATH_BYTES, "%s/", FORMATS_DIR);
	for (i = 0; i < BPF_TAG_SIZE; i++)
		at += snprintf(path + at, PATH_BYTES - (size_t)at, "%02x", info.tag[i]);
	return 0;
}

/* The same instructions read the same, whatever an earlier version called it. */
int list_format_note(int program)
{
	char path[PATH_BYTES] = "", number[NUMBER_BYTES];
	int err = note_path(path, program);

	snprintf(number, sizeof(number), "%u", (unsigned int)TG_LIST_FORMAT);
	if (!err && list_format_is_read(program, TG_LIST_FORMAT))
		return 0;
	if (!err && pins_path_make(FORMATS_DIR) && errno != EEXIST)
		err = -errno;
	if (!err && pins_path_unlink(path) && errno != ENOENT)
		err = -errno;
	if (!err && pins_path_note(number, path))
		err = -errno;
	return err ? log_err(err, "cannot note in " FORMATS_DIR " which lists the programs read") : 0;
}

bool list_format_is_read(int program, uint8_t format)
{
	char path[PATH_BYTES], noted[NUMBER_BYTES], wanted[NUMBER_BYTES];
	ssize_t length;

	if (note_path(path, program))
		return false;
	length = readlink(path, noted, sizeof(noted) - 1);
	if (length <= 0)
		return false;
	noted[length] = '\0';
	snprintf(wanted, sizeof(wanted), "%u", format);
	return !strcmp(noted, wanted);
}

/* A pin that is not there belongs to an attach that was killed: the next one begins anew. */
static bool reads_other(unsigned int slot)
{
	char path[PATH_BYTES];
	bool other;
	int fd;

	snprintf(path, sizeof(path), "%s/iface/%u/prog_tc", PINS_DIR, slot);
	fd = pins_path_get(path, 0);
	if (fd < 0)
		return false;
	other = !list_format_is_read(fd, TG_LIST_FORMAT);
	close(fd);
	return other;
}

const struct tg_iface *list_format_other(const struct pins *pins)
{
	unsigned int slot;

	for (slot = 0; slot < TG_IFACES_MAX; slot++)
		if (pins->ifaces[slot].ifindex && reads_other(slot))
			return &pins->ifaces[slot];
	return NULL;
}

void list_format_forget(void)
{
	DIR *directory = opendir(FORMATS_DIR);
	struct dirent *entry;
	char path[PATH_MAX];

	while (directory && (entry = readdir(directory))) {
		snprintf(path, sizeof(path), "%s/%s", FORMATS_DIR, entry->d_name);
		pins_path_unlink(path); /* "." and ".." are refused */
	}
	if (directory)
		closedir(directory);
	pins_path_rmdir(FORMATS_DIR);
}
