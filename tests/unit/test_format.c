/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers, durations, times and addresses as text. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/format.h"

#define SAYS(call, want) assert_string_equal(call, want)

static void thousands_are_set_apart(void **state)
{
	char text[FORMAT_BYTES];

	(void)state;
	SAYS(format_grouped(text, sizeof(text), 0), "0");
	SAYS(format_grouped(text, sizeof(text), 999), "999");
	SAYS(format_grouped(text, sizeof(text), 1000), "1 000");
	SAYS(format_grouped(text, sizeof(text), 18204), "18 204");
	SAYS(format_grouped(text, sizeof(text), 1000000), "1 000 000");
	SAYS(format_grouped(text, sizeof(text), UINT64_MAX), "18 446 744 073 709 551 615");
}

static void a_short_buffer_is_not_overrun(void **state)
{
	char text[8];

	(void)state;
	memset(text, 'x', sizeof(text));
	format_grouped(text, 6, 123456789);
	assert_true(strlen(text) < 6);
	assert_int_equal(text[6], 'x');
	format_si(text, 4, 123456789);
	assert_true(strlen(text) < 4);
	format_duration(text, 4, UINT64_MAX);
	assert_true(strlen(text) < 4);
}

static void large_numbers_get_units(void **state)
{
	char text[FORMAT_BYTES];

	(void)state;
	SAYS(format_si(text, sizeof(text), 0), "0");
	SAYS(format_si(text, sizeof(text), 999), "999");
	SAYS(format_si(text, sizeof(text), 1000), "1.0 k");
	SAYS(format_si(text, sizeof(text), 88100), "88.1 k");
	SAYS(format_si(text, sizeof(text), 999949), "999.9 k");
	SAYS(format_si(text, sizeof(text), 999950), "1.0 M");
	SAYS(format_si(text, sizeof(text), 351200000), "351.2 M");
	SAYS(format_si(text, sizeof(text), UINT64_MAX), "18.4 E");
	SAYS(format_bytes(text, sizeof(text), 1023), "1023 B");
	SAYS(format_bytes(text, sizeof(text), 1024), "1.0 KiB");
	SAYS(format_bytes(text, sizeof(text), 384ULL << 20), "384.0 MiB");
	SAYS(format_bytes(text, sizeof(text), UINT64_MAX), "16.0 EiB");
}

static void durations_change_shape(void **state)
{
	char text[FORMAT_BYTES];

	(void)state;
	SAYS(format_duration(text, sizeof(text), 0), "0.0 s");
	SAYS(format_duration(text, sizeof(text), 2140), "2.1 s");
	SAYS(format_duration(text, sizeof(text), 59949), "59.9 s");
	SAYS(format_duration(text, sizeof(text), 60000), "00:01:00");
	SAYS(format_duration(text, sizeof(text), 842000), "00:14:02");
	SAYS(format_duration(text, sizeof(text), 86399000), "23:59:59");
	SAYS(format_duration(text, sizeof(text), 86400000), "1d 00:00:00");
	SAYS(format_duration(text, sizeof(text), 266999000), "3d 02:09:59");
}

static void times_are_rfc_3339(void **state)
{
	const struct timespec time = { .tv_sec = 1795275600, .tv_nsec = 123456789 };
	const struct timespec epoch = { 0 };
	char text[FORMAT_BYTES];

	(void)state;
	SAYS(format_time(text, sizeof(text), &time), "2026-11-21T15:40:00.123Z");
	SAYS(format_time(text, sizeof(text), &epoch), "1970-01-01T00:00:00.000Z");
}

static void both_families_are_printed(void **state)
{
	__be32 four[4] = { 0, 0, htonl(0xffff), htonl(0xc6336407) }, six[4];
	__be32 any[4] = { 0 };
	char text[FORMAT_BYTES];

	(void)state;
	inet_pton(AF_INET6, "2001:db8::1", six);
	SAYS(format_address(text, sizeof(text), four), "198.51.100.7");
	SAYS(format_address(text, sizeof(text), six), "2001:db8::1");
	SAYS(format_address(text, sizeof(text), any), "::");
	SAYS(format_endpoint(text, sizeof(text), four, htons(443)), "198.51.100.7:443");
	SAYS(format_endpoint(text, sizeof(text), six, htons(65535)), "[2001:db8::1]:65535");
}

static void nanoseconds_have_as_many_digits_as_wanted(void **state)
{
	const uint64_t moment = 1700000000ULL * 1000000000 + 1234567;
	char text[FORMAT_BYTES];

	(void)state;
	SAYS(format_time_ns(text, sizeof(text), moment, 9), "2023-11-14T22:13:20.001234567Z");
	SAYS(format_time_ns(text, sizeof(text), moment, 6), "2023-11-14T22:13:20.001234Z");
	SAYS(format_time_ns(text, sizeof(text), moment, 0), "2023-11-14T22:13:20Z");
}

static void flags_are_named_in_the_usual_order(void **state)
{
	char text[FORMAT_BYTES];

	(void)state;
	SAYS(format_flags(text, sizeof(text), 0), "-");
	SAYS(format_flags(text, sizeof(text), 0x12), "SYN|ACK");
	SAYS(format_flags(text, sizeof(text), 0x11), "FIN|ACK");
	SAYS(format_flags(text, sizeof(text), 0xff), "SYN|FIN|RST|PSH|ACK|URG|ECE|CWR");
}

static void a_word_is_one_to_the_shell(void **state)
{
	char text[FORMAT_WORD_BYTES], small[8];

	(void)state;
	SAYS(format_word(text, sizeof(text), "eth0.100@up"), "eth0.100@up");
	SAYS(format_word(text, sizeof(text), ""), "''");
	SAYS(format_word(text, sizeof(text), "$(date)"), "'$(date)'");
	SAYS(format_word(text, sizeof(text), "a;b&c|`d`"), "'a;b&c|`d`'");
	SAYS(format_word(text, sizeof(text), "a'b"), "'a'\\''b'");
	SAYS(format_word(text, sizeof(text), "''''''''''''''''"),
	     "''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''");
	SAYS(format_word(small, sizeof(small), "~12345"), "''");
	SAYS(format_word(small, sizeof(small), "~1234"), "'~1234'");
}

static void per_cent_of_nothing_is_nothing(void **state)
{
	(void)state;
	assert_true(format_percent(5, 0) == 0);
	assert_true(format_percent(1, 4) == 25);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thousands_are_set_apart),
		cmocka_unit_test(a_short_buffer_is_not_overrun),
		cmocka_unit_test(large_numbers_get_units),
		cmocka_unit_test(durations_change_shape),
		cmocka_unit_test(times_are_rfc_3339),
		cmocka_unit_test(both_families_are_printed),
		cmocka_unit_test(nanoseconds_have_as_many_digits_as_wanted),
		cmocka_unit_test(flags_are_named_in_the_usual_order),
		cmocka_unit_test(a_word_is_one_to_the_shell),
		cmocka_unit_test(per_cent_of_nothing_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
