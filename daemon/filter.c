/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conditions on a flow, all of which must hold, and the arguments they are read from. */
#include "filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "log.h"
#include "names.h"
#include "options.h"

#define MAPPED_BITS 96 /* of ::ffff:0:0/96 */

/* The address alone, and how many bits it has in its own family. */
static int parse_address(const char *text, struct filter_prefix *prefix, uint32_t *family_bits)
{
	memset(prefix->address, 0, sizeof(prefix->address));
	if (inet_pton(AF_INET6, text, prefix->address) == 1) {
		*family_bits = 128;
		return 0;
	}
	prefix->address[2] = htonl(0xffff);
	*family_bits = 32;
	return inet_pton(AF_INET, text, &prefix->address[3]) == 1 ? 0 : -EINVAL;
}

int filter_parse_prefix(const char *name, const char *argument, void *out)
{
	struct filter_prefix *prefix = out;
	uint32_t family_bits, bits;
	char text[INET6_ADDRSTRLEN];
	const char *slash = strchr(argument, '/');
	size_t length = slash ? (size_t)(slash - argument) : strlen(argument);

	if (length >= sizeof(text))
		goto wrong;
	memcpy(text, argument, length);
	text[length] = '\0';
	if (parse_address(text, prefix, &family_bits))
		goto wrong;
	bits = family_bits;
	if (slash && parse_u32(slash + 1, 0, family_bits, &bits))
		goto wrong;
	prefix->bits = (uint8_t)(family_bits == 32 ? MAPPED_BITS + bits : bits);
	prefix->given = true;
	return 0;

wrong:
	log_err(0, "--%s: '%s' is no address or prefix such as 192.0.2.0/24 or 2001:db8::/32", name,
		argument);
	return -EINVAL;
}

int filter_parse_port(const char *name, const char *argument, void *out)
{
	return options_u32(name, argument, 1, 65535, out);
}

static int find_word(const char *const *words, const char *argument)
{
	int i;

	for (i = 0; words[i]; i++)
		if (!strcasecmp(words[i], argument))
			return i;
	return -ENOENT;
}

int filter_parse_state(const char *name, const char *argument, void *out)
{
	struct filter_state *state = out;
	int phase = find_word(names_phases, argument);
	int endpoint = find_word(names_tcp_states, argument);

	if (phase >= 0) {
		state->kind = FILTER_STATE_PHASE;
		state->phase = (enum tg_phase)phase;
		return 0;
	}
	if (endpoint >= 0) {
		state->kind = FILTER_STATE_ENDPOINT;
		state->state = (enum tg_tcp_state)endpoint;
		return 0;
	}
	log_err(0, "--%s: '%s' is neither a phase (syn_sent syn_recv established half_closed last "
		   "time_wait closed) nor an endpoint's state (LISTEN SYN_RECEIVED FIN_WAIT_1 "
		   "FIN_WAIT_2 CLOSE_WAIT CLOSING LAST_ACK)",
		name, argument);
	return -EINVAL;
}

int filter_parse_id(const char *name, const char *argument, void *out)
{
	struct filter_id *id = out;
	char canonical[32];

	if (sscanf(argument, "%8" SCNx32 "-%8" SCNx32, &id->number, &id->generation) == 2) {
		snprintf(canonical, sizeof(canonical), "%" PRIx32 "-%" PRIx32, id->number,
			 id->generation);
		id->given = !strcasecmp(canonical, argument);
	}
	if (id->given)
		return 0;
	log_err(0, "%s: '%s' is no id such as 1f3a-2, as 'tcpguard flows list' shows", name,
		argument);
	return -EINVAL;
}

const char *filter_id_text(char *buffer, size_t size, const struct flow_record *flow)
{
	snprintf(buffer, size, "%" PRIx32 "-%" PRIx32, flow->number,
		 flow->claim >> TG_CLAIM_GENERATION_SHIFT);
	return buffer;
}

bool filter_is_empty(const struct filter *filter)
{
	return !filter->source.given && !filter->destination.given && !filter->source_port &&
	       !filter->destination_port && filter->state.kind == FILTER_STATE_ANY &&
	       !filter->older_s && !filter->id.given;
}

bool filter_in_prefix(const struct filter_prefix *prefix, const __be32 address[4])
{
	uint32_t word, bits = prefix->bits;

	if (!prefix->given)
		return true;
	for (word = 0; word < 4 && bits; word++) {
		uint32_t used = bits < 32 ? bits : 32;
		uint32_t mask = htonl((uint32_t)(~0ULL << (32 - used)));

		if ((prefix->address[word] ^ address[word]) & mask)
			return false;
		bits -= used;
	}
	return true;
}

static bool in_state(const struct filter_state *wanted, const struct flow_record *flow)
{
	switch (wanted->kind) {
	case FILTER_STATE_PHASE:
		return flow->phase == wanted->phase;
	case FILTER_STATE_ENDPOINT:
		return flow->state[TG_SIDE_LO] == wanted->state ||
		       flow->state[TG_SIDE_HI] == wanted->state;
	default:
		return true;
	}
}

bool filter_matches(const struct filter *filter, const struct flow_record *flow)
{
	enum tg_side source = flow->first;
	enum tg_side destination = source == TG_SIDE_LO ? TG_SIDE_HI : TG_SIDE_LO;

	if (filter->id.given && (flow->number != filter->id.number ||
				 flow->claim >> TG_CLAIM_GENERATION_SHIFT != filter->id.generation))
		return false;
	if (filter->source_port && ntohs(flow_port(flow, source)) != filter->source_port)
		return false;
	if (filter->destination_port &&
	    ntohs(flow_port(flow, destination)) != filter->destination_port)
		return false;
	if (filter->older_s && flow->age_ms / 1000 < filter->older_s)
		return false;
	return in_state(&filter->state, flow) &&
	       filter_in_prefix(&filter->source, flow_address(flow, source)) &&
	       filter_in_prefix(&filter->destination, flow_address(flow, destination));
}
