/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SYNs of connections not yet known: how many may one source send, is their destination flooded, and
 * what is done with them then.  Nothing here allocates; what CPUs share are a source's own cells and, once
 * in many SYNs, a destination's totals.
 */
#ifndef TG_BPF_FLOOD_H
#define TG_BPF_FLOOD_H

#include "flow_judge.bpf.h"
#include "source.bpf.h"

TG_INLINE __u32 tg_destination_cell(const __be32 *addr, __be16 port)
{
	return (tg_address_hash(addr, 0) + tg_program.hash.word[0][8] * port) >> 32 &
	       (TG_DESTINATIONS - 1);
}

/* --- counts of all CPUs ----------------------------------------------------------------------------- */

TG_INLINE __s32 tg_total_count(__u64 total)
{
	return total ? (__s32)((__u32)total - TG_TOTAL_ZERO) : 0;
}

/*
 * Harmless races: of two CPUs that begin a time at once, one adds to what the other stored; if the time
 * passes between reading and adding, a few are counted for the next.
 */
TG_INLINE void tg_total_add(__u64 *total, __u32 time, __s32 change)
{
	__u64 old = TG_READ_ONCE(*total);
	__u64 begun = (__u64)time << 32 | (__u32)(TG_TOTAL_ZERO + change);

	if ((!old || (__s32)(time - (__u32)(old >> 32)) > 0) &&
	    __sync_val_compare_and_swap(total, old, begun) == old)
		return;
	__sync_fetch_and_add(total, (__u64)(__s64)change);
}

/* Together, all CPUs keep back less than a quarter of the lower threshold. */
TG_INLINE bool tg_is_due(const struct tg_flood *flood, __u32 kept, __u32 stop, __u32 start)
{
	return (__u64)kept * 4 * flood->cpus >= (stop ? stop : start);
}

TG_INLINE void tg_count_syn(const struct tg_flood *flood, struct tg_destination *destination,
			    struct tg_destination_total *total, __u64 now_ms)
{
	__u32 syns = destination->syns + 1;

	if (!flood->start_pps)
		return;
	if (tg_is_due(flood, syns * (1000 / TG_FLOOD_WINDOW_MS), flood->stop_pps, flood->start_pps)) {
		tg_total_add(&total->syns, now_ms / TG_FLOOD_WINDOW_MS, syns);
		syns = 0;
	}
	destination->syns = syns;
}

/* change: +1 a handshake began, -1 one was finished. */
TG_INLINE void tg_count_handshake(const struct tg_flood *flood, struct tg_destination *destination,
				  struct tg_destination_total *total, __u64 now_ms, __s32 change)
{
	__s32 unfinished = destination->unfinished + change;
	__u32 second = now_ms / 1000;

	if (!flood->half_open_start)
		return;
	if (tg_is_due(flood, unfinished < 0 ? -unfinished : unfinished, flood->half_open_stop,
		      flood->half_open_start)) {
		tg_total_add(&total->unfinished[second & (TG_HALF_OPEN_SECONDS - 1)], second, unfinished);
		unfinished = 0;
	}
	destination->unfinished = unfinished;
}

/* SYNs a second, of the present window. */
TG_INLINE __u32 tg_syn_pps(const struct tg_destination *destination,
			   const struct tg_destination_total *total, __u64 now_ms)
{
	__u64 all = TG_READ_ONCE(total->syns);
	__u32 syns = destination->syns;

	if (all >> 32 == (__u32)(now_ms / TG_FLOOD_WINDOW_MS))
		syns += tg_total_count(all);
	return syns * (1000 / TG_FLOOD_WINDOW_MS);
}

TG_INLINE __u32 tg_half_open(const struct tg_destination *destination,
			     const struct tg_destination_total *total, __u64 now_ms)
{
	__u32 second = now_ms / 1000, i;
	__s32 sum = destination->unfinished;

	for (i = 0; i < TG_HALF_OPEN_SECONDS; i++) {
		__u64 all = TG_READ_ONCE(total->unfinished[i]);

		if (second - (__u32)(all >> 32) < TG_HALF_OPEN_SECONDS)
			sum += tg_total_count(all);
	}
	return sum > 0 ? sum : 0;
}

/*
 * Is the destination to be protected?  Hysteresis: reaching an upper threshold protects for
 * TG_FLOOD_CALM_MS, and while protected, reaching a lower one prolongs it.
 */
TG_INLINE bool tg_destination_flooded(const struct tg_flood *flood,
				      struct tg_destination *destination,
				      const struct tg_destination_total *total, __u32 syn_pps,
				      __u64 now_ms)
{
	bool protected = now_ms < destination->protected_until_ms;
	__u32 pps_wanted = protected ? flood->stop_pps : flood->start_pps;
	__u32 half_open_wanted = protected ? flood->half_open_stop : flood->half_open_start;

	if ((flood->start_pps && syn_pps >= pps_wanted) ||
	    (flood->half_open_start &&
	     tg_half_open(destination, total, now_ms) >= half_open_wanted)) {
		destination->protected_until_ms = now_ms + TG_FLOOD_CALM_MS;
		return true;
	}
	return protected;
}

/* --- what is protected ------------------------------------------------------------------------------ */

/* Another CPU may have written then after we read now: below 0 is just now. */
TG_INLINE __s64 tg_since(__u64 then_ms, __u64 now_ms)
{
	return now_ms - then_ms;
}

/* For people, and for the ACKs that bring cookies back; one write a second and CPU. */
TG_INLINE void tg_note_protected(__u32 cell, const struct tg_packet *pkt, __u64 now_ms,
				 enum tg_flood_action action)
{
	struct tg_protected *entry = bpf_map_lookup_elem(&tg_protected, &cell);

	if (!entry)
		return;
	if (tg_since(entry->last_ms, now_ms) < 1000 && entry->action == action)
		return;
	if (tg_since(entry->last_ms, now_ms) > TG_FLOOD_CALM_MS + 1000)
		entry->since_ms = now_ms;
	/* Racy and harmless: whichever destination of the cell is shown, both are protected. */
	__builtin_memcpy(entry->addr, pkt->daddr, sizeof(entry->addr));
	entry->port = pkt->dport;
	entry->action = action;
	TG_WRITE_ONCE(entry->last_ms, now_ms);
}

/* Has a SYN cookie been sent for this destination within the time it stays valid? */
TG_INLINE bool tg_challenged_lately(const struct tg_packet *pkt, __u64 now_ms)
{
	__u32 cell = tg_destination_cell(pkt->daddr, pkt->dport);
	const struct tg_protected *entry = bpf_map_lookup_elem(&tg_protected, &cell);

	return entry && entry->last_ms && entry->action == TG_FLOOD_CHALLENGE &&
	       tg_since(entry->last_ms, now_ms) <= TG_FLOOD_COOKIE_MS;
}

/* Is it being flooded this moment? */
TG_INLINE bool tg_challenged_now(const struct tg_packet *pkt, __u64 now_ms)
{
	__u32 cell = tg_destination_cell(pkt->daddr, pkt->dport);
	const struct tg_protected *entry = bpf_map_lookup_elem(&tg_protected, &cell);

	return entry && entry->last_ms && entry->action == TG_FLOOD_CHALLENGE &&
	       tg_since(entry->last_ms, now_ms) <= TG_FLOOD_CALM_MS + 1000;
}

TG_INLINE enum tg_flood_action tg_flood_action(const struct tg_config *config,
					       const struct tg_packet *pkt)
{
	__u32 action = config->service[pkt->service & (TG_SERVICES_MAX - 1)].flood;

	return action == TG_FLOOD_DEFAULT ? config->flood.action : action;
}

/* No cookie answers these; passed, a flood of them would be opened and walked through the stack one by one. */
TG_INLINE bool tg_is_unanswerable(const struct tg_packet *pkt)
{
	return pkt->first_fragment || pkt->jumbo || (pkt->options & TG_OPT_SIGNED);
}

/* A router cannot answer for the listener behind it; the first SYN of a source is lost instead. */
TG_INLINE enum tg_verdict tg_protect(const struct tg_flood *flood, enum tg_flood_action action,
				     __u32 syn_pps, __u32 cell, const struct tg_lookup *lookup,
				     const struct tg_packet *pkt)
{
	__u64 now_ms = lookup->now_ms;

	if (action == TG_FLOOD_CHALLENGE &&
	    (tg_program.profile != TG_PROFILE_HOST || !lookup->answers))
		action = TG_FLOOD_DEFER;
	tg_note_protected(cell, pkt, now_ms, action);
	if (action == TG_FLOOD_CHALLENGE && tg_is_unanswerable(pkt))
		action = TG_FLOOD_DEFER; /* of this SYN: the destination stays challenged */
	switch (action) {
	case TG_FLOOD_CHALLENGE:
		return pkt->enforced ? TG_CHALLENGE_SYN_COOKIE : TG_UNDECIDED;
	case TG_FLOOD_DEFER:
		return tg_syn_comes_back(pkt, now_ms) ? TG_UNDECIDED : TG_DROP_SYN_DEFERRED;
	case TG_FLOOD_RATELIMIT:
		return flood->start_pps && syn_pps > flood->start_pps ? TG_DROP_SYN_FLOOD : TG_UNDECIDED;
	default:
		return TG_UNDECIDED;
	}
}

/*
 * May this SYN, of a connection not yet known, go on?  TG_UNDECIDED: it opens a flow.
 * CHALLENGE_SYN_COOKIE: the caller answers it.  Global: verified once.
 */
TG_GLOBAL int tg_flood_check(const struct tg_lookup *lookup, const struct tg_packet *pkt)
{
	const struct tg_settings *settings = tg_settings_get();
	struct tg_destination_total *total;
	struct tg_destination *destination;
	const struct tg_config *config;
	enum tg_flood_action action;
	enum tg_verdict verdict;
	__u32 cell, syn_pps;

	if (!settings || !lookup || !pkt)
		return TG_UNDECIDED;
	config = &settings->config[lookup->config & 1];
	verdict = tg_source_check(settings, &config->flood, pkt, lookup->now_ms);
	action = tg_flood_action(config, pkt);
	if (verdict || action == TG_FLOOD_OFF)
		return verdict;
	cell = tg_destination_cell(pkt->daddr, pkt->dport);
	destination = bpf_map_lookup_elem(&tg_destinations, &cell);
	total = bpf_map_lookup_elem(&tg_destination_totals, &cell);
	if (!destination || !total)
		return TG_UNDECIDED;
	tg_count_syn(&config->flood, destination, total, lookup->now_ms);
	tg_count_handshake(&config->flood, destination, total, lookup->now_ms, 1);
	syn_pps = tg_syn_pps(destination, total, lookup->now_ms);
	if (!tg_destination_flooded(&config->flood, destination, total, syn_pps, lookup->now_ms))
		return TG_UNDECIDED;
	return tg_protect(&config->flood, action, syn_pps, cell, lookup, pkt);
}

/* A handshake that pkt's sender began is complete: it counts for the source and no longer here. */
TG_GLOBAL int tg_flood_established(const struct tg_lookup *lookup, const struct tg_packet *pkt)
{
	const struct tg_settings *settings = tg_settings_get();
	struct tg_destination_total *total;
	struct tg_destination *destination;
	const struct tg_flood *flood;
	__u32 cell;

	if (!settings || !lookup || !pkt)
		return 0;
	flood = &settings->config[lookup->config & 1].flood;
	tg_seen_before(tg_address_hash(pkt->saddr, 1), lookup->now_ms, true);
	if (flood->source_conns)
		tg_source_established(settings, flood, pkt->saddr, pkt->ipv4);
	cell = tg_destination_cell(pkt->daddr, pkt->dport);
	destination = bpf_map_lookup_elem(&tg_destinations, &cell);
	total = bpf_map_lookup_elem(&tg_destination_totals, &cell);
	if (destination && total)
		tg_count_handshake(flood, destination, total, lookup->now_ms, -1);
	return 0;
}

#endif
