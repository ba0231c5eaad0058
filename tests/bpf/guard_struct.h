/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guard is made of; for the files of the harness only. */
#ifndef TESTS_GUARD_STRUCT_H
#define TESTS_GUARD_STRUCT_H

#include "tests/bpf/guard.h"

#include "bpf/flow_table.h"
#include "tcpguard.skel.h"
#include "tests/bpf/pinned.h"

struct guard {
	struct tcpguard_bpf *skel;
	struct pinned programs;
	struct guard_options options;
	struct tg_hash_key hash;
	struct tg_settings *settings;
	struct tg_table table;
	struct tg_counters *counters; /* one per CPU, as read last */
	int cpus;
};

/* Of this guard's family. */
const struct endpoint *guard_endpoint(const struct guard *guard, enum speaker who);

#endif
