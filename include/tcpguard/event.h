/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the data path tells while somebody listens: one record of fixed size for each event, and whole
 * packets for one capture at a time.  Both go through ring buffers without waking anybody; what finds
 * no room is counted and gone.  The daemon adds events of its own to the same stream.
 */
#ifndef TCPGUARD_EVENT_H
#define TCPGUARD_EVENT_H

#include "counters.h"
#include "watch.h"

/* One row: id, word.  Words are part of the interface. */
#define TG_EVENTS(X) \
	X(NEW, "new") /* a flow began */ \
	X(STATE, "state") /* the state of an endpoint changed */ \
	X(END, "end") /* a flow ended, with cause and totals */ \
	X(DROP, "drop") /* dropped, or would have been; .outcome says which */ \
	X(CHALLENGE, "challenge") /* answered with a SYN cookie */ \
	X(TRACE, "trace") /* any segment of a chosen flow */ \
	X(LIST, "list") /* from here on by user space: .text says what happened */ \
	X(MODE, "mode") \
	X(GUARD, "guard") \
	X(DAEMON, "daemon")

enum tg_event_type {
	TG_EVENT_NONE,
#define X(id, name) TG_EVENT_##id,
	TG_EVENTS(X)
#undef X
	TG_EVENT_MAX
};

/* Why a flow ended. */
#define TG_END_CAUSES(X) \
	X(FIN, "fin") /* both sides closed */ \
	X(RST, "rst") \
	X(REFUSED, "refused") /* a RST answered the SYN */ \
	X(ABORT, "abort") /* a RST of the opener before any answer */ \
	X(TIMEOUT, "timeout") /* by the daemon's sweep, as the next */ \
	X(EVICTED, "evicted")

enum tg_end_cause {
	TG_END_NONE,
#define X(id, name) TG_END_##id,
	TG_END_CAUSES(X)
#undef X
	TG_END_MAX
};

#define TG_EVENT_TEXT 128

/*
 * A drop shows the numbers that were compared: the packet's and both halves.  In mode monitor the flow
 * follows what passes, so the sender's half may already include the packet.
 */
struct tg_event {
	__u64 time_ns; /* CLOCK_MONOTONIC from the data path; CLOCK_REALTIME once the daemon has it */
	__u64 tag; /* 0: not identified */
	__u32 number; /* of the slot; valid with has_flow, as are claim, origin, states and the flow's facts */
	__u32 claim;
	__u8 type; /* enum tg_event_type */
	__u8 verdict; /* enum tg_verdict */
	__u8 outcome; /* enum tg_outcome */
	__u8 cause; /* enum tg_end_cause */
	__u8 has_flow;
	__u8 side; /* enum tg_side of the packet's sender: .key is ordered by it */
	__u8 own; /* sent by this machine */
	__u8 flags; /* of the TCP header */
	__u8 phase_before; /* enum tg_phase */
	__u8 phase;
	__u8 state_before[TG_SIDE_MAX]; /* enum tg_tcp_state by side */
	__u8 state[TG_SIDE_MAX];
	__u8 iface_slot;
	__u8 service;
	__u8 protocol; /* of IP; 0: not known */
	__u8 wscale; /* offered by this packet; TG_WSCALE_NONE */
	__u16 window; /* raw */
	__u32 seq;
	__u32 end;
	__u32 ack;
	__u32 payload;
	struct tg_flow_key key; /* all zero: the packet's addresses are not known */
	union {
		struct {
			struct tg_half half[TG_SIDE_MAX];
			__u32 isn[TG_SIDE_MAX];
			__u64 bytes[TG_SIDE_MAX];
			__u32 packets[TG_SIDE_MAX];
			__u32 age_ms;
			__u32 handshake_ms; /* valid when phase became established */
		};
		char text[TG_EVENT_TEXT]; /* of events by user space */
	};
	char iface[TG_IFNAME_LEN]; /* filled by the daemon */
	__u64 sequence; /* by the daemon: grows with each event, types mixed */
};

/*
 * Value of the per-CPU map tg_event_counts; entry TG_COUNTED_DATAPATH by the data path with atomic
 * additions, entry TG_COUNTED_DAEMON by the daemon alone.
 */
struct tg_event_counts {
	__u64 emitted[TG_EVENT_MAX];
	__u64 lost[TG_EVENT_MAX]; /* the ring was full */
	__u64 suppressed[TG_EVENT_MAX]; /* sampled out, or above the rate */
	__u64 captured;
	__u64 capture_lost;
	__u64 capture_sampled; /* left out by the capture's own sampling */
};

#define TG_COUNTED_DATAPATH 0
#define TG_COUNTED_DAEMON 1
#define TG_COUNTED_MAX 2

/*
 * What goes out of a flood of equal events.  Drops and challenges are limited by verdict, others by
 * type; per CPU.  In each second the first TG_EVENTS_FIRST drops of a verdict all go out, then one in
 * tg_config.events_sample; of everything no more than tg_config.events_per_second.
 */
#define TG_EVENTS_FIRST 10
#define TG_EVENTS_SAMPLE_DEFAULT 100
#define TG_EVENTS_PER_SECOND_DEFAULT 1000

struct tg_event_limit {
	__u32 second; /* of the table's clock */
	__u32 seen;
	__u32 sent;
};

/* Value of the per-CPU map tg_event_limit. */
struct tg_event_limits {
	struct tg_event_limit limit[TG_VERDICT_MAX + TG_EVENT_MAX];
};

/* One captured packet: this, then the bytes of its frame. */
#define TG_CAPTURE_BYTES 1536
struct tg_capture {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 tag;
	__u32 number; /* of the slot, valid with has_flow */
	__u32 claim;
	__u32 serial; /* of the request it answers */
	__u32 length; /* of the frame */
	__u32 captured; /* bytes that follow */
	__u8 verdict;
	__u8 outcome;
	__u8 iface_slot;
	__u8 egress;
	__u8 has_flow;
	__u8 no_link_header; /* the frame begins at its IP header */
	__u8 reserved[6];
};

/* Value of the per-CPU map tg_scratch: one record in the making. */
struct tg_capture_record {
	struct tg_capture head;
	__u8 bytes[TG_CAPTURE_BYTES];
	__u64 seen; /* by this CPU, for the sampling; not part of the record */
};

_Static_assert(sizeof(struct tg_event) == 256, "event");
_Static_assert(sizeof(struct tg_capture) == 48, "head of a captured packet");

#endif
