/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of JSON documents; see the header. */
#include "output_json_values.h"

#include "format.h"

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

/* Names from the kernel need not be UTF-8; JSON must be. */
void json_set_text(json_t *object, const char *name, const char *text)
{
	char plain[FORMAT_BYTES * 2];
	size_t i;

	if (!json_object_set_new(object, name, json_string(text)))
		return;
	for (i = 0; i < sizeof(plain) - 1 && text[i]; i++)
		plain[i] = (char)(text[i] & 0x80 ? '?' : text[i]);
	plain[i] = '\0';
	json_object_set_new(object, name, json_string(plain));
}

void json_set_time(json_t *object, const char *name, const struct timespec *time)
{
	char text[FORMAT_BYTES];

	json_object_set_new(object, name, json_string(format_time(text, sizeof(text), time)));
}
