/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What no single key can tell: names and ports given twice, thresholds in the wrong order. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_apply.h"
#include "config_schema.h"
#include "flood_options.h"
#include "listener.h"
#include "log.h"

static uint32_t check_ifaces(const struct config *config)
{
	uint32_t i, j, faults = 0;

	for (i = 0; i < config->iface_count; i++) {
		for (j = 0; j < i; j++) {
			if (strcmp(config->iface[i].name, config->iface[j].name) != 0)
				continue;
			config_say(&config->iface[i].place, "keep one of them",
				   "interface '%s' is given twice, first at %s:%u", config->iface[i].name,
				   config->iface[j].place.file, config->iface[j].place.line);
			faults++;
			break;
		}
	}
	return faults;
}

static uint32_t check_service_names(const struct config *config)
{
	uint32_t i, j, faults = 0;

	for (i = 0; i < config->service_count; i++) {
		const struct config_service *service = &config->service[i];

		for (j = 0; j < i; j++) {
			if (strcmp(service->name, config->service[j].name) != 0)
				continue;
			config_say(&service->place, "rename one of them",
				   "service '%s' is given twice, first at %s:%u", service->name,
				   config->service[j].place.file, config->service[j].place.line);
			faults++;
			break;
		}
		for (j = 0; j < config->iface_count; j++) {
			if (strcmp(service->name, config->iface[j].name) != 0)
				continue;
			config_say(&service->place, "rename the service: commands take both",
				   "service '%s' has the name of an interface", service->name);
			faults++;
		}
	}
	return faults;
}

/* Says the first port that two services want. */
static bool check_range(const struct config *config, uint32_t index, uint32_t first, uint32_t last,
			uint8_t *owner)
{
	uint32_t port;

	for (port = first; port <= last; port++) {
		if (owner[port]) {
			config_say(&config->service[index].place, "a port belongs to one service",
				   "port %u of service '%s' is also of service '%s'", port,
				   config->service[index].name, config->service[owner[port] - 1].name);
			return false;
		}
		owner[port] = (uint8_t)(index + 1);
	}
	return true;
}

static uint32_t check_ports(const struct config *config)
{
	uint8_t *owner = calloc(65536, 1);
	uint32_t i, r, faults = 0;

	if (!owner) {
		log_err(-ENOMEM, "cannot check the ports");
		return 1;
	}
	for (i = 0; i < config->service_count; i++) {
		const struct config_ports *ports = &config->service[i].ports;

		for (r = 0; r < ports->count; r++) {
			if (check_range(config, i, ports->range[r].first, ports->range[r].last, owner))
				continue;
			faults++;
			break;
		}
	}
	free(owner);
	return faults;
}

static struct config_place synflood_place(const struct config *config)
{
	struct config_place place = config->synflood_place;

	if (!place.file)
		place.file = config->file_count ? config->file[0] : NULL;
	return place;
}

static uint32_t check_synflood(const struct config *config)
{
	const struct config_place place = synflood_place(config);
	struct tg_flood flood;
	const char *fault;

	if (config->synflood.action == TG_FLOOD_DEFAULT) {
		config_say(&place, "give challenge, defer, ratelimit or off",
			   "'action' cannot be 'default': this is where the default is said");
		return 1;
	}
	config_to_flood(&config->synflood, &flood);
	fault = flood_fault(&flood);
	if (!fault)
		return 0;
	config_say(&place, "change one of the two numbers", "%s", fault);
	return 1;
}

/* A path, "off", or ADDRESS:PORT; whether it can be bound is seen when it is. */
static uint32_t check_listen(const struct config *config)
{
	const char *listen = config->metrics_listen;
	struct listener_address address;

	/* A path too long for a socket is too long for the key. */
	if (listen[0] == '/' || !strcmp(listen, "off") || !listener_parse(listen, &address))
		return 0;
	config_say(&config->listen_place, "give a numeric ADDRESS:PORT, the path of a Unix socket, or off",
		   "'listen' cannot be '%s'", listen);
	return 1;
}

uint32_t config_check(const struct config *config)
{
	return check_ifaces(config) + check_service_names(config) + check_ports(config) +
	       check_synflood(config) + check_listen(config);
}
