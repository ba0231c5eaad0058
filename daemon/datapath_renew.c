/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flow table that an earlier version left pinned, and no interface: there is nothing for `upgrade` to
 * exchange.  The first attach makes one of its own layout, with what the former has; all other maps stay.
 */
#include "datapath_parts.h"

#include "log.h"

/* Programs make a table when they are loaded; these are for nothing else. */
static int make_table(const struct job *job, struct migration *migration)
{
	struct datapath_result unused = { 0 };
	struct job maker = {
		.dev = job->dev,
		.options = job->options,
		.result = &unused,
		.pins_open = true,
	};
	int err;

	migrate_lend(migration, &maker);
	err = load_programs(&maker);
	if (!err)
		err = migrate_publish(migration, &maker);
	load_release(&maker);
	return err;
}

/* Killed in between, it is as before, or done: what is left in maps_new the next one removes. */
static int renew_table(const struct job *job)
{
	struct migration *migration = NULL;
	int err;

	err = datapath_recover(&job->pins);
	if (!err)
		err = migrate_plan(&job->pins, 0, &migration);
	if (!err)
		err = make_table(job, migration);
	if (!err)
		err = maps_exchange_table();
	if (!err)
		log_info("the flow table had layout %u: its flows were carried to one of layout %u",
			 job->pins.info.layout_version, TG_LAYOUT_VERSION);
	migrate_release(migration);
	return err;
}

int renew_open(struct job *job)
{
	int err = pins_open_at(&job->pins, DATAPATH_MAPS_DIR, true);

	if (err || job->pins.layout == layout_own())
		return err;
	if (slots_all_free(&job->pins))
		err = renew_table(job);
	pins_close(&job->pins);
	return err ? err : pins_open(&job->pins, true); /* else says that 'upgrade' does it */
}
