/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tcpguard version`. */
#include <stdio.h>
#include <sys/utsname.h>

#include <bpf/libbpf.h>
#include <jansson.h>

#include "command.h"
#include "options.h"
#include "output.h"
#include "version.h"

static int run_version(const struct global_options *global, const void *options, int argc,
		       char **argv)
{
	struct output_field fields[] = {
		{ .name = "version", .kind = OUTPUT_STRING, .string = TCPGUARD_VERSION },
		{ .name = "layout", .kind = OUTPUT_NUMBER, .number = TG_LAYOUT_VERSION },
		{ .name = "libbpf", .kind = OUTPUT_STRING, .string = libbpf_version_string() },
		{ .name = "jansson", .kind = OUTPUT_STRING, .string = JANSSON_VERSION },
		{ .name = "kernel", .kind = OUTPUT_STRING },
		{ .name = NULL },
	};
	char text[256];
	const struct output_answer answer = {
		.schema = "tcpguard.version/1",
		.text = text,
		.fields = fields,
	};
	struct utsname kernel;
	struct output out;

	(void)options;
	if (options_no_words(argc, argv) || output_open(&out, global, false))
		return EXIT_USAGE;
	if (uname(&kernel))
		kernel.release[0] = '\0';
	fields[4].string = kernel.release;
	snprintf(text, sizeof(text), "tcpguard %s (libbpf %s, jansson %s, kernel %s)",
		 TCPGUARD_VERSION, libbpf_version_string(), JANSSON_VERSION, kernel.release);
	out.functions->answer(&out, &answer);
	return command_exit_code(output_close(&out));
}

const struct command command_version = {
	.name = "version",
	.arguments = "",
	.summary = "Shows the version of tcpguard and of what it runs on.",
	.run = run_version,
};
