/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a daemon may listen: what is written, and what already lies at the path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/listener.h"

static char directory[] = "/tmp/tcpguard-listener.XXXXXX";
static char path[64];
static struct listener_address at_path;

static int make_directory(void **state)
{
	char text[80];

	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/socket", directory);
	snprintf(text, sizeof(text), "unix:%s", path);
	return listener_parse(text, &at_path);
}

static int remove_directory(void **state)
{
	(void)state;
	return rmdir(directory);
}

static int mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(name, &st), 0);
	return (int)(st.st_mode & 07777);
}

static void test_addresses(void **state)
{
	struct listener_address out;
	struct sockaddr_in *four = (struct sockaddr_in *)&out.address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&out.address;

	(void)state;
	assert_int_equal(listener_parse("127.0.0.1:9844", &out), 0);
	assert_int_equal(four->sin_family, AF_INET);
	assert_int_equal(ntohs(four->sin_port), 9844);
	assert_int_equal(ntohl(four->sin_addr.s_addr), INADDR_LOOPBACK);
	assert_int_equal(listener_parse("[::1]:65535", &out), 0);
	assert_int_equal(six->sin6_family, AF_INET6);
	assert_int_equal(ntohs(six->sin6_port), 65535);
	assert_memory_equal(&six->sin6_addr, &in6addr_loopback, sizeof(in6addr_loopback));
}

static void test_no_addresses(void **state)
{
	static const char *const words[] = {
		"",
		":",
		"9844",
		":9844",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:0",
		"127.0.0.1:65536",
		"127.0.0.1:98x",
		"localhost:9844",
		"::1:9844",
		"[::1]",
		"[]:9844",
		"[::1:9844",
		"[:9844",
		"1.2.3:9844",
		"[127.0.0.1]:9844",
		"unix:",
		"unix:relative",
		"/run/socket",
		"1111111111111111111111111111111111111111111111111111111111111111:1",
	};
	struct listener_address out;
	char text[200] = "unix:/";
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (listener_parse(words[i], &out) != -EINVAL)
			fail_msg("'%s' was taken", words[i]);
	memset(text + 6, 'x', sizeof(text) - 7);
	assert_int_equal(listener_parse(text, &out), -EINVAL);
}

static void test_socket_is_made_and_removed(void **state)
{
	struct listener listener;

	(void)state;
	assert_int_equal(listener_open(&listener, &at_path), 0);
	assert_int_equal(mode_of(path), 0660);
	listener_close(&listener);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_live_socket_is_left_alone(void **state)
{
	struct listener first, second;

	(void)state;
	assert_int_equal(listener_open(&first, &at_path), 0);
	assert_int_equal(listener_open(&second, &at_path), -EADDRINUSE);
	assert_int_equal(second.fd, -1);
	assert_int_equal(access(path, F_OK), 0);
	listener_close(&first);
}

static void test_stale_socket_is_replaced(void **state)
{
	struct listener first, second;

	(void)state;
	assert_int_equal(listener_open(&first, &at_path), 0);
	close(first.fd); /* as if killed: the file stays */
	first.fd = -1;
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(listener_open(&second, &at_path), 0);
	/* What is there now is not the first one's to remove, unless the number of the file came back. */
	if (first.ino != second.ino) {
		listener_close(&first);
		assert_int_equal(access(path, F_OK), 0);
	}
	listener_close(&second);
}

static void test_what_is_no_socket_stays(void **state)
{
	struct listener listener;
	char target[80];
	int fd;

	(void)state;
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(listener_open(&listener, &at_path), -EEXIST);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(unlink(path), 0);
	/* Nothing is made where a link leads, and the link stays. */
	snprintf(target, sizeof(target), "%s/elsewhere", directory);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(listener_open(&listener, &at_path), -EEXIST);
	assert_int_equal(access(target, F_OK), -1);
	assert_int_equal(unlink(path), 0);
}

static void test_no_directory(void **state)
{
	struct listener_address nowhere;
	struct listener listener;

	(void)state;
	assert_int_equal(listener_parse("unix:/nonexistent/socket", &nowhere), 0);
	assert_int_equal(listener_open(&listener, &nowhere), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_no_addresses),
		cmocka_unit_test(test_socket_is_made_and_removed),
		cmocka_unit_test(test_live_socket_is_left_alone),
		cmocka_unit_test(test_stale_socket_is_replaced),
		cmocka_unit_test(test_what_is_no_socket_stays),
		cmocka_unit_test(test_no_directory),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
