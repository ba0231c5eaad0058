/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arguments of `flows` and the flows they mean. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/filter.h"

/* 10.0.0.2:40000 opened to 10.0.0.10:443; the opener is the lower endpoint unless swapped. */
static struct flow_record ipv4_flow(void)
{
	struct flow_record flow = {
		.number = 0x1f3a,
		.claim = 2U << TG_CLAIM_GENERATION_SHIFT,
		.first = TG_SIDE_LO,
		.opener_known = true,
		.phase = TG_PHASE_ESTABLISHED,
		.age_ms = 60000,
	};
	struct tg_flow_key *key = &flow.detail.key;

	key->lo_addr[2] = key->hi_addr[2] = htonl(0xffff);
	key->lo_addr[3] = htonl(0x0a000002);
	key->hi_addr[3] = htonl(0x0a00000a);
	key->lo_port = htons(40000);
	key->hi_port = htons(443);
	flow.state[TG_SIDE_LO] = flow.state[TG_SIDE_HI] = TG_TCP_ESTABLISHED;
	return flow;
}

static bool source_matches(const struct flow_record *flow, const char *prefix)
{
	struct filter filter = { 0 };

	assert_int_equal(filter_parse_prefix("src", prefix, &filter.source), 0);
	return filter_matches(&filter, flow);
}

static bool state_matches(const struct flow_record *flow, const char *state)
{
	struct filter filter = { 0 };

	assert_int_equal(filter_parse_state("state", state, &filter.state), 0);
	return filter_matches(&filter, flow);
}

static bool id_matches(const struct flow_record *flow, const char *id)
{
	struct filter filter = { 0 };

	assert_int_equal(filter_parse_id("id", id, &filter.id), 0);
	return filter_matches(&filter, flow);
}

static void the_empty_filter_lets_all_through(void **state)
{
	struct flow_record flow = ipv4_flow();
	struct filter filter = { 0 };

	(void)state;
	assert_true(filter_is_empty(&filter));
	assert_true(filter_matches(&filter, &flow));
	filter.older_s = 1;
	assert_false(filter_is_empty(&filter));
}

static void prefixes_cut_at_each_bit(void **state)
{
	struct flow_record flow = ipv4_flow();

	(void)state;
	assert_true(source_matches(&flow, "10.0.0.2"));
	assert_true(source_matches(&flow, "10.0.0.2/32"));
	assert_false(source_matches(&flow, "10.0.0.3"));
	assert_true(source_matches(&flow, "10.0.0.3/31"));
	assert_false(source_matches(&flow, "10.0.0.4/30"));
	assert_true(source_matches(&flow, "10.255.255.255/8"));
	assert_true(source_matches(&flow, "192.0.2.1/0"));
	assert_false(source_matches(&flow, "10.0.0.10"));
}

static void families_do_not_mix(void **state)
{
	struct flow_record flow = ipv4_flow();

	(void)state;
	assert_true(source_matches(&flow, "::ffff:10.0.0.2"));
	assert_true(source_matches(&flow, "::ffff:0:0/96"));
	assert_false(source_matches(&flow, "2001:db8::/32"));
	assert_true(source_matches(&flow, "::/0"));
	inet_pton(AF_INET6, "2001:db8::2", flow.detail.key.lo_addr);
	assert_true(source_matches(&flow, "2001:db8::/32"));
	assert_true(source_matches(&flow, "2001:db8::3/127"));
	assert_false(source_matches(&flow, "2001:db8::3/128"));
	assert_false(source_matches(&flow, "0.0.0.0/0"));
}

static void wrong_prefixes_are_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"/",
		"10.0.0.300",
		"10.0.0.0/33",
		"10.0.0.0/",
		"10.0.0.0/8x",
		"::/129",
		"eth0",
		"10.0.0",
		"10.0.0.0/-1",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb",
	};
	struct filter_prefix prefix = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(filter_parse_prefix("src", wrong[i], &prefix), -EINVAL);
	assert_false(prefix.given);
}

static void the_source_is_who_opened(void **state)
{
	struct flow_record flow = ipv4_flow();
	struct filter filter = { .source_port = 40000, .destination_port = 443 };

	(void)state;
	assert_true(filter_matches(&filter, &flow));
	flow.first = TG_SIDE_HI;
	assert_false(filter_matches(&filter, &flow));
	filter.source_port = 443;
	filter.destination_port = 40000;
	assert_true(filter_matches(&filter, &flow));
	assert_true(source_matches(&flow, "10.0.0.10"));
}

static void states_are_phases_or_ends(void **state)
{
	struct flow_record flow = ipv4_flow();

	(void)state;
	assert_true(state_matches(&flow, "established"));
	assert_true(state_matches(&flow, "ESTABLISHED"));
	assert_false(state_matches(&flow, "FIN_WAIT_2"));
	flow.phase = TG_PHASE_HALF_CLOSED;
	flow.state[TG_SIDE_LO] = TG_TCP_FIN_WAIT_2;
	flow.state[TG_SIDE_HI] = TG_TCP_CLOSE_WAIT;
	assert_false(state_matches(&flow, "established"));
	assert_true(state_matches(&flow, "half_closed"));
	assert_true(state_matches(&flow, "fin_wait_2"));
	assert_true(state_matches(&flow, "CLOSE_WAIT"));
}

static void unknown_states_are_refused(void **state)
{
	struct filter_state wanted = { .kind = FILTER_STATE_ANY };

	(void)state;
	assert_int_equal(filter_parse_state("state", "SLEEPING", &wanted), -EINVAL);
	assert_int_equal(filter_parse_state("state", "", &wanted), -EINVAL);
	assert_int_equal(wanted.kind, FILTER_STATE_ANY);
}

static void older_means_at_least_so_old(void **state)
{
	struct flow_record flow = ipv4_flow();
	struct filter filter = { .older_s = 60 };

	(void)state;
	assert_true(filter_matches(&filter, &flow));
	flow.age_ms = 59999;
	assert_false(filter_matches(&filter, &flow));
}

static void an_id_is_one_generation(void **state)
{
	struct flow_record flow = ipv4_flow();
	char text[32];

	(void)state;
	assert_string_equal(filter_id_text(text, sizeof(text), &flow), "1f3a-2");
	assert_true(id_matches(&flow, "1f3a-2"));
	assert_true(id_matches(&flow, "1F3A-2"));
	assert_false(id_matches(&flow, "1f3a-3"));
	assert_false(id_matches(&flow, "1f3b-2"));
}

static void wrong_ids_are_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"1f3a",
		"1f3a-",
		"-2",
		"1f3a-2x",
		"1f3a-2-1",
		" 1f3a-2",
		"1f3a--2",
		"123456789-1",
		"zz-1",
		"0x1f-1",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct filter_id id = { 0 };

		assert_int_equal(filter_parse_id("id", wrong[i], &id), -EINVAL);
	}
}

static void ports_are_in_range(void **state)
{
	uint32_t port = 0;

	(void)state;
	assert_int_equal(filter_parse_port("sport", "0", &port), -EINVAL);
	assert_int_equal(filter_parse_port("sport", "65536", &port), -EINVAL);
	assert_int_equal(filter_parse_port("sport", "http", &port), -EINVAL);
	assert_int_equal(filter_parse_port("sport", "65535", &port), 0);
	assert_int_equal(port, 65535);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_empty_filter_lets_all_through),
		cmocka_unit_test(prefixes_cut_at_each_bit),
		cmocka_unit_test(families_do_not_mix),
		cmocka_unit_test(wrong_prefixes_are_refused),
		cmocka_unit_test(the_source_is_who_opened),
		cmocka_unit_test(states_are_phases_or_ends),
		cmocka_unit_test(unknown_states_are_refused),
		cmocka_unit_test(older_means_at_least_so_old),
		cmocka_unit_test(an_id_is_one_generation),
		cmocka_unit_test(wrong_ids_are_refused),
		cmocka_unit_test(ports_are_in_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
