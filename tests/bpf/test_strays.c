/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segments of no flow, by the hundred thousand: scans, forged last steps, answers to what we never
 * sent.
 */
#include <string.h>

#include "tests/bpf/harness.h"

#define FLOOD 100000
#define FEW (FLOOD / 10)

static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 32);
}

/* Segments from random addresses and ports: without a flow none passes and no entry is made. */
static void send_strays(struct guard *guard, const uint8_t *flags, size_t kinds, int count)
{
	struct endpoint source = { .port = 1024 };
	struct segment segment = { BETWEEN(&source, &guard_server) };
	uint8_t frame[FRAME_MAX];
	uint64_t seed = 3;
	int i;

	for (i = 0; i < count; i++) {
		uint32_t address = next_random(&seed);

		source.address[0] = (uint8_t)(1 + address % 200);
		memcpy(source.address + 1, &address, 3);
		source.port = (uint16_t)(1 + next_random(&seed) % 65535);
		segment.flags = flags[(size_t)i % kinds];
		segment.seq = next_random(&seed);
		segment.ack = next_random(&seed);
		assert_int_equal(guard_run(guard, frame, frame_build(frame, &segment), false), 1);
	}
	assert_int_equal(guard_flows(guard), 0);
}

/* A10: as nmap -sA, -sF, -sN, -sX, -sM and others of its kind send them. */
static void scan_of_any_kind_leaves_no_entries(void **state)
{
	static const uint8_t flags[] = { ACK, FIN, 0, FIN | PSH | URG, FIN | ACK,
					 RST, RST | ACK, SYN | FIN, SYN | RST };

	send_strays(*state, flags, sizeof(flags), FLOOD);
	assert_int_equal(guard_count(*state, TG_DROP_NO_FLOW) + guard_count(*state, TG_DROP_RST_NO_FLOW) +
				 guard_count(*state, TG_DROP_BAD_FLAGS),
			 FLOOD);
}

/* A11: the last step of a handshake of which no SYN was seen. */
static void ackflood_leaves_no_entries(void **state)
{
	static const uint8_t flags[] = { ACK, PSH | ACK };

	send_strays(*state, flags, sizeof(flags), FEW);
	assert_int_equal(guard_count(*state, TG_DROP_NO_FLOW), FEW);
}

/* A13: somebody else's servers answer SYNs that were forged in our name. */
static void synack_reflect_leaves_no_entries(void **state)
{
	static const uint8_t flags[] = { SYN | ACK };

	send_strays(*state, flags, sizeof(flags), FEW);
	assert_int_equal(guard_count(*state, TG_DROP_NO_FLOW), FEW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, guard_setup, guard_teardown)
		TEST(scan_of_any_kind_leaves_no_entries),
		TEST(ackflood_leaves_no_entries),
		TEST(synack_reflect_leaves_no_entries),
	};

	return cmocka_run_group_tests_name("strays", tests, NULL, NULL);
}
