/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of findings. */
#include "doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct doctor_finding *make_room(struct doctor_report *report)
{
	size_t room = report->room ? report->room * 2 : 64;
	struct doctor_finding *grown;

	if (report->count < report->room)
		return &report->findings[report->count++];
	grown = realloc(report->findings, room * sizeof(*grown));
	if (!grown) {
		report->incomplete = true;
		return NULL;
	}
	report->findings = grown;
	report->room = room;
	return &report->findings[report->count++];
}

struct doctor_finding *doctor_find(struct doctor_report *report, const char *check,
				   const char *iface,
				   enum doctor_severity severity, const char *format, ...)
{
	struct doctor_finding *finding = make_room(report);
	va_list arguments;

	if (!finding)
		return NULL;
	memset(finding, 0, sizeof(*finding));
	finding->check = check;
	finding->severity = severity;
	snprintf(finding->iface, sizeof(finding->iface), "%s", iface ? iface : "");
	va_start(arguments, format);
	vsnprintf(finding->text, sizeof(finding->text), format, arguments);
	va_end(arguments);
	return finding;
}

void doctor_mend(struct doctor_finding *finding, const char *format, ...)
{
	va_list arguments;

	if (!finding)
		return;
	va_start(arguments, format);
	vsnprintf(finding->command, sizeof(finding->command), format, arguments);
	va_end(arguments);
}

size_t doctor_count(const struct doctor_report *report, enum doctor_severity severity)
{
	size_t i, count = 0;

	for (i = 0; i < report->count; i++)
		count += report->findings[i].severity == severity;
	return count;
}

void doctor_release(struct doctor_report *report)
{
	free(report->findings);
	memset(report, 0, sizeof(*report));
}
