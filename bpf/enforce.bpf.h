/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When is a verdict DROP carried out?
 */
#ifndef TG_BPF_ENFORCE_H
#define TG_BPF_ENFORCE_H

#include "maps.bpf.h"
#include "packet.h"

/* Known before the packet is judged, because a flow must follow what is passed. */
TG_INLINE bool tg_enforced(const struct tg_settings *settings, const struct tg_packet *pkt)
{
	return settings->iface[tg_program.iface_slot & (TG_IFACES_MAX - 1)].mode == TG_MODE_ENFORCE &&
	       !settings->bypass && !pkt->own;
}

TG_INLINE bool tg_enforce(enum tg_verdict verdict, const struct tg_packet *pkt)
{
	return tg_verdict_drops(verdict) && pkt->enforced;
}

#endif
