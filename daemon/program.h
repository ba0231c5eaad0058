/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose BPF program an id is, as far as our rights let us find out. */
#ifndef TCPGUARD_PROGRAM_H
#define TCPGUARD_PROGRAM_H

#include <stdint.h>

struct program_identity {
	char name[16]; /* "" if it could not be found out */
	char pin[256]; /* below /sys/fs/bpf; "" if there is none */
};

/* By its pin, which needs no right to look up ids; else by its id, which needs CAP_SYS_ADMIN. */
void program_identify(uint32_t id, struct program_identity *out);

#endif
