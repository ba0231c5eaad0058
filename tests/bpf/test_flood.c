/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flood of SYNs at a full table: handshakes displace handshakes, and no established flow is lost,
 * changed or dropped.  Filled and flooded through the real programs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bpf/harness.h"

#include "bpf/flow_table.h"

#define MAX_FLOWS 65536
#define FLOOD 2000000
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

/* A hundred bytes each way; both pass whether or not the flow found a slot. */
static void exchange(struct guard *guard, uint32_t i)
{
	struct endpoint client = client_of(i);
	struct segment there = {
		.from = &client,
		.to = &service,
		.flags = PSH | ACK,
		.seq = i + 1,
		.ack = ~i + 1,
		.payload = 100,
	};
	struct segment back = {
		.from = &service,
		.to = &client,
		.flags = PSH | ACK,
		.seq = ~i + 1,
		.ack = i + 101,
		.payload = 100,
	};

	assert_int_equal(run(guard, &there, false), 2); /* XDP_PASS */
	assert_int_equal((int)run(guard, &back, true), -1); /* TC_ACT_UNSPEC */
}

/* Addresses from 11.0.0.0 to 222.255.255.255: possible ones, none of the clients. */
static void send_syn(struct guard *guard, uint64_t *seed)
{
	struct endpoint source = {};
	struct segment syn = { .from = &source, .to = &service, .flags = SYN, .tsval = 1, .wscale = WS(7) };

	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
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

static struct flood flood_with_syns(struct guard *guard, uint32_t count)
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
static void check_that_all_go_on(struct guard *guard, uint32_t flows, uint32_t established)
{
	uint64_t ok = guard_count(guard, TG_PASS_OK), full = guard_count(guard, TG_PASS_TABLE_FULL);
	uint32_t i;

	for (i = 0; i < flows; i++)
		exchange(guard, i);
	assert_int_equal(guard_count(guard, TG_PASS_OK) - ok, 2ULL * established);
	assert_int_equal(guard_count(guard, TG_PASS_TABLE_FULL) - full, 2ULL * (flows - established));
}

static void two_million_syns_evict_no_established_flow(void **state)
{
	const struct guard_options options = { .max_flows = MAX_FLOWS };
	struct guard *guard = guard_open(&options);
	double began = seconds(), filled;
	struct tg_bucket *before;
	uint32_t established, i;
	struct flood flood;

	(void)state;
	for (i = 0; i < MAX_FLOWS; i++)
		shake_hands(guard, i);
	filled = seconds() - began;
	established = count_established(guard);
	printf("# %d handshakes in %.1f s, %u without a slot\n", MAX_FLOWS, filled,
	       MAX_FLOWS - established);
	assert_true((MAX_FLOWS - established) * 10000ULL < MAX_FLOWS);

	before = copy_table(guard);
	flood = flood_with_syns(guard, FLOOD);
	printf("# %d SYNs in %.1f s (%.0f ns each, test run included): %llu opened, %llu refused\n", FLOOD,
	       flood.seconds, flood.seconds * 1e9 / FLOOD, (unsigned long long)flood.opened,
	       (unsigned long long)flood.refused);
	/* Two SYNs of one tuple are as rare as random numbers make them. */
	assert_true(flood.opened + flood.refused > FLOOD - FLOOD / 1000);
	assert_int_equal(count_changed(guard, before), 0);
	assert_int_equal(count_established(guard), established);
	check_that_all_go_on(guard, MAX_FLOWS, established);
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
	flood = flood_with_syns(guard, FLOOD / 10);
	printf("# %u slots, all established, by %u handshakes: %llu of %d SYNs refused\n", slots, flows,
	       (unsigned long long)flood.refused, FLOOD / 10);
	assert_int_equal(flood.refused, FLOOD / 10);
	assert_memory_equal(guard_table(guard)->bucket, before, table_bytes(guard));
	check_that_all_go_on(guard, flows, slots);
	free(before);
	guard_close(guard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_million_syns_evict_no_established_flow),
		cmocka_unit_test(full_pass_of_a_table_of_established_flows),
	};

	return cmocka_run_group_tests_name("flood", tests, NULL, NULL);
}
