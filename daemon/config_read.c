/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * YAML to struct config by the table of keys, with the place of every fault.  The only includer of
 * libyaml: its document tree knows the line and column of each node, also for the checks that come
 * after reading.
 */
#include <errno.h>
#include <glob.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "config_text.h"
#include "config_schema.h"
#include "log.h"
#include "options.h"
#include "plain.h"

#define KEYS_MAX 32 /* of one mapping of the table */

struct reader {
	struct config *config;
	const char *file;
	yaml_document_t *document;
	uint32_t faults;
};

void config_say(const struct config_place *place, const char *remedy, const char *format, ...)
{
	char what[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	if (place->line)
		log_err_hint(0, remedy, "%s:%u:%u: %s", place->file, place->line, place->column, what);
	else
		log_err_hint(0, remedy, "%s: %s", place->file ? place->file : "configuration", what);
}

static struct config_place place_of(const struct reader *reader, const yaml_node_t *node)
{
	return (struct config_place){
		.file = reader->file,
		.line = (uint32_t)node->start_mark.line + 1,
		.column = (uint32_t)node->start_mark.column + 1,
	};
}

#define FAULT(reader, node, remedy, ...) \
	do { \
		struct config_place place_ = place_of(reader, node); \
		config_say(&place_, remedy, __VA_ARGS__); \
		(reader)->faults++; \
	} while (0)

static yaml_node_t *node_at(const struct reader *reader, int index)
{
	return yaml_document_get_node(reader->document, index);
}

static const char *kind_of(const yaml_node_t *node)
{
	if (node->type == YAML_MAPPING_NODE)
		return "a mapping";
	return node->type == YAML_SEQUENCE_NODE ? "a list" : "a single value";
}

static const char *text_of(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

static bool is_plain(const yaml_node_t *node)
{
	return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* A scalar without a zero byte in it; else said. */
static bool is_scalar(struct reader *reader, const yaml_node_t *node, const char *name)
{
	if (node->type != YAML_SCALAR_NODE) {
		FAULT(reader, node, "give one value", "'%s' is %s", name, kind_of(node));
		return false;
	}
	if (strlen(text_of(node)) != node->data.scalar.length) {
		FAULT(reader, node, "remove it", "'%s' holds a zero byte", name);
		return false;
	}
	if (plain_has_controls(text_of(node))) {
		FAULT(reader, node, "remove it", "'%s' holds a control character", name);
		return false;
	}
	return true;
}

/* --- values --------------------------------------------------------------------------------------- */

static void words_list(const char *const *words, char *buffer, size_t size)
{
	size_t length = 0;
	int i;

	buffer[0] = '\0';
	for (i = 0; words[i] && length < size; i++)
		length += (size_t)snprintf(buffer + length, size - length, "%s%s", i ? ", " : "", words[i]);
}

static void read_number(struct reader *reader, const struct config_key *key, const yaml_node_t *node,
			uint32_t *out)
{
	uint32_t number;

	if (!is_plain(node) || parse_u32(text_of(node), 0, UINT32_MAX, &number))
		FAULT(reader, node, "give digits only, without quotes", "'%s' is '%s', no whole number",
		      key->name, text_of(node));
	else if (number < key->min || number > key->max)
		FAULT(reader, node, "give a number in that range", "'%s' is %s, not between %u and %u",
		      key->name, text_of(node), key->min, key->max);
	else
		*out = number;
}

static void read_duration(struct reader *reader, const struct config_key *key, const yaml_node_t *node,
			  uint32_t *out)
{
	uint32_t seconds;

	if (parse_duration_s(text_of(node), &seconds))
		FAULT(reader, node, "give for instance 30s, 5m, 1h or 1d", "'%s' is '%s', no duration",
		      key->name, text_of(node));
	else if (seconds < key->min || seconds > key->max)
		FAULT(reader, node, "give a duration in that range", "'%s' is %s, not between %us and %us",
		      key->name, text_of(node), key->min, key->max);
	else
		*out = seconds;
}

static void read_percent(struct reader *reader, const struct config_key *key, const yaml_node_t *node,
			 uint32_t *out)
{
	const char *text = text_of(node);
	char *end;
	double percent = strtod(text, &end);

	if (strspn(text, "0123456789.") + 1 != strlen(text) || end == text || strcmp(end, "%") != 0)
		FAULT(reader, node, "give for instance 1% or 0.5%", "'%s' is '%s', no percentage",
		      key->name, text);
	else if (percent * 1000 < key->min || percent * 1000 > key->max)
		FAULT(reader, node, "give a percentage in that range", "'%s' is %s, not between %g%% and %g%%",
		      key->name, text, key->min / 1000.0, key->max / 1000.0);
	else
		*out = (uint32_t)(percent * 1000 + 0.5);
}

static void read_word(struct reader *reader, const struct config_key *key, const yaml_node_t *node,
		      uint32_t *out)
{
	char list[256], remedy[300];
	uint32_t i;

	for (i = 0; key->words[i]; i++) {
		if (!strcmp(key->words[i], text_of(node))) {
			*out = i;
			return;
		}
	}
	words_list(key->words, list, sizeof(list));
	snprintf(remedy, sizeof(remedy), "give one of %s", list);
	FAULT(reader, node, remedy, "'%s' cannot be '%s'", key->name, text_of(node));
}

static void read_boolean(struct reader *reader, const struct config_key *key, const yaml_node_t *node,
			 uint32_t *out)
{
	if (is_plain(node) && !strcmp(text_of(node), "true"))
		*out = 1;
	else if (is_plain(node) && !strcmp(text_of(node), "false"))
		*out = 0;
	else
		FAULT(reader, node, "give true or false", "'%s' cannot be '%s'", key->name, text_of(node));
}

static void read_text(struct reader *reader, const char *name, const yaml_node_t *node, uint32_t size,
		      char *out)
{
	size_t length = node->data.scalar.length;

	if (!length)
		FAULT(reader, node, "give a value or leave the key out", "'%s' is empty", name);
	else if (length >= size)
		FAULT(reader, node, "shorten it", "'%s' is longer than %u characters", name, size - 1);
	else
		memcpy(out, text_of(node), length + 1);
}

/* Of an interface or a service: a word of the command line. */
static void read_name(struct reader *reader, const struct config_key *key, const yaml_node_t *node, char *out)
{
	const char *text = text_of(node);

	if (text[0] == '-' || strcspn(text, " \t\n/'\"") != strlen(text))
		FAULT(reader, node, "no blanks, slashes, quotes, nor a '-' in front", "'%s' cannot be '%s'",
		      key->name, text);
	else
		read_text(reader, key->name, node, key->max, out);
}

/* "443" or "8000-8100" */
static void read_range(struct reader *reader, const yaml_node_t *node, struct config_ports *ports)
{
	const char *text = text_of(node), *dash = strchr(text, '-');
	char low[8] = "";
	uint32_t first = 0, last = 0;
	int err;

	if (ports->count == CONFIG_RANGES_MAX) {
		FAULT(reader, node, "join neighbours to ranges, or make two services",
		      "more than %d ports or ranges", CONFIG_RANGES_MAX);
		return;
	}
	if (!dash)
		err = parse_u32(text, 1, 65535, &first);
	else if ((size_t)(dash - text) >= sizeof(low))
		err = -EINVAL;
	else
		err = parse_u32(memcpy(low, text, (size_t)(dash - text)), 1, 65535, &first);
	last = first;
	if (!err && dash)
		err = parse_u32(dash + 1, first, 65535, &last);
	if (err) {
		FAULT(reader, node, "give 1 to 65535, or a range such as 8000-8100",
		      "'%s' is no port and no range of ports", text);
		return;
	}
	ports->range[ports->count].first = (uint16_t)first;
	ports->range[ports->count++].last = (uint16_t)last;
}

static void read_path(struct reader *reader, const yaml_node_t *node, const char *name,
		      struct config_paths *paths)
{
	if (paths->count == CONFIG_PATHS_MAX)
		FAULT(reader, node, "name a directory", "more than %d paths in '%s'", CONFIG_PATHS_MAX, name);
	else if (text_of(node)[0] != '/')
		FAULT(reader, node, "give a path that begins with '/'", "'%s' is no absolute path",
		      text_of(node));
	else
		read_text(reader, name, node, CONFIG_PATH_BYTES, paths->path[paths->count++]);
}

static void read_items(struct reader *reader, const struct config_key *key, const yaml_node_t *node, void *out)
{
	const yaml_node_item_t *item;

	if (node->type != YAML_SEQUENCE_NODE) {
		FAULT(reader, node, key->type == CONFIG_PORTS ? "give for instance [80, 443]" : "give for instance [/path]",
		      "'%s' is %s, not a list", key->name, kind_of(node));
		return;
	}
	for (item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
		const yaml_node_t *inner = node_at(reader, *item);

		if (!is_scalar(reader, inner, key->name))
			continue;
		if (key->type == CONFIG_PORTS)
			read_range(reader, inner, out);
		else
			read_path(reader, inner, key->name, out);
	}
	if (key->required && node->data.sequence.items.start == node->data.sequence.items.top)
		FAULT(reader, node, "name one at least", "'%s' is empty", key->name);
}

/* --- structure ------------------------------------------------------------------------------------ */

static void read_map(struct reader *reader, const struct config_key *keys, const yaml_node_t *node,
		     const char *name, void *base);

static void new_element(const struct config_key *key, void *element)
{
	memset(element, 0, key->element);
	if (key->element == sizeof(struct config_iface))
		((struct config_iface *)element)->mode = CONFIG_NOT_GIVEN;
	else
		((struct config_service *)element)->mode = CONFIG_NOT_GIVEN;
}

/* Later files add to the list of earlier ones. */
static void read_list(struct reader *reader, const struct config_key *key, const yaml_node_t *node, void *base)
{
	uint32_t *count = (uint32_t *)((char *)base + key->count);
	const yaml_node_item_t *item;

	if (node->type != YAML_SEQUENCE_NODE) {
		FAULT(reader, node, "begin each element with '- '", "'%s' is %s, not a list", key->name,
		      kind_of(node));
		return;
	}
	for (item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
		const yaml_node_t *inner = node_at(reader, *item);
		char *element = (char *)base + key->offset + *count * key->element;

		if (*count == key->max) {
			FAULT(reader, inner, "remove some", "more than %u in '%s'", key->max, key->name);
			return;
		}
		new_element(key, element);
		*(struct config_place *)element = place_of(reader, inner);
		read_map(reader, key->keys, inner, key->name, element);
		(*count)++;
	}
}

static void read_scalar(struct reader *reader, const struct config_key *key, const yaml_node_t *node, void *out)
{
	if (!is_scalar(reader, node, key->name))
		return;
	switch (key->type) {
	case CONFIG_NUMBER:
		read_number(reader, key, node, out);
		break;
	case CONFIG_DURATION:
		read_duration(reader, key, node, out);
		break;
	case CONFIG_PERCENT:
		read_percent(reader, key, node, out);
		break;
	case CONFIG_WORD:
		read_word(reader, key, node, out);
		break;
	case CONFIG_BOOLEAN:
		read_boolean(reader, key, node, out);
		break;
	case CONFIG_NAME:
		read_name(reader, key, node, out);
		break;
	default:
		read_text(reader, key->name, node, key->max, out);
	}
}

static void read_value(struct reader *reader, const struct config_key *key, const yaml_node_t *node, void *base)
{
	void *out = (char *)base + key->offset;

	if (key->place)
		*(struct config_place *)((char *)reader->config + key->place) = place_of(reader, node);
	switch (key->type) {
	case CONFIG_MAP:
		read_map(reader, key->keys, node, key->name, base);
		break;
	case CONFIG_LIST:
		read_list(reader, key, node, base);
		break;
	case CONFIG_PORTS:
	case CONFIG_PATHS:
		read_items(reader, key, node, out);
		break;
	default:
		read_scalar(reader, key, node, out);
	}
}

static void say_unknown(struct reader *reader, const struct config_key *keys, const yaml_node_t *node,
			const char *name)
{
	char remedy[512];
	size_t length = (size_t)snprintf(remedy, sizeof(remedy), "known here:");

	for (; keys->name && length < sizeof(remedy); keys++)
		length += (size_t)snprintf(remedy + length, sizeof(remedy) - length, " %s", keys->name);
	FAULT(reader, node, remedy, "unknown key '%s'%s%s%s", text_of(node), name ? " in '" : "",
	      name ? name : "", name ? "'" : "");
}

static void read_pair(struct reader *reader, const struct config_key *keys, const yaml_node_pair_t *pair,
		      const char *name, void *base, bool *seen)
{
	const yaml_node_t *node = node_at(reader, pair->key);
	uint32_t row;

	if (!is_scalar(reader, node, "a key"))
		return;
	for (row = 0; keys[row].name; row++)
		if (!strcmp(keys[row].name, text_of(node)))
			break;
	if (!keys[row].name) {
		say_unknown(reader, keys, node, name);
		return;
	}
	if (seen[row]) {
		FAULT(reader, node, "keep one of them", "'%s' is given twice", keys[row].name);
		return;
	}
	seen[row] = true;
	read_value(reader, &keys[row], node_at(reader, pair->value), base);
}

static void read_map(struct reader *reader, const struct config_key *keys, const yaml_node_t *node,
		     const char *name, void *base)
{
	bool seen[KEYS_MAX] = { false };
	const yaml_node_pair_t *pair;
	uint32_t row;

	if (node->type != YAML_MAPPING_NODE) {
		FAULT(reader, node, "give keys with values, 'key: value'", "'%s' is %s, not a mapping",
		      name ? name : "the file", kind_of(node));
		return;
	}
	for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++)
		read_pair(reader, keys, pair, name, base, seen);
	for (row = 0; keys[row].name; row++)
		if (keys[row].required && !seen[row])
			FAULT(reader, node, "add it", "'%s' is missing in '%s'", keys[row].name, name);
}

/* --- files ---------------------------------------------------------------------------------------- */

/* FNV-1a, over the bytes of all files. */
static void hash_bytes(struct config *config, const unsigned char *bytes, size_t size)
{
	uint64_t hash = config->hash ? config->hash : 0xcbf29ce484222325ULL;
	size_t i;

	for (i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
	config->hash = hash ? hash : 1;
}

static void say_syntax(struct reader *reader, const yaml_parser_t *parser)
{
	struct config_place place = {
		.file = reader->file,
		.line = (uint32_t)parser->problem_mark.line + 1,
		.column = (uint32_t)parser->problem_mark.column + 1,
	};

	config_say(&place, "look at indentation, brackets and quotes, here or just above", "no YAML: %s",
		   parser->problem ? parser->problem : "out of memory");
	reader->faults++;
}

/* One document, nothing behind it. */
static void read_document(struct reader *reader, yaml_parser_t *parser)
{
	yaml_document_t document, more;
	yaml_node_t *root;

	if (!yaml_parser_load(parser, &document)) {
		say_syntax(reader, parser);
		return;
	}
	reader->document = &document;
	root = yaml_document_get_root_node(&document);
	if (root)
		read_map(reader, config_keys, root, NULL, reader->config);
	yaml_document_delete(&document);
	if (!root)
		return;
	if (!yaml_parser_load(parser, &more)) {
		say_syntax(reader, parser);
		return;
	}
	reader->document = &more;
	root = yaml_document_get_root_node(&more);
	if (root)
		FAULT(reader, root, "use conf.d for further files", "a second document in one file");
	yaml_document_delete(&more);
}

static int read_file(struct reader *reader, const char *path)
{
	struct config *config = reader->config;
	yaml_parser_t parser;
	unsigned char *bytes;
	size_t size;

	if (config->file_count == CONFIG_FILES_MAX) {
		log_err(0, "more than %d configuration files", CONFIG_FILES_MAX);
		return -EBADMSG;
	}
	bytes = config_text_read(path, &size);
	if (!bytes)
		return -EBADMSG;
	config->file[config->file_count] = strdup(path);
	if (!config->file[config->file_count] || !yaml_parser_initialize(&parser)) {
		free(bytes);
		return log_err(-ENOMEM, "cannot read '%s'", path);
	}
	reader->file = config->file[config->file_count++];
	hash_bytes(config, bytes, size);
	yaml_parser_set_input_string(&parser, bytes, size);
	read_document(reader, &parser);
	yaml_parser_delete(&parser);
	free(bytes);
	return 0;
}

/* conf.d beside the file; glob sorts. */
static int read_parts(struct reader *reader, const char *path)
{
	char copy[4096], pattern[4096 + 32];
	glob_t found;
	size_t i;
	int err;

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return log_err(-ENAMETOOLONG, "cannot read '%s'", path);
	snprintf(pattern, sizeof(pattern), "%s/conf.d/*.yaml", dirname(copy));
	err = glob(pattern, GLOB_NOESCAPE, NULL, &found);
	if (err)
		return err == GLOB_NOMATCH ? 0 : log_err(-EIO, "cannot look for %s", pattern);
	for (i = 0; i < found.gl_pathc && !err; i++)
		err = read_file(reader, found.gl_pathv[i]);
	globfree(&found);
	return err;
}

int config_read(const char *path, struct config **out)
{
	struct reader reader = { .config = config_new() };
	int err;

	*out = NULL;
	if (!reader.config)
		return log_err(-ENOMEM, "cannot read '%s'", path);
	err = read_file(&reader, path);
	if (!err && !reader.faults && !reader.config->version_place.line) {
		const struct config_place place = { .file = reader.file, .line = 1, .column = 1 };

		config_say(&place, "begin with 'version: 1'", "'version' is missing");
		reader.faults++;
	}
	if (!err)
		err = read_parts(&reader, path);
	if (!err && !reader.faults)
		reader.faults += config_check(reader.config);
	if (!err && reader.faults)
		err = -EBADMSG;
	if (err)
		config_free(reader.config);
	else
		*out = reader.config;
	return err;
}
