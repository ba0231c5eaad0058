/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One instance of the BPF object for each interface: constants set, maps shared, loaded. */
#include "datapath_parts.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "tcpguard.skel.h"

#include "bpf/key.h"
#include "kernel.h"
#include "cookie.h"
#include "list_format.h"
#include "log.h"
#include "privilege.h"
#include "resource.h"

#define XDP_SECTION "xdp.frags"
#ifndef BPF_F_XDP_HAS_FRAGS
#define BPF_F_XDP_HAS_FRAGS (1U << 5)
#endif

/* Milliseconds a jiffy: the coarse clock advances once a jiffy. */
static __u32 jiffies_mult(void)
{
	struct timespec resolution;
	__u64 ns, hz;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &resolution))
		return 0;
	ns = (__u64)resolution.tv_sec * 1000000000 + (__u64)resolution.tv_nsec;
	hz = ns ? (1000000000 + ns / 2) / ns : 0;
	return hz ? (__u32)((1000ULL << TG_JIFFIES_SHIFT) / hz) : 0;
}

static enum tg_profile choose_profile(const struct job *job)
{
	if (job->options->profile != DATAPATH_UNSET)
		return (enum tg_profile)job->options->profile;
	return job->dev->forwards || job->dev->upper[0] ? TG_PROFILE_GATEWAY : TG_PROFILE_HOST;
}

static int set_constants(const struct job *job, struct tcpguard_bpf *programs)
{
	struct tg_program *constants = (struct tg_program *)&programs->rodata->tg_program;

	*constants = (struct tg_program){
		.iface_slot = job->slot,
		.buckets = job->info.buckets,
		.jiffies_mult = jiffies_mult(),
		.profile = (__u8)job->result->profile,
		.clock = TG_CLOCK_JIFFIES,
		.no_link_header = job->dev->no_link_header,
		.verify_csum = job->dev->physical && !job->generic && !job->options->share,
		.strict = job->options->strict,
		.zone = (__u16)job->options->zone,
	};
	tg_hash_key_for_zone(job->info.coefficient, constants->zone, &constants->hash);
	*(struct tg_cookie_program *)&programs->rodata->tg_cookie_program = job->cookie;
	return constants->jiffies_mult ? 0 : log_err(-EIO, "cannot read the kernel's tick rate");
}

/*
 * Multi-buffer frames by a flag of ours instead of the section name's: libbpf would ask for it
 * always, and kernels before 5.18 refuse to load then.
 */
static int own_frags_flag(void)
{
	static int handler;

	if (!handler)
		handler = libbpf_register_prog_handler(XDP_SECTION, BPF_PROG_TYPE_XDP, BPF_XDP, NULL);
	return handler < 0 ? handler : 0;
}

static struct tcpguard_bpf *open_instance(const struct job *job, bool shared)
{
	struct tcpguard_bpf *programs;
	int err = own_frags_flag();

	programs = err ? NULL : shared ? share_open() :
					 tcpguard_bpf__open();
	if (!programs) {
		log_err(err ? err : -errno, "cannot open the BPF object");
		return NULL;
	}
	if (!job->hold_frags)
		bpf_program__set_flags(programs->progs.tg_xdp_ingress, BPF_F_XDP_HAS_FRAGS);
	if (set_constants(job, programs) || maps_bind(job, programs)) {
		tcpguard_bpf__destroy(programs);
		return NULL;
	}
	return programs;
}

static int load_instance(struct job *job)
{
	job->programs = open_instance(job, false);
	return job->programs ? tcpguard_bpf__load(job->programs) : -EIO;
}

static int say_load_error(const struct job *job, int err)
{
	char buffer[96];
	const char *remedy = privilege_remedy(err, buffer, sizeof(buffer));
	const char *missing = privilege_missing();

	/* Without it the verifier refuses arithmetic on packet pointers that it allows otherwise. */
	if (remedy && missing)
		return log_err_hint(err, "run it as root", "cannot load the programs for '%s' without %s",
				    job->dev->name, missing);
	if (err == -ENOMEM)
		return log_err_hint(err, resource_remedy(err), "no memory for a table of %u flows",
				    job->info.max_flows);
	if (resource_remedy(err))
		return log_err_hint(err, resource_remedy(err), "cannot load the programs for '%s'",
				    job->dev->name);
	if (remedy)
		return log_err_hint(err, remedy, "cannot load the programs for '%s'", job->dev->name);
	log_err_hint(0,
		     "Linux " KERNEL_MINIMUM " or later is needed; "
		     "'tcpguard -v attach' shows what the kernel says",
		     "cannot load the programs for '%s': this kernel (%s) refuses them: error %d",
		     job->dev->name, kernel_name(buffer, sizeof(buffer)), -err);
	return -EOPNOTSUPP;
}

static bool kernel_lacks_frags(const struct job *job, int err)
{
	return !job->hold_frags && (err == -EINVAL || err == -E2BIG);
}

static void destroy(struct tcpguard_bpf **programs)
{
	if (*programs)
		tcpguard_bpf__destroy(*programs);
	*programs = NULL;
}

static int load_main(struct job *job)
{
	int err;

	destroy(&job->programs);
	err = load_instance(job);
	if (err && job->programs && kernel_lacks_frags(job, err)) {
		destroy(&job->programs);
		job->hold_frags = true;
		err = load_instance(job);
	}
	if (!job->programs)
		return -EIO; /* said */
	if (err)
		return say_load_error(job, err);
	return job->pins_open ? 0 : maps_publish(job);
}

int load_plan(struct job *job)
{
	int err;

	job->result->profile = choose_profile(job);
	err = cookie_plan(job->dev, job->result->profile, job->generic, jiffies_mult(), &job->cookie);
	if (job->options->share)
		job->cookie.kind = TG_COOKIE_NONE; /* share_open() */
	return err;
}

/*
 * What the kernel refuses of the cookies is done without: the flow table is worth more than they.  Want of
 * memory is no refusal: without them, an upgrade would find that it needs other hooks.
 */
int load_programs(struct job *job)
{
	int refused, err;

	err = load_plan(job);
	if (!err)
		err = load_main(job);
	while (!err && (refused = accept_load(job))) {
		if (refused == -ENOMEM)
			return say_load_error(job, refused);
		cookie_degrade(&job->cookie);
		err = load_main(job);
	}
	return err ? err : list_format_note(bpf_program__fd(job->programs->progs.tg_tc_egress));
}

int load_shared(struct job *job)
{
	job->shared = open_instance(job, true);
	return job->shared ? 0 : -EIO;
}

void load_for_exchange(const struct job *job, struct exchange *item)
{
	item->slot = job->slot;
	item->program[EXCHANGE_XDP] = bpf_program__fd(job->programs->progs.tg_xdp_ingress);
	item->program[EXCHANGE_TC] = bpf_program__fd(job->programs->progs.tg_tc_egress);
	item->program[EXCHANGE_TC_IN] = accept_program(job);
	item->loaded = (struct loaded){
		.profile = job->result->profile,
		.strict = job->options->strict,
		.cookies = job->cookie.kind,
	};
}

void load_release(struct job *job)
{
	accept_release(job);
	destroy(&job->shared);
	destroy(&job->programs);
}
