/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the service manager is told, and what its environment means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/service.h"

static void ask_watchdog(const char *us, const char *pid)
{
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	if (us)
		setenv("WATCHDOG_USEC", us, 1);
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
}

static void test_watchdog_interval(void **state)
{
	(void)state;
	ask_watchdog(NULL, NULL);
	assert_int_equal(service_watchdog_ms(), 0);
	ask_watchdog("30000000", NULL);
	assert_int_equal(service_watchdog_ms(), 30000);
	ask_watchdog("1", NULL);
	assert_int_equal(service_watchdog_ms(), 1);
	/* Two hours: longer than what fits, and still a watchdog. */
	ask_watchdog("7200000000", NULL);
	assert_in_range(service_watchdog_ms(), 3600 * 1000, UINT32_MAX);
}

static void test_no_interval(void **state)
{
	static const char *const words[] = { "", "0", "soon", "-1", "30s" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		ask_watchdog(words[i], NULL);
		assert_int_equal(service_watchdog_ms(), 0);
	}
}

static void test_watchdog_of_another_process(void **state)
{
	char pid[16];

	(void)state;
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	ask_watchdog("30000000", pid);
	assert_int_equal(service_watchdog_ms(), 30000);
	snprintf(pid, sizeof(pid), "%d", (int)getppid());
	ask_watchdog("30000000", pid);
	assert_int_equal(service_watchdog_ms(), 0);
	ask_watchdog("30000000", "nobody");
	assert_int_equal(service_watchdog_ms(), 0);
}

/* Binds an abstract socket and puts its name into the environment. */
static int listen_as_manager(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char name[64];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(name, sizeof(name), "@tcpguard-test-%d", (int)getpid());
	memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void test_manager_is_told_in_one_datagram(void **state)
{
	char heard[128] = "";
	int fd = listen_as_manager();

	(void)state;
	service_notify("READY=1\nSTATUS=%u interfaces", 2U);
	assert_int_equal(recv(fd, heard, sizeof(heard) - 1, 0), (ssize_t)strlen("READY=1\nSTATUS=2 interfaces"));
	assert_string_equal(heard, "READY=1\nSTATUS=2 interfaces");
	service_forget();
	service_notify("WATCHDOG=1");
	assert_int_equal(recv(fd, heard, sizeof(heard), 0), -1);
	assert_null(getenv("NOTIFY_SOCKET"));
	close(fd);
}

static void test_addresses_that_are_none(void **state)
{
	char longer[200];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	setenv("NOTIFY_SOCKET", longer, 1);
	service_notify("READY=1");
	setenv("NOTIFY_SOCKET", "", 1);
	service_notify("READY=1");
	setenv("NOTIFY_SOCKET", "relative", 1);
	service_notify("READY=1");
	service_forget();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_watchdog_interval),
		cmocka_unit_test(test_no_interval),
		cmocka_unit_test(test_watchdog_of_another_process),
		cmocka_unit_test(test_manager_is_told_in_one_datagram),
		cmocka_unit_test(test_addresses_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
