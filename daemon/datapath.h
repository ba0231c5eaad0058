/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts the data path on an interface and takes it off again.  The datapath*.c files alone know the
 * skeleton, links, qdiscs and libxdp.  Everything here runs under pins_lock().
 */
#ifndef TCPGUARD_DATAPATH_H
#define TCPGUARD_DATAPATH_H

#include "netdev.h"
#include "pins.h"

#define DATAPATH_MAX_FLOWS_DEFAULT 1048576U
#define DATAPATH_MAX_FLOWS_LIMIT (64U * 1048576U)

#define DATAPATH_UNSET (-1)

struct datapath_options {
	int mode; /* enum tg_mode; UNSET: enforce, or unchanged if attached already */
	int xdp; /* enum tg_xdp_mode, 0 = native if the driver can */
	int tc; /* enum tg_tc_kind, 0 = tcx if the kernel can */
	int profile; /* enum tg_profile; UNSET: by who is behind the interface */
	bool share; /* among other XDP programs, through libxdp */
	bool no_seed;
	bool strict;
	uint32_t max_flows; /* 0: default, or that of the existing table */
	uint32_t learn_s; /* how long a gateway adopts unknown flows */
	uint32_t zone;
	bool hold; /* a new interface stays in monitor: the caller sets the mode when the rest is set */
	uint32_t confirm_s; /* enforce goes back to what held before after so long; 0: never */
};

/* What was done, for the answer. */
struct datapath_result {
	struct netdev dev;
	enum tg_xdp_mode xdp;
	enum tg_tc_kind tc;
	enum tg_profile profile;
	enum tg_mode mode;
	uint32_t confirm_s; /* it goes back after so long; 0: never */
	int native_error; /* why native XDP was refused, if generic is the fallback */
	bool updated; /* was attached: programs exchanged, flows kept */
	bool kept_mode; /* was attached anew: mode is what it had */
	bool seeded;
	unsigned int sockets;
	unsigned int no_room;
	uint64_t seed_us;
	uint32_t learn_s; /* 0: not learning */
	bool table_made;
	bool table_reduced; /* smaller than the default: memory */
	uint32_t max_flows;
	uint64_t table_bytes;
};

/*
 * Attaches to one interface, or updates the programs if it is attached.  Errors are said; after one,
 * everything is as it was.
 */
int datapath_attach(const struct netdev *dev, const struct datapath_options *options,
		    struct datapath_result *result);

/* Takes the programs off a registered interface: exactly what attach added.  Errors are said. */
int datapath_detach(struct pins *pins, unsigned int slot);

/* False for an interface of another network namespace that can be changed from there only. */
bool datapath_reachable(const struct tg_iface *iface);

/* What became of one attached interface in an upgrade. */
#define DATAPATH_TAG_BYTES 8
struct datapath_exchanged {
	struct tg_iface iface;
	const char *left; /* why it was left as it is; NULL: exchanged */
	__u8 before[3][DATAPATH_TAG_BYTES], after[3][DATAPATH_TAG_BYTES]; /* XDP, egress, TC ingress */
};

/* What became of the flows when they were carried to another table. */
struct datapath_migrated {
	bool done;
	__u32 layout_before;
	uint32_t max_flows, max_flows_before;
	uint64_t flows;
	uint64_t no_room; /* of them: found none in the new table */
	uint64_t unjudged; /* segments passed in between that would have been dropped */
};

/*
 * Exchanges the programs of every attached interface for this tcpguard's, or with rollback for those
 * the last exchange replaced.  The flows are carried to a new table if max_flows asks for another size
 * (0: does not), or the present one is of an earlier layout.  Of all that can be exchanged from here or,
 * after an error (said), of none.  all has room for TG_IFACES_MAX.
 */
int datapath_upgrade(const struct pins *pins, bool rollback, uint32_t max_flows,
		     struct datapath_exchanged *all, unsigned int *count, struct datapath_migrated *migrated);

/* True if an exchange of programs was interrupted: datapath_recover() takes it back, or finishes it. */
bool datapath_interrupted(void);
int datapath_recover(const struct pins *pins);

/*
 * What has become of a hook.  That of a filter (clsact), or of a program among others (shared XDP), can be
 * told in the interface's own network namespace only, and of the latter with all rights: absent elsewhere.
 */
enum pins_link datapath_xdp_state(unsigned int slot, const struct tg_iface *iface);
enum pins_link datapath_tc_state(unsigned int slot, const struct tg_iface *iface);

/* Of an interface that has lost one: with only half of a connection seen nothing must be dropped. */
void datapath_stop(const struct pins *pins, unsigned int slot);

/* Removes the directories of interfaces that are empty; for after the last detach. */
void datapath_tidy(void);

/* Unpins everything below PINS_ROOT; programs still attached through pins go with it. */
int datapath_purge(void);

/* What --max-flows is if it is not given: less on a small machine, which sets *reduced. */
uint32_t datapath_default_max_flows(bool *reduced);

/* Memory of a table for so many flows. */
uint64_t datapath_table_bytes(uint32_t max_flows);

#endif
