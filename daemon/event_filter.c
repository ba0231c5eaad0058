/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words for types and outcomes, and all conditions on one event. */
#include "event_filter.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "log.h"
#include "names.h"

#define BIT(type) (1U << TG_EVENT_##type)
#define ALL_TYPES (((1U << TG_EVENT_MAX) - 1) & ~(BIT(NONE) | BIT(TRACE)))
#define ALL_OUTCOMES ((1U << TG_OUTCOME_MAX) - 1)
#define WORDS_BYTES 512

static const char *const type_words[] = {
#define X(id, name) [TG_EVENT_##id] = name,
	TG_EVENTS(X)
#undef X
};

static const char *const cause_words[] = {
#define X(id, name) [TG_END_##id] = name,
	TG_END_CAUSES(X)
#undef X
};

/* Words of --type beside those of the types. */
static const struct {
	const char *word;
	uint32_t types;
	uint32_t outcomes;
} more_words[] = {
	{ "flow", BIT(NEW) | BIT(STATE) | BIT(END), 0 },
	{ "drop", BIT(DROP), 1U << TG_OUTCOME_VERDICT },
	{ "would_drop", BIT(DROP), 1U << TG_OUTCOME_WOULD_DROP },
	{ "bypass", BIT(DROP), 1U << TG_OUTCOME_BYPASS },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *event_word(const struct tg_event *event)
{
	if (event->type == TG_EVENT_DROP && event->outcome != TG_OUTCOME_VERDICT)
		return names_outcome(event->outcome);
	return event->type < COUNT(type_words) && type_words[event->type] ? type_words[event->type] : "?";
}

const char *event_cause_word(unsigned int cause)
{
	return cause < COUNT(cause_words) && cause_words[cause] ? cause_words[cause] : "?";
}

static bool add_type(const char *word, struct event_types *out)
{
	unsigned int i;

	for (i = 0; i < COUNT(more_words); i++) {
		if (strcasecmp(word, more_words[i].word) != 0)
			continue;
		out->types |= more_words[i].types;
		out->outcomes |= more_words[i].outcomes;
		return true;
	}
	for (i = 0; i < COUNT(type_words); i++) {
		if (!type_words[i] || strcasecmp(word, type_words[i]) != 0 || i == TG_EVENT_TRACE)
			continue;
		out->types |= 1U << i;
		return true;
	}
	return false;
}

static bool add_reason(const char *word, struct event_reasons *out)
{
	const struct verdict_row *row;
	bool known = false;
	unsigned int i;

	for (i = 0; i < TG_VERDICT_MAX; i++) {
		row = names_verdict(i);
		if (!row || strcasecmp(word, row->reason) != 0)
			continue;
		out->verdicts[i / 64] |= 1ULL << i % 64;
		out->given = known = true;
	}
	return known;
}

int event_filter_parse_types(const char *name, const char *argument, void *out)
{
	char words[WORDS_BYTES], *word, *rest = words;

	if (snprintf(words, sizeof(words), "%s", argument) < (int)sizeof(words)) {
		while ((word = strsep(&rest, ",")))
			if (!add_type(word, out))
				break;
		if (!word)
			return 0;
		argument = word;
	}
	log_err(0, "--%s: '%s' is none of new, state, end, flow (all three), drop, would_drop, "
		   "bypass, challenge, list, mode, guard, daemon",
		name, argument);
	return -EINVAL;
}

int event_filter_parse_reasons(const char *name, const char *argument, void *out)
{
	char words[WORDS_BYTES], *word, *rest = words;

	if (snprintf(words, sizeof(words), "%s", argument) < (int)sizeof(words)) {
		while ((word = strsep(&rest, ",")))
			if (!add_reason(word, out))
				break;
		if (!word)
			return 0;
		argument = word;
	}
	log_err_hint(0, "'tcpguard -j stats' names them all", "--%s: '%s' is no reason", name, argument);
	return -EINVAL;
}

uint32_t event_filter_types(const struct event_filter *filter)
{
	return filter->types.types ? filter->types.types : ALL_TYPES;
}

static bool is_of_flow(const struct tg_event *event)
{
	return event->type == TG_EVENT_NEW || event->type == TG_EVENT_STATE ||
	       event->type == TG_EVENT_END;
}

enum tg_side event_source(const struct tg_event *event)
{
	if (is_of_flow(event))
		return event->claim & TG_CLAIM_OPENER_HI ? TG_SIDE_HI : TG_SIDE_LO;
	return event->side ? TG_SIDE_HI : TG_SIDE_LO;
}

const __be32 *event_address(const struct tg_event *event, enum tg_side side)
{
	return side == TG_SIDE_LO ? event->key.lo_addr : event->key.hi_addr;
}

__be16 event_port(const struct tg_event *event, enum tg_side side)
{
	return side == TG_SIDE_LO ? event->key.lo_port : event->key.hi_port;
}

bool event_has_addresses(const struct tg_event *event)
{
	static const __be32 none[4];

	return memcmp(event->key.lo_addr, none, sizeof(none)) != 0 ||
	       memcmp(event->key.hi_addr, none, sizeof(none)) != 0;
}

static bool matches_addresses(const struct event_filter *filter, const struct tg_event *event)
{
	enum tg_side source = event_source(event);
	enum tg_side destination = source == TG_SIDE_LO ? TG_SIDE_HI : TG_SIDE_LO;

	if (!filter->source.given && !filter->destination.given && !filter->source_port &&
	    !filter->destination_port)
		return true;
	if (!event_has_addresses(event))
		return false;
	if (filter->source_port && ntohs(event_port(event, source)) != filter->source_port)
		return false;
	if (filter->destination_port &&
	    ntohs(event_port(event, destination)) != filter->destination_port)
		return false;
	return filter_in_prefix(&filter->source, event_address(event, source)) &&
	       filter_in_prefix(&filter->destination, event_address(event, destination));
}

bool event_filter_matches(const struct event_filter *filter, const struct tg_event *event)
{
	uint32_t outcomes = filter->types.outcomes ? filter->types.outcomes : ALL_OUTCOMES;
	unsigned int verdict = event->verdict & 127;

	if (!(event_filter_types(filter) & 1U << event->type))
		return false;
	if (event->type == TG_EVENT_DROP && !(outcomes & 1U << event->outcome))
		return false;
	if (filter->reasons.given && !(filter->reasons.verdicts[verdict / 64] >> verdict % 64 & 1))
		return false;
	if (filter->iface && strncmp(filter->iface, event->iface, sizeof(event->iface)) != 0)
		return false;
	return matches_addresses(filter, event);
}
