/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and checks thresholds. */
#include "flood_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "names.h"
#include "options.h"

#define PPS_MAX 1000000000U
#define SOURCE_PPS_MAX 100000U /* finer than one unit of tg_source.arrival it cannot count */
#define NUMBER_BYTES 16

/* "A" or "A:B"; *second is left alone by the first form. */
static int read_pair(const char *name, const char *argument, char separator, uint32_t max,
		     uint32_t *first, uint32_t *second)
{
	const char *behind = strchr(argument, separator);
	char text[NUMBER_BYTES];
	int err;

	if (!behind)
		return options_u32(name, argument, 0, max, first);
	if ((size_t)(behind - argument) >= sizeof(text)) {
		log_err_hint(0, "two numbers with a mark between them", "--%s: '%s' is no number", name,
			     argument);
		return -EINVAL;
	}
	snprintf(text, sizeof(text), "%.*s", (int)(behind - argument), argument);
	err = options_u32(name, text, 0, max, first);
	return err ? err : options_u32(name, behind + 1, 0, max, second);
}

int flood_read_action(const char *name, const char *argument, void *out)
{
	struct flood_options *options = out;
	int action = options_choose(name, argument, names_flood_actions + 1);

	if (action < 0)
		return -EINVAL;
	options->value.action = (uint32_t)action + 1;
	options->action = true;
	return 0;
}

/* Without a second number protection ends at a quarter of what begins it. */
static int read_threshold(const char *name, const char *argument, uint32_t *start, uint32_t *stop)
{
	uint32_t low = UINT32_MAX;
	int err = read_pair(name, argument, ':', PPS_MAX, start, &low);

	if (err)
		return err;
	*stop = low == UINT32_MAX ? *start / 4 : low;
	return 0;
}

int flood_read_rate(const char *name, const char *argument, void *out)
{
	struct flood_options *options = out;

	options->rate = true;
	return read_threshold(name, argument, &options->value.start_pps, &options->value.stop_pps);
}

int flood_read_half_open(const char *name, const char *argument, void *out)
{
	struct flood_options *options = out;

	options->half_open = true;
	return read_threshold(name, argument, &options->value.half_open_start,
			      &options->value.half_open_stop);
}

/* Without a second number a source may send a second's worth at once, but not fewer than ten. */
int flood_read_source_rate(const char *name, const char *argument, void *out)
{
	struct flood_options *options = out;
	uint32_t burst = 0;
	int err = read_pair(name, argument, ':', SOURCE_PPS_MAX, &options->value.source_pps, &burst);

	if (err)
		return err;
	if (!burst)
		burst = options->value.source_pps < 10 ? 10 : options->value.source_pps;
	options->value.source_burst = burst;
	options->source_rate = true;
	return 0;
}

int flood_read_source_conns(const char *name, const char *argument, void *out)
{
	struct flood_options *options = out;

	options->source_conns = true;
	return options_u32(name, argument, 0, UINT32_MAX, &options->value.source_conns);
}

int flood_read_source_prefix(const char *name, const char *argument, void *out)
{
	struct flood_options *options = out;
	uint32_t v4 = 32, v6 = 64;
	int err = read_pair(name, argument, ',', 128, &v4, &v6);

	if (err)
		return err;
	if (!v4 || v4 > 32 || !v6) {
		log_err_hint(0, "for instance --source-prefix 32,64",
			     "--%s: a source is 1 to 32 bits of an IPv4 and 1 to 128 of an IPv6 address",
			     name);
		return -EINVAL;
	}
	options->value.source_prefix4 = (uint8_t)v4;
	options->value.source_prefix6 = (uint8_t)v6;
	options->source_prefix = true;
	return 0;
}

bool flood_options_empty(const struct flood_options *options)
{
	return !options->action && !options->rate && !options->half_open && !options->source_rate &&
	       !options->source_conns && !options->source_prefix;
}

void flood_options_apply(const struct flood_options *options, struct tg_flood *flood)
{
	const struct tg_flood *value = &options->value;

	if (options->action)
		flood->action = value->action;
	if (options->rate) {
		flood->start_pps = value->start_pps;
		flood->stop_pps = value->stop_pps;
	}
	if (options->half_open) {
		flood->half_open_start = value->half_open_start;
		flood->half_open_stop = value->half_open_stop;
	}
	if (options->source_rate) {
		flood->source_pps = value->source_pps;
		flood->source_burst = value->source_burst;
	}
	if (options->source_conns)
		flood->source_conns = value->source_conns;
	if (options->source_prefix) {
		flood->source_prefix4 = value->source_prefix4;
		flood->source_prefix6 = value->source_prefix6;
	}
}

const char *flood_fault(const struct tg_flood *flood)
{
	if (flood->start_pps && flood->stop_pps > flood->start_pps)
		return "protection would end above the SYN rate that begins it";
	if (flood->half_open_start && flood->half_open_stop > flood->half_open_start)
		return "protection would end above the number of handshakes that begins it";
	if (!flood->source_pps)
		return NULL;
	if (!flood->source_burst)
		return "a source must be allowed one SYN at once, at least";
	/* tg_source.arrival wraps: a burst must fit into a quarter of its range. */
	if ((uint64_t)flood->source_burst * (1000 * TG_SOURCE_UNITS_PER_MS / flood->source_pps) >
	    UINT32_MAX / 4)
		return "a burst of more than 17 minutes' worth of SYNs";
	return NULL;
}

uint32_t flood_cpus(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return cpus > 0 ? (uint32_t)cpus : 1;
}
