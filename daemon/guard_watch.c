/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters in, one word an interface out. */
#include "guard_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "format.h"
#include "log.h"
#include "names.h"
#include "netdev.h"

struct guard_watch {
	guard_reporter report;
	void *context;
	int cpus;
	void *values; /* of all CPUs, of the larger of the two maps */
	struct watched {
		struct guard guard;
		uint64_t attached_at_s; /* whose guard it is */
		uint32_t ifindex;
	} iface[TG_IFACES_MAX];
};

struct guard_watch *guard_watch_new(guard_reporter report, void *context)
{
	struct guard_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->report = report;
	watch->context = context;
	watch->cpus = libbpf_num_possible_cpus();
	if (watch->cpus > 0)
		watch->values = calloc((size_t)watch->cpus,
				       sizeof(struct tg_counters) + sizeof(struct tg_tallies));
	if (watch->values)
		return watch;
	free(watch);
	return NULL;
}

void guard_watch_free(struct guard_watch *watch)
{
	if (!watch)
		return;
	free(watch->values);
	free(watch);
}

static int read_counters(const struct guard_watch *watch, const struct pins *pins, uint32_t slot,
			 struct guard_sample *sample)
{
	const struct tg_counters *counters = watch->values;
	enum tg_verdict verdict;
	enum tg_outcome outcome;
	int cpu;

	if (bpf_map_lookup_elem(pins->fd[PINS_COUNTERS], &slot, watch->values))
		return -errno;
	for (cpu = 0; cpu < watch->cpus; cpu++)
		for (outcome = 0; outcome < TG_OUTCOME_MAX; outcome++)
			for (verdict = 0; verdict < TG_VERDICT_MAX; verdict++)
				if (outcome != TG_OUTCOME_VERDICT || !tg_verdict_drops(verdict))
					sample->passed += counters[cpu].count[outcome][verdict].packets;
	return 0;
}

static int read_tallies(const struct guard_watch *watch, const struct pins *pins, uint32_t slot,
			struct guard_sample *sample)
{
	const struct tg_tallies *tallies = watch->values;
	enum guard_class class;
	int cpu;

	if (bpf_map_lookup_elem(pins->fd[PINS_TALLIES], &slot, watch->values))
		return -errno;
	for (class = 0; class < GUARD_CLASS_MAX; class ++) {
		enum tg_class tg = guard_tg_class(class);

		for (cpu = 0; cpu < watch->cpus; cpu++) {
			sample->dropped[class] += tallies[cpu].established_drops[tg][0];
			sample->judged[class] += tallies[cpu].established_drops[tg][0] +
						 tallies[cpu].established_drops[tg][1];
			sample->flows[class] += tallies[cpu].flows_hit[tg];
		}
	}
	return 0;
}

static void say(const char *name, const struct guard_change *change)
{
	const char *class = names_class(guard_tg_class(change->class));
	char wait[FORMAT_BYTES];

	if (change->relaxed)
		log_err_hint(0, "'tcpguard stats' shows the reasons, 'tcpguard explain' a flow",
			     "guard: on '%s' class %s is stepped back to monitor for %s at least: "
			     "%llu drops hit %llu connections that had carried data both ways, %llu packets "
			     "passed, in %d s",
			     name, class, format_duration(wait, sizeof(wait), change->wait_ms),
			     (unsigned long long)change->drops, (unsigned long long)change->flows,
			     (unsigned long long)change->passed, GUARD_WINDOW_MS / 1000);
	else
		log_info("guard: on '%s' class %s is enforced again", name, class);
}

/* Nobody counts here now: what there is, the next interface of this slot begins with. */
static int watch_free_slot(struct guard_watch *watch, const struct pins *pins, uint32_t slot, uint64_t now_ms)
{
	struct watched *watched = &watch->iface[slot];
	struct guard_sample sample = { .at_ms = now_ms };
	int err = read_tallies(watch, pins, slot, &sample);

	memset(watched, 0, sizeof(*watched));
	watched->guard.sample[0] = sample;
	watched->guard.count = 1;
	return err;
}

static int step_iface(struct guard_watch *watch, const struct pins *pins, const struct config_guard *limits,
		      uint32_t slot, uint64_t now_ms)
{
	struct guard_sample sample = { .at_ms = now_ms };
	struct guard_change changes[GUARD_CLASS_MAX];
	__u32 *word = &pins->settings->iface[slot].relaxed;
	struct watched *watched = &watch->iface[slot];
	const struct tg_iface *iface = &pins->ifaces[slot];
	struct tg_iface named = *iface;
	uint32_t count, i, relaxed;
	int err;

	/* After a free slot: its last sample is where this one begins. */
	if (watched->ifindex &&
	    (watched->ifindex != iface->ifindex || watched->attached_at_s != iface->attached_at_s))
		memset(watched, 0, sizeof(*watched));
	watched->ifindex = iface->ifindex;
	watched->attached_at_s = iface->attached_at_s;
	err = read_counters(watch, pins, slot, &sample);
	if (!err)
		err = read_tallies(watch, pins, slot, &sample);
	if (err)
		return err;
	relaxed = guard_step(&watched->guard, limits, &sample, TG_READ_ONCE(*word), changes, &count);
	TG_WRITE_ONCE(*word, relaxed);
	if (count)
		netdev_refresh_name(&named);
	for (i = 0; i < count; i++) {
		say(named.name, &changes[i]);
		if (watch->report)
			watch->report(watch->context, named.name, &changes[i]);
	}
	return 0;
}

int guard_watch_step(struct guard_watch *watch, const struct pins *pins, const struct config_guard *limits,
		     uint64_t now_ms)
{
	uint32_t slot;
	int err = 0;

	for (slot = 0; slot < TG_IFACES_MAX && !err; slot++) {
		if (!TG_READ_ONCE(pins->ifaces[slot].ifindex))
			err = watch_free_slot(watch, pins, slot, now_ms);
		else if (pins->ifaces[slot].attached_at_s && !pins->ifaces[slot].hook_lost) /* else nothing is dropped */
			err = step_iface(watch, pins, limits, slot, now_ms);
	}
	return err ? log_err(err, "guard: cannot read the counters") : 0;
}
