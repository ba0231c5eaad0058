/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables made from the X-macro lists, so that a new row there needs nothing here. */
#include "names.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct verdict_row verdicts[] = {
#define X(id, action, code, reason, class, text) \
	[TG_##id] = { TG_ACTION_##action, code, reason, TG_CLASS_##class, text },
	TG_VERDICTS(X)
#undef X
};

const char *const names_phases[] = {
#define X(id, name) [TG_PHASE_##id] = name,
	TG_PHASES(X)
#undef X
		[TG_PHASE_MAX] = NULL,
};

const char *const names_tcp_states[] = {
#define X(name) [TG_TCP_##name] = #name,
	TG_TCP_STATES(X)
#undef X
		[TG_TCP_STATE_MAX] = NULL,
};

const char *const names_modes[] = {
	[TG_MODE_ENFORCE] = "enforce",
	[TG_MODE_MONITOR] = "monitor",
	[TG_MODE_MAX] = NULL,
};

const char *const names_profiles[] = {
	[TG_PROFILE_HOST] = "host",
	[TG_PROFILE_GATEWAY] = "gateway",
	[TG_PROFILE_ONEWAY] = "oneway",
	[TG_PROFILE_MAX] = NULL,
};

static const char *const xdp_modes[] = {
	[TG_XDP_NATIVE] = "native",
	[TG_XDP_GENERIC] = "generic",
	[TG_XDP_SHARED] = "shared",
};

static const char *const tc_kinds[] = {
	[TG_TC_TCX] = "tcx",
	[TG_TC_CLSACT] = "clsact",
};

static const char *const cookie_kinds[] = {
	[TG_COOKIE_NONE] = "none",
	[TG_COOKIE_LISTENER] = "listener's cookie (gen_syncookie)",
	[TG_COOKIE_OWN] = "kernel-accepted own cookie (reqsk)",
};

static const char *const origins[] = {
	[TG_ORIGIN_SYN] = "syn",
	[TG_ORIGIN_PICKUP] = "pickup",
	[TG_ORIGIN_SEED] = "seed",
	[TG_ORIGIN_COOKIE] = "cookie",
};

static const char *const tallies[] = {
#define X(id, name) [TG_TALLY_##id] = name,
	TG_TALLIES(X)
#undef X
};

const char *const names_list_origins[] = { "cli", "file", NULL };

const char *const names_flood_actions[] = {
	[TG_FLOOD_DEFAULT] = "default",
	[TG_FLOOD_CHALLENGE] = "challenge",
	[TG_FLOOD_DEFER] = "defer",
	[TG_FLOOD_RATELIMIT] = "ratelimit",
	[TG_FLOOD_OFF] = "off",
	NULL,
};

static const char *const actions[] = {
	[TG_ACTION_PASS] = "pass",
	[TG_ACTION_NOUPD] = "noupd",
	[TG_ACTION_CHALLENGE] = "challenge",
	[TG_ACTION_DROP] = "drop",
};

static const char *const outcomes[] = {
	[TG_OUTCOME_WOULD_DROP] = "would_drop",
	[TG_OUTCOME_BYPASS] = "bypass",
	[TG_OUTCOME_OWN] = "own",
};

static const char *const classes[] = {
	[TG_CLASS_INFO] = "info",
	[TG_CLASS_MALFORMED] = "malformed",
	[TG_CLASS_POLICY] = "policy",
	[TG_CLASS_SYN] = "syn",
	[TG_CLASS_STATE] = "state",
	[TG_CLASS_WINDOW] = "window",
	[TG_CLASS_INTERNAL] = "internal",
};

_Static_assert(COUNT(origins) == TG_ORIGIN_MAX, "a name for each origin");
_Static_assert(COUNT(actions) == TG_ACTION_MAX, "a name for each action");
_Static_assert(COUNT(outcomes) == TG_OUTCOME_MAX, "a name for each outcome");
_Static_assert(COUNT(classes) == TG_CLASS_MAX, "a name for each class");

static const char *word(const char *const *words, size_t count, unsigned int index)
{
	return index < count && words[index] ? words[index] : "?";
}

const struct verdict_row *names_verdict(unsigned int verdict)
{
	return verdict < COUNT(verdicts) && verdicts[verdict].reason ? &verdicts[verdict] : NULL;
}

const char *names_phase(enum tg_phase phase)
{
	return word(names_phases, TG_PHASE_MAX, phase);
}

const char *names_tcp_state(enum tg_tcp_state state)
{
	return word(names_tcp_states, TG_TCP_STATE_MAX, state);
}

const char *names_tally(enum tg_tally tally)
{
	return word(tallies, COUNT(tallies), tally);
}

const char *names_flood_action(unsigned int action)
{
	return word(names_flood_actions, TG_FLOOD_ACTION_MAX, action);
}

const char *names_mode(unsigned int mode)
{
	return word(names_modes, TG_MODE_MAX, mode);
}

const char *names_profile(unsigned int profile)
{
	return word(names_profiles, TG_PROFILE_MAX, profile);
}

const char *names_xdp(unsigned int xdp_mode)
{
	return word(xdp_modes, COUNT(xdp_modes), xdp_mode);
}

const char *names_tc(unsigned int tc_kind)
{
	return word(tc_kinds, COUNT(tc_kinds), tc_kind);
}

const char *names_cookies(unsigned int kind)
{
	return word(cookie_kinds, COUNT(cookie_kinds), kind);
}

const char *names_origin(enum tg_origin origin)
{
	return word(origins, COUNT(origins), origin);
}

const char *names_action(enum tg_action action)
{
	return word(actions, COUNT(actions), action);
}

const char *names_outcome(unsigned int outcome)
{
	return word(outcomes, COUNT(outcomes), outcome);
}

const char *names_class(enum tg_class class)
{
	return word(classes, COUNT(classes), class);
}
