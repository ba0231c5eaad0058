/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The terminal of `top`: taken, asked for keys, given back. */
#include "top_view_parts.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <term.h>

#include "log.h"

struct top_view {
	SCREEN *screen;
};

static enum top_key meaning(int key)
{
	static const struct {
		int key;
		enum top_key meaning;
	} keys[] = {
		{ KEY_RESIZE, TOP_KEY_RESIZED },
		{ 'q', TOP_KEY_QUIT },
		{ 'Q', TOP_KEY_QUIT },
		{ 'p', TOP_KEY_PAUSE },
		{ ' ', TOP_KEY_PAUSE },
		{ 'f', TOP_KEY_SOURCES },
		{ '\t', TOP_KEY_SOURCES },
		{ 's', TOP_KEY_SORT },
		{ '1', TOP_KEY_SORT_PACKETS },
		{ '2', TOP_KEY_SORT_BYTES },
		{ '3', TOP_KEY_SORT_TOTAL },
		{ '4', TOP_KEY_SORT_AGE },
		{ '?', TOP_KEY_HELP },
		{ 'h', TOP_KEY_HELP },
	};
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].key == key)
			return keys[i].meaning;
	return TOP_KEY_OTHER;
}

enum top_key top_view_wait(unsigned int milliseconds)
{
	int key;

	timeout((int)milliseconds);
	errno = 0;
	key = getch();
	if (key == ERR && (errno == EIO || errno == EBADF))
		return TOP_KEY_LOST;
	return key == ERR ? TOP_KEY_NONE : meaning(key);
}

static void choose_colours(bool colour)
{
	if (!colour || start_color() == ERR)
		return;
	use_default_colors();
	init_pair(INK_BAD, COLOR_RED, -1);
	init_pair(INK_WARN, COLOR_YELLOW, -1);
	init_pair(INK_GOOD, COLOR_GREEN, -1);
}

/* Asked before newterm(), which does not give back what it has begun with if this fails. */
static bool is_known_terminal(void)
{
	int why;

	if (setupterm(NULL, STDOUT_FILENO, &why) == ERR)
		return false;
	del_curterm(cur_term);
	return true;
}

struct top_view *top_view_open(bool colour)
{
	struct top_view *view = calloc(1, sizeof(*view));
	const char *term = getenv("TERM");

	if (!view) {
		log_err(-ENOMEM, "cannot use the terminal");
		return NULL;
	}
	setlocale(LC_CTYPE, "");
	view->screen = is_known_terminal() ? newterm(NULL, stdout, stdin) : NULL;
	if (!view->screen) {
		log_err_hint(0, "'tcpguard stats -i 1' needs none of its abilities",
			     "cannot use the terminal: TERM is '%s'", term ? term : "");
		free(view);
		return NULL;
	}
	choose_colours(colour);
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, TRUE);
	return view;
}

void top_view_close(struct top_view *view)
{
	if (!view)
		return;
	endwin();
	delscreen(view->screen);
	free(view);
}
