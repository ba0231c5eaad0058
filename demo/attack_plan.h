// SPDX-License-Identifier: GPL-2.0-or-later
/* What attack is asked to send: its command line. */
#ifndef DEMO_ATTACK_PLAN_H
#define DEMO_ATTACK_PLAN_H

#include <linux/if_ether.h>
#include <stdbool.h>
#include <stdint.h>

#define PAYLOAD_MAX 1400

#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10
#define URG 0x20

/* A number that is drawn from lo..hi for each segment. */
struct range {
	uint32_t lo;
	uint32_t hi;
};

struct plan {
	uint8_t flags;
	const char *ifname;
	uint8_t to_mac[ETH_ALEN];
	struct range src, sport, dport, seq, ack;
	uint32_t dst;
	uint32_t count;
	uint32_t rate; /* segments a second, 0: as fast as it goes */
	uint32_t seconds;
	uint32_t payload;
	uint32_t window;
	uint8_t tos; /* tells the observer behind tcpguard whose segment it is */
	bool sweep; /* walk dport and seq through their ranges instead of drawing them */
	uint32_t step;
};

/* Over the defaults in plan; ends the program, with the usage, if the words cannot be understood. */
void parse_options(struct plan *plan, int argc, char **argv);

#endif
