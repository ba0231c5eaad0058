/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words for the numbers of include/tcpguard/: part of the interface, the same in text and JSON. */
#ifndef TCPGUARD_NAMES_H
#define TCPGUARD_NAMES_H

#include "tcpguard/counters.h"

struct verdict_row {
	enum tg_action action;
	unsigned int code; /* stable; rows of one reason share it */
	const char *reason;
	enum tg_class class;
	const char *text;
};

/* NULL for TG_UNDECIDED and numbers out of range. */
const struct verdict_row *names_verdict(unsigned int verdict);

/* NULL-terminated, indexed by the enum: options_choose() takes them. */
extern const char *const names_phases[];
extern const char *const names_tcp_states[];
extern const char *const names_modes[];
extern const char *const names_profiles[];
extern const char *const names_flood_actions[];
extern const char *const names_list_origins[]; /* enum tg_list_origin */

/* "?" when out of range. */
const char *names_phase(enum tg_phase phase);
const char *names_tcp_state(enum tg_tcp_state state);
const char *names_mode(unsigned int mode);
const char *names_profile(unsigned int profile);
const char *names_xdp(unsigned int xdp_mode);
const char *names_tc(unsigned int tc_kind);
const char *names_cookies(unsigned int kind); /* enum tg_cookie_kind */
const char *names_origin(enum tg_origin origin);
const char *names_action(enum tg_action action);
/* Of a drop that was not carried out; "?" for TG_OUTCOME_VERDICT, which the action names. */
const char *names_outcome(unsigned int outcome);
const char *names_flood_action(unsigned int action);
const char *names_tally(enum tg_tally tally);
const char *names_class(enum tg_class class);

#endif
