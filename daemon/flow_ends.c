/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow_ends.h"

#include "bpf/flow_memory.h"

static enum flow_end end_of(const struct ager_freed *freed, enum tg_phase phase)
{
	switch (phase) {
	case TG_PHASE_TIME_WAIT:
	case TG_PHASE_LAST:
		return FLOW_END_FIN;
	case TG_PHASE_CLOSED:
		return FLOW_END_RST;
	case TG_PHASE_SYN_SENT:
	case TG_PHASE_SYN_RECV:
		return freed->evicted ? FLOW_END_EVICTED : FLOW_END_HANDSHAKE;
	default:
		return freed->evicted ? FLOW_END_EVICTED : FLOW_END_TIMEOUT;
	}
}

#define CLOCKS_APART_MS 60000 /* two CPUs may have stamped it */

/* From its first packet to its last stamp; what lives for over 49 days is counted short. */
static uint32_t life_ms(const struct ager_freed *freed)
{
	uint32_t life = freed->slot.stamp_ms - freed->detail.created_ms;

	return life > UINT32_MAX - CLOCKS_APART_MS ? 0 : life;
}

void flow_ends_add(struct flow_ends *ends, const struct ager_freed *freed)
{
	static const double bounds_s[FLOW_LIVES_BOUNDS] = FLOW_LIVES;
	enum tg_phase phase = tg_flow_phase(&freed->slot.half[TG_SIDE_LO], &freed->slot.half[TG_SIDE_HI]);
	uint32_t life, bucket;

	ends->count[end_of(freed, phase)]++;
	if (phase == TG_PHASE_SYN_SENT || phase == TG_PHASE_SYN_RECV)
		return;
	life = life_ms(freed);
	for (bucket = 0; bucket < FLOW_LIVES_BOUNDS; bucket++)
		if (life <= bounds_s[bucket] * 1000)
			break;
	ends->lives[bucket]++;
	ends->lives_ms += life;
}
