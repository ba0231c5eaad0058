/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `top` on a terminal: draws what it is given and tells which key was pressed.  Only top_view*.c
 * use ncurses.
 */
#ifndef TCPGUARD_TOP_VIEW_H
#define TCPGUARD_TOP_VIEW_H

#include "top_flows.h"
#include "top_rates.h"

struct top_scene {
	const struct snapshot *now;
	const struct top_rates *rates;
	const struct top_list *flows;
	const struct top_list *sources;
	enum top_sort sort;
	unsigned int frames; /* one look through the table takes */
	unsigned int interval_s;
	bool show_sources;
	bool paused;
	bool help;
};

enum top_key {
	TOP_KEY_NONE, /* the time is over */
	TOP_KEY_RESIZED, /* draw again */
	TOP_KEY_OTHER, /* one without meaning */
	TOP_KEY_QUIT,
	TOP_KEY_PAUSE,
	TOP_KEY_SOURCES,
	TOP_KEY_SORT, /* the next one */
	TOP_KEY_SORT_PACKETS,
	TOP_KEY_SORT_BYTES,
	TOP_KEY_SORT_TOTAL,
	TOP_KEY_SORT_AGE,
	TOP_KEY_HELP,
	TOP_KEY_LOST, /* the terminal is gone */
};

struct top_view;

/* NULL, and said, if the terminal cannot be used. */
struct top_view *top_view_open(bool colour);
/* Gives the terminal back.  Accepts NULL. */
void top_view_close(struct top_view *view);

void top_view_draw(const struct top_scene *scene);
/* Waits for a key, but not longer. */
enum top_key top_view_wait(unsigned int milliseconds);

#endif
