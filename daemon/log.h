/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Remarks for people, on stderr (or syslog once the daemon has left the terminal).  Where stderr is
 * the journal they go there with their fields: PRIORITY, ERRNO and TCPGUARD_REMEDY.  Answers go to
 * stdout and are not this module's business.
 */
#ifndef TCPGUARD_LOG_H
#define TCPGUARD_LOG_H

#include <stdarg.h>

enum log_level {
	LOG_LEVEL_QUIET, /* errors only */
	LOG_LEVEL_NORMAL, /* and remarks */
	LOG_LEVEL_VERBOSE, /* and what libbpf and libxdp say */
};

void log_set_level(enum log_level level);

/* From now on to syslog(3), facility daemon: the terminal is gone. */
void log_to_syslog(void);

/*
 * Prints "tcpguard: <message>: <strerror>" and returns err (a negative errno), so that the place
 * that knows why can say it and pass the code up in one statement.  err == 0 prints no reason and
 * returns 0.  A function, not a macro: its argument is evaluated before anything can change errno.
 */
int log_err(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same, followed by what the reader can do: "...: <strerror>; <remedy>". */
int log_err_hint(int err, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Routes libbpf's and libxdp's own messages here; they show with -v only. */
void log_capture_libraries(void);

/* One such message. */
void log_library(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

#endif
