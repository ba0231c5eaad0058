/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Remarks on stderr, in syslog or in the journal, one line each.  What libraries say:
 * log_libraries.c.
 */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "plain.h"

#define LINE_MAX_BYTES 1024
#define LIBRARY_LINES_MAX 100 /* of one message */
#define JOURNAL "/run/systemd/journal/socket"

static enum log_level level = LOG_LEVEL_NORMAL;
static enum {
	TARGET_UNKNOWN, /* nothing was said yet */
	TARGET_STDERR,
	TARGET_SYSLOG,
	TARGET_JOURNAL, /* stderr leads there */
} target;

void log_set_level(enum log_level wanted)
{
	level = wanted;
}

void log_to_syslog(void)
{
	openlog("tcpguard", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	target = TARGET_SYSLOG;
}

/* systemd names the device and inode it connected to stderr: a shell may have put it elsewhere since. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       !fstat(STDERR_FILENO, &st) && st.st_dev == device && st.st_ino == inode;
}

/* The journal's own protocol: one datagram of fields, which `journalctl -o json` shows as such. */
static int send_fields(int priority, int err, const char *remedy, const char *line)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JOURNAL };
	char fields[2 * LINE_MAX_BYTES];
	int fd, length;
	ssize_t sent;

	length = snprintf(fields, sizeof(fields), "PRIORITY=%d\nSYSLOG_IDENTIFIER=tcpguard\nMESSAGE=%s\n",
			  priority, line);
	if (err)
		length += snprintf(fields + length, sizeof(fields) - (size_t)length, "ERRNO=%d\n",
				   err < 0 ? -err : err);
	if (remedy)
		length += snprintf(fields + length, sizeof(fields) - (size_t)length,
				   "TCPGUARD_REMEDY=%s\n", remedy);
	if (length >= (int)sizeof(fields))
		return -EMSGSIZE;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	sent = sendto(fd, fields, (size_t)length, MSG_NOSIGNAL, (const struct sockaddr *)&address,
		      sizeof(address));
	close(fd);
	return sent < 0 ? -errno : 0;
}

/*
 * One call of the C library a line, so that lines of several processes do not mix; and one line a call,
 * whatever a file's name or contents hold: a line more would be a field more of the journal.
 */
static void say(int priority, const char *message, int err, const char *remedy)
{
	char line[LINE_MAX_BYTES], buffer[128];
	/* The GNU version returns the text, which need not be in the buffer. */
	const char *reason = err ? strerror_r(err < 0 ? -err : err, buffer, sizeof(buffer)) : NULL;

	snprintf(line, sizeof(line), "%s%s%s%s%s", message, reason ? ": " : "",
		 reason ? reason : "", remedy ? "; " : "", remedy ? remedy : "");
	plain_make(line);
	if (target == TARGET_UNKNOWN)
		target = stderr_is_journal() ? TARGET_JOURNAL : TARGET_STDERR;
	if (target == TARGET_SYSLOG)
		syslog(priority, "%s", line);
	else if (target == TARGET_STDERR)
		fprintf(stderr, "tcpguard: %s\n", line);
	else if (send_fields(priority, err, remedy, line))
		fprintf(stderr, "<%d>%s\n", priority, line); /* the way through stderr is still open */
}

static void say_error(int err, const char *remedy, const char *format, va_list arguments)
{
	char message[LINE_MAX_BYTES / 2];

	vsnprintf(message, sizeof(message), format, arguments);
	say(LOG_ERR, message, err, remedy);
}

int log_err(int err, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say_error(err, NULL, format, arguments);
	va_end(arguments);
	return err;
}

int log_err_hint(int err, const char *remedy, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say_error(err, remedy, format, arguments);
	va_end(arguments);
	return err;
}

static void say_remark(int priority, const char *format, va_list arguments)
{
	char message[LINE_MAX_BYTES / 2];

	vsnprintf(message, sizeof(message), format, arguments);
	message[strcspn(message, "\n")] = '\0';
	if (message[0])
		say(priority, message, 0, NULL);
}

void log_info(const char *format, ...)
{
	va_list arguments;

	if (level < LOG_LEVEL_NORMAL)
		return;
	va_start(arguments, format);
	say_remark(LOG_INFO, format, arguments);
	va_end(arguments);
}

/* The reason stands at the end of a log of the verifier's, and what was tried in its first line. */
static void say_lines(char *text)
{
	size_t lines = 0, skipped = 0, i;
	char *line, *rest;

	for (i = 0; text[i]; i++)
		lines += text[i] == '\n' && text[i + 1];
	if (lines > LIBRARY_LINES_MAX)
		skipped = lines - LIBRARY_LINES_MAX;
	for (i = 0, line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), i++)
		if (!i || i > skipped)
			say(LOG_DEBUG, line, 0, NULL);
}

void log_library(const char *format, va_list arguments)
{
	char *text;

	if (level < LOG_LEVEL_VERBOSE || vasprintf(&text, format, arguments) < 0)
		return;
	say_lines(text);
	free(text);
}
