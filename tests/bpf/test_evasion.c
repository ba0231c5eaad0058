/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attempts to get past the tracker, or to make it believe what the receiver never takes: wrong
 * checksums and small TTLs (SymTCP, NDSS 2020), extension headers, tags; and whether it can be made
 * to answer.
 */
#include <string.h>

#include "tests/bpf/exchange.h"
#include "tests/bpf/plain.h"

#define IPV4_TTL_AT (14 + 8)

/* After the former one is forgotten. */
static void open_anew(struct guard *guard)
{
	guard_advance_ms(guard, FORGET_MS);
	open_plain(guard);
}

/* The connection goes on after a RST that its receiver never took, and ends as any other. */
static const struct step outlives_a_rst[] = {
	{ CLIENT, PSH | ACK, .seq = C, .ack = S, .payload = 500, .want = TG_NOUPD_CLOSED_LATE },
	{ SERVER, ACK, .seq = S, .ack = C + 500, .want = TG_NOUPD_RST_UNDONE, STATES(ESTABLISHED, ESTABLISHED) },
	{ SERVER, PSH | ACK, .seq = S, .ack = C + 500, .payload = 700, .want = TG_PASS_OK },
	{ CLIENT, FIN | ACK, .seq = C + 500, .ack = S + 700, .want = TG_PASS_OK, STATES(FIN_WAIT_1, ESTABLISHED) },
	{ SERVER, FIN | ACK, .seq = S + 700, .ack = C + 501, .want = TG_PASS_OK },
	{ CLIENT, ACK, .seq = C + 501, .ack = S + 701, .want = TG_PASS_OK, STATES(TIME_WAIT, CLOSED) },
};

static const struct step outlives_a_fin[] = {
	/* The receiver still acknowledges what came before the FIN, and nothing of it. */
	{ SERVER, PSH | ACK, .seq = S, .ack = C, .payload = 700, .want = TG_PASS_OK,
	  STATES(FIN_WAIT_1, ESTABLISHED) },
	{ CLIENT, PSH | ACK, .seq = C, .ack = S + 700, .payload = 500, .want = TG_PASS_FIN_RETRACT,
	  STATES(ESTABLISHED, ESTABLISHED) },
	{ SERVER, ACK, .seq = S + 700, .ack = C + 500, .want = TG_PASS_OK },
	{ CLIENT, FIN | ACK, .seq = C + 500, .ack = S + 700, .want = TG_PASS_OK, STATES(FIN_WAIT_1, ESTABLISHED) },
	{ SERVER, FIN | ACK, .seq = S + 700, .ack = C + 501, .want = TG_PASS_OK },
	{ CLIENT, ACK, .seq = C + 501, .ack = S + 701, .want = TG_PASS_OK, STATES(TIME_WAIT, CLOSED) },
};

static const struct step outlives_a_syn[] = {
	{ SERVER, PSH | ACK, .seq = S, .ack = C, .payload = 700, .want = TG_PASS_OK,
	  STATES(ESTABLISHED, ESTABLISHED) },
	{ CLIENT, PSH | ACK, .seq = C, .ack = S + 700, .payload = 500, .want = TG_PASS_OK },
	{ SERVER, ACK, .seq = S + 700, .ack = C + 500, .want = TG_PASS_OK, STATES(ESTABLISHED, ESTABLISHED) },
};

static struct guard *open_guard(bool verify_csum)
{
	const struct guard_options options = { .verify_csum = verify_csum, .all_ingress = true };

	return guard_open(&options);
}

/* A17 where checksums are verified: the forged segment is dropped and nothing changes. */
static void expect_refused(uint8_t flags)
{
	struct segment forged = { FROM_CLIENT, .flags = flags, .seq = C, .ack = S, .bad_checksum = true };
	struct guard *guard = open_guard(true);

	open_anew(guard);
	EXPECT(guard, &forged, false, TG_DROP_BAD_CSUM);
	TALK(guard, outlives_a_syn);
	guard_close(guard);
}

static void badcsum_rst_cannot_end_a_connection(void **state)
{
	struct segment forged = { FROM_CLIENT, .flags = RST, .seq = C, .bad_checksum = true };

	open_anew(*state);
	EXPECT(*state, &forged, false, TG_PASS_RST_EXACT);
	TALK(*state, outlives_a_rst);
	expect_refused(RST);
	expect_refused(RST | ACK);
}

static void badcsum_fin_cannot_end_a_connection(void **state)
{
	struct segment forged = { FROM_CLIENT, .flags = FIN | ACK, .seq = C, .ack = S, .bad_checksum = true };

	open_anew(*state);
	EXPECT(*state, &forged, false, TG_PASS_OK);
	TALK(*state, outlives_a_fin);
	expect_refused(FIN | ACK);
}

static void badcsum_syn_cannot_end_a_connection(void **state)
{
	struct segment forged = { FROM_CLIENT, .flags = SYN, .seq = C + 100, .bad_checksum = true };

	open_anew(*state);
	EXPECT(*state, &forged, false, TG_NOUPD_SYN_CHALLENGE);
	TALK(*state, outlives_a_syn);
	expect_refused(SYN);
}

/* A18, seen by a router: the packet passes us and dies before it reaches the host. */
static void lowttl_segments_change_nothing_for_good(void **state)
{
	static const struct {
		uint8_t flags;
		enum tg_verdict want;
		const struct step *then;
		size_t count;
	} rows[] = {
		{ RST, TG_PASS_RST_EXACT, outlives_a_rst, COUNT(outlives_a_rst) },
		{ RST | ACK, TG_PASS_RST_EXACT, outlives_a_rst, COUNT(outlives_a_rst) },
		{ FIN | ACK, TG_PASS_OK, outlives_a_fin, COUNT(outlives_a_fin) },
		{ SYN, TG_NOUPD_SYN_CHALLENGE, outlives_a_syn, COUNT(outlives_a_syn) },
	};
	uint8_t frame[FRAME_MAX];
	size_t i, size;

	for (i = 0; i < COUNT(rows); i++) {
		struct segment forged = { FROM_CLIENT, .flags = rows[i].flags, .seq = C, .ack = S };

		open_anew(*state);
		size = frame_build(frame, &forged);
		frame[IPV4_TTL_AT] = 1;
		guard_same(guard_judge(*state, frame, size, false).verdict, rows[i].want, "row", (int)i);
		guard_talk(*state, rows[i].then, rows[i].count);
	}
}

/* What is dropped when it comes plainly. */
static const struct {
	uint8_t flags;
	uint32_t seq, ack;
	bool stranger; /* of no flow */
	enum tg_verdict want;
} forbidden[] = {
	{ 0, C, S, false, TG_DROP_BAD_FLAGS },
	{ FIN | PSH | URG, C, S, false, TG_DROP_BAD_FLAGS },
	{ SYN | FIN, C, S, false, TG_DROP_BAD_FLAGS },
	{ RST, C - (1u << 30), 0, false, TG_DROP_RST_OLD },
	{ RST, C + (1u << 30), 0, false, TG_DROP_RST_ABOVE },
	{ PSH | ACK, C + (1u << 30), S, false, TG_DROP_SEQ_ABOVE },
	{ PSH | ACK, C, S + (1u << 30), false, TG_DROP_ACK_ABOVE },
	{ ACK, 1, 1, true, TG_DROP_NO_FLOW },
	{ SYN | ACK, 1, 1, true, TG_DROP_NO_FLOW },
	{ FIN | ACK, 1, 1, true, TG_DROP_NO_FLOW },
	{ RST, 1, 1, true, TG_DROP_RST_NO_FLOW },
};

/* The client's segment as the template carries it gets the verdict it would get without. */
static void expect_forbidden(struct guard *guard, const struct segment *template, const char *what)
{
	static const struct endpoint stranger = { { 10, 0, 0, 1 }, 4321 };
	static const struct endpoint stranger6 = { { 0xfd, [15] = 1 }, 4321 };
	size_t i;

	for (i = 0; i < COUNT(forbidden); i++) {
		struct segment segment = *template;

		segment.from = template->ipv6 ? &guard_client6 : &guard_client;
		segment.to = template->ipv6 ? &guard_server6 : &guard_server;
		if (forbidden[i].stranger)
			segment.from = template->ipv6 ? &stranger6 : &stranger;
		segment.flags = forbidden[i].flags;
		segment.seq = forbidden[i].seq;
		segment.ack = forbidden[i].ack;
		guard_expect(guard, &segment, false, forbidden[i].want, what, (int)i);
	}
}

/* A20: behind up to eight extension headers of every kind. */
static void ext_bypass_is_closed(void **state)
{
	static const uint8_t kinds[] = { 0, 43, 44, 51, 60, 135 };
	const struct guard_options options = { .ipv6 = true };
	struct guard *guard = guard_open(&options);
	uint8_t chain[8], bytes[8 * 12];
	size_t kind, count;

	(void)state;
	open_anew(guard);
	for (kind = 0; kind < COUNT(kinds); kind++) {
		for (count = 1; count <= sizeof(chain); count++) {
			struct segment template = { .ipv6 = true, .ip_options = bytes, .extension = kinds[kind] };

			memset(chain, kinds[kind], count);
			template.ip_options_size = frame_put_extensions(bytes, chain, count, 6);
			expect_forbidden(guard, &template, "extension headers");
		}
	}
	assert_int_equal(guard_flows(guard), 1);
	guard_close(guard);
}

/* A20: behind one tag and two, whatever their EtherTypes. */
static void vlan_bypass_is_closed(void **state)
{
	static const enum link_kind links[] = { LINK_ETHERNET, LINK_VLAN, LINK_QINQ, LINK_QINQ_OLD };
	const struct guard_options options = { .ipv6 = true };
	struct guard *six = guard_open(&options);
	size_t i;

	open_anew(*state);
	open_anew(six);
	for (i = 0; i < COUNT(links); i++) {
		expect_forbidden(*state, &(struct segment){ .link = links[i] }, "tags");
		expect_forbidden(six, &(struct segment){ .link = links[i], .ipv6 = true }, "tags, IPv6");
	}
	assert_int_equal(guard_flows(*state), 1);
	assert_int_equal(guard_flows(six), 1);
	guard_close(six);
}

static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 32);
}

/* A25: every packet is either dropped or handed on; none is sent back, none turned into another. */
static void amplify_answers_nothing(void **state)
{
	struct segment segment = { FROM_CLIENT, .payload = 10 };
	uint8_t frame[FRAME_MAX];
	uint64_t seed = 5;
	int i;

	open_anew(*state);
	for (i = 0; i < 50000; i++) {
		struct endpoint source = { { 10, 0, 0, 1 }, (uint16_t)(40000 + (i & 1)) };
		uint32_t code;

		segment.from = &source;
		segment.flags = (uint8_t)next_random(&seed);
		segment.seq = i & 2 ? C + next_random(&seed) % 70000 : next_random(&seed);
		segment.ack = i & 4 ? S : next_random(&seed);
		segment.fragment = i % 16 ? 0 : (uint16_t)next_random(&seed);
		segment.cut = i % 8 ? 0 : next_random(&seed) % 40;
		code = guard_run(*state, frame, frame_build(frame, &segment), false);
		assert_true(code == 1 || code == 2); /* XDP_DROP, XDP_PASS; XDP_TX is 3, XDP_REDIRECT 4 */
	}
}

static int setup_router(void **state)
{
	*state = open_guard(false);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_router, guard_teardown)
		TEST(badcsum_rst_cannot_end_a_connection),
		TEST(badcsum_fin_cannot_end_a_connection),
		TEST(badcsum_syn_cannot_end_a_connection),
		TEST(lowttl_segments_change_nothing_for_good),
		cmocka_unit_test(ext_bypass_is_closed),
		TEST(vlan_bypass_is_closed),
		TEST(amplify_answers_nothing),
	};

	return cmocka_run_group_tests_name("evasion", tests, NULL, NULL);
}
