/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the text files share: colours on a terminal.  A word always says the same thing too. */
#ifndef TCPGUARD_OUTPUT_TEXT_H
#define TCPGUARD_OUTPUT_TEXT_H

#include "output.h"

enum paint {
	PAINT_NONE,
	PAINT_BAD, /* red: dropped, gone */
	PAINT_WARN, /* yellow: would drop, monitor, not running */
	PAINT_GOOD, /* green: enforce, running */
};

void text_paint(const struct output *out, enum paint colour, const char *text);

/* Text that is not ours: names, reasons, what a daemon says.  Nothing of it speaks to the terminal. */
void text_plain(struct output *out, const char *text);

/* One interface's hooks, what is not carried out on it, and how to mend it. */
void text_hooks(struct output *out, const struct snapshot_iface *iface);
void text_relaxed(struct output *out, const struct snapshot_iface *iface);
void text_remedy(struct output *out, const struct snapshot_iface *iface);

void text_status(struct output *out, const struct snapshot *s);
void text_stats(struct output *out, const struct output_stats *stats);

#endif
