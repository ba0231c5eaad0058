/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which packets `tcpguard capture` takes: verdicts, a flow, a filter. */
#include "cmd_capture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "capture_live.h"
#include "command.h"
#include "flow_name.h"
#include "log.h"

static enum done done_of(enum tg_verdict verdict, enum tg_outcome outcome)
{
	static const enum done outcomes[] = {
		[TG_OUTCOME_WOULD_DROP] = DONE_WOULD_DROP,
		[TG_OUTCOME_BYPASS] = DONE_BYPASS,
		[TG_OUTCOME_OWN] = DONE_OWN,
	};

	if (outcome != TG_OUTCOME_VERDICT)
		return outcomes[outcome];
	switch (tg_verdict_action(verdict)) {
	case TG_ACTION_DROP:
		return DONE_DROP;
	case TG_ACTION_CHALLENGE:
		return DONE_CHALLENGE;
	default:
		return DONE_PASS;
	}
}

void capture_choose_verdicts(const struct capture_options *options, struct tg_capture_request *request)
{
	int outcome, verdict;

	for (outcome = 0; outcome < TG_OUTCOME_MAX; outcome++) {
		for (verdict = 1; verdict < TG_VERDICT_MAX; verdict++) {
			uint64_t bit = 1ULL << verdict % 64;
			enum done done = done_of((enum tg_verdict)verdict, (enum tg_outcome)outcome);

			if (options->reasons.given && !(options->reasons.verdicts[verdict / 64] & bit))
				continue;
			if (!options->done || (options->done & 1U << done))
				request->verdicts[outcome][verdict / 64] |= bit;
		}
	}
}

/* -ENOENT in silence: there is no such flow. */
static int find_tag(const struct pins *pins, const struct filter_id *id, uint64_t *tag)
{
	struct flow_record flow;
	uint64_t now_ms;
	int err = pins_now_ms(pins, &now_ms);

	if (err)
		return err;
	if (!flow_table_read(&pins->table, id->number, now_ms, &flow) ||
	    flow.claim >> TG_CLAIM_GENERATION_SHIFT != id->generation)
		return -ENOENT;
	*tag = flow.slot.tag;
	return 0;
}

int capture_choose_flow(const struct capture_options *options, const struct pins *pins, uint64_t *tag)
{
	struct filter_id id = { .given = false };
	struct tg_hash_key hash;
	struct tg_flow_key key;
	int err;

	if (!options->flow)
		return EXIT_OK;
	if (strchr(options->flow, ':')) {
		if (flow_name_parse("capture", options->flow, &key, NULL))
			return EXIT_USAGE;
		key.zone = (__u16)options->zone;
		tg_hash_key_for_zone(pins->info.coefficient, key.zone, &hash);
		*tag = tg_tag_of_key(&hash, &key);
		return EXIT_OK;
	}
	if (filter_parse_id("--flow", options->flow, &id))
		return EXIT_USAGE;
	err = find_tag(pins, &id, tag);
	if (err == -ENOENT)
		log_err(0, "capture: no flow %s is known", options->flow);
	return err == -ENOENT ? EXIT_NO : command_exit_code(err);
}

static int compile_for(struct bpf_program *program, int link, const char *text, bool say)
{
	pcap_t *shape = pcap_open_dead(link, TG_CAPTURE_BYTES);
	int err = 0;

	if (!shape)
		return log_err(-ENOMEM, "cannot compile the filter");
	if (pcap_compile(shape, program, text, 1, PCAP_NETMASK_UNKNOWN)) {
		if (say)
			log_err_hint(0, "see pcap-filter(7)", "the filter '%s' does not compile: %s",
				     text, pcap_geterr(shape));
		err = -EINVAL;
	}
	pcap_close(shape);
	return err;
}

int capture_filter_compile(struct capture_filter *filter, int argc, char **argv)
{
	char text[1024] = "";
	size_t at = 0;
	int i, err;

	for (i = 0; i < argc && at < sizeof(text); i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i ? " " : "", argv[i]);
	if (!argc)
		return 0;
	if (at >= sizeof(text)) {
		log_err(0, "the filter is too long");
		return -EINVAL;
	}
	err = compile_for(&filter->program[0], DLT_EN10MB, text, true);
	if (err)
		return err;
	filter->given = true;
	/* What asks for Ethernet fields matches nothing where there is no such header. */
	if (compile_for(&filter->program[1], DLT_RAW, text, false))
		return compile_for(&filter->program[1], DLT_RAW, "less 0", true);
	return 0;
}

void capture_filter_free(struct capture_filter *filter)
{
	if (!filter->given)
		return;
	pcap_freecode(&filter->program[0]);
	pcap_freecode(&filter->program[1]);
}
