/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The window check and its update against the model, with random segments around the edges. */
#include "tests/unit/window_model.h"

static int64_t around(uint64_t *seed, int64_t edge)
{
	static const int64_t scales[] = { 3, 2000, 70000, 3 * MIB, SPAN / 2 };
	int64_t scale = scales[random_below(seed, COUNT(scales))];

	return edge + (int64_t)random_below(seed, (uint32_t)(2 * scale + 1)) - scale;
}

static struct big_half random_half(uint64_t *seed)
{
	struct big_half x = {};
	__u32 bits = random_u32(seed);

	x.end = 3 * TURN + (random_below(seed, 2) ? around(seed, 0) : (int64_t)random_u32(seed));
	x.isn = x.end - 1 - (random_below(seed, 2) ? random_below(seed, 3) : random_below(seed, 1 << 29));
	x.syn = true;
	x.hasack = bits & 3;
	x.acksyn = x.hasack && (bits & 12);
	x.fin = !(bits & 0x70);
	x.pickup = !(bits & 0x700);
	x.frag = !(bits & 0x7000);
	x.wscale = (int)(bits >> 16 & 15) - 1;
	x.maxwin = random_below(seed, 3) ? 1 + random_below(seed, 70000) :
					   1 + random_below(seed, (__u32)SPAN);
	return x;
}

static void random_model(uint64_t *seed, struct model *m)
{
	int64_t edges[6];

	m->s = random_half(seed);
	m->r = random_half(seed);
	m->s.ack = m->r.end + (random_below(seed, 8) ? 0 : 100000) - random_below(seed, 70000);
	m->r.ack = m->s.end - (random_below(seed, 2) ? random_below(seed, 70000) : 0);
	m->s.right = m->s.ack + m->s.maxwin;
	m->r.right = m->r.ack + m->r.maxwin;
	m->strict = random_below(seed, 2);
	edges[0] = model_limit(m);
	edges[1] = m->s.end;
	edges[2] = m->s.end - m->r.maxwin;
	edges[3] = edges[2] - max64(m->r.maxwin, MIB);
	m->p.seq = around(seed, edges[random_below(seed, 4)]);
	m->p.end = m->p.seq + (random_below(seed, 2) ? random_below(seed, 66000) : 0);
	edges[4] = m->r.end - max64(m->s.maxwin, MARGIN);
	edges[5] = edges[4] - max64(max64(m->s.maxwin, MARGIN), MIB);
	m->p.ack = around(seed, random_below(seed, 3) ? m->r.end : edges[4 + random_below(seed, 2)]);
	m->p.sack = random_below(seed, 3) ? -1 : around(seed, m->r.end);
	m->p.window = random_below(seed, 4) ? (int)random_below(seed, 65536) : 0;
}

static bool near(int64_t a, int64_t b)
{
	return a - b < TURN / 2 && b - a < TURN / 2;
}

/* Serial comparison is exact only below half a circle: the model's numbers must stay there. */
static bool within_reach(const struct model *m)
{
	int64_t end = max64(m->s.end, m->s.pickup ? m->p.end : 0);
	int64_t low = end - m->r.maxwin, margin = max64(m->s.maxwin, MARGIN), r_end = model_r_end(m);

	return near(m->p.seq, model_limit(m)) && near(m->p.end, m->s.end) && near(m->p.end, low) &&
	       near(m->p.end, low - max64(m->r.maxwin, MIB)) && near(m->p.ack, r_end - margin) &&
	       near(m->p.ack, r_end - margin - max64(margin, MIB)) && near(m->p.ack, r_end) &&
	       near(m->p.ack, m->r.isn + 1) && (m->p.sack < 0 || near(m->p.sack, m->p.ack));
}

static void check_update(struct model *m)
{
	struct packed packed;

	pack(m, TG_SIDE_HI, &packed);
	model_update(m);
	tg_window_update(&packed.view, &packed.pkt);
	assert_int_equal(packed.view.sender->end, (__u32)m->s.end);
	assert_int_equal(packed.view.sender->ack, (__u32)m->s.ack);
	assert_int_equal(packed.view.sender->right, (__u32)m->s.right);
	assert_int_equal(packed.view.sender->maxwin, (__u32)m->s.maxwin);
	assert_int_equal(!!(packed.view.sender->facts & TG_FACT_ACKSYN), m->s.acksyn);
	assert_true(packed.view.sender->facts & TG_FACT_HASACK);
}

static void random_segments_agree_with_the_model(void **state)
{
	unsigned int outcomes[TG_VERDICT_MAX] = {};
	uint64_t seed = 21;
	struct model m;
	int i;

	(void)state;
	for (i = 0; i < 2000000; i++) {
		random_model(&seed, &m);
		if (!within_reach(&m))
			continue;
		check(&m, "random", i);
		outcomes[model_check(&m)]++;
		if (!model_check(&m))
			check_update(&m);
	}
	assert_true(outcomes[TG_UNDECIDED] && outcomes[TG_DROP_SEQ_ABOVE] && outcomes[TG_DROP_ACK_ABOVE] &&
		    outcomes[TG_DROP_SEQ_BELOW] && outcomes[TG_DROP_ACK_BELOW] &&
		    outcomes[TG_NOUPD_SEQ_OLD] && outcomes[TG_NOUPD_ACK_OLD] && outcomes[TG_DROP_SEQ_OLD] &&
		    outcomes[TG_DROP_ACK_OLD] && outcomes[TG_DROP_DATA_AFTER_FIN]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_segments_agree_with_the_model),
	};

	return cmocka_run_group_tests_name("window random", tests, NULL, NULL);
}
