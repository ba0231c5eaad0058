/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Detach: exactly what attach added goes; flows, settings and counters stay. */
#include "datapath_parts.h"

#include <errno.h>
#include <stdlib.h>

#include "log.h"

bool datapath_reachable(const struct tg_iface *iface)
{
	return iface->netns == netdev_netns() ||
	       (iface->tc_kind != TG_TC_CLSACT && iface->xdp_mode != TG_XDP_SHARED);
}

static int detach_xdp(const struct pins *pins, unsigned int slot, const struct tg_iface *iface)
{
	int err = slot_end_ingress(pins, slot);

	if (err)
		return err;
	err = xdphook_detach(slot, iface);
	if (err)
		slot_begin_ingress(pins, slot);
	return err;
}

int datapath_detach(struct pins *pins, unsigned int slot)
{
	struct tg_iface iface = pins->ifaces[slot];
	__u32 relaxed, unseen_ms;
	void *counters;
	int err;

	if (!datapath_reachable(&iface)) {
		log_err_hint(0, "run it there, with 'nsenter --net=...'",
			     "cannot detach '%.*s': it belongs to another network namespace", TG_IFNAME_LEN,
			     iface.name);
		return -EXDEV;
	}
	/* What is not followed in both directions must not be judged, nor counted. */
	relaxed = TG_READ_ONCE(pins->settings->iface[slot].relaxed);
	unseen_ms = TG_READ_ONCE(pins->settings->iface[slot].unseen_since_ms);
	err = unseen_ms ? 0 : slot_note_unseen(pins, slot);
	if (err)
		return err;
	slot_stop_enforcing(pins, slot);
	counters = slot_read_counters(pins, slot);
	err = detach_xdp(pins, slot, &iface);
	if (err) {
		TG_WRITE_ONCE(pins->settings->iface[slot].relaxed, relaxed);
		TG_WRITE_ONCE(pins->settings->iface[slot].unseen_since_ms, unseen_ms);
		TG_WRITE_ONCE(pins->ifaces[slot].attached_at_s, iface.attached_at_s);
	}
	if (!err)
		err = tchook_detach(slot, &iface);
	/* Begun earlier and killed then: it was unseen since. */
	if (!err && !unseen_ms)
		err = slot_note_unseen(pins, slot);
	if (!err)
		slot_release(pins, slot);
	if (counters)
		slot_write_counters(pins, slot, counters);
	free(counters);
	return err;
}
