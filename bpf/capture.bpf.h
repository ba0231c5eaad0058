/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets of chosen verdicts, copied with their bytes for `tcpguard capture`.  The two hooks differ in
 * how bytes are read, so there is a function for each; what is chosen is decided before the call.
 */
#ifndef TG_BPF_CAPTURE_H
#define TG_BPF_CAPTURE_H

#include <bpf/bpf_core_read.h>

#include "event.bpf.h"

/* Length of the frame, all buffers; helper since 5.18, before that a frame is one buffer. */
TG_INLINE __u32 tg_xdp_length(struct xdp_md *ctx)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_xdp_get_buff_len))
		return bpf_xdp_get_buff_len(ctx);
	return ctx->data_end - ctx->data;
}

TG_INLINE bool tg_capture_wants(const struct tg_settings *settings, const struct tg_lookup *lookup,
				__u32 verdict, __u32 outcome)
{
	const struct tg_capture_request *request = &settings->watched.capture;
	__u64 verdicts = request->verdicts[outcome & 3][verdict >> 6 & 1];

	return (verdicts >> (verdict & 63) & 1) && (!request->tag || request->tag == lookup->tag);
}

/* The record to fill, with how many bytes; NULL if this packet is sampled out. */
TG_INLINE struct tg_capture_record *tg_capture_begin(const struct tg_lookup *lookup, __u32 verdict,
						     __u32 outcome, __u32 length, __u32 most)
{
	struct tg_event_counts *counts = tg_event_counts_get();
	struct tg_settings *settings = tg_settings_get();
	struct tg_capture_record *record;
	__u32 zero = 0, captured = length;

	record = bpf_map_lookup_elem(&tg_scratch, &zero);
	if (!record || !settings || !counts)
		return NULL;
	if (settings->watched.capture.sample > 1 &&
	    record->seen++ % settings->watched.capture.sample) {
		tg_event_bump(&counts->capture_sampled);
		return NULL;
	}
	if (captured > settings->watched.capture.snap)
		captured = settings->watched.capture.snap;
	if (captured > most)
		captured = most;
	__builtin_memset(&record->head, 0, sizeof(record->head));
	record->head.time_ns = bpf_ktime_get_ns();
	record->head.serial = settings->watched.capture.serial;
	record->head.length = length;
	record->head.captured = captured;
	record->head.verdict = verdict;
	record->head.outcome = outcome;
	record->head.iface_slot = tg_program.iface_slot;
	record->head.no_link_header = tg_program.no_link_header;
	record->head.tag = lookup->tag;
	record->head.has_flow = lookup->found && !lookup->expired;
	record->head.number = lookup->number;
	record->head.claim = lookup->claim;
	return record;
}

TG_INLINE void tg_capture_end(struct tg_capture_record *record, __u32 captured)
{
	struct tg_event_counts *counts = tg_event_counts_get();
	long err = -1;

	record->head.captured = captured;
	if (captured <= TG_CAPTURE_BYTES)
		err = bpf_ringbuf_output(&tg_captures, record, sizeof(record->head) + captured,
					 BPF_RB_NO_WAKEUP);
	if (counts)
		tg_event_bump(err ? &counts->capture_lost : &counts->captured);
}

/*
 * What is loaded is counted from its last byte on: from "not 0" the verifier of Linux 6.1 does not learn
 * that it is at least 1.
 */
#define TG_CAPTURE_LINEAR 128 /* bytes, where there is no helper to load them (before 5.18) */

TG_INLINE __u32 tg_capture_linear(struct xdp_md *ctx, struct tg_capture_record *record, __u32 bytes)
{
	const __u8 *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	__u32 i;

	for (i = 0; i < TG_CAPTURE_LINEAR; i++) {
		if (i >= bytes || data + i + 1 > data_end)
			break;
		record->bytes[i] = data[i];
	}
	return i;
}

TG_GLOBAL int tg_capture_xdp(struct xdp_md *ctx, const struct tg_lookup *lookup, __u32 verdict,
			     __u32 outcome)
{
	bool loads = bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_xdp_load_bytes);
	struct tg_capture_record *record;
	__u32 captured, last;

	if (!lookup)
		return 0;
	record = tg_capture_begin(lookup, verdict, outcome, tg_xdp_length(ctx),
				  loads ? TG_CAPTURE_BYTES : TG_CAPTURE_LINEAR);
	if (!record)
		return 0;
	captured = record->head.captured;
	if (loads) {
		last = captured - 1;
		TG_OPAQUE(last);
		if (last >= TG_CAPTURE_BYTES || bpf_xdp_load_bytes(ctx, 0, record->bytes, last + 1))
			captured = 0;
	} else {
		captured = tg_capture_linear(ctx, record, captured);
	}
	tg_capture_end(record, captured);
	return 0;
}

TG_GLOBAL int tg_capture_skb(struct __sk_buff *skb, const struct tg_lookup *lookup, __u32 verdict,
			     __u32 outcome)
{
	struct tg_capture_record *record;
	__u32 captured, last;

	if (!lookup)
		return 0;
	record = tg_capture_begin(lookup, verdict, outcome, skb->len, TG_CAPTURE_BYTES);
	if (!record)
		return 0;
	record->head.egress = true;
	captured = record->head.captured;
	last = captured - 1;
	TG_OPAQUE(last);
	if (last >= TG_CAPTURE_BYTES || bpf_skb_load_bytes(skb, 0, record->bytes, last + 1))
		captured = 0;
	tg_capture_end(record, captured);
	return 0;
}

#endif
