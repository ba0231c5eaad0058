/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text for people, of one interface: its two hooks, what is wrong with them, what is not carried out. */
#include "output_text.h"

#include "names.h"

static void print_hook(struct output *out, const char *kind, enum pins_link state)
{
	fputs(kind, out->stream);
	if (state == PINS_LINK_GONE)
		text_paint(out, PAINT_BAD, " (gone)");
}

void text_hooks(struct output *out, const struct snapshot_iface *iface)
{
	print_hook(out, names_xdp(iface->iface.xdp_mode), iface->xdp_link);
	fputs(" XDP + ", out->stream);
	print_hook(out, names_tc(iface->iface.tc_kind), iface->tc_link);
	fputs(" egress", out->stream);
}

/* What the guard has taken back. */
static void print_relaxed(struct output *out, const struct snapshot_iface *iface)
{
	int class;

	for (class = 0; class < TG_CLASS_MAX; class ++)
		if (iface->relaxed & (1U << class)) {
			fputs("   ", out->stream);
			text_paint(out, PAINT_WARN, "guard");
			fprintf(out->stream, ": drops of class %s are not carried out\n",
				names_class((enum tg_class) class));
		}
}

void text_relaxed(struct output *out, const struct snapshot_iface *iface)
{
	if (!iface->iface.hook_lost) {
		print_relaxed(out, iface);
		return;
	}
	fputs("   ", out->stream);
	text_paint(out, PAINT_BAD, "a hook was lost");
	fputs(": nothing is dropped here any more\n", out->stream);
}

void text_remedy(struct output *out, const struct snapshot_iface *iface)
{
	bool gone = iface->xdp_link == PINS_LINK_GONE || iface->tc_link == PINS_LINK_GONE;

	if (!gone && !iface->iface.hook_lost)
		return;
	fputs(iface->vanished ? "   the device has vanished: 'tcpguard detach " :
				"   half of each connection goes unseen: 'tcpguard attach ",
	      out->stream);
	text_plain(out, iface->iface.name);
	fputs(iface->vanished ? "' tidies up\n" : "' repairs it\n", out->stream);
}
