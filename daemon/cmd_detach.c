/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcpguard detach: takes the programs off again and, with --purge, everything that is kept. */
#include "command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "daemon_start.h"
#include "datapath.h"
#include "format.h"
#include "log.h"
#include "netdev.h"
#include "options.h"
#include "output_json_values.h"
#include "plain.h"

struct detach_options {
	bool all;
	bool purge;
};

static const struct option_row rows[] = {
	{ 0, "all", NULL, "every interface, of whichever network namespace", options_set_true,
	  offsetof(struct detach_options, all) },
	{ 0, "purge", NULL, "also drop flows and counters, stop the daemon, remove every pin",
	  options_set_true, offsetof(struct detach_options, purge) },
	{ 0, NULL, NULL, NULL, NULL, 0 },
};

/* What was done. */
struct outcome {
	struct tg_iface ifaces[TG_IFACES_MAX];
	unsigned int count;
	uint64_t kept_bytes;
	bool purged;
};

static bool chosen[TG_IFACES_MAX]; /* by slot */

static int choose(const struct pins *pins, bool all, char **names, int count)
{
	int i, slot;

	for (slot = 0; slot < TG_IFACES_MAX; slot++)
		chosen[slot] = all && pins->ifaces[slot].ifindex;
	for (i = 0; i < count; i++) {
		slot = pins_iface_slot(pins, names[i]);
		if (slot < 0) {
			log_err_hint(0, "'tcpguard status' lists what is", "'%s' is not attached", names[i]);
			return -ENODEV;
		}
		chosen[slot] = true;
	}
	return 0;
}

/* Flows and counters are everybody's: they can go with the last interface only. */
static int check_purge(const struct pins *pins)
{
	int slot;

	for (slot = 0; slot < TG_IFACES_MAX; slot++) {
		if (!pins->ifaces[slot].ifindex || chosen[slot])
			continue;
		log_err_hint(0, "'tcpguard detach --all --purge' takes everything",
			     "cannot purge: '%.*s' is attached and uses the flow table", TG_IFNAME_LEN,
			     pins->ifaces[slot].name);
		return -EBUSY;
	}
	return 0;
}

static int detach_chosen(struct pins *pins, struct outcome *outcome)
{
	int slot, err, first = 0;

	for (slot = 0; slot < TG_IFACES_MAX; slot++) {
		if (!chosen[slot])
			continue;
		outcome->ifaces[outcome->count] = pins->ifaces[slot];
		netdev_refresh_name(&outcome->ifaces[outcome->count]);
		err = datapath_detach(pins, (unsigned int)slot);
		if (!err)
			outcome->count++;
		else if (!first)
			first = err;
	}
	datapath_tidy();
	return first;
}

static int purge(struct outcome *outcome)
{
	int stopped = daemon_stop(), err = datapath_purge();

	outcome->purged = !err;
	return err ? err : stopped;
}

/* What is pinned cannot be read, and will not be at the next try either. */
static bool beyond_repair(int err)
{
	return err && err != -EPERM && err != -EACCES && err != -ENOMEM && err != -EMFILE && err != -ENFILE;
}

/* With the lock held. */
static int detach(const struct detach_options *options, int argc, char **argv, struct outcome *outcome)
{
	struct pins pins;
	int err;

	err = pins_open(&pins, true);
	if (options->all && options->purge && beyond_repair(err))
		return purge(outcome);
	if (err)
		return err;
	datapath_recover(&pins); /* says what it cannot; what is to go need not be repaired */
	err = choose(&pins, options->all, argv, argc);
	if (!err && options->purge)
		err = check_purge(&pins);
	if (!err)
		err = detach_chosen(&pins, outcome);
	outcome->kept_bytes = datapath_table_bytes(pins.info.max_flows);
	if (!err && options->purge)
		err = purge(outcome);
	else if (!err)
		err = pins_hand_over(); /* what recovery has pinned anew */
	pins_close(&pins);
	return err;
}

static void print_text(const struct outcome *outcome, bool nothing_left)
{
	char bytes[FORMAT_BYTES], name[TG_IFNAME_LEN];
	unsigned int i;

	for (i = 0; i < outcome->count; i++)
		printf("%s: detached\n", plain_copy(name, sizeof(name), outcome->ifaces[i].name));
	if (outcome->purged)
		printf("Flows, counters and pins are removed.\n");
	else if (nothing_left)
		printf("Flows and counters stay pinned (%s); tcpguard detach --all --purge removes them\n",
		       format_bytes(bytes, sizeof(bytes), outcome->kept_bytes));
}

static void print_json(const struct global_options *global, const struct outcome *outcome)
{
	json_t *names = json_array();
	json_t *document;
	unsigned int i;

	for (i = 0; i < outcome->count; i++)
		json_array_append_new(names, json_text(outcome->ifaces[i].name));
	document = json_pack("{s:s, s:o, s:b}", "schema", "tcpguard.detach/1", "detached", names, "purged",
			     outcome->purged);
	json_dumpf(document, stdout, global->pretty ? JSON_INDENT(2) : JSON_COMPACT);
	putchar('\n');
	json_decref(document);
}

/* Without the lock, which would make the directory it lies in. */
static int nothing_pinned(const struct detach_options *options)
{
	struct pins pins;
	int err;

	if (!access(PINS_DIR "/maps/tg_info", F_OK))
		return 0;
	if (options->all && options->purge && !access(PINS_ROOT, F_OK))
		return 0; /* leftovers */
	err = pins_open(&pins, false); /* says why */
	if (!err)
		pins_close(&pins);
	return err;
}

/* Held to the end: what was begun is finished whatever signal comes. */
static int detach_locked(const struct detach_options *options, int argc, char **argv,
			 struct outcome *outcome)
{
	sigset_t held, former;
	int lock, err;

	lock = pins_lock();
	if (lock < 0)
		return lock;
	sigfillset(&held);
	sigprocmask(SIG_BLOCK, &held, &former);
	err = detach(options, argc, argv, outcome);
	sigprocmask(SIG_SETMASK, &former, NULL);
	close(lock);
	return err;
}

static int run(const struct global_options *global, const void *parsed, int argc, char **argv)
{
	const struct detach_options *options = parsed;
	struct outcome outcome = { 0 };
	int err;

	if (options->all == (argc > 0)) {
		log_err_hint(0, "usage: tcpguard detach IFACE...|--all [--purge]",
			     options->all ? "either interfaces or --all" : "which interface?");
		return EXIT_USAGE;
	}
	err = nothing_pinned(options);
	if (!err)
		err = detach_locked(options, argc, argv, &outcome);
	if (err && !outcome.count)
		return command_exit_code(err);
	if (global->output == OUTPUT_TEXT)
		print_text(&outcome, !err && access(PINS_DIR "/iface", F_OK));
	else
		print_json(global, &outcome);
	return err ? EXIT_PARTLY : EXIT_OK;
}

const struct command command_detach = {
	.name = "detach",
	.arguments = "IFACE...|--all",
	.summary = "Take the programs off interfaces: exactly what attach added.",
	.details = "Flows and counters stay pinned, with the last interface, too: a later attach goes\n"
		   "on with the counters and seeds or adopts connections anew.  The daemon ends by\n"
		   "itself soon after.\n"
		   "--purge removes everything and stops the daemon; it is refused while an interface that\n"
		   "is not named stays attached.",
	.options = rows,
	.options_size = sizeof(struct detach_options),
	.run = run,
};
