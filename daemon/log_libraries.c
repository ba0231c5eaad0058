/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes over the messages of libbpf and libxdp.  A file of its own: log.c needs no library. */
#include "log.h"

#include <stdarg.h>

#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

static int from_libbpf(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level != LIBBPF_DEBUG)
		log_library(format, arguments);
	return 0;
}

static int from_libxdp(enum libxdp_print_level level, const char *format, va_list arguments)
{
	if (level != LIBXDP_DEBUG)
		log_library(format, arguments);
	return 0;
}

void log_capture_libraries(void)
{
	libbpf_set_print(from_libbpf);
	libxdp_set_print(from_libxdp);
}
