/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done to pins by their names, PINS_ROOT or below it, and through no symbolic link: the directories are
 * the service's user's, and root must do nothing for him elsewhere.  In silence, as the calls they stand
 * for: 0 or a descriptor, or -1 and errno, ELOOP or ENOTDIR for a link.
 */
#ifndef TCPGUARD_PINS_PATH_H
#define TCPGUARD_PINS_PATH_H

#include <stdbool.h>
#include <stdint.h>

/* open(); flags: of a directory, or O_PATH, which opens a link itself. */
int pins_path_open(const char *path, int flags);

/* bpf_obj_get(); flags: 0 or BPF_F_RDONLY. */
int pins_path_get(const char *path, uint32_t flags);

/* bpf_obj_pin() */
int pins_path_pin(int fd, const char *path);

/* symlink() to nowhere, which says the text. */
int pins_path_note(const char *text, const char *path);

/* mkdir(), of mode 0700 */
int pins_path_make(const char *path);

/* unlink() and rmdir() */
int pins_path_unlink(const char *path);
int pins_path_rmdir(const char *path);

/* True of -errno for want of memory and the like: whether there is a pin is not known. */
bool pins_path_passing(int err);

/* renameat2(); flags: 0 or RENAME_EXCHANGE. */
int pins_path_rename(const char *from, const char *to, unsigned int flags);

#endif
