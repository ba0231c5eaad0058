/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a segment got its verdict: the comparisons its rule makes, with their numbers, computed by
 * the data path's own headers on a copy of the flow as it was before the segment.  And what to set
 * to have it judged otherwise.  Pure functions; nothing here prints.
 */
#ifndef TCPGUARD_EXPLAIN_H
#define TCPGUARD_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "tcpguard/config.h"
#include "bpf/packet.h"

/* One comparison of two numbers, most of them sequence numbers: left <= right. */
struct explain_check {
	const char *rule; /* "I": name of the bound in docs, or "" */
	const char *left_name; /* "seq" */
	const char *relation; /* "<=", ">=", "==", "!=", ">" */
	const char *right_name; /* "edge the receiver granted" */
	uint32_t left;
	uint32_t right;
	int64_t distance; /* left - right on the circle, signed */
	bool holds;
	bool decided; /* this one made the verdict */
};

#define EXPLAIN_CHECKS_MAX 8

struct explain_input {
	enum tg_verdict verdict; /* what the data path said */
	const struct tg_packet *packet;
	const struct tg_slot *slot; /* before; NULL: there was no flow */
	const struct tg_detail *detail;
	enum tg_side side; /* the sender */
	uint32_t now_ms;
	bool strict;
};

struct explanation {
	struct explain_check check[EXPLAIN_CHECKS_MAX];
	uint32_t count;
	const char *why; /* a sentence where no comparison says it, or NULL */
};

/* Why, where there was no connection to compare with. */
const char *explain_without_flow(enum tg_verdict verdict);

void explain_segment(const struct explain_input *input, struct explanation *out);

/* The setting that would change a verdict, in words; never NULL. */
const char *explain_setting(enum tg_verdict verdict);

/* Names of the facts of a half: bit (1 << i) of struct tg_half.facts; NULL past the last. */
const char *explain_fact(unsigned int bit);

#endif
