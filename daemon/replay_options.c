/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arguments that say how packets are judged, and the prefixes among them. */
#include "replay_options.h"

#include <errno.h>
#include <string.h>

#include "log.h"
#include "names.h"

int replay_option_mode(const char *name, const char *argument, void *out)
{
	*(int *)out = options_choose(name, argument, names_modes);
	return *(int *)out < 0 ? -EINVAL : 0;
}

int replay_option_profile(const char *name, const char *argument, void *out)
{
	*(int *)out = options_choose(name, argument, names_profiles);
	return *(int *)out < 0 ? -EINVAL : 0;
}

int replay_option_max_flows(const char *name, const char *argument, void *out)
{
	return options_u32(name, argument, 1, DATAPATH_MAX_FLOWS_LIMIT, out);
}

int replay_option_local(const char *name, const char *argument, void *out)
{
	struct replay_local *local = out;
	char word[64];

	for (;;) {
		size_t length = strcspn(argument, ",");

		if (local->count == REPLAY_PREFIXES_MAX) {
			log_err(0, "--%s: more than %d prefixes", name, REPLAY_PREFIXES_MAX);
			return -EINVAL;
		}
		if (length >= sizeof(word))
			length = sizeof(word) - 1; /* no prefix is as long: refused below */
		memcpy(word, argument, length);
		word[length] = '\0';
		if (filter_parse_prefix(name, word, &local->prefix[local->count]))
			return -EINVAL;
		local->count++;
		argument += strcspn(argument, ",");
		if (!*argument)
			return 0;
		argument++;
	}
}

static bool prefix_has(const struct filter_prefix *prefix, const __be32 address[4])
{
	uint32_t word, bits = prefix->bits;

	for (word = 0; word < 4 && bits >= 32; word++, bits -= 32)
		if (prefix->address[word] != address[word])
			return false;
	if (!bits || word == 4)
		return true;
	return !((prefix->address[word] ^ address[word]) & htonl(~(UINT32_MAX >> bits)));
}

bool replay_local_has(const struct replay_local *local, const __be32 address[4])
{
	uint32_t i;

	for (i = 0; i < local->count; i++)
		if (prefix_has(&local->prefix[i], address))
			return true;
	return false;
}
