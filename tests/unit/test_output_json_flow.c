/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flow's line, written without a JSON library, must be what the library would have written. */
#include "tests/unit/unit.h"

#include <jansson.h>

#include "daemon/output_json_flow.h"

static void fill_random(struct flow_record *flow, uint64_t *random)
{
	uint8_t *bytes = (uint8_t *)flow;
	size_t i;

	for (i = 0; i < sizeof(*flow); i++)
		bytes[i] = (uint8_t)random_u32(random);
	flow->first = (enum tg_side)random_below(random, TG_SIDE_MAX);
	flow->opener_known = random_below(random, 2);
	flow->suspect = random_below(random, 2);
	flow->origin = (enum tg_origin)random_below(random, TG_ORIGIN_MAX);
	flow->phase = (enum tg_phase)random_below(random, TG_PHASE_MAX);
	flow->state[0] = (enum tg_tcp_state)random_below(random, TG_TCP_STATE_MAX);
	flow->state[1] = (enum tg_tcp_state)random_below(random, TG_TCP_STATE_MAX);
	flow->detail.count[0].bytes >>= 1 + random_below(random, 63); /* jansson's numbers are signed */
	flow->detail.count[1].bytes >>= 1 + random_below(random, 63);
	flow->age_ms >>= random_below(random, 32);
	flow->idle_ms >>= random_below(random, 32);
	if (random_below(random, 2)) {
		memset(flow->detail.key.lo_addr, 0, 8);
		memset(flow->detail.key.hi_addr, 0, 8);
		flow->detail.key.lo_addr[2] = flow->detail.key.hi_addr[2] = htonl(0xffff);
	}
}

static void a_line_is_what_the_library_would_write(void **state)
{
	uint64_t random = 1;
	int i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		char line[OUTPUT_JSON_FLOW_BYTES];
		struct flow_record flow;
		json_t *object;
		size_t length;
		char *again;

		fill_random(&flow, &random);
		length = output_json_flow(line, &flow, i & 1);
		assert_int_equal(strlen(line), length);
		assert_true(length < OUTPUT_JSON_FLOW_BYTES / 2);
		object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		if (!object)
			fail_msg("not JSON: %s", line);
		again = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(12));
		assert_string_equal(line, again);
		free(again);
		json_decref(object);
	}
}

/* One line spelt out: names and order are an interface. */
static void names_and_order_are_fixed(void **state)
{
	static const char *const want =
		"{\"id\":\"1f3a-2\",\"src\":\"192.0.2.7:40000\",\"dst\":\"198.51.100.1:443\","
		"\"src_state\":\"ESTABLISHED\",\"dst_state\":\"CLOSE_WAIT\",\"phase\":\"half_closed\","
		"\"origin\":\"syn\",\"opener_known\":true,\"suspect\":false,\"zone\":3,"
		"\"age_s\":60.0,\"idle_s\":0.01,\"timeout_s\":3599.999,\"directions\":["
		"{\"packets\":5,\"bytes\":6,\"retrans\":7,\"out_of_order\":8,\"window_scale\":9,"
		"\"last_reason\":null,\"last_verdict\":null,\"drops\":0},"
		"{\"packets\":0,\"bytes\":0,\"retrans\":0,\"out_of_order\":0,\"window_scale\":null,"
		"\"last_reason\":\"retrans\",\"last_verdict\":\"pass\",\"drops\":1}]}";
	struct flow_record flow = {
		.number = 0x1f3a,
		.claim = 2 << TG_CLAIM_GENERATION_SHIFT,
		.first = TG_SIDE_LO,
		.opener_known = true,
		.origin = TG_ORIGIN_SYN,
		.phase = TG_PHASE_HALF_CLOSED,
		.state = { TG_TCP_ESTABLISHED, TG_TCP_CLOSE_WAIT },
		.age_ms = 60000,
		.idle_ms = 10,
		.left_ms = 3599999,
	};
	char line[OUTPUT_JSON_FLOW_BYTES];

	(void)state;
	flow.detail.key.lo_addr[2] = flow.detail.key.hi_addr[2] = htonl(0xffff);
	flow.detail.key.lo_addr[3] = htonl(0xc0000207);
	flow.detail.key.hi_addr[3] = htonl(0xc6336401);
	flow.detail.key.lo_port = htons(40000);
	flow.detail.key.hi_port = htons(443);
	flow.detail.key.zone = 3;
	flow.detail.count[0].packets = 5;
	flow.detail.count[0].bytes = 6;
	flow.detail.count[0].retrans = 7;
	flow.detail.count[0].ooo = 8;
	flow.detail.count[1].last_verdict = TG_PASS_RETRANS;
	flow.detail.count[1].drops = 1;
	flow.slot.half[0].facts = 9 << TG_WSCALE_SHIFT;
	flow.slot.half[1].facts = (__u32)TG_WSCALE_NONE << TG_WSCALE_SHIFT;
	output_json_flow(line, &flow, false);
	assert_string_equal(line, want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_what_the_library_would_write),
		cmocka_unit_test(names_and_order_are_fixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
