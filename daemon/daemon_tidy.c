/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces that vanish, exchanges that were killed: the daemon puts in order what they left. */
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
	/* Shared XDP with clsact has no link to ask; then only our own namespace can be looked at. */
	if (xdp == PINS_LINK_ABSENT && tc == PINS_LINK_ABSENT)
		return iface->netns == netdev_netns() && !netdev_exists(iface);
	return xdp == PINS_LINK_GONE || tc == PINS_LINK_GONE;
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
	/* It may have put another table in the place of ours, and ended since. */
	if (pins_still_pinned(&state->pins) && datapath_recover(&state->pins))
		state->repair_after_ns = clock_ns(CLOCK_MONOTONIC) + REPAIR_NS;
	close(lock);
}

void daemon_tidy(struct daemon_state *state)
{
	uint32_t slot;

	repair_exchange(state);
	for (slot = 0; slot < TG_IFACES_MAX; slot++)
		if (!state->gave_up[slot] && has_vanished(state, slot))
			tidy_vanished(state, slot);
}
