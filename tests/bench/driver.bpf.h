/* SPDX-License-Identifier: GPL-2.0-only */
/* The driver in the kernel: one instance of its state an object. */
#ifndef BENCH_DRIVER_BPF_H
#define BENCH_DRIVER_BPF_H

#include "driver.h"

struct bench_driver bench = {};

/* False: the frame is too short, which the harness finds out by the counters. */
TG_INLINE bool bench_set_flow(struct xdp_md *ctx)
{
	__u8 *frame = (void *)(long)ctx->data;
	__u64 flow = bench_next_flow(&bench);

	if (frame + BENCH_FRAME_MIN > (__u8 *)(long)ctx->data_end)
		return false;
	if (bench.reversed) {
		*(__be32 *)(frame + BENCH_ADDRESS_AT + 4) = bpf_htonl(bench_address(flow));
		*(__be16 *)(frame + BENCH_PORT_AT + 2) = bpf_htons(bench_port(flow));
	} else {
		*(__be32 *)(frame + BENCH_ADDRESS_AT) = bpf_htonl(bench_address(flow));
		*(__be16 *)(frame + BENCH_PORT_AT) = bpf_htons(bench_port(flow));
	}
	return true;
}

#endif
