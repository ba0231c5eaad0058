/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of `replay` share: its options, and one run of it. */
#ifndef TCPGUARD_CMD_REPLAY_H
#define TCPGUARD_CMD_REPLAY_H

#include "capture.h"
#include "output_replay.h"
#include "progress.h"
#include "replay.h"
#include "replay_flows.h"
#include "replay_options.h"

struct replay_choices {
	struct replay_options replay;
	const char *write;
	const char *config; /* paths of configuration files, or NULL */
	const char *compare;
	bool fail_on_drop;
	bool join;
};

struct replay_job {
	const struct replay_choices *options;
	struct replay *replay;
	struct replay *other; /* by --compare's file; NULL without */
	struct replay_options other_options;
	struct config *config, *other_config;
	struct replay_flows *flows;
	struct replay_summary summary;
	struct replay_lines *lines; /* NULL: a summary */
	/* Opened before anything is parsed; -1, NULL: not, or taken over. */
	int *opened; /* one a file */
	FILE *write_to;
	struct capture_writer *writer;
	struct progress progress;
};

/* Opens every capture, and what is written to; then gives up what reading them does not need. */
int replay_open_captures(struct replay_job *job);
void replay_close_captures(struct replay_job *job);

/* Runs every capture; what is wrong with one is noted in the summary.  -errno ends the whole run. */
int replay_captures(struct replay_job *job);

#endif
