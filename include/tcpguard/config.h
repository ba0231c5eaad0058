/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the loader tells the data path: constants of one interface's programs (read-only data, set
 * before loading), the settings every program reads at run time, the register of interfaces.
 * Pinned maps hold all but the first: they are the truth, with or without a daemon.
 */
#ifndef TCPGUARD_CONFIG_H
#define TCPGUARD_CONFIG_H

#include "cookie.h"
#include "flood.h"
#include "flow.h"
#include "lists.h"
#include "state.h"
#include "watch.h"

#define TG_LAYOUT_VERSION 2 /* of everything pinned; older ones: daemon/layout.h */
#define TG_IFACES_MAX 32
#define TG_IFNAME_LEN 16

enum tg_profile {
	TG_PROFILE_HOST, /* endpoint: sees both directions, local sockets are an oracle */
	TG_PROFILE_GATEWAY, /* forwards: tracks at ingress, adopts unknown flows while learning */
	TG_PROFILE_ONEWAY, /* asymmetric paths: adopts always, windows are not enforced on one-way flows */
	TG_PROFILE_MAX
};

enum tg_mode {
	TG_MODE_ENFORCE,
	TG_MODE_MONITOR, /* drops nothing, counts what it would have dropped, follows what was passed */
	TG_MODE_MAX
};

enum tg_clock {
	TG_CLOCK_JIFFIES,
	TG_CLOCK_SETTINGS, /* tg_settings.clock_ms: replay and tests */
};

/*
 * Load-time constants (.rodata): the verifier removes what they switch off.
 * jiffies_mult: milliseconds a jiffy, times 2^TG_JIFFIES_SHIFT.
 */
#define TG_JIFFIES_SHIFT 16
struct tg_program {
	__u32 iface_slot; /* index into tg_settings.iface, tg_ifaces and tg_counters */
	__u32 buckets; /* number of buckets of tg_flows: any number from 1 */
	__u32 jiffies_mult;
	__u8 profile; /* enum tg_profile */
	__u8 clock; /* enum tg_clock */
	__u8 no_link_header; /* frames begin at the IP header (tun, WireGuard) */
	__u8 verify_csum; /* XDP on a physical NIC: check control segments (never where checksums are partial) */
	__u8 strict; /* profile strict: what others pass in doubt is dropped */
	__u8 report; /* leave each packet's judgement in tg_result: replay and tests */
	__u16 zone;
	struct tg_hash_key hash; /* with the zone folded in: tg_hash_key_for_zone(), bpf/key.h */
};

/* Milliseconds on the table's clock; an entry is expired when it is older than this. */
struct tg_timeouts {
	__u32 phase_ms[8]; /* by enum tg_phase; the last is unused, so that an index can be masked */
	__u32 unconfirmed_ms; /* ESTABLISHED with unacknowledged data, or adopted and one side silent */
	__u32 shortest_ms; /* of all the above: a younger entry cannot be expired */
};

#define TG_TIMEOUTS_DEFAULT \
	{ \
		.phase_ms = { \
			[TG_PHASE_SYN_SENT] = 60 * 1000, /* not renewed by retransmissions */ \
			[TG_PHASE_SYN_RECV] = 60 * 1000, \
			[TG_PHASE_ESTABLISHED] = 86400 * 1000, /* RFC 5382 REQ-5 asks for 7440 s at least */ \
			[TG_PHASE_HALF_CLOSED] = 3600 * 1000, \
			[TG_PHASE_LAST] = 120 * 1000, \
			[TG_PHASE_TIME_WAIT] = 240 * 1000, /* 2 MSL, RFC 9293 3.4.2 */ \
			[TG_PHASE_CLOSED] = 120 * 1000, \
		}, \
		.unconfirmed_ms = 300 * 1000, .shortest_ms = 60 * 1000, \
	}

#define TG_LEARN_DEFAULT_MS (300 * 1000)

/*
 * A mode with a way back: once the table's clock passes until_ms, fallback holds, without any help
 * from user space (`--confirm`).  Writers store mode last when they set a deadline and until_ms last
 * when they lift it, so that every order of reading gives the old mode or the new one.
 */
struct tg_mode_setting {
	__u32 mode; /* enum tg_mode */
	__u32 fallback; /* enum tg_mode */
	__u64 until_ms; /* 64-bit table clock; 0: no deadline */
};

TG_INLINE enum tg_mode tg_mode_at(const struct tg_mode_setting *setting, __u64 now_ms)
{
	__u64 until_ms = TG_READ_ONCE(setting->until_ms);

	return TG_UNLIKELY(until_ms && now_ms > until_ms) ? setting->fallback : setting->mode;
}

/* A group of local ports with rules of its own.  Number 0 is everything else. */
#define TG_SERVICES_MAX 64
#define TG_SERVICE_NAME_LEN 32
struct tg_service {
	struct tg_mode_setting mode; /* valid with has_mode */
	__u8 has_mode; /* its own mode holds, not its interface's */
	__u8 flood; /* enum tg_flood_action */
	__u8 loose_window; /* window verdicts are not carried out */
	__u8 reserved[5];
	char name[TG_SERVICE_NAME_LEN]; /* for people; empty: unused */
};

/* Value of tg_ports: the service of a local port. */
struct tg_ports {
	__u8 service[65536]; /* by port, host order; below TG_SERVICES_MAX */
};

/*
 * One configuration.  There are two of them and an index: whoever changes more than one word fills
 * the inactive one and flips the index, and a packet, which reads the index once, sees the old or
 * the new one, never a mix.  A single mode, deadline or switch is changed in place.
 */
struct tg_config {
	__u64 generation; /* grows with each flip */
	__u64 source_hash; /* of the configuration file it came from; 0: none */
	struct tg_timeouts timeouts;
	struct tg_flood flood;
	struct tg_list_image lists;
	__u32 services; /* 1 + the highest number in use; 0: tg_ports is not read */
	__u32 daemon_loss_ms; /* monitor everything when the daemon is silent for so long; 0: never */
	struct tg_mode_setting iface[TG_IFACES_MAX];
	struct tg_service service[TG_SERVICES_MAX];
	__u32 events_sample; /* of many equal drops one in so many is told; 0 and 1: all */
	__u32 events_per_second; /* of one kind, for each CPU; 0: no limit */
	__u32 relaxed; /* bit TG_CLASS_*: verdicts of this class are not carried out anywhere; TG_RELAXED_EXCHANGE */
	__u32 reserved;
};

/* What user space keeps for each interface beside its configuration. */
struct tg_iface_settings {
	__u64 learn_until_ms; /* adopt unknown flows until then, 64-bit table clock */
	__u32 relaxed; /* bit TG_CLASS_*: the guard does not carry out verdicts of this class */
	__u32 unseen_since_ms; /* detached since then, table clock; 0: attached, or never was */
};

/* One entry.  Written by user space, word by word; read by the data path. */
struct tg_settings {
	__u32 layout_version;
	__u32 bypass; /* not 0: nothing is dropped anywhere, whatever the mode */
	__u64 clock_ms; /* the clock when tg_program.clock is TG_CLOCK_SETTINGS */
	__u64 daemon_alive_ms; /* the daemon's last sign of life, 64-bit table clock */
	__u32 active; /* index of the configuration in force */
	__u32 watch; /* TG_WATCH_* */
	__u64 refused_ms; /* last time a flow found no room, or lost it; by data path and sweep, racy and harmless */
	__u32 daemon_pid; /* informational; the lock on the pin directory decides */
	__u32 lookups_per_100ms; /* socket look-ups one CPU may spend on misses */
	__u32 source_epoch; /* which tg_source.since new connections are added to */
	__u32 reserved;
	__u64 sources_counted_ms; /* when the daemon counted the sources' connections last, table clock */
	struct tg_iface_settings iface[TG_IFACES_MAX];
	struct tg_config config[2];
	struct tg_watched watched;
};

TG_INLINE const struct tg_config *tg_active_config(const struct tg_settings *settings)
{
	return &settings->config[TG_READ_ONCE(settings->active) & 1];
}

/* Facts about the shared table, written once at creation. */
struct tg_table_info {
	__u32 layout_version;
	__u32 buckets;
	__u32 max_flows; /* as asked for; slots = buckets * TG_BUCKET_WAYS */
	__u32 reserved;
	__u64 coefficient[2][TG_HASH_COEFFICIENTS]; /* random, of the keyed hash; readable by root only */
};

enum tg_xdp_mode {
	TG_XDP_NATIVE = 1,
	TG_XDP_GENERIC,
	TG_XDP_SHARED, /* through libxdp's dispatcher */
};

enum tg_tc_kind {
	TG_TC_TCX = 1,
	TG_TC_CLSACT,
};

/* One attached interface; slot free when ifindex is 0.  Written under the attach lock. */
struct tg_iface {
	__u32 ifindex;
	__u32 xdp_mode; /* enum tg_xdp_mode */
	__u32 tc_kind; /* enum tg_tc_kind */
	__u32 profile; /* enum tg_profile */
	__u64 attached_at_s; /* Unix time; 0: its attach is not complete */
	__u64 netns; /* inode of the network namespace ifindex belongs to */
	__u8 made_qdisc; /* we created the clsact qdisc, so we may remove it */
	__u8 strict;
	__u16 zone;
	__u16 cookies; /* enum tg_cookie_kind */
	__u16 hook_lost; /* somebody took a hook off: nothing is dropped on it until it is attached again */
	char name[TG_IFNAME_LEN];
	char driver[32];
};

/* Value of tg_result: the judgement of the last packet, when tg_program.report asks for it. */
struct tg_result {
	__u64 tag;
	__u32 verdict; /* enum tg_verdict */
	__u32 outcome; /* enum tg_outcome */
	__u32 number; /* of the slot; valid with has_flow, as all below */
	__u32 claim;
	__u8 has_flow; /* the packet belongs to a flow of the table, afterwards */
	__u8 side; /* enum tg_side of the sender */
	__u8 phase; /* enum tg_phase, afterwards */
	__u8 sender_state; /* enum tg_tcp_state, afterwards */
	__u8 receiver_state;
	__u8 reserved[3];
};

/* Value of the per-CPU map tg_budget: socket look-ups spent in the present 100 ms. */
struct tg_budget {
	__u32 window; /* 64-bit table clock / 100, truncated */
	__u32 used;
};

_Static_assert(TG_PHASE_MAX <= 8, "phase_ms is indexed by phase & 7");
_Static_assert(sizeof(struct tg_iface) == 88, "register entry");

#endif
