/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `doctor` finds.  In two halves: facts are read from the kernel (doctor_probe.c,
 * doctor_read.c, doctor_link.c, doctor_hooks.c), findings are derived from facts alone
 * (doctor_kernel.c, doctor_host.c, doctor_netdev.c) and so can be tested for machines we do not
 * have.  Nothing is changed on the way: no program is attached to an interface.
 */
#ifndef TCPGUARD_DOCTOR_H
#define TCPGUARD_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "netdev.h"
#include "pins.h"
#include "program.h"

/* --- findings ------------------------------------------------------------------------------------- */

/* In the order of gravity. */
enum doctor_severity {
	DOCTOR_OK,
	DOCTOR_NOTE, /* good to know */
	DOCTOR_UNCHECKED, /* could not be found out, for want of a right or of an answer */
	DOCTOR_WARNING, /* works, but worse than it could */
	DOCTOR_BLOCKS, /* attach will fail, or traffic would pass by */
	DOCTOR_SEVERITY_MAX
};

struct doctor_finding {
	const char *check; /* name, the same for ever */
	char iface[TG_IFNAME_LEN]; /* "": the machine */
	enum doctor_severity severity;
	char text[320]; /* what, and why it matters */
	char command[256]; /* what mends it; "": nothing does, or nothing need */
};

struct doctor_report {
	struct doctor_finding *findings;
	size_t count;
	size_t room;
	bool incomplete; /* memory ran out */
};

/* Adds a finding; the result, NULL without memory, is for doctor_mend(). */
struct doctor_finding *doctor_find(struct doctor_report *report, const char *check,
				   const char *iface,
				   enum doctor_severity severity, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
/* Names the command that mends it. */
void doctor_mend(struct doctor_finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
size_t doctor_count(const struct doctor_report *report, enum doctor_severity severity);
/* Accepts an empty report. */
void doctor_release(struct doctor_report *report);

/* --- facts: the kernel ---------------------------------------------------------------------------- */

enum doctor_answer {
	DOCTOR_UNKNOWN,
	DOCTOR_YES,
	DOCTOR_NO,
};

struct doctor_kernel {
	char release[65];
	bool syscall; /* bpf(2) is there */
	bool btf; /* types of the running kernel */
	bool may_load; /* our rights let us load programs: the rest was asked */
	enum doctor_answer xdp;
	enum doctor_answer sched_cls;
	enum doctor_answer atomics; /* compare-and-exchange in BPF */
	enum doctor_answer mmapable;
	enum doctor_answer ringbuf;
	enum doctor_answer frags;
	enum doctor_answer tcx;
	enum doctor_answer freplace;
	enum doctor_answer iter_tcp;
	enum doctor_answer cookies; /* bpf_tcp_gen_syncookie */
	enum doctor_answer raw_cookies; /* bpf_tcp_raw_gen_syncookie_* */
	enum doctor_answer assign_reqsk; /* kfunc bpf_sk_assign_tcp_reqsk */
	enum doctor_answer jit;
	enum doctor_answer memcg; /* maps are charged to the memory cgroup, not to RLIMIT_MEMLOCK */
	unsigned int hz; /* ticks of the coarse clock a second; 0: unknown */
};

void doctor_read_kernel(struct doctor_kernel *kernel);
void doctor_judge_kernel(const struct doctor_kernel *kernel, struct doctor_report *report);

/* --- facts: the machine --------------------------------------------------------------------------- */

#define DOCTOR_FLOWTABLES_MAX 16

struct doctor_flowtable {
	char family[8];
	char table[64];
	char name[64];
	bool hardware; /* flags offload */
	uint32_t device_count;
	char device[8][TG_IFNAME_LEN];
};

struct doctor_host {
	bool cap_bpf, cap_net_admin, cap_perfmon, cap_sys_resource;
	unsigned int uid;
	enum {
		DOCTOR_BPFFS_READY,
		DOCTOR_BPFFS_NO_DIRECTORY,
		DOCTOR_BPFFS_NOT_MOUNTED,
		DOCTOR_BPFFS_READ_ONLY,
		DOCTOR_BPFFS_NOT_OURS, /* no right to write */
	} bpffs;
	uint64_t available_bytes; /* 0: unknown */
	uint64_t table_bytes; /* of the table attach would make */
	uint32_t max_flows;
	uint32_t fitting_flows; /* a table that leaves most of what is available */
	bool table_reduced; /* smaller than the default, for want of memory */
	bool table_exists; /* pinned: attach makes none */
	uint64_t memlock_bytes; /* UINT64_MAX: unlimited */
	enum doctor_answer nftables; /* the next two were read */
	bool nat;
	uint32_t flowtable_count;
	struct doctor_flowtable flowtable[DOCTOR_FLOWTABLES_MAX];
};

/* max_flows: 0 for the default. */
void doctor_read_host(struct doctor_host *host, uint32_t max_flows);
void doctor_judge_host(const struct doctor_kernel *kernel, const struct doctor_host *host,
		       struct doctor_report *report);

/* Needs cap_net_admin to be known. */
void doctor_read_filter(struct doctor_host *host);
/* Answers of nf_tables; exported for the test, which makes them up. */
struct nlmsghdr;
int doctor_take_flowtable(const struct nlmsghdr *message, void *host);
int doctor_take_chain(const struct nlmsghdr *message, void *host);

/* --- facts: one interface ------------------------------------------------------------------------- */

#define DOCTOR_PROGRAMS_MAX 8

struct doctor_program {
	uint32_t id;
	uint32_t link; /* of an XDP program attached by a link; 0: by none,
	or not to be found out */
	struct program_identity who;
	bool ours;
	enum {
		DOCTOR_HOOK_XDP_NATIVE,
		DOCTOR_HOOK_XDP_GENERIC,
		DOCTOR_HOOK_XDP_OFFLOAD,
		DOCTOR_HOOK_TCX,
		DOCTOR_HOOK_CLSACT,
	} hook;
};

enum doctor_feature {
	DOCTOR_LRO,
	DOCTOR_GRO,
	DOCTOR_GRO_HW,
	DOCTOR_TC_OFFLOAD,
	DOCTOR_FEATURE_MAX
};

struct doctor_iface {
	struct netdev dev;
	bool type_known; /* its link type is understood */
	bool up;
	char kind[16]; /* "veth", "bond"...; "": none, hardware */
	char master[TG_IFNAME_LEN]; /* "": none */
	char master_kind[16];
	char lower[TG_IFNAME_LEN]; /* what a VLAN lies on */
	enum doctor_answer native; /* by netdev's xdp-features, or by the driver's name */
	bool native_by_name;
	enum doctor_answer multi_buffer; /* native XDP takes frames of several pages */
	enum doctor_answer feature[DOCTOR_FEATURE_MAX];
	unsigned int channels, channels_max; /* 0: unknown */
	bool channels_combined;
	unsigned int cpus;
	enum doctor_answer peer_known; /* of a veth: NO if it is elsewhere,
	UNKNOWN if this is no veth */
	char peer[TG_IFNAME_LEN];
	unsigned int peer_tx;
	enum doctor_answer tcx_asked; /* NO: no right to; UNKNOWN: this kernel has none */
	int xdp_error, clsact_error; /* these could not be asked, why */
	uint32_t program_count;
	struct doctor_program program[DOCTOR_PROGRAMS_MAX];
};

/* Errors are said: -ENODEV. */
int doctor_read_iface(const char *name, struct doctor_iface *iface);
void doctor_read_programs(struct doctor_iface *iface);
void doctor_judge_iface(const struct doctor_kernel *kernel, const struct doctor_host *host,
			const struct doctor_iface *iface, struct doctor_report *report);

/* The largest MTU of which every frame, with two VLAN tags, fits into one page under native XDP. */
unsigned int doctor_one_page_mtu(unsigned int page_bytes);

#endif
