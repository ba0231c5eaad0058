/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of the configuration file: one row each, for reading, checking, printing and documents. */
#ifndef TCPGUARD_CONFIG_SCHEMA_H
#define TCPGUARD_CONFIG_SCHEMA_H

#include "config.h"

enum config_type {
	CONFIG_NUMBER, /* uint32_t, min..max */
	CONFIG_DURATION, /* uint32_t seconds, min..max: 30s, 5m, 1h, 1d */
	CONFIG_PERCENT, /* uint32_t thousandths of a per cent, min..max: 1%, 0.5% */
	CONFIG_WORD, /* uint32_t: index into words */
	CONFIG_BOOLEAN, /* uint32_t */
	CONFIG_NAME, /* char[max], of an interface or service */
	CONFIG_TEXT, /* char[max] */
	CONFIG_PORTS, /* struct config_ports */
	CONFIG_PATHS, /* struct config_paths */
	CONFIG_MAP, /* keys */
	CONFIG_LIST, /* elements of a struct with keys and, first, a place */
};

struct config_key {
	const char *name; /* NULL ends the table */
	enum config_type type;
	size_t offset; /* in the enclosing struct; of a CONFIG_MAP 0: its keys lie in the same struct */
	uint32_t min;
	uint32_t max; /* also the size of a text and the most elements of a list */
	const char *const *words;
	const struct config_key *keys;
	size_t element; /* bytes */
	size_t count; /* offset of the number of elements */
	size_t place; /* offset in struct config of where the value stands; 0: not kept */
	bool required;
	bool elsewhere; /* of the daemon, or of attach: the data path does not know it */
	const char *help;
	const char *example; /* for what has no default */
};

extern const struct config_key config_keys[];

/* The value as a file writes it. */
void config_value(const struct config_key *key, const void *base, char *buffer, size_t size);

/* Not to be printed: nothing was given and there is no default. */
bool config_is_empty(const struct config_key *key, const void *base);

#endif
