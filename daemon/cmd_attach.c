/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcpguard attach: options, rights, one transaction for each interface, the daemon, the answer. */
#include "command.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach_config.h"
#include "daemon_start.h"
#include "datapath.h"
#include "flood_options.h"
#include "lists.h"
#include "log.h"
#include "names.h"
#include "options.h"
#include "output_attach.h"
#include "privilege.h"
#include "settings.h"

struct attach_options {
	struct datapath_options datapath;
	struct flood_options flood;
	bool no_daemon;
	const char *config; /* path; NULL: no file */
};

static int read_mode(const char *name, const char *argument, void *out)
{
	*(int *)out = options_choose(name, argument, names_modes);
	return *(int *)out < 0 ? -EINVAL : 0;
}

static int read_profile(const char *name, const char *argument, void *out)
{
	int *profile = out;

	if (!strcmp(argument, "auto")) {
		*profile = DATAPATH_UNSET;
		return 0;
	}
	*profile = options_choose(name, argument, names_profiles);
	return *profile < 0 ? -EINVAL : 0;
}

/* The words stand in the order of enum tg_xdp_mode and enum tg_tc_kind, "auto" being 0. */
static int read_xdp(const char *name, const char *argument, void *out)
{
	static const char *const words[] = { "auto", "native", "generic", NULL };

	*(int *)out = options_choose(name, argument, words);
	return *(int *)out < 0 ? -EINVAL : 0;
}

static int read_tc(const char *name, const char *argument, void *out)
{
	static const char *const words[] = { "auto", "tcx", "clsact", NULL };

	*(int *)out = options_choose(name, argument, words);
	return *(int *)out < 0 ? -EINVAL : 0;
}

static int read_max_flows(const char *name, const char *argument, void *out)
{
	return options_u32(name, argument, 1, DATAPATH_MAX_FLOWS_LIMIT, out);
}

static int read_config(const char *name, const char *argument, void *out)
{
	(void)name;
	*(const char **)out = argument;
	return 0;
}

static int read_zone(const char *name, const char *argument, void *out)
{
	return options_u32(name, argument, 0, UINT16_MAX, out);
}

static const struct attach_options defaults = {
	.datapath.mode = DATAPATH_UNSET,
	.datapath.profile = DATAPATH_UNSET,
	.datapath.learn_s = ATTACH_LEARN_UNSET,
};

#define AT(member) offsetof(struct attach_options, member)
static const struct option_row rows[] = {
	{ 0, "config", "FILE", "settings, and without IFACE the interfaces, of this file; options given here win",
	  read_config, AT(config) },
	{ 0, "mode", "enforce|monitor", "default: enforce; monitor: drop nothing, count what would be",
	  read_mode, AT(datapath.mode) },
	{ 0, "confirm", "TIME", "go back to monitor after this time unless 'tcpguard confirm' comes",
	  options_duration, AT(datapath.confirm_s) },
	{ 0, "xdp", "auto|native|generic", "auto (default): native if the driver can, else generic",
	  read_xdp, AT(datapath.xdp) },
	{ 0, "tc", "auto|tcx|clsact", "auto (default): tcx if the kernel can, else clsact",
	  read_tc, AT(datapath.tc) },
	{ 0, "profile", "auto|host|gateway|oneway", "auto (default): gateway if frames are forwarded, else host",
	  read_profile, AT(datapath.profile) },
	{ 0, "share", NULL, "run beside other XDP programs, through libxdp's dispatcher",
	  options_set_true, AT(datapath.share) },
	{ 0, "no-seed", NULL, "do not copy live sockets; adopt unknown flows for --learn instead",
	  options_set_true, AT(datapath.no_seed) },
	{ 0, "max-flows", "N", "size of the flow table, at the first attach (1048576, less if memory is short)",
	  read_max_flows, AT(datapath.max_flows) },
	{ 0, "learn", "TIME", "how long a gateway adopts unknown flows (5m)",
	  options_duration, AT(datapath.learn_s) },
	{ 0, "strict", NULL, "drop what is doubtful, too: fragments, old data, inexact RST",
	  options_set_true, AT(datapath.strict) },
	{ 0, "zone", "N", "keep flows apart from interfaces with another number (0)",
	  read_zone, AT(datapath.zone) },
	{ 0, "synflood", "ACTION", "a SYN flood's SYNs: challenge (default; SYN cookies), defer, ratelimit, off",
	  flood_read_action, AT(flood) },
	{ 0, "syn-rate", "PPS[:PPS]", "SYNs a second to one address and port that begin and end protection (20000:5000)",
	  flood_read_rate, AT(flood) },
	{ 0, "half-open", "N[:N]", "unfinished handshakes of the last 8 s that begin and end it (10000:2500)",
	  flood_read_half_open, AT(flood) },
	{ 0, "source-rate", "PPS[:BURST]", "SYNs a second one source may send (0: no limit)",
	  flood_read_source_rate, AT(flood) },
	{ 0, "source-conns", "N", "established connections one source may have (0: no limit)",
	  flood_read_source_conns, AT(flood) },
	{ 0, "source-prefix", "V4[,V6]", "bits of an address that make a source (32,64)",
	  flood_read_source_prefix, AT(flood) },
	{ 0, "no-daemon", NULL, "start no daemon if none runs", options_set_true, AT(no_daemon) },
	{ 0, NULL, NULL, NULL, NULL, 0 },
};
#undef AT

/* Pin directories that were not there before go again if nothing came of it. */
struct directories {
	bool root;
	bool version;
};

static void look_at_directories(struct directories *before)
{
	before->root = !access(PINS_ROOT, F_OK);
	before->version = !access(PINS_DIR, F_OK);
}

static void remove_new_directories(const struct directories *before)
{
	if (!before->version)
		rmdir(PINS_DIR);
	if (!before->root)
		rmdir(PINS_ROOT);
}

static int check_rights(void)
{
	const char *missing = privilege_missing();

	if (!missing)
		return 0;
	log_err_hint(0, "run it as root", "cannot attach: missing capability %s", missing);
	return -EPERM;
}

static int read_devices(const char *const *names, int count, struct netdev *devices)
{
	int i, err;

	for (i = 0; i < count; i++) {
		err = netdev_read(names[i], &devices[i]);
		if (err)
			return err;
	}
	return 0;
}

/* Thresholds hold for all interfaces; under the lock, in one step. */
static int set_thresholds(const struct flood_options *options)
{
	struct settings_change change;
	const char *fault;
	struct pins pins;
	int err;

	if (flood_options_empty(options))
		return 0;
	err = pins_open(&pins, true);
	if (err)
		return err;
	settings_begin(&pins, &change);
	flood_options_apply(options, &change.config.flood);
	fault = flood_fault(&change.config.flood);
	if (fault) {
		log_err_hint(0, "the interfaces are attached, the thresholds are as before",
			     "cannot set the thresholds: %s", fault);
		err = -EINVAL;
	} else {
		settings_commit(&pins, &change);
	}
	pins_close(&pins);
	return err;
}

/* Those of another version, which an upgrade of the package or a detach left. */
static int settle_lists(void)
{
	struct pins pins;
	int err = pins_open(&pins, true);

	if (err)
		return err;
	err = lists_settle(&pins);
	pins_close(&pins);
	return err;
}

/* The file, which new interfaces in monitor wait for, then what the command line says. */
static int set_rest(const struct attach_options *options, const struct config *config,
		    struct datapath_result *results, int count)
{
	int err = results[0].table_made ? 0 : settle_lists(); /* new maps hold no lists */

	if (!err && config)
		err = attach_config_apply(config, &options->datapath, results, count);
	return err ? err : set_thresholds(&options->flood);
}

/* Under the lock.  The number attached is in *done; returns the first error. */
static int attach_all(const struct attach_options *options, const struct config *config,
		      const struct netdev *devices, int count, struct datapath_result *results, int *done)
{
	struct datapath_options merged;
	struct directories before;
	int lock, i, err, first = 0, rest = 0;

	look_at_directories(&before);
	lock = pins_lock();
	if (lock < 0) {
		remove_new_directories(&before);
		return lock;
	}
	for (i = 0; i < count; i++) {
		attach_config_merge(config, devices[i].name, &options->datapath, &merged);
		err = datapath_attach(&devices[i], &merged, &results[*done]);
		if (!err)
			(*done)++;
		else if (!first)
			first = err;
	}
	if (*done)
		rest = set_rest(options, config, results, *done);
	else
		remove_new_directories(&before);
	err = pins_hand_over();
	close(lock);
	if (first)
		return first;
	return rest ? rest : err;
}

/* Ctrl-C waits until what was begun is done or undone. */
static void hold_signals(sigset_t *former)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigprocmask(SIG_BLOCK, &held, former);
}

static int check_words(int count)
{
	if (count >= 1 && count <= TG_IFACES_MAX)
		return 0;
	log_err_hint(0, "usage: tcpguard attach IFACE...",
		     count < 1 ? "which interface?" : "too many interfaces: at most %d", TG_IFACES_MAX);
	return -EINVAL;
}

/* A way back is one from enforce. */
static int settle_confirm(struct datapath_options *options)
{
	if (!options->confirm_s)
		return 0;
	if (options->mode == TG_MODE_MONITOR) {
		log_err_hint(0, "leave out one of them",
			     "--confirm: there is no way back from --mode monitor");
		return -EINVAL;
	}
	options->mode = TG_MODE_ENFORCE;
	return 0;
}

static int start_daemon(const char *config)
{
	char path[PATH_MAX], words[PATH_MAX + 16] = "";

	if (config && realpath(config, path))
		snprintf(words, sizeof(words), "--config\n%s", path);
	return daemon_start(words);
}

static int attach(const struct global_options *global, const struct attach_options *options,
		  const struct config *config, const char *const *names, int count)
{
	struct datapath_result results[TG_IFACES_MAX];
	struct netdev devices[TG_IFACES_MAX];
	int done = 0, started = 0, err;
	sigset_t former;

	if (read_devices(names, count, devices))
		return EXIT_CANNOT;
	err = check_rights();
	if (err)
		return command_exit_code(err);

	hold_signals(&former);
	err = attach_all(options, config, devices, count, results, &done);
	sigprocmask(SIG_SETMASK, &former, NULL);
	if (!done)
		return command_exit_code(err);
	if (!options->no_daemon)
		started = start_daemon(options->config);
	if (global->output == OUTPUT_TEXT)
		output_attach_text(results, done);
	else
		output_attach_json(global, results, done, pins_daemon_runs());
	return err || started ? EXIT_PARTLY : EXIT_OK;
}

static int run(const struct global_options *global, const void *parsed, int argc, char **argv)
{
	struct attach_options options = *(const struct attach_options *)parsed;
	const char *names[TG_IFACES_MAX];
	struct config *config = NULL;
	int count, err, code;

	if (((argc || !options.config) && check_words(argc)) || settle_confirm(&options.datapath))
		return EXIT_USAGE;
	for (count = 0; count < argc; count++)
		names[count] = argv[count];
	err = options.config ? attach_config_read(options.config, &config, names, &count) : 0;
	code = err ? command_exit_code(err) : attach(global, &options, config, names, count);
	config_free(config);
	return code;
}

const struct command command_attach = {
	.name = "attach",
	.arguments = "[IFACE...]",
	.summary = "Track and enforce TCP on interfaces.",
	.details = "Live connections are known from the first moment: on a host they are copied from the\n"
		   "kernel's sockets, on a gateway unknown ones are adopted for a while.  Nothing is "
		   "dropped\n"
		   "until that is done.  On an interface that is attached already, the programs are\n"
		   "exchanged and everything else is kept, the mode unless --mode says otherwise.\n"
		   "All interfaces share one flow table; a daemon that ages it is started if none runs, by\n"
		   "systemd where it knows tcpguard.service.",
	.options = rows,
	.options_size = sizeof(struct attach_options),
	.defaults = &defaults,
	.run = run,
};
