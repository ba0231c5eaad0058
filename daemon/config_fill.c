/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the words of a configuration file and the struct the data path reads, both ways.  No pins. */
#include <string.h>

#include "config_apply.h"
#include "flood_options.h"
#include "settings.h"

void config_to_flood(const struct config_synflood *from, struct tg_flood *to)
{
	*to = (struct tg_flood){
		.start_pps = from->start_pps,
		.stop_pps = from->stop_pps,
		.half_open_start = from->half_open_start,
		.half_open_stop = from->half_open_stop,
		.action = from->action,
		.cpus = flood_cpus(),
		.source_pps = from->source_pps,
		.source_burst = from->source_burst,
		.source_conns = from->source_conns,
		.source_prefix4 = (uint8_t)from->source_prefix4,
		.source_prefix6 = (uint8_t)from->source_prefix6,
	};
}

void config_to_timeouts(const struct config_timeouts *from, struct tg_timeouts *to)
{
	uint32_t phase;

	*to = (struct tg_timeouts){
		.phase_ms = {
			[TG_PHASE_SYN_SENT] = from->handshake_s * 1000,
			[TG_PHASE_SYN_RECV] = from->handshake_s * 1000,
			[TG_PHASE_ESTABLISHED] = from->established_s * 1000,
			[TG_PHASE_HALF_CLOSED] = from->half_closed_s * 1000,
			[TG_PHASE_LAST] = from->last_s * 1000,
			[TG_PHASE_TIME_WAIT] = from->time_wait_s * 1000,
			[TG_PHASE_CLOSED] = from->closed_s * 1000,
		},
		.unconfirmed_ms = from->unconfirmed_s * 1000,
	};
	to->shortest_ms = to->unconfirmed_ms;
	for (phase = 0; phase < TG_PHASE_MAX; phase++)
		if (to->phase_ms[phase] < to->shortest_ms)
			to->shortest_ms = to->phase_ms[phase];
}

/* --- services ------------------------------------------------------------------------------------- */

static uint32_t number_of(const struct tg_config *config, const char *name)
{
	uint32_t number;

	for (number = 1; number < config->services && number < TG_SERVICES_MAX; number++)
		if (!strncmp(config->service[number].name, name, TG_SERVICE_NAME_LEN))
			return number;
	return 0;
}

static void fill_service(const struct config_service *from, const struct tg_service *former,
			 uint64_t now_ms, struct tg_service *to)
{
	memset(to, 0, sizeof(*to));
	memcpy(to->name, from->name, sizeof(to->name));
	to->flood = (uint8_t)from->synflood;
	to->loose_window = (uint8_t)from->loose_window;
	if (former && former->has_mode && settings_is_pending(&former->mode, now_ms)) {
		to->mode = former->mode;
		to->has_mode = 1;
	} else if (from->mode != CONFIG_NOT_GIVEN) {
		settings_set_mode(&to->mode, (enum tg_mode)from->mode);
		to->has_mode = 1;
	}
}

static void fill_ports(const struct config_ports *from, uint32_t number, struct tg_ports *to)
{
	uint32_t i, port;

	for (i = 0; i < from->count; i++)
		for (port = from->range[i].first; port <= from->range[i].last; port++)
			to->service[port] = (uint8_t)number;
}

/* Numbers that are kept first: a newcomer must not take one of them. */
static void fill_services(const struct config *config, uint64_t now_ms, struct tg_config *to,
			  struct tg_ports *ports)
{
	const struct tg_config former = *to;
	uint32_t i, number, next = 1;

	memset(to->service, 0, sizeof(to->service));
	memset(ports, 0, sizeof(*ports));
	to->services = 0;
	for (i = 0; i < config->service_count; i++) {
		number = number_of(&former, config->service[i].name);
		if (number)
			memcpy(to->service[number].name, config->service[i].name, TG_SERVICE_NAME_LEN);
	}
	for (i = 0; i < config->service_count; i++) {
		const struct config_service *service = &config->service[i];

		number = number_of(&former, service->name);
		if (!number) {
			while (next < TG_SERVICES_MAX - 1 && to->service[next].name[0])
				next++;
			number = next;
		}
		fill_service(service, number_of(&former, service->name) ? &former.service[number] : NULL,
			     now_ms, &to->service[number]);
		fill_ports(&service->ports, number, ports);
		if (number >= to->services)
			to->services = number + 1;
	}
}

void config_fill(const struct config *config, uint64_t now_ms, struct tg_config *to, struct tg_ports *ports)
{
	config_to_timeouts(&config->timeouts, &to->timeouts);
	config_to_flood(&config->synflood, &to->flood);
	fill_services(config, now_ms, to, ports);
	to->relaxed = config->loose_window ? 1U << TG_CLASS_WINDOW : 0;
	to->events_sample = config->events_sample;
	to->events_per_second = config->events_max_per_second;
	to->daemon_loss_ms = config->daemon_loss_monitor ? config->daemon_loss_after_s * 1000 : 0;
	to->source_hash = config->hash;
}

/* --- the way back --------------------------------------------------------------------------------- */

static void ports_from(const struct tg_ports *from, uint32_t number, struct config_ports *to)
{
	uint32_t port, last;

	for (port = 1; port <= UINT16_MAX && to->count < CONFIG_RANGES_MAX; port = last + 1) {
		last = port;
		if (from->service[port] != number)
			continue;
		while (last < UINT16_MAX && from->service[last + 1] == number)
			last++;
		to->range[to->count].first = (uint16_t)port;
		to->range[to->count++].last = (uint16_t)last;
	}
}

static void flood_from(const struct tg_flood *from, struct config_synflood *to)
{
	*to = (struct config_synflood){
		.start_pps = from->start_pps,
		.stop_pps = from->stop_pps,
		.half_open_start = from->half_open_start,
		.half_open_stop = from->half_open_stop,
		.action = from->action,
		.source_pps = from->source_pps,
		.source_burst = from->source_burst,
		.source_conns = from->source_conns,
		.source_prefix4 = from->source_prefix4,
		.source_prefix6 = from->source_prefix6,
	};
}

static void timeouts_from(const struct tg_timeouts *from, struct config_timeouts *to)
{
	*to = (struct config_timeouts){
		.handshake_s = from->phase_ms[TG_PHASE_SYN_SENT] / 1000,
		.established_s = from->phase_ms[TG_PHASE_ESTABLISHED] / 1000,
		.half_closed_s = from->phase_ms[TG_PHASE_HALF_CLOSED] / 1000,
		.last_s = from->phase_ms[TG_PHASE_LAST] / 1000,
		.time_wait_s = from->phase_ms[TG_PHASE_TIME_WAIT] / 1000,
		.closed_s = from->phase_ms[TG_PHASE_CLOSED] / 1000,
		.unconfirmed_s = from->unconfirmed_ms / 1000,
	};
}

void config_from(const struct tg_config *from, const struct tg_ports *ports, struct config *to)
{
	uint32_t number;

	timeouts_from(&from->timeouts, &to->timeouts);
	flood_from(&from->flood, &to->synflood);
	to->service_count = 0;
	for (number = 1; number < from->services && number < TG_SERVICES_MAX; number++) {
		const struct tg_service *service = &from->service[number];
		struct config_service *out = &to->service[to->service_count];

		if (!service->name[0])
			continue;
		memset(out, 0, sizeof(*out));
		memcpy(out->name, service->name, sizeof(out->name) - 1);
		out->mode = service->has_mode ? service->mode.mode : CONFIG_NOT_GIVEN;
		out->synflood = service->flood;
		out->loose_window = service->loose_window;
		ports_from(ports, number, &out->ports);
		to->service_count++;
	}
	to->loose_window = settings_relaxed(from) >> TG_CLASS_WINDOW & 1;
	to->events_sample = from->events_sample;
	to->events_max_per_second = from->events_per_second;
	to->daemon_loss_monitor = from->daemon_loss_ms != 0;
	if (from->daemon_loss_ms)
		to->daemon_loss_after_s = from->daemon_loss_ms / 1000;
	to->hash = from->source_hash;
}
