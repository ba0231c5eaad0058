/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of `top`: flows or sources, as many as there are lines for. */
#include "top_view_parts.h"

#include <stdio.h>
#include <string.h>

#include "format.h"
#include "names.h"

const char *top_sort_word(const struct top_scene *scene)
{
	static const char *const flows[] = { "packets/s", "bytes/s", "bytes", "age" };
	static const char *const sources[] = { "packets/s", "bytes/s", "flows", "half-open" };

	return (scene->show_sources ? sources : flows)[scene->sort];
}

/* "-" where one look has not been enough. */
static void row_rates(const struct top_row *row, char *packets, char *bytes, size_t size)
{
	snprintf(packets, size, "-");
	snprintf(bytes, size, "-");
	if (row->measured) {
		top_rate_text(packets, size, row->packets_s);
		top_rate_text(bytes, size, row->bytes_s);
	}
}

/* The beginning and, more telling, the end of what is too long. */
static void shorten(char *text, int width)
{
	int length = (int)strlen(text), tail = width * 2 / 3;

	if (length <= width || width < 4)
		return;
	memmove(text + width - tail, text + length - tail, (size_t)tail + 1);
	text[width - tail - 1] = '~';
}

static int endpoint_width(void)
{
	int width = (COLS - 37) / 2;

	return width < 21 ? 21 : width > 47 ? 47 :
					      width;
}

static void draw_flow(int line, const struct top_row *row)
{
	char source[FORMAT_BYTES], destination[FORMAT_BYTES], packets[FORMAT_BYTES],
		bytes[FORMAT_BYTES];
	char text[TOP_LINE_BYTES];
	int width = endpoint_width();

	format_endpoint(source, sizeof(source), row->address[0], row->port[0]);
	format_endpoint(destination, sizeof(destination), row->address[1], row->port[1]);
	shorten(source, width);
	shorten(destination, width);
	row_rates(row, packets, bytes, sizeof(packets));
	snprintf(text, sizeof(text), "%-*s %-*s %-11s %9s %9s", width, source, width, destination,
		 names_phase(row->phase), packets, bytes);
	top_put(line, 0, 0, text);
}

static void draw_source(int line, const struct top_row *row)
{
	char source[FORMAT_BYTES], packets[FORMAT_BYTES], bytes[FORMAT_BYTES], text[TOP_LINE_BYTES];

	format_address(source, sizeof(source), row->address[0]);
	row_rates(row, packets, bytes, sizeof(packets));
	snprintf(text, sizeof(text), "%-39s %8u %9u %9s %9s", source, row->flows, row->half_open,
		 packets,
		 bytes);
	top_put(line, 0, 0, text);
}

void top_draw_list(int line, const struct top_scene *scene)
{
	const struct top_list *list = scene->show_sources ? scene->sources : scene->flows;
	char text[TOP_LINE_BYTES];
	int width = endpoint_width();
	size_t i;

	if (scene->show_sources)
		snprintf(text, sizeof(text), "%-39s %8s %9s %9s %9s", "SOURCE", "FLOWS", "HALF-OPEN",
			 "PACKETS/s",
			 "BYTES/s");
	else
		snprintf(text, sizeof(text), "%-*s %-*s %-11s %9s %9s", width, "FLOW FROM", width,
			 "TO", "STATE",
			 "PACKETS/s", "BYTES/s");
	top_bar(line++, A_REVERSE, text);
	for (i = 0; i < list->count && line < LINES - 1; i++) {
		if (scene->show_sources)
			draw_source(line++, &list->row[i]);
		else
			draw_flow(line++, &list->row[i]);
	}
}
