/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Refuses before libyaml sees it what would take it minutes: its work grows with the square of the depth,
 * of the anchors and of the directives.
 */
#include "config_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "log.h"

#define FILE_BYTES_MAX (4U * 1024 * 1024)
#define FIRST_BYTES 16384
#define DEPTH_MAX 100 /* ours is 3; brackets in texts and comments count, too */
#define MARKS_MAX 1000 /* '&' and '%', wherever they are; a thousand cost nothing */

static bool is_too_deep(const unsigned char *bytes, size_t size)
{
	size_t depth = 0, i;

	for (i = 0; i < size && depth <= DEPTH_MAX; i++) {
		if (bytes[i] == '[' || bytes[i] == '{')
			depth++;
		else if ((bytes[i] == ']' || bytes[i] == '}') && depth)
			depth--;
	}
	return depth > DEPTH_MAX;
}

static bool has_too_many_marks(const unsigned char *bytes, size_t size)
{
	size_t marks = 0, i;

	for (i = 0; i < size && marks <= MARKS_MAX; i++)
		marks += bytes[i] == '&' || bytes[i] == '%';
	return marks > MARKS_MAX;
}

static bool is_anybodys(FILE *file)
{
	struct stat status;

	return !fstat(fileno(file), &status) && S_ISREG(status.st_mode) && status.st_mode & S_IWOTH;
}

/* All there is, into memory that grows; the caller frees it after an error, too. */
static int read_all(FILE *file, unsigned char **bytes, size_t *size)
{
	size_t room = 0;
	unsigned char *grown;

	for (*size = 0; *size == room; *size += fread(*bytes + *size, 1, room - *size, file)) {
		if (room > FILE_BYTES_MAX)
			return -EFBIG;
		room = room ? 2 * room : FIRST_BYTES;
		grown = realloc(*bytes, room);
		if (!grown)
			return -ENOMEM;
		*bytes = grown;
	}
	if (ferror(file))
		return -errno;
	return *size > FILE_BYTES_MAX ? -EFBIG : 0;
}

/* 0, or -errno in silence. */
static int read_bytes(const char *path, unsigned char **bytes, size_t *size)
{
	FILE *file = fopen(path, "re");
	int err;

	if (!file)
		return -errno;
	err = is_anybodys(file) ? -EKEYREJECTED : read_all(file, bytes, size);
	if (!err && is_too_deep(*bytes, *size))
		err = -ELOOP;
	if (!err && has_too_many_marks(*bytes, *size))
		err = -EMLINK;
	fclose(file);
	return err;
}

unsigned char *config_text_read(const char *path, size_t *size)
{
	unsigned char *bytes = NULL;
	int err = read_bytes(path, &bytes, size);

	if (!err)
		return bytes;
	if (err == -EKEYREJECTED)
		log_err_hint(0, "see that it says what you want, then 'chmod o-w FILE'",
			     "'%s' is no configuration: everybody may write to it", path);
	else if (err == -ELOOP)
		log_err_hint(0, "close the brackets", "'%s' is no configuration: nested more than %d deep",
			     path, DEPTH_MAX);
	else if (err == -EMLINK)
		log_err_hint(0, "write the values out",
			     "'%s' is no configuration: more than %d anchors ('&') and directives ('%%')",
			     path, MARKS_MAX);
	else
		log_err_hint(err, "'tcpguard config default' prints one to begin with",
			     "cannot read '%s'", path);
	free(bytes);
	return NULL;
}
