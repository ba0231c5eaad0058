/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data path run over captured packets: the very object that attach loads, by BPF_PROG_TEST_RUN,
 * with maps of its own and the clock taken from the capture.  Nothing is attached, nothing is
 * pinned, no socket is asked; a tcpguard that runs beside it is not touched.
 */
#ifndef TCPGUARD_REPLAY_H
#define TCPGUARD_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "tcpguard/counters.h"
#include "bpf/flow_table.h"
#include "bpf/packet.h"
#include "capture.h"
#include "filter.h"

#define REPLAY_PREFIXES_MAX 32

/* The addresses of the host whose view is taken; none: a gateway's view.  replay_options.c. */
struct replay_local {
	struct filter_prefix prefix[REPLAY_PREFIXES_MAX];
	uint32_t count;
};

struct replay_options {
	int profile; /* enum tg_profile; DATAPATH_UNSET: host with local addresses, else gateway */
	int mode; /* enum tg_mode */
	bool learn; /* adopt connections met in mid-stream, all the time */
	bool strict;
	uint32_t max_flows; /* 0: by the size of the captures */
	struct replay_local local;
	const struct config *config; /* of a configuration file: timeouts, services, thresholds; may be NULL */
};

/* What became of one packet. */
struct replay_judgement {
	enum tg_verdict verdict;
	enum tg_outcome outcome;
	bool segment; /* packet holds a TCP segment, or the one an ICMP error quotes */
	bool egress; /* judged as the host's own */
	bool has_flow; /* what follows is of the flow it belongs to, afterwards */
	uint8_t side; /* enum tg_side of the sender */
	uint8_t phase;
	uint8_t sender_state;
	uint8_t receiver_state;
	uint32_t number; /* of the slot */
	uint32_t claim;
	bool options_filled; /* see replay_frame.h */
	bool length_filled;
	struct tg_packet packet;
};

/* The flow a packet will be judged by, before it is. */
struct replay_flow {
	bool found;
	bool expired; /* found, but too old: counts as absent */
	uint32_t number;
	uint32_t now_ms;
	enum tg_side side; /* the packet's sender */
	struct tg_slot slot;
	struct tg_detail detail;
};

struct replay;

/* Bytes of packets in a capture file of so many bytes: more if its name says that it is compressed. */
uint64_t replay_bytes_of(const char *path, uint64_t size);
/* Flows a table needs for captures of so many bytes in all; 0 bytes: not known. */
uint32_t replay_flows_for(uint64_t bytes);

/* Loads the programs.  Errors are said, with the missing capability or what the kernel lacks. */
int replay_open(struct replay **out, const struct replay_options *options, uint32_t max_flows);
void replay_close(struct replay *replay);

/* An empty table, for a capture that has nothing to do with the one before. */
void replay_reset(struct replay *replay);

/* Moves the clock to the packet's time and reads its headers; the judgement is not yet made. */
void replay_read(struct replay *replay, const struct capture_packet *packet,
		 struct replay_judgement *judgement);
/* Judges the packet that was read; 0 or -errno (said). */
int replay_judge(struct replay *replay, struct replay_judgement *judgement);

/* The flow of the packet that was read. */
void replay_peek(const struct replay *replay, const struct replay_judgement *judgement,
		 struct replay_flow *flow);

const struct tg_timeouts *replay_timeouts(const struct replay *replay);
uint32_t replay_slots(const struct replay *replay);
enum tg_profile replay_profile(const struct replay_options *options);

/* True if the verdict was, or in monitor mode would be, carried out: not on the host's own segments. */
bool replay_drops(const struct replay_judgement *judgement);

#endif
