/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the daemon serves its metrics, for `status`: a symbolic link in the directory it holds its
 * lock on, whose target is no path but a remark.  It outlives a daemon that is killed, so it counts
 * only while one runs.
 */
#include "pins.h"

#include <errno.h>
#include <unistd.h>

#define REMARK PINS_DIR "/daemon/metrics"

int pins_note_metrics(const char *remark)
{
	if (unlink(REMARK) && errno != ENOENT)
		return -errno;
	return remark && symlink(remark, REMARK) ? -errno : 0;
}

bool pins_read_metrics(char *out, size_t size)
{
	ssize_t length = readlink(REMARK, out, size - 1);

	out[length > 0 ? length : 0] = '\0';
	return length > 0;
}
