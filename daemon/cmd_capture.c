/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard capture`: the packets that got a verdict, as the data path saw them. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "capture_live.h"
#include "capture_ng_write.h"
#include "command.h"
#include "event_filter.h"
#include "flow_name.h"
#include "log.h"
#include "options.h"
#include "output_capture.h"

#define WAIT_MIN_MS 5
#define WAIT_MAX_MS 100
#define MEGABYTE 1000000ULL

/* Words of --verdict. */
enum done {
	DONE_PASS,
	DONE_CHALLENGE,
	DONE_DROP,
	DONE_WOULD_DROP,
	DONE_BYPASS,
	DONE_OWN,
};
static const char *const done_words[] = { "pass", "challenge", "drop", "would_drop", "bypass", "own", NULL };

struct capture_options {
	struct event_reasons reasons;
	uint32_t done; /* bit enum done; 0: whatever was done */
	const char *flow;
	uint32_t zone;
	const char *file; /* NULL: lines */
	uint32_t count;
	uint32_t snap;
	uint32_t max_mb;
	uint32_t sample;
};

struct capture_job {
	const struct capture_options *options;
	struct pins pins;
	struct output out;
	bool text;
	struct capture_ng_writer *writer;
	struct bpf_program filter[2]; /* by whether there is no link header */
	bool filtered;
	uint64_t taken;
	uint64_t left_out; /* by the filter */
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

/* --- options -------------------------------------------------------------------------------------- */

static int parse_done(const char *name, const char *argument, void *out)
{
	char words[128], *word, *rest = words;
	int choice;

	snprintf(words, sizeof(words), "%s", argument);
	while ((word = strsep(&rest, ","))) {
		choice = options_choose(name, word, done_words);
		if (choice < 0)
			return choice;
		*(uint32_t *)out |= 1U << choice;
	}
	return 0;
}

static int parse_number(const char *name, const char *argument, void *out)
{
	return options_u32(name, argument, 1, UINT32_MAX, out);
}

static int parse_snap(const char *name, const char *argument, void *out)
{
	return options_u32(name, argument, 14, TG_CAPTURE_BYTES, out);
}

static int parse_zone(const char *name, const char *argument, void *out)
{
	return options_u32(name, argument, 0, UINT16_MAX, out);
}

static const struct capture_options defaults = { .snap = TG_CAPTURE_BYTES };

static const struct option_row rows[] = {
	{ 0, "reason", "REASON,...", "packets with these reasons, as 'stats' names them",
	  event_filter_parse_reasons, offsetof(struct capture_options, reasons) },
	{ 0, "verdict", "VERDICT,...", "what was done: pass, challenge, drop, would_drop, bypass, own",
	  parse_done, offsetof(struct capture_options, done) },
	{ 0, "flow", "FLOW", "packets of one flow: its id, or SRC:PORT-DST:PORT", options_word,
	  offsetof(struct capture_options, flow) },
	{ 0, "zone", "N", "of the interface, for SRC:PORT-DST:PORT (see attach)", parse_zone,
	  offsetof(struct capture_options, zone) },
	{ 'w', "write", "FILE", "write pcapng, '-' for standard output; else one line a packet",
	  options_word, offsetof(struct capture_options, file) },
	{ 'c', "count", "N", "end after so many packets", parse_number,
	  offsetof(struct capture_options, count) },
	{ 's', "snap", "BYTES", "of each packet (default: 1536)", parse_snap,
	  offsetof(struct capture_options, snap) },
	{ 0, "max-mb", "N", "end when the file has so many megabytes", parse_number,
	  offsetof(struct capture_options, max_mb) },
	{ 0, "sample", "N", "one packet in so many, on each CPU", parse_number,
	  offsetof(struct capture_options, sample) },
	{ 0 },
};

/* --- which packets -------------------------------------------------------------------------------- */

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

static void choose_verdicts(const struct capture_options *options, struct tg_capture_request *request)
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

/* An exit code. */
static int choose_flow(const struct capture_options *options, const struct pins *pins, uint64_t *tag)
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

/* --- the filter ----------------------------------------------------------------------------------- */

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

static int compile_filter(struct capture_job *job, int argc, char **argv)
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
	err = compile_for(&job->filter[0], DLT_EN10MB, text, true);
	if (err)
		return err;
	job->filtered = true;
	/* What asks for Ethernet fields matches nothing where there is no such header. */
	if (compile_for(&job->filter[1], DLT_RAW, text, false))
		return compile_for(&job->filter[1], DLT_RAW, "less 0", true);
	return 0;
}

/* --- at work -------------------------------------------------------------------------------------- */

static int write_packet(struct capture_job *job, const struct output_capture *capture)
{
	char comment[OUTPUT_COMMENT_BYTES];
	const struct capture_ng_packet packet = {
		.interface = capture->packet->iface_slot,
		.name = capture->iface,
		.link = capture->no_link_header ? DLT_RAW : DLT_EN10MB,
		.time_ns = capture->packet->time_ns,
		.outbound = capture->packet->egress,
		.bytes = capture->bytes,
		.captured = capture->packet->captured,
		.length = capture->packet->length,
		.comment = output_capture_comment(comment, sizeof(comment), capture->packet),
	};

	return capture_ng_put(job->writer, &packet);
}

static bool enough(const struct capture_job *job)
{
	const struct capture_options *options = job->options;

	return stopped || (options->count && job->taken >= options->count) ||
	       (options->max_mb && job->writer &&
		capture_ng_written(job->writer) >= options->max_mb * MEGABYTE);
}

static int take_packet(void *context, const struct tg_capture *packet, const uint8_t *bytes)
{
	struct capture_job *job = context;
	const struct tg_iface *iface = &job->pins.ifaces[packet->iface_slot % TG_IFACES_MAX];
	char name[TG_IFNAME_LEN + 1] = "";
	const struct output_capture capture = {
		.packet = packet,
		.bytes = bytes,
		.iface = name,
		.no_link_header = packet->no_link_header,
	};
	const struct pcap_pkthdr header = { .caplen = packet->captured, .len = packet->length };

	memcpy(name, iface->name, TG_IFNAME_LEN);
	if (job->filtered &&
	    !pcap_offline_filter(&job->filter[packet->no_link_header & 1], &header, bytes)) {
		job->left_out++;
		return 0;
	}
	job->taken++;
	if (job->writer && write_packet(job, &capture))
		return -EIO;
	if (!job->writer && job->text)
		output_capture_text(&job->out, &capture);
	else if (!job->writer)
		output_capture_json(&job->out, &capture);
	return enough(job) ? 1 : 0;
}

static void wait_ms(uint32_t ms)
{
	const struct timespec pause = { .tv_nsec = ms * 1000000L };

	nanosleep(&pause, NULL);
}

/* Until enough, or the reader of our output is gone: capture_ng_finish() or output_close() tell. */
static void follow(struct capture_job *job, struct capture_live *live)
{
	uint32_t pause_ms = WAIT_MIN_MS;
	int got;

	while (!enough(job)) {
		got = capture_live_read(live, take_packet, job);
		if (job->writer ? capture_ng_flush(job->writer) : fflush(job->out.stream))
			return;
		if (got < 0)
			return;
		pause_ms = got ? WAIT_MIN_MS : pause_ms * 2 > WAIT_MAX_MS ? WAIT_MAX_MS :
									    pause_ms * 2;
		if (!got)
			wait_ms(pause_ms);
	}
}

static void catch_signals(void)
{
	const struct sigaction stop = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

static int capture(struct capture_job *job, const struct tg_capture_request *request)
{
	const struct capture_options *options = job->options;
	struct capture_live *live = NULL;
	int err, err_close;

	catch_signals();
	/* The file comes second: it may be that of the capture which runs already. */
	err = capture_live_open(&live, &job->pins, request);
	if (!err && options->file)
		err = capture_ng_create(&job->writer, options->file, options->snap);
	if (!err) {
		follow(job, live);
		log_info("%llu packets captured, %llu left out by the filter, %llu lost",
			 (unsigned long long)job->taken, (unsigned long long)job->left_out,
			 (unsigned long long)capture_live_lost(live));
	}
	capture_live_close(live);
	err_close = options->file ? capture_ng_finish(job->writer) : output_close(&job->out);
	return command_exit_code(err ? err : err_close);
}

static int check_usage(const struct capture_options *options)
{
	if (!options->reasons.given && !options->done && !options->flow) {
		log_err_hint(0, "say --reason, --verdict or --flow", "capture: which packets?");
		return -EINVAL;
	}
	if (options->max_mb && !options->file) {
		log_err_hint(0, "add -w FILE", "capture: --max-mb is about a file");
		return -EINVAL;
	}
	if (options->file && !strcmp(options->file, "-") && isatty(STDOUT_FILENO)) {
		log_err_hint(0, "pipe it, or name a file", "capture: '-w -' would write to the terminal");
		return -EINVAL;
	}
	return 0;
}

static int run_capture(const struct global_options *global, const void *given, int argc, char **argv)
{
	const struct capture_options *options = given;
	struct capture_job job = { .options = options, .text = global->output == OUTPUT_TEXT };
	struct tg_capture_request request = { .sample = options->sample, .snap = options->snap };
	uint64_t tag = 0;
	int err, code;

	if (check_usage(options) || output_open(&job.out, global, false) ||
	    compile_filter(&job, argc, argv))
		return EXIT_USAGE;
	err = pins_open(&job.pins, true);
	if (err)
		return command_exit_code(err);
	choose_verdicts(options, &request);
	code = choose_flow(options, &job.pins, &tag);
	request.tag = tag;
	if (code == EXIT_OK)
		code = capture(&job, &request);
	pins_close(&job.pins);
	if (job.filtered) {
		pcap_freecode(&job.filter[0]);
		pcap_freecode(&job.filter[1]);
	}
	return code;
}

const struct command command_capture = {
	.name = "capture",
	.arguments = "['PCAP FILTER']",
	.summary = "Captures packets by verdict, reason or flow, as the data path saw them.",
	.details =
		"With -w as pcapng, verdict and reason in each packet's comment.  Until Ctrl-C, or as\n"
		"--count and --max-mb say.  One at a time; works without the daemon.",
	.options = rows,
	.options_size = sizeof(struct capture_options),
	.defaults = &defaults,
	.run = run_capture,
};
