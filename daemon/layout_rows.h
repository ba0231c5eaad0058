/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of layout.c, in a file of their own: another version has others (tests/layouts). */
#ifndef TCPGUARD_LAYOUT_ROWS_H
#define TCPGUARD_LAYOUT_ROWS_H

#include "layout.h"

/* This version's own is the first. */
extern const struct layout layout_rows[];
extern const size_t layout_rows_count;

/* The words of a slot that is such a structure. */
#define LAYOUT_WORDS(slot) \
	{ \
		offsetof(slot, claim), \
			{ offsetof(slot, half[0].facts), offsetof(slot, half[1].facts) }, \
			{ offsetof(slot, half[0].right), offsetof(slot, half[1].right) }, \
	}

/* For rows of slots as this version has them. */
bool layout_read_own(const void *slot, const void *detail, struct layout_flow *flow);

/* The slot a claim was read from twice has held one flow all the time. */
bool layout_is_same_flow(__u32 claim, __u32 before);

#endif
