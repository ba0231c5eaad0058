/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON documents, and values as every schema has them: RFC 3339 times, plain numbers, UTF-8. */
#ifndef TCPGUARD_OUTPUT_JSON_VALUES_H
#define TCPGUARD_OUTPUT_JSON_VALUES_H

#include <jansson.h>

#include "output.h"

/* Numbers to the millisecond and percents need no more digits. */
#define JSON_PRECISION JSON_REAL_PRECISION(12)

json_t *json_document(const char *schema);
void json_put(struct output *out, json_t *document); /* prints it and lets it go */

/* Names from the kernel need not be UTF-8, which JSON must be, nor are they free of control characters. */
json_t *json_text(const char *text);

void json_set_number(json_t *object, const char *name, uint64_t number);
void json_set_text(json_t *object, const char *name, const char *text);
void json_set_time(json_t *object, const char *name, const struct timespec *time);

#endif
