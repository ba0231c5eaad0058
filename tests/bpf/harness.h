/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conversations through the real programs by BPF_PROG_TEST_RUN: what the client sends goes through
 * the XDP program, what the server sends through the TC program, as on a host that serves.  The
 * verdict of a segment is the one counter that moved: the product's own interface.  The clock is an
 * input; nothing sleeps.
 */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

/* What cmocka wants before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bpf/packet.h"
#include "tcpguard/counters.h"
#include "tests/bpf/frame.h"

#define FIN TG_FIN
#define SYN TG_SYN
#define RST TG_RST
#define PSH TG_PSH
#define ACK TG_ACK
#define URG TG_URG

enum speaker {
	CLIENT, /* 10.0.0.1:40000, through XDP */
	SERVER, /* 10.0.0.2:80, through TC egress */
};

/* Zeroes mean a host that enforces, does not learn, and has room for 1024 flows. */
struct guard_options {
	uint32_t max_flows;
	enum tg_profile profile;
	bool monitor;
	bool strict;
	bool no_link_header;
	bool verify_csum;
	bool learn; /* for TG_LEARN_DEFAULT_MS from the start */
	bool all_ingress; /* both speakers through XDP: a gateway */
	bool ipv6;
	enum tg_cookie_kind cookies; /* SYNs are challenged once flood.start_pps is 1 */
	bool answer_by_tc;
};

struct guard; /* one loaded object with its own maps */

struct guard *guard_open(const struct guard_options *options); /* fails the test if it cannot */
void guard_close(struct guard *guard);

/* cmocka set-up and tear-down: *state is a guard with default options. */
int guard_setup(void **state);
int guard_teardown(void **state);

extern const struct endpoint guard_client, guard_server, guard_client6, guard_server6;
#define BETWEEN(a, b) .from = (a), .to = (b)
#define FROM_CLIENT .from = &guard_client, .to = &guard_server
#define FROM_SERVER .from = &guard_server, .to = &guard_client
#define FROM_CLIENT6 .from = &guard_client6, .to = &guard_server6, .ipv6 = true
#define FROM_SERVER6 .from = &guard_server6, .to = &guard_client6, .ipv6 = true

/* The clock of the table; starts at an hour. */
void guard_advance_ms(struct guard *guard, uint64_t milliseconds);
uint64_t guard_now_ms(const struct guard *guard);
struct tg_settings *guard_settings(struct guard *guard);

/*
 * One line of a conversation.  The fields of struct segment that a conversation needs; from, to and
 * ipv6 come from who and the guard.  States are looked at after the segment when .states is set.
 */
struct step {
	enum speaker who;
	uint8_t flags;
	uint32_t seq, ack;
	uint32_t payload;
	uint16_t window;
	bool zero_window;
	uint32_t tsval;
	int wscale;
	uint32_t sack_from, sack_to;
	uint32_t after_ms; /* the clock goes on by this much first */
	enum tg_verdict want;
	bool states; /* check the next two */
	enum tg_tcp_state client, server;
};

#define STATES(c, s) .states = true, .client = TG_TCP_##c, .server = TG_TCP_##s

void guard_say(struct guard *guard, const struct step *step, size_t line);
void guard_talk(struct guard *guard, const struct step *steps, size_t count);
#define TALK(guard, steps) guard_talk(guard, steps, sizeof(steps) / sizeof((steps)[0]))

/* SYN 1000, SYN-ACK 5000, ACK, all with window scale 7 and window 65535. */
void guard_handshake(struct guard *guard);

/* Judges any frame.  egress: by the TC program.  Asserts that exactly one counter moved by `segments`. */
struct judgement {
	enum tg_verdict verdict;
	enum tg_outcome outcome;
	bool dropped; /* what the program returned */
	bool answered;
};
struct judgement guard_judge(struct guard *guard, const uint8_t *frame, size_t size, bool egress);

/* The same for a segment; and with skb fields for TC (ingress_ifindex, gso_segs), 0 = none. */
struct judgement guard_judge_segment(struct guard *guard, const struct segment *segment, bool egress);
struct judgement guard_judge_skb(struct guard *guard, const uint8_t *frame, size_t size,
				 uint32_t ingress_ifindex, uint32_t gso_segs);

/* Judges a segment and fails unless it gets this verdict.  Returns the judgement for more questions. */
struct judgement guard_expect(struct guard *guard, const struct segment *segment, bool egress,
			      enum tg_verdict want, const char *what, int line);
#define EXPECT(guard, segment, egress, want) \
	guard_expect(guard, segment, egress, want, __func__, __LINE__)

/* Fails unless got is want; what and line say where. */
void guard_same(enum tg_verdict got, enum tg_verdict want, const char *what, int line);
#define SAME(got, want) guard_same(got, want, __func__, __LINE__)

/* Runs a frame without looking at counters: for floods.  Returns the program's return code. */
uint32_t guard_run(struct guard *guard, uint8_t *frame, size_t size, bool egress);
/* The same at XDP, with the frame as the program left it; *size is room, then its length. */
uint32_t guard_run_out(struct guard *guard, const uint8_t *frame, size_t frame_size, uint8_t *out,
		       size_t *size);
/* The same at TC for a forwarded packet. */
uint32_t guard_run_forwarded(struct guard *guard, const uint8_t *frame, size_t size,
			     uint32_t ingress_ifindex);
uint64_t guard_count(struct guard *guard, enum tg_verdict verdict); /* packets so far, all outcomes */
uint64_t guard_tally(struct guard *guard, enum tg_tally tally);

/* The flow of client and server; NULL if there is none.  Not expired entries only. */
struct tg_slot *guard_slot(struct guard *guard);
struct tg_detail *guard_detail(struct guard *guard);
struct tg_half *guard_half(struct guard *guard, enum speaker who);
struct tg_half_count *guard_half_count(struct guard *guard, enum speaker who);
enum tg_tcp_state guard_state(struct guard *guard, enum speaker who); /* CLOSED if there is no flow */
enum tg_phase guard_phase(struct guard *guard);
uint32_t guard_flows(struct guard *guard); /* live slots in the table, expired ones not counted */

/* The mapped table, for tests that look at slots. */
const struct tg_table *guard_table(struct guard *guard);
int guard_map_fd(struct guard *guard, const char *name);

const char *verdict_name(enum tg_verdict verdict);

#endif
