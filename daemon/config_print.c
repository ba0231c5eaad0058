/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration as YAML, as a flat list of keys and values, and the commented default file. */
#include <inttypes.h>
#include <string.h>

#include "config_schema.h"
#include "plain.h"

#define VALUE_BYTES 16384
#define PATH_BYTES 128

static const void *at(const void *base, size_t offset)
{
	return (const char *)base + offset;
}

static uint32_t number_at(const void *base, size_t offset)
{
	return *(const uint32_t *)at(base, offset);
}

static void put_duration(uint32_t seconds, char *buffer, size_t size)
{
	static const struct {
		uint32_t seconds;
		char letter;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' } };
	size_t i;

	for (i = 0; i < 3; i++) {
		if (seconds && seconds % units[i].seconds == 0) {
			snprintf(buffer, size, "%u%c", seconds / units[i].seconds, units[i].letter);
			return;
		}
	}
	snprintf(buffer, size, "%us", seconds);
}

static void put_ports(const struct config_ports *ports, char *buffer, size_t size)
{
	size_t length = (size_t)snprintf(buffer, size, "[");
	uint32_t i;

	for (i = 0; i < ports->count; i++) {
		length += (size_t)snprintf(buffer + length, size - length, "%s%u", i ? ", " : "",
					   ports->range[i].first);
		if (ports->range[i].first != ports->range[i].last)
			length += (size_t)snprintf(buffer + length, size - length, "-%u",
						   ports->range[i].last);
	}
	snprintf(buffer + length, size - length, "]");
}

/* Three bytes that YAML has as escapes only: ends of lines, byte order marks, what is no character. */
static bool is_hidden(const char *text)
{
	static const char hidden[][4] = { "\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf", "\xef\xbf\xbe",
					  "\xef\xbf\xbf" };
	size_t i;

	for (i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (!strncmp(text, hidden[i], 3))
			return true;
	return false;
}

/* Single quotes, which escape nothing, where they can hold it. */
static char quote_for(const char *text)
{
	for (; *text; text++)
		if (is_hidden(text))
			return '"';
	return '\'';
}

static size_t put_escape(const char *text, char *buffer, size_t size)
{
	const unsigned char *c = (const unsigned char *)text;

	return (size_t)snprintf(buffer, size, "\\u%04X",
				(c[0] & 0x0fU) << 12 | (c[1] & 0x3fU) << 6 | (c[2] & 0x3fU));
}

/* Quoted: whatever characters it has, it reads back; but for controls, which no file can have set. */
static size_t put_quoted(const char *text, char *buffer, size_t size)
{
	char quote = quote_for(text);
	size_t length = (size_t)snprintf(buffer, size, "%c", quote), bytes;

	for (; *text && length + 8 < size; text += bytes) {
		bytes = plain_character(text);
		if (!bytes || plain_is_control(text)) {
			buffer[length++] = '?';
			bytes = 1;
			continue;
		}
		if (is_hidden(text)) {
			length += put_escape(text, buffer + length, size - length);
			continue;
		}
		if (*text == quote || (*text == '\\' && quote == '"'))
			buffer[length++] = quote == '"' ? '\\' : quote;
		memcpy(buffer + length, text, bytes);
		length += bytes;
	}
	return length + (size_t)snprintf(buffer + length, size - length, "%c", quote);
}

/* Each character doubled, in quotes, with what is between two. */
_Static_assert(CONFIG_PATHS_MAX *(2 * CONFIG_PATH_BYTES + 4) + 4 <= VALUE_BYTES, "all paths fit");
_Static_assert(CONFIG_RANGES_MAX * sizeof(", 65535-65535") + 4 <= VALUE_BYTES, "all ranges fit");

static void put_paths(const struct config_paths *paths, char *buffer, size_t size)
{
	size_t length = (size_t)snprintf(buffer, size, "[");
	uint32_t i;

	for (i = 0; i < paths->count; i++) {
		if (i)
			length += (size_t)snprintf(buffer + length, size - length, ", ");
		length += put_quoted(paths->path[i], buffer + length, size - length);
	}
	snprintf(buffer + length, size - length, "]");
}

/* "?" where the pinned maps hold a number that is none of the words. */
static const char *word_of(const struct config_key *key, uint32_t number)
{
	uint32_t i;

	if (number == CONFIG_NOT_GIVEN)
		return "";
	for (i = 0; i < number && key->words[i]; i++)
		;
	return key->words[i] ? key->words[i] : "?";
}

void config_value(const struct config_key *key, const void *base, char *buffer, size_t size)
{
	const void *value = at(base, key->offset);
	uint32_t number;

	switch (key->type) {
	case CONFIG_NUMBER:
		snprintf(buffer, size, "%u", number_at(base, key->offset));
		break;
	case CONFIG_DURATION:
		put_duration(number_at(base, key->offset), buffer, size);
		break;
	case CONFIG_PERCENT:
		number = number_at(base, key->offset);
		if (number % 1000)
			snprintf(buffer, size, "%u.%03u%%", number / 1000, number % 1000);
		else
			snprintf(buffer, size, "%u%%", number / 1000);
		break;
	case CONFIG_WORD:
		snprintf(buffer, size, "%s", word_of(key, number_at(base, key->offset)));
		break;
	case CONFIG_BOOLEAN:
		snprintf(buffer, size, "%s", number_at(base, key->offset) ? "true" : "false");
		break;
	case CONFIG_NAME:
	case CONFIG_TEXT:
		put_quoted(value, buffer, size);
		break;
	case CONFIG_PORTS:
		put_ports(value, buffer, size);
		break;
	case CONFIG_PATHS:
		put_paths(value, buffer, size);
		break;
	default:
		buffer[0] = '\0';
	}
}

bool config_is_empty(const struct config_key *key, const void *base)
{
	switch (key->type) {
	case CONFIG_WORD:
		return number_at(base, key->offset) == CONFIG_NOT_GIVEN;
	case CONFIG_NUMBER:
		return number_at(base, key->offset) < key->min;
	case CONFIG_NAME:
	case CONFIG_TEXT:
		return !*(const char *)at(base, key->offset);
	case CONFIG_PATHS:
		return !((const struct config_paths *)at(base, key->offset))->count;
	default:
		return false;
	}
}

/* --- as YAML -------------------------------------------------------------------------------------- */

static void print_element(FILE *stream, const struct config_key *keys, const void *element)
{
	const char *before = "  - {";
	char value[VALUE_BYTES];

	for (; keys->name; keys++) {
		if (config_is_empty(keys, element))
			continue;
		config_value(keys, element, value, sizeof(value));
		fprintf(stream, "%s%s: %s", before, keys->name, value);
		before = ", ";
	}
	fputs("}\n", stream);
}

static void print_list(FILE *stream, const struct config_key *key, const void *base)
{
	uint32_t i, count = number_at(base, key->count);

	if (!count)
		return;
	fprintf(stream, "%s:\n", key->name);
	for (i = 0; i < count; i++)
		print_element(stream, key->keys, at(base, key->offset + i * key->element));
}

/* Something of a mapping is to be printed. */
static bool has_keys(const struct config_key *keys, const void *base, bool all)
{
	for (; keys->name; keys++) {
		if (keys->type == CONFIG_MAP ? has_keys(keys->keys, base, all) :
					       (all || !keys->elsewhere) && !config_is_empty(keys, base))
			return true;
	}
	return false;
}

static void print_keys(FILE *stream, const struct config_key *keys, const void *base, int depth, bool all)
{
	char value[VALUE_BYTES];

	for (; keys->name; keys++) {
		if (keys->type == CONFIG_LIST) {
			print_list(stream, keys, base);
		} else if (keys->type == CONFIG_MAP) {
			if (!has_keys(keys->keys, base, all))
				continue;
			fprintf(stream, "%*s%s:\n", depth * 2, "", keys->name);
			print_keys(stream, keys->keys, base, depth + 1, all);
		} else if ((all || !keys->elsewhere) && !config_is_empty(keys, base)) {
			config_value(keys, base, value, sizeof(value));
			fprintf(stream, "%*s%s: %s\n", depth * 2, "", keys->name, value);
		}
	}
}

void config_print(FILE *stream, const struct config *config, bool all)
{
	print_keys(stream, config_keys, config, 0, all);
}

/* --- the default file ----------------------------------------------------------------------------- */

static void print_help(FILE *stream, const struct config_key *key, int depth)
{
	fprintf(stream, "## %*s%s: %s\n", depth * 2, "", key->name, key->help);
}

static void print_example_list(FILE *stream, const struct config_key *list)
{
	const struct config_key *key;
	const char *before = "#  - {";

	for (key = list->keys; key->name; key++)
		print_help(stream, key, 2);
	fprintf(stream, "#%s:\n", list->name);
	for (key = list->keys; key->name; key++) {
		if (!key->required)
			continue;
		fprintf(stream, "%s%s: %s", before, key->name, key->example);
		before = ", ";
	}
	fputs("}\n", stream);
}

static void print_default_keys(FILE *stream, const struct config_key *keys, const struct config *config,
			       int depth)
{
	char value[VALUE_BYTES];

	for (; keys->name; keys++) {
		if (!depth)
			fputc('\n', stream);
		print_help(stream, keys, depth);
		if (keys->type == CONFIG_LIST) {
			print_example_list(stream, keys);
			continue;
		}
		config_value(keys, config, value, sizeof(value));
		if (config_is_empty(keys, config))
			snprintf(value, sizeof(value), "%s", keys->example ? keys->example : keys->words[0]);
		fprintf(stream, "%s%*s%s:%s%s\n", strcmp(keys->name, "version") != 0 ? "#" : "", depth * 2,
			"", keys->name, value[0] ? " " : "", value);
		if (keys->type == CONFIG_MAP)
			print_default_keys(stream, keys->keys, config, depth + 1);
	}
}

void config_print_default(FILE *stream)
{
	struct config *config = config_new();

	if (!config)
		return;
	fputs("## tcpguard's configuration, tcpguard.yaml(5).  "
	      "Lines with one '#' are settings, with their defaults or\n"
	      "## an example: remove the '#' of a key, and of the one it belongs to, and change it.\n"
	      "## Check with 'tcpguard config check', apply with 'tcpguard config reload'.\n",
	      stream);
	print_default_keys(stream, config_keys, config, 0);
	config_free(config);
}

/* --- as a list ------------------------------------------------------------------------------------ */

static void visit_keys(const struct config_key *keys, const void *base, const char *prefix, bool all,
		       config_visitor visit, void *context);

static void visit_list(const struct config_key *key, const void *base, bool all, config_visitor visit,
		       void *context)
{
	char path[PATH_BYTES], name[PATH_BYTES / 2];
	uint32_t i;

	for (i = 0; i < number_at(base, key->count); i++) {
		const void *element = at(base, key->offset + i * key->element);

		/* Its name is the first key; that of a pinned map may be anything. */
		snprintf(path, sizeof(path), "%s.%s.", key->name,
			 plain_copy(name, sizeof(name), at(element, key->keys->offset)));
		visit_keys(key->keys + 1, element, path, all, visit, context);
	}
}

static void visit_keys(const struct config_key *keys, const void *base, const char *prefix, bool all,
		       config_visitor visit, void *context)
{
	char path[PATH_BYTES], value[VALUE_BYTES];

	for (; keys->name; keys++) {
		snprintf(path, sizeof(path), "%s%s%s", prefix, keys->name,
			 keys->type == CONFIG_MAP ? "." : "");
		if (keys->type == CONFIG_LIST) {
			visit_list(keys, base, all, visit, context);
		} else if (keys->type == CONFIG_MAP) {
			visit_keys(keys->keys, base, path, all, visit, context);
		} else if ((all || !keys->elsewhere) && !config_is_empty(keys, base)) {
			config_value(keys, base, value, sizeof(value));
			visit(context, path, value);
		}
	}
}

void config_visit(const struct config *config, bool all, config_visitor visit, void *context)
{
	visit_keys(config_keys, config, "", all, visit, context);
}
