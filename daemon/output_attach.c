/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What attach made of each interface, for people and as JSON. */
#include "output_attach.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "format.h"
#include "names.h"
#include "output_json_values.h"
#include "plain.h"

static void print_table(const struct datapath_result *result)
{
	char flows[FORMAT_BYTES], bytes[FORMAT_BYTES];

	printf("flow table: %s flows, %s%s\n", format_grouped(flows, sizeof(flows), result->max_flows),
	       format_bytes(bytes, sizeof(bytes), result->table_bytes),
	       result->table_reduced ? " (reduced from 1 048 576: at most 1/8 of the memory)" : "");
}

static const char *xdp_words(enum tg_xdp_mode mode)
{
	if (mode == TG_XDP_SHARED)
		return "shared XDP";
	return mode == TG_XDP_NATIVE ? "native XDP" : "generic XDP";
}

static void print_device(const struct datapath_result *result)
{
	const struct netdev *dev = &result->dev;
	char queues[32] = "";

	if (dev->queues)
		snprintf(queues, sizeof(queues), ", %u queue%s", dev->queues, dev->queues == 1 ? "" : "s");
	printf("%s: driver %s, %s%s, MTU %u\n", dev->name, dev->driver[0] ? dev->driver : "unknown",
	       xdp_words(result->xdp), queues, dev->mtu);
	if (result->native_error)
		printf("%s: generic XDP is a fallback and slower: the driver refuses native XDP (%s)\n",
		       dev->name, strerror(-result->native_error));
}

static void print_seed(const struct datapath_result *result)
{
	char number[FORMAT_BYTES];

	if (result->seeded)
		printf("%s: seeded %s connection%s from local sockets      %.2f s\n", result->dev.name,
		       format_grouped(number, sizeof(number), result->sockets),
		       result->sockets == 1 ? "" : "s", (double)result->seed_us / 1e6);
	if (result->no_room)
		printf("%s: no room for %s more; they pass untracked\n", result->dev.name,
		       format_grouped(number, sizeof(number), result->no_room));
	if (result->learn_s)
		printf("%s: learning for %u s: unknown connections are adopted\n", result->dev.name,
		       result->learn_s);
}

static void print_result(const struct datapath_result *raw)
{
	struct datapath_result plain = *raw, *result = &plain;

	plain_make(plain.dev.name);
	plain_make(plain.dev.driver);
	plain_make(plain.dev.upper);
	print_device(result);
	if (result->table_made)
		print_table(result);
	print_seed(result);
	if (result->dev.upper[0] && result->profile != TG_PROFILE_HOST)
		printf("%s: %s above it hands frames on to others\n", result->dev.name, result->dev.upper);
	printf("%s: %s (XDP ingress + %s egress), profile %s, mode %s\n", result->dev.name,
	       result->updated ? "programs exchanged, flows kept" : "attached", names_tc(result->tc),
	       names_profile(result->profile), result->mode == TG_MODE_ENFORCE ? "ENFORCE" : "MONITOR");
	if (result->confirm_s)
		printf("%s: goes back by itself in %u s unless you run:  tcpguard confirm\n",
		       result->dev.name, result->confirm_s);
}

static json_t *result_json(const struct datapath_result *result)
{
	json_t *object = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:b, s:b, s:I, s:I, s:f, s:I, s:b, s:I, s:I, s:I}",
		"name", "", "driver", result->dev.driver, "xdp", names_xdp(result->xdp),
		"tc", names_tc(result->tc), "profile", names_profile(result->profile), "mode",
		names_mode(result->mode), "mtu", (int)result->dev.mtu, "queues", (int)result->dev.queues,
		"updated", result->updated, "seeded", result->seeded, "connections",
		(json_int_t)result->sockets, "no_room", (json_int_t)result->no_room, "seed_seconds",
		(double)result->seed_us / 1e6, "learn_seconds", (json_int_t)result->learn_s,
		"table_made", result->table_made, "max_flows", (json_int_t)result->max_flows,
		"table_bytes", (json_int_t)result->table_bytes, "confirm_seconds",
		(json_int_t)result->confirm_s);

	json_set_text(object, "name", result->dev.name);
	if (object && result->native_error)
		json_object_set_new(object, "native_refused", json_string(strerror(-result->native_error)));
	return object;
}

void output_attach_json(const struct global_options *global, const struct datapath_result *results, int count,
			bool daemon)
{
	json_t *interfaces = json_array();
	json_t *document;
	int i;

	for (i = 0; i < count; i++)
		json_array_append_new(interfaces, result_json(&results[i]));
	document = json_pack("{s:s, s:o, s:s}", "schema", "tcpguard.attach/1", "interfaces", interfaces,
			     "daemon", daemon ? "running" : "not running");
	json_dumpf(document, stdout, global->pretty ? JSON_INDENT(2) : JSON_COMPACT);
	putchar('\n');
	json_decref(document);
}

void output_attach_text(const struct datapath_result *results, int count)
{
	char word[FORMAT_WORD_BYTES] = "";
	int i;

	for (i = 0; i < count; i++)
		print_result(&results[i]);
	if (count == 1)
		format_word(word, sizeof(word), results[0].dev.name);
	plain_make(word);
	if (results[0].mode == TG_MODE_ENFORCE)
		printf("Watch:   tcpguard stats -i 1        "
		       "Only watch, drop nothing:   tcpguard monitor %s\n",
		       word);
	else
		printf("Watch:   tcpguard stats -i 1        Begin to drop:   tcpguard enforce %s\n",
		       word);
}
