/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hooks that somebody else took off.  A link tells; a filter of clsact, or a program in libxdp's dispatcher,
 * goes with what it is part of (`tc qdisc del`, the interface moved to another network namespace,
 * `xdp-loader unload`), and nobody is told.
 */
#include "datapath_parts.h"

static enum pins_link state_of(int held)
{
	if (held < 0)
		return PINS_LINK_UNKNOWN;
	return held ? PINS_LINK_ALIVE : PINS_LINK_GONE;
}

/* Asked again: programs, or dispatchers, may have been exchanged meanwhile. */
static enum pins_link state_here(unsigned int slot, const struct tg_iface *iface,
				 int (*holds)(unsigned int slot, const struct tg_iface *iface))
{
	int tries, held = 0;

	if (iface->netns != netdev_netns())
		return PINS_LINK_ABSENT;
	for (tries = 0; tries < 2 && !held && netdev_exists(iface); tries++)
		held = holds(slot, iface);
	return state_of(held);
}

enum pins_link datapath_xdp_state(unsigned int slot, const struct tg_iface *iface)
{
	if (iface->xdp_mode == TG_XDP_SHARED)
		return state_here(slot, iface, share_holds);
	return pins_link_state(slot, "xdp");
}

enum pins_link datapath_tc_state(unsigned int slot, const struct tg_iface *iface)
{
	if (iface->tc_kind == TG_TC_CLSACT)
		return state_here(slot, iface, tchook_holds);
	return pins_link_state(slot, "tc");
}

void datapath_stop(const struct pins *pins, unsigned int slot)
{
	struct tg_iface *iface = &pins->ifaces[slot];

	TG_WRITE_ONCE(iface->hook_lost, 1); /* before: the daemon's guard leaves it alone */
	slot_relax(pins, slot);
	if (!pins->settings->iface[slot].unseen_since_ms)
		slot_note_unseen(pins, slot);
	/* What comes in by it is seen at the egress of others, if anywhere. */
	if (datapath_xdp_state(slot, iface) == PINS_LINK_GONE)
		slot_end_ingress(pins, slot);
}
