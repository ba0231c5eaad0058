/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings as text, grouped by what they are about, and as JSON. */
#include "output_doctor.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "format.h"
#include "output_json_values.h"
#include "output_text.h"

static const struct {
	const char *word;
	const char *one, *many; /* "%zu ..." of the summary */
	enum paint colour;
} severities[] = {
	[DOCTOR_OK] = { "ok", "ok", "ok", PAINT_GOOD },
	[DOCTOR_NOTE] = { "note", "note", "notes", PAINT_NONE },
	[DOCTOR_UNCHECKED] = { "unchecked", "unchecked", "unchecked", PAINT_NONE },
	[DOCTOR_WARNING] = { "warning", "warning", "warnings", PAINT_WARN },
	[DOCTOR_BLOCKS] = { "blocks", "blocks", "block", PAINT_BAD },
};

const char *output_doctor_severity(enum doctor_severity severity)
{
	return severity < DOCTOR_SEVERITY_MAX ? severities[severity].word : "?";
}

/* --- text ----------------------------------------------------------------------------------------- */

/* "host", "kernel", or the interface. */
static void print_title(struct output *out, const struct doctor_finding *finding)
{
	int length = (int)strcspn(finding->check, ".");

	if (finding->iface[0])
		text_plain(out, finding->iface);
	else
		fprintf(out->stream, "%.*s", length, finding->check);
	fputc('\n', out->stream);
}

static bool same_group(const struct doctor_finding *a, const struct doctor_finding *b)
{
	size_t length = strcspn(a->check, ".") + 1;

	return !strcmp(a->iface, b->iface) && !strncmp(a->check, b->check, length);
}

static void print_finding(struct output *out, const struct doctor_finding *finding)
{
	char word[16];

	snprintf(word, sizeof(word), "%-9s", output_doctor_severity(finding->severity));
	fputs("  ", out->stream);
	text_paint(out, severities[finding->severity].colour, word);
	fprintf(out->stream, "  %-14s ", strchr(finding->check, '.') + 1);
	text_plain(out, finding->text);
	fputc('\n', out->stream);
	if (!finding->command[0])
		return;
	fprintf(out->stream, "%29s", "=> ");
	text_plain(out, finding->command);
	fputc('\n', out->stream);
}

static void print_summary(struct output *out, const struct doctor_report *report)
{
	int severity;

	for (severity = DOCTOR_BLOCKS; severity >= DOCTOR_OK; severity--) {
		size_t count = doctor_count(report, (enum doctor_severity)severity);
		char text[48];

		snprintf(text, sizeof(text), "%zu %s", count,
			 count == 1 ? severities[severity].one : severities[severity].many);
		fputs(severity == DOCTOR_BLOCKS ? "" : ", ", out->stream);
		text_paint(out, count ? severities[severity].colour : PAINT_NONE, text);
	}
	fputc('\n', out->stream);
}

void output_doctor_text(struct output *out, const struct doctor_report *report)
{
	const struct doctor_finding *findings = report->findings;
	size_t i;

	for (i = 0; i < report->count; i++) {
		if (!i || !same_group(&findings[i - 1], &findings[i]))
			print_title(out, &findings[i]);
		print_finding(out, &findings[i]);
	}
	print_summary(out, report);
	if (!findings[report->count - 1].iface[0])
		fputs("Interfaces were not examined: tcpguard doctor IFACE...\n", out->stream);
}

/* --- JSON ----------------------------------------------------------------------------------------- */

/* Names of interfaces and programs need not be UTF-8; JSON must be. */
static json_t *text_value(const char *text)
{
	char plain[sizeof(((struct doctor_finding *)0)->text)];
	json_t *string;
	size_t i;

	if (!text[0])
		return json_null();
	string = json_string(text);
	if (string)
		return string;
	for (i = 0; i < sizeof(plain) - 1 && text[i]; i++)
		plain[i] = (char)(text[i] & 0x80 ? '?' : text[i]);
	plain[i] = '\0';
	return json_string(plain);
}

static json_t *finding_object(const struct doctor_finding *finding)
{
	return json_pack("{s:s, s:o, s:s, s:o, s:o}", "check", finding->check, "interface",
			 text_value(finding->iface), "severity",
			 output_doctor_severity(finding->severity),
			 "text", text_value(finding->text), "command",
			 text_value(finding->command));
}

void output_doctor_json(struct output *out, const struct doctor_report *report)
{
	json_t *document, *findings, *counts;
	char host[65] = "", when[FORMAT_BYTES];
	struct timespec now;
	int severity;
	size_t i;

	if (out->lines) {
		for (i = 0; i < report->count; i++)
			json_put(out, finding_object(&report->findings[i]));
		return;
	}
	findings = json_array();
	counts = json_object();
	for (i = 0; i < report->count; i++)
		json_array_append_new(findings, finding_object(&report->findings[i]));
	for (severity = DOCTOR_OK; severity < DOCTOR_SEVERITY_MAX; severity++)
		json_object_set_new(counts, severities[severity].word,
				    json_integer((json_int_t)doctor_count(report,
									  (enum doctor_severity)severity)));
	clock_gettime(CLOCK_REALTIME, &now);
	gethostname(host, sizeof(host) - 1);
	document = json_pack("{s:s, s:s, s:o, s:o, s:o}", "schema", "tcpguard.doctor/1", "time",
			     format_time(when, sizeof(when), &now), "host", text_value(host),
			     "counts",
			     counts,
			     "findings", findings);
	json_put(out, document);
}
