/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the programs of an interface were loaded with, in the words of the register, which they cannot be
 * asked for.  It is noted beside the pins of those that are replaced, so that whoever puts them back has
 * the register say what they do.  A note is a symbolic link to nowhere, as those in pins_note.c.
 */
#include "datapath_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

#define NOTE "profile=%u strict=%u cookies=%u"
#define NOTE_BYTES 64

struct loaded loaded_of(const struct tg_iface *iface)
{
	return (struct loaded){
		.profile = iface->profile,
		.strict = iface->strict,
		.cookies = iface->cookies,
	};
}

/* Word by word: whoever reads the register meanwhile may see some of each. */
void loaded_register(struct tg_iface *iface, const struct loaded *loaded)
{
	TG_WRITE_ONCE(iface->profile, loaded->profile);
	TG_WRITE_ONCE(iface->strict, (__u8)loaded->strict);
	TG_WRITE_ONCE(iface->cookies, loaded->cookies);
}

int loaded_note(const char *path, const struct tg_iface *iface)
{
	struct loaded loaded = loaded_of(iface);
	char text[NOTE_BYTES];

	snprintf(text, sizeof(text), NOTE, loaded.profile, loaded.strict, loaded.cookies);
	return pins_path_note(text, path) ? log_err(-errno, "cannot note in %s", path) : 0;
}

int loaded_read(const char *path, struct loaded *loaded)
{
	struct loaded read;
	char text[NOTE_BYTES];
	ssize_t length = readlink(path, text, sizeof(text) - 1);

	if (length < 0 && errno == ENOENT)
		return 0;
	if (length < 0)
		return log_err(-errno, "cannot read %s", path);
	text[length] = '\0';
	if (sscanf(text, NOTE, &read.profile, &read.strict, &read.cookies) != 3 ||
	    read.profile >= TG_PROFILE_MAX || read.strict > 1 || read.cookies >= TG_COOKIE_KIND_MAX)
		return log_err(-EBADMSG, "%s says nothing of programs: '%s'", path, text);
	*loaded = read;
	return 0;
}
