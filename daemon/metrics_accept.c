/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 9110 12.5.1, as much of it as chooses between two. */
#include "metrics_accept.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A part of the header: up to a separator, without blanks around it. */
struct part {
	const char *text;
	size_t length;
};

static struct part next_part(const char **at, const char *separators)
{
	struct part part = { .text = *at + strspn(*at, " \t") };
	size_t length = strcspn(part.text, separators);

	*at = part.text + length;
	while (length && strchr(" \t", part.text[length - 1]))
		length--;
	part.length = length;
	return part;
}

static bool is(const struct part *part, const char *word)
{
	return part->length == strlen(word) && !strncasecmp(part->text, word, part->length);
}

static bool begins(const struct part *part, const char *word)
{
	return part->length >= strlen(word) && !strncasecmp(part->text, word, strlen(word));
}

/* version=1.0.0 or version="1.0.0". */
static bool is_version(const struct part *part, const char *version)
{
	struct part value = { .text = part->text + strlen("version="),
			      .length = part->length - strlen("version=") };

	if (value.length >= 2 && value.text[0] == '"') {
		value.text++;
		value.length -= 2;
	}
	return is(&value, version);
}

/* The weight of what stands behind a type, -1 if it is a version of it we do not write. */
static double weigh(const char **at, const char *version)
{
	double weight = 1;
	bool ours = true;

	while (**at == ';') {
		struct part parameter;

		(*at)++;
		parameter = next_part(at, ";,");
		if (begins(&parameter, "q="))
			weight = strtod(parameter.text + 2, NULL);
		else if (begins(&parameter, "version="))
			ours = is_version(&parameter, version);
	}
	return ours ? weight : -1;
}

enum metrics_format metrics_accept(const char *accept)
{
	double openmetrics = 0, text = 0;

	while (accept && *accept) {
		struct part type = next_part(&accept, ";,");
		bool asked = is(&type, "application/openmetrics-text");
		double weight = weigh(&accept, asked ? "1.0.0" : "0.0.4");

		if (asked && weight > openmetrics)
			openmetrics = weight;
		else if (is(&type, "text/plain") && weight > text)
			text = weight;
		if (*accept == ',')
			accept++;
	}
	return openmetrics > 0 && openmetrics >= text ? METRICS_OPENMETRICS : METRICS_TEXT;
}
