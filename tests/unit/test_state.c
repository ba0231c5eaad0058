/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stored facts mean.  Every combination of the fact bits of both halves, with every relevant
 * order of what each acknowledged, against tables written by themselves.
 */
#include "tests/unit/unit.h"

#include "tcpguard/state.h"

/* One endpoint in words: independent of how facts are packed. */
struct facts {
	bool syn, fin, passive, rst, pickup, hasack, acksyn;
	bool rst_noted; /* the number that disproves its RST is remembered */
	int acked; /* its ack against the peer's end: -1 below, 0 equal, 1 above */
	bool acked_past_rst; /* its ack is beyond the number the peer's RST noted */
};

#define FACT_BITS 8 /* of struct facts, the first eight */
#define BITS_MAX (1 << FACT_BITS)

#define END 1000
#define RST_BELOW 900 /* every ack used is beyond this ... */
#define RST_ABOVE 1100 /* ... and none beyond this */

static struct facts unpack(unsigned int bits)
{
	struct facts x = {
		.syn = bits & 1,
		.fin = bits & 2,
		.passive = bits & 4,
		.rst = bits & 8,
		.pickup = bits & 16,
		.hasack = bits & 32,
		.acksyn = bits & 64,
		.rst_noted = bits & 128,
	};

	return x;
}

/* Numbers are written relative to base, so that they may straddle 2^32. */
static struct tg_half to_half(const struct facts *x, const struct facts *peer, __u32 base)
{
	struct tg_half half = {
		.end = base + END,
		.ack = base + END + (__u32)x->acked,
		.aux = base + (peer->acked_past_rst ? RST_BELOW : RST_ABOVE),
	};

	half.facts = (x->syn ? TG_FACT_SYN : 0) | (x->fin ? TG_FACT_FIN : 0) |
		     (x->passive ? TG_FACT_PASSIVE : 0) | (x->rst ? TG_FACT_RST : 0) |
		     (x->pickup ? TG_FACT_PICKUP : 0) | (x->hasack ? TG_FACT_HASACK : 0) |
		     (x->acksyn ? TG_FACT_ACKSYN : 0) |
		     (__u32)(x->rst_noted ? TG_AUX_RST : TG_AUX_PENDING) << TG_AUX_SHIFT;
	return half;
}

/* The derived values of 2.3. */
static bool est(const struct facts *x, const struct facts *y)
{
	return x->pickup || (x->syn && y->acksyn);
}

static bool finack(const struct facts *x, const struct facts *y)
{
	return x->fin && y->hasack && y->acked >= 0;
}

static bool rstok(const struct facts *x, const struct facts *y)
{
	return x->rst && !(x->rst_noted && y->hasack && y->acked_past_rst);
}

static bool both_est(const struct facts *x, const struct facts *y)
{
	return est(x, y) && est(y, x);
}

/* The rows of the table in state.h, one predicate each. */
typedef bool (*row_applies)(const struct facts *x, const struct facts *y);

static bool row_reset(const struct facts *x, const struct facts *y)
{
	return rstok(x, y) || rstok(y, x);
}

static bool row_listen(const struct facts *x, const struct facts *y)
{
	return !x->syn && y->syn;
}

static bool row_nothing(const struct facts *x, const struct facts *y)
{
	return !x->syn && !y->syn;
}

static bool row_syn_acked(const struct facts *x, const struct facts *y)
{
	return !both_est(x, y) && est(x, y);
}

static bool row_syn_received(const struct facts *x, const struct facts *y)
{
	return !both_est(x, y) && y->syn;
}

static bool row_syn_sent(const struct facts *x, const struct facts *y)
{
	return !both_est(x, y);
}

static bool row_close_wait(const struct facts *x, const struct facts *y)
{
	return !x->fin && finack(y, x);
}

static bool row_established(const struct facts *x, const struct facts *y)
{
	(void)y;
	return !x->fin;
}

static bool row_last_ack(const struct facts *x, const struct facts *y)
{
	return x->fin && !finack(x, y) && x->passive;
}

static bool row_closing(const struct facts *x, const struct facts *y)
{
	return x->fin && !finack(x, y) && finack(y, x);
}

static bool row_fin_wait_1(const struct facts *x, const struct facts *y)
{
	return x->fin && !finack(x, y);
}

static bool row_closed(const struct facts *x, const struct facts *y)
{
	return finack(x, y) && x->passive;
}

static bool row_time_wait(const struct facts *x, const struct facts *y)
{
	return finack(x, y) && finack(y, x);
}

static const struct {
	row_applies applies;
	enum tg_tcp_state state;
} table[] = {
	{ row_reset, TG_TCP_CLOSED },
	{ row_listen, TG_TCP_LISTEN },
	{ row_nothing, TG_TCP_CLOSED },
	{ row_syn_acked, TG_TCP_SYN_SENT },
	{ row_syn_received, TG_TCP_SYN_RECEIVED },
	{ row_syn_sent, TG_TCP_SYN_SENT },
	{ row_close_wait, TG_TCP_CLOSE_WAIT },
	{ row_established, TG_TCP_ESTABLISHED },
	{ row_last_ack, TG_TCP_LAST_ACK },
	{ row_closing, TG_TCP_CLOSING },
	{ row_fin_wait_1, TG_TCP_FIN_WAIT_1 },
	{ row_closed, TG_TCP_CLOSED },
	{ row_time_wait, TG_TCP_TIME_WAIT },
	{ finack, TG_TCP_FIN_WAIT_2 },
};

static enum tg_tcp_state expected_state(const struct facts *x, const struct facts *y)
{
	size_t i;

	for (i = 0; i < COUNT(table); i++)
		if (table[i].applies(x, y))
			return table[i].state;
	return TG_TCP_STATE_MAX;
}

/* The flow phase, the paragraph below the table of 2.4. */
static enum tg_phase expected_phase(const struct facts *x, const struct facts *y)
{
	if (rstok(x, y) || rstok(y, x))
		return TG_PHASE_CLOSED;
	if (!both_est(x, y))
		return x->syn && y->syn ? TG_PHASE_SYN_RECV : TG_PHASE_SYN_SENT;
	if (finack(x, y) && finack(y, x))
		return TG_PHASE_TIME_WAIT;
	if (x->fin && y->fin)
		return TG_PHASE_LAST;
	if (x->fin || y->fin)
		return TG_PHASE_HALF_CLOSED;
	return TG_PHASE_ESTABLISHED;
}

/*
 * What the data path can have stored: an adopted half counts as having sent its SYN, a FIN follows
 * a SYN, a passive FIN acknowledges the peer's, an acknowledged SYN was sent.
 */
static bool half_is_possible(const struct facts *x, const struct facts *y)
{
	return (x->syn || !(x->pickup || x->fin || x->hasack || x->acksyn)) &&
	       (!x->acksyn || (x->hasack && y->syn)) &&
	       (!x->passive || (x->fin && finack(y, x) && !y->passive)) &&
	       (!x->rst_noted || x->rst) && (!x->rst || x->rst_noted);
}

static bool is_possible(const struct facts *x, const struct facts *y)
{
	return (x->syn || y->syn) && half_is_possible(x, y) && half_is_possible(y, x);
}

/* The pairs of states each phase may show, either way round. */
static const struct {
	enum tg_phase phase;
	enum tg_tcp_state one, other;
} pairs[] = {
	{ TG_PHASE_SYN_SENT, TG_TCP_SYN_SENT, TG_TCP_LISTEN },
	{ TG_PHASE_SYN_RECV, TG_TCP_SYN_SENT, TG_TCP_SYN_RECEIVED },
	{ TG_PHASE_SYN_RECV, TG_TCP_SYN_RECEIVED, TG_TCP_SYN_RECEIVED },
	{ TG_PHASE_ESTABLISHED, TG_TCP_ESTABLISHED, TG_TCP_ESTABLISHED },
	{ TG_PHASE_HALF_CLOSED, TG_TCP_FIN_WAIT_1, TG_TCP_ESTABLISHED },
	{ TG_PHASE_HALF_CLOSED, TG_TCP_FIN_WAIT_2, TG_TCP_CLOSE_WAIT },
	{ TG_PHASE_LAST, TG_TCP_FIN_WAIT_1, TG_TCP_FIN_WAIT_1 },
	{ TG_PHASE_LAST, TG_TCP_FIN_WAIT_2, TG_TCP_CLOSING },
	{ TG_PHASE_LAST, TG_TCP_FIN_WAIT_2, TG_TCP_LAST_ACK },
	{ TG_PHASE_TIME_WAIT, TG_TCP_TIME_WAIT, TG_TCP_TIME_WAIT },
	{ TG_PHASE_TIME_WAIT, TG_TCP_TIME_WAIT, TG_TCP_CLOSED },
	{ TG_PHASE_CLOSED, TG_TCP_CLOSED, TG_TCP_CLOSED },
};

static bool seen[COUNT(pairs)];

static bool pair_is_legal(enum tg_phase phase, enum tg_tcp_state x, enum tg_tcp_state y)
{
	size_t i;

	for (i = 0; i < COUNT(pairs); i++) {
		if (pairs[i].phase != phase || !((pairs[i].one == x && pairs[i].other == y) ||
						 (pairs[i].one == y && pairs[i].other == x)))
			continue;
		seen[i] = true;
		return true;
	}
	return false;
}

static const char *state_name(enum tg_tcp_state state)
{
	static const char *const names[] = {
#define X(name) #name,
		TG_TCP_STATES(X)
#undef X
	};

	return state < TG_TCP_STATE_MAX ? names[state] : "none";
}

static void check(unsigned int x_bits, unsigned int y_bits, const struct facts *x,
		  const struct facts *y, __u32 base)
{
	struct tg_half a = to_half(x, y, base), b = to_half(y, x, base);
	enum tg_tcp_state x_state = tg_endpoint_state(&a, &b), y_state = tg_endpoint_state(&b, &a);
	enum tg_phase phase = tg_flow_phase(&a, &b);

	if (x_state != expected_state(x, y) || y_state != expected_state(y, x) ||
	    phase != expected_phase(x, y) || phase != tg_flow_phase(&b, &a))
		fail_msg("facts %#x/%#x acks %d/%d past RST %d/%d: %s/%s, want %s/%s; phase %d, want %d",
			 x_bits, y_bits, x->acked, y->acked, x->acked_past_rst, y->acked_past_rst,
			 state_name(x_state), state_name(y_state), state_name(expected_state(x, y)),
			 state_name(expected_state(y, x)), phase, expected_phase(x, y));
	if (is_possible(x, y) && !pair_is_legal(phase, x_state, y_state))
		fail_msg("facts %#x/%#x acks %d/%d: phase %d with states %s/%s", x_bits, y_bits, x->acked,
			 y->acked, phase, state_name(x_state), state_name(y_state));
}

static void check_orders(unsigned int x_bits, unsigned int y_bits, __u32 base)
{
	struct facts x = unpack(x_bits), y = unpack(y_bits);
	int order;

	for (order = 0; order < 3 * 3 * 2 * 2; order++) {
		x.acked = order % 3 - 1;
		y.acked = order / 3 % 3 - 1;
		x.acked_past_rst = order / 9 % 2;
		y.acked_past_rst = order / 18;
		check(x_bits, y_bits, &x, &y, base);
	}
}

static void every_combination_of_facts_gives_the_states_of_the_table(void **state)
{
	/* The numbers compared straddle 2^32 in all but the first. */
	static const __u32 bases[] = { 0, -(__u32)END - 1, -(__u32)END, -(__u32)END + 1 };
	unsigned int x, y;
	size_t i;

	(void)state;
	for (x = 0; x < BITS_MAX; x++)
		for (y = 0; y < BITS_MAX; y++)
			check_orders(x, y, bases[(x + y) % COUNT(bases)]);
	for (i = 0; i < COUNT(pairs); i++)
		if (!seen[i])
			fail_msg("no facts show %s/%s", state_name(pairs[i].one),
				 state_name(pairs[i].other));
}

static void other_bits_say_nothing_about_the_state(void **state)
{
	static const __u32 others = TG_FACT_HASTS | TG_FACT_FRAG | TG_WSCALE_MASK | TG_PENDING_WSCALE_MASK;
	uint64_t seed = 7;
	int i;

	(void)state;
	for (i = 0; i < 1000000; i++) {
		struct tg_half a = { .end = random_u32(&seed), .facts = random_u32(&seed) };
		struct tg_half b = { .end = random_u32(&seed), .facts = random_u32(&seed) }, c, d;

		a.ack = b.end + random_below(&seed, 3) - 1;
		b.ack = a.end + random_below(&seed, 3) - 1;
		a.aux = b.ack + random_below(&seed, 3) - 1;
		b.aux = a.ack + random_below(&seed, 3) - 1;
		c = a;
		d = b;
		c.facts ^= random_u32(&seed) & others;
		d.facts ^= random_u32(&seed) & others;
		c.right = random_u32(&seed);
		d.maxwin = random_u32(&seed);
		assert_int_equal(tg_endpoint_state(&a, &b), tg_endpoint_state(&c, &d));
		assert_int_equal(tg_endpoint_state(&b, &a), tg_endpoint_state(&d, &c));
		assert_int_equal(tg_flow_phase(&a, &b), tg_flow_phase(&c, &d));
	}
}

/* The acknowledgement of the SYN is latched: data beyond 2 GiB must not take it back. */
static void a_long_transfer_stays_established(void **state)
{
	struct tg_half a = { .facts = TG_FACT_SYN | TG_FACT_HASACK | TG_FACT_ACKSYN };
	struct tg_half b = { .facts = TG_FACT_SYN | TG_FACT_HASACK | TG_FACT_ACKSYN };
	int i;

	(void)state;
	for (i = 0; i < 64; i++) {
		a.end += 1U << 28;
		b.ack = a.end;
		assert_int_equal(tg_flow_phase(&a, &b), TG_PHASE_ESTABLISHED);
		assert_int_equal(tg_endpoint_state(&a, &b), TG_TCP_ESTABLISHED);
		assert_int_equal(tg_endpoint_state(&b, &a), TG_TCP_ESTABLISHED);
	}
}

/* A FIN is acknowledged by a number, not by an ACK that comes after it. */
static void an_old_ack_after_a_fin_does_not_acknowledge_it(void **state)
{
	struct tg_half a = { .facts = TG_FACT_SYN | TG_FACT_HASACK | TG_FACT_ACKSYN | TG_FACT_FIN };
	struct tg_half b = { .facts = TG_FACT_SYN | TG_FACT_HASACK | TG_FACT_ACKSYN };

	(void)state;
	a.end = 0; /* the FIN is number 2^32 - 1 */
	b.ack = 0xffffffff;
	assert_int_equal(tg_endpoint_state(&a, &b), TG_TCP_FIN_WAIT_1);
	assert_int_equal(tg_endpoint_state(&b, &a), TG_TCP_ESTABLISHED);
	b.ack = 0;
	assert_int_equal(tg_endpoint_state(&a, &b), TG_TCP_FIN_WAIT_2);
	assert_int_equal(tg_endpoint_state(&b, &a), TG_TCP_CLOSE_WAIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination_of_facts_gives_the_states_of_the_table),
		cmocka_unit_test(other_bits_say_nothing_about_the_state),
		cmocka_unit_test(a_long_transfer_stays_established),
		cmocka_unit_test(an_old_ack_after_a_fin_does_not_acknowledge_it),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
