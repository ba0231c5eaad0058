/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration file as a struct: read, checked, printed.  What it means for the data path is
 * config_apply.h.  Every key is one row of the table in config_schema.c.
 */
#ifndef TCPGUARD_CONFIG_FILE_H
#define TCPGUARD_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tcpguard/config.h"

#define CONFIG_PATH "/etc/tcpguard/tcpguard.yaml"

#define CONFIG_FILES_MAX 64
#define CONFIG_RANGES_MAX 64
#define CONFIG_PATHS_MAX 16
#define CONFIG_PATH_BYTES 256
#define CONFIG_NOT_GIVEN UINT32_MAX

/* Where something stands; line 0: nowhere, it is a default. */
struct config_place {
	const char *file;
	uint32_t line;
	uint32_t column;
};

struct config_ports {
	uint32_t count;
	struct {
		uint16_t first;
		uint16_t last;
	} range[CONFIG_RANGES_MAX];
};

struct config_paths {
	uint32_t count;
	char path[CONFIG_PATHS_MAX][CONFIG_PATH_BYTES];
};

/* A mode, of all or of one: enum tg_mode, or not given. */
struct config_iface {
	struct config_place place; /* first, as in every element of a list */
	char name[TG_IFNAME_LEN];
	uint32_t mode;
	uint32_t xdp; /* enum tg_xdp_mode; 0: auto */
	uint32_t profile; /* enum tg_profile + 1; 0: auto */
	uint32_t share;
	uint32_t strict;
	uint32_t zone;
};

struct config_service {
	struct config_place place;
	char name[TG_SERVICE_NAME_LEN];
	struct config_ports ports;
	uint32_t mode;
	uint32_t synflood; /* enum tg_flood_action; 0: as for all */
	uint32_t loose_window;
};

struct config_timeouts {
	uint32_t handshake_s;
	uint32_t established_s;
	uint32_t half_closed_s;
	uint32_t last_s;
	uint32_t time_wait_s;
	uint32_t closed_s;
	uint32_t unconfirmed_s;
};

struct config_synflood {
	uint32_t start_pps;
	uint32_t stop_pps;
	uint32_t half_open_start;
	uint32_t half_open_stop;
	uint32_t action; /* enum tg_flood_action */
	uint32_t source_pps;
	uint32_t source_burst;
	uint32_t source_conns;
	uint32_t source_prefix4;
	uint32_t source_prefix6;
};

struct config_guard {
	uint32_t enabled;
	uint32_t ratio; /* thousandths of a per cent */
	uint32_t flows;
	uint32_t packets;
	uint32_t rearm_s;
};

struct list_rules;

struct config {
	uint32_t version;
	uint32_t mode;
	uint32_t iface_count;
	struct config_iface iface[TG_IFACES_MAX];
	uint32_t service_count;
	struct config_service service[TG_SERVICES_MAX];
	struct config_synflood synflood;
	uint32_t no_flow_adopt; /* 0: drop */
	uint32_t adopt_for_s;
	uint32_t loose_window;
	uint32_t seed;
	uint32_t max_flows; /* 0: not given */
	struct config_timeouts timeouts;
	struct config_paths allow;
	struct config_paths block;
	uint32_t lists_force; /* block even what would lock us out */
	uint32_t events_sample;
	uint32_t events_max_per_second;
	char metrics_listen[108]; /* ADDRESS:PORT, the path of a socket, or "off" */
	uint32_t daemon_loss_monitor; /* 0: keep */
	uint32_t daemon_loss_after_s;
	struct config_guard guard;

	struct config_place synflood_place;
	struct config_place max_flows_place;
	struct config_place version_place;
	struct config_place allow_place;
	struct config_place block_place;
	struct config_place listen_place;
	uint64_t hash; /* of the files; never 0 for a configuration that was read */
	struct list_rules *lists; /* of those files; NULL: none are named, or config_lists_read() was not called */
	uint64_t lists_at_s; /* when those were read, CLOCK_MONOTONIC */
	uint32_t file_count;
	char *file[CONFIG_FILES_MAX]; /* their paths: places point to them */
};

/*
 * Reads path and conf.d/NAME.yaml beside it, in the order of their names, and checks the whole.
 * Every fault is said, "FILE:LINE:COLUMN: what; remedy", and makes it -EBADMSG.  *out is NULL then.
 */
int config_read(const char *path, struct config **out);

/* What holds where no file says otherwise; NULL without memory. */
struct config *config_new(void);
void config_free(struct config *config); /* accepts NULL */

/* Says a fault; the number of them is for the caller to keep.  config_check.c says them, too. */
void config_say(const struct config_place *place, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What one key cannot tell: the number of faults, said. */
uint32_t config_check(const struct config *config);

/* As a file that reads back as the same; without what the data path does not know, unless all. */
void config_print(FILE *stream, const struct config *config, bool all);

/* The file with every key and what it means, all of them commented out but the version. */
void config_print_default(FILE *stream);

/*
 * Calls visit(context, "synflood.start_pps", "20000") for every key, in the order of the table;
 * elements of a list are named: "services.web.ports".  Without what the data path does not know,
 * unless all.
 */
typedef void (*config_visitor)(void *context, const char *path, const char *value);
void config_visit(const struct config *config, bool all, config_visitor visit, void *context);

#endif
