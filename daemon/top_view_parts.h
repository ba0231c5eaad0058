/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of top_view share: colours, lines cut at the edge, the list of flows or sources. */
#ifndef TCPGUARD_TOP_VIEW_PARTS_H
#define TCPGUARD_TOP_VIEW_PARTS_H

#include <stddef.h>

#include <curses.h>

#include "top_view.h"

#define TOP_LINE_BYTES 512

enum ink {
	INK_PLAIN,
	INK_BAD,
	INK_WARN,
	INK_GOOD,
};

/* Cut at the edge; never in the last line, which is the keys'. */
void top_put(int line, int column, int attributes, const char *text);
/* The same, to the right edge: the head of a list. */
void top_bar(int line, int attributes, const char *text);

/* A rate with its SI prefix; returns text. */
const char *top_rate_text(char *text, size_t size, double per_second);

/* By what the list is sorted. */
const char *top_sort_word(const struct top_scene *scene);
void top_draw_list(int line, const struct top_scene *scene);

#endif
