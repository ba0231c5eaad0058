/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `doctor` prints. */
#ifndef TCPGUARD_OUTPUT_DOCTOR_H
#define TCPGUARD_OUTPUT_DOCTOR_H

#include "doctor.h"
#include "output.h"

void output_doctor_text(struct output *out, const struct doctor_report *report);
/* One document, or with out->lines one finding a line. */
void output_doctor_json(struct output *out, const struct doctor_report *report);

/* "ok", "note", "unchecked", "warning", "blocks" */
const char *output_doctor_severity(enum doctor_severity severity);

#endif
