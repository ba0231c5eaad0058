/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the two files that read a configuration: config_read.c walks the files by the table of keys,
 * config_read_values.c makes numbers and words of what is found.  The only includers of libyaml, whose
 * document tree knows the line and column of each node.
 */
#ifndef TCPGUARD_CONFIG_READER_H
#define TCPGUARD_CONFIG_READER_H

#include <yaml.h>

#include "config_schema.h"

struct config_reader {
	struct config *config;
	const char *file;
	const unsigned char *bytes; /* of the file, while it is being read */
	size_t size;
	yaml_document_t document; /* the one being read */
	uint32_t faults;
};

/* Says what is wrong with a node and counts it. */
#define CONFIG_FAULT(reader, node, remedy, ...) \
	do { \
		struct config_place place_ = config_place_of(reader, node); \
		config_say(&place_, remedy, __VA_ARGS__); \
		(reader)->faults++; \
	} while (0)

struct config_place config_place_of(const struct config_reader *reader, const yaml_node_t *node);
yaml_node_t *config_node_at(struct config_reader *reader, int index);
const char *config_node_kind(const yaml_node_t *node);
const char *config_node_text(const yaml_node_t *node);

/* A scalar without a zero byte in it; else said. */
bool config_is_scalar(struct config_reader *reader, const yaml_node_t *node, const char *name);

/* The value of a key that is neither mapping nor list of mappings, into out; faults are said. */
void config_read_value(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
		       void *out);

#endif
