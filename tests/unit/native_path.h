/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data path in user space: the headers of bpf/ as they are, with memory in place of the maps and
 * a function in place of the socket look-up.  Only the order of the steps is written again, after
 * tg_inspect() of tcpguard.bpf.c.  One table a process; include it before anything of bpf/.
 */
#ifndef TESTS_NATIVE_PATH_H
#define TESTS_NATIVE_PATH_H

#include "tcpguard/config.h"
#include "tests/unit/unit.h"

/* Instead of maps.bpf.h and flow_memory.h. */
#define TG_BPF_FLOW_MEMORY_H

struct tg_table {
	__u32 config;
	__u32 buckets;
};

static struct tg_program tg_program;

static struct native_path {
	struct tg_settings settings;
	struct tg_bucket *bucket;
	struct tg_detail *detail;
	__u64 *word;
	bool (*vouches)(void); /* NULL: no socket is ever asked */
} native;

TG_INLINE struct tg_bucket *tg_bucket_at(const struct tg_table *table, __u32 index)
{
	return index < table->buckets ? &native.bucket[index] : NULL;
}

TG_INLINE struct tg_detail *tg_detail_at(const struct tg_table *table, __u32 number)
{
	return number < table->buckets * TG_BUCKET_WAYS ? &native.detail[number] : NULL;
}

TG_INLINE __u64 *tg_bucket_word_at(const struct tg_table *table, __u32 index)
{
	return index < table->buckets ? &native.word[index] : NULL;
}

TG_INLINE void tg_note_eviction(const struct tg_table *table)
{
	(void)table;
}

TG_INLINE const struct tg_timeouts *tg_timeouts_of(const struct tg_table *table)
{
	(void)table;
	return &native.settings.config[0].timeouts;
}

#include "bpf/packet.h"

/* Instead of socket.bpf.h. */
#define TG_BPF_SOCKET_H

TG_INLINE bool tg_budget_allows(const struct tg_settings *settings, __u64 now_ms)
{
	(void)settings;
	(void)now_ms;
	return native.vouches;
}

TG_INLINE bool tg_socket_vouches(void *ctx, const struct tg_packet *pkt)
{
	(void)ctx;
	(void)pkt;
	return native.vouches();
}

#include "bpf/parse_packet.h"
#include "bpf/tcp_flags.h"
#include "bpf/flow_judge.bpf.h"
#include "bpf/flow_open.bpf.h"

static inline struct tg_table native_table(void)
{
	return (struct tg_table){ .buckets = tg_program.buckets };
}

/* A host that enforces, with this many buckets; NULL details if the test needs none. */
static inline void native_open(__u32 buckets, bool details)
{
	const struct tg_timeouts timeouts = TG_TIMEOUTS_DEFAULT;

	memset(&tg_program, 0, sizeof(tg_program));
	memset(&native, 0, sizeof(native));
	tg_program.buckets = buckets;
	random_hash_key(buckets, 0, &tg_program.hash);
	native.settings.config[0].timeouts = timeouts;
	native.bucket = aligned_alloc(sizeof(struct tg_bucket), buckets * sizeof(struct tg_bucket));
	native.word = calloc(buckets, sizeof(__u64));
	assert_true(native.bucket && native.word);
	memset(native.bucket, 0, buckets * sizeof(struct tg_bucket));
	if (!details)
		return;
	native.detail = calloc((size_t)buckets * TG_BUCKET_WAYS, sizeof(struct tg_detail));
	assert_non_null(native.detail);
}

static inline void native_close(void)
{
	free(native.bucket);
	free(native.detail);
	free(native.word);
	memset(&native, 0, sizeof(native));
}

static inline struct tg_slot *native_slot(__u32 number)
{
	return &native.bucket[number / TG_BUCKET_WAYS].slot[number % TG_BUCKET_WAYS];
}

/* tg_is_common() and tg_inspect_common(). */
static inline enum tg_verdict native_inspect_common(struct tg_lookup *lookup,
						    const struct tg_packet *pkt)
{
	struct tg_table table = native_table();
	struct tg_view view = {};
	struct tg_flow_id id;
	enum tg_verdict verdict;
	enum tg_found found;
	__u64 *word;

	if (!pkt->icmp_error) {
		verdict = tg_check_flags(pkt);
		if (verdict)
			return verdict;
		verdict = tg_check_addresses(pkt);
		if (verdict)
			return verdict;
	}
	id = tg_flow_identify(&tg_program.hash, pkt);
	lookup->tag = id.tag;
	lookup->side = id.side;
	found = tg_flow_find(&table, id.tag, &view.ref, &word);
	lookup->refused = word && (TG_READ_ONCE(*word) & TG_BUCKET_REFUSED);
	if (found != TG_FOUND_LIVE)
		return found == TG_FOUND_BUSY ? TG_PASS_BUSY : TG_UNDECIDED;
	lookup->found = true;
	lookup->number = view.ref.number;
	lookup->claim = view.ref.claim;
	if (!tg_view_set(&table, lookup, &view))
		return TG_PASS_INTERNAL;
	view.phase = tg_flow_phase(view.sender, view.receiver);
	if (!(pkt->flags & (TG_SYN | TG_FIN | TG_RST)) && !pkt->icmp_error && !pkt->first_fragment &&
	    view.phase == TG_PHASE_ESTABLISHED && !(view.ref.claim & TG_CLAIM_SUSPECT) &&
	    !tg_is_spoofed(&view, pkt) &&
	    !tg_slot_expired(view.ref.slot, &native.settings.config[0].timeouts, view.now_ms))
		return tg_flow_advance(&view, pkt, tg_program.profile != TG_PROFILE_HOST);
	return TG_UNDECIDED;
}

/* tg_inspect_unknown() and tg_inspect(). */
static inline enum tg_verdict native_inspect(struct tg_lookup *lookup, const struct tg_packet *pkt)
{
	enum tg_verdict verdict = native_inspect_common(lookup, pkt);

	if (verdict)
		return verdict;
	if (lookup->found)
		verdict = (enum tg_verdict)tg_flow_judge(lookup, pkt);
	if (verdict)
		return verdict;
	if (pkt->icmp_error)
		return TG_PASS_NOT_TCP;
	verdict = tg_flow_miss(NULL, &native.settings, lookup, pkt);
	if (verdict)
		return verdict;
	verdict = (enum tg_verdict)tg_flow_open(lookup, pkt, 0);
	return verdict ? verdict : (enum tg_verdict)tg_flow_judge(lookup, pkt);
}

/* tg_begin() and what the entry functions do with a parsed packet. */
static inline enum tg_verdict native_judge(struct tg_packet *pkt, __u64 now_ms)
{
	struct tg_lookup lookup = { .now_ms = now_ms };
	const struct tg_iface_settings *iface = &native.settings.iface[0];

	lookup.adopts = tg_program.profile == TG_PROFILE_ONEWAY || now_ms < iface->learn_until_ms;
	pkt->ingress = pkt->own ? TG_INGRESS_NONE : TG_INGRESS_GATEWAY;
	pkt->enforced = native.settings.config[0].iface[0].mode == TG_MODE_ENFORCE &&
			!native.settings.bypass && !pkt->own;
	return native_inspect(&lookup, pkt);
}

/* A whole frame, as it comes in at XDP; it must end where the memory does. */
static inline enum tg_verdict native_judge_frame(const void *frame, size_t size, __u64 now_ms)
{
	struct tg_packet pkt = { .segments = 1 };
	enum tg_verdict verdict = tg_parse(frame, (const __u8 *)frame + size, &tg_program,
					   tg_program.verify_csum, &pkt);

	if (pkt.jumbo)
		tg_jumbo_payload(&pkt, (__u32)size);
	return verdict ? verdict : native_judge(&pkt, now_ms);
}

#endif
