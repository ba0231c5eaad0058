/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The families of metrics_families.h in their order, and the labels they share. */
#include "output_metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "output_metrics_put.h"

/* --- labels --------------------------------------------------------------------------------------- */

/*
 * Two interfaces of two namespaces may have one name, and no two series may have the same labels: the
 * second is called name@number.
 */
static void label_ifaces(struct input *in)
{
	const struct snapshot *s = in->s;
	uint32_t i, before;

	for (i = 0; i < s->iface_count; i++) {
		const char *name = s->iface[i].iface.name;

		for (before = 0; before < i; before++)
			if (!strcmp(s->iface[before].iface.name, name))
				break;
		if (before == i)
			snprintf(in->iface[i], METRICS_LABEL_BYTES, "%s", name);
		else
			snprintf(in->iface[i], METRICS_LABEL_BYTES, "%s@%u", name, s->iface[i].slot);
	}
}

static void label_services(struct input *in)
{
	const struct snapshot *s = in->s;
	uint32_t i, before;

	for (i = 0; i < s->service_count; i++) {
		const char *name = i ? s->service[i].name : "default";

		for (before = 0; before < i; before++)
			if (!strcmp(in->service[before], name))
				break;
		if (before == i)
			snprintf(in->service[i], METRICS_LABEL_BYTES, "%s", name);
		else
			snprintf(in->service[i], METRICS_LABEL_BYTES, "%s@%u", name, i);
	}
}

/* --- all of it ------------------------------------------------------------------------------------ */

struct row {
	struct metrics_family family;
	void (*put)(struct metrics_writer *out, const struct input *in);
};

#define X(id, type, unit, name, labels, help) \
	{ { name, METRICS_##type, unit, labels, help }, put_##id },
static const struct row rows[] = { METRICS_FAMILIES(X) };
static const struct row daemon_rows[] = { METRICS_DAEMON_FAMILIES(X) };
#undef X

static void put_rows(struct metrics_writer *out, const struct input *in, const struct row *row,
		     size_t count)
{
	for (; count; row++, count--) {
		metrics_begin(out, &row->family);
		row->put(out, in);
	}
}

int output_metrics(const struct snapshot *s, const struct metrics_daemon *daemon,
		   enum metrics_format format, char **text, size_t *bytes)
{
	struct metrics_writer out = { .format = format };
	struct input *in = calloc(1, sizeof(*in));
	bool failed;

	*text = NULL;
	if (!in)
		return -ENOMEM;
	in->s = s;
	in->daemon = daemon;
	label_ifaces(in);
	label_services(in);
	out.stream = open_memstream(text, bytes);
	if (out.stream) {
		put_rows(&out, in, rows, sizeof(rows) / sizeof(rows[0]));
		if (daemon)
			put_rows(&out, in, daemon_rows, sizeof(daemon_rows) / sizeof(daemon_rows[0]));
		metrics_end(&out);
		failed = ferror(out.stream);
		failed = fclose(out.stream) || failed;
	} else {
		failed = true;
	}
	free(in);
	if (!failed)
		return 0;
	free(*text);
	*text = NULL;
	return -ENOMEM;
}
