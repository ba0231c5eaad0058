/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two files of `tcpguard config` share. */
#ifndef TCPGUARD_CMD_CONFIG_H
#define TCPGUARD_CMD_CONFIG_H

#include <jansson.h>

#include "command.h"
#include "config.h"
#include "pins.h"

/* What the data path has, as a file would say it. */
int config_read_force(const struct pins *pins, struct config *config);

/* Takes the document; an exit code. */
int config_print_json(const struct global_options *global, json_t *document);

/* An exit code: "no" if a reload would change anything. */
int config_diff(const struct global_options *global, const char *path);

#endif
