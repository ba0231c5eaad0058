/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another flow table in place of the present one, of another size or layout, with its flows, while
 * traffic goes on.  All other maps are shared by both.
 *
 *   1 the new table is made and pinned beside the present one (maps_new), the new programs are loaded
 *   2 the flows are carried over: most of the work, while the former programs judge as ever
 *   3 the journal of the exchange is written; verdicts about states and windows are no longer carried
 *     out: between two exchanged hooks each table sees one direction only, and learns of the other from
 *     its acknowledgements
 *   4 the flows once more, for what moved since 2; the programs are exchanged
 *   5 the former table stands still: what it learnt since 4 is merged into the new one
 *   6 a moment for handshakes of which a segment passed between 4 and 5: their next one is followed
 *   7 verdicts count again, maps_new and maps change places, the journal and the former table go
 *
 * Segments that would have been dropped between 3 and 7 are counted as would_drop, and reported.
 *
 * Where 7 fails, or who does it is killed before it, the former programs are put back, verdicts waiting
 * again (datapath_exchange.c), and what the new table learnt is merged the other way round.  A table of
 * another layout cannot be: open flows are judged loosely then, and what is unknown is adopted for a while.
 */
#include "datapath_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <linux/membarrier.h>

#include "flow_carry.h"
#include "log.h"
#include "settings.h"

#define SETTLE_MS 1000 /* as long as a first retransmission waits */
#define ADOPT_MS (60 * 1000)

struct migration {
	const struct pins *former;
	struct tg_table_info info;
	struct pins fresh;
	bool fresh_open;
	struct flow_carry_counts counts;
	uint64_t would_drop; /* before */
	uint64_t unjudged;
};

void migrate_resume(const struct pins *pins)
{
	/* Of both: the one in force may have been exchanged meanwhile, a copy of the other. */
	settings_resume(&pins->settings->config[0]);
	settings_resume(&pins->settings->config[1]);
}

static struct flow_carry_source source_of(const struct pins *pins)
{
	return (struct flow_carry_source){
		.layout = pins->layout,
		.slots = pins->buckets,
		.details = pins->details,
		.count = (uint64_t)pins->info.buckets * pins->layout->ways,
		.words = pins->words,
	};
}

static int carry(const struct pins *from, const struct pins *to, enum flow_carry_step step,
		 struct flow_carry_counts *counts)
{
	struct flow_carry_source source = source_of(from);
	uint64_t now_ms;
	int err = pins_now_ms(to, &now_ms);

	if (err)
		return err;
	flow_carry(&source, &to->table, (__u32)now_ms, step, counts);
	if (counts->no_room)
		TG_WRITE_ONCE(to->settings->refused_ms, (__u32)now_ms);
	return 0;
}

/* Packets that met the former programs before their hook was changed have been judged by them. */
static void wait_for_packets(void)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

static void settle(void)
{
	struct timespec left = { SETTLE_MS / 1000, SETTLE_MS % 1000 * 1000000L };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

static uint64_t count_would_drop(const struct pins *pins)
{
	size_t cpus = (size_t)libbpf_num_possible_cpus(), cpu;
	unsigned int slot, verdict;
	uint64_t sum = 0;

	for (slot = 0; slot < TG_IFACES_MAX; slot++) {
		struct tg_counters *all = pins->ifaces[slot].ifindex ? slot_read_counters(pins, slot) : NULL;

		for (cpu = 0; all && cpu < cpus; cpu++)
			for (verdict = 0; verdict < TG_VERDICT_MAX; verdict++)
				sum += all[cpu].count[TG_OUTCOME_WOULD_DROP][verdict].packets;
		free(all);
	}
	return sum;
}

static int check_room(const struct pins *former, uint32_t max_flows)
{
	struct flow_carry_source source = source_of(former);
	uint64_t live = flow_carry_live(&source);

	if (live <= max_flows)
		return 0;
	log_err_hint(0, "give at least so many", "cannot make a flow table for %u: there are %llu flows",
		     max_flows, (unsigned long long)live);
	return -EINVAL;
}

int migrate_plan(const struct pins *former, uint32_t max_flows, struct migration **out)
{
	struct migration *migration;
	int err;

	*out = NULL;
	if (former->layout == layout_own() && (!max_flows || max_flows == former->info.max_flows))
		return 0;
	err = max_flows ? check_room(former, max_flows) : 0;
	if (err)
		return err;
	if (!max_flows)
		max_flows = former->info.max_flows;
	migration = calloc(1, sizeof(*migration));
	if (!migration)
		return log_err(-ENOMEM, "cannot carry the flows to another table");
	migration->former = former;
	maps_plan_table(&former->info, max_flows, &migration->info);
	*out = migration;
	return 0;
}

void migrate_lend(const struct migration *migration, struct job *job)
{
	job->info = migration->info;
	job->pins = migration->fresh_open ? migration->fresh : *migration->former;
	if (!migration->fresh_open)
		maps_withhold_table(&job->pins);
}

int migrate_publish(struct migration *migration, const struct job *job)
{
	int err;

	if (migration->fresh_open)
		return 0;
	err = maps_publish_table(job, &migration->fresh);
	if (err)
		return err;
	migration->fresh_open = true;
	return carry(migration->former, &migration->fresh, FLOW_CARRY_BEFORE, &migration->counts);
}

int migrate_begin(struct migration *migration)
{
	migration->would_drop = count_would_drop(migration->former);
	settings_wait(settings_active(migration->former->settings));
	return carry(migration->former, &migration->fresh, FLOW_CARRY_BEFORE, &migration->counts);
}

int migrate_finish(struct migration *migration)
{
	int err;

	wait_for_packets();
	err = carry(migration->former, &migration->fresh, FLOW_CARRY_AFTER, &migration->counts);
	if (err)
		return err;
	settle();
	migration->unjudged = count_would_drop(migration->former) - migration->would_drop;
	migrate_resume(migration->former);
	return maps_exchange_table();
}

void migrate_report(const struct migration *migration, struct datapath_migrated *out)
{
	*out = (struct datapath_migrated){
		.done = true,
		.layout_before = migration->former->info.layout_version,
		.max_flows = migration->info.max_flows,
		.max_flows_before = migration->former->info.max_flows,
		.flows = migration->counts.flows,
		.no_room = migration->counts.no_room,
		.unjudged = migration->unjudged,
	};
}

void migrate_release(struct migration *migration)
{
	if (!migration)
		return;
	if (migration->fresh_open)
		pins_close(&migration->fresh);
	/* What could not be taken back is not forgotten: the next one tries again. */
	if (!exchange_under_way())
		maps_remove_table();
	free(migration);
}

/* The other table cannot be read, or this one not be written by the rules of the own layout. */
static int go_on_without(const struct pins *former)
{
	const struct layout *layout = former->layout;
	unsigned int slot;
	uint64_t now_ms;
	int err = pins_now_ms(former, &now_ms);

	if (err)
		return err;
	flow_loosen(layout, former->buckets, former->details, (uint64_t)former->info.buckets * layout->ways);
	for (slot = 0; slot < TG_IFACES_MAX; slot++)
		if (former->settings->iface[slot].learn_until_ms < now_ms + ADOPT_MS)
			TG_WRITE_ONCE(former->settings->iface[slot].learn_until_ms, now_ms + ADOPT_MS);
	log_info("a flow table of another layout was given up: open flows are judged loosely until they end, "
		 "unknown ones are adopted for %u s",
		 ADOPT_MS / 1000);
	return 0;
}

void migrate_begin_back(const struct pins *former)
{
	if (maps_table_waits())
		settings_wait(settings_active(former->settings));
}

int migrate_take_back(const struct pins *former)
{
	struct flow_carry_counts counts;
	struct pins other;
	uint32_t layout;
	int err;

	if (!maps_table_waits())
		return 0;
	wait_for_packets();
	layout = pins_layout_at(PINS_NEW_MAPS_DIR); /* 0: whoever opens it says why */
	if (former->layout != layout_own() || (layout && layout != TG_LAYOUT_VERSION)) {
		err = go_on_without(former);
	} else {
		err = pins_open_at(&other, PINS_NEW_MAPS_DIR, false);
		if (err)
			return err;
		err = carry(&other, former, FLOW_CARRY_BACK, &counts);
		pins_close(&other);
	}
	if (!err)
		settle();
	return err;
}
