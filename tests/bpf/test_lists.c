/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block and allow lists in the programs: who is dropped, that it holds for every packet with an IP
 * header and for no packet of our own, that time is the table's clock.
 */
#include <stdlib.h>

#include <bpf/libbpf.h>

#include "tests/bpf/guard_lists.h"

#define BLOCK TG_LIST_BLOCK
#define ALLOW TG_LIST_ALLOW
#define EVER TG_LIST_FOREVER
#define NOW_S 3600 /* where a guard's clock starts */

static uint64_t tally(struct guard *guard, enum tg_tally which)
{
	int cpus = libbpf_num_possible_cpus(), cpu;
	struct tg_tallies *all = calloc((size_t)cpus, sizeof(*all));
	uint64_t sum = 0;
	__u32 slot = 0;

	assert_non_null(all);
	assert_int_equal(bpf_map_lookup_elem(guard_map_fd(guard, "tg_tallies"), &slot, all), 0);
	for (cpu = 0; cpu < cpus; cpu++)
		sum += all[cpu].tally[which];
	free(all);
	return sum;
}

static const struct segment syn = { FROM_CLIENT, .flags = SYN, .seq = 1 };
static const struct segment syn6 = { FROM_CLIENT6, .flags = SYN, .seq = 1 };

static void a_blocked_source_is_dropped(void **state)
{
	guard_lists(*state, { "10.0.0.0/24", BLOCK, EVER });
	EXPECT(*state, &syn, false, TG_DROP_BLOCKLIST);
	assert_int_equal(guard_flows(*state), 0);
	EXPECT(*state, &syn6, false, TG_PASS_NEW);
}

static void a_blocked_ipv6_source_is_dropped(void **state)
{
	guard_lists(*state, { "fd00::1", BLOCK, EVER }, { "10.0.0.2", BLOCK, EVER });
	EXPECT(*state, &syn6, false, TG_DROP_BLOCKLIST);
	EXPECT(*state, &syn, false, TG_PASS_NEW);
}

static void who_is_blocked_is_cut_off_in_mid_connection(void **state)
{
	static const struct segment data = { FROM_CLIENT, .flags = ACK, .seq = 1001, .ack = 5001, .payload = 9 };

	guard_handshake(*state);
	guard_lists(*state, { "10.0.0.1", BLOCK, EVER });
	EXPECT(*state, &data, false, TG_DROP_BLOCKLIST);
	guard_settings(*state)->config[0].lists.prefixes = 0;
	EXPECT(*state, &data, false, TG_PASS_OK);
}

/* In order, so that the short way would take it: it must not pass over a list. */
static void established_segments_meet_the_lists_however_they_are_judged(void **state)
{
	struct segment data = { FROM_CLIENT, .flags = ACK, .seq = 1001, .ack = 5001, .payload = 9 };

	guard_handshake(*state);
	guard_lists(*state, { "10.0.0.3", BLOCK, EVER }, { "10.0.0.1", ALLOW, EVER });
	EXPECT(*state, &data, false, TG_PASS_OK);
	data.seq += 9;
	guard_lists(*state, { "10.0.0.1", BLOCK, NOW_S + 60 }, { "10.0.0.0/24", ALLOW, EVER });
	EXPECT(*state, &data, false, TG_PASS_OK);
	assert_int_equal(tally(*state, TG_TALLY_LIST_ALLOWED), 1);
	data.seq += 9;
	guard_lists(*state, { "10.0.0.1", BLOCK, NOW_S + 60 });
	EXPECT(*state, &data, false, TG_DROP_BLOCKLIST);
	guard_advance_ms(*state, 60000);
	EXPECT(*state, &data, false, TG_PASS_OK);
}

static void allow_wins_whatever_the_lengths(void **state)
{
	guard_lists(*state, { "10.0.0.1", BLOCK, EVER }, { "10.0.0.0/8", ALLOW, EVER }, { "fd00::/64", BLOCK, EVER },
		    { "fd00::1", ALLOW, EVER });
	EXPECT(*state, &syn, false, TG_PASS_NEW);
	EXPECT(*state, &syn6, false, TG_PASS_NEW);
	assert_int_equal(tally(*state, TG_TALLY_LIST_ALLOWED), 2);
}

static void a_rule_that_has_expired_counts_as_absent(void **state)
{
	guard_lists(*state, { "10.0.0.1", BLOCK, NOW_S + 60 }, { "10.0.0.1", ALLOW, NOW_S + 10 });
	EXPECT(*state, &syn, false, TG_PASS_NEW);
	guard_advance_ms(*state, 9999);
	EXPECT(*state, &syn, false, TG_NOUPD_SYN_RETRANS);
	guard_advance_ms(*state, 1);
	EXPECT(*state, &syn, false, TG_DROP_BLOCKLIST);
	guard_advance_ms(*state, 49999);
	EXPECT(*state, &syn, false, TG_DROP_BLOCKLIST);
	guard_advance_ms(*state, 1);
	EXPECT(*state, &syn, false, TG_NOUPD_SYN_RETRANS);
}

static void tags_do_not_hide_a_source(void **state)
{
	struct segment tagged = syn;

	guard_lists(*state, { "10.0.0.1", BLOCK, EVER });
	tagged.link = LINK_VLAN;
	EXPECT(*state, &tagged, false, TG_DROP_BLOCKLIST);
	tagged.link = LINK_QINQ;
	EXPECT(*state, &tagged, false, TG_DROP_BLOCKLIST);
}

static size_t build_udp(uint8_t *frame, const struct segment *segment)
{
	size_t size = frame_build(frame, segment);

	frame[segment->ipv6 ? 20 : 23] = 17;
	return size;
}

static void other_protocols_are_dropped_too(void **state)
{
	const struct segment fragment = { FROM_CLIENT, .fragment = 100, .payload = 40 };
	uint8_t frame[FRAME_MAX];

	guard_lists(*state, { "10.0.0.1", BLOCK, EVER }, { "fd00::1", BLOCK, EVER });
	SAME(guard_judge(*state, frame, build_udp(frame, &syn), false).verdict, TG_DROP_BLOCKLIST);
	SAME(guard_judge(*state, frame, build_udp(frame, &syn6), false).verdict, TG_DROP_BLOCKLIST);
	EXPECT(*state, &fragment, false, TG_DROP_BLOCKLIST);
}

/* The quoted segment is ours and carries our address; who speaks is in the outer header. */
static void icmp_errors_are_judged_by_who_sent_them(void **state)
{
	static const struct segment quoted = { FROM_SERVER, .flags = ACK, .seq = 5001, .ack = 1001 };
	static const struct segment quoted6 = { FROM_SERVER6, .flags = ACK, .seq = 1, .ack = 1 };
	uint8_t frame[FRAME_MAX];
	size_t size;

	guard_handshake(*state);
	size = frame_build_icmp(frame, &quoted, 3, 1);
	guard_lists(*state, { "10.0.0.2", BLOCK, EVER }, { "fd00::2", BLOCK, EVER }); /* what is quoted */
	SAME(guard_judge(*state, frame, size, false).verdict, TG_PASS_ICMP_RELATED);
	guard_lists(*state, { "10.0.0.1", BLOCK, EVER }, { "fd00::1", BLOCK, EVER });
	SAME(guard_judge(*state, frame, size, false).verdict, TG_DROP_BLOCKLIST);
	size = frame_build_icmp(frame, &quoted6, 1, 1);
	SAME(guard_judge(*state, frame, size, false).verdict, TG_DROP_BLOCKLIST);
}

static void frames_without_ip_have_no_source(void **state)
{
	uint8_t arp[60] = { [12] = 0x08, [13] = 0x06 };

	guard_lists(*state, { "0.0.0.0/0", BLOCK, EVER }, { "::/0", BLOCK, EVER });
	SAME(guard_judge(*state, arp, sizeof(arp), false).verdict, TG_PASS_NOT_TCP);
}

static void our_own_packets_are_not_looked_up(void **state)
{
	static const struct segment own = { FROM_SERVER, .flags = SYN, .seq = 1 };

	guard_lists(*state, { "10.0.0.0/24", BLOCK, EVER });
	SAME(guard_judge_segment(*state, &own, true).verdict, TG_PASS_NEW);
}

static void forwarded_packets_are_looked_up_at_egress(void **state)
{
	uint8_t frame[FRAME_MAX];
	struct judgement got;

	guard_lists(*state, { "10.0.0.0/24", BLOCK, EVER });
	got = guard_judge_skb(*state, frame, frame_build(frame, &syn), 8, 0);
	SAME(got.verdict, TG_DROP_BLOCKLIST);
	assert_true(got.dropped);
}

/* What passes all the same is followed, so that nothing is lost when the list changes. */
static void monitor_counts_and_follows(void **state)
{
	struct guard *guard = *state;

	guard_settings(guard)->config[0].iface[0].mode = TG_MODE_MONITOR;
	guard_lists(guard, { "10.0.0.1", BLOCK, EVER });
	assert_int_equal(EXPECT(guard, &syn, false, TG_DROP_BLOCKLIST).outcome, TG_OUTCOME_WOULD_DROP);
	assert_int_equal(guard_state(guard, CLIENT), TG_TCP_SYN_SENT);
	guard_settings(guard)->config[0].lists.prefixes = 0;
	guard_settings(guard)->config[0].iface[0].mode = TG_MODE_ENFORCE;
	SAME(guard_judge_segment(guard,
				 &(const struct segment){ FROM_SERVER, .flags = SYN | ACK, .seq = 9, .ack = 2 },
				 true)
		     .verdict,
	     TG_PASS_SYNACK);
}

static void bypass_and_relaxed_policy_let_pass(void **state)
{
	struct guard *guard = *state;

	guard_lists(guard, { "10.0.0.1", BLOCK, EVER });
	guard_settings(guard)->bypass = 1;
	assert_int_equal(EXPECT(guard, &syn, false, TG_DROP_BLOCKLIST).outcome, TG_OUTCOME_BYPASS);
	guard_settings(guard)->bypass = 0;
	guard_settings(guard)->iface[0].relaxed = 1 << TG_CLASS_POLICY;
	assert_int_equal(EXPECT(guard, &syn, false, TG_DROP_BLOCKLIST).outcome, TG_OUTCOME_WOULD_DROP);
}

static void malformed_keeps_its_reason(void **state)
{
	const struct segment odd = { FROM_CLIENT, .flags = SYN, .cut = 4 };

	guard_lists(*state, { "10.0.0.1", BLOCK, EVER });
	EXPECT(*state, &odd, false, TG_DROP_BAD_HDR);
}

/* In doubt pass: the image a configuration names is not there. */
static void a_missing_image_blocks_nobody(void **state)
{
	uint32_t slot = 1;

	guard_lists(*state, { "10.0.0.1", BLOCK, EVER });
	assert_int_equal(bpf_map_delete_elem(guard_map_fd(*state, "tg_lists"), &slot), 0);
	EXPECT(*state, &syn, false, TG_PASS_NEW);
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 2685821657736338717ULL;
}

static bool brute_force(const struct list_rules *rules, const struct prefix *address, enum tg_list list)
{
	return list_rules_covering(rules, address, list, NOW_S);
}

/* The programs' own answer for many sources and many random, nested, partly expired rules. */
static void random_lists_agree_with_brute_force(void **state)
{
	uint64_t random = 42;
	size_t round, i;

	for (round = 0; round < 12; round++) {
		static const size_t sizes[] = { 1, 10, 200, 3000 };
		struct list_rules rules = { .rule = NULL };

		for (i = 0; i < sizes[round % 4]; i++) {
			struct prefix prefix = { .low = 0xffff0a000000ULL |
							(next_random(&random) & 0x0f0f87),
						 .ipv4 = true };
			uint32_t until_s = EVER;
			enum tg_list list;

			prefix.length = (uint8_t)(110 + next_random(&random) % 19);
			prefix.low &= ~0ULL << (128 - prefix.length);
			if (next_random(&random) % 3)
				until_s = NOW_S - 5 + (uint32_t)(next_random(&random) % 10);
			list = next_random(&random) % 4 ? BLOCK : ALLOW;
			assert_int_equal(list_rules_add(&rules, &prefix, list, until_s, 0, ""), 0);
		}
		guard_publish(*state, &rules);
		for (i = 0; i < 150; i++) {
			struct endpoint from = { .port = 4000 };
			uint32_t word = htonl(0x0a000000 | (uint32_t)(next_random(&random) & 0x0f0f87));
			struct segment segment = { BETWEEN(&from, &guard_server), .flags = SYN, .seq = 1 };
			struct prefix address = prefix_of_ipv4(&word);
			bool blocked = brute_force(&rules, &address, BLOCK) &&
				       !brute_force(&rules, &address, ALLOW);

			memcpy(from.address, &word, sizeof(word));
			if ((guard_judge_segment(*state, &segment, false).verdict == TG_DROP_BLOCKLIST) != blocked)
				fail_msg("round %zu, %08x: want %s", round, ntohl(word),
					 blocked ? "blocked" : "passed");
		}
		list_rules_free(&rules);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, guard_setup, guard_teardown)
		TEST(a_blocked_source_is_dropped),
		TEST(a_blocked_ipv6_source_is_dropped),
		TEST(who_is_blocked_is_cut_off_in_mid_connection),
		TEST(established_segments_meet_the_lists_however_they_are_judged),
		TEST(allow_wins_whatever_the_lengths),
		TEST(a_rule_that_has_expired_counts_as_absent),
		TEST(tags_do_not_hide_a_source),
		TEST(other_protocols_are_dropped_too),
		TEST(icmp_errors_are_judged_by_who_sent_them),
		TEST(frames_without_ip_have_no_source),
		TEST(our_own_packets_are_not_looked_up),
		TEST(forwarded_packets_are_looked_up_at_egress),
		TEST(monitor_counts_and_follows),
		TEST(bypass_and_relaxed_policy_let_pass),
		TEST(malformed_keeps_its_reason),
		TEST(a_missing_image_blocks_nobody),
		TEST(random_lists_agree_with_brute_force),
	};

	return cmocka_run_group_tests_name("lists", tests, NULL, NULL);
}
