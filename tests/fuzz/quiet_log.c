/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log.h for fuzz targets: every message is made, so that its arguments are read, and none is shown. */
#include "daemon/log.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/quiet_log.h"

void (*quiet_log_hear)(const char *message);

static void make_message(const char *format, va_list arguments)
{
	char text[1024];

	FUZZ_CHECK(vsnprintf(text, sizeof(text), format, arguments) > 0);
	fuzz_touch(text, strlen(text));
	if (quiet_log_hear)
		quiet_log_hear(text);
}

int log_err(int err, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	make_message(format, arguments);
	va_end(arguments);
	return err;
}

int log_err_hint(int err, const char *remedy, const char *format, ...)
{
	va_list arguments;

	FUZZ_CHECK(remedy[0]);
	va_start(arguments, format);
	make_message(format, arguments);
	va_end(arguments);
	return err;
}

void log_info(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	make_message(format, arguments);
	va_end(arguments);
}
