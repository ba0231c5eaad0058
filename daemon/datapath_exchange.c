/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exchanges the programs of attached interfaces: of all of them or of none, whoever is killed when.
 * Each hook changes in one step, so that no packet passes unjudged; old and new programs work on the
 * same maps, so that it does not matter which of two hooks is first.
 *
 * The journal is a directory of pins, SLOT_xdp, SLOT_tc and SLOT_tc_in, and notes what they were loaded with,
 * SLOT_loaded, that changes its name:
 *
 *   exchange_new    the present programs are being written down: of no meaning yet
 *   exchange        they are complete, and hooks are being changed: after a kill they are put back
 *   exchange_done   every hook has its new program: they are on their way to ...
 *   former          what `upgrade --rollback` puts back
 *
 * The pins of an interface (SLOT/prog_*) change before its hooks do, the register after them.  Under pins_lock().  With another
 * flow table (datapath_migrate.c) the former programs are not kept: they would keep their table, and
 * know nothing of what has passed since.
 */
#include "datapath_parts.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "log.h"

#define JOURNAL_NEW PINS_DIR "/exchange_new"
#define JOURNAL PINS_DIR "/exchange"
#define JOURNAL_DONE PINS_DIR "/exchange_done"
#define FORMER PINS_DIR "/former"

static const char *const pin_of[EXCHANGE_HOOKS] = { "prog_xdp", "prog_tc", "prog_tc_in" };

/* Of an interface in the journal: a program for each hook, and the note. */
enum {
	LOADED = EXCHANGE_HOOKS,
	ENTRIES
};
static const char *const word_of[ENTRIES] = { "xdp", "tc", "tc_in", "loaded" };

static const char *entry_path(char *path, const char *directory, unsigned int slot, int entry)
{
	snprintf(path, DATAPATH_PATH_BYTES, "%s/%u_%s", directory, slot, word_of[entry]);
	return path;
}

/* 1, 0 or -errno (said). */
static int look_for(const char *path)
{
	if (!access(path, F_OK))
		return 1;
	return errno == ENOENT ? 0 : log_err(-errno, "cannot look for %s", path);
}

/* What could not be looked for is taken for there: there is more to lose if it is. */
static bool exists(const char *path)
{
	return look_for(path) != 0;
}

static int remove_entries(const char *directory)
{
	char path[DATAPATH_PATH_BYTES];
	unsigned int slot;
	int entry;

	if (!exists(directory))
		return 0;
	for (slot = 0; slot < TG_IFACES_MAX; slot++)
		for (entry = 0; entry < ENTRIES; entry++)
			if (pins_path_unlink(entry_path(path, directory, slot, entry)) && errno != ENOENT)
				return log_err(-errno, "cannot remove %s", path);
	if (pins_path_rmdir(directory) && errno != ENOENT)
		return log_err(-errno, "cannot remove %s", directory);
	return 0;
}

static int write_down(unsigned int slot, int hook)
{
	char path[DATAPATH_PATH_BYTES];
	uint32_t id;
	int fd, err = 0;

	fd = slot_pinned_program(slot, pin_of[hook], &id);
	if (fd < 0)
		return log_err(fd, "cannot open %s", slot_path(path, slot, pin_of[hook]));
	if (pins_path_pin(fd, entry_path(path, JOURNAL_NEW, slot, hook)))
		err = log_err(-errno, "cannot pin %s", path);
	close(fd);
	return err;
}

static int write_journal(const struct pins *pins, const struct exchange *items, unsigned int count)
{
	char note[DATAPATH_PATH_BYTES];
	unsigned int i;
	int hook, err = 0;

	if (pins_path_make(JOURNAL_NEW))
		return log_err(-errno, "cannot make " JOURNAL_NEW);
	for (i = 0; i < count && !err; i++) {
		entry_path(note, JOURNAL_NEW, items[i].slot, LOADED);
		err = loaded_note(note, &pins->ifaces[items[i].slot]);
		for (hook = 0; hook < EXCHANGE_HOOKS && !err; hook++)
			err = items[i].program[hook] < 0 ? 0 : write_down(items[i].slot, hook);
	}
	if (!err && pins_path_rename(JOURNAL_NEW, JOURNAL, 0))
		err = log_err_hint(-errno,
				   "in another network namespace one was interrupted: run it there, with "
				   "'nsenter --net=...'",
				   "cannot begin to exchange programs");
	if (err)
		remove_entries(JOURNAL_NEW);
	return err;
}

static int set_hook(unsigned int slot, const struct tg_iface *iface, int hook, int program)
{
	int err = slot_pin_program(slot, program, pin_of[hook]);

	if (err)
		return err;
	return hook == EXCHANGE_XDP ? xdphook_update(slot, iface, program) :
				      tchook_update(slot, iface, hook == EXCHANGE_TC_IN, program);
}

/* An interface that vanished, or was detached, since has no hook to put anything back to. */
static int hook_is_there(unsigned int slot, const struct tg_iface *iface, int hook)
{
	int there;

	if (!iface->ifindex)
		return 0;
	there = hook == EXCHANGE_XDP ? slot_holds_link(slot, "xdp") : tchook_holds(slot, iface);
	return there < 0 ? slot_unknown(there, iface->name) : there;
}

static int put_back(const struct pins *pins, unsigned int slot, int hook)
{
	const struct tg_iface *iface = &pins->ifaces[slot];
	char path[DATAPATH_PATH_BYTES];
	int fd, err;

	fd = pins_path_get(entry_path(path, JOURNAL, slot, hook), 0);
	if (fd < 0)
		return errno == ENOENT ? 0 : log_err(-errno, "cannot open %s", path);
	if (iface->ifindex && pins_link_state(slot, "xdp") == PINS_LINK_GONE) {
		err = 0; /* it vanished, perhaps with its namespace */
	} else if (!iface->ifindex || datapath_reachable(iface)) {
		err = hook_is_there(slot, iface, hook);
		if (err > 0)
			err = set_hook(slot, iface, hook, fd);
	} else {
		err = log_err_hint(-EXDEV, "run it there, with 'nsenter --net=...'",
				   "cannot put the former program of '%.*s' back",
				   TG_IFNAME_LEN, iface->name);
	}
	close(fd);
	return err;
}

/* The first error; what can be put back is. */
static int put_slot_back(const struct pins *pins, unsigned int slot)
{
	struct loaded loaded = loaded_of(&pins->ifaces[slot]);
	char path[DATAPATH_PATH_BYTES];
	int hook, err, first = 0;

	for (hook = 0; hook < EXCHANGE_HOOKS; hook++) {
		err = put_back(pins, slot, hook);
		if (err && !first)
			first = err;
	}
	if (!first)
		first = loaded_read(entry_path(path, JOURNAL, slot, LOADED), &loaded);
	if (!first)
		loaded_register(&pins->ifaces[slot], &loaded);
	return first;
}

/* The journal goes when all of it is back: till then another try is worth while. */
static int take_back(const struct pins *pins)
{
	unsigned int slot;
	int err, first = 0;

	migrate_begin_back(pins);
	for (slot = 0; slot < TG_IFACES_MAX; slot++) {
		err = put_slot_back(pins, slot);
		if (err && !first)
			first = err;
	}
	if (first)
		return first;
	err = migrate_take_back(pins);
	if (err)
		return err;
	migrate_resume(pins);
	err = remove_entries(JOURNAL);
	if (!err) /* it tells that the table's flows are not merged yet */
		maps_remove_table();
	return err;
}

/* What was just replaced is what the next rollback puts back; of other interfaces it stays. */
static int keep_former(void)
{
	char from[DATAPATH_PATH_BYTES], to[DATAPATH_PATH_BYTES];
	unsigned int slot;
	int entry;

	if (pins_path_make(FORMER) && errno != EEXIST)
		return log_err(-errno, "cannot make " FORMER);
	for (slot = 0; slot < TG_IFACES_MAX; slot++)
		for (entry = 0; entry < ENTRIES; entry++)
			if (pins_path_rename(entry_path(from, JOURNAL_DONE, slot, entry),
					     entry_path(to, FORMER, slot, entry), 0) &&
			    errno != ENOENT)
				return log_err(-errno, "cannot move %s to " FORMER, from);
	pins_path_rmdir(JOURNAL_DONE);
	return 0;
}

/* Of another table, which goes last, and not without them: it tells the next one whose programs these are. */
static int forget_former(void)
{
	int err;

	/* Of what is done nothing is put back, however much of it is left. */
	if (pins_path_rename(JOURNAL, JOURNAL_DONE, 0) && errno != ENOENT)
		return log_err(-errno, "cannot finish the exchange of programs");
	err = remove_entries(JOURNAL_DONE);
	if (!err)
		err = remove_entries(FORMER);
	if (!err)
		maps_remove_table();
	return err;
}

static int commit(bool migrated)
{
	if (pins_path_rename(JOURNAL, JOURNAL_DONE, 0)) {
		int err = log_err(-errno, "cannot finish the exchange of programs");

		return migrated && maps_exchange_table() ? 0 : err; /* the table is there to stay */
	}
	/* Every hook has its program: former ones not kept, or not removed, are no reason to go back. */
	if (migrated)
		forget_former();
	else
		keep_former();
	return 0;
}

/*
 * 1: the flows were carried to the table that is pinned now, and only the tidying up is missing.  0: not so.
 * -errno (said): unknown.
 */
static int table_was_exchanged(const struct pins *pins)
{
	unsigned int slot;
	int fd, uses, done;

	if (!maps_table_waits())
		return 0;
	done = look_for(JOURNAL_DONE);
	if (done)
		return done;
	for (slot = 0; slot < TG_IFACES_MAX; slot++) {
		fd = exchange_open_journal(slot, EXCHANGE_XDP);
		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return log_err(fd, "cannot open the journal of an interrupted exchange");
		uses = maps_are_used_by(pins, fd);
		close(fd);
		return uses < 0 ? uses : !uses;
	}
	return 0;
}

static int set_programs(const struct pins *pins, const struct exchange *item)
{
	struct tg_iface *iface = &pins->ifaces[item->slot];
	int hook, err = 0;

	for (hook = 0; hook < EXCHANGE_HOOKS && !err; hook++)
		if (item->program[hook] >= 0)
			err = set_hook(item->slot, iface, hook, item->program[hook]);
	if (!err)
		loaded_register(iface, &item->loaded);
	return err;
}

int exchange_run(const struct pins *pins, const struct exchange *items, unsigned int count,
		 struct migration *migration)
{
	unsigned int i;
	int err;

	err = write_journal(pins, items, count);
	if (err)
		return err;
	if (migration)
		err = migrate_begin(migration);
	for (i = 0; i < count && !err; i++)
		err = set_programs(pins, &items[i]);
	if (!err && migration)
		err = migrate_finish(migration);
	if (!err)
		err = commit(migration);
	if (err)
		take_back(pins);
	return err;
}

bool exchange_under_way(void)
{
	return exists(JOURNAL) || exists(JOURNAL_DONE);
}

bool datapath_interrupted(void)
{
	return exists(JOURNAL_NEW) || exists(JOURNAL) || exists(JOURNAL_DONE) || maps_table_waits();
}

int datapath_recover(const struct pins *pins)
{
	int err = remove_entries(JOURNAL_NEW), exchanged, done;

	if (err)
		return err;
	exchanged = table_was_exchanged(pins);
	if (exchanged)
		err = exchanged < 0 ? exchanged : forget_former();
	if (err)
		return err;
	done = look_for(JOURNAL_DONE);
	if (done)
		err = done < 0 ? done : keep_former();
	if (err)
		return err;
	if (!exists(JOURNAL)) {
		/* It may have gone with its last interface. */
		migrate_resume(pins);
		maps_remove_table();
		return 0;
	}
	err = take_back(pins);
	if (!err)
		log_info("an exchange of programs was interrupted: the former ones are back");
	return err;
}

static int open_entry(const char *directory, unsigned int slot, int hook)
{
	char path[DATAPATH_PATH_BYTES];
	int fd = pins_path_get(entry_path(path, directory, slot, hook), 0);

	return fd < 0 ? -errno : fd;
}

int exchange_open_former(unsigned int slot, int hook)
{
	return open_entry(FORMER, slot, hook);
}

int exchange_open_journal(unsigned int slot, int hook)
{
	return open_entry(JOURNAL, slot, hook);
}

int exchange_read_former(unsigned int slot, struct loaded *loaded)
{
	char path[DATAPATH_PATH_BYTES];

	return loaded_read(entry_path(path, FORMER, slot, LOADED), loaded);
}

void exchange_forget(unsigned int slot)
{
	static const char *const directories[] = { JOURNAL, JOURNAL_DONE, FORMER };
	char path[DATAPATH_PATH_BYTES];
	size_t i;
	int entry;

	for (i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		for (entry = 0; entry < ENTRIES; entry++)
			pins_path_unlink(entry_path(path, directories[i], slot, entry));
		pins_path_rmdir(directories[i]); /* of the last interface */
	}
}
