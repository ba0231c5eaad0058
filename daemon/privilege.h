/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which capability is missing, in words. */
#ifndef TCPGUARD_PRIVILEGE_H
#define TCPGUARD_PRIVILEGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

#define PRIVILEGE_BIT(capability) (UINT64_C(1) << (capability))

/*
 * Gives up every capability but these, those a set-user-id program would give included, for good.
 * 0 or -errno, said.
 */
int privilege_keep(uint64_t capabilities);

/*
 * The same before something is parsed that strangers made: root becomes nobody besides, whose files
 * are not root's.  What is to be opened has to be open.
 */
int privilege_keep_as_nobody(uint64_t capabilities);

#endif
