/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arguments of any bytes: the option parser with every kind of row, and each function that reads
 * one argument.  Lines of the input are words; the first is the lone argument.  What is accepted
 * must mean what it says: written out, it is read back as the same.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "tests/fuzz/fuzz.h"

#include "daemon/filter.h"
#include "daemon/flow_name.h"
#include "daemon/format.h"
#include "daemon/listener.h"
#include "daemon/names.h"
#include "daemon/options.h"
#include "daemon/replay_options.h"

#define WORDS_MAX 16

struct out {
	bool flag;
	int mode;
	int profile;
	uint32_t seconds;
	uint32_t flows;
	struct filter filter;
	struct replay_local local;
};

static const struct option_row rows[] = {
	{ 'f', "flag", NULL, "", options_set_true, offsetof(struct out, flag) },
	{ 't', "timeout", "TIME", "", options_duration, offsetof(struct out, seconds) },
	{ 0, "mode", "MODE", "", replay_option_mode, offsetof(struct out, mode) },
	{ 0, "profile", "PROFILE", "", replay_option_profile, offsetof(struct out, profile) },
	{ 'n', "max-flows", "N", "", replay_option_max_flows, offsetof(struct out, flows) },
	{ 0, "local", "PREFIX,...", "", replay_option_local, offsetof(struct out, local) },
	{ 0, "src", "PREFIX", "", filter_parse_prefix, offsetof(struct out, filter.source) },
	{ 0, "dst", "PREFIX", "", filter_parse_prefix, offsetof(struct out, filter.destination) },
	{ 'p', "sport", "PORT", "", filter_parse_port, offsetof(struct out, filter.source_port) },
	{ 0, "state", "STATE", "", filter_parse_state, offsetof(struct out, filter.state) },
	{ 0, "older", "TIME", "", options_duration, offsetof(struct out, filter.older_s) },
	{ 0, "id", "ID", "", filter_parse_id, offsetof(struct out, filter.id) },
	{ 0 },
};

/* --- one argument --------------------------------------------------------------------------------- */

static void read_number(const char *word)
{
	uint32_t number = 0, again = 0;
	char text[16];

	if (parse_u32(word, 3, 4000000000U, &number))
		return;
	FUZZ_CHECK(number >= 3 && number <= 4000000000U);
	FUZZ_CHECK(strspn(word, "0123456789") == strlen(word));
	snprintf(text, sizeof(text), "%" PRIu32, number);
	FUZZ_CHECK(!parse_u32(text, 3, 4000000000U, &again) && again == number);
}

static void read_duration(const char *word)
{
	uint32_t seconds = 0, again = 0;
	char text[16];

	if (parse_duration_s(word, &seconds))
		return;
	FUZZ_CHECK(strspn(word, "0123456789smhd") == strlen(word));
	snprintf(text, sizeof(text), "%" PRIu32 "s", seconds);
	FUZZ_CHECK(!parse_duration_s(text, &again) && again == seconds);
}

static void read_prefix(const char *word)
{
	struct filter_prefix prefix = {}, again = {};
	char address[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 8];
	int status = filter_parse_prefix("prefix", word, &prefix);

	FUZZ_CHECK(status == 0 || status == -EINVAL);
	FUZZ_CHECK(prefix.given == !status);
	if (status)
		return;
	FUZZ_CHECK(prefix.bits <= 128);
	FUZZ_CHECK(inet_ntop(AF_INET6, prefix.address, address, sizeof(address)));
	snprintf(text, sizeof(text), "%s/%u", address, prefix.bits);
	FUZZ_CHECK(!filter_parse_prefix("prefix", text, &again));
	FUZZ_CHECK(!memcmp(&prefix, &again, sizeof(prefix)));
}

static void read_id(const char *word)
{
	struct filter_id id = {};
	char text[32];

	if (filter_parse_id("id", word, &id))
		return;
	snprintf(text, sizeof(text), "%" PRIx32 "-%" PRIx32, id.number, id.generation);
	FUZZ_CHECK(id.given && !strcasecmp(text, word));
}

static void read_state(const char *word)
{
	struct filter_state state = {};

	if (filter_parse_state("state", word, &state))
		return;
	FUZZ_CHECK(state.kind == FILTER_STATE_PHASE || state.kind == FILTER_STATE_ENDPOINT);
	FUZZ_CHECK(!strcasecmp(word, state.kind == FILTER_STATE_PHASE ? names_phases[state.phase] :
									names_tcp_states[state.state]));
}

static void read_local(const char *word)
{
	struct replay_local local = {};
	uint32_t i;

	if (replay_option_local("local", word, &local))
		return;
	FUZZ_CHECK(local.count >= 1 && local.count <= REPLAY_PREFIXES_MAX);
	/* What it was made of is in it. */
	for (i = 0; i < local.count; i++)
		FUZZ_CHECK(replay_local_has(&local, local.prefix[i].address));
}

/* "ADDRESS:PORT-ADDRESS:PORT", as format_endpoint() writes it. */
static void read_flow(const char *word)
{
	struct tg_flow_key key = {}, again = {};
	char lo[FORMAT_BYTES], hi[FORMAT_BYTES], text[2 * FORMAT_BYTES];
	enum tg_side first, other;

	if (flow_name_parse("flows", word, &key, &first))
		return;
	format_endpoint(lo, sizeof(lo), key.lo_addr, key.lo_port);
	format_endpoint(hi, sizeof(hi), key.hi_addr, key.hi_port);
	snprintf(text, sizeof(text), "%s-%s", first == TG_SIDE_LO ? lo : hi, first == TG_SIDE_LO ? hi : lo);
	FUZZ_CHECK(!flow_name_parse("flows", text, &again, &other));
	FUZZ_CHECK(!memcmp(&key, &again, sizeof(key)) && first == other);
}

static void read_listener(const char *word)
{
	const struct sockaddr_un *path;
	struct listener_address out;

	if (listener_parse(word, &out))
		return;
	path = (const struct sockaddr_un *)&out.address;
	switch (out.address.ss_family) {
	case AF_INET:
		FUZZ_CHECK(out.bytes == sizeof(struct sockaddr_in));
		break;
	case AF_INET6:
		FUZZ_CHECK(out.bytes == sizeof(struct sockaddr_in6));
		break;
	default:
		FUZZ_CHECK(out.address.ss_family == AF_UNIX && out.bytes <= sizeof(*path));
		FUZZ_CHECK(path->sun_path[0] == '/' && !strcmp(path->sun_path, word + strlen("unix:")));
	}
}

/* --- a command line ------------------------------------------------------------------------------- */

static void match_flows(const struct filter *filter)
{
	struct flow_record flow;
	uint8_t fill;

	for (fill = 0; fill < 3; fill++) {
		memset(&flow, fill * 0x55, sizeof(flow));
		flow.first = fill & 1 ? TG_SIDE_HI : TG_SIDE_LO;
		fuzz_sink = filter_matches(filter, &flow);
		FUZZ_CHECK(!filter_is_empty(filter) || filter_matches(filter, &flow));
	}
}

static void read_words(struct fuzz_input *input, bool in_order)
{
	struct out out = {};
	const struct option_group group = { rows, &out };
	char *words[WORDS_MAX + 2] = { strdup("tcpguard") }, *given[WORDS_MAX + 2];
	int count = 1, first, i;

	while (count <= WORDS_MAX && input->left)
		words[count++] = fuzz_line(input);
	memcpy(given, words, sizeof(given));
	first = options_parse(&group, 1, in_order, count, words);
	FUZZ_CHECK(first == -EINVAL || (first >= 1 && first <= count));
	if (first > 0)
		match_flows(&out.filter);
	for (i = 0; i < count; i++)
		free(given[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	bool in_order = fuzz_u8(&input) & 1;
	char *word = fuzz_line(&input);

	read_number(word);
	read_duration(word);
	read_prefix(word);
	read_id(word);
	read_state(word);
	read_local(word);
	read_flow(word);
	read_listener(word);
	free(word);
	read_words(&input, in_order);
	return 0;
}
