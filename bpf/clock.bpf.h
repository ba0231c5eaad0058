/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table's clock: milliseconds since some moment before boot, read once a packet.  jiffies costs
 * nothing (the verifier inlines it); replay and tests supply the time through the settings.
 */
#ifndef TG_BPF_CLOCK_H
#define TG_BPF_CLOCK_H

#include "maps.bpf.h"

TG_INLINE __u64 tg_now_ms(const struct tg_settings *settings)
{
	if (tg_program.clock == TG_CLOCK_SETTINGS)
		return settings->clock_ms;
	return bpf_jiffies64() * tg_program.jiffies_mult >> TG_JIFFIES_SHIFT;
}

#endif
