/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Remarks on stderr or syslog, one line each.  What libraries say: log_libraries.c. */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#define LINE_MAX_BYTES 1024

static enum log_level level = LOG_LEVEL_NORMAL;
static int use_syslog;

void log_set_level(enum log_level wanted)
{
	level = wanted;
}

void log_to_syslog(void)
{
	openlog("tcpguard", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	use_syslog = 1;
}

/* One call of the C library a line, so that lines of several processes do not mix. */
static void say(int priority, const char *message, const char *reason, const char *remedy)
{
	char line[LINE_MAX_BYTES];

	snprintf(line, sizeof(line), "%s%s%s%s%s", message, reason ? ": " : "",
		 reason ? reason : "", remedy ? "; " : "", remedy ? remedy : "");
	if (use_syslog)
		syslog(priority, "%s", line);
	else
		fprintf(stderr, "tcpguard: %s\n", line);
}

static void say_error(int err, const char *remedy, const char *format, va_list arguments)
{
	char message[LINE_MAX_BYTES / 2];
	char reason[128];

	vsnprintf(message, sizeof(message), format, arguments);
	/* The GNU version returns the text, which need not be in the buffer. */
	say(LOG_ERR, message, err ? strerror_r(err < 0 ? -err : err, reason, sizeof(reason)) : NULL,
	    remedy);
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
		say(priority, message, NULL, NULL);
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

void log_library(const char *format, va_list arguments)
{
	if (level >= LOG_LEVEL_VERBOSE)
		say_remark(LOG_DEBUG, format, arguments);
}
