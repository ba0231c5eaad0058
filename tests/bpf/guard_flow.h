/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guard remembers of the conversation between client and server. */
#ifndef TESTS_GUARD_FLOW_H
#define TESTS_GUARD_FLOW_H

#include "tests/bpf/guard.h"

/* The flow of client and server; NULL if there is none, or only an expired one. */
struct tg_slot *guard_slot(struct guard *guard);
struct tg_detail *guard_detail(struct guard *guard);
struct tg_half *guard_half(struct guard *guard, enum speaker who);
struct tg_half_count *guard_half_count(struct guard *guard, enum speaker who);
enum tg_tcp_state guard_state(struct guard *guard, enum speaker who); /* CLOSED if there is no flow */
enum tg_phase guard_phase(struct guard *guard);
uint32_t guard_flows(struct guard *guard); /* live slots in the table, expired ones not counted */

#endif
