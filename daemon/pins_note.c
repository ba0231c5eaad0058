/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon leaves for commands to read: symbolic links in the directory it holds its lock on, whose
 * targets are no paths but remarks.  They outlive a daemon that is killed.
 */
#include "pins.h"

#include <errno.h>
#include <unistd.h>

static const char *const places[] = {
	[PINS_NOTE_METRICS] = PINS_DIR "/daemon/metrics",
	[PINS_NOTE_WORDS] = PINS_DIR "/daemon/words",
};

int pins_note(enum pins_note which, const char *remark)
{
	if (unlink(places[which]) && errno != ENOENT)
		return -errno;
	return remark && *remark && symlink(remark, places[which]) ? -errno : 0;
}

bool pins_read_note(enum pins_note which, char *out, size_t size)
{
	ssize_t length = readlink(places[which], out, size - 1);

	out[length > 0 ? length : 0] = '\0';
	return length > 0;
}
