/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fill N: puts N established flows into the pinned table, by the code that opens flows everywhere, so
 * that listing, sweeping and counting have something to do.  Not part of the bench program.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/flow_table.h"
#include "daemon/pins.h"
#include "tests/bench/driver.h"

static struct tg_packet packet_of(uint64_t n)
{
	struct tg_packet pkt = { .ipv4 = true, .dport = htons(80) };

	pkt.saddr[2] = pkt.daddr[2] = htonl(0xffff);
	pkt.saddr[3] = htonl(bench_address(n));
	pkt.daddr[3] = htonl(0xc6120001);
	pkt.sport = htons(bench_port(n));
	return pkt;
}

static void set_half(struct tg_half *half, uint32_t number)
{
	half->end = number;
	half->ack = number + 7;
	half->maxwin = 65535;
	half->right = half->ack + half->maxwin;
	half->aux = 0;
	half->facts = TG_FACT_SYN | TG_FACT_ACKSYN | TG_FACT_HASACK | 7 << TG_WSCALE_SHIFT;
}

/* Both halves say that everything is acknowledged: such flows live for a day. */
static void set_slot(const struct pins *pins, const struct tg_ref *ref, const struct tg_packet *pkt,
		     enum tg_side side, uint64_t n, uint32_t now_ms)
{
	struct tg_detail *detail = tg_detail_at(&pins->table, ref->number);

	memset(detail, 0, sizeof(*detail));
	tg_key_from_packet(pkt, side, 0, &detail->key);
	detail->created_ms = now_ms - (uint32_t)(bench_mix(n) % 3600000);
	detail->count[0].packets = (uint32_t)bench_mix(n + 1) % 100000;
	detail->count[0].bytes = bench_mix(n + 2) % 100000000;
	detail->count[1].packets = (uint32_t)n;
	detail->count[0].last_ms = detail->count[1].last_ms = now_ms;
	ref->slot->stamp_ms = now_ms;
	set_half(&ref->slot->half[0], (uint32_t)n);
	set_half(&ref->slot->half[1], (uint32_t)n + 7);
	ref->slot->half[0].ack = ref->slot->half[1].end;
	ref->slot->half[1].ack = ref->slot->half[0].end;
	tg_flow_publish(ref);
}

int main(int argc, char **argv)
{
	uint64_t count = argc == 2 ? strtoull(argv[1], NULL, 10) : 0, n, now_ms, opened = 0;
	struct tg_hash_key hash;
	struct pins pins;

	if (!count) {
		fputs("usage: fill FLOWS\n", stderr);
		return 2;
	}
	if (pins_open(&pins, true) || pins_now_ms(&pins, &now_ms))
		return 1;
	tg_hash_key_for_zone(pins.info.coefficient, 0, &hash);
	for (n = 0; n < count; n++) {
		struct tg_packet pkt = packet_of(n);
		struct tg_flow_id id = tg_flow_identify(&hash, &pkt);
		struct tg_ref ref;

		if (tg_flow_claim(&pins.table, id.tag, tg_claim_flags(id.side, TG_ORIGIN_SYN),
				  (uint32_t)now_ms, &ref) != TG_FOUND_NONE ||
		    !ref.slot)
			continue;
		set_slot(&pins, &ref, &pkt, id.side, n, (uint32_t)now_ms);
		opened++;
	}
	pins_close(&pins);
	printf("%llu\n", (unsigned long long)opened);
	return 0;
}
