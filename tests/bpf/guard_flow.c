/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding the flow of client and server in a guard's mapped table. */
#include <string.h>

#include "tests/bpf/guard_flow.h"
#include "tests/bpf/guard_struct.h"

static bool find_flow(struct guard *guard, struct tg_ref *ref, enum tg_side *client)
{
	const struct endpoint *from = guard_endpoint(guard, CLIENT), *to = guard_endpoint(guard, SERVER);
	struct tg_packet packet = { .ipv4 = !guard->options.ipv6 };
	struct tg_flow_id id;
	__u64 *word;

	packet.sport = htons(from->port);
	packet.dport = htons(to->port);
	if (packet.ipv4) {
		packet.saddr[2] = packet.daddr[2] = htonl(0xffff);
		memcpy(&packet.saddr[3], from->address, 4);
		memcpy(&packet.daddr[3], to->address, 4);
	} else {
		memcpy(packet.saddr, from->address, 16);
		memcpy(packet.daddr, to->address, 16);
	}
	id = tg_flow_identify(&guard->hash, &packet);
	*client = id.side;
	return tg_flow_find(&guard->table, id.tag, ref, &word) == TG_FOUND_LIVE &&
	       !tg_slot_expired(ref->slot, &guard->settings->config[0].timeouts, (__u32)guard_now_ms(guard));
}

struct tg_slot *guard_slot(struct guard *guard)
{
	enum tg_side client;
	struct tg_ref ref;

	return find_flow(guard, &ref, &client) ? ref.slot : NULL;
}

struct tg_detail *guard_detail(struct guard *guard)
{
	enum tg_side client;
	struct tg_ref ref;

	return find_flow(guard, &ref, &client) ? &guard->table.detail[ref.number] : NULL;
}

struct tg_half *guard_half(struct guard *guard, enum speaker who)
{
	enum tg_side client;
	struct tg_ref ref;

	if (!find_flow(guard, &ref, &client))
		fail_msg("there is no flow");
	return &ref.slot->half[who == CLIENT ? client : !client];
}

struct tg_half_count *guard_half_count(struct guard *guard, enum speaker who)
{
	enum tg_side client;
	struct tg_ref ref;

	if (!find_flow(guard, &ref, &client))
		fail_msg("there is no flow");
	return &guard->table.detail[ref.number].count[who == CLIENT ? client : !client];
}

enum tg_tcp_state guard_state(struct guard *guard, enum speaker who)
{
	if (!guard_slot(guard))
		return TG_TCP_CLOSED;
	return tg_endpoint_state(guard_half(guard, who),
				 guard_half(guard, who == CLIENT ? SERVER : CLIENT));
}

enum tg_phase guard_phase(struct guard *guard)
{
	return tg_flow_phase(guard_half(guard, CLIENT), guard_half(guard, SERVER));
}

uint32_t guard_flows(struct guard *guard)
{
	uint32_t flows = 0, i, way;

	for (i = 0; i < guard->table.buckets; i++) {
		for (way = 0; way < TG_BUCKET_WAYS; way++) {
			const struct tg_slot *slot = &guard->table.bucket[i].slot[way];

			flows += tg_claim_live(slot->claim) &&
				 !tg_slot_expired(slot, &guard->settings->config[0].timeouts,
						  (__u32)guard_now_ms(guard));
		}
	}
	return flows;
}
