/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guard: one loaded copy of the data path with maps, settings and a clock of its own. */
#ifndef TESTS_GUARD_H
#define TESTS_GUARD_H

/* What cmocka wants before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bpf/packet.h"
#include "tcpguard/counters.h"
#include "tests/bpf/frame.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

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
	bool veth;
};

struct guard;

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

/* The mapped table, for tests that look at slots. */
const struct tg_table *guard_table(struct guard *guard);
int guard_map_fd(struct guard *guard, const char *name);

#endif
