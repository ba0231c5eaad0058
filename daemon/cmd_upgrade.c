/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcpguard upgrade: this version's programs on every attached interface, or the former ones back. */
#include "command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "daemon_start.h"
#include "datapath.h"
#include "lists.h"
#include "log.h"
#include "options.h"
#include "output_json_values.h"
#include "plain.h"
#include "privilege.h"

struct upgrade_options {
	bool rollback;
	bool no_daemon;
	bool no_start;
	uint32_t max_flows; /* 0: as before */
};

static int parse_max_flows(const char *name, const char *argument, void *out)
{
	return options_u32(name, argument, 1, DATAPATH_MAX_FLOWS_LIMIT, out);
}

static const struct option_row rows[] = {
	{ 0, "rollback", NULL, "put the programs back that the last exchange replaced", options_set_true,
	  offsetof(struct upgrade_options, rollback) },
	{ 0, "max-flows", "N", "carry the flows to a table for so many", parse_max_flows,
	  offsetof(struct upgrade_options, max_flows) },
	{ 0, "no-daemon", NULL, "leave the daemon alone", options_set_true,
	  offsetof(struct upgrade_options, no_daemon) },
	{ 0, "no-start", NULL, "exchange the daemon if one runs, but start none", options_set_true,
	  offsetof(struct upgrade_options, no_start) },
	{ 0, NULL, NULL, NULL, NULL, 0 },
};

/* What was done. */
struct outcome {
	struct datapath_exchanged all[TG_IFACES_MAX];
	unsigned int count;
	unsigned int exchanged;
	struct datapath_migrated migrated;
};

/* Under the lock. */
static int upgrade(const struct upgrade_options *options, struct outcome *outcome)
{
	struct pins pins;
	unsigned int i;
	int err, handed;

	err = pins_open_at(&pins, PINS_MAPS_DIR, true);
	if (err)
		return err;
	err = datapath_upgrade(&pins, options->rollback, options->max_flows, outcome->all, &outcome->count,
			       &outcome->migrated);
	for (i = 0; i < outcome->count && !err; i++)
		outcome->exchanged += !outcome->all[i].left;
	if (!err && !options->rollback)
		err = lists_renew(&pins);
	pins_close(&pins);
	handed = pins_hand_over();
	return err ? err : handed;
}

/* What was begun is finished or taken back, whatever signal comes. */
static int upgrade_locked(const struct upgrade_options *options, struct outcome *outcome)
{
	sigset_t held, former;
	int lock, err;

	lock = pins_lock();
	if (lock < 0)
		return lock;
	sigfillset(&held);
	sigprocmask(SIG_BLOCK, &held, &former);
	err = upgrade(options, outcome);
	sigprocmask(SIG_SETMASK, &former, NULL);
	close(lock);
	return err;
}

static bool is_the_same(const struct datapath_exchanged *one)
{
	return !memcmp(one->before, one->after, sizeof(one->before));
}

/* 16 digits and a zero. */
#define TAG_BYTES (2 * DATAPATH_TAG_BYTES + 1)

static const char *tag_text(char *buffer, const __u8 *tag)
{
	size_t i;

	for (i = 0; i < DATAPATH_TAG_BYTES; i++)
		snprintf(buffer + 2 * i, 3, "%02x", tag[i]);
	return buffer;
}

static void print_one(const struct datapath_exchanged *one)
{
	char text[4][TAG_BYTES], name[TG_IFNAME_LEN];

	if (one->left)
		return; /* said on standard error */
	printf("%s: programs exchanged, flows kept", plain_copy(name, sizeof(name), one->iface.name));
	if (is_the_same(one))
		printf(" (the code is the same)\n");
	else
		printf(" (XDP %s, before %s; egress %s, before %s)\n", tag_text(text[0], one->after[0]),
		       tag_text(text[1], one->before[0]), tag_text(text[2], one->after[1]),
		       tag_text(text[3], one->before[1]));
}

static void print_migrated(const struct datapath_migrated *migrated)
{
	if (!migrated->done)
		return;
	printf("flow table for %u instead of %u flows", migrated->max_flows, migrated->max_flows_before);
	if (migrated->layout_before != TG_LAYOUT_VERSION)
		printf(", layout %u instead of %u", (__u32)TG_LAYOUT_VERSION, migrated->layout_before);
	printf(": %llu flows carried over", (unsigned long long)migrated->flows);
	if (migrated->no_room)
		printf(", %llu found no room", (unsigned long long)migrated->no_room);
	printf("; %llu segments passed meanwhile that would have been dropped\n",
	       (unsigned long long)migrated->unjudged);
}

/* Former programs have a table of their own, which knows nothing of what passed since. */
static void print_way_back(const struct datapath_migrated *migrated)
{
	if (migrated->layout_before == TG_LAYOUT_VERSION)
		printf("Back:    tcpguard upgrade --max-flows %u; --rollback cannot, the table is another\n",
		       migrated->max_flows_before);
	else
		printf("Back:    no --rollback: the former version does not know this layout.  With that one "
		       "installed,\n         'tcpguard detach --all --purge' and attach: flows and counters "
		       "begin anew\n");
}

static void print_text(const struct upgrade_options *options, const struct outcome *outcome)
{
	unsigned int i;

	for (i = 0; i < outcome->count; i++)
		print_one(&outcome->all[i]);
	print_migrated(&outcome->migrated);
	if (outcome->migrated.done)
		print_way_back(&outcome->migrated);
	if (outcome->exchanged)
		printf("Watch:   tcpguard stats -i 1%s\n",
		       outcome->migrated.done ? "" :
		       options->rollback      ? "        Forward again:   tcpguard upgrade --rollback" :
						"        Back:   tcpguard upgrade --rollback");
}

static json_t *one_json(const struct datapath_exchanged *one)
{
	char text[4][TAG_BYTES];

	if (one->left)
		return json_pack("{s:o, s:b, s:s}", "name", json_text(one->iface.name), "exchanged", 0,
				 "reason", one->left);
	return json_pack("{s:o, s:b, s:s, s:s, s:s, s:s}", "name", json_text(one->iface.name), "exchanged",
			 1, "xdp_tag", tag_text(text[0], one->after[0]), "xdp_tag_before",
			 tag_text(text[1], one->before[0]), "tc_tag", tag_text(text[2], one->after[1]),
			 "tc_tag_before", tag_text(text[3], one->before[1]));
}

static json_t *migrated_json(const struct datapath_migrated *migrated)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "max_flows", (json_int_t)migrated->max_flows,
			 "max_flows_before", (json_int_t)migrated->max_flows_before, "layout",
			 (json_int_t)TG_LAYOUT_VERSION, "layout_before", (json_int_t)migrated->layout_before,
			 "flows", (json_int_t)migrated->flows, "no_room", (json_int_t)migrated->no_room,
			 "unjudged_packets", (json_int_t)migrated->unjudged);
}

static void print_json(const struct global_options *global, const struct upgrade_options *options,
		       const struct outcome *outcome)
{
	json_t *interfaces = json_array();
	json_t *document;
	unsigned int i;

	for (i = 0; i < outcome->count; i++)
		json_array_append_new(interfaces, one_json(&outcome->all[i]));
	document = json_pack("{s:s, s:b, s:o, s:s}", "schema", "tcpguard.upgrade/1", "rollback",
			     options->rollback, "interfaces", interfaces, "daemon",
			     pins_daemon_runs() ? "running" : "not running");
	if (outcome->migrated.done)
		json_object_set_new(document, "table", migrated_json(&outcome->migrated));
	json_dumpf(document, stdout, global->pretty ? JSON_INDENT(2) : JSON_COMPACT);
	putchar('\n');
	json_decref(document);
}

static void say_what_was_left(const struct outcome *outcome)
{
	unsigned int i;

	for (i = 0; i < outcome->count; i++)
		if (outcome->all[i].left)
			log_err(0, "'%.*s' is left as it is: %s", TG_IFNAME_LEN, outcome->all[i].iface.name,
				outcome->all[i].left);
}

/* The old daemon ends; under systemd the unit starts the new one, else we do, as the old one was. */
static int exchange_daemon(void)
{
	char words[PINS_NOTE_BYTES];
	int err;

	pins_read_note(PINS_NOTE_WORDS, words, sizeof(words));
	err = daemon_stop();
	return err ? err : daemon_start(words);
}

/* Asked before: the old daemon may end by itself when its table has gone. */
static bool wants_daemon(const struct upgrade_options *options)
{
	if (options->rollback || options->no_daemon)
		return false;
	return !options->no_start || pins_daemon_runs();
}

static int check_rights(void)
{
	const char *missing = privilege_missing();

	if (!missing)
		return 0;
	log_err_hint(0, "run it as root", "cannot upgrade: missing capability %s", missing);
	return -EPERM;
}

/* Without the lock, which would make the directory it lies in. */
static int check_attached(void)
{
	struct pins pins;
	int err;

	if (!access(PINS_DIR "/maps/tg_info", F_OK))
		return 0;
	err = pins_open(&pins, false); /* says why */
	if (!err)
		pins_close(&pins);
	return err;
}

static int exit_code(const struct upgrade_options *options, const struct outcome *outcome)
{
	if (outcome->exchanged == outcome->count)
		return EXIT_OK;
	if (outcome->exchanged)
		return EXIT_PARTLY;
	return options->rollback ? EXIT_NO : EXIT_CANNOT;
}

static int run(const struct global_options *global, const void *parsed, int argc, char **argv)
{
	const struct upgrade_options *options = parsed;
	struct outcome outcome = { 0 };
	int err, daemon = 0;
	bool with_daemon;

	if (options_no_words(argc, argv))
		return EXIT_USAGE;
	if (options->rollback && options->max_flows) {
		log_err_hint(0, "give one of them", "--rollback and --max-flows do not go together");
		return EXIT_USAGE;
	}
	err = check_rights();
	if (!err)
		err = check_attached();
	with_daemon = wants_daemon(options);
	if (!err)
		err = upgrade_locked(options, &outcome);
	if (err)
		return command_exit_code(err);
	if (!outcome.count) {
		log_err_hint(0, "attach with 'tcpguard attach IFACE'", "no interface is attached");
		return EXIT_NOT_ATTACHED;
	}
	say_what_was_left(&outcome);
	if (outcome.exchanged && with_daemon)
		daemon = exchange_daemon();
	if (global->output == OUTPUT_TEXT)
		print_text(options, &outcome);
	else
		print_json(global, options, &outcome);
	return daemon ? EXIT_PARTLY : exit_code(options, &outcome);
}

const struct command command_upgrade = {
	.name = "upgrade",
	.arguments = "",
	.summary = "Put this version's programs on every attached interface.",
	.details = "All are loaded first; then each takes its place in one step, no packet passes "
		   "unjudged.\n"
		   "Flows, counters and settings stay.  If one cannot be exchanged, none is.  What is\n"
		   "replaced stays pinned: --rollback puts it back, and once more goes forward again.\n"
		   "Then the daemon is restarted.  --rollback without former programs: exit code 1; to\n"
		   "ones that read no lists of this version's format, while there are lists: 5.\n"
		   "With --max-flows, or after a version with another layout, the flows are carried to a\n"
		   "new table; verdicts that need a flow are not carried out for a second then, what\n"
		   "passed so is counted as would_drop and told, and there is no way back.",
	.options = rows,
	.options_size = sizeof(struct upgrade_options),
	.run = run,
};
