/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BPF programs as variants: repeated test runs of one frame, with the driver set for them. */
#ifndef BENCH_PROGRAM_H
#define BENCH_PROGRAM_H

#include "tests/bench/bench.h"
#include "tests/bench/driver.h"

/* variant.driver_flags */
#define DRIVE_SEQUENTIAL 1
#define DRIVE_DEPENDS 2
#define DRIVE_REVERSED 4
#define DRIVE_KEEP 8 /* go on where the counter stands */

/* The thing a program's variants share: its driver, if it has one. */
struct program_object {
	struct bench_driver *driver; /* NULL: the programs have none */
	uint64_t (*hits)(struct variant *variant);
};

/* variant.context must begin with a struct program_object. */
int64_t program_run(struct variant *variant, uint32_t n);

/* Hits as the driver counts them. */
uint64_t program_driver_hits(struct variant *variant);

/* Lifts what libbpf would print. */
void program_quiet(void);

#endif
