/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which capability is missing, in words. */
#ifndef TCPGUARD_PRIVILEGE_H
#define TCPGUARD_PRIVILEGE_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/capability.h>

#ifndef CAP_BPF
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

/* True if the process has this capability in effect. */
bool privilege_has(unsigned int capability);

/*
 * What the reader can do about err: names the missing capabilities if it is -EPERM or -EACCES, NULL
 * otherwise.  The text may lie in buffer.
 */
const char *privilege_remedy(int err, char *buffer, size_t size);

/*
 * The first capability that loading and attaching need and the process lacks, or NULL.  CAP_PERFMON
 * is one of them: without it the verifier allows no variable offset into a packet.
 */
const char *privilege_missing(void);

#endif
