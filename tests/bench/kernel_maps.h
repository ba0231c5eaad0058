/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's hash tables and the floor, of one size; see maps.bpf.c. */
#ifndef BENCH_KERNEL_MAPS_H
#define BENCH_KERNEL_MAPS_H

#include "tests/bench/program.h"

struct kernel_maps;

/* Room for so many flows in each table; NULL (said) if that cannot be. */
struct kernel_maps *kernel_maps_open(uint64_t flows);
void kernel_maps_close(struct kernel_maps *maps);

/* Puts flows 0..count-1 into the hash and the LRU table. */
int kernel_maps_fill(struct kernel_maps *maps, uint64_t count);

/* A variant that runs this program, of which every run must hit (except null and parse). */
void kernel_maps_variant(struct kernel_maps *maps, const char *program, const char *name,
			 struct variant *variant);

/* Bytes of locked memory, as the kernel states them. */
uint64_t kernel_maps_bytes(struct kernel_maps *maps, const char *map);
uint64_t map_bytes(int fd);

#endif
