/* SPDX-License-Identifier: GPL-2.0-or-later */
/* YAML scalars, and lists of such, as numbers, durations, words, ports and paths; each fault with its place. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_reader.h"
#include "options.h"
#include "plain.h"

struct config_place config_place_of(const struct config_reader *reader, const yaml_node_t *node)
{
	return (struct config_place){
		.file = reader->file,
		.line = (uint32_t)node->start_mark.line + 1,
		.column = (uint32_t)node->start_mark.column + 1,
	};
}

yaml_node_t *config_node_at(struct config_reader *reader, int index)
{
	return yaml_document_get_node(&reader->document, index);
}

const char *config_node_kind(const yaml_node_t *node)
{
	if (node->type == YAML_MAPPING_NODE)
		return "a mapping";
	return node->type == YAML_SEQUENCE_NODE ? "a list" : "a single value";
}

const char *config_node_text(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

static bool is_plain(const yaml_node_t *node)
{
	return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

bool config_is_scalar(struct config_reader *reader, const yaml_node_t *node, const char *name)
{
	if (node->type != YAML_SCALAR_NODE) {
		CONFIG_FAULT(reader, node, "give one value", "'%s' is %s", name, config_node_kind(node));
		return false;
	}
	if (strlen(config_node_text(node)) != node->data.scalar.length) {
		CONFIG_FAULT(reader, node, "remove it", "'%s' holds a zero byte", name);
		return false;
	}
	if (plain_has_controls(config_node_text(node))) {
		CONFIG_FAULT(reader, node, "remove it", "'%s' holds a control character", name);
		return false;
	}
	return true;
}

static void words_list(const char *const *words, char *buffer, size_t size)
{
	size_t length = 0;
	int i;

	buffer[0] = '\0';
	for (i = 0; words[i] && length < size; i++)
		length += (size_t)snprintf(buffer + length, size - length, "%s%s", i ? ", " : "", words[i]);
}

static void read_number(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
			uint32_t *out)
{
	uint32_t number;

	if (!is_plain(node) || parse_u32(config_node_text(node), 0, UINT32_MAX, &number))
		CONFIG_FAULT(reader, node, "give digits only, without quotes",
			     "'%s' is '%s', no whole number", key->name, config_node_text(node));
	else if (number < key->min || number > key->max)
		CONFIG_FAULT(reader, node, "give a number in that range", "'%s' is %s, not between %u and %u",
			     key->name, config_node_text(node), key->min, key->max);
	else
		*out = number;
}

static void read_duration(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
			  uint32_t *out)
{
	uint32_t seconds;

	if (parse_duration_s(config_node_text(node), &seconds))
		CONFIG_FAULT(reader, node, "give for instance 30s, 5m, 1h or 1d", "'%s' is '%s', no duration",
			     key->name, config_node_text(node));
	else if (seconds < key->min || seconds > key->max)
		CONFIG_FAULT(reader, node, "give a duration in that range",
			     "'%s' is %s, not between %us and %us", key->name, config_node_text(node),
			     key->min, key->max);
	else
		*out = seconds;
}

static void read_percent(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
			 uint32_t *out)
{
	const char *text = config_node_text(node);
	char *end;
	double percent = strtod(text, &end);

	if (strspn(text, "0123456789.") + 1 != strlen(text) || end == text || strcmp(end, "%") != 0)
		CONFIG_FAULT(reader, node, "give for instance 1% or 0.5%", "'%s' is '%s', no percentage",
			     key->name, text);
	else if (percent * 1000 < key->min || percent * 1000 > key->max)
		CONFIG_FAULT(reader, node, "give a percentage in that range",
			     "'%s' is %s, not between %g%% and %g%%", key->name, text, key->min / 1000.0,
			     key->max / 1000.0);
	else
		*out = (uint32_t)(percent * 1000 + 0.5);
}

static void read_word(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
		      uint32_t *out)
{
	char list[256], remedy[300];
	uint32_t i;

	for (i = 0; key->words[i]; i++) {
		if (!strcmp(key->words[i], config_node_text(node))) {
			*out = i;
			return;
		}
	}
	words_list(key->words, list, sizeof(list));
	snprintf(remedy, sizeof(remedy), "give one of %s", list);
	CONFIG_FAULT(reader, node, remedy, "'%s' cannot be '%s'", key->name, config_node_text(node));
}

static void read_boolean(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
			 uint32_t *out)
{
	if (is_plain(node) && !strcmp(config_node_text(node), "true"))
		*out = 1;
	else if (is_plain(node) && !strcmp(config_node_text(node), "false"))
		*out = 0;
	else
		CONFIG_FAULT(reader, node, "give true or false", "'%s' cannot be '%s'", key->name,
			     config_node_text(node));
}

static void read_text(struct config_reader *reader, const char *name, const yaml_node_t *node, uint32_t size,
		      char *out)
{
	size_t length = node->data.scalar.length;

	if (!length)
		CONFIG_FAULT(reader, node, "give a value or leave the key out", "'%s' is empty", name);
	else if (length >= size)
		CONFIG_FAULT(reader, node, "shorten it", "'%s' is longer than %u characters", name, size - 1);
	else
		memcpy(out, config_node_text(node), length + 1);
}

/* Of an interface or a service: a word of the command line. */
static void read_name(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
		      char *out)
{
	const char *text = config_node_text(node);

	if (text[0] == '-' || strcspn(text, " \t\n/'\"") != strlen(text))
		CONFIG_FAULT(reader, node, "no blanks, slashes, quotes, nor a '-' in front",
			     "'%s' cannot be '%s'", key->name, text);
	else
		read_text(reader, key->name, node, key->max, out);
}

/* "443" or "8000-8100" */
static void read_range(struct config_reader *reader, const yaml_node_t *node, struct config_ports *ports)
{
	const char *text = config_node_text(node), *dash = strchr(text, '-');
	char low[8] = "";
	uint32_t first = 0, last = 0;
	int err;

	if (ports->count == CONFIG_RANGES_MAX) {
		CONFIG_FAULT(reader, node, "join neighbours to ranges, or make two services",
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
		CONFIG_FAULT(reader, node, "give 1 to 65535, or a range such as 8000-8100",
			     "'%s' is no port and no range of ports", text);
		return;
	}
	ports->range[ports->count].first = (uint16_t)first;
	ports->range[ports->count++].last = (uint16_t)last;
}

static void read_path(struct config_reader *reader, const yaml_node_t *node, const char *name,
		      struct config_paths *paths)
{
	if (paths->count == CONFIG_PATHS_MAX)
		CONFIG_FAULT(reader, node, "name a directory", "more than %d paths in '%s'",
			     CONFIG_PATHS_MAX, name);
	else if (config_node_text(node)[0] != '/')
		CONFIG_FAULT(reader, node, "give a path that begins with '/'", "'%s' is no absolute path",
			     config_node_text(node));
	else
		read_text(reader, name, node, CONFIG_PATH_BYTES, paths->path[paths->count++]);
}

static void read_items(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
		       void *out)
{
	const yaml_node_item_t *item;

	if (node->type != YAML_SEQUENCE_NODE) {
		CONFIG_FAULT(reader, node,
			     key->type == CONFIG_PORTS ? "give for instance [80, 443]" :
							 "give for instance [/path]",
			     "'%s' is %s, not a list", key->name, config_node_kind(node));
		return;
	}
	for (item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
		const yaml_node_t *inner = config_node_at(reader, *item);

		if (!config_is_scalar(reader, inner, key->name))
			continue;
		if (key->type == CONFIG_PORTS)
			read_range(reader, inner, out);
		else
			read_path(reader, inner, key->name, out);
	}
	if (key->required && node->data.sequence.items.start == node->data.sequence.items.top)
		CONFIG_FAULT(reader, node, "name one at least", "'%s' is empty", key->name);
}

static void read_scalar(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
			void *out)
{
	if (!config_is_scalar(reader, node, key->name))
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

void config_read_value(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
		       void *out)
{
	if (key->type == CONFIG_PORTS || key->type == CONFIG_PATHS)
		read_items(reader, key, node, out);
	else
		read_scalar(reader, key, node, out);
}
