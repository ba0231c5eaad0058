/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One measured run: the driver set, then the kernel's own loop around the program. */
#include "tests/bench/program.h"

#include <stdarg.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static void set_driver(struct bench_driver *driver, const struct variant *variant)
{
	uint32_t flags = variant->driver_flags;

	if (!(flags & DRIVE_KEEP) && (flags & DRIVE_SEQUENTIAL))
		driver->counter = 0;
	driver->mask = variant->active ? variant->active - 1 : 0;
	driver->offset = variant->offset;
	driver->dependency = 0;
	driver->sequential = !!(flags & DRIVE_SEQUENTIAL);
	driver->depends = !!(flags & DRIVE_DEPENDS);
	driver->reversed = !!(flags & DRIVE_REVERSED);
}

int64_t program_run(struct variant *variant, uint32_t n)
{
	struct program_object *object = variant->context;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = variant->frame,
		    .data_size_in = (__u32)variant->frame_size, .repeat = (int)n);
	uint64_t began;
	int err;

	if (object->driver)
		set_driver(object->driver, variant);
	began = thread_cpu_ns();
	err = bpf_prog_test_run_opts(variant->program, &opts);
	variant->code = opts.retval;
	return err ? err : (int64_t)(thread_cpu_ns() - began);
}

uint64_t program_driver_hits(struct variant *variant)
{
	struct program_object *object = variant->context;

	return object->driver->hits;
}

static int say_warnings(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
}

void program_quiet(void)
{
	libbpf_set_print(say_warnings);
}
