/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One pass over the table into the cells the data path looks at. */
#include "source_count.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "bpf/flow_table.h"
#include "bpf/key.h"
#include "bpf/source.h"

#define CELLS ((size_t)TG_SOURCE_ROWS * TG_SOURCE_CELLS)
#define INTERVAL_MS 1000
#define SHARE 50 /* one part of this of a core's time */

/* One pass. */
struct count {
	const struct tg_flood *flood;
	const struct tg_timeouts *timeouts;
	struct tg_hash_key hash;
	uint32_t now_ms;
	uint32_t *cells;
};

/* Without a sweep, as after a time without a daemon, the table holds flows that are long over. */
static bool is_over(const struct tg_slot *slot, const struct count *count)
{
	return tg_flow_expired(slot, slot->claim, count->timeouts, count->now_ms);
}

static bool counts(const struct tg_slot *slot, enum tg_side opener, const struct count *count)
{
	enum tg_phase phase;

	if (!tg_claim_live(slot->claim) || (slot->half[opener].facts & TG_FACT_OWN))
		return false;
	phase = tg_flow_phase(&slot->half[TG_SIDE_LO], &slot->half[TG_SIDE_HI]);
	return (phase == TG_PHASE_ESTABLISHED || phase == TG_PHASE_HALF_CLOSED || phase == TG_PHASE_LAST) &&
	       !is_over(slot, count);
}

static bool is_ipv4(const __be32 *addr)
{
	return !addr[0] && !addr[1] && addr[2] == TG_MAPPED_PREFIX;
}

static void count_slot(const struct tg_slot *slot, const struct tg_detail *detail, const struct count *count)
{
	enum tg_side opener = slot->claim & TG_CLAIM_OPENER_HI ? TG_SIDE_HI : TG_SIDE_LO;
	const __be32 *addr = opener == TG_SIDE_HI ? detail->key.hi_addr : detail->key.lo_addr;
	uint32_t row;

	if (!counts(slot, opener, count))
		return;
	for (row = 0; row < TG_SOURCE_ROWS; row++)
		count->cells[tg_source_cell_of(&count->hash, count->flood, addr, is_ipv4(addr), row)]++;
}

int source_count_run(const struct pins *p, uint64_t now_ms)
{
	const struct tg_config *config = tg_active_config(p->settings);
	uint32_t former = TG_READ_ONCE(p->settings->source_epoch) & 1, bucket, way;
	struct count count = {
		.flood = &config->flood,
		.timeouts = &config->timeouts,
		.now_ms = (uint32_t)now_ms,
		.cells = calloc(CELLS, sizeof(*count.cells)),
	};
	size_t cell;

	if (!count.cells)
		return -ENOMEM;
	tg_hash_key_for_zone(p->info.coefficient, 0, &count.hash);
	/*
	 * What is established from here on goes to the other count; some of it is counted twice
	 * until the next run.
	 */
	for (cell = 0; cell < CELLS; cell++)
		TG_WRITE_ONCE(p->sources[cell].since[!former], 0);
	TG_WRITE_ONCE(p->settings->source_epoch, !former);
	__sync_synchronize();
	for (bucket = 0; bucket < p->table.buckets; bucket++)
		for (way = 0; way < TG_BUCKET_WAYS; way++)
			count_slot(&p->buckets[bucket].slot[way],
				   &p->details[bucket * TG_BUCKET_WAYS + way], &count);
	for (cell = 0; cell < CELLS; cell++) {
		TG_WRITE_ONCE(p->sources[cell].counted, count.cells[cell]);
		TG_WRITE_ONCE(p->sources[cell].since[former], 0);
	}
	TG_WRITE_ONCE(p->settings->sources_counted_ms, now_ms);
	free(count.cells);
	return 0;
}

static uint64_t cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int source_count_step(const struct pins *p, uint64_t now_ms, uint64_t *next_ms)
{
	uint64_t began_ms = cpu_ms(), took_ms;
	int err;

	if (!tg_active_config(p->settings)->flood.source_conns || now_ms < *next_ms)
		return 0;
	err = source_count_run(p, now_ms);
	took_ms = cpu_ms() - began_ms;
	*next_ms = now_ms + (took_ms * SHARE > INTERVAL_MS ? took_ms * SHARE : INTERVAL_MS);
	return err;
}
