/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floods at a full table: handshakes displace handshakes, and no established flow is lost, changed
 * or dropped.  Filled and flooded through the real programs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bpf/harness.h"

#include "bpf/flow_table.h"

#define MAX_FLOWS 65536
#define FLOOD 5000000
#define ACTIVE 500 /* of the established flows, those that go on during the flood */
#define SYNS_PER_EXCHANGE 100
#define ROUNDS (FLOOD / SYNS_PER_EXCHANGE / ACTIVE)
#define SYNS_PER_MS 250

static const struct endpoint service = { { 192, 168, 0, 1 }, 443 };

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Client number i of those that were there before the flood. */
static struct endpoint client_of(uint32_t i)
{
	return (struct endpoint){ { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i },
				  (uint16_t)(32768 + i % 28232) };
}

/* Returns what the program returned. */
static uint32_t run(struct guard *guard, const struct segment *segment, bool egress)
{
	uint8_t frame[FRAME_MAX];
	size_t size = frame_build(frame, segment);

	return guard_run(guard, frame, size, egress);
}

static void shake_hands(struct guard *guard, uint32_t i)
{
	struct endpoint client = client_of(i);
	struct segment syn = { .from = &client, .to = &service, .flags = SYN, .seq = i, .wscale = WS(7) };
	struct segment synack = {
		.from = &service,
		.to = &client,
		.flags = SYN | ACK,
		.seq = ~i,
		.ack = i + 1,
		.wscale = WS(7),
	};
	struct segment ack = { .from = &client, .to = &service, .flags = ACK, .seq = i + 1, .ack = ~i + 1 };

	run(guard, &syn, false);
	run(guard, &synack, true);
	run(guard, &ack, false);
}

/* The next hundred bytes each way; both pass whether or not the flow found a slot. */
static void exchange(struct guard *guard, uint32_t i, uint32_t round)
{
	struct endpoint client = client_of(i);
	struct segment there = {
		.from = &client,
		.to = &service,
		.flags = PSH | ACK,
		.seq = i + 1 + 100 * round,
		.ack = ~i + 1 + 100 * round,
		.payload = 100,
	};
	struct segment back = {
		.from = &service,
		.to = &client,
		.flags = PSH | ACK,
		.seq = ~i + 1 + 100 * round,
		.ack = i + 101 + 100 * round,
		.payload = 100,
	};

	assert_int_equal(run(guard, &there, false), 2); /* XDP_PASS */
	assert_int_equal((int)run(guard, &back, true), -1); /* TC_ACT_UNSPEC */
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Addresses from 11.0.0.0 to 222.255.255.255: possible ones, none of the clients. */
static void send_syn(struct guard *guard, uint64_t *seed)
{
	struct endpoint source = {};
	struct segment syn = { .from = &source, .to = &service, .flags = SYN, .tsval = 1, .wscale = WS(7) };

	next_random(seed);
	source.address[0] = (uint8_t)(11 + (*seed & 0xffff) * 212 / 65536);
	source.address[1] = (uint8_t)(*seed >> 16);
	source.address[2] = (uint8_t)(*seed >> 24);
	source.address[3] = (uint8_t)(*seed >> 32);
	source.port = (uint16_t)(*seed >> 40);
	syn.seq = (uint32_t)(*seed * 2654435761U >> 16);
	assert_int_equal(run(guard, &syn, false), 2);
}

struct flood {
	uint64_t opened, refused;
	double seconds;
};

/* Meanwhile the first `active` clients go on, one after the other. */
static struct flood flood_with_syns(struct guard *guard, uint32_t count, uint32_t active)
{
	uint64_t opened = guard_count(guard, TG_PASS_NEW), refused = guard_count(guard, TG_PASS_TABLE_FULL);
	uint64_t seed = 88172645463325252ULL;
	struct flood flood;
	uint32_t i;

	flood.seconds = seconds();
	for (i = 0; i < count; i++) {
		send_syn(guard, &seed);
		if (i % SYNS_PER_MS == 0)
			guard_advance_ms(guard, 1);
		if (active && i % SYNS_PER_EXCHANGE == 0)
			exchange(guard, i / SYNS_PER_EXCHANGE % active, i / SYNS_PER_EXCHANGE / active);
	}
	flood.seconds = seconds() - flood.seconds;
	flood.opened = guard_count(guard, TG_PASS_NEW) - opened;
	flood.refused = guard_count(guard, TG_PASS_TABLE_FULL) - refused;
	return flood;
}

static size_t table_bytes(struct guard *guard)
{
	return guard_table(guard)->buckets * sizeof(struct tg_bucket);
}

static struct tg_bucket *copy_table(struct guard *guard)
{
	struct tg_bucket *copy = malloc(table_bytes(guard));

	assert_non_null(copy);
	memcpy(copy, guard_table(guard)->bucket, table_bytes(guard));
	return copy;
}

static bool is_established(const struct tg_slot *slot)
{
	return tg_claim_live(slot->claim) &&
	       tg_flow_phase(&slot->half[0], &slot->half[1]) == TG_PHASE_ESTABLISHED;
}

static uint32_t count_established(struct guard *guard)
{
	const struct tg_table *table = guard_table(guard);
	uint32_t count = 0, i;

	for (i = 0; i < table->buckets * TG_BUCKET_WAYS; i++)
		count += is_established(&table->bucket[i / TG_BUCKET_WAYS].slot[i % TG_BUCKET_WAYS]);
	return count;
}

/* How many established flows of the copy are not, to the last bit, what they were. */
static uint32_t count_changed(struct guard *guard, const struct tg_bucket *before)
{
	const struct tg_table *table = guard_table(guard);
	uint32_t changed = 0, i, way;

	for (i = 0; i < table->buckets; i++)
		for (way = 0; way < TG_BUCKET_WAYS; way++)
			changed += is_established(&before[i].slot[way]) &&
				   memcmp(&before[i].slot[way], &table->bucket[i].slot[way],
					  sizeof(struct tg_slot));
	return changed;
}

/* Every established flow is found and its segments pass as known ones; those without a slot pass too. */
static void check_that_all_go_on(struct guard *guard, uint32_t flows, uint32_t established,
				 uint32_t active)
{
	uint64_t ok = guard_count(guard, TG_PASS_OK), full = guard_count(guard, TG_PASS_TABLE_FULL);
	uint32_t i;

	for (i = 0; i < flows; i++)
		exchange(guard, i, i < active ? ROUNDS : 0);
	assert_int_equal(guard_count(guard, TG_PASS_OK) - ok, 2ULL * established);
	assert_int_equal(guard_count(guard, TG_PASS_TABLE_FULL) - full, 2ULL * (flows - established));
}

/* A8: 65,000 idle and 500 active flows, more than the table was made for; none is lost. */
static void synflood_of_five_million_evicts_no_established_flow(void **state)
{
	const struct guard_options options = { .max_flows = MAX_FLOWS };
	struct guard *guard = guard_open(&options);
	double began = seconds(), filled;
	struct tg_bucket *before;
	uint32_t established, i;
	struct flood flood;
	uint64_t ok;

	(void)state;
	for (i = 0; i < MAX_FLOWS; i++)
		shake_hands(guard, i);
	filled = seconds() - began;
	established = count_established(guard);
	printf("# %d handshakes in %.1f s, %u without a slot\n", MAX_FLOWS, filled,
	       MAX_FLOWS - established);
	assert_true((MAX_FLOWS - established) * 10000ULL < MAX_FLOWS);

	before = copy_table(guard);
	ok = guard_count(guard, TG_PASS_OK);
	flood = flood_with_syns(guard, FLOOD, ACTIVE);
	printf("# %d SYNs in %.1f s (%.0f ns each, test run included): %llu opened, %llu refused\n", FLOOD,
	       flood.seconds, flood.seconds * 1e9 / FLOOD, (unsigned long long)flood.opened,
	       (unsigned long long)flood.refused);
	/* Two SYNs of one tuple are as rare as random numbers make them. */
	assert_true(flood.opened + flood.refused > FLOOD - FLOOD / 2500);
	assert_int_equal(guard_count(guard, TG_PASS_OK) - ok, 2ULL * ROUNDS * ACTIVE);
	assert_int_equal(count_changed(guard, before), ACTIVE);
	assert_int_equal(count_established(guard), established);
	check_that_all_go_on(guard, MAX_FLOWS, established, ACTIVE);
	free(before);
	guard_close(guard);
}

/* Beyond what --max-flows promises: every slot holds an established flow. */
static void full_pass_of_a_table_of_established_flows(void **state)
{
	const struct guard_options options = { .max_flows = 2048 };
	struct guard *guard = guard_open(&options);
	uint32_t slots = guard_table(guard)->buckets * TG_BUCKET_WAYS, flows = 0;
	struct tg_bucket *before;
	struct flood flood;

	(void)state;
	while (flows < 20 * slots && (flows % slots || count_established(guard) < slots))
		shake_hands(guard, flows++);
	assert_int_equal(count_established(guard), slots);
	before = copy_table(guard);
	flood = flood_with_syns(guard, FLOOD / 25, 0);
	printf("# %u slots, all established, by %u handshakes: %llu of %d SYNs refused\n", slots, flows,
	       (unsigned long long)flood.refused, FLOOD / 25);
	assert_int_equal(flood.refused, FLOOD / 25);
	assert_memory_equal(guard_table(guard)->bucket, before, table_bytes(guard));
	check_that_all_go_on(guard, flows, slots, 0);
	free(before);
	guard_close(guard);
}

static void shake_many_hands(struct guard *guard, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		shake_hands(guard, i);
	assert_int_equal(count_established(guard), count);
}

/* A9: SYNs from one /24 and from one IPv6 /64 only; the sources' own limits are not the tracker's. */
static void synflood_prefix_of_one_network_evicts_no_established_flow(void **state)
{
	static const struct endpoint service6 = { { 0xfd, [15] = 1 }, 443 };
	const struct guard_options options = { .max_flows = 4096 };
	struct guard *guard = guard_open(&options);
	struct endpoint source = { { 203, 0, 113, 0 }, 0 }, source6 = { { 0x20, 0x01, 0x0d, 0xb8 }, 0 };
	struct segment syn = { .from = &source, .to = &service, .flags = SYN };
	struct segment syn6 = { .from = &source6, .to = &service6, .flags = SYN, .ipv6 = true };
	uint64_t seed = 88172645463325252ULL;
	struct tg_bucket *before;
	uint32_t i;

	(void)state;
	shake_many_hands(guard, 1500);
	before = copy_table(guard);
	for (i = 0; i < 200000; i++) {
		uint64_t random = next_random(&seed);

		source.address[3] = (uint8_t)random;
		source.port = (uint16_t)(random >> 8);
		memcpy(source6.address + 8, &random, 8);
		source6.port = (uint16_t)(random >> 24);
		syn.seq = syn6.seq = (uint32_t)(random >> 32);
		assert_int_equal(run(guard, &syn, false), 2);
		assert_int_equal(run(guard, &syn6, false), 2);
		if (i % SYNS_PER_MS == 0)
			guard_advance_ms(guard, 1);
	}
	assert_int_equal(count_changed(guard, before), 0);
	check_that_all_go_on(guard, 1500, 1500, 0);
	free(before);
	guard_close(guard);
}

/* A22: completed handshakes, ten times as many as the table is for; the flows before them stay. */
static void conn_flood_displaces_no_established_flow(void **state)
{
	const struct guard_options options = { .max_flows = 4096 };
	struct guard *guard = guard_open(&options);
	struct tg_bucket *before;
	uint64_t full;
	uint32_t i;

	(void)state;
	shake_many_hands(guard, 1500);
	before = copy_table(guard);
	for (i = 0; i < 40960; i++)
		shake_hands(guard, 100000 + i);
	assert_int_equal(count_changed(guard, before), 0);
	full = guard_count(guard, TG_PASS_TABLE_FULL);
	assert_true(full > 0);
	printf("# %u established of 40960, %llu segments passed untracked\n",
	       count_established(guard) - 1500, (unsigned long long)full);
	check_that_all_go_on(guard, 1500, 1500, 0);
	/* Those that found no room go on as well: they pass, untracked. */
	for (i = 40000; i < 40960; i++)
		exchange(guard, 100000 + i, 0);
	free(before);
	guard_close(guard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(synflood_of_five_million_evicts_no_established_flow),
		cmocka_unit_test(full_pass_of_a_table_of_established_flows),
		cmocka_unit_test(synflood_prefix_of_one_network_evicts_no_established_flow),
		cmocka_unit_test(conn_flood_displaces_no_established_flow),
	};

	return cmocka_run_group_tests_name("flood", tests, NULL, NULL);
}
