/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the datapath*.c files share.  Nobody else includes this. */
#ifndef TCPGUARD_DATAPATH_PARTS_H
#define TCPGUARD_DATAPATH_PARTS_H

#include "datapath.h"
#include "pins_path.h"

#define DATAPATH_MAPS_DIR PINS_MAPS_DIR
#define DATAPATH_IFACES_DIR PINS_DIR "/iface"
#define DATAPATH_CLOCK PINS_DIR "/clock"
#define DATAPATH_PATH_BYTES 96

struct tcpguard_bpf;
struct cookie_accept_bpf;
struct exchange;

/* One attach at work. */
struct job {
	const struct netdev *dev;
	const struct datapath_options *options;
	struct datapath_result *result;
	struct tcpguard_bpf *programs; /* of this interface; NULL until loaded */
	struct tcpguard_bpf *shared; /* a second instance, which libxdp loads */
	struct cookie_accept_bpf *accept; /* the program at TC ingress; NULL where none is needed */
	struct tg_cookie_program cookie;
	struct pins pins;
	bool pins_open;
	bool maps_made; /* by this job: nothing was pinned before */
	bool hold_frags; /* do not ask for multi-buffer frames */
	enum tg_mode mode; /* if none is asked for: enforce, or the one that an interface attached anew had */
	struct tg_mode_setting tried; /* it waits for an answer, then; else until_ms is 0 */
	bool adopts; /* attached anew, and unknown connections are adopted for good, as the configuration said */
	bool generic; /* generic XDP, where checksums may be partial: do not verify them */
	struct tg_table_info info;
	unsigned int slot;
	bool made_qdisc;
	void *counters; /* of the slot, what they shall be when judging begins */
};

/* datapath_load.c */

/* Decides profile and kind of SYN cookies, as load_programs() will. */
int load_plan(struct job *job);
/* Loads this interface's programs; makes and pins the maps if they are the first.  Errors are said. */
int load_programs(struct job *job);
/* An instance that libxdp will load: constants and maps set. */
int load_shared(struct job *job);
/* What is loaded, as what an interface shall get. */
void load_for_exchange(const struct job *job, struct exchange *item);
void load_release(struct job *job);

/* datapath_cookie.c */

/* Loads the program for TC ingress if job->cookie wants one; -errno in silence. */
int accept_load(struct job *job);
/* Its descriptor, -1 if there is none. */
int accept_program(const struct job *job);
void accept_release(struct job *job);

/* datapath_maps.c */

/* Opens the pinned maps, or decides size and coefficients of new ones. */
int maps_prepare(struct job *job);
/* Before loading: the skeleton's maps become the pinned ones, or get their sizes. */
int maps_bind(const struct job *job, struct tcpguard_bpf *programs);
/* After the first load: fills, pins and opens new maps. */
int maps_publish(struct job *job);
void maps_remove(void);
/* A program keeps the maps it was loaded with: is the flow table among them that pins has open?  -errno (said). */
int maps_are_used_by(const struct pins *pins, int program);

/* datapath_renew.c.  Opens the pinned maps for an attach, which makes a table of its own layout if it is the first. */
int renew_open(struct job *job);

/* datapath_forget.c.  Flows of a time when no interface was attached; on a host those that have ended stay. */
int forget_flows(const struct pins *pins, bool host);
/* On a router, other interfaces at work: flows silent since then, of which nobody knows what they do. */
int forget_unseen(const struct pins *pins, __u32 since_ms);

/* A second flow table beside the pinned one: its size (0: as before), with the same hash. */
void maps_plan_table(const struct tg_table_info *former, uint32_t max_flows, struct tg_table_info *info);
/* A job that is lent pins without their table makes its own. */
void maps_withhold_table(struct pins *pins);
/* Pins that table, with the other maps, beside the present ones, and opens it.  Errors are said. */
int maps_publish_table(const struct job *job, struct pins *fresh);
/* The two change places, in one step. */
int maps_exchange_table(void);
/* True if there is a second one, or what is left of it. */
bool maps_table_waits(void);
void maps_remove_table(void);

/* datapath_migrate.c: the flows of one table in another */

struct migration;

/* NULL: none is needed.  Errors are said. */
int migrate_plan(const struct pins *former, uint32_t max_flows, struct migration **out);
/* Before a job loads: which maps it shall use.  After the first has loaded: the table is there. */
void migrate_lend(const struct migration *migration, struct job *job);
int migrate_publish(struct migration *migration, const struct job *job);
/* Before the programs are exchanged, the journal written: verdicts about states wait. */
int migrate_begin(struct migration *migration);
/* All of them are exchanged: the rest of the flows, then the new table takes the place of the old. */
int migrate_finish(struct migration *migration);
void migrate_report(const struct migration *migration, struct datapath_migrated *out);
void migrate_release(struct migration *migration);
/*
 * Programs are put back that were exchanged for others with another table: before it, verdicts wait; when
 * all are back, what that table learnt is merged.  -errno (said): not yet, and verdicts must wait on.
 */
void migrate_begin_back(const struct pins *former);
int migrate_take_back(const struct pins *former);
/* Verdicts wait no longer, whoever made them. */
void migrate_resume(const struct pins *pins);

/* datapath_slot.c: the register, the directory of one interface */

const char *slot_path(char *path, unsigned int slot, const char *name);
/* Picks the slot for a new interface: its former one, so that its counters go on. */
int slot_choose(struct job *job);
int slot_open(struct job *job);
/* Writes the interface's entry; attached_at_s is 0 until its attach is complete. */
void slot_register(const struct job *job, uint64_t attached_at_s);
/*
 * What comes in by the registered interface is judged there, and no more at the egress of others.  Begins when
 * its XDP program runs and ends before that goes: a packet judged twice does no harm, one that nobody saw does.
 */
int slot_begin_ingress(const struct pins *pins, unsigned int slot);
int slot_end_ingress(const struct pins *pins, unsigned int slot);
/* Nothing is dropped on it from now on, whatever its mode or a service's, while its hooks go one by one. */
void slot_stop_enforcing(const struct pins *pins, unsigned int slot);
/* The same, and the rest of the register stays. */
void slot_relax(const struct pins *pins, unsigned int slot);
/* What passes by it from now on is unknown: flows of routers, when it is attached again.  -errno (said). */
int slot_note_unseen(const struct pins *pins, unsigned int slot);
/* Forgets the interface (registered or about to be) and empties its directory. */
void slot_release(struct pins *pins, unsigned int slot);
/* From now on verdicts count and are carried out; counters begin here. */
int slot_enforce(struct job *job, uint64_t learn_until_ms);
/* Of an interface to be attached anew: what slot_enforce() puts it back to. */
int slot_remember_mode(struct job *job);
/* At once: for good, or until the time to confirm is over and then what held before. */
int slot_set_mode(struct job *job, enum tg_mode mode);
/* All CPUs' values, to be freed; NULL and errno if they cannot be read. */
void *slot_read_counters(const struct pins *pins, unsigned int slot);
int slot_write_counters(const struct pins *pins, unsigned int slot, const void *counters);
/* Pins a link and closes it; if that fails, it is detached. */
int slot_keep_link(const struct job *job, int link, const char *name);
int slot_pin_programs(const struct job *job);
/* Makes a program's pin the new one, replacing an older one in a single step. */
int slot_pin_program(unsigned int slot, int program, const char *name);
bool slots_all_free(const struct pins *pins);
/* A descriptor of a pinned program, to be closed, and its id; or -errno in silence. */
int slot_pinned_program(unsigned int slot, const char *name, uint32_t *id);
/* 1 if the pinned link holds its device, if all of the slot's programs are in place; 0 or -errno. */
int slot_holds_link(unsigned int slot, const char *name);
int slot_holds(unsigned int slot, const struct tg_iface *iface);
/* Says that these, or those of datapath_tc.c, could not find out; returns err.  name: TG_IFNAME_LEN or NUL. */
int slot_unknown(int err, const char *name);

/* datapath_xdp.c */

/* -EBUSY, said, if somebody else's program is there and sharing was not asked for. */
int xdphook_check_free(const struct job *job);
/* A descriptor of the link, or -errno in silence: the caller may have another mode to try. */
int xdphook_create(const struct job *job, enum tg_xdp_mode mode);
int xdphook_update(unsigned int slot, const struct tg_iface *iface, int program);
int xdphook_detach(unsigned int slot, const struct tg_iface *iface);

/* datapath_exchange.c: programs exchanged, of all interfaces or of none */

enum exchange_hook {
	EXCHANGE_XDP,
	EXCHANGE_TC,
	EXCHANGE_TC_IN,
	EXCHANGE_HOOKS
};

/* What programs were loaded with, of what the register tells. */
struct loaded {
	__u32 profile; /* enum tg_profile */
	__u32 strict;
	__u32 cookies; /* enum tg_cookie_kind */
};

/* The new programs of one interface that is attached with all of its hooks; -1 where it has none. */
struct exchange {
	unsigned int slot;
	int program[EXCHANGE_HOOKS];
	struct loaded loaded;
};

/*
 * The register is told what the new programs were loaded with.  Errors are said; after one, every hook has its
 * former program.  migration: NULL, or to another table.
 */
int exchange_run(const struct pins *pins, const struct exchange *items, unsigned int count,
		 struct migration *migration);
/* A descriptor of what the last exchange replaced, or -errno in silence: -ENOENT for none. */
int exchange_open_former(unsigned int slot, int hook);
/* What they were loaded with; *loaded stays if that is not known.  0 or -errno, said. */
int exchange_read_former(unsigned int slot, struct loaded *loaded);
/* A descriptor of an exchange that is under way, or was interrupted; as exchange_open_former(). */
int exchange_open_journal(unsigned int slot, int hook);
/* Its journal is written and not yet gone. */
bool exchange_under_way(void);
/* Nothing of a detached interface is kept. */
void exchange_forget(unsigned int slot);

/* datapath_loaded.c: a note beside the pins of programs, what they were loaded with */

struct loaded loaded_of(const struct tg_iface *iface);
void loaded_register(struct tg_iface *iface, const struct loaded *loaded);
int loaded_note(const char *path, const struct tg_iface *iface);
/* *loaded stays if there is no note.  0 or -errno, said. */
int loaded_read(const char *path, struct loaded *loaded);

/* datapath_share.c */

/* The programs that libxdp can load beside others; NULL and errno. */
struct tcpguard_bpf *share_open(void);
int share_attach(struct job *job);
int share_detach(const struct tg_iface *iface);
/* 1 if our program is among those of the interface; 0 or -errno. */
int share_holds(unsigned int slot, const struct tg_iface *iface);

/* datapath_tc.c */
int tchook_attach(struct job *job);
/* One of its two sides. */
int tchook_update(unsigned int slot, const struct tg_iface *iface, bool at_ingress, int program);
int tchook_detach(unsigned int slot, const struct tg_iface *iface);
/* 1 if our filters or links are still in place: at ingress, too, if that was used; 0 or -errno. */
int tchook_holds(unsigned int slot, const struct tg_iface *iface);
/* 1 if there is a program at ingress; 0 or -errno. */
int tchook_has_ingress(unsigned int slot);

#endif
