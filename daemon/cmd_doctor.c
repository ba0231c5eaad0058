/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard doctor [IFACE...]`: what stands in the way of attaching, and the command that mends it. */
#include "command.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>

#include "datapath.h"
#include "log.h"
#include "options.h"
#include "output_doctor.h"

struct doctor_options {
	uint32_t max_flows;
};

static int parse_max_flows(const char *name, const char *argument, void *out)
{
	return options_u32(name, argument, 1, DATAPATH_MAX_FLOWS_LIMIT, out);
}

static const struct option_row rows[] = {
	{ 0, "max-flows", "N", "judge memory for a table of N flows", parse_max_flows,
	  offsetof(struct doctor_options, max_flows) },
	{ 0 },
};

/* An interface that is not there is an error of the question, before any finding. */
static int check_words(int count, char **names)
{
	int i;

	for (i = 0; i < count; i++)
		if (!if_nametoindex(names[i])) {
			log_err_hint(0, "'ip link' lists them", "no interface named '%s'",
				     names[i]);
			return -ENODEV;
		}
	return 0;
}

static int examine(const struct doctor_options *options, int count, char **names,
		   struct doctor_report *report)
{
	struct doctor_iface *iface = malloc(sizeof(*iface));
	struct doctor_host *host = malloc(sizeof(*host));
	struct doctor_kernel kernel;
	int i, err = 0;

	if (!iface || !host) {
		err = log_err(-ENOMEM, "cannot examine this machine");
		goto out;
	}
	doctor_read_kernel(&kernel);
	doctor_read_host(host, options->max_flows);
	doctor_judge_kernel(&kernel, report);
	doctor_judge_host(&kernel, host, report);
	for (i = 0; i < count && !err; i++) {
		err = doctor_read_iface(names[i], iface);
		if (!err)
			doctor_judge_iface(&kernel, host, iface, report);
	}
	if (!err && report->incomplete)
		err = log_err(-ENOMEM, "cannot keep every finding");
out:
	free(iface);
	free(host);
	return err;
}

static int run_doctor(const struct global_options *global, const void *options, int argc,
		      char **argv)
{
	struct doctor_report report = { 0 };
	struct output out;
	bool blocked = false;
	int err;

	if (output_open(&out, global, false))
		return EXIT_USAGE;
	err = check_words(argc, argv);
	if (!err)
		err = examine(options, argc, argv, &report);
	if (!err) {
		blocked = doctor_count(&report, DOCTOR_BLOCKS) > 0;
		if (global->output == OUTPUT_TEXT)
			output_doctor_text(&out, &report);
		else
			output_doctor_json(&out, &report);
		err = output_close(&out);
	}
	doctor_release(&report);
	if (err)
		return err == -ENODEV ? EXIT_CANNOT : command_exit_code(err);
	return blocked ? EXIT_NO : EXIT_OK;
}

const struct command command_doctor = {
	.name = "doctor",
	.arguments = "[IFACE...]",
	.summary = "Examines kernel, machine and interfaces: what hinders tcpguard, and what mends "
		   "it.",
	.details = "Changes nothing and attaches nothing.  Below a finding that can be mended "
		   "stands the command\nthat mends it.  Exit code 1 if something would make attach "
		   "fail.  Works without privileges\nand then says what could not be checked.",
	.options = rows,
	.options_size = sizeof(struct doctor_options),
	.run = run_doctor,
};
