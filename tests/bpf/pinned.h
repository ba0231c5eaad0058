/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loaded guards kept in a bpffs between tests, where verifying takes too long to do it for each: in
 * an emulated machine (tests/kernels).  On only if TCPGUARD_GUARDS names a directory; otherwise
 * each test loads its own.
 */
#ifndef TESTS_PINNED_H
#define TESTS_PINNED_H

#include <stdbool.h>
#include <stddef.h>

struct tcpguard_bpf;

/* Loaded programs, and the place they are kept at ("": nowhere). */
struct pinned {
	int xdp, tc;
	char path[96];
};

/*
 * Instead of loading an opened skeleton whose constants and sizes are set: its maps become those of
 * a guard with the same constants that no test holds, emptied.  False if there is none; then load
 * and pinned_keep().
 */
bool pinned_take(struct tcpguard_bpf *skel, struct pinned *pinned);
void pinned_keep(struct tcpguard_bpf *skel, struct pinned *pinned);
void pinned_release(struct pinned *pinned);

#endif
