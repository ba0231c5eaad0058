/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which format a client gets for its Accept header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/metrics_accept.h"

#define OM "application/openmetrics-text"

static void test_text_unless_asked(void **state)
{
	static const char *const headers[] = {
		NULL,
		"",
		"*/*",
		"text/html",
		"text/plain;version=0.0.4",
		"application/*",
		",;,=;q=",
		OM ";q=0",
		OM ";version=2.0.0",
		OM ";version=0.0.1",
		OM "x",
		"x" OM,
		OM ";q=0.4, text/plain;version=0.0.4;q=0.5",
		"text/plain;q=0.5," OM " ; q=0.4",
		/* OpenMetrics of a version we do not write stands first. */
		OM ";version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if (metrics_accept(headers[i]) != METRICS_TEXT)
			fail_msg("OpenMetrics for '%s'", headers[i]);
}

static void test_openmetrics_when_asked(void **state)
{
	static const char *const headers[] = {
		OM,
		OM ";version=1.0.0",
		OM "; version=\"1.0.0\"; charset=utf-8",
		"Application/OpenMetrics-Text",
		"text/html, " OM " , */*",
		"text/plain;q=0.3," OM ";q=0.4",
		/* Prometheus 2. */
		OM ";version=1.0.0," OM ";version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if (metrics_accept(headers[i]) != METRICS_OPENMETRICS)
			fail_msg("text for '%s'", headers[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_unless_asked),
		cmocka_unit_test(test_openmetrics_when_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
