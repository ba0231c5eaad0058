/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A private instance of the BPF object for replay.c: loaded, its maps mapped, run one frame a call. */
#ifndef TCPGUARD_REPLAY_PROGRAM_H
#define TCPGUARD_REPLAY_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "tcpguard/config.h"
#include "bpf/flow_table.h"

struct tcpguard_bpf;

struct replay_program {
	struct tcpguard_bpf *object;
	int ingress; /* descriptors of the programs */
	int egress; /* -1 if not asked for */
	struct tg_settings *settings;
	struct tg_ports *ports; /* 2, as the configurations */
	const struct tg_result *result;
	struct tg_table table; /* the flow table's memory */
};

/* constants->buckets says how large.  Errors are said; program is then empty. */
int replay_program_load(struct replay_program *program, const struct tg_program *constants,
			bool egress);
/* Accepts an empty one. */
void replay_program_unload(struct replay_program *program);

/* 0 and *program->result is the judgement, or -errno. */
int replay_program_run(const struct replay_program *program, const void *frame, uint32_t size,
		       bool egress);

#endif
