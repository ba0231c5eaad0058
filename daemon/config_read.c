/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of a configuration, read by the table of keys; every fault is said with its place. */
#include <errno.h>
#include <glob.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config_reader.h"
#include "config_text.h"
#include "log.h"

#define KEYS_MAX 32 /* of one mapping of the table */

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

/* --- structure ------------------------------------------------------------------------------------ */

static void read_map(struct config_reader *reader, const struct config_key *keys, const yaml_node_t *node,
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
static void read_list(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
		      void *base)
{
	uint32_t *count = (uint32_t *)((char *)base + key->count);
	const yaml_node_item_t *item;

	if (node->type != YAML_SEQUENCE_NODE) {
		CONFIG_FAULT(reader, node, "begin each element with '- '", "'%s' is %s, not a list",
			     key->name, config_node_kind(node));
		return;
	}
	for (item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
		const yaml_node_t *inner = config_node_at(reader, *item);
		char *element = (char *)base + key->offset + *count * key->element;

		if (*count == key->max) {
			CONFIG_FAULT(reader, inner, "remove some", "more than %u in '%s'", key->max,
				     key->name);
			return;
		}
		new_element(key, element);
		*(struct config_place *)element = config_place_of(reader, inner);
		read_map(reader, key->keys, inner, key->name, element);
		(*count)++;
	}
}

static void read_value(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
		       void *base)
{
	if (key->place)
		*(struct config_place *)((char *)reader->config + key->place) = config_place_of(reader, node);
	switch (key->type) {
	case CONFIG_MAP:
		read_map(reader, key->keys, node, key->name, base);
		break;
	case CONFIG_LIST:
		read_list(reader, key, node, base);
		break;
	default:
		config_read_value(reader, key, node, (char *)base + key->offset);
	}
}

static void say_unknown(struct config_reader *reader, const struct config_key *keys, const yaml_node_t *node,
			const char *name)
{
	char remedy[512];
	size_t length = (size_t)snprintf(remedy, sizeof(remedy), "known here:");

	for (; keys->name && length < sizeof(remedy); keys++)
		length += (size_t)snprintf(remedy + length, sizeof(remedy) - length, " %s", keys->name);
	CONFIG_FAULT(reader, node, remedy, "unknown key '%s'%s%s%s", config_node_text(node),
		     name ? " in '" : "", name ? name : "", name ? "'" : "");
}

static void read_pair(struct config_reader *reader, const struct config_key *keys,
		      const yaml_node_pair_t *pair, const char *name, void *base, bool *seen)
{
	const yaml_node_t *node = config_node_at(reader, pair->key);
	uint32_t row;

	if (!config_is_scalar(reader, node, "a key"))
		return;
	for (row = 0; keys[row].name; row++)
		if (!strcmp(keys[row].name, config_node_text(node)))
			break;
	if (!keys[row].name) {
		say_unknown(reader, keys, node, name);
		return;
	}
	if (seen[row]) {
		CONFIG_FAULT(reader, node, "keep one of them", "'%s' is given twice", keys[row].name);
		return;
	}
	seen[row] = true;
	read_value(reader, &keys[row], config_node_at(reader, pair->value), base);
}

static void read_map(struct config_reader *reader, const struct config_key *keys, const yaml_node_t *node,
		     const char *name, void *base)
{
	bool seen[KEYS_MAX] = { false };
	const yaml_node_pair_t *pair;
	uint32_t row;

	if (node->type != YAML_MAPPING_NODE) {
		CONFIG_FAULT(reader, node, "give keys with values, 'key: value'", "'%s' is %s, not a mapping",
			     name ? name : "the file", config_node_kind(node));
		return;
	}
	for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++)
		read_pair(reader, keys, pair, name, base, seen);
	for (row = 0; keys[row].name; row++)
		if (keys[row].required && !seen[row])
			CONFIG_FAULT(reader, node, "add it", "'%s' is missing in '%s'", keys[row].name, name);
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

/* Of a byte: columns count characters. */
static struct config_place place_at(const struct config_reader *reader, size_t offset)
{
	struct config_place place = { .file = reader->file, .line = 1, .column = 1 };
	size_t i;

	for (i = 0; i < offset && i < reader->size; i++) {
		if (reader->bytes[i] == '\n') {
			place.line++;
			place.column = 1;
		} else if ((reader->bytes[i] & 0xc0) != 0x80) {
			place.column++;
		}
	}
	return place;
}

/* Of bytes that are no characters libyaml knows the offset, not line and column. */
static void say_syntax(struct config_reader *reader, const yaml_parser_t *parser)
{
	struct config_place place = {
		.file = reader->file,
		.line = (uint32_t)parser->problem_mark.line + 1,
		.column = (uint32_t)parser->problem_mark.column + 1,
	};

	if (parser->error == YAML_READER_ERROR)
		place = place_at(reader, parser->problem_offset);
	config_say(&place, "look at indentation, brackets and quotes, here or just above", "no YAML: %s",
		   parser->problem ? parser->problem : "out of memory");
	reader->faults++;
}

/* One document, nothing behind it. */
static void read_document(struct config_reader *reader, yaml_parser_t *parser)
{
	yaml_document_t *document = &reader->document;
	yaml_node_t *root;

	if (!yaml_parser_load(parser, document)) {
		say_syntax(reader, parser);
		return;
	}
	root = yaml_document_get_root_node(document);
	if (root)
		read_map(reader, config_keys, root, NULL, reader->config);
	yaml_document_delete(document);
	if (!root)
		return;
	if (!yaml_parser_load(parser, document)) {
		say_syntax(reader, parser);
		return;
	}
	root = yaml_document_get_root_node(document);
	if (root)
		CONFIG_FAULT(reader, root, "use conf.d for further files", "a second document in one file");
	yaml_document_delete(document);
}

static int read_file(struct config_reader *reader, const char *path)
{
	struct config *config = reader->config;
	yaml_parser_t parser;
	unsigned char *bytes;

	if (config->file_count == CONFIG_FILES_MAX) {
		log_err(0, "more than %d configuration files", CONFIG_FILES_MAX);
		return -EBADMSG;
	}
	bytes = config_text_read(path, &reader->size);
	if (!bytes)
		return -EBADMSG;
	config->file[config->file_count] = strdup(path);
	if (!config->file[config->file_count] || !yaml_parser_initialize(&parser)) {
		free(bytes);
		return log_err(-ENOMEM, "cannot read '%s'", path);
	}
	reader->file = config->file[config->file_count++];
	reader->bytes = bytes;
	hash_bytes(config, bytes, reader->size);
	yaml_parser_set_input_string(&parser, bytes, reader->size);
	read_document(reader, &parser);
	yaml_parser_delete(&parser);
	free(bytes);
	return 0;
}

/* conf.d beside the file; glob sorts. */
static int read_parts(struct config_reader *reader, const char *path)
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
	struct config_reader reader = { .config = config_new() };
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
