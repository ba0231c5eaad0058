/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of JSON documents; see the header. */
#include "output_json_values.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "plain.h"

json_t *json_document(const char *schema)
{
	return json_pack("{s:s}", "schema", schema);
}

void json_put(struct output *out, json_t *document)
{
	size_t flags = JSON_PRECISION | (out->pretty && !out->lines ? JSON_INDENT(2) : JSON_COMPACT);

	json_dumpf(document, out->stream, flags);
	fputc('\n', out->stream);
	json_decref(document);
}

void json_set_number(json_t *object, const char *name, uint64_t number)
{
	json_object_set_new(object, name, json_integer((json_int_t)number));
}

/* Of the control characters jansson escapes those below a blank only. */
static bool is_harmless(const char *at, size_t length)
{
	return length && ((unsigned char)*at < 0x20 || !plain_is_control(at));
}

json_t *json_text(const char *text)
{
	char *plain = strdup(text), *at = plain;
	json_t *string;

	while (at && *at) {
		size_t length = plain_character(at);

		if (is_harmless(at, length))
			at += length;
		else
			*at++ = '?';
	}
	string = plain ? json_string(plain) : NULL;
	free(plain);
	return string;
}

void json_set_text(json_t *object, const char *name, const char *text)
{
	json_object_set_new(object, name, json_text(text));
}

void json_set_time(json_t *object, const char *name, const struct timespec *time)
{
	char text[FORMAT_BYTES];

	json_object_set_new(object, name, json_string(format_time(text, sizeof(text), time)));
}
