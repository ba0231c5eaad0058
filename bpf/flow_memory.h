/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow table's memory outside the kernel: the daemon's mapping of the pinned maps, or a test's
 * own arrays.  Its twin inside the kernel is maps.bpf.h.
 */
#ifndef TG_BPF_FLOW_MEMORY_H
#define TG_BPF_FLOW_MEMORY_H

#include "tcpguard/config.h"

struct tg_table {
	__u32 buckets;
	const struct tg_timeouts *timeouts;
	struct tg_bucket *bucket;
	struct tg_detail *detail; /* buckets * TG_BUCKET_WAYS */
	__u64 *word;
	__u32 config; /* for the kernel side, where it chooses the timeouts */
};

TG_INLINE void tg_note_eviction(const struct tg_table *table)
{
	(void)table; /* counted by the kernel's side only */
}

TG_INLINE struct tg_bucket *tg_bucket_at(const struct tg_table *table, __u32 index)
{
	return index < table->buckets ? &table->bucket[index] : NULL;
}

TG_INLINE struct tg_detail *tg_detail_at(const struct tg_table *table, __u32 number)
{
	return number < table->buckets * TG_BUCKET_WAYS ? &table->detail[number] : NULL;
}

TG_INLINE __u64 *tg_bucket_word_at(const struct tg_table *table, __u32 index)
{
	return index < table->buckets ? &table->word[index] : NULL;
}

TG_INLINE const struct tg_timeouts *tg_timeouts_of(const struct tg_table *table)
{
	return table->timeouts;
}

#endif
