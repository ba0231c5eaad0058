/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything tcpguard leaves in the kernel, under one directory of the bpffs:
 *
 *   /sys/fs/bpf/tcpguard/v1/maps/tg_*            the shared maps, one pin each
 *   /sys/fs/bpf/tcpguard/v1/maps_new             the next ones while they are made, or flows carried over
 *   /sys/fs/bpf/tcpguard/v1/iface/SLOT/xdp       bpf_link of the XDP program (absent when shared)
 *   /sys/fs/bpf/tcpguard/v1/iface/SLOT/tc        bpf_link of the TC program (absent with clsact)
 *   /sys/fs/bpf/tcpguard/v1/iface/SLOT/prog_xdp  the programs, so that no look-up by id is needed
 *   /sys/fs/bpf/tcpguard/v1/iface/SLOT/prog_tc
 *   /sys/fs/bpf/tcpguard/v1/iface/SLOT/tc_in     the same at TC ingress, where SYN cookies need it
 *   /sys/fs/bpf/tcpguard/v1/iface/SLOT/prog_tc_in
 *   /sys/fs/bpf/tcpguard/v1/lists/0|1            the image of the lists, one of two; absent: none
 *   /sys/fs/bpf/tcpguard/v1/formats/TAG          symbolic link to nowhere: the lists' format that program reads
 *   /sys/fs/bpf/tcpguard/v1/clock                program that returns the table's clock (test run)
 *   /sys/fs/bpf/tcpguard/v1/daemon               a directory the daemon holds a flock on
 *   /sys/fs/bpf/tcpguard/v1/daemon/metrics       symbolic link to nowhere: where it serves metrics
 *   /sys/fs/bpf/tcpguard/v1/daemon/words         likewise: the words it was started with
 *   /sys/fs/bpf/tcpguard/v1/capture              an empty directory, locked by the one who captures
 *
 * Interface names do not appear: bpffs refuses dots.  Opening gives the mapped memory; commands
 * work on it with no daemon running.
 */
#ifndef TCPGUARD_PINS_H
#define TCPGUARD_PINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tcpguard/config.h"
#include "tcpguard/counters.h"
#include "tcpguard/event.h"
#include "bpf/flow_table.h"
#include "layout.h"

#define PINS_BPFFS "/sys/fs/bpf"
/* Of root, as systemd mounts it; without a mode everybody could lay something in the way. */
#define PINS_MOUNT "mount -t bpf -o mode=0700 bpf " PINS_BPFFS
#define PINS_ROOT PINS_BPFFS "/tcpguard"
#define PINS_DIR PINS_ROOT "/v1"
#define PINS_MAPS_DIR PINS_DIR "/maps"
#define PINS_NEW_MAPS_DIR PINS_DIR "/maps_new"

enum pins_map {
	PINS_FLOWS,
	PINS_DETAILS,
	PINS_BUCKETS,
	PINS_SETTINGS,
	PINS_IFACES,
	PINS_INFO,
	PINS_COUNTERS,
	PINS_TALLIES,
	PINS_SERVICE_DROPS,
	PINS_PORTS,
	PINS_DESTINATIONS,
	PINS_DESTINATION_TOTALS,
	PINS_PROTECTED,
	PINS_SOURCES,
	PINS_SEEN,
	PINS_BUDGET,
	PINS_COOKIES,
	PINS_ATTACHED,
	PINS_LISTS,
	PINS_EVENTS,
	PINS_CAPTURES,
	PINS_EVENT_COUNTS,
	PINS_EVENT_LIMIT,
	PINS_SCRATCH,
	PINS_MAP_MAX
};

struct pins {
	int fd[PINS_MAP_MAX]; /* -1: not open */
	int clock_fd;
	struct tg_settings *settings; /* the rest NULL until mapped */
	struct tg_iface *ifaces; /* TG_IFACES_MAX */
	struct tg_cookies *cookies;
	struct tg_ports *ports; /* 2, as the configurations */
	struct tg_protected *protected; /* TG_DESTINATIONS */
	struct tg_source *sources; /* TG_SOURCE_ROWS * TG_SOURCE_CELLS */
	struct tg_bucket *buckets;
	struct tg_detail *details;
	__u64 *words;
	struct tg_table_info info;
	struct tg_table table; /* the same memory, as the shared flow table code wants it; of our own layout */
	const struct layout *layout; /* of the flow table */
	const char *directory;
};

/* True if PINS_ROOT lies, or can be made, in a bpffs. */
bool pins_on_bpffs(void);

/* Name of the map and of its pin. */
const char *pins_map_name(enum pins_map map);

/*
 * Opens and maps everything that is pinned.  -ENOENT: nothing is pinned (not attached), said on
 * stderr with the remedy; other errors likewise.  p is then closed.
 */
int pins_open(struct pins *p, bool writable);

/*
 * The same from another directory than PINS_MAPS_DIR, or of any layout that flows can be carried over
 * from: buckets, details and table are not to be used then, but through p->layout.
 */
int pins_open_at(struct pins *p, const char *directory, bool any_layout);

/* The layout of the flow table pinned in that directory; 0: it cannot be told.  Says nothing. */
uint32_t pins_layout_at(const char *directory);

/* After the configuration may have been exchanged: the table's timeouts are the new one's. */
void pins_refresh(struct pins *p);

/* Accepts a closed or half-open p. */
void pins_close(struct pins *p);

/*
 * Takes the lock that serialises attach, detach and upgrade: flock on PINS_DIR, which is made if
 * absent.  Returns a descriptor to close, or -errno (said): -EBUSY when another process holds it.
 */
int pins_lock(void);

/* The same in silence, and only if the directory is there: for the daemon. */
int pins_try_lock(void);

/*
 * Gives what root has pinned to the owner of PINS_ROOT, the user of the service.  Under the lock.
 * 0 or -errno (said).
 */
int pins_hand_over(void);

/*
 * The lock of the one daemon of this bpffs: flock on PINS_DIR/daemon, which is made if absent.
 * Returns a descriptor to close at the end, or -errno in silence: -EBUSY when another one runs.
 */
int pins_lock_daemon(void);

/* True if a daemon holds its lock. */
bool pins_daemon_runs(void);

/* Who does, as the kernel lists it; 0 if nobody, or somebody who cannot be seen from here. */
pid_t pins_daemon_holder(void);

/* The lock of the one who captures, likewise: flock on PINS_DIR/capture. */
int pins_lock_capture(void);

/* True if somebody holds that lock. */
bool pins_capture_runs(void);

/* What the daemon says of itself. */
enum pins_note {
	PINS_NOTE_METRICS, /* where it serves them, or why not; to be believed while a daemon runs */
	PINS_NOTE_WORDS, /* of its command line, one a line: what the next one is started with */
};
#define PINS_NOTE_BYTES 4096

/* NULL or "" to say nothing any more; 0 or -errno in silence. */
int pins_note(enum pins_note which, const char *remark);

/* False, and "", if it says nothing.  Words that are another user's are none (said). */
bool pins_read_note(enum pins_note which, char *out, size_t size);

/* Whether a pinned link still holds its device. */
enum pins_link {
	PINS_LINK_ABSENT, /* nothing pinned: shared XDP, clsact, or something that is no link */
	PINS_LINK_UNKNOWN, /* it could not be asked: errno says why */
	PINS_LINK_ALIVE,
	PINS_LINK_GONE, /* the device has vanished, the link holds nothing */
};

/* which is "xdp" or "tc".  Holds no descriptor: an open one would keep a detached program alive. */
enum pins_link pins_link_state(uint32_t slot, const char *which);

/* What the kernel counted of a program while kernel.bpf_stats_enabled was 1; zeros when it never was. */
struct pins_runs {
	uint64_t count;
	uint64_t ns;
};

/* which is "prog_xdp" or "prog_tc".  Zeros if there is none. */
void pins_read_runs(uint32_t slot, const char *which, struct pins_runs *runs);

/* True while the maps p has open are those that are pinned: detach --purge unpins them. */
bool pins_still_pinned(const struct pins *p);

/*
 * They are not, but the rest is: p has the flow table that is pinned now, whoever kept p->table must read it
 * again.  -ENOENT (silent): nothing is pinned, or all of it is others'; -EPROTO (silent): another layout;
 * -EAGAIN (silent): being exchanged at this moment; other errors are said.  p is as it was then.
 */
int pins_follow_table(struct pins *p);

/* The slot of an interface by name in this network namespace, or -ENODEV in silence. */
int pins_iface_slot(const struct pins *p, const char *name);

/* Present time on the table's clock: the pinned clock program answers, so both sides agree. */
int pins_now_ms(const struct pins *p, uint64_t *now_ms);

#endif
