/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon leaves for commands to read: symbolic links in the directory it holds its lock on, whose
 * targets are no paths but remarks.  They outlive a daemon that is killed.
 */
#include "pins.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "pins_path.h"

static const char *const places[] = {
	[PINS_NOTE_METRICS] = PINS_DIR "/daemon/metrics",
	[PINS_NOTE_WORDS] = PINS_DIR "/daemon/words",
};

int pins_note(enum pins_note which, const char *remark)
{
	if (pins_path_unlink(places[which]) && errno != ENOENT)
		return -errno;
	return remark && *remark && pins_path_note(remark, places[which]) ? -errno : 0;
}

/* Root starts a daemon with the words: those of the service's user, who owns the directory, are not for that. */
static bool is_believed(enum pins_note which, int fd)
{
	struct stat st;

	if (which != PINS_NOTE_WORDS || (!fstat(fd, &st) && st.st_uid == geteuid()))
		return true;
	log_info("the former daemon's words are another user's: the next one is started without");
	return false;
}

bool pins_read_note(enum pins_note which, char *out, size_t size)
{
	int fd = pins_path_open(places[which], O_PATH);
	ssize_t length = 0;

	if (fd >= 0) {
		length = is_believed(which, fd) ? readlinkat(fd, "", out, size - 1) : 0;
		close(fd);
	}
	out[length > 0 ? length : 0] = '\0';
	return length > 0;
}
