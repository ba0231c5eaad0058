/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See listener.h. */
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bpf/harness.h"
#include "tests/bpf/listener.h"

static int listener = -1;

/* Test runs come in through lo. */
static void bring_up_loopback(int fd)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_mtu = 1500 };

	assert_int_equal(ioctl(fd, SIOCSIFMTU, &request), 0);
	request.ifr_flags = IFF_UP;
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
}

void listener_open(void)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(80) };
	int off = 0;

	if (listener >= 0)
		return;
	if (unshare(CLONE_NEWNET))
		fail_msg("no network namespace of our own (root is needed)");
	listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(listener >= 0);
	bring_up_loopback(listener);
	assert_int_equal(setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)), 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 16), 0);
}

void listener_close(void)
{
	if (listener >= 0)
		close(listener);
	listener = -1;
}
