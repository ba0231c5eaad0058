// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shipped data path behind the benchmark's driver: tcpguard.bpf.c itself is included, and
 * tg_xdp_ingress() is inlined into programs that first choose a flow.
 */
#include "tcpguard/types.h"
#include "driver.bpf.h"

#include "maps.bpf.h"
#include "packet.h"
#include "account.bpf.h"
#include "flow_judge.bpf.h"

/*
 * The one thing added to the path: a word of the flow that was found becomes the dependency of the
 * next choice.  The generation's top bit is 0 until a slot has changed hands eight million times.
 */
TG_INLINE void bench_note(__u32 claim)
{
	bench.dependency = claim >> 31;
}

#define tg_count_passed(...) (bench_note(view.ref.claim), tg_count_passed(__VA_ARGS__))
#define tg_xdp_ingress __attribute__((always_inline)) tg_xdp_ingress
#include "tcpguard.bpf.c"
#undef tg_xdp_ingress
#undef tg_count_passed

SEC("xdp.frags")
int bench_flow(struct xdp_md *ctx)
{
	if (!bench_set_flow(ctx))
		return XDP_ABORTED;
	return tg_xdp_ingress(ctx);
}

#define BENCH_SERVER 0xc6120001 /* 198.18.0.1, port 80: guard.c */
#define BENCH_LENGTH_AT 16
#define BENCH_SEQ_AT 38
#define BENCH_ACK_AT 42
#define BENCH_FLAGS_AT 47
#define BENCH_OPTIONS_AT 54

TG_INLINE void bench_set_ends(__u8 *frame, __u64 flow, bool from_server)
{
	__be32 client = bpf_htonl(bench_address(flow)), server = bpf_htonl(BENCH_SERVER);
	__be16 port = bpf_htons(bench_port(flow)), service = bpf_htons(80);

	*(__be32 *)(frame + BENCH_ADDRESS_AT) = from_server ? server : client;
	*(__be32 *)(frame + BENCH_ADDRESS_AT + 4) = from_server ? client : server;
	*(__be16 *)(frame + BENCH_PORT_AT) = from_server ? service : port;
	*(__be16 *)(frame + BENCH_PORT_AT + 2) = from_server ? port : service;
}

/*
 * SYN, SYN-ACK and ACK of one flow after the other: newcomers displace handshakes, so that a million
 * SYNs in a row would not open as many flows.  The frame is a SYN with four bytes of options.
 */
TG_INLINE bool bench_set_handshake(struct xdp_md *ctx)
{
	__u8 *frame = (void *)(long)ctx->data;
	__u64 n = bench.counter++, step = n % 3;

	if (frame + BENCH_OPTIONS_AT + 4 > (__u8 *)(long)ctx->data_end)
		return false;
	bench_set_ends(frame, n / 3 + bench.offset, step == 1);
	*(__be32 *)(frame + BENCH_SEQ_AT) = bpf_htonl(step == 0 ? 1000 : step == 1 ? 5000 :
										     1001);
	*(__be32 *)(frame + BENCH_ACK_AT) = bpf_htonl(step == 0 ? 0 : step == 1 ? 1001 :
										  5001);
	frame[BENCH_FLAGS_AT] = step == 0 ? TG_SYN : step == 1 ? TG_SYN | TG_ACK :
								 TG_ACK;
	/* Window scale 14, or nothing. */
	*(__be32 *)(frame + BENCH_OPTIONS_AT) = bpf_htonl(step == 2 ? 0x01010101 : 0x03030e01);
	return true;
}

SEC("xdp.frags")
int bench_open(struct xdp_md *ctx)
{
	if (!bench_set_handshake(ctx))
		return XDP_ABORTED;
	return tg_xdp_ingress(ctx);
}

/* A bulk transfer on one flow: a data segment of the client, then the server's ACK of it, and so on. */
#define BENCH_SEGMENT 1000

TG_INLINE bool bench_set_transfer(struct xdp_md *ctx)
{
	__u8 *frame = (void *)(long)ctx->data;
	__u32 n = bench.counter++, client = 1001 + (n >> 1) * BENCH_SEGMENT, server = 5001;
	bool ack = n & 1;

	if (frame + BENCH_FRAME_MIN > (__u8 *)(long)ctx->data_end)
		return false;
	*(__be16 *)(frame + BENCH_LENGTH_AT) = bpf_htons(ack ? 40 : 40 + BENCH_SEGMENT);
	bench_set_ends(frame, 0, ack);
	*(__be32 *)(frame + BENCH_SEQ_AT) = bpf_htonl(ack ? server : client);
	*(__be32 *)(frame + BENCH_ACK_AT) = bpf_htonl(ack ? client + BENCH_SEGMENT : server);
	return true;
}

SEC("xdp.frags")
int bench_transfer(struct xdp_md *ctx)
{
	if (!bench_set_transfer(ctx))
		return XDP_ABORTED;
	return tg_xdp_ingress(ctx);
}

SEC("xdp.frags")
int bench_transfer_base(struct xdp_md *ctx)
{
	return bench_set_transfer(ctx) ? XDP_PASS : XDP_ABORTED;
}

/* The driver alone. */
SEC("xdp.frags")
int bench_drive(struct xdp_md *ctx)
{
	return bench_set_flow(ctx) ? XDP_PASS : XDP_ABORTED;
}

/* The twin: everything up to the look-up. */
SEC("xdp.frags")
int bench_twin(struct xdp_md *ctx)
{
	struct tg_settings *settings = tg_settings_get();
	struct tg_packet pkt = { .segments = 1 };
	struct tg_lookup lookup = {};
	enum tg_verdict verdict;

	if (!bench_set_flow(ctx) || !settings)
		return XDP_ABORTED;
	tg_begin(settings, &lookup, &pkt);
	verdict = tg_parse((void *)(long)ctx->data, (void *)(long)ctx->data_end, &tg_program,
			   tg_program.verify_csum, &pkt);
	if (!verdict)
		verdict = tg_check_flags(&pkt);
	if (!verdict)
		verdict = tg_check_addresses(&pkt);
	if (verdict)
		return XDP_DROP;
	bench.sink += tg_flow_identify(&tg_program.hash, &pkt).tag;
	bench.hits++;
	return XDP_PASS;
}
