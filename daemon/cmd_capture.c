/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard capture`: the packets that got a verdict, as the data path saw them. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "capture_live.h"
#include "capture_ng_write.h"
#include "cmd_capture.h"
#include "command.h"
#include "log.h"
#include "options.h"
#include "output_capture.h"

#define WAIT_MIN_MS 5
#define WAIT_MAX_MS 100
#define MEGABYTE 1000000ULL

static const char *const done_words[] = { "pass", "challenge", "drop", "would_drop", "bypass", "own", NULL };

struct capture_job {
	const struct capture_options *options;
	struct pins pins;
	struct output out;
	bool text;
	struct capture_ng_writer *writer;
	struct capture_filter filter;
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

static int parse_snap(const char *name, const char *argument, void *out)
{
	return options_u32(name, argument, 14, TG_CAPTURE_BYTES, out);
}

static const struct capture_options defaults = { .snap = TG_CAPTURE_BYTES };

static const struct option_row rows[] = {
	{ 0, "reason", "REASON,...", "packets with these reasons, as 'stats' names them",
	  event_filter_parse_reasons, offsetof(struct capture_options, reasons) },
	{ 0, "verdict", "VERDICT,...", "what was done: pass, challenge, drop, would_drop, bypass, own",
	  parse_done, offsetof(struct capture_options, done) },
	{ 0, "flow", "FLOW", "packets of one flow: its id, or SRC:PORT-DST:PORT", options_word,
	  offsetof(struct capture_options, flow) },
	{ 0, "zone", "N", "of the interface, for SRC:PORT-DST:PORT (see attach)", options_zone,
	  offsetof(struct capture_options, zone) },
	{ 'w', "write", "FILE", "write pcapng, '-' for standard output; else one line a packet",
	  options_word, offsetof(struct capture_options, file) },
	{ 'c', "count", "N", "end after so many packets", options_count,
	  offsetof(struct capture_options, count) },
	{ 's', "snap", "BYTES", "of each packet (default: 1536)", parse_snap,
	  offsetof(struct capture_options, snap) },
	{ 0, "max-mb", "N", "end when the file has so many megabytes", options_count,
	  offsetof(struct capture_options, max_mb) },
	{ 0, "sample", "N", "one packet in so many, on each CPU", options_count,
	  offsetof(struct capture_options, sample) },
	{ 0 },
};

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
	if (job->filter.given &&
	    !pcap_offline_filter(&job->filter.program[packet->no_link_header & 1], &header, bytes)) {
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
	    capture_filter_compile(&job.filter, argc, argv))
		return EXIT_USAGE;
	err = pins_open(&job.pins, true);
	if (err)
		return command_exit_code(err);
	capture_choose_verdicts(options, &request);
	code = capture_choose_flow(options, &job.pins, &tag);
	request.tag = tag;
	if (code == EXIT_OK)
		code = capture(&job, &request);
	pins_close(&job.pins);
	capture_filter_free(&job.filter);
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
