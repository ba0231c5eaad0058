/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon counts by the very cells the data path looks at, and only what a source opened. */
#include <string.h>

#include "tests/unit/unit.h"

#include "bpf/key.h"
#include "bpf/source.h"
#include "daemon/source_count.h"

#define BUCKETS 4
#define SLOTS (BUCKETS * TG_BUCKET_WAYS)
#define NOW_MS 5000000

static struct world {
	struct tg_settings settings;
	struct tg_bucket buckets[BUCKETS];
	struct tg_detail details[SLOTS];
	struct tg_source sources[TG_SOURCE_ROWS * TG_SOURCE_CELLS];
	struct pins pins;
	struct tg_hash_key hash;
	uint32_t used;
} world;

static int setup(void **state)
{
	struct tg_flood flood = TG_FLOOD_DEFAULTS;
	uint32_t row, i;

	memset(&world, 0, sizeof(world));
	for (row = 0; row < 2; row++)
		for (i = 0; i < TG_HASH_COEFFICIENTS; i++)
			world.pins.info.coefficient[row][i] =
				0x9e3779b97f4a7c15ULL * (row * TG_HASH_COEFFICIENTS + i + 1) | 1;
	tg_hash_key_for_zone(world.pins.info.coefficient, 0, &world.hash);
	flood.source_conns = 10;
	world.settings.config[0].flood = flood;
	world.settings.config[0].timeouts = (struct tg_timeouts)TG_TIMEOUTS_DEFAULT;
	world.pins.settings = &world.settings;
	world.pins.buckets = world.buckets;
	world.pins.details = world.details;
	world.pins.sources = world.sources;
	world.pins.table.buckets = BUCKETS;
	*state = &world;
	return 0;
}

/* A flow that 192.0.2.host opened towards 10.0.0.2; facts of opener and other. */
static struct tg_slot *put(uint8_t host, uint32_t opener_facts, uint32_t other_facts)
{
	uint32_t number = world.used++;
	struct tg_slot *slot = &world.buckets[number / TG_BUCKET_WAYS].slot[number % TG_BUCKET_WAYS];
	struct tg_flow_key *key = &world.details[number].key;

	slot->claim = TG_CLAIM_OWNED | TG_CLAIM_LIVE | TG_CLAIM_OPENER_HI;
	slot->stamp_ms = NOW_MS;
	slot->half[TG_SIDE_HI].facts = opener_facts;
	slot->half[TG_SIDE_LO].facts = other_facts;
	key->lo_addr[2] = key->hi_addr[2] = TG_MAPPED_PREFIX;
	key->lo_addr[3] = htonl(0x0a000002);
	key->hi_addr[3] = htonl(0xc0000200U | host);
	return slot;
}

#define ACKED (TG_FACT_SYN | TG_FACT_HASACK | TG_FACT_ACKSYN)

static uint32_t counted(uint8_t host)
{
	const __be32 addr[4] = { 0, 0, TG_MAPPED_PREFIX, htonl(0xc0000200U | host) };
	const struct tg_flood *flood = &world.settings.config[0].flood;
	uint32_t first = tg_source_cell_of(&world.hash, flood, addr, true, 0);
	uint32_t second = tg_source_cell_of(&world.hash, flood, addr, true, 1);

	assert_true(first < TG_SOURCE_CELLS && second >= TG_SOURCE_CELLS);
	return world.sources[first].counted < world.sources[second].counted ?
		       world.sources[first].counted :
		       world.sources[second].counted;
}

static void established_connections_of_a_source_are_counted(void **state)
{
	(void)state;
	put(1, ACKED, ACKED);
	put(1, ACKED | TG_FACT_FIN, ACKED); /* half closed */
	put(1, TG_FACT_SYN, 0); /* a SYN */
	put(1, TG_FACT_SYN, TG_FACT_SYN | TG_FACT_HASACK | TG_FACT_ACKSYN); /* unfinished */
	put(2, ACKED, ACKED);
	assert_int_equal(source_count_run(&world.pins, NOW_MS), 0);
	assert_int_equal(counted(1), 2);
	assert_int_equal(counted(2), 1);
	assert_int_equal(counted(3), 0);
	assert_int_equal(world.settings.sources_counted_ms, NOW_MS);
}

static void our_own_connections_are_nobodys(void **state)
{
	(void)state;
	put(1, ACKED | TG_FACT_OWN, ACKED);
	assert_int_equal(source_count_run(&world.pins, NOW_MS), 0);
	assert_int_equal(counted(1), 0);
}

/* As they are while nobody sweeps; a suspect flow may be established, whatever it looks like. */
static void expired_connections_are_not_counted(void **state)
{
	const uint32_t half_closed_ms = world.settings.config[0].timeouts.phase_ms[TG_PHASE_HALF_CLOSED];
	struct tg_slot *suspect = put(3, ACKED | TG_FACT_FIN, ACKED);

	(void)state;
	put(1, ACKED | TG_FACT_FIN, ACKED)->stamp_ms = NOW_MS - half_closed_ms;
	put(2, ACKED | TG_FACT_FIN, ACKED)->stamp_ms = NOW_MS - half_closed_ms - 1;
	suspect->stamp_ms = NOW_MS - half_closed_ms - 1;
	suspect->claim |= TG_CLAIM_SUSPECT;
	assert_int_equal(source_count_run(&world.pins, NOW_MS), 0);
	assert_int_equal(counted(1), 1);
	assert_int_equal(counted(2), 0);
	assert_int_equal(counted(3), 1);
}

/* What the data path added before is in the new count; what it adds from now on is not lost. */
static void a_count_replaces_what_was_added_since(void **state)
{
	(void)state;
	world.sources[7].since[0] = 5;
	world.sources[7].since[1] = 3;
	world.sources[7].counted = 9;
	assert_int_equal(source_count_run(&world.pins, NOW_MS), 0);
	assert_int_equal(world.settings.source_epoch, 1);
	assert_int_equal(world.sources[7].since[0] + world.sources[7].since[1], 0);
	assert_int_equal(world.sources[7].counted, 0);
}

static void it_counts_when_a_limit_is_set_and_it_is_time(void **state)
{
	uint64_t next_ms = 0;

	(void)state;
	world.settings.config[0].flood.source_conns = 0;
	assert_int_equal(source_count_step(&world.pins, NOW_MS, &next_ms), 0);
	assert_int_equal(world.settings.sources_counted_ms, 0);
	world.settings.config[0].flood.source_conns = 1;
	assert_int_equal(source_count_step(&world.pins, NOW_MS, &next_ms), 0);
	assert_int_equal(world.settings.sources_counted_ms, NOW_MS);
	assert_true(next_ms >= NOW_MS + 1000);
	assert_int_equal(source_count_step(&world.pins, next_ms - 1, &next_ms), 0);
	assert_int_equal(world.settings.sources_counted_ms, NOW_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(established_connections_of_a_source_are_counted, setup),
		cmocka_unit_test_setup(our_own_connections_are_nobodys, setup),
		cmocka_unit_test_setup(expired_connections_are_not_counted, setup),
		cmocka_unit_test_setup(a_count_replaces_what_was_added_since, setup),
		cmocka_unit_test_setup(it_counts_when_a_limit_is_set_and_it_is_time, setup),
	};

	return cmocka_run_group_tests_name("source_count", tests, NULL, NULL);
}
