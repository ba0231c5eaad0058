/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every map: who writes it, who reads it, what bounds it.  All are pinned and shared by the programs
 * of all interfaces; sizes of the flow table are set by the loader before loading.
 */
#ifndef TG_BPF_MAPS_H
#define TG_BPF_MAPS_H

#include "tcpguard/config.h"
#include "tcpguard/counters.h"
#include "tcpguard/event.h"

/* Constants of this instance, set by the loader; volatile keeps the compiler from guessing them. */
const volatile struct tg_program tg_program = {};

/*
 * The flow table: written by the data path (owner-writes, claims by compare-and-swap), swept through
 * the mapping by the daemon with the same swaps.  Bounded by its size; nothing is ever allocated.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tg_bucket);
} tg_flows SEC(".maps");

/* By slot number; written by whoever owns the slot, then by both directions, each its own counters. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TG_BUCKET_WAYS);
	__type(key, __u32);
	__type(value, struct tg_detail);
} tg_details SEC(".maps");

/* One word a bucket: atomic operations only. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} tg_buckets SEC(".maps");

/* Written by user space, word by word; of the data path's making is refused_ms alone. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tg_settings);
} tg_settings SEC(".maps");

/* Register of attached interfaces: user space only, under the attach lock. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TG_IFACES_MAX);
	__type(key, __u32);
	__type(value, struct tg_iface);
} tg_ifaces SEC(".maps");

/* Written once, at creation: size and hash coefficients. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tg_table_info);
} tg_info SEC(".maps");

/* Per CPU: plain increments.  XDP runs in softirq; TC egress may be interrupted by it on the same CPU
 * between load and store of one counter, which loses that one count and nothing else. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TG_IFACES_MAX);
	__type(key, __u32);
	__type(value, struct tg_counters);
} tg_counters SEC(".maps");

/* Per CPU, plain increments, as above. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TG_IFACES_MAX);
	__type(key, __u32);
	__type(value, struct tg_tallies);
} tg_tallies SEC(".maps");

/* Per CPU, plain increments; by service. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TG_SERVICES_MAX);
	__type(key, __u32);
	__type(value, struct tg_service_drops);
} tg_service_drops SEC(".maps");

/* Written by user space only: the services by port, one table for each of the two configurations. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct tg_ports);
} tg_ports SEC(".maps");

/* Per CPU, plain writes: SYNs and unfinished handshakes of each destination, on their way to the totals. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TG_DESTINATIONS);
	__type(key, __u32);
	__type(value, struct tg_destination);
} tg_destinations SEC(".maps");

/* Written by every CPU, by atomic addition and compare-and-swap, once in many SYNs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TG_DESTINATIONS);
	__type(key, __u32);
	__type(value, struct tg_destination_total);
} tg_destination_totals SEC(".maps");

/* Written at most once a second by each CPU that protects the destination; racy and harmless. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TG_DESTINATIONS);
	__type(key, __u32);
	__type(value, struct tg_protected);
} tg_protected SEC(".maps");

/* Token buckets: plain writes, a lost one lets one more SYN pass.  Connections: atomic additions by the
 * data path, .counted by the daemon alone. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TG_SOURCE_ROWS *TG_SOURCE_CELLS);
	__type(key, __u32);
	__type(value, struct tg_source);
} tg_sources SEC(".maps");

/* Plain writes: what a race forgets is a SYN that must be sent once more. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TG_SEEN_LINES);
	__type(key, __u32);
	__type(value, struct tg_seen);
} tg_seen SEC(".maps");

/* Per CPU: the socket look-ups spent in the present 100 ms. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tg_budget);
} tg_budget SEC(".maps");

/* Written for each packet by a program loaded for replay, which runs on one CPU; else never. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tg_result);
} tg_result SEC(".maps");

/* Attached interfaces by ifindex: read at egress for forwarded packets only. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TG_IFACES_MAX);
	__type(key, __u32);
	__type(value, __u32);
} tg_attached SEC(".maps");

/*
 * Images of the lists, see tcpguard/lists.h: made and exchanged by user space, which deletes the one
 * no configuration names; the data path only reads.  Bounded by TG_LIST_RULES_MAX.
 */
struct tg_list_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32)); /* clang 14 describes no types in here */
	__uint(value_size, sizeof(struct tg_list_line));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct tg_list_map);
} tg_lists SEC(".maps");

/* Written by the data path while somebody listens, read by the daemon.  Nobody is woken. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} tg_events SEC(".maps");

/* Written by the data path while somebody captures, read by that process. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 2 << 20);
} tg_captures SEC(".maps");

/* Per CPU; atomic additions, because these counts are exact. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TG_COUNTED_MAX);
	__type(key, __u32);
	__type(value, struct tg_event_counts);
} tg_event_counts SEC(".maps");

/* Per CPU, plain writes: a lost one lets one more event out. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tg_event_limits);
} tg_event_limit SEC(".maps");

/* Per CPU: a captured packet on its way into the ring.  Both hooks run with softirqs off. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tg_capture_record);
} tg_scratch SEC(".maps");

/* The flow table as flow_table.h sees it; its twin outside the kernel is flow_memory.h. */
struct tg_table {
	__u32 buckets;
	__u32 config; /* index of the configuration this packet goes by */
};

TG_INLINE struct tg_bucket *tg_bucket_at(const struct tg_table *table, __u32 index)
{
	(void)table; /* there is only one: the maps */
	return bpf_map_lookup_elem(&tg_flows, &index);
}

TG_INLINE struct tg_detail *tg_detail_at(const struct tg_table *table, __u32 number)
{
	(void)table; /* there is only one: the maps */
	return bpf_map_lookup_elem(&tg_details, &number);
}

TG_INLINE __u64 *tg_bucket_word_at(const struct tg_table *table, __u32 index)
{
	(void)table; /* there is only one: the maps */
	return bpf_map_lookup_elem(&tg_buckets, &index);
}

/* A live flow had to make room for a newcomer. */
TG_INLINE void tg_note_eviction(const struct tg_table *table)
{
	__u32 slot = tg_program.iface_slot;
	struct tg_tallies *tallies = bpf_map_lookup_elem(&tg_tallies, &slot);

	(void)table; /* there is only one: the maps */
	if (tallies)
		tallies->tally[TG_TALLY_FLOW_EVICTED]++;
}

TG_INLINE struct tg_settings *tg_settings_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&tg_settings, &zero);
}

TG_INLINE const struct tg_timeouts *tg_timeouts_of(const struct tg_table *table)
{
	struct tg_settings *settings = tg_settings_get();

	return settings ? &settings->config[table->config & 1].timeouts : NULL;
}

#endif
