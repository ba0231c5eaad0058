/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loaded copies of the data path: the shipped object as it is, or the benchmark's with the driver in
 * front.  Filled by real handshakes; what it did is read from its own counters.
 */
#ifndef BENCH_GUARD_H
#define BENCH_GUARD_H

#include <bpf/libbpf.h>

#include "tcpguard/config.h"
#include "tcpguard/counters.h"
#include "tests/bench/program.h"

struct guard;

/* Sizes the table for max_flows; NULL (said) if that cannot be. */
struct guard *guard_open_bench(uint32_t max_flows);
struct guard *guard_open_shipped(uint32_t max_flows);
void guard_close(struct guard *guard);

const struct bpf_object *guard_object(const struct guard *guard);
const struct tg_table *guard_table(const struct guard *guard);
struct tg_settings *guard_settings(const struct guard *guard);
uint64_t guard_now_ms(struct guard *guard);

uint64_t guard_count(struct guard *guard, enum tg_verdict verdict);

/* Lists of so many usual IPv4 prefixes, none of which covers a flow.  -errno (said). */
int guard_block(struct guard *guard, uint32_t prefixes);

/* A variant that runs this program and whose hits are packets of that verdict. */
void guard_variant(struct guard *guard, const char *program, const char *name,
		   enum tg_verdict verdict, struct variant *variant);

/*
 * Opens flows 0..count-1 by SYN, SYN-ACK and ACK; the shipped object only one.  Returns how many
 * found no slot, or -errno (said).
 */
int64_t guard_fill(struct guard *guard, uint64_t count);

/* The frames of such a flow, in the order of a conversation; all of flow 0. */
enum guard_frame {
	GUARD_SYN,
	GUARD_SYNACK,
	GUARD_ACK,
	GUARD_ACK_TIMESTAMPS, /* the same with the option every Linux sends */
	GUARD_SERVER_ACK,
	GUARD_ABOVE, /* data far beyond the window */
	GUARD_FRAMES
};
const uint8_t *guard_frame(enum guard_frame which, size_t *size);

#endif
