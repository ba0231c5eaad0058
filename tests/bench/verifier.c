/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the verifier had to do for each shipped program: instructions followed, states, stack.  One
 * JSON object on stdout, for test_verifier.py.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <jansson.h>

#include "tcpguard/config.h"
#include "tcpguard.skel.h"

#define LOG_STATS 4
#define LOG_BYTES (1 << 16)

/* "stack depth 320+0+24": one number a function, each of which may use what the kernel allows. */
static json_int_t stack_depth(const char *log)
{
	const char *at = strstr(log, "stack depth ");
	json_int_t most = 0;
	char *end;

	if (!at)
		return -1;
	for (at += strlen("stack depth ");; at = end + 1) {
		json_int_t part = strtol(at, &end, 10);

		most = part > most ? part : most;
		if (*end != '+')
			return most;
	}
}

static json_int_t processed(const char *log)
{
	const char *at = strstr(log, "processed ");

	return at ? strtol(at + strlen("processed "), NULL, 10) : -1;
}

int main(void)
{
	struct tcpguard_bpf *skel = tcpguard_bpf__open();
	json_t *programs = json_object();
	struct bpf_program *program;
	char *logs[16] = {};
	size_t n = 0;
	int err;

	if (!skel)
		return 1;
	bpf_object__for_each_program(program, skel->obj)
	{
		logs[n] = calloc(1, LOG_BYTES);
		bpf_program__set_log_buf(program, logs[n++], LOG_BYTES);
		bpf_program__set_log_level(program, LOG_STATS);
	}
	err = tcpguard_bpf__load(skel);
	if (err) {
		fprintf(stderr, "cannot load: %s\n", strerror(-err));
		return 77;
	}
	n = 0;
	bpf_object__for_each_program(program, skel->obj)
	{
		json_object_set_new(programs, bpf_program__name(program),
				    json_pack("{s:I, s:I}", "processed", processed(logs[n]),
					      "stack", stack_depth(logs[n])));
		n++;
	}
	json_dumpf(programs, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
	putchar('\n');
	json_decref(programs);
	tcpguard_bpf__destroy(skel);
	return 0;
}
