/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Live frames: a program of BPF_PROG_TEST_RUN makes each frame and it leaves by a veth, as fast as the
 * receiver takes them, with what a frame costs in all: this thread, in whose interrupts' shadow the
 * receiver works, and ksoftirqd of its processor.
 */
#ifndef BENCH_LIVE_H
#define BENCH_LIVE_H

#include <stddef.h>
#include <stdint.h>

/* Where frames are sent from, and whom to: NAME,NETNS,INTERFACE,MAC. */
struct live_target {
	char name[32], netns[64], interface[32];
	unsigned char mac[6];
};

/* A program whose frames leave, and its processor's ksoftirqd. */
struct live_sender {
	int program;
	int softirq;
	const void *frame; /* template: its length counts */
	size_t size;
};

int live_target_read(struct live_target *target, const char *text);

/* Binds this thread to the processor it is on. */
int live_sender_init(struct live_sender *sender, int program, const void *frame, size_t size);

/* Sends from target's namespace, where the thread stays. */
int live_send(const struct live_sender *sender, const struct live_target *target, uint32_t packets);

/* What was spent in between, when everything sent has been received. */
struct live_cost {
	uint64_t thread_ns, softirq_ns;
};

void live_cost_begin(const struct live_sender *sender, struct live_cost *cost);
uint64_t live_cost_end(const struct live_sender *sender, const struct live_cost *cost);

#endif
