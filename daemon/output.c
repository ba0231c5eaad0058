/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chooses the functions for the format asked for. */
#include "output.h"

#include <errno.h>
#include <string.h>

#include "log.h"

int output_open(struct output *out, const struct global_options *global, bool flows)
{
	memset(out, 0, sizeof(*out));
	out->stream = stdout;
	out->pretty = global->pretty;
	out->colour = global->colour;
	out->lines = global->output == OUTPUT_NDJSON;
	switch (global->output) {
	case OUTPUT_TEXT:
		out->functions = &output_text;
		return 0;
	case OUTPUT_CONNTRACK:
		out->functions = &output_conntrack;
		if (flows)
			return 0;
		log_err_hint(0, "it is for 'flows list'",
			     "no '-o conntrack' output for this command");
		return -EINVAL;
	default:
		out->functions = &output_json;
		return 0;
	}
}

int output_close(struct output *out)
{
	if (fflush(out->stream) || ferror(out->stream))
		return log_err(errno ? -errno : -EIO, "cannot write the answer");
	return 0;
}
