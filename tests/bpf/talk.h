/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conversations, line by line, each with the verdict it must get. */
#ifndef TESTS_TALK_H
#define TESTS_TALK_H

#include "tests/bpf/guard.h"

#define FIN TG_FIN
#define SYN TG_SYN
#define RST TG_RST
#define PSH TG_PSH
#define ACK TG_ACK
#define URG TG_URG

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
#define TALK(guard, steps) guard_talk(guard, steps, COUNT(steps))

/* SYN 1000, SYN-ACK 5000, ACK, all with window scale 7 and window 65535. */
void guard_handshake(struct guard *guard);

#endif
