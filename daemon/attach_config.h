/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attach by a configuration file: which interfaces, each with what, and what comes after them. */
#ifndef TCPGUARD_ATTACH_CONFIG_H
#define TCPGUARD_ATTACH_CONFIG_H

#include "config.h"
#include "datapath.h"

#define ATTACH_LEARN_UNSET UINT32_MAX

/*
 * Reads the file and fills names with the interfaces it names unless *count says that the command
 * line did; they point into the file.  0, -EBADMSG or another error (said).
 */
int attach_config_read(const char *path, struct config **config, const char **names, int *count);

/* What one interface gets: what given says goes before the file, the file before the defaults. */
void attach_config_merge(const struct config *config, const char *name, const struct datapath_options *given,
			 struct datapath_options *out);

/*
 * Under the lock, after the interfaces: the whole file in one step, then the modes, which no new
 * interface enforces before.  0 or -errno (said): new ones then stay in monitor.
 */
int attach_config_apply(const struct config *config, const struct datapath_options *given,
			struct datapath_result *results, int count);

#endif
