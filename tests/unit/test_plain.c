/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text of strangers stays text: on a terminal, in a log. */
#include <fcntl.h>
#include <unistd.h>

#include "unit.h"

#include "daemon/log.h"
#include "daemon/plain.h"

static void controls_and_what_is_no_character_become_question_marks(void **state)
{
	static const struct {
		const char *given, *plain;
	} rows[] = {
		{ "", "" },
		{ "eth0", "eth0" },
		{ "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x90\x9f", "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x90\x9f" },
		{ "\033]0;title\007x", "?]0;title?x" },
		{ "a\r\nb\tc\177", "a? b c?" },
		{ "\xc2\x9b"
		  "31m",
		  "??31m" }, /* CSI as one character */
		{ "\x9b"
		  "31m",
		  "?31m" }, /* and as one byte */
		{ "\xc0\x9b \xe0\x82\x9b", "?? ???" }, /* longer than needed */
		{ "\xed\xa0\x80 \xf4\x90\x80\x80 \xff", "??? ???? ?" },
		{ "cut off \xe2\x82", "cut off ??" },
	};
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		assert_string_equal(plain_copy(text, sizeof(text), rows[i].given), rows[i].plain);
	assert_string_equal(plain_copy(text, 4, "eth0"), "eth");
	assert_string_equal(plain_copy(text, 3, "x\xc3\xaf"), "x?");
}

static void a_remark_is_one_line_of_plain_text(void **state)
{
	char said[256] = "";
	int ends[2], former = dup(STDERR_FILENO);
	ssize_t got;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	log_err(0, "unknown key '%s'", "a\033[31m\nSYSLOG_IDENTIFIER=sshd");
	dup2(former, STDERR_FILENO);
	close(former);
	close(ends[1]);
	got = read(ends[0], said, sizeof(said) - 1);
	close(ends[0]);
	assert_true(got > 0);
	assert_string_equal(said, "tcpguard: unknown key 'a?[31m SYSLOG_IDENTIFIER=sshd'\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(controls_and_what_is_no_character_become_question_marks),
		cmocka_unit_test(a_remark_is_one_line_of_plain_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
