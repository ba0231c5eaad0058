/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SYNs of connections not yet known: how many may one source send, is their destination flooded, and
 * what is done with them then.  Nothing here allocates, and no line is shared between CPUs but a
 * source's own cells.
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

/* Brings the cell to the present: counts of windows and seconds that have passed are let go. */
TG_INLINE void tg_destination_advance(struct tg_destination *destination, __u64 now_ms)
{
	__u32 window = now_ms / TG_FLOOD_WINDOW_MS, second = now_ms / 1000, i;

	if (destination->window != window) {
		destination->window = window;
		destination->syns = 0;
	}
	if (destination->second == second)
		return;
	for (i = 1; i <= TG_HALF_OPEN_SECONDS; i++)
		if (i <= second - destination->second)
			destination->unfinished[(destination->second + i) &
						(TG_HALF_OPEN_SECONDS - 1)] = 0;
	destination->second = second;
}

TG_INLINE __u32 tg_half_open(const struct tg_destination *destination)
{
	__s32 sum = 0;
	__u32 i;

	for (i = 0; i < TG_HALF_OPEN_SECONDS; i++)
		sum += destination->unfinished[i];
	return sum > 0 ? sum : 0;
}

/* change: +1 a handshake began, -1 one was finished. */
TG_INLINE void tg_count_handshake(struct tg_destination *destination, __s32 change)
{
	destination->unfinished[destination->second & (TG_HALF_OPEN_SECONDS - 1)] += change;
}

/*
 * Counts a SYN and says whether its destination is to be protected.  Hysteresis: reaching an upper
 * threshold protects for TG_FLOOD_CALM_MS, and while protected, reaching a lower one prolongs it.
 */
TG_INLINE bool tg_destination_flooded(const struct tg_flood *flood,
				      struct tg_destination *destination, __u64 now_ms)
{
	bool protected = now_ms < destination->protected_until_ms;
	__u32 pps_wanted = protected ? flood->stop_pps : flood->start_pps;
	__u32 half_open_wanted = protected ? flood->half_open_stop : flood->half_open_start;
	__u64 pps, half_open;

	destination->syns++;
	pps = (__u64)destination->syns * (1000 / TG_FLOOD_WINDOW_MS) * flood->cpus;
	half_open = (__u64)tg_half_open(destination) * flood->cpus;
	if ((flood->start_pps && pps >= pps_wanted) ||
	    (flood->half_open_start && half_open >= half_open_wanted)) {
		destination->protected_until_ms = now_ms + TG_FLOOD_CALM_MS;
		return true;
	}
	return protected;
}

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
				     const struct tg_destination *destination, __u32 cell,
				     const struct tg_lookup *lookup, const struct tg_packet *pkt)
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
		return (__u64)destination->syns * (1000 / TG_FLOOD_WINDOW_MS) * flood->cpus >
				       flood->start_pps ?
			       TG_DROP_SYN_FLOOD :
			       TG_UNDECIDED;
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
	struct tg_destination *destination;
	const struct tg_config *config;
	enum tg_flood_action action;
	enum tg_verdict verdict;
	__u32 cell;

	if (!settings || !lookup || !pkt)
		return TG_UNDECIDED;
	config = &settings->config[lookup->config & 1];
	verdict = tg_source_check(settings, &config->flood, pkt, lookup->now_ms);
	action = tg_flood_action(config, pkt);
	if (verdict || action == TG_FLOOD_OFF)
		return verdict;
	cell = tg_destination_cell(pkt->daddr, pkt->dport);
	destination = bpf_map_lookup_elem(&tg_destinations, &cell);
	if (!destination)
		return TG_UNDECIDED;
	tg_destination_advance(destination, lookup->now_ms);
	tg_count_handshake(destination, 1);
	if (!tg_destination_flooded(&config->flood, destination, lookup->now_ms))
		return TG_UNDECIDED;
	return tg_protect(&config->flood, action, destination, cell, lookup, pkt);
}

/* A handshake that pkt's sender began is complete: it counts for the source and no longer here. */
TG_GLOBAL int tg_flood_established(const struct tg_lookup *lookup, const struct tg_packet *pkt)
{
	const struct tg_settings *settings = tg_settings_get();
	struct tg_destination *destination;
	__u32 cell;

	if (!settings || !lookup || !pkt)
		return 0;
	tg_seen_before(tg_address_hash(pkt->saddr, 1), lookup->now_ms, true);
	if (settings->config[lookup->config & 1].flood.source_conns)
		tg_source_established(settings, &settings->config[lookup->config & 1].flood,
				      pkt->saddr, pkt->ipv4);
	cell = tg_destination_cell(pkt->daddr, pkt->dport);
	destination = bpf_map_lookup_elem(&tg_destinations, &cell);
	if (!destination)
		return 0;
	tg_destination_advance(destination, lookup->now_ms);
	tg_count_handshake(destination, -1);
	return 0;
}

#endif
