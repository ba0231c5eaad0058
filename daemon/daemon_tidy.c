/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces that vanish, hooks taken off, exchanges killed: the daemon puts in order what they left. */
#include <string.h>
#include <unistd.h>

#include "clock_ns.h"
#include "daemon.h"
#include "datapath.h"
#include "log.h"
#include "netdev.h"

#define REPAIR_NS (60LL * 1000000000) /* from one try to the next */

uint32_t daemon_count_attached(const struct daemon_state *state)
{
	uint32_t slot, count = 0;

	for (slot = 0; slot < TG_IFACES_MAX; slot++)
		count += TG_READ_ONCE(state->pins.ifaces[slot].ifindex) != 0;
	return count;
}

static bool has_vanished(const struct daemon_state *state, uint32_t slot)
{
	const struct tg_iface *iface = &state->pins.ifaces[slot];
	enum pins_link xdp, tc;

	if (!TG_READ_ONCE(iface->ifindex))
		return false;
	xdp = pins_link_state(slot, "xdp");
	tc = pins_link_state(slot, "tc");
	if (xdp == PINS_LINK_GONE || tc == PINS_LINK_GONE)
		return true;
	/*
	 * A filter of clsact is no link: only our own namespace can be looked at.  When the device leaves that
	 * one the filter goes, and the XDP program alone would see half of every connection.
	 */
	return tc == PINS_LINK_ABSENT && iface->netns == netdev_netns() && !netdev_exists(iface);
}

/* The device is there.  NULL: both hooks are, or are links, or it is being attached, or has been stopped. */
static const char *lost_hook(const struct daemon_state *state, uint32_t slot)
{
	const struct tg_iface *iface = &state->pins.ifaces[slot];

	if (!TG_READ_ONCE(iface->ifindex) || !TG_READ_ONCE(iface->attached_at_s) || iface->hook_lost)
		return NULL;
	if (iface->tc_kind == TG_TC_CLSACT && datapath_tc_state(slot, iface) == PINS_LINK_GONE)
		return "TC filter";
	if (iface->xdp_mode == TG_XDP_SHARED && datapath_xdp_state(slot, iface) == PINS_LINK_GONE)
		return "XDP program";
	return NULL;
}

/* The kernel has taken the programs off with the device; what is left are pins and the register. */
static void tidy_vanished(struct daemon_state *state, uint32_t slot)
{
	char name[TG_IFNAME_LEN + 1] = { 0 };
	int lock = pins_try_lock();

	if (lock < 0)
		return; /* somebody attaches or detaches: next time */
	if (has_vanished(state, slot)) {
		memcpy(name, state->pins.ifaces[slot].name, TG_IFNAME_LEN);
		state->gave_up[slot] = datapath_detach(&state->pins, slot) != 0;
		if (!state->gave_up[slot])
			log_info("'%s' has vanished: detached", name);
	}
	close(lock);
}

/* New connections would be dropped for want of the segments that nobody sees. */
static void stop_at_lost_hook(struct daemon_state *state, uint32_t slot)
{
	struct tg_iface iface = state->pins.ifaces[slot];
	int lock = pins_try_lock();
	const char *hook;

	if (lock < 0)
		return;
	hook = has_vanished(state, slot) ? NULL : lost_hook(state, slot);
	if (hook) {
		datapath_stop(&state->pins, slot);
		netdev_refresh_name(&iface);
		log_err_hint(0, "'tcpguard attach IFACE' repairs it",
			     "somebody took the %s off '%.*s': nothing is dropped on it any more", hook,
			     TG_IFNAME_LEN, iface.name);
	}
	close(lock);
}

/* It lost its TC filter; what shares XDP may lose that program, too, and nobody is told. */
static void follow_stopped(struct daemon_state *state, uint32_t slot)
{
	const struct tg_iface *iface = &state->pins.ifaces[slot];
	int lock = pins_try_lock();

	if (lock < 0)
		return;
	if (TG_READ_ONCE(iface->ifindex) && iface->hook_lost)
		datapath_stop(&state->pins, slot);
	close(lock);
}

/* Whoever exchanged the programs was killed at it: some hooks may have the new ones, others not. */
static void repair_exchange(struct daemon_state *state)
{
	int lock;

	if (!datapath_interrupted()) {
		state->repair_after_ns = 0;
		return;
	}
	if (clock_ns(CLOCK_MONOTONIC) < state->repair_after_ns)
		return;
	lock = pins_try_lock();
	if (lock < 0)
		return; /* it is under way */
	/* It may have put another table in the place of ours, and ended since: that is followed first. */
	if (pins_still_pinned(&state->pins) && datapath_recover(&state->pins))
		state->repair_after_ns = clock_ns(CLOCK_MONOTONIC) + REPAIR_NS;
	close(lock);
}

void daemon_tidy(struct daemon_state *state)
{
	const struct tg_iface *iface = state->pins.ifaces;
	uint32_t slot;

	repair_exchange(state);
	for (slot = 0; slot < TG_IFACES_MAX; slot++, iface++) {
		if (!state->gave_up[slot] && has_vanished(state, slot))
			tidy_vanished(state, slot);
		else if (lost_hook(state, slot))
			stop_at_lost_hook(state, slot);
		else if (iface->hook_lost && iface->xdp_mode == TG_XDP_SHARED)
			follow_stopped(state, slot);
	}
}
